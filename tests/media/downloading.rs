//! URLs: downloaded once, gone on with after an interruption, and in the cache in the end.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use super::stage::{Stage, noise, sha256};

/// A web server on loopback. `tag` is its entity tag; it closes a connection after `cut` bytes of a body.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    about: Arc<Mutex<About>>,
}

#[derive(Clone)]
struct About {
    bytes: Arc<Vec<u8>>,
    tag: Option<&'static str>,
    cut: Option<usize>,
    /// Whether what was cut off stays open and silent instead.
    hangs: bool,
}

impl Server {
    fn start(bytes: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/linux", listener.local_addr().unwrap());
        let about =
            Arc::new(Mutex::new(About { bytes: Arc::new(bytes), tag: Some("\"one\""), cut: None, hangs: false }));
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (state, log) = (about.clone(), asked.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, log) = (state.clone(), log.clone());
                thread::spawn(move || drop(answer(stream, &state, &log)));
            }
        });
        Self { url, asked, about }
    }

    fn change(&self, how: impl FnOnce(&mut About)) {
        how(&mut self.about.lock().unwrap());
    }

    /// The ranges that were asked for since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<About>, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut request = vec![];
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).to_lowercase();
    let range = request.lines().find_map(|line| line.strip_prefix("range: bytes=")).unwrap_or("0-").to_owned();
    let from: usize = range.trim_end_matches('-').parse().unwrap();
    let About { bytes, tag, cut, hangs } = state.lock().unwrap().clone();
    log.lock().unwrap().push(range);
    let tag = tag.map(|tag| format!("etag: {tag}\r\n")).unwrap_or_default();
    let (status, range) = match from {
        0 => ("200 OK", String::new()),
        _ => ("206 Partial Content", format!("content-range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len())),
    };
    let len = bytes.len() - from;
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {len}\r\n{range}{tag}connection: close\r\n\r\n")?;
    let end = cut.map_or(bytes.len(), |cut| (from + cut).min(bytes.len()));
    stream.write_all(&bytes[from..end])?;
    if hangs && end < bytes.len() {
        thread::sleep(Duration::from_secs(120));
    }
    Ok(())
}

/// The names in a folder of the state directory.
fn names(stage: &Stage, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(stage.path(folder)).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn what_is_downloaded_once_is_in_the_cache_and_is_not_asked_for_again() {
    let stage = Stage::with_state();
    let bytes = noise(1, 3_000_000);
    let server = Server::start(bytes.clone());
    let image = stage.added(&["x", "--kernel", &server.url]);
    let digest = sha256(&bytes);
    assert_eq!(image["files"]["kernel"]["sha256"], digest);
    assert_eq!(image["files"]["kernel"]["origins"][0], server.url);
    assert_eq!(server.asked(), ["0-"]);
    assert_eq!(names(&stage, "state/downloads"), Vec::<String>::new());
    // No daemon ran: the cache was opened here. The next daemon finds it there.
    let settings = greenroom::images::Settings {
        dir: greenroom::images::folder(&stage.path("state")),
        ram: greenroom::model::Bytes(1 << 20),
        disk: greenroom::model::Bytes(1 << 30),
        aim: greenroom::stage::Aim::Hits,
        origins: greenroom::images::OriginSettings::new(|| 4),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    let (images, _) = greenroom::images::Images::open(&settings).unwrap();
    assert_eq!(images.status(&digest.parse().unwrap()).len.unwrap().0, bytes.len() as u64);
}

#[test]
fn a_connection_that_breaks_is_gone_on_with() {
    let stage = Stage::with_state();
    let bytes = noise(2, 5_000_000);
    let server = Server::start(bytes.clone());
    server.change(|about| about.cut = Some(2_000_000));
    let image = stage.added(&["x", "--kernel", &server.url]);
    assert_eq!(image["files"]["kernel"]["sha256"], sha256(&bytes));
    assert_eq!(server.asked(), ["0-", "2000000-", "4000000-"]);
}

#[test]
fn a_command_that_was_killed_goes_on_where_it_was_and_begins_anew_when_the_file_is_another() {
    let stage = Stage::with_state();
    let bytes = noise(3, 4_000_000);
    let server = Server::start(bytes.clone());
    for (tag, resumed) in [(Some("\"one\""), true), (Some("\"two\""), false), (None, false)] {
        server.change(|about| (about.tag, about.cut, about.hangs) = (Some("\"one\""), Some(1_500_000), true));
        let mut child = stage.adding(&["x", "--kernel", &server.url]);
        let until = Instant::now() + Duration::from_secs(60);
        let arrived = |stage: &Stage| {
            let folder = stage.path("state/downloads");
            let parts = names(stage, "state/downloads").into_iter().filter(|name| name.ends_with(".part"));
            parts.map(|name| fs::metadata(folder.join(name)).unwrap().len()).sum::<u64>() == 1_500_000
        };
        while !arrived(&stage) {
            assert!(Instant::now() < until, "the beginning has not arrived");
            thread::sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!stage.path("library/images/x.yaml").exists(), "nothing is written before all is good");
        server.asked();
        server.change(|about| (about.tag, about.cut, about.hangs) = (tag, None, false));
        let said = stage.add(&["x", "--kernel", &server.url]);
        assert_eq!(said.code, Some(0), "{}", said.all);
        let wanted: &[&str] = if resumed { &["1500000-"] } else { &["1500000-", "0-"] };
        assert_eq!(server.asked(), wanted, "{tag:?}");
        assert_eq!(said.all.contains("1.4 MiB of it were there"), resumed, "{}", said.all);
        let manifest = fs::read_to_string(stage.path("library/images/x.yaml")).unwrap();
        assert!(manifest.contains(&sha256(&bytes)), "{manifest}");
        fs::remove_file(stage.path("library/images/x.yaml")).unwrap();
    }
}

#[test]
fn a_wrong_digest_leaves_nothing_to_go_on_from_and_a_dead_server_does() {
    let stage = Stage::with_state();
    let bytes = noise(4, 2_500_000);
    let server = Server::start(bytes.clone());
    stage.write("", &[("SHA256SUMS", format!("{}  linux\n", sha256(b"other")).as_bytes())]);
    let said = stage.refused(&["x", "--kernel", &server.url, "--checksums", "SHA256SUMS"]);
    assert!(said.contains("is not what the list says"), "{said}");
    assert_eq!(names(&stage, "state/downloads"), Vec::<String>::new());
    // It gives a little and breaks off, again and again.
    server.change(|about| about.cut = Some(100));
    let said = stage.refused(&["x", "--kernel", &server.url]);
    assert!(said.contains("the same command goes on from there"), "{said}");
    assert_eq!(names(&stage, "state/downloads").len(), 2);
    server.change(|about| about.cut = None);
    server.asked();
    stage.added(&["x", "--kernel", &server.url]);
    assert_eq!(server.asked(), ["500-"]);
}

#[test]
fn programs_hear_how_far_it_is_and_people_get_no_bars_in_their_logs() {
    let stage = Stage::new();
    stage.write("", &[("linux", b"a kernel")]);
    let said = stage.add(&["x", "--kernel", "linux", "--json"]);
    let lines: Vec<serde_json::Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&lines[0]["progress"], &lines[0]["role"], &lines[0]["size"]),
        (&"finished".into(), &"kernel".into(), &8.into())
    );
    assert_eq!((lines.len(), &lines[1]["name"]), (2, &"x".into()));
    let said = stage.add(&["y", "--kernel", "linux"]);
    assert!(said.all.starts_with("kernel") && said.all.contains("8 B") && !said.all.contains('\u{1b}'), "{}", said.all);
}
