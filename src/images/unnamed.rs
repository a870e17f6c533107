//! Blobs in the tiers that nothing names any more: those that `greenroom image gc` removes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{Bytes, Digest};

use super::{Images, lock};

/// A blob that nobody names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unnamed {
    /// Its name.
    pub digest: Digest,
    /// What it takes of the RAM tier.
    pub ram: Bytes,
    /// How long it is in the disk tier; blobs that share chunks take less.
    pub disk: Bytes,
    /// Whether somebody is reading it: it stays then.
    pub is_read: bool,
}

impl Images {
    /// What the tiers hold beside the blobs of `named` and those that are pinned, by name.
    pub fn unnamed(&self, named: &BTreeSet<Digest>) -> Vec<Unnamed> {
        let mut found: BTreeMap<Digest, Unnamed> = BTreeMap::new();
        let (ram, disk) = (self.tiers().ram().standing(), self.tiers().disk.standing());
        let none = |digest| Unnamed { digest, ram: Bytes(0), disk: Bytes(0), is_read: false };
        for (digest, len, is_read) in ram {
            let one = found.entry(digest).or_insert_with(|| none(digest));
            (one.ram, one.is_read) = (Bytes(len), is_read);
        }
        for (digest, len, is_read) in disk {
            let one = found.entry(digest).or_insert_with(|| none(digest));
            one.disk = Bytes(len);
            one.is_read |= is_read;
        }
        let policy = self.tiers().disk.policy().clone();
        let policy = lock(&policy);
        let is_kept = |digest: &Digest| named.contains(digest) || policy.pinned(digest).is_some();
        found.into_values().filter(|one| !is_kept(&one.digest)).collect()
    }

    /// Evicts these blobs, but for those that are read, fetched or pinned by now; those that went.
    pub fn remove(&self, unnamed: &[Unnamed]) -> Vec<Unnamed> {
        unnamed.iter().filter(|one| self.evict(&one.digest, false).is_ok()).copied().collect()
    }
}
