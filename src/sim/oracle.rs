//! The four ways to know what comes: not at all, by what was last, by what was learned, and by the plan itself.
//!
//! All of them speak through the same two doors as in the daemon: the forecast table, which decisions look up, and the demand,
//! by which the cache is filled ahead. Perfect foresight is no way that exists: it is what no way can surpass.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::Serialize;

use crate::{
    model::{
        BootId, Decision, DeviceId, Digest, Fact, MacAddr, Moment, PersonaName, Probability, Record, Seconds,
        decision::Voice,
        prediction::{Candidate, Prediction},
        timeline::{Phase, Step},
    },
    predict::{Origin, Table},
    stage::Forecast,
    world::{Ground, arrival, demand},
};

use super::{
    learner::Learner,
    plan::{BEGAN, HOUR, MINUTE, Plan, Want},
    server::Server,
    shelf::Shelf,
};

/// How far the demand looks ahead, as in a configuration that says nothing of it.
const HORIZON: Seconds = Seconds(3600);
/// The hour at which whatever is new is learned.
const TRAINS_AT: u64 = 3;
/// How long a table is good for.
const LASTS: Seconds = Seconds(26 * 3600);

/// A way to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Nothing is predicted, and nothing staged.
    Nothing,
    /// A device becomes what it was last.
    LastUsed,
    /// Greenroom's learner.
    Learned,
    /// The plan itself: nobody can have it.
    Foresight,
}

impl Strategy {
    /// All of them, from the one that knows least.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::LastUsed, Self::Learned, Self::Foresight];

    /// What tables call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "no prediction",
            Self::LastUsed => "last used",
            Self::Learned => "greenroom",
            Self::Foresight => "perfect foresight",
        }
    }
}

/// One that knows.
pub(super) struct Oracle<'a> {
    pub(super) strategy: Strategy,
    plan: &'a Plan,
    table: Table,
    /// The table is another one than was published.
    changed: bool,
    learner: Learner,
    last: Last,
    /// The first want that has not come yet.
    upcoming: usize,
    pub(super) lessons: u32,
    /// The lesson and the hour since 1970 that the table was made for.
    reason: (u32, u64),
}

impl<'a> Oracle<'a> {
    pub(super) fn new(strategy: Strategy, plan: &'a Plan) -> Self {
        let (learner, last) = (Learner::default(), Last::default());
        Self {
            strategy,
            plan,
            table: Table::default(),
            changed: false,
            learner,
            last,
            upcoming: 0,
            lessons: 0,
            reason: (0, 0),
        }
    }

    /// How often the forecast is made anew, in milliseconds: less often for a large fleet.
    pub(super) fn period(&self) -> u64 {
        match self.plan.seats.len() {
            ..1000 => 15 * MINUTE,
            1000..4000 => 30 * MINUTE,
            _ => HOUR,
        }
    }

    /// A record was written.
    pub(super) fn hear(&mut self, record: &Record) {
        match self.strategy {
            Strategy::Nothing | Strategy::Foresight => {}
            Strategy::LastUsed => {
                if let Some(device) = self.last.hear(record) {
                    self.put(device, self.last.prediction(device));
                }
            }
            Strategy::Learned => {
                for device in self.learner.hear(record) {
                    let prediction = self.learner.rank(device, record.at);
                    self.put(device, prediction);
                }
            }
        }
    }

    /// Somebody switches a device on: the one who knows the plan knew.
    pub(super) fn wanted(&mut self, at: u32, want: Want, shelf: &Shelf) {
        self.upcoming = at as usize + 1;
        if self.strategy == Strategy::Foresight {
            let certain = (want.persona < shelf.len()).then(|| sure(shelf.name(want.persona)));
            self.put(DeviceId::new(self.plan.seats[want.seat as usize].mac), certain.or(Some(Prediction::default())));
        }
    }

    fn put(&mut self, device: DeviceId, prediction: Option<Prediction>) {
        if let Some(prediction) = prediction {
            self.table.put(device, prediction);
            self.changed = true;
        }
    }

    /// The table, when it has changed since.
    pub(super) fn published(&mut self) -> Option<Arc<Table>> {
        std::mem::take(&mut self.changed).then(|| Arc::new(self.table.clone()))
    }

    /// What predicts now.
    pub(super) fn model(&self) -> Option<String> {
        match self.strategy {
            Strategy::Learned => self.learner.name(),
            _ => None,
        }
    }

    /// Has a lesson, when one is due: whether there was one.
    pub(super) fn train(&mut self, now: u64) -> bool {
        let night = now.saturating_sub(BEGAN) / HOUR % 24 == TRAINS_AT;
        let due = self.strategy == Strategy::Learned && self.learner.is_due(night);
        let trained = due && self.learner.train(Moment::from_millis(now));
        self.lessons += u32::from(trained);
        trained
    }

