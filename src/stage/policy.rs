//! What each blob is worth, and what follows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::{Digest, Moment, image::Tier};

use super::heat::Heat;

/// What a blob costs that is not at hand, before anybody measured it: an origin at 100 Mbit/s, in seconds per byte.
const COST: f64 = 1.0 / 12_500_000.0;

/// A blob of which a forecast knows nothing has this demand left when nobody has asked for it of late.
const STRANGER: f64 = 0.0;

/// The demand that is expected: digest -> asks until `until`. Whoever predicts makes it; without one it is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forecast {
    /// Asks that are expected of each blob.
    pub asks: HashMap<Digest, f64>,
    /// When it ends: afterwards it counts for nothing.
    pub until: Moment,
}

/// A blob in a tier that wants room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub digest: Digest,
    /// The bytes that come free when it goes.
    pub len: u64,
    /// It is being read, or pinned there: it stays.
    pub fixed: bool,
}

/// Whether a blob may come into a tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It may, when these have gone.
    Admit {
        /// Who goes, in this order.
        evict: Vec<Digest>,
    },
    /// It may not.
    Refuse(Turned),
}

/// Why a blob is turned away from a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turned {
    /// It is larger than what one blob may take of the tier.
    TooLarge,
    /// What would have to go is in use or pinned.
    InUse,
    /// What would have to go is worth more.
    WorthLess,
}

/// What a blob is worth, and from what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worth {
    /// Asks of late, each halving with the hour.
    pub heat: f64,
    /// Asks that are forecast.
    pub forecast: f64,
    /// What one byte costs from its origin, in seconds.
    pub cost: f64,
    /// Seconds that a byte of room for it is expected to save: what blobs are compared by.
    pub per_byte: f64,
}

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

/// Decides who is where. Owned by the cache, behind one lock.
#[derive(Debug, Default)]
pub struct Policy {
    heat: HashMap<Digest, Heat>,
    cost: HashMap<Digest, f64>,
    forecast: Forecast,
    pins: BTreeMap<Digest, Tier>,
    orders: BTreeSet<Digest>,
}

impl Policy {
    /// Somebody asks for a blob.
    pub fn asked(&mut self, digest: Digest, now: Moment) {
        self.heat.entry(digest).or_default().ask(now);
    }

    /// An origin gave `len` bytes in `seconds`.
    pub fn fetched(&mut self, digest: Digest, len: u64, seconds: f64) {
        self.cost.insert(digest, seconds / len.max(1) as f64);
    }

    /// Replaces what is expected.
    pub fn expect(&mut self, forecast: Forecast) {
        self.forecast = forecast;
    }

    /// Replaces what is pinned: each blob stays in its tier at least.
    pub fn pin(&mut self, pins: BTreeMap<Digest, Tier>) {
        self.pins = pins;
    }

    /// An operator wants a blob fetched: until [`done`](Self::done) it may take the place of anything that is not pinned.
    pub fn order(&mut self, digest: Digest) {
        self.orders.insert(digest);
    }

    /// An order was carried out, or given up.
    pub fn done(&mut self, digest: &Digest) {
        self.orders.remove(digest);
    }

    /// The tier that a blob is pinned to.
    pub fn pinned(&self, digest: &Digest) -> Option<Tier> {
        self.pins.get(digest).copied()
    }

    /// What a blob is worth at `now`.
    pub fn worth(&self, digest: &Digest, now: Moment) -> Worth {
        let heat = self.heat.get(digest).map_or(STRANGER, |heat| heat.at(now));
        let forecast = match now <= self.forecast.until {
            true => self.forecast.asks.get(digest).copied().unwrap_or(0.0),
            false => 0.0,
        };
        let cost = self.cost.get(digest).copied().unwrap_or(COST);
        // A hit saves the time of all its bytes and takes room for all of them: its length falls out.
        Worth { heat, forecast, cost, per_byte: (heat + forecast) * cost }
    }

    /// Whether `digest`, of `len` bytes, may come into a tier of `room` bytes that holds `held`; who goes for it. What is in
    /// use is never evicted, and nothing is evicted for what is worth less.
    pub fn admit(
        &self,
        tier: Tier,
        digest: &Digest,
        len: u64,
        room: u64,
        held: &[Candidate],
        now: Moment,
    ) -> Admission {
        // One large image shall not empty the RAM.
        let largest = if tier == Tier::Ram { room / 2 } else { room };
        let pinned = |digest| self.pinned(digest).is_some_and(|to| to <= tier);
        if len > largest && !(pinned(digest) && len <= room) {
            return Admission::Refuse(Turned::TooLarge);
        }
        let used: u64 = held.iter().map(|held| held.len).sum();
        let mut missing = (used + len).saturating_sub(room);
        let loose = held.iter().filter(|held| !held.fixed && !pinned(&held.digest));
        let mut loose: Vec<(f64, &Candidate)> =
            loose.map(|held| (self.worth(&held.digest, now).per_byte, held)).collect();
        loose.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let (own, wanted) = (self.worth(digest, now).per_byte, pinned(digest) || self.orders.contains(digest));
        let mut evict = vec![];
        for (worth, held) in loose {
            if missing == 0 {
                break;
            }
            if worth > own && !wanted {
                return Admission::Refuse(Turned::WorthLess);
            }
            missing = missing.saturating_sub(held.len);
            evict.push(held.digest);
        }
        if missing > 0 { Admission::Refuse(Turned::InUse) } else { Admission::Admit { evict } }
    }

    /// The nearest tier in which each blob should be, when nothing hinders it. What nobody asks for needs no tier.
    pub fn desired(&self, known: &[Known], rooms: Rooms, now: Moment) -> BTreeMap<Digest, Tier> {
        let mut ranked: Vec<(bool, f64, &Known)> = known
            .iter()
            .map(|known| (self.pinned(&known.digest).is_some(), self.worth(&known.digest, now).per_byte, known))
            .filter(|(pinned, worth, _)| *pinned || *worth > 0.0)
            .collect();
        ranked.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.digest.cmp(&b.2.digest)));
        let (mut ram, mut disk, mut desired) = (rooms.ram, rooms.disk, BTreeMap::new());
        for (_, _, known) in ranked {
            let pin = self.pinned(&known.digest);
            if known.len <= disk {
                disk -= known.len;
                desired.insert(known.digest, Tier::Disk);
            }
            let fits = known.len <= ram && (known.len <= rooms.ram / 2 || pin == Some(Tier::Ram));
            if fits && pin != Some(Tier::Disk) {
                ram -= known.len;
                desired.insert(known.digest, Tier::Ram);
            }
        }
        desired
    }
}
