//! What was put into the cache before anybody asked for it, and whether anybody did.
//!
//! An entry is open until its horizon ends, which a forecast that still expects the blob moves on. Then it is settled, once:
//! it was of use when a device asked for the blob since, or it was in vain. What leaves the cache before is settled there and
//! then. Only bytes that came from origins are counted: to lift a blob from the disk into RAM costs nobody else anything.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::{
    model::{Bytes, Digest, Millis, Moment, Seconds, image::Tier, staged::Because},
    stage::{Forecast, StepKind},
};

use super::{super::now, Keeper, lock};

/// Who has sent its first packet asks within this, or it is not coming.
pub(super) const ARRIVING: Seconds = Seconds(600);

/// What was put there ahead.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    landed: HashMap<Digest, Landing>,
    /// What is being put there, and why it was begun.
    coming: HashMap<Digest, Because>,
    /// What devices that have come will ask for, and until when that is so.
    arriving: HashMap<Digest, Moment>,
    fetched: BTreeMap<Because, u64>,
    useful: u64,
    vain: u64,
}

#[derive(Debug, Clone, Copy)]
struct Landing {
    because: Because,
    at: Moment,
    /// Until when somebody is expected to ask.
    until: Moment,
    /// The bytes that came from an origin for it.
    fetched: u64,
    /// It is known whether it was of use.
    settled: bool,
}

/// What staging has moved since the start, and what it was good for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// Bytes fetched for forecasts.
    pub forecast: Bytes,
    /// Bytes fetched because a device's first packet had come.
    pub discover: Bytes,
    /// Of these: bytes that devices asked for then.
    pub useful: Bytes,
    /// Of these: bytes that nobody asked for in time.
    pub vain: Bytes,
    /// Of these: bytes of which it is not known yet.
    pub open: Bytes,
    /// How often a blob was not pulled up for a device, as enough had been within the minute.
    pub held_back: u64,
}

/// How a device finds a blob that it is about to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The nearest tier that has all of it.
    pub tier: Tier,
    /// Its length, when anybody knows it.
    pub len: Option<Bytes>,
    /// Why it is there, or is not.
    pub because: Because,
    /// How long it has been there, when it was put there ahead.
    pub lead: Option<Millis>,
    /// How much of it has come, when it is on its way.
    pub coming: Option<Bytes>,
    /// How long its origin takes for all of it, as far as that was measured.
    pub origin: Option<Millis>,
}

impl Ledger {
    fn land(&mut self, digest: Digest, because: Because, fetched: u64, now: Moment, until: Moment) {
        match self.landed.get_mut(&digest) {
            // It is there for longer than it is in RAM; or two wanted it at once, and it came once.
            Some(landing) if now <= landing.until && (fetched == 0 || !landing.settled) => {
                landing.until = landing.until.max(until);
            }
            _ => {
                *self.fetched.entry(because).or_default() += fetched;
                let settled = fetched == 0;
                if let Some(before) = self.landed.insert(digest, Landing { because, at: now, until, fetched, settled })
                {
                    // It had left, and nobody had seen it go.
                    self.vain += if before.settled { 0 } else { before.fetched };
                }
            }
        }
    }

    /// Devices have come that will ask for these.
    pub(super) fn arrive(&mut self, digests: impl Iterator<Item = Digest>, now: Moment) {
        self.arriving.retain(|_, until| now <= *until);
        self.arriving.extend(digests.map(|digest| (digest, now.plus(ARRIVING))));
    }

    /// Settles what is due. `asked` says when somebody last asked for a blob, `here` whether a tier has it.
    fn settle(&mut self, now: Moment, asked: impl Fn(&Digest) -> Option<Moment>, here: impl Fn(&Digest) -> bool) {
        let (mut useful, mut vain) = (0, 0);
        self.landed.retain(|digest, landing| {
            let stays = here(digest);
            if !landing.settled {
                let wanted = asked(digest).is_some_and(|asked| asked >= landing.at);
                landing.settled = wanted || !stays || now > landing.until;
                match (landing.settled, wanted) {
                    (true, true) => useful += landing.fetched,
                    (true, false) => vain += landing.fetched,
                    (false, _) => {}
                }
            }
            stays
        });
        self.useful += useful;
        self.vain += vain;
    }

    fn told(&self, held_back: u64) -> Staged {
        let fetched = |because| Bytes(self.fetched.get(&because).copied().unwrap_or_default());
        let open = self.landed.values().filter(|landing| !landing.settled).map(|landing| landing.fetched).sum();
        Staged {
            forecast: fetched(Because::Forecast),
            discover: fetched(Because::Discover),
            useful: Bytes(self.useful),
            vain: Bytes(self.vain),
            open: Bytes(open),
            held_back,
        }
    }
}

