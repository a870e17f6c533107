//! What a restart finds: leftovers of a crash, rot, a broken index, another process.

use std::{fs, path::PathBuf};

use greenroom::{
    images::{Images, OpenError, OriginSettings, Settings},
    model::{
        Bytes, Digest,
        image::{ImageFile, Tier},
    },
    stage::Aim,
};

use super::{MIB, cache, cache_of, count, fetch, file, files, noise, origin_server::OriginServer, settings, warm};

/// A cache that was filled with one blob and closed; its origin still runs.
struct Closed {
    dir: tempfile::TempDir,
    server: OriginServer,
    file: ImageFile,
    bytes: bytes::Bytes,
}

impl Closed {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bytes = noise(1, 2 * MIB);
        let server = OriginServer::good(bytes.clone()).await;
        let file = file(&bytes, &[&server.url]);
        warm(&cache(dir.path()), &file).await.unwrap();
        Self { dir, server, file, bytes }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("images")
    }

    fn blob(&self) -> PathBuf {
        path_of(&self.folder(), &self.file.sha256)
    }

    /// How often the origin was asked.
    fn asked(&self) -> usize {
        self.server.asked().len()
    }
}

fn path_of(folder: &std::path::Path, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    folder.join("blobs").join(&name[..2]).join(name)
}

/// Changes one byte of a file in place.
fn rot(path: &std::path::Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[1000] ^= 0x20;
    fs::write(path, bytes).unwrap();
}

