//! What each blob is worth: what is asked for and forecast, times what a hit gains ([`Aim`]), over the room that it takes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use crate::model::{Digest, Moment, image::Tier};

use super::{
    Aim,
    panel::{Expert, Panel},
    place::Rooms,
    record::Records,
    shadow::Asked,
};

/// What a blob costs that is not at hand, before anybody measured it: an origin at 100 Mbit/s, in seconds per byte.
const COST: f64 = 1.0 / 12_500_000.0;
/// How much of the usual transfer time is of the last ask.
const FRESH: f64 = 0.001;
/// So many asks that came before the length of a blob was known are told to the shadows later.
const OWED: u8 = 3;

/// The demand that is expected: digest -> asks until `until`. Whoever predicts makes it; without one it is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forecast {
    /// Asks that are expected of each blob.
    pub asks: HashMap<Digest, f64>,
    /// When it ends: afterwards it counts for nothing.
    pub until: Moment,
}

/// What a blob is worth, and from what.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Worth {
    /// Asks of late, each halving with the hour.
    pub heat: f64,
    /// Asks that are forecast and have not come yet.
    pub forecast: f64,
    /// What one byte costs from its origin, in seconds.
    pub cost: f64,
    /// What one hit counts, by the aim.
    pub gain: f64,
    /// What a byte of room for it is expected to gain: heat and forecast, times the gain, over the length.
    pub per_byte: f64,
    /// Whether the policy that leads in RAM keeps it; `None` while none leads.
    pub ram: Option<bool>,
    /// The same on disk.
    pub disk: Option<bool>,
}

/// Decides who is where. Owned by the cache, behind one lock.
#[derive(Debug, Default)]
pub struct Policy {
    aim: Aim,
    records: Records,
    /// The shadows of RAM and of the disk; without them blobs are compared by worth alone.
    panels: Option<Panels>,
    pub(super) forecast: Forecast,
    pins: BTreeMap<Digest, Tier>,
    pub(super) orders: BTreeSet<Digest>,
    /// The usual transfer time of what is asked for, in seconds; 0 before the first ask.
    usual: f64,
    /// The latest moment that anybody told: shadows want time that does not go back.
    latest: Moment,
}

#[derive(Debug)]
struct Panels {
    ram: Panel,
    disk: Panel,
}

impl Policy {
    /// A policy for tiers of these sizes: it runs shadows of them. The default one has none, and goes by worth alone.
    pub fn new(rooms: Rooms, aim: Aim) -> Self {
        let panels = Panels {
            ram: Panel::new(rooms.ram, largest(Tier::Ram, rooms.ram), aim),
            disk: Panel::new(rooms.disk, rooms.disk, aim),
        };
        Self { aim, panels: Some(panels), ..Self::default() }
    }

    /// Somebody asks for a blob.
    pub fn asked(&mut self, digest: Digest, now: Moment) {
        self.latest = self.latest.max(now);
        if !self.forecast.asks.is_empty() && self.latest > self.forecast.until {
            self.expect(Forecast::default());
        }
        if let Some(left) = self.forecast.asks.get_mut(&digest) {
            *left = (*left - 1.0).max(0.0);
        }
        let (id, record) = self.records.enter(digest, now);
        record.heat.ask(now);
        match record.len {
            Some(len) => self.tell(id, digest, len),
            None => record.owed = (record.owed + 1).min(OWED),
        }
        self.forget();
    }

    /// Somebody learned the length of a blob: its asks so far count in full from now on.
    pub fn met(&mut self, digest: Digest, len: u64) {
        let (id, record) = self.records.enter(digest, self.latest);
        if record.len.replace(len).is_none() {
            let owed = std::mem::take(&mut record.owed);
            (0..owed).for_each(|_| self.tell(id, digest, len));
        }
        self.forget();
    }

    /// An origin gave `len` bytes in `seconds`.
    pub fn fetched(&mut self, digest: Digest, len: u64, seconds: f64) {
        self.met(digest, len);
        let (_, record) = self.records.enter(digest, self.latest);
        record.cost = Some(seconds.max(0.0) / len.max(1) as f64).filter(|cost| cost.is_finite());
    }

    /// Replaces what is expected.
    pub fn expect(&mut self, forecast: Forecast) {
        self.forecast = forecast;
        let Some(panels) = &mut self.panels else { return };
        for (id, record) in self.records.all() {
            let asks = self.forecast.asks.get(&record.digest).copied().unwrap_or(0.0);
            panels.ram.expect(id, asks);
            panels.disk.expect(id, asks);
        }
    }

    /// Adds to what is expected, until `until` at least: devices have come that will ask.
    pub fn expect_also(&mut self, asks: impl IntoIterator<Item = (Digest, f64)>, now: Moment, until: Moment) {
        if now > self.forecast.until {
            self.forecast.asks.clear();
        }
        self.forecast.until = self.forecast.until.max(until);
        for (digest, more) in asks {
            let expected = self.forecast.asks.entry(digest).or_default();
            *expected += more;
            if let (Some(id), Some(panels)) = (self.records.id(&digest), &mut self.panels) {
                panels.ram.expect(id, *expected);
                panels.disk.expect(id, *expected);
            }
        }
    }

