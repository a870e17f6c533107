//! How fast the cache gives out a blob from each tier, beside reading the same file from the page cache and throwing it
//! away, and beside `sha256sum` for the fill that has to hash. Runs alternate; ratios of medians.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a program for people")]

use std::{
    fs::File,
    io::Read,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use greenroom::{
    images::{Images, Settings},
    model::{
        Bytes, Digest,
        image::{ImageFile, Tier},
    },
};
use sha2::{Digest as _, Sha256};

const ROUNDS: usize = 5;
const LENGTH: usize = 512 << 20;

async fn stream(images: &Images, file: &ImageFile) -> (Duration, Tier) {
    let began = Instant::now();
    let blob = images.blob(file).await.unwrap();
    let (tier, len) = (blob.tier, blob.len);
    let mut bytes = blob.stream(0..len);
    let mut got = 0;
    while let Some(chunk) = bytes.next().await {
        got += chunk.unwrap().len();
    }
    assert_eq!(got, LENGTH);
    (began.elapsed(), tier)
}

fn plain_read(path: &Path) -> Duration {
    let began = Instant::now();
    let mut file = File::open(path).unwrap();
    let mut buffer = vec![0; 256 << 10];
    while file.read(&mut buffer).unwrap() > 0 {}
    began.elapsed()
}

fn sha256sum(path: &Path) -> Duration {
    let began = Instant::now();
    assert!(Command::new("sha256sum").arg(path).output().unwrap().status.success());
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

fn report(what: &str, ours: Vec<Duration>, peer: &str, theirs: Vec<Duration>) {
    let (ours, theirs) = (median(ours), median(theirs));
    let rate = |seconds: f64| LENGTH as f64 / seconds / f64::from(1 << 20);
    println!("  {what:10} {:>6.0} MiB/s, {peer} {:>6.0} MiB/s, ratio {:.2}", rate(ours), rate(theirs), theirs / ours);
}

#[tokio::main]
async fn main() {
    println!("images: one 512 MiB blob, one reader, medians of {ROUNDS} alternating runs");
    let folder = tempfile::tempdir_in(".").unwrap();
    let path = folder.path().join("blob");
    let bytes: Vec<u8> = (0..LENGTH as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    std::fs::write(&path, &bytes).unwrap();
    let origin = format!("file:{}", path.canonicalize().unwrap().display()).parse().unwrap();
    let sha256 = Digest::new(Sha256::digest(&bytes).into());
    drop(bytes);
    let file = ImageFile { sha256, size: None, origins: vec![origin], name: None };
    let open = |name: &str, ram: u64| {
        let settings = Settings { dir: folder.path().join(name), ram: Bytes(ram), disk: Bytes(4 << 30) };
        Images::open(&settings).unwrap().0
    };

    let (mut cold, mut hashed) = (vec![], vec![]);
    for round in 0..ROUNDS {
        let images = open(&format!("cold{round}"), 1);
        let (took, tier) = stream(&images, &file).await;
        assert_eq!(tier, Tier::Origin);
        cold.push(took);
        hashed.push(sha256sum(&path));
        std::fs::remove_dir_all(folder.path().join(format!("cold{round}"))).unwrap();
    }
    report("cold", cold, "sha256sum", hashed);

    for (what, ram, wanted) in [("disk", 1, Tier::Disk), ("ram", 2 << 30, Tier::Ram)] {
        let images = open("warm", ram);
        while stream(&images, &file).await.1 != wanted {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let (mut ours, mut plain) = (vec![], vec![]);
        for _ in 0..ROUNDS {
            ours.push(stream(&images, &file).await.0);
            plain.push(plain_read(&path));
        }
        report(what, ours, "plain read", plain);
        drop(images);
    }
}
