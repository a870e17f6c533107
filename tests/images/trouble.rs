//! Each way in which an origin can fail, alone and beside a good mirror: what is said, and that it ends.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Response, StatusCode, header},
};
use bytes::Bytes;
use greenroom::{
    images::{BlobError, Images, OriginSettings, Settings},
    model::trouble::{self, TroubleKind},
};

use super::{
    MIB, count, fetch, file, noise,
    origin_server::{OriginServer, RawServer, Way, chunked, part, status, whole},
    port::free_port,
    settings, unsized_file,
};

/// A cache that loses its patience after so many milliseconds without progress.
fn impatient(dir: &Path, millis: u64) -> Images {
    let origins = OriginSettings { patience: Duration::from_millis(millis), ..OriginSettings::new(|| 512) };
    Images::open(&Settings { origins, ..settings(dir, 64 * MIB, 64 * MIB) }).unwrap().0
}

/// What is said of `bytes` when their only origin is this one: to the admin, and to everybody.
async fn said(bytes: &Bytes, origin: &str) -> (String, Vec<TroubleKind>, String) {
    let dir = tempfile::tempdir().unwrap();
    let error = fetch(&impatient(dir.path(), 2400), &file(bytes, &[origin])).await.unwrap_err();
    let troubles = error.troubles();
    let public = trouble::all(&troubles);
    eprintln!("log: {error}\nconsole: {public}");
    (error.to_string(), troubles.iter().map(|trouble| trouble.kind).collect(), public)
}

