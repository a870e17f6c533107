//! The two tiers as the image cache runs them, without bytes: the real policy decides who is let in, and the real steps are
//! taken between the asks.
//!
//! ```text
//!   ask -> in RAM? hit
//!       -> on disk? hit, and promoted when RAM admits it
//!       -> filled to disk, when it admits it, and to RAM, when it admits it; else passed through
//!   each minute -> the steps of the keeper; what it fetches takes its time
//! ```
//! A fill that somebody waits for takes no time here, for nobody: the ask that begins one is a miss, the next one is a hit.

use crate::model::{Digest, Moment, image::Tier};

use super::{
    super::{Policy, Rooms, Step, StepKind, Why, steps},
    BareTier, Score, Trace,
    foresight::{Foresight, Oracle},
    standing, take,
};

/// How often the keeper looks, in milliseconds.
const LOOK: u64 = 60_000;
/// What an origin gives the keeper, in bytes per second: 100 Mbit/s.
const ORIGIN: u64 = 12_500_000;

/// Runs a policy over a trace.
pub fn run(policy: Policy, trace: &Trace, rooms: Rooms, foresight: &Foresight) -> (Policy, Score) {
    let mut tiers = Tiers {
        policy,
        rooms,
        ram: BareTier::new(Tier::Ram, rooms.ram),
        disk: BareTier::new(Tier::Disk, rooms.disk),
        score: Score::default(),
        expected: vec![],
        budget: 0,
        stirred: false,
    };
    let mut oracle = Oracle::new(foresight, trace);
    let mut looked = trace.asks.first().map_or(Moment::default(), |ask| ask.at);
    for ask in &trace.asks {
        loop {
            let look = Moment::from_millis(looked.as_millis() + LOOK);
            // Nothing to do until the next forecast or ask: no need to look each minute of a night.
            let next = match oracle.next() {
                Some(told) if told < look || !tiers.stirred => told.max(looked),
                _ if tiers.stirred => look,
                _ => break,
            };
            if next > ask.at {
                break;
            }
            let idle = !tiers.stirred;
            if let Some(forecast) = oracle.tell(next) {
                tiers.expect(forecast, trace);
            }
            tiers.keep(next, if idle { 0 } else { next.since(looked).0 });
            looked = next;
        }
        if !tiers.stirred {
            looked = looked.max(ask.at);
        }
        tiers.ask(trace.blobs[ask.blob as usize].digest, trace.len_of(*ask), ask.at);
    }
    (tiers.policy, tiers.score)
}

struct Tiers {
    policy: Policy,
    rooms: Rooms,
    ram: BareTier,
    disk: BareTier,
    score: Score,
    /// What is forecast, with lengths: it may have to be fetched.
    expected: Vec<(Digest, u64)>,
    /// Bytes that the keeper could have fetched since it began with what it fetches.
    budget: u64,
    /// Something has changed since the keeper found nothing to do.
    stirred: bool,
}

impl Tiers {
    fn ask(&mut self, digest: Digest, len: u64, now: Moment) {
        self.policy.asked(digest, now);
        self.policy.met(digest, len);
        let (in_ram, on_disk) = (self.ram.has(&digest), self.disk.has(&digest));
        self.score.count(len, in_ram, on_disk);
        self.stirred = true;
        if in_ram {
            return;
        }
        if !on_disk {
            self.disk.take_in(&self.policy, digest, len, now);
        }
        self.ram.take_in(&self.policy, digest, len, now);
    }

    fn expect(&mut self, forecast: super::super::Forecast, trace: &Trace) {
        let blobs = forecast.asks.keys().filter_map(|digest| trace.find(digest));
        self.expected = blobs.map(|blob| (blob.digest, blob.len)).collect();
        self.policy.expect(forecast);
        self.stirred = true;
    }

    /// Takes the steps that there is time for.
    fn keep(&mut self, now: Moment, millis: u64) {
        self.budget = self.budget.saturating_add(millis * (ORIGIN / 1000));
        let plan = steps(&self.policy, &standing(&self.ram, &self.disk, &self.expected), self.rooms, now);
        if plan.is_empty() {
            (self.budget, self.stirred) = (0, false);
            return;
        }
        let mut rest = plan.as_slice();
        while let Some(step) = rest.first() {
            // What makes room waits for what needs it.
            let coming = match step.why {
                Why::RoomFor(digest) => rest.iter().find(|other| other.digest == digest),
                _ => Some(step),
            };
            if coming.is_some_and(|coming| coming.kind == StepKind::Fetch && coming.len > self.budget) {
                return;
            }
            self.take(step, now);
            rest = &rest[1..];
        }
    }

    fn take(&mut self, step: &Step, now: Moment) {
        let Step { digest, len, kind, .. } = *step;
        if kind == StepKind::Fetch {
            self.budget -= len.min(self.budget);
            self.score.origin_bytes += len;
            self.score.ahead_bytes += len;
            self.disk.take_in(&self.policy, digest, len, now);
        }
        take(step, &mut self.ram, &mut self.disk, &self.policy, now);
    }
}
