//! How fast each tier streams inside of the process, without sockets (those are `stream`'s), beside plain ways to do the same in the same run: `cargo bench --bench images`.
//!
//! One reader takes a blob of 512 MiB whole (`GREENROOM_BENCH_MIB` changes that). Every figure is the best of three runs,
//! with the files in the page cache; `TMPDIR` says on which disk.

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "stream/noise.rs"]
mod noise;

use std::{
    fs::File,
    path::Path,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::join_all};
use greenroom::{
    images::{Images, OriginSettings, Settings},
    model::{
        Bytes, Digest,
        image::{ImageFile, Origin, Tier},
    },
    stage::Aim,
};
use tokio::io::AsyncReadExt;

const RUNS: usize = 3;
const CHUNK: usize = 256 << 10;

#[tokio::main]
async fn main() {
    let mib: usize = std::env::var("GREENROOM_BENCH_MIB").map_or(512, |mib| mib.parse().expect("a number of MiB"));
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("image");
    let digest = noise::write(&path, mib, 0);
    let origins = vec![Origin::File(path.display().to_string())];
    let file = ImageFile { sha256: digest, size: Some(Bytes((mib << 20) as u64)), origins, name: None };

    println!("one reader, {mib} MiB");
    let read = best(async |_| plain_read(&path).await).await;
    show("peer: tokio::fs read", mib, read, read);
    let hash = best(async |_| assert_eq!(hash(&path), digest)).await;
    show("peer: read and SHA-256", mib, hash, read);
    let copy = best(async |run| copy_and_hash(&path, &dir.path().join(format!("copy{run}")))).await;
    show("peer: copy, SHA-256, sync", mib, copy, read);

    let empty: Vec<Images> = (0..RUNS).map(|run| open(&dir.path().join(format!("cold{run}")), 0, mib)).collect();
    let cold = best(async |run| {
        take(&empty[run], &file, Tier::Origin).await;
        // The reader is done; this waits until the disk has it as well, as the peer does.
        empty[run].warm(&file, |_, _| ()).await.expect("it was just read");
    });
    let cold = cold.await;
    show("cold, file origin", mib, cold, copy);

    let on_disk = open(&dir.path().join("disk"), 0, mib);
    on_disk.warm(&file, |_, _| ()).await.expect("the file is there");
    let disk = best(async |_| take(&on_disk, &file, Tier::Disk).await).await;
    show("warm, disk", mib, disk, read);

    let in_ram = open(&dir.path().join("ram"), mib, mib);
    in_ram.warm(&file, |_, _| ()).await.expect("the file is there");
    let ram = best(async |_| take(&in_ram, &file, Tier::Ram).await).await;
    show("warm, RAM", mib, ram, read);

    println!("eight readers at once, {mib} MiB each");
    let plain = best(async |_| drop(join_all((0..8).map(|_| plain_read(&path))).await)).await;
    show("peer: tokio::fs read", 8 * mib, plain, plain);
    for (name, images, tier) in [("warm, disk", &on_disk, Tier::Disk), ("warm, RAM", &in_ram, Tier::Ram)] {
        let took = best(async |_| drop(join_all((0..8).map(|_| take(images, &file, tier))).await)).await;
        show(name, 8 * mib, took, plain);
    }
}

fn open(dir: &Path, ram_blob_mib: usize, disk_mib: usize) -> Images {
    // A blob takes at most half of the RAM tier.
    let (ram, disk) = (Bytes((2 * ram_blob_mib as u64) << 20), Bytes((disk_mib as u64) << 20));
    let origins = OriginSettings::new(|| 0);
    Images::open(&Settings { dir: dir.to_owned(), ram, disk, aim: Aim::Hits, origins }).expect("a new cache opens").0
}

/// Reads a blob whole, as the HTTP service does.
async fn take(images: &Images, file: &ImageFile, tier: Tier) {
    let blob = images.blob(file).await.expect("the file is there");
    assert_eq!(blob.tier, tier);
    let (len, mut got) = (blob.len, 0);
    let mut stream = blob.stream(0..len);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.expect("the digest is right");
        touch(&chunk);
        got += chunk.len() as u64;
    }
    assert_eq!(got, len);
}

async fn plain_read(path: &Path) {
    let mut file = tokio::fs::File::open(path).await.expect("the file is there");
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer).await.expect("the file can be read") {
            0 => return,
            read => touch(&buffer[..read]),
        }
    }
}

/// Looks at every cache line, as a socket would; otherwise handing out memory would cost nothing.
fn touch(bytes: &[u8]) {
    std::hint::black_box(bytes.iter().step_by(64).fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
}

fn hash(path: &Path) -> Digest {
    noise::copy_into(path, &mut std::io::sink())
}

fn copy_and_hash(path: &Path, copy: &Path) {
    let mut file = File::create_new(copy).expect("a new file");
    noise::copy_into(path, &mut file);
    file.sync_all().expect("the disk takes it");
    std::fs::remove_file(copy).expect("it was made here");
}

async fn best(mut run: impl AsyncFnMut(usize)) -> Duration {
    let mut best = Duration::MAX;
    for n in 0..RUNS {
        let began = Instant::now();
        run(n).await;
        best = best.min(began.elapsed());
    }
    best
}

fn show(name: &str, mib: usize, took: Duration, peer: Duration) {
    let rate = mib as f64 / took.as_secs_f64();
    let ratio = peer.as_secs_f64() / took.as_secs_f64();
    println!("  {name:28} {rate:8.0} MiB/s   {ratio:5.2} x its peer");
}