/// The same blob is had in spite of it from a second mirror.
async fn mirrored(bytes: &Bytes, origin: &str) {
    let good = OriginServer::good(bytes.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    assert!(
        fetch(&impatient(dir.path(), 2400), &file(bytes, &[origin, &good.url])).await.unwrap() == *bytes,
        "{origin}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_misbehaves_is_told_by_how_and_a_mirror_takes_over() {
    let bytes = noise(1, 2 * MIB);
    for (way, kind, words) in [
        (Way::Silent, TroubleKind::Silent, "it did not answer within 400ms"),
        (Way::Stalls(100_000), TroubleKind::Silent, "it fell silent for 800ms"),
        (Way::Resets(100_000), TroubleKind::BrokeOff, "it broke off: "),
        (Way::HangsUp, TroubleKind::Broken, "it gave no answer: "),
        (Way::Drips(50, 50), TroubleKind::Slow, "it gives its bytes too slowly"),
        (Way::Babbles, TroubleKind::Broken, "it gave no answer: "),
    ] {
        let server = RawServer::start(bytes.clone(), way).await;
        let (log, kinds, public) = said(&bytes, &server.url).await;
        assert!(log.contains(words) && log.contains(&server.url), "{log}");
        assert_eq!(kinds, [kind]);
        assert!(public.contains("127.0.0.1:") && !public.contains("/image"), "no path: {public}");
        mirrored(&bytes, &server.url).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_web_server_can_say_is_told_by_what_it_means() {
    let bytes = noise(1, MIB);
    let answer = |code: u16, name: header::HeaderName, value: &'static str| {
        move |_, _| Response::builder().status(code).header(name.clone(), value).body(Body::empty()).unwrap()
    };
    let served = bytes.clone();
    for (server, kind, words) in [
        (OriginServer::start(|_, _| status(StatusCode::NOT_FOUND)).await, TroubleKind::Missing, "404 Not Found"),
        (OriginServer::start(|_, _| status(StatusCode::FORBIDDEN)).await, TroubleKind::Forbidden, "wants credentials"),
        (OriginServer::start(|_, _| status(StatusCode::BAD_GATEWAY)).await, TroubleKind::Broken, "502 Bad Gateway"),
        (OriginServer::start(answer(429, header::RETRY_AFTER, "600")).await, TroubleKind::Busy, "left alone for 600 s"),
        (
            OriginServer::start(answer(302, header::LOCATION, "/image")).await,
            TroubleKind::Redirects,
            "redirects without end",
        ),
        (
            OriginServer::good(bytes.slice(1..)).await,
            TroubleKind::WrongLength,
            "it has 1048575 bytes, 1048576 are expected",
        ),
        (OriginServer::good(noise(2, MIB)).await, TroubleKind::WrongBytes, "gave other bytes than"),
        (
            OriginServer::start(move |_, _| chunked(&[&served[..], b"more"].concat().into())).await,
            TroubleKind::WrongLength,
            "gives more than the 1048576 bytes",
        ),
    ] {
        let (log, kinds, public) = said(&bytes, &server.url).await;
        assert!(log.contains(words) && log.contains(&server.url), "{log}");
        assert_eq!(kinds, [kind], "{public}");
        assert!(public.contains("127.0.0.1:") && !public.contains("/image"), "no path: {public}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_lead_nowhere_are_told() {
    let bytes = noise(1, MIB);
    for (origin, kind, words) in [
        ("http://127.0.0.1:9/image", TroubleKind::Refused, "it refuses connections, is a server running there?"),
        ("http://no-such-mirror.invalid/image", TroubleKind::NoAddress, "its name leads to no address"),
        ("file:/nowhere/image", TroubleKind::Missing, "No such file"),
        ("file:/proc/self/mem/x", TroubleKind::Missing, "Not a directory"),
    ] {
        let (log, kinds, public) = said(&bytes, origin).await;
        assert!(log.contains(words), "{log}");
        assert_eq!(kinds, [kind]);
        assert!(!public.contains("nowhere") && !public.contains("image"), "no path: {public}");
        mirrored(&bytes, origin).await;
    }
    // A listener whose queue is full answers no SYN: as a host that is gone.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    full.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let _queue: Vec<_> =
        (0..4).map(|_| std::net::TcpStream::connect_timeout(&address, Duration::from_millis(100))).collect();
    let (log, kinds, _) = said(&bytes, &format!("http://{address}/image")).await;
    assert!(log.contains("it could not be reached within 200ms"), "{log}");
    assert_eq!(kinds, [TroubleKind::Unreachable]);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_in_an_origin_are_told_to_nobody() {
    let missing = OriginServer::start(|_, _| status(StatusCode::NOT_FOUND)).await;
    let address = missing.url.trim_start_matches("http://").trim_end_matches("/image");
    let (log, _, public) = said(&noise(1, 10), &format!("http://bob:hush@{address}/image?sig=psst")).await;
    for text in [log, public] {
        assert!(!text.contains("hush") && !text.contains("psst") && text.contains(address), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drip_is_left_for_a_mirror_and_is_better_than_nothing() {
    let bytes = noise(1, 48_000);
    // 20 KiB a second: slow, not hopeless. Two spans of 0.4 s pass before all are here.
    let drip = RawServer::start(bytes.clone(), Way::Drips(1000, 50)).await;
    let dir = tempfile::tempdir().unwrap();
    let alone = impatient(dir.path(), 1200);
    assert!(fetch(&alone, &file(&bytes, &[&drip.url])).await.unwrap() == bytes);
    assert_eq!((drip.connections(), count(&alone.counters().origin_errors)), (1, 0));

    let good = OriginServer::good(bytes.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    assert!(fetch(&impatient(dir.path(), 1200), &file(&bytes, &[&drip.url, &good.url])).await.unwrap() == bytes);
    assert!(good.asked()[0].is_some(), "it continued where the drip was left: {:?}", good.asked());

    // The mirror is no better than that: it is gone.
    let dir = tempfile::tempdir().unwrap();
    let origins = [&*drip.url, "http://127.0.0.1:9/image"];
    assert!(fetch(&impatient(dir.path(), 1200), &file(&bytes, &origins)).await.unwrap() == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_mirror_is_waited_for_by_a_few_and_not_by_a_hundred() {
    let dead = RawServer::start(Bytes::new(), Way::Silent).await;
    let dir = tempfile::tempdir().unwrap();
    let images = impatient(dir.path(), 6000);
    for n in 0..20 {
        let bytes = noise(n, 1000);
        let good = OriginServer::good(bytes.clone()).await;
        assert!(fetch(&images, &file(&bytes, &[&dead.url, &good.url])).await.unwrap() == bytes);
    }
    assert!(dead.connections() <= 3, "{}", dead.connections());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_mirror_that_is_dead_is_refused_at_once_after_a_while_and_found_again() {
    let bytes = noise(1, MIB);
    let served = bytes.clone();
    let up = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = up.clone();
    let server = OriginServer::start(move |_, from| match now.load(std::sync::atomic::Ordering::Relaxed) {
        true => whole(&served, from),
        false => status(StatusCode::SERVICE_UNAVAILABLE),
    });
    let server = server.await;
    let dir = tempfile::tempdir().unwrap();
    // It rests for 1.5 s, then for 3.
    let images = impatient(dir.path(), 6000);
    let file = file(&bytes, &[&server.url]);
    assert!(fetch(&images, &file).await.is_err());
    assert_eq!(server.asked().len(), 3);
    assert_eq!(images.troubles().len(), 1);
    let told = fetch(&images, &file).await.unwrap_err().to_string();
    assert!(told.contains("not asked for another 2 s, as its server failed before") && told.contains("503"), "{told}");
    assert_eq!(server.asked().len(), 3, "nobody asked it");
    up.store(true, std::sync::atomic::Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(1600)).await;
    assert!(fetch(&images, &file).await.unwrap() == bytes);
    assert_eq!((server.asked().len(), images.troubles().len()), (4, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_a_short_pause_gets_it_and_is_asked_again() {
    let bytes = noise(1, MIB);
    let served = bytes.clone();
    let server = OriginServer::start(move |n, from| match n {
        0 => {
            let busy = Response::builder().status(StatusCode::TOO_MANY_REQUESTS).header(header::RETRY_AFTER, "1");
            busy.body(Body::empty()).unwrap()
        }
        _ => whole(&served, from),
    });
    let server = server.await;
    let dir = tempfile::tempdir().unwrap();
    let began = Instant::now();
    assert!(fetch(&impatient(dir.path(), 12_000), &file(&bytes, &[&server.url])).await.unwrap() == bytes);
    assert!(began.elapsed() >= Duration::from_secs(1), "it asked for a second");
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mirror_that_failed_is_named() {
    let missing = OriginServer::start(|_, _| status(StatusCode::NOT_FOUND)).await;
    let origins = ["http://127.0.0.1:9/image", &missing.url];
    let dir = tempfile::tempdir().unwrap();
    let error = fetch(&impatient(dir.path(), 2400), &unsized_file(&noise(1, 10), &origins)).await.unwrap_err();
    let BlobError::Origin { why, troubles, .. } = &error else { panic!("{error}") };
    assert!(why.contains("refuses connections") && why.contains("; ") && why.contains("404"), "{why}");
    assert_eq!(troubles.len(), 2);
    assert_eq!(missing.asked().len(), 1, "what is not there is not asked for again at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_between_two_parts_is_not_mixed() {
    let (bytes, newer) = (noise(1, 3 * MIB), noise(2, 3 * MIB));
    let server = OriginServer::start(move |n, from| match n {
        0 => part(&bytes, from, 2 * MIB),
        _ => {
            let mut answer = whole(&newer, from);
            answer.headers_mut().insert(header::ETAG, "\"two\"".parse().unwrap());
            answer
        }
    });
    let server = server.await;
    let (log, kinds, public) = said(&noise(1, 3 * MIB), &server.url).await;
    assert!(log.contains("it changed while it was read"), "{log}");
    assert_eq!(kinds, [TroubleKind::Changed], "{public}");
}

/// A child that ends with the test.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts a server of somebody else's, and waits until its port answers.
pub(crate) async fn run(command: &mut Command, port: u16) -> Running {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let running = Running(child);
    for _ in 0..400 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return running;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{command:?} does not listen on port {port}");
}

/// A certificate for `name`, made by openssl, that holds for so many days from now.
fn certificate(dir: &Path, name: &str, days: &str) {
    std::fs::write(dir.join("extensions"), format!("subjectAltName={name}\nbasicConstraints=critical,CA:FALSE\n"))
        .unwrap();
    for arguments in [
        &format!(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -keyout key.pem -out asked.pem"
        ),
        &format!("x509 -req -in asked.pem -signkey key.pem -days {days} -extfile extensions -out cert.pem"),
    ] {
        let made = Command::new("openssl").args(arguments.split(' ')).current_dir(dir).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

/// Trust is settled once in a process, so this runs the next test in another one, for each certificate.
#[test]
fn certificates_that_do_not_hold_are_told_with_what_helps() {
    for (name, days, trusted, words) in [
        ("IP:127.0.0.1", "-1", true, "has expired, or this server's clock is wrong"),
        ("DNS:elsewhere.example", "2", true, "is for another name"),
        ("IP:127.0.0.1", "2", false, "is from an authority that this server does not know"),
        ("IP:127.0.0.1", "2", true, ""),
    ] {
        let dir = tempfile::tempdir().unwrap();
        certificate(dir.path(), name, days);
        let bundle = if trusted { dir.path().join("cert.pem") } else { other_authority(dir.path()) };
        let run = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", "trouble::https_with_the_certificate_in_the_folder"])
            .envs([("SSL_CERT_FILE", bundle.as_path()), ("SSL_CERT_DIR", "/nowhere".as_ref())])
            .env("CERTIFICATE_DIR", dir.path())
            .env("WANTED_WORDS", words)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&run.stderr));
    }
}

/// Some authority that has nothing to do with it.
fn other_authority(dir: &Path) -> std::path::PathBuf {
    let other = dir.join("other");
    std::fs::create_dir(&other).unwrap();
    certificate(&other, "DNS:other.example", "2");
    other.join("cert.pem")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs its own trust: the test above makes it"]
async fn https_with_the_certificate_in_the_folder() {
    let dir = std::path::PathBuf::from(std::env::var_os("CERTIFICATE_DIR").unwrap());
    let words = std::env::var("WANTED_WORDS").unwrap();
    let bytes = noise(1, MIB);
    std::fs::write(dir.join("image"), &bytes).unwrap();
    let port = free_port();
    let mut server = Command::new("openssl");
    server.args(["s_server", "-quiet", "-WWW", "-key", "key.pem", "-cert", "cert.pem", "-accept", &port.to_string()]);
    let _server = run(server.current_dir(&dir), port).await;
    let origin = format!("https://127.0.0.1:{port}/image");
    if words.is_empty() {
        let cache = tempfile::tempdir().unwrap();
        assert!(fetch(&impatient(cache.path(), 6000), &file(&bytes, &[&origin])).await.unwrap() == bytes);
        return;
    }
    let (log, kinds, _) = said(&bytes, &origin).await;
    assert!(log.contains(&words), "{log}");
    assert_eq!(kinds, [TroubleKind::Untrusted]);
    mirrored(&bytes, &origin).await;
}
