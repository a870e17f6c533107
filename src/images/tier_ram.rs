//! The RAM tier: whole blobs in memory that the kernel can send, those that the policy says.

use std::{collections::HashMap, fs::File, sync::Arc};

use crate::{
    model::{Digest, Moment, image::Tier},
    stage::{Admission, Candidate, Policy},
};

/// Blobs in memory. Readers hold their own reference, so an evicted blob lives until the last of them is done.
pub(super) struct RamTier {
    room: u64,
    blobs: HashMap<Digest, Held>,
    /// What is being loaded, with its length.
    coming: HashMap<Digest, u64>,
}

struct Held {
    memory: Arc<File>,
    len: u64,
}

impl Held {
    /// Memory that is being read comes back only with the last of its readers.
    fn is_read(&self) -> bool {
        Arc::strong_count(&self.memory) > 1
    }
}

impl RamTier {
    pub(super) fn new(room: u64) -> Self {
        Self { room, blobs: HashMap::new(), coming: HashMap::new() }
    }

    /// How many bytes it takes.
    pub(super) fn room(&self) -> u64 {
        self.room
    }

    /// Each blob with its length, and whether it is being read.
    pub(super) fn standing(&self) -> Vec<(Digest, u64, bool)> {
        self.blobs.iter().map(|(digest, held)| (*digest, held.len, held.is_read())).collect()
    }

    /// Whether somebody reads a blob here.
    pub(super) fn is_read(&self, digest: &Digest) -> bool {
        self.blobs.get(digest).is_some_and(Held::is_read)
    }

    /// A blob's memory and length.
    pub(super) fn get(&self, digest: &Digest) -> Option<(Arc<File>, u64)> {
        self.blobs.get(digest).map(|held| (held.memory.clone(), held.len))
    }

    pub(super) fn len_of(&self, digest: &Digest) -> Option<u64> {
        self.blobs.get(digest).map(|held| held.len)
    }

    /// Bytes held or promised; never more than the tier has room for.
    pub(super) fn held(&self) -> u64 {
        self.blobs.values().map(|held| held.len).chain(self.coming.values().copied()).sum()
    }

    /// Whether the caller shall load the blob: the policy lets it in, it is not here, and nobody else is loading it. If so,
    /// its room is made now and kept until [`end`](Self::end).
    pub(super) fn begin(&mut self, policy: &Policy, digest: &Digest, len: u64, now: Moment) -> bool {
        if self.blobs.contains_key(digest) || self.coming.contains_key(digest) {
            return false;
        }
        let blobs = self.blobs.iter();
        let blobs = blobs.map(|(digest, held)| Candidate { digest: *digest, len: held.len, fixed: held.is_read() });
        let coming = self.coming.iter().map(|(digest, len)| Candidate { digest: *digest, len: *len, fixed: true });
        let held: Vec<Candidate> = blobs.chain(coming).collect();
        let Admission::Admit { evict } = policy.admit(Tier::Ram, digest, len, self.room, &held, now) else {
            return false;
        };
        evict.iter().for_each(|digest| self.remove(digest));
        self.coming.insert(*digest, len);
        true
    }

    /// Takes what [`begin`](Self::begin) asked for; `None` when it could not be had.
    pub(super) fn end(&mut self, digest: &Digest, memory: Option<File>) {
        if let (Some(len), Some(memory)) = (self.coming.remove(digest), memory) {
            self.blobs.insert(*digest, Held { memory: Arc::new(memory), len });
        }
    }

    /// Evicts a blob, also one that is being loaded.
    pub(super) fn remove(&mut self, digest: &Digest) {
        self.blobs.remove(digest);
        self.coming.remove(digest);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::memory, *};

    const fn digest(n: u8) -> Digest {
        Digest::new([n; 32])
    }

    const NOW: Moment = Moment::from_millis(1_000_000);

    fn asked(times: &[(u8, u32)]) -> Policy {
        let mut policy = Policy::default();
        times.iter().for_each(|(n, times)| (0..*times).for_each(|_| policy.asked(digest(*n), NOW)));
        policy
    }

    #[test]
    fn the_blob_that_is_worth_least_goes_first_and_none_may_fill_the_tier() {
        let (mut tier, policy) = (RamTier::new(100), asked(&[(0, 9), (1, 2), (2, 1), (3, 3), (4, 1)]));
        assert!(!tier.begin(&policy, &digest(0), 51, NOW), "more than half of the tier");
        for n in 1..=3 {
            assert!(tier.begin(&policy, &digest(n), 40, NOW));
            assert!(!tier.begin(&policy, &digest(n), 40, NOW), "somebody loads it already");
            tier.end(&digest(n), memory::new().ok());
        }
        assert_eq!((tier.get(&digest(1)).is_some(), tier.get(&digest(2)).is_some(), tier.held()), (true, false, 80));
        assert!(!tier.begin(&policy, &digest(4), 40, NOW), "worth less than what is here");
        let reader = tier.get(&digest(1));
        assert!(!tier.begin(&asked(&[(5, 9)]), &digest(5), 50, NOW) || tier.get(&digest(1)).is_some(), "being read");
        drop(reader);
    }

    #[test]
    fn room_is_promised_once_and_given_back() {
        let (mut tier, policy) = (RamTier::new(100), asked(&[(1, 1), (2, 1), (3, 1)]));
        assert!(tier.begin(&policy, &digest(1), 50, NOW) && tier.begin(&policy, &digest(2), 50, NOW));
        assert!(!tier.begin(&policy, &digest(3), 1, NOW), "all of the room is promised");
        tier.end(&digest(1), None);
        assert!(tier.begin(&policy, &digest(3), 50, NOW));
        tier.end(&digest(3), memory::new().ok());
        tier.remove(&digest(3));
        assert_eq!(tier.held(), 50);
    }
}
