//! Who can go, what comes free then, and how a blob goes.
//!
//! ```text
//!   evict A ──nobody borrows of it──> its file and entry go
//!        └──B borrows of it─────────> a remnant: what B borrows stays in A's file, the rest becomes a hole
//!   evict B ──it borrows of A───────> A's remnant shrinks, and goes with its last borrower
//! ```

use std::collections::HashSet;

use crate::{
    images::{lock, now},
    model::{Digest, image::Tier},
    stage::{Candidate, Policy},
};

use super::{DiskTier, Held, State, map::Home};

impl State {
    /// What the policy may choose from, what is worth least first.
    ///
    /// What blobs share comes free with the last of them, so it counts for the one that would go last: the sum is what the
    /// tier holds, and the first so many come to what they free together.
    pub(super) fn candidates(&self, policy: &Policy) -> Vec<Candidate> {
        let now = now();
        let mut ranked: Vec<(bool, f64, u64, Digest)> = self
            .blobs
            .iter()
            .filter(|(_, held)| !held.entry.remnant)
            .map(|(digest, held)| {
                let fixed = !self.idle(digest) || policy.pinned(digest).is_some_and(|to| to <= Tier::Disk);
                (fixed, policy.worth(digest, now).per_byte, held.entry.used, *digest)
            })
            .collect();
        ranked.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        let mut counted = HashSet::new();
        let last_first = ranked.iter().rev().map(|(fixed, _, _, digest)| {
            let len = self.own(digest) + self.shared(digest, &mut counted);
            Candidate { digest: *digest, len, fixed: *fixed }
        });
        let mut candidates: Vec<Candidate> = last_first.collect();
        candidates.reverse();
        candidates
    }

    /// Bytes that its file takes and that nobody borrows.
    pub(super) fn own(&self, digest: &Digest) -> u64 {
        let Some(held) = self.blobs.get(digest) else { return 0 };
        let lent = held.map.iter().flat_map(|map| map.chunks.iter().zip(&held.lent)).filter(|(_, times)| **times > 0);
        held.resident() - lent.map(|(chunk, _)| u64::from(chunk.len)).sum::<u64>()
    }

    /// Bytes that it lends or borrows, of those not `counted` yet.
    pub(super) fn shared(&self, digest: &Digest, counted: &mut HashSet<(Digest, usize)>) -> u64 {
        let Some(held) = self.blobs.get(digest) else { return 0 };
        let Some(map) = &held.map else { return 0 };
        let lends = (0..map.chunks.len()).filter(|nth| held.lent[*nth] > 0).map(|nth| (*digest, nth));
        let mut sum = 0;
        for (lender, nth) in lends.chain(map.borrowed()) {
            if counted.insert((lender, nth)) {
                let map = self.blobs.get(&lender).and_then(|held| held.map.as_ref());
                sum += map.map_or(0, |map| u64::from(map.chunks[nth].len));
            }
        }
        sum
    }

    /// The blob that is worth least, of those that can go.
    pub(super) fn least(&self, policy: &Policy) -> Option<Digest> {
        self.candidates(policy).first().filter(|least| !least.fixed).map(|least| least.digest)
    }
}

impl DiskTier {
    /// Evicts a blob that nobody reads; `false` when somebody does.
    pub(in crate::images) fn let_go(&self, digest: &Digest) -> bool {
        let mut state = lock(&self.state);
        let idle = state.idle(digest);
        if idle {
            self.evict(&mut state, digest);
        }
        idle
    }

    /// Evicts what is worth least until the tier is no larger than it may be. For the start: it may have been larger.
    pub(super) fn fit(&self) {
        let policy = lock(&self.policy);
        let mut state = lock(&self.state);
        while state.held() > self.room {
            let Some(least) = state.least(&policy) else { return };
            self.evict(&mut state, &least);
        }
    }

    /// Every blob that it holds: its length, and whether somebody is reading it.
    pub(in crate::images) fn all(&self) -> Vec<(Digest, u64, bool)> {
        let state = lock(&self.state);
        let blobs = state.blobs.iter().filter(|(_, held)| !held.entry.remnant);
        blobs.map(|(digest, held)| (*digest, held.entry.len, !state.untouched(digest))).collect()
    }

    /// Evicts a blob; `false` when somebody is reading it.
    pub(in crate::images) fn remove_idle(&self, digest: &Digest) -> bool {
        let mut state = lock(&self.state);
        let idle = state.untouched(digest);
        if idle {
            self.evict(&mut state, digest);
        }
        idle
    }

    /// Evicts a blob. Readers that have it open read on.
    pub(super) fn evict(&self, state: &mut State, digest: &Digest) {
        if state.blobs.get(digest).is_none_or(|held| held.entry.remnant) {
            return;
        }
        let lenders = state.give_back(digest);
        if let Some(held) = state.blobs.get_mut(digest) {
            held.entry.remnant = true;
            self.index.put(digest, &held.entry);
        }
        for digest in lenders.iter().chain([digest]) {
            self.shrink(state, digest);
        }
    }

    /// Takes from a remnant what nobody borrows any more.
    pub(super) fn shrink(&self, state: &mut State, digest: &Digest) {
        let Some(held) = state.blobs.get(digest).filter(|held| held.entry.remnant) else { return };
        let Some(map) = held.map.as_ref().filter(|_| held.lends()) else {
            self.forget(state, digest);
            return;
        };
        let mut left = map.with(|nth, _| if held.lent[nth] > 0 { Home::Here } else { Home::Gone });
        left.lenders.clear();
        state.rehome(&self.index, digest, left);
        self.hollow(state, digest);
    }

    /// Drops a blob and its file.
    pub(super) fn forget(&self, state: &mut State, digest: &Digest) {
        state.blobs.remove(digest);
        state.open.remove(digest);
        state.shelves.remove(digest);
        self.index.remove(digest);
        // It may be gone already; that is what is wanted.
        drop(std::fs::remove_file(self.path(digest)));
    }

    /// Drops a blob whose file is gone or cut short, and with it whatever borrows of it.
    pub(super) fn lose(&self, state: &mut State, digest: &Digest) {
        let borrows =
            |held: &Held| held.map.as_ref().is_some_and(|map| map.borrowed().any(|(lender, _)| lender == *digest));
        let borrowers: Vec<Digest> =
            state.blobs.iter().filter(|(_, held)| borrows(held)).map(|(digest, _)| *digest).collect();
        for borrower in borrowers {
            self.evict(state, &borrower);
        }
        self.evict(state, digest);
        self.forget(state, digest);
    }
}

impl State {
    /// Gives back all that a blob borrows; who lent it.
    fn give_back(&mut self, digest: &Digest) -> HashSet<Digest> {
        let Some(map) = self.blobs.get(digest).and_then(|held| held.map.clone()) else { return HashSet::new() };
        let mut lenders = HashSet::new();
        for (lender, nth) in map.borrowed() {
            if let Some(times) = self.blobs.get_mut(&lender).and_then(|held| held.lent.get_mut(nth)) {
                *times = times.saturating_sub(1);
                lenders.insert(lender);
            }
        }
        lenders.remove(digest);
        lenders
    }
}
