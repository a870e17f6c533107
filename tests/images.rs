//! The image cache against origins that misbehave: a real web server on loopback, real files.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests say what they mean by panicking")]

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::{StreamExt, stream};
use greenroom::{
    images::{BlobError, Images, Settings},
    model::{
        self, Digest,
        image::{ImageFile, Origin, Tier},
    },
};
use sha2::{Digest as _, Sha256};

const LENGTH: usize = 3 << 20;

fn bytes() -> Bytes {
    (0..LENGTH as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect::<Vec<u8>>().into()
}

fn digest() -> Digest {
    Digest::new(Sha256::digest(bytes()).into())
}

/// How the server treats its clients.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Good,
    /// Sends a chunk every few milliseconds.
    Slow,
    /// Other bytes of the same length.
    Lies,
    /// Breaks off in the middle, the first two times; then serves the rest by ranges.
    BreaksOff,
    /// Nothing there.
    NotFound,
    /// One byte too few, and says so.
    Short,
}

struct Server {
    manner: Manner,
    asked: AtomicU32,
}

async fn serve(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response {
    let turn = server.asked.fetch_add(1, Ordering::Relaxed);
    let whole = bytes();
    let from = headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let chunks = |bytes: Bytes, pause: u64, until: usize| {
        let parts: Vec<Bytes> = bytes[..until].chunks(64 << 10).map(Bytes::copy_from_slice).collect();
        let parts = stream::iter(parts).then(move |part| async move {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            Ok::<_, std::io::Error>(part)
        });
        let end = stream::iter((until < bytes.len()).then(|| Err(std::io::Error::other("the cable was pulled"))));
        Body::from_stream(parts.chain(end))
    };
    match server.manner {
        Manner::Good => whole.into_response(),
        Manner::Slow => ([(header::CONTENT_LENGTH, LENGTH)], chunks(whole, 5, LENGTH)).into_response(),
        Manner::Lies => Bytes::from(vec![7; LENGTH]).into_response(),
        Manner::NotFound => StatusCode::NOT_FOUND.into_response(),
        Manner::Short => whole.slice(1..).into_response(),
        Manner::BreaksOff => {
            let from = from.unwrap_or(0);
            let rest = whole.slice(from..);
            let until = if turn < 2 { rest.len() / 2 } else { rest.len() };
            let length = [(header::CONTENT_LENGTH, rest.len())];
            let status = if from > 0 { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
            (status, length, chunks(rest, 0, until)).into_response()
        }
    }
}

async fn server(manner: Manner) -> (Arc<Server>, Origin) {
    let server = Arc::new(Server { manner, asked: AtomicU32::new(0) });
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let url = format!("http://{}/blob", listener.local_addr().unwrap());
    let router = Router::new().route("/blob", get(serve)).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (server, url.parse().unwrap())
}

fn file(origins: &[&Origin]) -> ImageFile {
    ImageFile {
        sha256: digest(),
        size: None,
        origins: origins.iter().map(|origin| (*origin).clone()).collect(),
        name: None,
    }
}

fn open(dir: &Path, ram: u64, disk: u64) -> (Images, Option<String>) {
    Images::open(&Settings { dir: dir.to_owned(), ram: model::Bytes(ram), disk: model::Bytes(disk) }).unwrap()
}

/// Reads a blob to its end; what came, and how it ended.
async fn read(images: &Images, file: &ImageFile) -> (Vec<u8>, Result<Tier, BlobError>) {
    let blob = match images.blob(file).await {
        Ok(blob) => blob,
        Err(error) => return (vec![], Err(error)),
    };
    let (tier, len) = (blob.tier, blob.len);
    let mut stream = blob.stream(0..len);
    let mut got = vec![];
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => got.extend_from_slice(&chunk),
            Err(error) => return (got, Err(error)),
        }
    }
    (got, Ok(tier))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_machines_cause_one_read_and_all_stream_while_it_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let (images, _) = open(folder.path(), 64 << 20, 1 << 30);
    let (server, origin) = server(Manner::Slow).await;
    let file = file(&[&origin]);
    let readers: Vec<_> = (0..100)
        .map(|_| {
            let (images, file) = (images.clone(), file.clone());
            tokio::spawn(async move {
                let blob = images.blob(&file).await.unwrap();
                let len = blob.len;
                let mut stream = blob.stream(0..len);
                let first = stream.next().await.unwrap().unwrap();
                let arrived = images.status(&file.sha256).filling;
                let mut got = first.to_vec();
                while let Some(chunk) = stream.next().await {
                    got.extend_from_slice(&chunk.unwrap());
                }
                (got == bytes(), arrived.is_some())
            })
        })
        .collect();
    let mut early = 0;
    for reader in readers {
        let (right, while_arriving) = reader.await.unwrap();
        assert!(right, "every reader gets exactly these bytes");
        early += u32::from(while_arriving);
    }
    assert_eq!(server.asked.load(Ordering::Relaxed), 1, "one origin read");
    assert!(early > 90, "they stream while it arrives, not after: {early}");
}

#[tokio::test]
async fn a_wrong_digest_is_never_served_to_its_end_and_never_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (images, _) = open(folder.path(), 64 << 20, 1 << 30);
    let (_, liar) = server(Manner::Lies).await;
    let (got, ended) = read(&images, &file(&[&liar])).await;
    assert!(matches!(ended, Err(BlobError::WrongDigest { .. })), "{ended:?}");
    assert!(got.len() < LENGTH, "the last bytes were held back: {}", got.len());
    assert_eq!(images.status(&digest()).tier, Tier::Origin);
    assert_eq!(fs::read_dir(folder.path().join("coming")).unwrap().count(), 0, "nothing is left behind");
}

