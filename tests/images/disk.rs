//! A disk that is full, read-only or filled by somebody else meanwhile: it costs speed, never a boot. Needs root, to mount.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use axum::body::Body;
use futures_util::{StreamExt, stream};
use greenroom::{
    images::{Images, OpenError},
    model::{
        image::Tier,
        trouble::{self, TroubleKind},
    },
};

use super::{MIB, count, fetch, file, noise, origin_server::OriginServer, read, settings, warm};

/// A small file system in memory, as the cache's folder; gone with it.
struct SmallDisk {
    dir: tempfile::TempDir,
}

impl SmallDisk {
    fn new(mib: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("images")).unwrap();
        let disk = Self { dir };
        disk.mount(&["-t", "tmpfs", "-o", &format!("size={mib}m"), "greenroom-test"]);
        disk
    }

    /// The same as a real file system, which goes read-only by itself when its disk fails: so it can be made to.
    fn that_can_fail(mib: u64) -> Self {
        let disk = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(disk.folder()).unwrap();
        let image = disk.dir.path().join("ext4");
        fs::File::create(&image).unwrap().set_len(mib << 20).unwrap();
        let made = Command::new("mkfs.ext4").arg("-q").arg(&image).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        disk.mount(&["-o", "loop", image.to_str().unwrap()]);
        disk
    }

    fn mount(&self, arguments: &[&str]) {
        let mounted = Command::new("mount").args(arguments).arg(self.folder()).output().unwrap();
        assert!(mounted.status.success(), "{}", String::from_utf8_lossy(&mounted.stderr));
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("images")
    }

    /// Somebody else takes all that is left.
    fn fill(&self) {
        let hog = fs::File::create(self.folder().join("hog")).unwrap();
        let mut hog = std::io::BufWriter::with_capacity(4096, hog);
        let full = std::io::copy(&mut std::io::repeat(7), &mut hog).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
        drop(hog.into_parts());
    }

    fn open(&self, ram: usize) -> (Images, Option<String>) {
        Images::open(&settings(self.dir.path(), ram, 64 * MIB)).unwrap()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.folder()).output());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_larger_than_what_is_free_goes_to_ram() {
    let disk = SmallDisk::new(6);
    let images = disk.open(64 * MIB).0;
    let bytes = noise(1, 16 * MIB);
    let server = OriginServer::good(bytes.clone()).await;
    let file = file(&bytes, &[&server.url]);
    assert!(fetch(&images, &file).await.unwrap() == bytes);
    warm(&images, &file).await.unwrap();
    assert_eq!((images.status(&file.sha256).tier, server.asked().len()), (Tier::Ram, 1));
    assert_eq!(kinds(&images), [TroubleKind::Disk], "it is told that the disk takes nothing");
}

fn kinds(images: &Images) -> Vec<TroubleKind> {
    images.troubles().iter().map(|trouble| trouble.kind).collect()
}