    /// When the forecast ends.
    pub fn expects_until(&self) -> Moment {
        self.forecast.until
    }

    /// When somebody last asked for a blob, as far as that is remembered.
    pub fn last_asked(&self, digest: &Digest) -> Option<Moment> {
        self.records.find(digest).and_then(|record| record.heat.last())
    }

    /// What a byte of a blob costs from its origin, in seconds, when that was measured.
    pub fn measured_cost(&self, digest: &Digest) -> Option<f64> {
        self.records.find(digest).and_then(|record| record.cost)
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

    /// The policy that leads in a tier of ours; `None` where none does.
    pub fn leader(&self, tier: Tier) -> Option<Expert> {
        self.panel(tier).map(Panel::leader)
    }

    /// What a blob is worth at `now`.
    pub fn worth(&self, digest: &Digest, now: Moment) -> Worth {
        self.worth_of(digest, None, now)
    }

    /// The same, of a blob whose length the caller knows.
    pub(super) fn worth_of(&self, digest: &Digest, len: Option<u64>, now: Moment) -> Worth {
        let record = self.records.find(digest);
        let heat = record.map_or(0.0, |record| record.heat.at(now));
        let forecast = self.expected(digest, now).unwrap_or(0.0);
        let cost = record.and_then(|record| record.cost).unwrap_or(COST);
        // Where nobody knows the length, it is the usual one.
        let known = len.or_else(|| record.and_then(|record| record.len)).map(|len| len.max(1) as f64);
        let len = known.unwrap_or((self.usual / cost).max(1.0));
        let gain = self.aim.gain(len * cost, self.usual);
        let keeps = |tier| self.panel(tier).map(|panel| self.records.id(digest).is_some_and(|id| panel.keeps(id)));
        let per_byte = (heat + forecast) * gain / len;
        Worth { heat, forecast, cost, gain, per_byte, ram: keeps(Tier::Ram), disk: keeps(Tier::Disk) }
    }

    /// How many more asks for a blob are forecast; `None` while there is no forecast.
    pub(super) fn expected(&self, digest: &Digest, now: Moment) -> Option<f64> {
        let told = !self.forecast.asks.is_empty() && now <= self.forecast.until;
        told.then(|| self.forecast.asks.get(digest).copied().unwrap_or(0.0))
    }

    /// Whether the forecast is believed, in a tier: it was not proved wrong.
    pub(super) fn believes(&self, tier: Tier, now: Moment) -> bool {
        let told = !self.forecast.asks.is_empty() && now <= self.forecast.until;
        told && self.leader(tier).is_none_or(|leader| leader == Expert::Forecast)
    }

    /// How much the shadows of a tier want a blob to stay: whether the leader keeps it, and who else does. `None` when there
    /// are no shadows.
    pub(super) fn wanted(&self, tier: Tier, digest: &Digest) -> Option<(bool, f64)> {
        let panel = self.panel(tier)?;
        Some(self.records.id(digest).map_or((false, 0.0), |id| (panel.keeps(id), panel.votes(id))))
    }

    fn panel(&self, tier: Tier) -> Option<&Panel> {
        match (&self.panels, tier) {
            (Some(panels), Tier::Ram) => Some(&panels.ram),
            (Some(panels), Tier::Disk) => Some(&panels.disk),
            _ => None,
        }
    }

    /// Tells the shadows of an ask.
    fn tell(&mut self, id: u32, digest: Digest, len: u64) {
        let cost = self.records.find(&digest).and_then(|record| record.cost).unwrap_or(COST);
        let seconds = len as f64 * cost;
        self.usual += if self.usual == 0.0 { seconds } else { FRESH * (seconds - self.usual) };
        let (gain, expected) = (self.aim.gain(seconds, self.usual), self.expected(&digest, self.latest));
        let asked = Asked { id, len, millis: self.latest.as_millis() };
        if let Some(panels) = &mut self.panels {
            panels.ram.ask(asked, gain, expected);
            panels.disk.ask(asked, gain, expected);
        }
    }

    fn forget(&mut self) {
        let panels = &self.panels;
        let keeps = |id| panels.as_ref().is_some_and(|panels| panels.ram.keeps(id) || panels.disk.keeps(id));
        for id in self.records.forget(keeps) {
            if let Some(panels) = &mut self.panels {
                panels.ram.forget(id);
                panels.disk.forget(id);
            }
        }
    }
}

/// What one blob may take of a tier: one large image shall not empty the RAM.
pub(super) fn largest(tier: Tier, room: u64) -> u64 {
    if tier == Tier::Ram { room / 2 } else { room }
}