#[tokio::test]
async fn a_broken_transfer_goes_on_where_it_broke_off_and_a_dead_origin_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let (images, _) = open(folder.path(), 64 << 20, 1 << 30);
    let (_, missing) = server(Manner::NotFound).await;
    let (breaking, origin) = server(Manner::BreaksOff).await;
    let (got, ended) = read(&images, &file(&[&missing, &origin])).await;
    assert_eq!((ended, got == bytes()), (Ok(Tier::Origin), true));
    assert_eq!(breaking.asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn no_origin_or_a_wrong_length_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let (images, _) = open(folder.path(), 64 << 20, 1 << 30);
    let (_, missing) = server(Manner::NotFound).await;
    let error = read(&images, &file(&[&missing])).await.1.unwrap_err().to_string();
    assert!(error.contains("404") && error.contains(&missing.to_string()), "{error}");
    let (_, short) = server(Manner::Short).await;
    let sized = ImageFile { size: Some(model::Bytes(LENGTH as u64)), ..file(&[&short]) };
    let error = read(&images, &sized).await.1.unwrap_err().to_string();
    assert!(error.contains(&(LENGTH - 1).to_string()), "{error}");
    let nowhere: Origin = "file:/no/such/file".parse().unwrap();
    let error = read(&images, &file(&[&nowhere])).await.1.unwrap_err().to_string();
    assert!(error.contains("/no/such/file"), "{error}");
}

#[tokio::test]
async fn a_blob_climbs_to_disk_and_to_ram_and_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let (server, origin) = server(Manner::Good).await;
    let file = file(&[&origin]);
    {
        let (images, _) = open(folder.path(), 64 << 20, 1 << 30);
        assert_eq!(read(&images, &file).await.1, Ok(Tier::Origin));
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if images.status(&digest()).tier == Tier::Ram {
                break;
            }
        }
        assert_eq!(read(&images, &file).await.1, Ok(Tier::Ram));
    }
    let (images, warning) = open(folder.path(), 16 << 20, 1 << 30);
    assert_eq!(warning, None);
    let (got, tier) = read(&images, &file).await;
    assert_eq!((tier, got == bytes()), (Ok(Tier::Disk), true));
    let range: Vec<u8> = {
        let blob = images.blob(&file).await.unwrap();
        let chunks = blob.stream(1_000_000..2_000_001).map(Result::unwrap).collect::<Vec<_>>().await;
        chunks.concat()
    };
    assert_eq!(range, bytes()[1_000_000..2_000_001]);
    assert_eq!(server.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn rot_on_disk_is_found_dropped_and_fetched_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (server, origin) = server(Manner::Good).await;
    let (images, _) = open(folder.path(), 1, 1 << 30);
    let file = file(&[&origin]);
    read(&images, &file).await.1.unwrap();
    let name = digest().to_string();
    let path = folder.path().join("blobs").join(&name[..2]).join(&name);
    let mut rotten = fs::read(&path).unwrap();
    rotten[LENGTH / 2] ^= 1;
    fs::write(&path, rotten).unwrap();
    assert_eq!(images.verify(digest()).await, Ok(false));
    let (got, tier) = read(&images, &file).await;
    assert_eq!((tier, got == bytes()), (Ok(Tier::Origin), true));
    assert_eq!(images.verify(digest()).await, Ok(true));
    assert_eq!((server.asked.load(Ordering::Relaxed), images.counters().rot.load(Ordering::Relaxed)), (2, 1));
}

#[tokio::test]
async fn an_index_that_does_not_open_is_set_aside_and_rebuilt_from_the_files_that_verify() {
    let folder = tempfile::tempdir().unwrap();
    let (server, origin) = server(Manner::Good).await;
    let file = file(&[&origin]);
    {
        let (images, _) = open(folder.path(), 1, 1 << 30);
        read(&images, &file).await.1.unwrap();
    }
    let index = folder.path().join("index");
    fs::remove_dir_all(&index).unwrap();
    fs::write(&index, b"not a folder").unwrap();
    let (images, warning) = open(folder.path(), 1, 1 << 30);
    assert!(warning.unwrap().contains("index.broken-"));
    let (got, tier) = read(&images, &file).await;
    assert_eq!((tier, got == bytes()), (Ok(Tier::Disk), true));
    assert_eq!(server.asked.load(Ordering::Relaxed), 1, "no byte was fetched again");
}

#[tokio::test]
async fn the_disk_tier_keeps_within_its_room_and_a_reader_keeps_what_it_reads() {
    let folder = tempfile::tempdir().unwrap();
    let (images, _) = open(folder.path(), 1, LENGTH as u64 + 10);
    let (_, origin) = server(Manner::Good).await;
    let first = file(&[&origin]);
    read(&images, &first).await.1.unwrap();
    let blob = images.blob(&first).await.unwrap();
    let mut reading = blob.stream(0..LENGTH as u64);
    let begun = reading.next().await.unwrap().unwrap();

    let other = vec![9u8; 1 << 20];
    let path = folder.path().join("other");
    fs::write(&path, &other).unwrap();
    let second = ImageFile {
        sha256: Digest::new(Sha256::digest(&other).into()),
        size: None,
        origins: vec![format!("file:{}", path.display()).parse().unwrap()],
        name: None,
    };
    read(&images, &second).await.1.unwrap();
    assert_eq!(images.status(&digest()).tier, Tier::Origin, "the older one made room");
    let rest = reading.map(Result::unwrap).collect::<Vec<_>>().await.concat();
    assert_eq!([&begun[..], &rest].concat(), bytes(), "and its reader did not notice");
}
