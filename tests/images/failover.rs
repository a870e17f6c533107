//! Origins that fail: the next one, the same one again, or an error that says why.

use axum::http::{Response, StatusCode, header};
use greenroom::{
    images::{S3Settings, survey},
    model::{Bytes, image::Tier},
};

use super::{
    MIB, cache, count, digest, fetch, file, noise,
    origin_server::{OriginServer, chunked, part, status, whole},
    unsized_file, warm,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_next_origin_answers_for_one_that_does_not() {
    let bytes = noise(1, MIB);
    let broken = OriginServer::start(|_, _| status(StatusCode::SERVICE_UNAVAILABLE)).await;
    let good = OriginServer::good(bytes.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    // Port 9 of loopback: nobody listens. The file is not there.
    let origins = ["http://127.0.0.1:9/image", "file:/nowhere/image", &broken.url, &good.url];
    assert!(fetch(&images, &unsized_file(&bytes, &origins)).await.unwrap() == bytes);
    assert_eq!(count(&images.counters().origin_errors), 3);
}

/// Trust is settled once in a process, so this runs the next test in another one.
#[test]
fn a_server_without_ca_certificates_reads_files_and_http() {
    let test = "failover::https_without_ca_certificates_is_told_with_its_remedy";
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", test])
        .envs([("SSL_CERT_FILE", "/nowhere"), ("SSL_CERT_DIR", "/nowhere")])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&run.stderr));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an environment without CA certificates: the test above makes one"]
async fn https_without_ca_certificates_is_told_with_its_remedy() {
    let bytes = noise(1, MIB);
    let good = OriginServer::good(bytes.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    assert!(fetch(&images, &file(&bytes, &["https://127.0.0.1:9/image", &good.url])).await.unwrap() == bytes);
    let told = fetch(&images, &file(b"x", &["https://127.0.0.1:9/image"])).await.unwrap_err().to_string();
    assert!(told.contains("apt-get install ca-certificates"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_origins_fail_the_error_says_what_the_last_one_said_and_the_next_ask_tries_again() {
    let bytes = noise(1, MIB);
    let served = bytes.clone();
    let server = OriginServer::start(move |n, from| match n {
        0 => status(StatusCode::NOT_FOUND),
        _ => whole(&served, from),
    });
    let server = server.await;
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    let file = file(&bytes, &[&server.url]);
    let told = images.blob(&file).await.err().unwrap().to_string();
    assert!(told.contains("404") && told.contains(&server.url), "{told}");
    assert_eq!(server.asked().len(), 1, "what is not there is not there a second later");
    assert!(fetch(&images, &file).await.unwrap() == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_broke_off_is_resumed_where_it_broke_off() {
    let bytes = noise(1, 5 * MIB);
    let served = bytes.clone();
    let server = OriginServer::start(move |n, from| part(&served, from, [2 * MIB, 4 * MIB, 5 * MIB][n.min(2)])).await;
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    assert!(fetch(&images, &file(&bytes, &[&server.url])).await.unwrap() == bytes);
    let asked = server.asked();
    assert_eq!((asked.len(), &asked[0]), (3, &None));
    assert!(
        asked[1..].iter().all(|range| range.as_ref().is_some_and(|range| range.starts_with("bytes="))),
        "{asked:?}"
    );
    assert_eq!(count(&images.counters().origin_bytes), bytes.len() as u64, "no byte was taken twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_knows_no_ranges_is_resumed_by_passing_over_what_is_there() {
    let bytes = noise(1, 3 * MIB);
    let served = bytes.clone();
    let server = OriginServer::start(move |n, _| part(&served, None, [2 * MIB, 3 * MIB][n.min(1)])).await;
    let dir = tempfile::tempdir().unwrap();
    assert!(fetch(&cache(dir.path()), &file(&bytes, &[&server.url])).await.unwrap() == bytes);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_origin_continues_for_one_that_broke_off() {
    let bytes = noise(1, 3 * MIB);
    let served = bytes.clone();
    let dying = OriginServer::start(move |n, from| match n {
        0 => part(&served, from, 2 * MIB),
        _ => status(StatusCode::BAD_GATEWAY),
    });
    let (dying, good) = (dying.await, OriginServer::good(bytes.clone()).await);
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    assert!(fetch(&images, &file(&bytes, &[&dying.url, &good.url])).await.unwrap() == bytes);
    assert!(good.asked()[0].is_some(), "only the rest was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_sends_another_range_than_asked_for_is_not_believed() {
    let bytes = noise(1, 3 * MIB);
    let served = bytes.clone();
    let confused = OriginServer::start(move |n, from| match n {
        0 => part(&served, from, 2 * MIB),
        _ => {
            let mut answer = whole(&served, from);
            answer.headers_mut().insert(header::CONTENT_RANGE, format!("bytes 0-9/{}", served.len()).parse().unwrap());
            answer
        }
    });
    let (confused, good) = (confused.await, OriginServer::good(bytes.clone()).await);
    let dir = tempfile::tempdir().unwrap();
    assert!(fetch(&cache(dir.path()), &file(&bytes, &[&confused.url, &good.url])).await.unwrap() == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_changed_while_it_was_read_is_not_resumed() {
    let (bytes, newer) = (noise(1, 3 * MIB), noise(2, 3 * MIB));
    let (served, changed) = (bytes.clone(), newer.clone());
    let server = OriginServer::start(move |n, from| match n {
        0 => part(&served, from, 2 * MIB),
        _ => {
            let mut answer = whole(&changed, from);
            answer.headers_mut().insert(header::ETAG, "\"two\"".parse().unwrap());
            answer
        }
    });
    let (server, good) = (server.await, OriginServer::good(bytes.clone()).await);
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    assert!(fetch(&images, &file(&bytes, &[&server.url, &good.url])).await.unwrap() == bytes);
    let told = fetch(&cache(&dir.path().join("other")), &file(&bytes, &[&server.url])).await.unwrap_err().to_string();
    assert!(told.contains("gave other bytes"), "asked anew, it gives the newer version: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_mirror_is_passed_over_by_the_next_ask() {
    let (bytes, stale) = (noise(1, 2 * MIB), noise(2, 2 * MIB));
    let (mirror, good) = (OriginServer::good(stale).await, OriginServer::good(bytes.clone()).await);
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    let file = file(&bytes, &[&mirror.url, &good.url]);
    assert!(fetch(&images, &file).await.is_err(), "bytes that were streamed cannot be taken back");
    assert!(fetch(&images, &file).await.unwrap() == bytes);
    assert_eq!((mirror.asked().len(), good.asked().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn warming_passes_over_a_stale_mirror_by_itself() {
    let (bytes, stale) = (noise(1, 2 * MIB), noise(2, 2 * MIB));
    let (mirror, good) = (OriginServer::good(stale).await, OriginServer::good(bytes.clone()).await);
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    let file = file(&bytes, &[&mirror.url, &good.url]);
    warm(&images, &file).await.unwrap();
    assert_eq!(images.status(&file.sha256).tier, Tier::Ram);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_without_origins_is_an_error_not_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    for nowhere in [
        file(b"x", &[]),
        unsized_file(b"x", &[]),
        greenroom::model::image::ImageFile { size: Some(Bytes(0)), ..file(b"x", &[]) },
    ] {
        let told = fetch(&images, &nowhere).await.unwrap_err().to_string();
        assert!(told.contains("names no origin"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_origins_and_pipes_and_folders_are_not() {
    let bytes = noise(1, 2 * MIB);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image");
    std::fs::write(&path, &bytes).unwrap();
    let pipe = dir.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let images = cache(dir.path());
    for wrong in [dir.path(), &pipe, "/dev/zero".as_ref()] {
        let told =
            fetch(&images, &file(&bytes, &[&format!("file:{}", wrong.display())])).await.unwrap_err().to_string();
        assert!(told.contains("not a regular file"), "{told}");
    }
    let good = file(&bytes, &[&format!("file:{}", path.display())]);
    assert!(fetch(&images, &good).await.unwrap() == bytes);
    std::fs::remove_file(&path).unwrap();
    warm(&images, &good).await.unwrap();
    assert!(fetch(&images, &good).await.unwrap() == bytes, "the cache has its own copy");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survey_gives_what_the_manifest_needs() {
    let bytes = noise(1, 2 * MIB);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("image"), &bytes).unwrap();
    let server = OriginServer::good(bytes.clone()).await;
    for origin in [format!("file:{}", dir.path().join("image").display()), server.url.clone()] {
        let mut last = (0, None);
        let found = survey(&S3Settings::default(), &origin.parse().unwrap(), |read, of| last = (read, of)).await;
        assert_eq!(found, Ok((digest(&bytes), Bytes(bytes.len() as u64))));
        assert_eq!(last, (bytes.len() as u64, Some(bytes.len() as u64)));
    }
    let served = bytes.clone();
    let broken = OriginServer::start(move |_, from| part(&served, from, MIB)).await;
    assert!(
        survey(&S3Settings::default(), &broken.url.parse().unwrap(), |_, _| ())
            .await
            .unwrap_err()
            .contains(&broken.url)
    );
    let endless = OriginServer::start(move |_, _| chunked(&bytes)).await;
    assert!(survey(&S3Settings::default(), &endless.url.parse().unwrap(), |_, of| assert_eq!(of, None)).await.is_ok());
    let gone = OriginServer::start(|_, _| Response::builder().status(StatusCode::GONE).body("".into()).unwrap()).await;
    assert!(survey(&S3Settings::default(), &gone.url.parse().unwrap(), |_, _| ()).await.unwrap_err().contains("410"));
}
