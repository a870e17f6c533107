//! The policy beside others, on one trace and with the same sizes.
//!
//! The others see RAM and disk as two caches, one behind the other, and both of them see every ask: what RAM answers keeps its
//! place on disk warm as well. An ask hits in RAM, else on disk, else it is filled into both, as each of them sees fit.

use serde::Serialize;

use crate::model::image::Tier;

use super::{
    super::{
        Aim, Expert, Policy, Rooms,
        shadow::{Asked, Gdsf, Lru, S3Fifo, Shadow},
    },
    Score, Trace,
    belady::{Farthest, belady, bound, next_asks},
    foresight::Foresight,
    tiers,
};

/// A policy and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub policy: &'static str,
    /// What came of it.
    #[serde(flatten)]
    pub score: Score,
}

/// All policies on one trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Requests.
    pub asks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs.
    pub blobs: usize,
    /// Their bytes.
    pub blob_bytes: u64,
    /// Ours first, then the fixed ones, then those that know the future.
    pub rows: Vec<Row>,
    /// What no policy can surpass that fetches nothing ahead.
    pub bound: Score,
    /// Who led in RAM and on disk, at the end.
    pub leaders: (Option<Expert>, Option<Expert>),
}

/// Runs all of them.
pub fn compare(trace: &Trace, rooms: Rooms, aim: Aim, foresight: &Foresight) -> Comparison {
    let (policy, score) = tiers::run(Policy::new(rooms, aim), trace, rooms, foresight);
    let mut rows = vec![Row { policy: "greenroom", score }];
    rows.push(Row { policy: "lru", score: fixed(trace, Lru::new(rooms.ram), Lru::new(rooms.disk)) });
    rows.push(Row { policy: "s3-fifo", score: fixed(trace, S3Fifo::new(rooms.ram), S3Fifo::new(rooms.disk)) });
    rows.push(Row { policy: "gdsf", score: fixed(trace, Gdsf::new(rooms.ram), Gdsf::new(rooms.disk)) });
    let next = next_asks(trace);
    for (policy, by) in [("belady", Farthest::Use), ("belady-size", Farthest::Bytes)] {
        let (ram, disk) = (belady(trace, &next, rooms.ram, by), belady(trace, &next, rooms.disk, by));
        rows.push(Row { policy, score: Score::of(trace, ram.into_iter().zip(disk)) });
    }
    let bytes = trace.asks.iter().map(|ask| trace.len_of(*ask)).sum();
    let (ram_hits, ram_bytes) = bound(trace, &next, rooms.ram);
    let (hits, hit_bytes) = bound(trace, &next, rooms.ram.saturating_add(rooms.disk));
    Comparison {
        asks: trace.asks.len() as u64,
        bytes,
        blobs: trace.blobs.len(),
        blob_bytes: trace.blobs.iter().map(|blob| blob.len).sum(),
        rows,
        bound: Score { ram_hits, ram_bytes, hits, hit_bytes, origin_bytes: bytes - hit_bytes, ahead_bytes: 0 },
        leaders: (policy.leader(Tier::Ram), policy.leader(Tier::Disk)),
    }
}

fn fixed(trace: &Trace, mut ram: impl Shadow, mut disk: impl Shadow) -> Score {
    let held = trace.asks.iter().map(|ask| {
        let asked = Asked { id: ask.blob, len: trace.len_of(*ask), millis: ask.at.as_millis() };
        (ram.ask(asked), disk.ask(asked))
    });
    Score::of(trace, held)
}
