//! The RAM tier: whole blobs, least recently used out first.

use std::collections::HashMap;

use bytes::Bytes;

use crate::model::Digest;

/// A blob may take half of the tier at most: one large image shall not empty it.
const LARGEST_SHARE: u64 = 2;

/// Blobs in memory. Readers hold their own reference, so an evicted blob lives until the last of them is done.
pub(super) struct RamTier {
    room: u64,
    /// Bytes in `blobs` and promised to `coming`; never more than `room`.
    held: u64,
    clock: u64,
    blobs: HashMap<Digest, Held>,
    /// What is being loaded, with its length.
    coming: HashMap<Digest, u64>,
}

struct Held {
    bytes: Bytes,
    used: u64,
}

impl RamTier {
    pub(super) fn new(room: u64) -> Self {
        Self { room, held: 0, clock: 0, blobs: HashMap::new(), coming: HashMap::new() }
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

    /// Bytes held or promised.
    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// Whether the caller shall load the blob: it may fit, is not here, and nobody else is loading it. If so, its room is
    /// made now and kept until [`end`](Self::end).
    pub(super) fn begin(&mut self, digest: &Digest, len: u64) -> bool {
        if len > self.room / LARGEST_SHARE || self.blobs.contains_key(digest) || self.coming.contains_key(digest) {
            return false;
        }
        while self.held + len > self.room {
            let Some(oldest) = self.blobs.iter().min_by_key(|(_, held)| held.used).map(|(digest, _)| *digest) else {
                // Others are being loaded into all of the room.
                return false;
            };
            self.remove(&oldest);
        }
        self.held += len;
        self.coming.insert(*digest, len);
        true
    }

    /// Takes what [`begin`](Self::begin) asked for; `None` when it could not be had.
    pub(super) fn end(&mut self, digest: &Digest, bytes: Option<Bytes>) {
        let Some(promised) = self.coming.remove(digest) else { return };
        self.held -= promised;
        let Some(bytes) = bytes.filter(|bytes| bytes.len() as u64 == promised) else { return };
        self.clock += 1;
        self.held += promised;
        self.blobs.insert(*digest, Held { bytes, used: self.clock });
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

    const fn digest(n: u8) -> Digest {
        Digest::new([n; 32])
    }

    fn blob(len: usize) -> Option<Bytes> {
        Some(Bytes::from(vec![0; len]))
    }

    #[test]
    fn the_least_recently_used_blob_goes_first_and_none_may_fill_the_tier() {
        let mut tier = RamTier::new(100);
        assert!(!tier.begin(&digest(0), 51), "more than half of the tier");
        for n in 1..=3 {
            assert!(n != 3 || tier.get(&digest(1)).is_some(), "used again before the third comes");
            assert!(tier.begin(&digest(n), 40));
            assert!(!tier.begin(&digest(n), 40), "somebody loads it already");
            tier.end(&digest(n), blob(40));
        }
        assert_eq!((tier.get(&digest(1)).is_some(), tier.get(&digest(2)).is_some(), tier.held()), (true, false, 80));
    }

    #[test]
    fn room_is_promised_once_and_given_back() {
        let mut tier = RamTier::new(100);
        assert!(tier.begin(&digest(1), 50) && tier.begin(&digest(2), 50));
        assert!(!tier.begin(&digest(3), 1), "all of the room is promised");
        tier.end(&digest(1), None);
        assert!(tier.begin(&digest(3), 50));
        tier.end(&digest(2), blob(49));
        assert_eq!(tier.get(&digest(2)), None, "not the length that was promised");
        tier.end(&digest(3), blob(50));
        tier.remove(&digest(3));
        assert_eq!(tier.held(), 0);
    }
}
