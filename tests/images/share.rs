//! Images that share chunks: what they cost together, and that each stays right whatever becomes of the other.

use std::{
    fs::{self, File},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    time::Duration,
};

use greenroom::{
    images::{BlobError, Images, OpenError},
    model::{
        Bytes, Digest,
        image::{ImageFile, Tier},
    },
};
use rustix::fs::{Advice, fadvise};

use super::{MIB, count, fetch, file, noise, origin_server::OriginServer, settings, warm};

/// An image and its next version: 2 MiB changed, and bytes inserted in the middle.
pub(crate) fn versions(mib: usize) -> (bytes::Bytes, bytes::Bytes) {
    let one = noise(1, mib * MIB);
    let mut two = one.to_vec();
    two[5 * MIB..7 * MIB].copy_from_slice(&noise(2, 2 * MIB));
    two.splice(mib * MIB / 2..mib * MIB / 2, *b"inserted in the middle");
    (one, two.into())
}

pub(crate) fn path_of(dir: &Path, digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    dir.join("images/blobs").join(&name[..2]).join(name)
}

/// What the files under a folder take on the disk, in bytes.
pub(crate) fn on_disk(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { on_disk(&path) } else { path.metadata().unwrap().blocks() * 512 }).sum()
}

/// Opens without RAM, retrying while the threads of the cache before it let go of the lock.
pub(crate) async fn open(dir: &Path, disk: usize) -> (Images, Option<String>) {
    let settings = settings(dir, 0, disk);
    for _ in 0..200 {
        match Images::open(&settings) {
            Err(OpenError::InUse(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            result => return result.unwrap(),
        }
    }
    panic!("the lock was never let go");
}

/// Waits until what can be shared is.
pub(crate) async fn shared(images: &Images) {
    for _ in 0..200 {
        if images.dedup().await.unwrap() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("somebody reads for ever");
}

/// Has the kernel forget what it read of a file, so that the next read comes from the disk: long enough ago that nobody takes
/// it to be in memory still.
fn chill(path: &Path) {
    let file = File::open(path).unwrap();
    file.sync_all().unwrap();
    fadvise(&file, 0, None, Advice::DontNeed).unwrap();
    std::thread::sleep(Duration::from_millis(250));
}

/// Changes one bit of a file on the disk.
fn rot(path: &Path, at: u64) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 4], at).unwrap();
    drop(file);
    chill(path);
}

/// A cache that holds two versions of an image; the first lends, the second borrows.
struct Two {
    dir: tempfile::TempDir,
    one: (ImageFile, bytes::Bytes),
    two: (ImageFile, bytes::Bytes),
    servers: [OriginServer; 2],
}

impl Two {
    async fn new(mib: usize) -> (Self, Images) {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = versions(mib);
        let servers = [OriginServer::good(one.clone()).await, OriginServer::good(two.clone()).await];
        let files = [file(&one, &[&servers[0].url]), file(&two, &[&servers[1].url])];
        let [first, second] = files;
        let (images, _) = open(dir.path(), 1022 * MIB).await;
        warm(&images, &first).await.unwrap();
        shared(&images).await;
        warm(&images, &second).await.unwrap();
        shared(&images).await;
        (Self { dir, one: (first, one), two: (second, two), servers }, images)
    }

    fn path(&self, file: &ImageFile) -> PathBuf {
        path_of(self.dir.path(), &file.sha256)
    }

