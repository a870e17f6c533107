//! What forecasts may not do, however wrong they are.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use greenroom::{
    images::{Hold, Images, Keeper, OriginSettings, Settings, keeper::Turn},
    model::{
        Bytes, Digest, Seconds,
        image::{ImageFile, Tier},
        staged::Because,
    },
    stage::Aim,
};
use sha2::Digest as _;

use super::{blob_noise::noise, origin_server::OriginServer, past::until};

const MIB: usize = 1 << 20;

struct Blob {
    file: ImageFile,
    bytes: bytes::Bytes,
    server: OriginServer,
}

async fn blob(seed: u64, mib: usize) -> Blob {
    let bytes = noise(seed, mib * MIB);
    let server = OriginServer::good(bytes.clone()).await;
    let sha256 = Digest::new(sha2::Sha256::digest(&bytes).into());
    let origins = vec![server.url.parse().unwrap()];
    let file = ImageFile { sha256, size: Some(Bytes(bytes.len() as u64)), origins, name: None };
    Blob { file, bytes, server }
}

/// A cache without RAM, of so many MiB on disk, and its keeper at this rate.
fn cache(dir: &Path, disk: usize, rate: u64) -> (Images, Arc<Keeper>) {
    let origins = OriginSettings::new(|| 4);
    let settings =
        Settings { dir: dir.join("images"), ram: Bytes(0), disk: Bytes((disk * MIB) as u64), aim: Aim::Hits, origins };
    let images = Images::open(&settings).unwrap().0;
    (images.clone(), Arc::new(Keeper::new(images, Bytes(rate))))
}

fn tell(keeper: &Keeper, all: &[&Blob], pinned: &[&Blob]) {
    let pins = pinned.iter().map(|blob| (blob.file.sha256, Tier::Disk)).collect();
    keeper.tell(all.iter().map(|blob| blob.file.clone()), pins);
}

async fn turns(keeper: &Keeper) {
    let turning = async {
        while !matches!(keeper.turn().await, Turn::Idle) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), turning).await.expect("it comes to rest");
}

async fn at_rest(keeper: &Keeper) {
    until("nothing is pulled up any more", || keeper.rushing().is_empty()).await;
}

fn is_here(images: &Images, blob: &Blob) -> bool {
    images.status(&blob.file.sha256).tier == Tier::Disk
}

