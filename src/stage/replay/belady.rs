//! What a cache could have done that knew the future.
//!
//! With blobs of different lengths the optimum is hard to compute (NP-hard), so it is put between two bounds. From below,
//! what Belady's rule reaches: when room is wanted, the blob goes (or does not come in) that is asked for again last; and the
//! same with the wait times the length, which gives more hits and fewer bytes. From above, what no cache can surpass: every
//! blob that stays from one ask to the next takes its length for that long, and a cache has only so much of both; the cheapest
//! are taken first, as if they could be cut and laid side by side (PFOO-L; Berger, Beckmann, Harchol-Balter 2018).

use std::collections::{BTreeSet, HashMap};

use super::Trace;

/// By what the next victim is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farthest {
    /// Asked for again last.
    Use,
    /// The longest wait, times the length.
    Bytes,
}

const NEVER: u32 = u32::MAX;

/// For each ask of a trace the place of the next one for the same blob; [`u32::MAX`] when there is none.
pub fn next_asks(trace: &Trace) -> Vec<u32> {
    let mut next = vec![NEVER; trace.asks.len()];
    let mut seen = vec![NEVER; trace.blobs.len()];
    for (at, ask) in trace.asks.iter().enumerate().rev() {
        next[at] = seen[ask.blob as usize];
        seen[ask.blob as usize] = u32::try_from(at).unwrap_or(NEVER);
    }
    next
}

/// Which asks of the trace hit, in a cache of `room` bytes.
pub fn belady(trace: &Trace, next: &[u32], room: u64, by: Farthest) -> Vec<bool> {
    match by {
        Farthest::Use => farthest_use(trace, next, room),
        Farthest::Bytes => farthest_bytes(trace, next, room),
    }
}

fn farthest_use(trace: &Trace, next: &[u32], room: u64) -> Vec<bool> {
    let (mut held, mut order) = (0, BTreeSet::new());
    let mut hits = vec![false; next.len()];
    for (at, ask) in trace.asks.iter().enumerate() {
        let len = trace.blobs[ask.blob as usize].len;
        let here = order.remove(&(u32::try_from(at).unwrap_or(NEVER), ask.blob));
        hits[at] = here;
        held -= if here { len } else { 0 };
        if next[at] == NEVER || len > room {
            continue;
        }
        order.insert((next[at], ask.blob));
        held += len;
        while held > room {
            let Some((_, farthest)) = order.pop_last() else { break };
            held -= trace.blobs[farthest as usize].len;
        }
    }
    hits
}

fn farthest_bytes(trace: &Trace, next: &[u32], room: u64) -> Vec<bool> {
    let (mut held, mut here) = (0, HashMap::new());
    let mut hits = vec![false; next.len()];
    for (at, ask) in trace.asks.iter().enumerate() {
        let len = trace.blobs[ask.blob as usize].len;
        if here.remove(&ask.blob).is_some() {
            hits[at] = true;
            held -= len;
        }
        if next[at] == NEVER || len > room {
            continue;
        }
        here.insert(ask.blob, next[at]);
        held += len;
        while held > room {
            let cost = |(blob, next): (&u32, &u32)| {
                ((u128::from(*next) - at as u128) * u128::from(trace.blobs[*blob as usize].len), *blob)
            };
            let Some((_, victim)) = here.iter().map(cost).max() else { break };
            here.remove(&victim);
            held -= trace.blobs[victim as usize].len;
        }
    }
    hits
}

/// More hits, and more bytes of hits, than any cache of `room` bytes can have.
pub fn bound(trace: &Trace, next: &[u32], room: u64) -> (u64, u64) {
    let total = u128::from(room) * next.len() as u128;
    let stays = trace
        .asks
        .iter()
        .zip(next)
        .enumerate()
        .filter(|(_, (ask, next))| **next != NEVER && trace.blobs[ask.blob as usize].len <= room);
    let mut stays: Vec<(u64, u64)> =
        stays.map(|(at, (ask, next))| (u64::from(*next) - at as u64, trace.blobs[ask.blob as usize].len)).collect();
    let cost = |(wait, len): (u64, u64)| u128::from(wait) * u128::from(len);
    stays.sort_by_key(|stay| cost(*stay));
    let (mut taken, mut hits) = (0, 0);
    for stay in &stays {
        taken += cost(*stay);
        hits += 1;
        if taken >= total {
            break;
        }
    }
    stays.sort();
    let (mut taken, mut bytes) = (0, 0);
    for stay in &stays {
        taken += cost(*stay);
        bytes += stay.1;
        if taken >= total {
            break;
        }
    }
    (hits, bytes)
}
