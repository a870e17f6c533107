//! Why a blob is where it is, and what would have to happen for it to move.

use serde::{Deserialize, Serialize};

use crate::{
    model::{Bytes, Digest, image::Tier},
    stage::{Admission, Candidate, Known, Step, Turned},
};

use super::{super::now, Keeper, Waiting, room_of};

/// All that decides where a blob is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Which blob.
    pub digest: Digest,
    /// Its length; `None` when nobody has said it yet.
    pub len: Option<Bytes>,
    /// RAM has it.
    pub ram: bool,
    /// The disk has it.
    pub disk: bool,
    /// It is being read or fetched.
    pub in_use: bool,
    /// The tier that it is pinned to.
    pub pin: Option<Tier>,
    /// Asks of late, each halving with the hour.
    pub heat: f64,
    /// Asks that are forecast.
    pub forecast: f64,
    /// What all of it costs from its origin, in seconds.
    pub cost_seconds: f64,
    /// Seconds that a GiB of room for it is expected to save: what blobs are compared by.
    pub worth: f64,
    /// The nearest tier in which the policy wants it.
    pub desired: Tier,
    /// Whether RAM lets it in.
    pub to_ram: Gate,
    /// Whether the disk lets it in.
    pub to_disk: Gate,
    /// Of its nearest tier, how many blobs would go before it when room is wanted. `None` when no tier has it.
    pub before_it: Option<usize>,
    /// The step that the keeper would take with it now.
    #[serde(skip)]
    pub step: Option<Step>,
    /// It is left alone for a while.
    pub waiting: Option<Waiting>,
}

/// Whether a tier lets a blob in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "gate")]
pub enum Gate {
    /// It is in already.
    In,
    /// There is room.
    Open,
    /// It would take the place of these.
    InPlaceOf {
        /// Who goes, in this order.
        evict: Vec<Digest>,
    },
    /// What would have to go is worth more.
    WorthLess,
    /// What would have to go is being read or pinned.
    InUse,
    /// It is larger than what one blob may take of the tier, but would fit if it were pinned there.
    OnlyPinned,
    /// It is larger than the tier.
    Never,
}

impl Keeper {
    /// How often a blob was asked for of late, each ask halving with the hour, and how often it is forecast to be.
    pub fn asks(&self, digest: &Digest) -> (f64, f64) {
        let worth = self.images.inner.tiers.policy().worth(digest, now());
        (worth.heat, worth.forecast)
    }

    /// Why a blob is where it is; `None` when neither the library nor a tier knows it.
    pub fn account(&self, digest: &Digest) -> Option<Account> {
        let standing = self.standing();
        let one = *standing.iter().find(|one| one.digest == *digest)?;
        let (plan, rooms, now) = (self.plan(), self.images.logical_rooms(), now());
        let known: Vec<Known> = standing.iter().map(|one| Known { digest: one.digest, len: one.len }).collect();
        let measured = one.ram || one.disk || {
            let told = self.told();
            told.files.get(digest).is_some_and(|file| told.len(file).is_some())
        };
        let policy = self.images.inner.tiers.policy();
        let worth = policy.worth(digest, now);
        let held = |tier: Tier| -> Vec<Candidate> {
            let here = standing.iter().filter(|one| if tier == Tier::Ram { one.ram } else { one.disk });
            here.map(|one| Candidate { digest: one.digest, len: one.len, fixed: one.fixed }).collect()
        };
        let gate = |tier: Tier, here: bool| -> Gate {
            let room = room_of(rooms, tier);
            match policy.admit(tier, digest, one.len, room, &held(tier), now) {
                _ if here => Gate::In,
                _ if one.len > room => Gate::Never,
                Admission::Admit { evict } if evict.is_empty() => Gate::Open,
                Admission::Admit { evict } => Gate::InPlaceOf { evict },
                Admission::Refuse(Turned::TooLarge) => Gate::OnlyPinned,
                Admission::Refuse(Turned::InUse) => Gate::InUse,
                Admission::Refuse(Turned::WorthLess) => Gate::WorthLess,
            }
        };
        let nearest = [(one.ram, Tier::Ram), (one.disk, Tier::Disk)].into_iter().find(|(here, _)| *here);
        let before_it = nearest.map(|(_, tier)| {
            let goes_first = |other: &Candidate| {
                let loose = !other.fixed && policy.pinned(&other.digest).is_none_or(|to| to > tier);
                loose && policy.worth(&other.digest, now).per_byte < worth.per_byte
            };
            held(tier).iter().filter(|other| goes_first(other)).count()
        });
        Some(Account {
            digest: *digest,
            len: measured.then_some(Bytes(one.len)),
            ram: one.ram,
            disk: one.disk,
            in_use: one.fixed,
            pin: policy.pinned(digest),
            heat: worth.heat,
            forecast: worth.forecast,
            cost_seconds: worth.cost * one.len as f64,
            worth: worth.per_byte * (1u64 << 30) as f64,
            desired: policy.desired(&known, rooms, now).get(digest).copied().unwrap_or(Tier::Origin),
            to_ram: gate(Tier::Ram, one.ram),
            to_disk: gate(Tier::Disk, one.disk),
            before_it,
            step: plan.steps.iter().find(|step| step.digest == *digest).copied(),
            waiting: plan.waiting.into_iter().find(|waiting| waiting.digest == *digest),
        })
    }
}