/// A blob whose second half comes when the disk is full.
async fn full_midway(ram: usize) -> (SmallDisk, Images, greenroom::model::image::ImageFile, bytes::Bytes) {
    let disk = SmallDisk::new(24);
    let images = disk.open(ram).0;
    let bytes = noise(1, 16 * MIB);
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let (served, held) = (bytes.clone(), gate.clone());
    let server = OriginServer::start(move |n, _| {
        let (first, rest, held) = (served.slice(..8 * MIB), served.slice(8 * MIB..), held.clone());
        let late = stream::once(async move {
            if n == 0 {
                held.acquire().await.unwrap().forget();
            }
            std::io::Result::Ok(rest)
        });
        let body = Body::from_stream(stream::iter([Ok(first)]).chain(late));
        axum::http::Response::builder().header("content-length", 16 * MIB).body(body).unwrap()
    });
    let server = server.await;
    let file = file(&bytes, &[&server.url]);
    let blob = images.blob(&file).await.unwrap();
    let mut following = blob.stream(0..u64::MAX);
    let mut got = following.next().await.unwrap().unwrap().to_vec();
    disk.fill();
    gate.add_permits(1);
    let mut ended = Ok(());
    while let Some(chunk) = following.next().await {
        match chunk {
            Ok(chunk) => got.extend_from_slice(&chunk),
            Err(error) => ended = Err(error),
        }
    }
    match ended {
        Ok(()) => assert!(got == bytes),
        Err(error) => {
            eprintln!("log: {error}\nconsole: {}", trouble::all(&error.troubles()));
            assert_eq!(error.troubles()[0].kind, TroubleKind::NoRoom);
            assert!(bytes.starts_with(&got));
            assert!(read(images.blob(&file).await.unwrap()).await.0 == bytes, "the next ask passes it through");
            assert_eq!(count(&images.counters().passed), 1);
        }
    }
    (disk, images, file, bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_in_the_middle_is_followed_by_ram() {
    let (_disk, images, file, bytes) = full_midway(64 * MIB).await;
    warm(&images, &file).await.unwrap();
    assert_eq!(images.status(&file.sha256).tier, Tier::Ram);
    assert!(fetch(&images, &file).await.unwrap() == bytes);
    assert_eq!(count(&images.counters().fills), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_in_the_middle_without_ram_costs_one_try() {
    full_midway(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_cannot_be_written_is_no_trouble_of_a_device() {
    for way in ["full", "read-only"] {
        let disk = SmallDisk::that_can_fail(24);
        let images = disk.open(16 * MIB).0;
        let (old, new) = (noise(1, 2 * MIB), noise(2, 3 * MIB));
        let (first, second) = (OriginServer::good(old.clone()).await, OriginServer::good(new.clone()).await);
        let (first_file, second_file) = (file(&old, &[&first.url]), file(&new, &[&second.url]));
        warm(&images, &first_file).await.unwrap();
        match way {
            "full" => disk.fill(),
            _ => disk.mount(&["-o", "remount,abort"]),
        }
        for _ in 0..50 {
            assert!(fetch(&images, &first_file).await.unwrap() == old, "{way}");
            assert!(fetch(&images, &second_file).await.unwrap() == new, "{way}");
            // sled writes what it has once a second.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let hundred = (10..110).map(|n| noise(n, 1000));
        for small in hundred {
            let server = OriginServer::good(small.clone()).await;
            assert!(fetch(&images, &file(&small, &[&server.url])).await.unwrap() == small, "{way}");
        }
        assert!(images.verify(first_file.sha256).await.is_ok());
        if way == "read-only" {
            assert_eq!(kinds(&images), [TroubleKind::Disk]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_opens_on_a_disk_that_takes_nothing_and_works_without_it() {
    for way in ["full", "read-only"] {
        let disk = SmallDisk::new(2);
        match way {
            "full" => disk.fill(),
            _ => disk.mount(&["-o", "remount,ro"]),
        }
        let (images, warning) = disk.open(64 * MIB);
        let warning = warning.unwrap();
        eprintln!("log: {warning}");
        assert!(warning.contains("no disk tier") && warning.contains("images"), "{warning}");
        assert_eq!(kinds(&images), [TroubleKind::Disk]);
        let bytes = noise(1, 3 * MIB);
        let server = OriginServer::good(bytes.clone()).await;
        let file = file(&bytes, &[&server.url]);
        assert!(fetch(&images, &file).await.unwrap() == bytes, "{way}");
        warm(&images, &file).await.unwrap();
        assert_eq!((images.status(&file.sha256).tier, server.asked().len()), (Tier::Ram, 1), "{way}");
    }
}

#[test]
fn a_folder_that_was_never_usable_is_a_mistake_that_is_told() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("images"), "a file").unwrap();
    assert!(matches!(Images::open(&settings(Path::new(dir.path()), 0, 0)), Err(OpenError::Folder { .. })));
}