fn asks(blob: &Blob, times: f64) -> HashMap<Digest, f64> {
    [(blob.file.sha256, times)].into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_guess_evicts_nothing_that_is_hot_pinned_or_streamed() {
    let dir = tempfile::tempdir().unwrap();
    let (images, keeper) = cache(dir.path(), 13, 1 << 30);
    let (hot, pinned, streamed, wrong) = (blob(1, 4).await, blob(2, 4).await, blob(3, 4).await, blob(4, 4).await);
    tell(&keeper, &[&hot, &pinned, &streamed, &wrong], &[&pinned]);
    turns(&keeper).await;
    for _ in 0..3 {
        images.blob(&hot.file).await.unwrap();
        until("it is kept", || is_here(&images, &hot)).await;
    }
    images.warm(&streamed.file, |_, _| ()).await.unwrap();
    let blob = images.blob(&streamed.file).await.unwrap();
    let mut reader = blob.reader(0..blob.len);
    let first = reader.next(64 << 10).await.unwrap().unwrap();
    assert!(reader.bytes(first).await.unwrap() == streamed.bytes[..64 << 10]);
    // One device may want it, of which little is known: by forecast, and at its DISCOVER.
    keeper.expect(asks(&wrong, 0.3), Seconds(3600));
    turns(&keeper).await;
    keeper.rush(&[(wrong.file.sha256, 0.3)]);
    at_rest(&keeper).await;
    turns(&keeper).await;
    for (kept, name) in [(&hot, "hot"), (&pinned, "pinned"), (&streamed, "streamed")] {
        assert!(is_here(&images, kept), "what is {name} stays");
    }
    assert!(!is_here(&images, &wrong));
    let mut got = 64 << 10;
    while let Some(piece) = reader.next(1 << 20).await.unwrap() {
        got += reader.bytes(piece).await.unwrap().len();
    }
    assert_eq!(got, streamed.bytes.len());
    assert_eq!(hot.server.asked().len() + pinned.server.asked().len() + streamed.server.asked().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_staged_in_vain_is_counted_when_its_time_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let (images, keeper) = cache(dir.path(), 64, 1 << 30);
    let (useful, vain) = (blob(1, 4).await, blob(2, 2).await);
    tell(&keeper, &[&useful, &vain], &[]);
    let both = [&useful, &vain].map(|blob| (blob.file.sha256, 1.0));
    keeper.expect(both.into_iter().collect(), Seconds(2));
    turns(&keeper).await;
    assert!(is_here(&images, &useful) && is_here(&images, &vain));
    let found = keeper.found(&useful.file.sha256, None);
    assert_eq!((found.because, found.lead.is_some()), (Because::Forecast, true));
    images.blob(&useful.file).await.unwrap();
    until("the horizon is over", || keeper.staged().open == Bytes(0)).await;
    let staged = keeper.staged();
    let mib = |n: usize| Bytes((n * MIB) as u64);
    assert_eq!((staged.forecast, staged.useful, staged.vain), (mib(6), mib(4), mib(2)));
    assert_eq!(keeper.found(&vain.file.sha256, None).because, Because::Itself, "a forecast that is over has no merit");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_pulled_up_in_a_minute_than_the_rate_gives() {
    let dir = tempfile::tempdir().unwrap();
    // 3.75 MiB in a minute.
    let (images, keeper) = cache(dir.path(), 64, 64 << 10);
    let blobs = [blob(1, 3).await, blob(2, 3).await, blob(3, 3).await, blob(4, 3).await];
    tell(&keeper, &blobs.each_ref(), &[]);
    let wishes: Vec<(Digest, f64)> = blobs.iter().map(|blob| (blob.file.sha256, 1.0)).collect();
    assert_eq!(keeper.rush(&wishes), 2, "the second is paid for later");
    at_rest(&keeper).await;
    let here: Vec<bool> = blobs.iter().map(|blob| is_here(&images, blob)).collect();
    assert_eq!(here, [true, true, false, false], "in the order that they were asked for");
    assert_eq!((keeper.staged().held_back, keeper.rush(&wishes)), (2, 0));
    // Who asks is served.
    assert_eq!(images.blob(&blobs[3].file).await.unwrap().len, 3 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_devices_are_served_the_keeper_rests_and_who_has_come_is_served_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (images, keeper) = cache(dir.path(), 64, 1 << 30);
    let (served, later, now) = (blob(1, 16).await, blob(2, 4).await, blob(3, 4).await);
    tell(&keeper, &[&served, &later, &now], &[]);
    images.warm(&served.file, |_, _| ()).await.unwrap();
    let devices: Vec<_> = (0..2)
        .map(|_| {
            let (images, file) = (images.clone(), served.file.clone());
            tokio::spawn(async move {
                loop {
                    let blob = images.blob(&file).await.unwrap();
                    let mut reader = blob.reader(0..blob.len);
                    while let Some(piece) = reader.next(1 << 20).await.unwrap() {
                        reader.bytes(piece).await.unwrap();
                    }
                }
            })
        })
        .collect();
    until("they are noticed", || images.hold() == Some(Hold::Serving)).await;
    keeper.expect(asks(&later, 5.0), Seconds(3600));
    assert_eq!(keeper.turn().await, Turn::Held(Hold::Serving));
    keeper.rush(&[(now.file.sha256, 1.0)]);
    until("it is pulled up", || is_here(&images, &now)).await;
    assert_eq!((later.server.asked().len(), now.server.asked().len()), (0, 1));
    devices.iter().for_each(tokio::task::JoinHandle::abort);
    until("it was noted", || keeper.staged().discover.0 == 4 << 20).await;
    let look = async {
        while !is_here(&images, &later) {
            keeper.turn().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), look).await.expect("the forecast's turn comes");
}
