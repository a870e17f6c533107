//! Tiers that are full, too small, or gone.

use greenroom::{
    images::BlobError,
    model::{
        Bytes,
        image::{ImageFile, Tier},
    },
};

use super::{MIB, cache_of, count, fetch, file, files, noise, origin_server::OriginServer, read, warm};

/// Three blobs of 4 MiB with a server each.
async fn three() -> Vec<(ImageFile, bytes::Bytes, OriginServer)> {
    let mut all = Vec::new();
    for seed in 1..=3 {
        let bytes = noise(seed, 4 * MIB);
        let server = OriginServer::good(bytes.clone()).await;
        all.push((file(&bytes, &[&server.url]), bytes, server));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_evicts_what_was_read_longest_ago() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 0, 9 * MIB);
    let blobs = three().await;
    warm(&images, &blobs[0].0).await.unwrap();
    warm(&images, &blobs[1].0).await.unwrap();
    // A clock tick, so that "longest ago" has one answer.
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert!(fetch(&images, &blobs[0].0).await.unwrap() == blobs[0].1);
    warm(&images, &blobs[2].0).await.unwrap();
    let tiers: Vec<_> = blobs.iter().map(|(file, ..)| images.status(&file.sha256).tier).collect();
    assert_eq!(tiers, [Tier::Disk, Tier::Origin, Tier::Disk]);
    assert_eq!(files(&dir.path().join("images/blobs")).len(), 2);
    assert_eq!(images.held().1, Bytes(8 * MIB as u64));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_is_being_read_is_not_evicted() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 0, 5 * MIB);
    let blobs = three().await;
    warm(&images, &blobs[0].0).await.unwrap();
    let reader = images.blob(&blobs[0].0).await.unwrap();
    assert_eq!(reader.tier, Tier::Disk);
    // The second finds no room while the first is read, and is served all the same.
    assert!(fetch(&images, &blobs[1].0).await.unwrap() == blobs[1].1);
    assert_eq!(images.status(&blobs[0].0.sha256).tier, Tier::Disk);
    assert!(read(reader).await.0 == blobs[0].1);
    warm(&images, &blobs[1].0).await.unwrap();
    assert_eq!(images.status(&blobs[1].0.sha256).tier, Tier::Disk);
    assert_eq!(images.status(&blobs[0].0.sha256).tier, Tier::Origin);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_larger_than_ram_is_served_from_disk() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 7 * MIB, 64 * MIB);
    let blobs = three().await;
    warm(&images, &blobs[0].0).await.unwrap();
    let blob = images.blob(&blobs[0].0).await.unwrap();
    assert_eq!(blob.tier, Tier::Disk);
    assert!(read(blob).await.0 == blobs[0].1);
    assert_eq!((images.held().0, blobs[0].2.asked().len()), (Bytes(0), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn ram_stays_within_its_bound() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 9 * MIB, 64 * MIB);
    for (file, ..) in &three().await {
        warm(&images, file).await.unwrap();
        assert!(images.held().0 <= Bytes(9 * MIB as u64));
    }
    assert_eq!(images.held().0, Bytes(8 * MIB as u64));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_room_leaves_the_blob_in_ram() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 64 * MIB, MIB);
    let (file, bytes, server) = three().await.remove(0);
    assert!(fetch(&images, &file).await.unwrap() == bytes);
    warm(&images, &file).await.unwrap();
    assert_eq!((images.status(&file.sha256).tier, images.held().1), (Tier::Ram, Bytes(0)));
    assert!(fetch(&images, &file).await.unwrap() == bytes);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_goes_away_leaves_the_blob_in_ram() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 64 * MIB, 64 * MIB);
    std::fs::remove_dir_all(dir.path().join("images")).unwrap();
    let (file, bytes, server) = three().await.remove(0);
    assert!(fetch(&images, &file).await.unwrap() == bytes);
    warm(&images, &file).await.unwrap();
    assert_eq!(images.status(&file.sha256).tier, Tier::Ram);
    assert!(fetch(&images, &file).await.unwrap() == bytes);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_anywhere_the_origin_is_passed_through_verified() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), MIB, MIB);
    let (file, bytes, server) = three().await.remove(0);
    for _ in 0..2 {
        let blob = images.blob(&file).await.unwrap();
        assert_eq!((blob.tier, blob.len), (Tier::Origin, bytes.len() as u64));
        assert!(read(blob).await.0 == bytes);
    }
    assert_eq!(count(&images.counters().passed), 2);
    assert!(server.asked().len() >= 2);
    assert!(matches!(warm(&images, &file).await, Err(BlobError::NoRoom { .. })));

    let wrong = OriginServer::good(noise(9, 4 * MIB)).await;
    let (got, ended) = read(images.blob(&super::file(&bytes, &[&wrong.url])).await.unwrap()).await;
    assert!(matches!(ended, Err(BlobError::WrongDigest { .. })) && got.len() < bytes.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_kept_is_still_fetched_once_for_all_who_ask() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), MIB, 5 * MIB);
    let mut blobs = three().await;
    let (held, _, _held_server) = blobs.remove(0);
    warm(&images, &held).await.unwrap();
    // All of the tier is being read: nothing can go.
    let _reader = images.blob(&held).await.unwrap();
    let (stranger, bytes, server) = blobs.remove(0);
    let readers = (0..10).map(|_| async { fetch(&images, &stranger).await.unwrap() == bytes });
    assert!(futures_util::future::join_all(readers).await.into_iter().all(|whole| whole));
    assert_eq!((server.asked().len(), count(&images.counters().passed)), (1, 0), "one fill for all of them");
    assert_eq!(images.status(&held.sha256).tier, Tier::Disk, "what is read stays");
    assert_eq!(images.status(&stranger.sha256).tier, Tier::Origin);
    assert_eq!(files_of_fills(dir.path()), 0, "nothing is left of it");
}

/// How many files of fills there are, once those that end are over.
fn files_of_fills(dir: &std::path::Path) -> usize {
    for _ in 0..100 {
        if files(&dir.join("images/coming")).is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    files(&dir.join("images/coming")).len()
}
