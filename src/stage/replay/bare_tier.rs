//! A tier without bytes: what the policy let in, and let go.

use std::collections::HashMap;

use crate::{
    model::{Digest, Moment, image::Tier},
    stage::{Admission, Candidate, Policy, Standing, Step, StepKind},
};

/// A tier that holds names and lengths in place of bytes.
#[derive(Debug)]
pub struct BareTier {
    tier: Tier,
    room: u64,
    held: Vec<Candidate>,
    places: HashMap<Digest, usize>,
}

impl BareTier {
    /// An empty tier of so many bytes.
    pub fn new(tier: Tier, room: u64) -> Self {
        Self { tier, room, held: vec![], places: HashMap::new() }
    }

    /// Whether it holds a blob.
    pub fn has(&self, digest: &Digest) -> bool {
        self.places.contains_key(digest)
    }

    /// Takes a blob in that is not here, if the policy admits it; who has to go for it goes. Returns whether it came in.
    pub fn take_in(&mut self, policy: &Policy, digest: Digest, len: u64, now: Moment) -> bool {
        if self.has(&digest) {
            return false;
        }
        let Admission::Admit { evict } = policy.admit(self.tier, &digest, len, self.room, &self.held, now) else {
            return false;
        };
        evict.iter().for_each(|digest| self.let_go(digest));
        self.places.insert(digest, self.held.len());
        self.held.push(Candidate { digest, len, fixed: false });
        true
    }

    /// Lets a blob go.
    pub fn let_go(&mut self, digest: &Digest) {
        if let Some(place) = self.places.remove(digest) {
            self.held.swap_remove(place);
            if let Some(moved) = self.held.get(place) {
                self.places.insert(moved.digest, place);
            }
        }
    }
}

/// Takes a step of the keeper's between two tiers. What a fetch brings comes when it has come: that is for the caller.
pub fn take(step: &Step, ram: &mut BareTier, disk: &mut BareTier, policy: &Policy, now: Moment) {
    let Step { digest, len, kind, .. } = *step;
    match kind {
        StepKind::Fetch => {}
        StepKind::Promote => {
            ram.take_in(policy, digest, len, now);
        }
        StepKind::Demote => {
            ram.let_go(&digest);
            disk.take_in(policy, digest, len, now);
        }
        StepKind::Evict => {
            ram.let_go(&digest);
            disk.let_go(&digest);
        }
    }
}

/// Where everything is that is in a tier, or is `expected` (digests with lengths).
pub fn standing(ram: &BareTier, disk: &BareTier, expected: &[(Digest, u64)]) -> Vec<Standing> {
    let held = ram.held.iter().chain(&disk.held).map(|held| (held.digest, held.len));
    let mut all: Vec<(Digest, u64)> = held.chain(expected.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    let standing = |(digest, len)| {
        let (ram, disk) = (ram.has(&digest), disk.has(&digest));
        Standing { digest, len, ram, disk, fixed: false }
    };
    all.into_iter().map(standing).collect()
}