    /// Makes the table anew when there is a reason to: something was learned, or the hour is another one. A device of
    /// which something else is known has its row already.
    pub(super) fn renew(&mut self, now: Moment) {
        let name = match self.strategy {
            Strategy::Nothing => return,
            Strategy::Learned => self.learner.name(),
            other => Some(other.name().to_owned()),
        };
        let Some(name) = name else { return };
        let (until, reason) = (now.plus(LASTS), (self.lessons, now.as_millis() / HOUR));
        self.changed = true;
        if self.table.origin().is_some() && (self.strategy != Strategy::Learned || self.reason == reason) {
            self.table.renew(until);
            return;
        }
        self.reason = reason;
        let mut table = Table::new(Origin { name, trained: now }, until);
        match self.strategy {
            Strategy::Learned => {
                for device in self.learner.devices() {
                    if let Some(prediction) = self.learner.rank(device, now) {
                        table.put(device, prediction);
                    }
                }
            }
            _ => self.table.rows().for_each(|(device, prediction)| table.put(device, prediction.clone())),
        }
        self.table = table;
    }

    /// What will be asked for, and how long it is.
    pub(super) fn demand(
        &self,
        server: &Server<'_>,
        now: Moment,
        shelf: &Shelf,
    ) -> Option<(Forecast, Vec<(Digest, u64)>)> {
        let (asks, until) = match self.strategy {
            Strategy::Nothing => return None,
            Strategy::Foresight => (self.planned(now, shelf), now.plus(HORIZON)),
            Strategy::LastUsed | Strategy::Learned => {
                self.table.origin()?;
                let demand = demand(&server.world, &server.ground, now, HORIZON);
                (demand.asks, demand.until)
            }
        };
        let mut known: Vec<(Digest, u64)> = asks.keys().filter_map(|digest| length(&server.ground, *digest)).collect();
        known.sort_unstable();
        Some((Forecast { asks, until }, known))
    }

    /// As the plan has it.
    fn planned(&self, now: Moment, shelf: &Shelf) -> HashMap<Digest, f64> {
        let until = now.plus(HORIZON).as_millis();
        let coming = self.plan.wants[self.upcoming..].iter().take_while(|want| want.at <= until);
        let mut boots: BTreeMap<u16, f64> = BTreeMap::new();
        coming.for_each(|want| *boots.entry(want.persona).or_default() += 1.0);
        let files = |(persona, boots): (u16, f64)| shelf.files(persona).map(move |(digest, _)| (digest, boots));
        boots.into_iter().flat_map(files).collect()
    }

    /// The files of what a device most likely becomes, with their lengths: it has just spoken.
    pub(super) fn likely(&self, server: &Server<'_>, mac: MacAddr, now: Moment) -> Vec<(Digest, u64)> {
        if self.strategy == Strategy::Nothing {
            return vec![];
        }
        let asks = arrival(&server.world, &server.ground, [DeviceId::new(mac)], now);
        asks.into_iter().filter_map(|(digest, _)| length(&server.ground, digest)).collect()
    }
}

/// A file of the library and its length.
fn length(ground: &Ground, digest: Digest) -> Option<(Digest, u64)> {
    Some((digest, ground.catalog.file(&digest)?.size?.0))
}

fn sure(persona: &PersonaName) -> Prediction {
    Prediction::new(vec![Candidate { persona: persona.clone(), probability: Probability::near(1.0) }])
}

/// What each device was last, and how often that is what it is wanted to be again, at this site.
#[derive(Debug, Default)]
struct Last {
    /// What it was, and whether that was said by the one who predicts, and not contradicted since.
    was: HashMap<DeviceId, (PersonaName, bool)>,
    /// The attempt that each device is in, and what was predicted for it.
    attempts: HashMap<BootId, (DeviceId, Option<PersonaName>)>,
    latest: HashMap<DeviceId, BootId>,
    again: u32,
    of: u32,
}

impl Last {
    /// The device of which more is known now.
    fn hear(&mut self, record: &Record) -> Option<DeviceId> {
        match &record.fact {
            Fact::PersonaAssigned { device, persona, .. } => {
                match self.was.get(device) {
                    // What was predicted was wrong: it had counted as right.
                    Some((was, true)) => self.again -= u32::from(was != persona),
                    Some((was, false)) => {
                        self.again += u32::from(was == persona);
                        self.of += 1;
                    }
                    None => {}
                }
                self.was.insert(*device, (persona.clone(), false));
                Some(*device)
            }
            Fact::BootStarted { boot, device, .. } => {
                if let Some(before) = self.latest.insert(*device, *boot) {
                    self.attempts.remove(&before);
                }
                self.attempts.insert(*boot, (*device, None));
                None
            }
            Fact::BootMoved { boot, step: Step::Script { decision: Decision::Become { persona, reason, .. } } } => {
                let predicted = reason.voice() == Some(Voice::Predicted);
                self.attempts.get_mut(boot)?.1 = predicted.then(|| persona.name.clone());
                None
            }
            Fact::BootMoved { boot, step: Step::Report(report) } if report.phase == Phase::Ready => {
                let (device, predicted) = self.attempts.get_mut(boot)?;
                let (device, persona) = (*device, predicted.take()?);
                self.was.insert(device, (persona, true));
                (self.again, self.of) = (self.again + 1, self.of + 1);
                Some(device)
            }
            _ => None,
        }
    }

    fn prediction(&self, device: DeviceId) -> Option<Prediction> {
        let (persona, _) = self.was.get(&device)?;
        let again = (f64::from(self.again) + 1.0) / (f64::from(self.of) + 2.0);
        Some(Prediction::new(vec![Candidate { persona: persona.clone(), probability: Probability::near(again) }]))
    }
}