impl Keeper {
    /// Replaces what is expected to be asked for within the horizon: the tiers follow, step by step.
    pub fn expect(&self, asks: HashMap<Digest, f64>, horizon: Seconds) {
        let until = now().plus(horizon);
        let mut ledger = lock(&self.ledger);
        for (digest, landing) in &mut ledger.landed {
            if asks.contains_key(digest) {
                landing.until = landing.until.max(until);
            }
        }
        drop(ledger);
        self.images.inner.tiers.policy().expect(Forecast { asks, until });
        self.wake();
    }

    /// What staging has moved since the start, and what it was good for.
    pub fn staged(&self) -> Staged {
        self.settle(now());
        lock(&self.ledger).told(self.rushing.held_back())
    }

    /// How a device finds a blob that it is about to ask for. Allocates next to nothing: a script waits for it.
    pub fn found(&self, digest: &Digest, len: Option<Bytes>) -> Found {
        let (now, status) = (now(), self.images.status(digest));
        let len = status.len.or(len);
        let (landing, coming) = {
            let ledger = lock(&self.ledger);
            let landing = ledger.landed.get(digest).copied().filter(|landing| now <= landing.until);
            (landing, ledger.coming.get(digest).copied())
        };
        let policy = self.images.inner.tiers.policy();
        let (because, lead) = match (status.tier, landing) {
            (Tier::Origin, _) if policy.worth(digest, now).forecast > 0.0 => (Because::Late, None),
            (Tier::Origin, _) => (Because::Not, None),
            (_, Some(landing)) => (landing.because, Some(now.since(landing.at))),
            // It has come, and whoever brought it has not written that down yet.
            (_, None) => (coming.unwrap_or(Because::Itself), coming.map(|_| Millis(0))),
        };
        let cost = policy.measured_cost(digest).zip(len);
        let origin = cost.map(|(cost, len)| Millis((cost * len.0 as f64 * 1000.0) as u64));
        Found { tier: status.tier, len, because, lead, coming: status.filling, origin }
    }

    /// A step begins that puts a blob there ahead: for a device that has come, or else for a forecast. Who comes while it is on
    /// its way does not change why.
    pub(super) fn sets_out(&self, digest: Digest) {
        let now = now();
        let mut ledger = lock(&self.ledger);
        let because = match ledger.arriving.get(&digest).is_some_and(|until| now <= *until) {
            true => Because::Discover,
            false => Because::Forecast,
        };
        ledger.coming.entry(digest).or_insert(because);
    }

    /// That step is over: its blob is there, or it failed.
    pub(super) fn ends(&self, digest: Digest, kind: StepKind, well: bool) {
        let now = now();
        let fetched = if kind == StepKind::Fetch { self.images.status(&digest).len.unwrap_or_default().0 } else { 0 };
        let forecast = self.images.inner.tiers.policy().expects_until();
        let mut ledger = lock(&self.ledger);
        let Some(because) = ledger.coming.remove(&digest).filter(|_| well) else { return };
        let arriving = ledger.arriving.get(&digest).copied().filter(|until| now <= *until);
        let until = arriving.map_or(forecast, |until| until.max(forecast));
        ledger.land(digest, because, fetched, now, until);
    }

    /// Finds out of what was put there ahead whether it was of use.
    pub(super) fn settle(&self, now: Moment) {
        let mut ledger = lock(&self.ledger);
        if ledger.landed.is_empty() {
            return;
        }
        let census = self.images.census();
        let policy = self.images.inner.tiers.policy();
        ledger.settle(now, |digest| policy.last_asked(digest), |digest| census.contains_key(digest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_in_time_was_of_use_and_the_rest_in_vain() {
        let at = |seconds| Moment::from_millis(1_000_000).plus(Seconds(seconds));
        let digest = |n| Digest::new([n; 32]);
        let mut ledger = Ledger::default();
        ledger.land(digest(1), Because::Forecast, 10, at(0), at(100));
        ledger.land(digest(2), Because::Forecast, 20, at(0), at(100));
        ledger.land(digest(3), Because::Discover, 40, at(0), at(100));
        ledger.land(digest(1), Because::Forecast, 0, at(5), at(100));
        // The first was asked for, as the second had been before; the third has left.
        let asked = |one: &Digest| match one.bytes()[0] {
            1 => Some(at(50)),
            2 => Some(Moment::from_millis(1)),
            _ => None,
        };
        ledger.settle(at(60), asked, |one| *one != digest(3));
        let told = ledger.told(0);
        assert_eq!((told.useful, told.vain, told.open), (Bytes(10), Bytes(40), Bytes(20)));
        ledger.settle(at(101), asked, |one| *one != digest(3));
        let told = ledger.told(7);
        assert_eq!((told.useful, told.vain, told.open, told.held_back), (Bytes(10), Bytes(60), Bytes(0), 7));
        assert_eq!((told.forecast, told.discover), (Bytes(30), Bytes(40)));
        assert_eq!(ledger.landed[&digest(1)].at, at(0), "it is there since it came, not since it is in RAM");
    }
}