    /// The requests for a part of each image.
    fn parts(&self) -> Vec<String> {
        self.servers.iter().flat_map(OriginServer::asked).flatten().collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_version_of_an_image_costs_what_changed() {
    let (two, images) = Two::new(64).await;
    let blobs = two.dir.path().join("images/blobs");
    let cost = on_disk(&blobs);
    assert!(cost < 70 * MIB as u64, "{} KiB for both", cost >> 10);
    assert!(images.held().1 < Bytes(70 * MIB as u64));
    let usage = images.usage(&[&two.one.0, &two.two.0]);
    assert_eq!((usage.logical, usage.disk), (Bytes((two.one.1.len() + two.two.1.len()) as u64), images.held().1));
    assert_eq!(usage.unique, usage.disk, "all of it would come free");
    let second = images.usage(&[&two.two.0]);
    assert!(second.unique < Bytes(6 * MIB as u64) && second.disk == Bytes(two.two.1.len() as u64), "{second:?}");
    drop(images);
    let (images, warning) = open(two.dir.path(), 1022 * MIB).await;
    assert_eq!((warning, on_disk(&blobs)), (None, cost));
    for (file, bytes) in [&two.one, &two.two] {
        assert!(fetch(&images, file).await.unwrap() == *bytes);
        assert_eq!(images.verify(file.sha256).await, Ok(true));
    }
    assert_eq!((two.servers[0].asked().len(), two.servers[1].asked().len()), (1, 1));
    assert_eq!(count(&images.counters().rot), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_version_is_evicted_the_other_stays_right() {
    for evicted in [0, 1] {
        let (two, images) = Two::new(16).await;
        let all = [&two.one, &two.two];
        let (gone, stays) = (all[evicted], all[1 - evicted]);
        drop(images);
        // So small that one has to go when a third comes: the one that was asked for less.
        let (images, _) = open(two.dir.path(), 22 * MIB).await;
        for _ in 0..3 {
            assert!(fetch(&images, &stays.0).await.unwrap() == stays.1);
        }
        let third = noise(3, 5 * MIB);
        let server = OriginServer::good(third.clone()).await;
        let third = (file(&third, &[&server.url]), third);
        warm(&images, &third.0).await.unwrap();
        assert_eq!(images.status(&gone.0.sha256).tier, Tier::Origin);
        assert_eq!(images.status(&stays.0.sha256).tier, Tier::Disk);
        whole(&two, &images, stays).await;
        drop(images);
        let (images, warning) = open(two.dir.path(), 22 * MIB).await;
        assert_eq!(warning, None);
        whole(&two, &images, stays).await;
    }
}

/// Checks that a blob reads right, and that the tier takes what it says and no more than it may.
async fn whole(two: &Two, images: &Images, stays: &(ImageFile, bytes::Bytes)) {
    shared(images).await;
    assert!(fetch(images, &stays.0).await.unwrap() == stays.1);
    let (held, real) = (images.held().1.0, on_disk(&two.dir.path().join("images/blobs")));
    assert!(held <= 22 * MIB as u64 && real < held + MIB as u64, "{held} held, {real} on the disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evicted_lender_comes_back_and_is_one_file_again() {
    let (two, images) = Two::new(16).await;
    drop(images);
    let (images, _) = open(two.dir.path(), 22 * MIB).await;
    assert!(fetch(&images, &two.two.0).await.unwrap() == two.two.1);
    let third = noise(3, 5 * MIB);
    let server = OriginServer::good(third.clone()).await;
    warm(&images, &file(&third, &[&server.url])).await.unwrap();
    assert_eq!(images.status(&two.one.0.sha256).tier, Tier::Origin);
    drop(images);
    let (images, _) = open(two.dir.path(), 1022 * MIB).await;
    let reader = images.blob(&two.two.0).await.unwrap();
    warm(&images, &two.one.0).await.unwrap();
    assert!(super::read(reader).await.0 == two.two.1, "it was open while its lender came back");
    shared(&images).await;
    assert!(fetch(&images, &two.one.0).await.unwrap() == two.one.1);
    assert!(fetch(&images, &two.two.0).await.unwrap() == two.two.1);
    assert!(fs::read(two.path(&two.one.0)).unwrap() == two.one.1, "a plain file that hashes to its name");
}

#[tokio::test(flavor = "multi_thread")]
async fn rot_is_mended_from_the_origin_while_a_client_reads() {
    let (two, images) = Two::new(16).await;
    // A chunk of its own, and one that the first lends; each is read by the second.
    for (path, at) in [(two.path(&two.two.0), 6 * MIB), (two.path(&two.one.0), 2 * MIB)] {
        chill(&path);
        let before = two.parts().len();
        rot(&path, at as u64);
        let asks = (0..8).map(|_| fetch(&images, &two.two.0));
        for got in futures_util::future::join_all(asks).await {
            assert!(got.unwrap() == two.two.1, "not a wrong byte, and no end before the end");
        }
        let parts = two.parts();
        assert_eq!(parts.len(), before + 1, "{parts:?}");
        let (first, last) = parts[parts.len() - 1].trim_start_matches("bytes=").split_once('-').unwrap();
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        assert!((first..=last).contains(&at) && last - first < 512 << 10, "that chunk only: {first}-{last}");
        chill(&path);
        assert!(fetch(&images, &two.two.0).await.unwrap() == two.two.1, "it was written in place");
        assert_eq!(two.parts().len(), before + 1);
    }
    assert_eq!((count(&images.counters().rot), count(&images.counters().repaired)), (2, 2));
    assert!(fetch(&images, &two.one.0).await.unwrap() == two.one.1, "the lender is mended as well");
    assert_eq!(images.verify(two.one.0.sha256).await, Ok(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn rot_that_no_origin_mends_is_an_error_and_never_a_wrong_byte() {
    let (two, images) = Two::new(8).await;
    let orphan = file(&two.two.1, &[]);
    rot(&two.path(&two.one.0), 2 * MIB as u64);
    let (got, ended) = super::read(images.blob(&orphan).await.unwrap()).await;
    assert!(matches!(ended, Err(BlobError::Origin { .. })), "{ended:?}");
    assert!(got.len() <= 2 * MIB && two.two.1.starts_with(&got));
    // An origin that has other bytes is none.
    let wrong = OriginServer::good(noise(9, two.two.1.len())).await;
    rot(&two.path(&two.one.0), 1);
    let (_, ended) = super::read(images.blob(&file(&two.one.1, &[&wrong.url])).await.unwrap()).await;
    assert!(ended.is_err());
    // With an origin that has it, the next ask gets it whole.
    assert!(fetch(&images, &two.two.0).await.unwrap() == two.two.1);
    assert!(fetch(&images, &two.one.0).await.unwrap() == two.one.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_hashes_what_it_reads_and_scrubbing_finds_what_nobody_reads() {
    let (two, images) = Two::new(8).await;
    drop(images);
    rot(&two.path(&two.one.0), 3 * MIB as u64);
    let (images, _) = open(two.dir.path(), 1022 * MIB).await;
    assert_eq!(images.scrub(&two.one.0).await, Ok(1));
    assert_eq!(images.scrub(&two.one.0).await, Ok(0));
    assert_eq!(images.scrub(&two.two.0).await, Ok(0), "what it borrows was mended");
    assert!(fs::read(two.path(&two.one.0)).unwrap() == two.one.1);
    drop(images);
    // Not on the disk, but under the kernel's cache: a start trusts neither.
    let path = two.path(&two.two.0);
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(b"wrong", 6 * MIB as u64).unwrap();
    let (images, _) = open(two.dir.path(), 1022 * MIB).await;
    assert!(fetch(&images, &two.two.0).await.unwrap() == two.two.1);
    assert_eq!(count(&images.counters().repaired), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_index_whole_files_come_back_and_holed_ones_are_dropped_and_said() {
    let (two, images) = Two::new(8).await;
    drop(images);
    // sled's own threads may write once more on their way out.
    tokio::time::sleep(Duration::from_millis(300)).await;
    fs::remove_dir_all(two.dir.path().join("images/index")).unwrap();
    let (images, warning) = open(two.dir.path(), 1022 * MIB).await;
    let warning = warning.unwrap();
    assert!(warning.contains("1 of its files"), "{warning}");
    let tiers = [&two.one, &two.two].map(|(file, _)| images.status(&file.sha256).tier);
    assert_eq!(tiers, [Tier::Disk, Tier::Origin]);
    assert!(fetch(&images, &file(&two.one.1, &[])).await.unwrap() == two.one.1, "no origin is needed");
    warm(&images, &two.two.0).await.unwrap();
    shared(&images).await;
    assert!(on_disk(&two.dir.path().join("images/blobs")) < 13 * MIB as u64, "they share again");
    assert!(fetch(&images, &two.two.0).await.unwrap() == two.two.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_repeats_within_an_image_lies_on_the_disk_once() {
    let dir = tempfile::tempdir().unwrap();
    let (images, _) = open(dir.path(), 1022 * MIB).await;
    let mut bytes = vec![0; 24 * MIB];
    bytes[8 * MIB..16 * MIB].copy_from_slice(&noise(1, 8 * MIB));
    let server = OriginServer::good(bytes.clone().into()).await;
    let file = file(&bytes, &[&server.url]);
    warm(&images, &file).await.unwrap();
    shared(&images).await;
    assert!(on_disk(&dir.path().join("images/blobs")) < 10 * MIB as u64);
    assert!(fetch(&images, &file).await.unwrap() == bytes);
    drop(images);
    let (images, _) = open(dir.path(), 1022 * MIB).await;
    assert!(fetch(&images, &file).await.unwrap() == bytes);
}
