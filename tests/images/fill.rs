//! The one fill: who asks while it runs, and what it leaves behind.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt, future::join_all, stream};
use greenroom::{
    images::{BlobError, Images},
    model::image::{ImageFile, Tier},
};
use tokio::sync::Semaphore;

use super::{
    MIB, cache, cache_of, count, fetch, file, noise,
    origin_server::{OriginServer, chunked},
    read, read_range, unsized_file, warm,
};

/// A server that sends `first` at once and `rest` when the test opens the gate.
async fn gated(first: Bytes, rest: Bytes) -> (OriginServer, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let server = OriginServer::start(move |_, _| {
        let (held, rest) = (held.clone(), rest.clone());
        let late = stream::once(async move {
            held.acquire().await.unwrap().forget();
            std::io::Result::Ok(rest)
        });
        let body = stream::iter([Ok(first.clone())]).chain(late);
        axum::http::Response::new(Body::from_stream(body))
    });
    (server.await, gate)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_devices_that_ask_for_a_cold_blob_cause_one_read_and_all_stream_while_it_arrives() {
    let bytes = noise(1, 4 * MIB);
    let (server, gate) = gated(bytes.slice(..2 * MIB), bytes.slice(2 * MIB..)).await;
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    let file = file(&bytes, &[&server.url]);
    let early = Arc::new(Semaphore::new(0));
    let readers = (0..100).map(|_| {
        let (images, file, early) = (images.clone(), file.clone(), early.clone());
        tokio::spawn(async move {
            let blob = images.blob(&file).await.unwrap();
            assert_eq!(blob.tier, Tier::Origin);
            let mut stream = blob.stream(0..u64::MAX);
            let mut got = stream.next().await.unwrap().unwrap().to_vec();
            early.add_permits(1);
            while let Some(chunk) = stream.next().await {
                got.extend_from_slice(&chunk.unwrap());
            }
            got
        })
    });
    let readers: Vec<_> = readers.collect();
    // Every reader has read something before the origin has sent the second half.
    early.acquire_many(100).await.unwrap().forget();
    gate.add_permits(1);
    for got in join_all(readers).await {
        assert!(got.unwrap() == bytes);
    }
    assert_eq!(server.asked().len(), 1);
    assert_eq!((count(&images.counters().fills), count(&images.counters().misses)), (1, 100));
}

/// What a reader gets, and how it ended. The fill may be over, and have failed, before the blob is open.
async fn read_if_open(images: &Images, file: &ImageFile) -> (Vec<u8>, Result<(), BlobError>) {
    match images.blob(file).await {
        Ok(blob) => read(blob).await,
        Err(error) => (vec![], Err(error)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_with_the_wrong_digest_is_never_served_to_its_end() {
    let (right, wrong) = (noise(1, 3 * MIB), noise(2, 3 * MIB));
    let server = OriginServer::good(wrong.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    let file = file(&right, &[&server.url]);
    let (got, ended) = read_if_open(&images, &file).await;
    assert!(got.len() < right.len() && wrong.starts_with(&got));
    let told = ended.unwrap_err().to_string();
    assert!(told.contains("gave other bytes") && told.contains(&server.url), "{told}");
    assert_eq!(images.status(&file.sha256).tier, Tier::Origin);
    assert_eq!(super::files(&dir.path().join("images/blobs")), Vec::<String>::new());
    assert_eq!(super::files(&dir.path().join("images/coming")), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_bit_in_the_last_byte_is_enough() {
    let right = noise(1, MIB + 1);
    let mut wrong = right.to_vec();
    wrong[MIB] ^= 1;
    let server = OriginServer::good(wrong.into()).await;
    let dir = tempfile::tempdir().unwrap();
    let (got, ended) = read_if_open(&cache(dir.path()), &file(&right, &[&server.url])).await;
    assert!(ended.is_err() && got.len() < right.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_of_the_wrong_length_is_never_served_to_its_end() {
    let right = noise(1, MIB);
    let longer: Bytes = [&right[..], b"more"].concat().into();
    for (wrong, said) in
        [(right.slice(..MIB - 1), true), (right.slice(..MIB - 1), false), (longer.clone(), true), (longer, false)]
    {
        let server = match said {
            true => OriginServer::good(wrong).await,
            false => OriginServer::start(move |_, _| chunked(&wrong)).await,
        };
        let dir = tempfile::tempdir().unwrap();
        let images = cache(dir.path());
        assert!(fetch(&images, &file(&right, &[&server.url])).await.is_err());
        assert_eq!(images.held(), Default::default());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_without_a_size_and_a_server_without_a_length_still_make_a_whole_blob() {
    let bytes = noise(1, 2 * MIB);
    let served = bytes.clone();
    let server = OriginServer::start(move |_, _| chunked(&served)).await;
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    let blob = images.blob(&unsized_file(&bytes, &[&server.url])).await.unwrap();
    assert_eq!(blob.len, bytes.len() as u64);
    assert!(read(blob).await.0 == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_may_begin_anywhere_in_a_fill_under_way() {
    let bytes = noise(1, 4 * MIB);
    let (server, gate) = gated(bytes.slice(..3 * MIB), bytes.slice(3 * MIB..)).await;
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    let file = file(&bytes, &[&server.url]);
    let middle = images.blob(&file).await.unwrap();
    let (got, ended) = read_range(middle, 1_000_000..2_000_000).await;
    assert!(ended.is_ok() && got == bytes[1_000_000..2_000_000], "served before the rest was sent");
    let end = images.blob(&file).await.unwrap();
    gate.add_permits(1);
    let (got, ended) = read_range(end, 3_999_999..u64::MAX).await;
    assert!(ended.is_ok() && got == bytes[3_999_999..]);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_holds_up_nobody_and_keeps_what_it_reads() {
    let bytes = noise(1, 8 * MIB);
    let server = OriginServer::good(bytes.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 0, 10 * MIB);
    let first = file(&bytes, &[&server.url]);
    let mut slow = images.blob(&first).await.unwrap().stream(0..u64::MAX);
    let mut got = slow.next().await.unwrap().unwrap().to_vec();
    // The slow one reads no more, yet the fill ends, others are served, and another blob takes the place of this one.
    assert!(fetch(&images, &first).await.unwrap() == bytes);
    warm(&images, &first).await.unwrap();
    let other = noise(2, 8 * MIB);
    let next = OriginServer::good(other.clone()).await;
    warm(&images, &file(&other, &[&next.url])).await.unwrap();
    assert_eq!(images.status(&first.sha256).tier, Tier::Origin);
    while let Some(chunk) = slow.next().await {
        got.extend_from_slice(&chunk.unwrap());
    }
    assert!(got == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fill_goes_on_when_its_readers_leave() {
    let bytes = noise(1, 2 * MIB);
    let (server, gate) = gated(bytes.slice(..MIB), bytes.slice(MIB..)).await;
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    let file = file(&bytes, &[&server.url]);
    let mut stream = images.blob(&file).await.unwrap().stream(0..u64::MAX);
    stream.next().await.unwrap().unwrap();
    drop(stream);
    assert!(images.status(&file.sha256).filling.is_some());
    gate.add_permits(1);
    warm(&images, &file).await.unwrap();
    assert_eq!((images.status(&file.sha256).tier, server.asked().len()), (Tier::Ram, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn warming_tells_how_far_it_is_and_ends_with_the_blob_in_ram_and_on_disk() {
    let bytes = noise(1, 3 * MIB);
    let server = OriginServer::good(bytes.clone()).await;
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    let file = file(&bytes, &[&server.url]);
    let mut steps = Vec::new();
    images.warm(&file, |done, of| steps.push((done, of))).await.unwrap();
    assert!(steps.is_sorted() && steps.iter().all(|(_, of)| *of == bytes.len() as u64), "{steps:?}");
    assert_eq!((steps[0].0, steps[steps.len() - 1].0), (0, bytes.len() as u64));
    assert_eq!(images.status(&file.sha256).tier, Tier::Ram);
    let (ram, disk) = images.held();
    assert_eq!((ram.0, disk.0), (bytes.len() as u64, bytes.len() as u64));
    assert_eq!(images.blob(&file).await.unwrap().tier, Tier::Ram);
    assert_eq!(count(&images.counters().origin_bytes), bytes.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tier_gives_the_same_ranges() {
    let bytes = noise(1, MIB + 12_345);
    let server = OriginServer::good(bytes.clone()).await;
    let whole = bytes.len() as u64;
    let ranges =
        [0..0, 0..1, 0..whole, whole - 1..whole, 262_143..262_145, 262_144..524_288, 7..u64::MAX, whole..u64::MAX];
    for (ram, disk) in [(64 * MIB, 64 * MIB), (0, 64 * MIB), (64 * MIB, 0), (0, 0)] {
        let dir = tempfile::tempdir().unwrap();
        let images = cache_of(dir.path(), ram, disk);
        let file = file(&bytes, &[&server.url]);
        for range in ranges.clone() {
            let (got, ended) = read_range(images.blob(&file).await.unwrap(), range.clone()).await;
            assert_eq!(ended, Ok(()));
            let wanted = &bytes[range.start as usize..range.end.min(whole) as usize];
            assert!(got == wanted, "{range:?} of RAM {ram}, disk {disk}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_of_no_bytes_is_a_blob() {
    let server = OriginServer::good(Bytes::new()).await;
    let dir = tempfile::tempdir().unwrap();
    let images = cache(dir.path());
    for empty in [file(b"", &[&server.url]), unsized_file(b"", &[&server.url])] {
        assert_eq!(fetch(&images, &empty).await, Ok(Vec::new()));
    }
}
