//! The RAM tier: whole blobs, least recently used out first.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use crate::model::Digest;

/// A blob may take half of the tier at most: one large image shall not empty it.
const LARGEST_SHARE: u64 = 2;

/// Blobs in memory. Readers hold their own reference, so an evicted blob lives until the last of them is done.
pub(super) struct RamTier {
    room: u64,
    held: u64,
    clock: u64,
    blobs: HashMap<Digest, Held>,
    coming: HashSet<Digest>,
}

struct Held {
    bytes: Bytes,
    used: u64,
}

impl RamTier {
    pub(super) fn new(room: u64) -> Self {
        Self { room, held: 0, clock: 0, blobs: HashMap::new(), coming: HashSet::new() }
    }

    pub(super) fn get(&mut self, digest: &Digest) -> Option<Bytes> {
        self.clock += 1;
        let held = self.blobs.get_mut(digest)?;
        held.used = self.clock;
        Some(held.bytes.clone())
    }

    pub(super) fn len_of(&self, digest: &Digest) -> Option<u64> {
        self.blobs.get(digest).map(|held| held.bytes.len() as u64)
    }

    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// Whether the caller shall load the blob: it fits, is not here, and nobody else is loading it.
    pub(super) fn begin(&mut self, digest: &Digest, len: u64) -> bool {
        len <= self.room / LARGEST_SHARE && !self.blobs.contains_key(digest) && self.coming.insert(*digest)
    }

    /// Takes what [`begin`](Self::begin) asked for; `None` when it could not be read.
    pub(super) fn end(&mut self, digest: Digest, bytes: Option<Vec<u8>>) {
        self.coming.remove(&digest);
        let Some(bytes) = bytes else { return };
        self.clock += 1;
        self.held += bytes.len() as u64;
        self.blobs.insert(digest, Held { bytes: bytes.into(), used: self.clock });
        while self.held > self.room {
            let Some(oldest) = self.blobs.iter().min_by_key(|(_, held)| held.used).map(|(digest, _)| *digest) else {
                return;
            };
            self.remove(&oldest);
        }
    }

    pub(super) fn remove(&mut self, digest: &Digest) {
        if let Some(held) = self.blobs.remove(digest) {
            self.held -= held.bytes.len() as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_blob_goes_first_and_none_may_fill_the_tier() {
        let digest = |n| Digest::new([n; 32]);
        let mut tier = RamTier::new(100);
        assert!(!tier.begin(&digest(0), 51), "more than half of the tier");
        for n in 1..=3 {
            assert!(tier.begin(&digest(n), 40));
            assert!(!tier.begin(&digest(n), 40), "somebody loads it already");
            if n == 3 {
                assert!(tier.get(&digest(1)).is_some(), "used again");
            }
            tier.end(digest(n), Some(vec![n; 40]));
        }
        assert_eq!((tier.get(&digest(1)).is_some(), tier.get(&digest(2)).is_some(), tier.held()), (true, false, 80));
    }
}
