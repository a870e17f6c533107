//! The two tiers as [`images`](crate) runs them, without bytes: the real policy decides who is let in.
//!
//! ```text
//!   ask -> in RAM? hit
//!       -> on disk? hit, and promoted when RAM admits it
//!       -> filled to disk, when it admits it, and to RAM, when it admits it; else passed through
//! ```
//! A fill takes no time here, for nobody: the ask that begins one is a miss, the next one is a hit.

use std::collections::HashMap;

use crate::model::{Digest, Moment, image::Tier};

use super::{
    super::{Admission, Candidate, Policy, Rooms},
    Score, Trace,
};

/// One tier.
#[derive(Debug, Default)]
struct Shelf {
    room: u64,
    held: Vec<Candidate>,
    places: HashMap<Digest, usize>,
}

impl Shelf {
    fn has(&self, digest: &Digest) -> bool {
        self.places.contains_key(digest)
    }

    fn take_in(&mut self, policy: &Policy, tier: Tier, digest: Digest, len: u64, now: Moment) -> bool {
        let Admission::Admit { evict } = policy.admit(tier, &digest, len, self.room, &self.held, now) else {
            return false;
        };
        evict.iter().for_each(|digest| self.drop(digest));
        self.places.insert(digest, self.held.len());
        self.held.push(Candidate { digest, len, fixed: false });
        true
    }

    fn drop(&mut self, digest: &Digest) {
        if let Some(place) = self.places.remove(digest) {
            self.held.swap_remove(place);
            if let Some(moved) = self.held.get(place) {
                self.places.insert(moved.digest, place);
            }
        }
    }
}

/// Runs the policy over a trace.
pub fn run(mut policy: Policy, trace: &Trace, rooms: Rooms) -> Score {
    let mut ram = Shelf { room: rooms.ram, ..Shelf::default() };
    let mut disk = Shelf { room: rooms.disk, ..Shelf::default() };
    let mut score = Score::default();
    for ask in &trace.asks {
        let blob = trace.blobs[ask.blob as usize];
        policy.asked(blob.digest, ask.at);
        let (in_ram, on_disk) = (ram.has(&blob.digest), disk.has(&blob.digest));
        score.count(blob.len, in_ram, on_disk);
        if in_ram {
            continue;
        }
        if !on_disk {
            disk.take_in(&policy, Tier::Disk, blob.digest, blob.len, ask.at);
        }
        ram.take_in(&policy, Tier::Ram, blob.digest, blob.len, ask.at);
    }
    score
}
