//! The two tiers without bytes: the policy that serves decides who is let in and who goes, and the steps of the keeper are
//! taken while no device waits for an origin. It is `stage::replay` with fills that take their time.
//!
//! ```text
//!   ask -> in RAM? on disk?       hit; RAM takes a copy when it admits it
//!       -> being fetched?         joins; a miss, but one that waits less
//!       -> else the one fill      disk and RAM take it, when they admit it, as soon as it has come
//!   the keeper -> one fetch at a time, and none begins while a device waits for an origin
//! ```

use std::collections::{HashMap, HashSet};

use crate::{
    model::{Digest, Moment, image::Tier},
    stage::{
        Aim, Forecast, Policy, Rooms, Step, StepKind, Why,
        replay::{BareTier, standing, take},
        steps,
    },
};

/// A blob on its way from its origin.
#[derive(Debug)]
struct Fill {
    digest: Digest,
    len: u64,
    began: Moment,
    /// Who goes for it.
    room: Vec<Digest>,
    /// The devices that wait for it, each with its count of starts.
    waiting: Vec<(u32, u32)>,
}

/// Where an ask found a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// In a tier.
    In(Tier),
    /// On its way.
    Coming,
    /// Nowhere: a transfer from the origin must begin, by this token.
    Fill(u64),
}

/// Bytes that came from the origin.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bought {
    /// All of them.
    pub(super) bytes: u64,
    /// Those that nobody waited for when they began to come.
    pub(super) ahead: u64,
    /// Those of them that somebody asked for later.
    pub(super) used: u64,
}

/// The cache.
#[derive(Debug)]
pub(super) struct Tiers {
    policy: Policy,
    rooms: Rooms,
    ram: BareTier,
    disk: BareTier,
    /// What is forecast, with lengths: it may have to be fetched.
    expected: Vec<(Digest, u64)>,
    fills: HashMap<u64, Fill>,
    coming: HashMap<Digest, u64>,
    /// What the keeper fetches.
    ahead: Option<u64>,
    /// What is fetched because a device has spoken that will want it.
    pulled: HashSet<u64>,
    /// What was fetched ahead and nobody has asked for yet.
    unasked: HashMap<Digest, u64>,
    pub(super) bought: Bought,
    tokens: u64,
    /// Something has changed since the keeper found nothing to do.
    pub(super) stirred: bool,
}

impl Tiers {
    pub(super) fn new(rooms: Rooms) -> Self {
        Self {
            policy: Policy::new(rooms, Aim::Hits),
            rooms,
            ram: BareTier::new(Tier::Ram, rooms.ram),
            disk: BareTier::new(Tier::Disk, rooms.disk),
            expected: vec![],
            fills: HashMap::new(),
            coming: HashMap::new(),
            ahead: None,
            pulled: HashSet::new(),
            unasked: HashMap::new(),
            bought: Bought::default(),
            tokens: 0,
            stirred: false,
        }
    }

    /// A device asks for a blob.
    pub(super) fn ask(&mut self, digest: Digest, len: u64, who: (u32, u32), now: Moment) -> Found {
        self.policy.asked(digest, now);
        self.policy.met(digest, len);
        self.stirred = true;
        self.bought.used += self.unasked.remove(&digest).unwrap_or(0);
        if self.ram.has(&digest) {
            return Found::In(Tier::Ram);
        }
        if self.disk.has(&digest) {
            self.ram.take_in(&self.policy, digest, len, now);
            return Found::In(Tier::Disk);
        }
        if let Some(fill) = self.coming.get(&digest).and_then(|token| self.fills.get_mut(token)) {
            fill.waiting.push(who);
            return Found::Coming;
        }
        let token = self.begin(digest, len, vec![], now);
        if let Some(fill) = self.fills.get_mut(&token) {
            fill.waiting.push(who);
        }
        Found::Fill(token)
    }

    fn begin(&mut self, digest: Digest, len: u64, room: Vec<Digest>, now: Moment) -> u64 {
        self.tokens += 1;
        self.bought.bytes += len;
        self.coming.insert(digest, self.tokens);
        self.fills.insert(self.tokens, Fill { digest, len, began: now, room, waiting: vec![] });
        self.tokens
    }

    /// A transfer from the origin has ended: who waited for it.
    pub(super) fn arrived(&mut self, token: u64, now: Moment) -> Vec<(u32, u32)> {
        let Some(fill) = self.fills.remove(&token) else { return vec![] };
        let Fill { digest, len, began, room, waiting } = fill;
        self.coming.remove(&digest);
        let kept = self.ahead.take_if(|ahead| *ahead == token).is_some();
        if self.pulled.remove(&token) || kept {
            self.bought.ahead += len;
            match waiting.is_empty() {
                true => drop(self.unasked.insert(digest, len)),
                false => self.bought.used += len,
            }
        }
        self.policy.fetched(digest, len, now.since(began).0 as f64 / 1000.0);
        for digest in &room {
            self.ram.let_go(digest);
            self.disk.let_go(digest);
        }
        self.disk.take_in(&self.policy, digest, len, now);
        if !waiting.is_empty() {
            self.ram.take_in(&self.policy, digest, len, now);
        }
        self.stirred = true;
        waiting
    }

    /// Replaces what is expected; `known` are the blobs of it, with their lengths.
    pub(super) fn expect(&mut self, forecast: Forecast, known: Vec<(Digest, u64)>) {
        self.expected = known;
        self.policy.expect(forecast);
        self.stirred = true;
    }

    /// The keeper's turn: what it fetches next, if anything, as a transfer that must begin.
    pub(super) fn keep(&mut self, now: Moment) -> Option<(u64, u64)> {
        // Whoever waits comes first; and it takes one step at a time.
        if !self.coming.is_empty() {
            return None;
        }
        let plan = steps(&self.policy, &standing(&self.ram, &self.disk, &self.expected), self.rooms, now);
        self.stirred = false;
        let mut room = vec![];
        for step in &plan {
            let Step { digest, len, kind, why } = *step;
            let waits = |step: &&Step| matches!(why, Why::RoomFor(other) if other == step.digest);
            match kind {
                StepKind::Fetch => {
                    let token = self.begin(digest, len, room, now);
                    self.ahead = Some(token);
                    return Some((token, len));
                }
                // What makes room on the disk for a fetch goes when that has come.
                StepKind::Evict if plan.iter().find(waits).is_some_and(|step| step.kind == StepKind::Fetch) => {
                    room.push(digest);
                }
                _ => take(step, &mut self.ram, &mut self.disk, &self.policy, now),
            }
        }
        None
    }

    /// The daemon was killed: what RAM held is gone, and so is what was on its way.
    pub(super) fn lose(&mut self) {
        self.ram = BareTier::new(Tier::Ram, self.rooms.ram);
        (self.ahead, self.stirred) = (None, true);
        self.coming.clear();
        self.fills.clear();
        self.pulled.clear();
    }

    /// A device that will want a blob in a moment has spoken: what must begin to come now, as a transfer, if it is nowhere yet.
    pub(super) fn pull(&mut self, digest: Digest, len: u64, now: Moment) -> Option<u64> {
        if self.ram.has(&digest) || self.coming.contains_key(&digest) {
            return None;
        }
        if self.disk.has(&digest) {
            self.ram.take_in(&self.policy, digest, len, now);
            return None;
        }
        let token = self.begin(digest, len, vec![], now);
        self.pulled.insert(token);
        Some(token)
    }
}