/// Opens, retrying while the threads of the cache before it let go of the lock.
async fn open(closed: &Closed) -> (Images, Option<String>) {
    let settings = Settings {
        dir: closed.folder(),
        ram: Bytes(64 << 20),
        disk: Bytes(64 << 20),
        aim: Aim::Hits,
        origins: OriginSettings::new(|| 4),
    };
    for _ in 0..100 {
        match Images::open(&settings) {
            Err(OpenError::InUse(_)) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            result => return result.unwrap(),
        }
    }
    panic!("the lock was never let go");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_finds_its_blobs_again() {
    let closed = Closed::new().await;
    let (images, warning) = open(&closed).await;
    assert_eq!((warning, images.status(&closed.file.sha256).tier), (None, Tier::Disk));
    assert!(fetch(&images, &closed.file).await.unwrap() == closed.bytes);
    assert_eq!((count(&images.counters().disk_hits), closed.asked()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_behind_is_swept_or_made_whole() {
    let closed = Closed::new().await;
    let torn = noise(7, MIB);
    fs::write(closed.folder().join("coming").join("deadbeef.0"), &torn).unwrap();
    // A file that was renamed, its entry in the index lost.
    let (unlisted, bytes) = (noise(5, MIB), "bytes");
    let path = path_of(&closed.folder(), &super::digest(&unlisted));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, &unlisted).unwrap();
    // What is not ours does not disturb.
    fs::write(closed.folder().join("blobs").join("README"), bytes).unwrap();
    let (images, warning) = open(&closed).await;
    assert_eq!(warning, None);
    assert_eq!(files(&closed.folder().join("coming")), Vec::<String>::new());
    assert!(
        fetch(&images, &file(&unlisted, &[])).await.unwrap() == unlisted,
        "found, verified, served without any origin"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_blob_is_fetched_anew() {
    let closed = Closed::new().await;
    fs::write(closed.blob(), &closed.bytes[..MIB]).unwrap();
    let (images, _) = open(&closed).await;
    assert!(fetch(&images, &closed.file).await.unwrap() == closed.bytes);
    assert_eq!(closed.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_truncated_under_a_running_cache_is_fetched_anew() {
    let closed = Closed::new().await;
    let images = cache_of(&closed.dir.path().join("other"), 0, 64 * MIB);
    warm(&images, &closed.file).await.unwrap();
    let path = path_of(&closed.dir.path().join("other/images"), &closed.file.sha256);
    fs::write(&path, &closed.bytes[..MIB]).unwrap();
    assert!(fetch(&images, &closed.file).await.unwrap() == closed.bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn verifying_finds_rot_and_the_next_ask_fetches_anew() {
    let closed = Closed::new().await;
    let (images, _) = open(&closed).await;
    let digest = closed.file.sha256;
    assert_eq!(images.verify(digest).await, Ok(true));
    warm(&images, &closed.file).await.unwrap();
    rot(&closed.blob());
    assert_eq!(images.verify(digest).await, Ok(false));
    assert_eq!((count(&images.counters().rot), images.status(&digest).tier), (1, Tier::Origin));
    assert!(fetch(&images, &closed.file).await.unwrap() == closed.bytes);
    warm(&images, &closed.file).await.unwrap();
    assert_eq!((images.verify(digest).await, closed.asked()), (Ok(true), 2));
    assert_eq!(images.verify(Digest::new([0; 32])).await, Ok(false), "not held");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_does_not_open_is_set_aside_and_rebuilt_with_one_warning() {
    // sled opens over some damage by itself, with or without its entries: nothing to set aside then, and the files are
    // there.
    for (damage, opens) in [("garbage", false), ("a file", false), ("zeros", false), ("no conf", true)] {
        let closed = Closed::new().await;
        drop(open(&closed).await);
        // sled's own threads may write once more on their way out.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let index = closed.folder().join("index");
        let db = index.join("db");
        match damage {
            "garbage" => {
                fs::write(&db, noise(3, 600_000)).unwrap();
                fs::write(index.join("conf"), noise(4, 100)).unwrap();
            }
            "no conf" => fs::write(index.join("conf"), "").unwrap(),
            "zeros" => fs::write(&db, vec![0; 600_000]).unwrap(),
            _ => {
                fs::remove_dir_all(&index).unwrap();
                fs::write(&index, "no folder").unwrap();
            }
        }
        let (images, warning) = open(&closed).await;
        assert!(fetch(&images, &closed.file).await.unwrap() == closed.bytes);
        assert_eq!(closed.asked(), 1, "{damage}: the file was there; it was verified, not fetched");
        let aside = fs::read_dir(closed.folder()).unwrap().flatten();
        let aside = aside.filter(|entry| entry.file_name().to_string_lossy().starts_with("index.broken-")).count();
        assert_eq!((warning.is_some(), aside), (!opens, usize::from(!opens)), "{damage}: {warning:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_of_the_index_that_flipped_costs_at_most_a_verification() {
    let closed = Closed::new().await;
    drop(open(&closed).await);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let db = closed.folder().join("index/db");
    let good = fs::read(&db).unwrap();
    let used = good.iter().rposition(|byte| *byte != 0).unwrap();
    for at in (0..=used).step_by(used / 24 + 1) {
        let mut bad = good.clone();
        bad[at] ^= 0xff;
        fs::write(&db, bad).unwrap();
        let (images, _) = open(&closed).await;
        assert!(fetch(&images, &closed.file).await.unwrap() == closed.bytes, "byte {at}");
        drop(images);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(closed.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_index_does_not_trust_what_it_finds() {
    let closed = Closed::new().await;
    rot(&closed.blob());
    fs::remove_dir_all(closed.folder().join("index")).unwrap();
    let (images, _) = open(&closed).await;
    let asks = (0..20).map(|_| fetch(&images, &closed.file));
    for got in futures_util::future::join_all(asks).await {
        assert!(got.unwrap() == closed.bytes);
    }
    assert_eq!((count(&images.counters().rot), closed.asked()), (1, 2), "hashed once, fetched once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_told_that_the_cache_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let _images = cache(dir.path());
    let told = Images::open(&settings(dir.path(), 0, 0)).err().unwrap().to_string();
    assert!(told.contains("in use by another process"), "{told}");
    assert!(!files(&dir.path().join("images")).iter().any(|name| name.contains("broken")), "the index was left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smaller_disk_tier_makes_room_at_the_start() {
    let closed = Closed::new().await;
    drop(open(&closed).await);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let images = cache_of(closed.dir.path(), 0, MIB);
    assert_eq!((images.held().1, closed.blob().exists()), (Bytes(0), false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("images"), "a file").unwrap();
    let told = Images::open(&settings(dir.path(), 0, 0)).err().unwrap().to_string();
    assert!(told.contains("images"), "{told}");
}
