//! The image cache against real files and a real web server that misbehaves: what a device, an operator or a restart
//! would notice.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it means by panicking; clippy excuses only the test functions"
)]

mod origin_server;

mod command;
mod damage;
mod disk;
mod failover;
mod fill;
mod keeper;
mod kill;
mod model;
mod noise;
#[path = "../serve/port.rs"]
mod port;
mod room;
mod s3;
mod share;
mod trouble;

use std::{path::Path, sync::atomic::Ordering};

use futures_util::StreamExt;
use greenroom::{
    images::{Blob, BlobError, Images, OriginSettings, Settings},
    model::{
        Bytes, Digest,
        image::{ImageFile, Origin},
    },
    stage::Aim,
};
use noise::noise;
use sha2::{Digest as _, Sha256};

const MIB: usize = 1 << 20;

fn digest(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}

/// The manifest's line for `bytes`, to be had from `origins`.
fn file(bytes: &[u8], origins: &[&str]) -> ImageFile {
    let origins: Vec<Origin> = origins.iter().map(|origin| origin.parse().unwrap()).collect();
    ImageFile { sha256: digest(bytes), size: Some(Bytes(bytes.len() as u64)), origins, name: None }
}

/// The same, from a manifest that does not say the size.
fn unsized_file(bytes: &[u8], origins: &[&str]) -> ImageFile {
    ImageFile { size: None, ..file(bytes, origins) }
}

/// A cache in `dir` with room for 64 MiB in RAM and 1 GiB on disk.
fn cache(dir: &Path) -> Images {
    cache_of(dir, 64 * MIB, 1024 * MIB)
}

fn settings(dir: &Path, ram: usize, disk: usize) -> Settings {
    let origins = OriginSettings::new(|| 4);
    Settings { dir: dir.join("images"), ram: Bytes(ram as u64), disk: Bytes(disk as u64), aim: Aim::Hits, origins }
}

fn cache_of(dir: &Path, ram: usize, disk: usize) -> Images {
    let (images, warning) = Images::open(&settings(dir, ram, disk)).unwrap();
    assert_eq!(warning, None);
    images
}

/// Everything that a reader of the whole blob gets, and how it ended.
async fn read(blob: Blob) -> (Vec<u8>, Result<(), BlobError>) {
    let len = blob.len;
    read_range(blob, 0..len).await
}

async fn read_range(blob: Blob, range: std::ops::Range<u64>) -> (Vec<u8>, Result<(), BlobError>) {
    let mut got = Vec::new();
    let mut stream = blob.stream(range);
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => got.extend_from_slice(&chunk),
            Err(error) => return (got, Err(error)),
        }
    }
    (got, Ok(()))
}

/// Asks for a blob and reads it whole.
async fn fetch(images: &Images, file: &ImageFile) -> Result<Vec<u8>, BlobError> {
    let (got, ended) = read(images.blob(file).await?).await;
    ended.map(|()| got)
}

/// Pulls a blob in and waits until the tiers have it.
async fn warm(images: &Images, file: &ImageFile) -> Result<(), BlobError> {
    images.warm(file, |_, _| ()).await
}

fn count(counter: &std::sync::atomic::AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// The files under a folder, by their paths in it.
fn files(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => found.extend(files(&path).into_iter().map(|inner| format!("{}/{inner}", name(&path)))),
            false => found.push(name(&path)),
        }
    }
    found
}
