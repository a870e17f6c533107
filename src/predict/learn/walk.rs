//! Walking through the past: every example is predicted from what was known before it, then revealed when it became known.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{
    model::{DeviceId, UserName},
    predict::{Baseline, Model, Ranking, Row, Visit},
};

use super::{
    Example,
    table::{Whose, row},
};

/// Who predicts.
#[derive(Debug, Clone)]
pub(super) enum Predictor {
    Model(Box<Model>),
    Baseline(Box<Baseline>),
}

impl Predictor {
    fn rank(&self, row: &Row<'_>, history: &[&[Visit]]) -> Ranking {
        match self {
            Self::Model(model) => model.rank(row, history),
            Self::Baseline(baseline) => baseline.rank(row, history),
        }
    }

    fn learn(&mut self, row: &Row<'_>, history: &[&[Visit]], label: &str) {
        match self {
            Self::Model(model) => model.learn(row, history, label),
            Self::Baseline(baseline) => baseline.learn(row, history, label),
        }
    }
}

/// One who walks through the past.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    pub(super) predictor: Predictor,
    /// The columns that it goes by.
    pub(super) columns: Vec<String>,
    /// The number of the record up to which it knows the examples.
    pub(super) knows: u64,
}

/// Has each of `walks` predict the examples from the place `from` on, and hands every ranking to `told`: the place of the
/// example, that of the walk, and what it said; it says whether to go on. The examples come in the order in which they were
/// planned.
///
/// An example is revealed to a walk when a later one is predicted that was planned after it was known, unless the walk knows
/// it already.
pub(super) fn walk(
    examples: &[Arc<Example>],
    from: usize,
    walks: &mut [Walk],
    mut told: impl FnMut(usize, usize, &Ranking) -> bool,
) {
    let mut by_known: Vec<usize> = (0..examples.len()).collect();
    by_known.sort_by_key(|at| (examples[*at].known, *at));
    let mut revealed = 0;
    let mut past = Past::default();
    for (at, example) in examples.iter().enumerate().skip(from) {
        while let Some(next) =
            by_known.get(revealed).map(|next| &examples[*next]).filter(|next| next.known < example.planned)
        {
            past.reveal(next, walks);
            revealed += 1;
        }
        let whose = Whose::of(example.device, example.user.as_ref());
        let history = past.before(example);
        let history: Vec<&[Visit]> = history.iter().map(Vec::as_slice).collect();
        for (nth, walk) in walks.iter().enumerate() {
            let row = row(&walk.columns, &example.features, &whose, example.at);
            if !told(at, nth, &walk.predictor.rank(&row, &history)) {
                return;
            }
        }
    }
    // What is known by now is learned, so that a walk can go on.
    for next in &by_known[revealed..] {
        past.reveal(&examples[*next], walks);
    }
}

/// What devices and people became, as far as it is revealed.
#[derive(Default)]
struct Past {
    devices: HashMap<DeviceId, Vec<Visit>>,
    people: BTreeMap<UserName, Vec<Visit>>,
}

impl Past {
    /// The histories of an example's groups.
    fn before(&self, example: &Example) -> [Vec<Visit>; 2] {
        let device = self.devices.get(&example.device).cloned().unwrap_or_default();
        let person = example.user.as_ref().and_then(|user| self.people.get(user)).cloned().unwrap_or_default();
        [device, person].map(latest)
    }

    fn reveal(&mut self, example: &Example, walks: &mut [Walk]) {
        if walks.iter().any(|walk| example.known > walk.knows) {
            let whose = Whose::of(example.device, example.user.as_ref());
            let history = self.before(example);
            let history: Vec<&[Visit]> = history.iter().map(Vec::as_slice).collect();
            for walk in walks.iter_mut().filter(|walk| example.known > walk.knows) {
                let row = row(&walk.columns, &example.features, &whose, example.at);
                walk.predictor.learn(&row, &history, example.persona.as_str());
            }
        }
        let visit = Visit { label: example.persona.to_string(), at: i64::try_from(example.at.as_millis()).ok() };
        if let Some(user) = &example.user {
            self.people.entry(user.clone()).or_default().push(visit.clone());
        }
        self.devices.entry(example.device).or_default().push(visit);
    }
}

/// As many visits as are remembered of a device while the daemon runs.
fn latest(mut visits: Vec<Visit>) -> Vec<Visit> {
    let excess = visits.len().saturating_sub(super::experience::MOST_VISITS);
    visits.drain(..excess);
    visits
}
