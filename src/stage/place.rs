//! Where everything should be.

use std::collections::BTreeMap;

use crate::model::{Digest, Moment, image::Tier};

use super::policy::{Policy, largest};

/// A blob that the library names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub digest: Digest,
    /// Its length in bytes.
    pub len: u64,
}

/// How many bytes each tier takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rooms {
    /// RAM.
    pub ram: u64,
    /// Disk.
    pub disk: u64,
}

impl Policy {
    /// The nearest tier in which each blob should be, when nothing hinders it. What nobody asks for needs no tier.
    ///
    /// In this order blobs take the room that there is: what is pinned; what is forecast, while the forecast is believed; what
    /// the policy that leads keeps; and the rest by worth. Time alone changes none of it: that takes asks, a forecast or a pin.
    pub fn desired(&self, known: &[Known], rooms: Rooms, now: Moment) -> BTreeMap<Digest, Tier> {
        let mut desired = BTreeMap::new();
        for (tier, mut room) in [(Tier::Disk, rooms.disk), (Tier::Ram, rooms.ram)] {
            let largest = largest(tier, room);
            for claim in self.claims(tier, known, now) {
                let fits = claim.len <= room && (claim.len <= largest || claim.pinned);
                if fits && desired.get(&claim.digest) != Some(&tier) {
                    room -= claim.len;
                    desired.insert(claim.digest, tier);
                }
            }
        }
        desired
    }

    /// Who wants to be in a tier, the most urgent first.
    fn claims(&self, tier: Tier, known: &[Known], now: Moment) -> Vec<Claim> {
        let believed = self.believes(tier, now);
        let mut claims: Vec<Claim> = known
            .iter()
            .filter_map(|known| {
                let pin = self.pinned(&known.digest);
                // A blob that is pinned to the disk is not wanted nearer.
                if tier == Tier::Ram && pin == Some(Tier::Disk) {
                    return None;
                }
                let worth = self.worth_of(&known.digest, Some(known.len), now);
                let forecast = if believed { worth.forecast } else { 0.0 };
                let heat = worth.per_byte * worth.heat / (worth.heat + worth.forecast).max(f64::MIN_POSITIVE);
                let claim = Claim {
                    digest: known.digest,
                    len: known.len,
                    pinned: pin.is_some(),
                    forecast: forecast * worth.gain / known.len.max(1) as f64,
                    kept: self.wanted(tier, &known.digest).is_some_and(|(kept, _)| kept),
                    heat,
                };
                (claim.pinned || claim.kept || claim.forecast > 0.0 || claim.heat > 0.0).then_some(claim)
            })
            .collect();
        claims.sort_by(|a, b| {
            let by_worth =
                || b.forecast.total_cmp(&a.forecast).then(b.kept.cmp(&a.kept)).then(b.heat.total_cmp(&a.heat));
            b.pinned.cmp(&a.pinned).then_with(by_worth).then(a.digest.cmp(&b.digest))
        });
        claims
    }
}

/// A blob that wants to be in a tier.
struct Claim {
    digest: Digest,
    len: u64,
    pinned: bool,
    /// What is forecast of it, per byte.
    forecast: f64,
    /// The policy that leads keeps it.
    kept: bool,
    /// What it was asked for of late, per byte.
    heat: f64,
}
