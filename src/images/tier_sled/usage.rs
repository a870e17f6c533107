//! How much room blobs take, alone and together.

use std::collections::{HashMap, HashSet};

use crate::{images::lock, model::Digest};

use super::DiskTier;

/// What a set of blobs takes on the disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::images) struct Taken {
    /// What they are made of: what several of them share counts once.
    pub(in crate::images) resident: u64,
    /// What comes free when they go: without what others share with them.
    pub(in crate::images) unique: u64,
}

impl DiskTier {
    /// How many bytes it takes.
    pub(in crate::images) fn room(&self) -> u64 {
        self.room
    }

    /// Each blob with its length, and whether it is being read. What blobs share counts for each of them.
    pub(in crate::images) fn standing(&self) -> Vec<(Digest, u64, bool)> {
        let state = lock(&self.state);
        let blobs = state.blobs.iter().filter(|(_, held)| !held.entry.remnant);
        blobs.map(|(digest, held)| (*digest, held.entry.len, !state.untouched(digest))).collect()
    }

    /// What some blobs take together.
    pub(in crate::images) fn taken(&self, digests: &[Digest]) -> Taken {
        let state = lock(&self.state);
        let of: HashSet<&Digest> = digests.iter().collect();
        let mut taken = Taken::default();
        let mut users: HashMap<(Digest, usize), u32> = HashMap::new();
        let mut counted = HashSet::new();
        for digest in &of {
            let Some(held) = state.blobs.get(*digest).filter(|held| !held.entry.remnant) else { continue };
            let (own, shared) = (state.own(digest), state.shared(digest, &mut counted));
            taken.resident += own + shared;
            taken.unique += own;
            for place in held.map.iter().flat_map(|map| map.borrowed()) {
                *users.entry(place).or_default() += 1;
            }
        }
        // What is shared comes free as well when nobody else has it: its lender goes too, and so do all who borrow it.
        for (lender, nth) in counted {
            let Some(held) = state.blobs.get(&lender) else { continue };
            let goes = held.entry.remnant || of.contains(&lender);
            if let Some(map) = held.map.as_ref().filter(|_| goes && users.get(&(lender, nth)) == Some(&held.lent[nth]))
            {
                taken.unique += u64::from(map.chunks[nth].len);
            }
        }
        taken
    }
}
