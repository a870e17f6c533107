//! Walking through the past: every example is predicted from what was known before it, then revealed when it
//! became known.

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
/// As in use: what a device or person was is known as soon as it is known at all; a walk counts an example so many
/// milliseconds `after` that, when a lesson would have, unless it knows it already.
pub(super) fn walk(
    examples: &[Arc<Example>],
    from: usize,
    after: u64,
    walks: &mut [Walk],
    mut told: impl FnMut(usize, usize, &Ranking) -> bool,
) {
    let mut by_known: Vec<usize> = (0..examples.len()).collect();
    by_known.sort_by_key(|at| (examples[*at].known, *at));
    let (mut remembered, mut counted) = (0, 0);
    let mut past = Past::default();
    // What each example's groups had been, until it is counted.
    let mut histories: HashMap<usize, [Vec<Visit>; 2]> = HashMap::new();
    for (at, example) in examples.iter().enumerate() {
        while let Some(next) =
            by_known.get(remembered).map(|next| &examples[*next]).filter(|next| next.known < example.planned)
        {
            past.remember(next);
            remembered += 1;
        }
        let is_new = walks.iter().any(|walk| example.known > walk.knows);
        if at < from && !is_new {
            continue;
        }
        let is_due = |next: &&usize| {
            let next = &examples[**next];
            next.known < example.planned && next.known_at.as_millis().saturating_add(after) <= example.at.as_millis()
        };
        while let Some(next) = by_known.get(counted).filter(is_due) {
            count(&examples[*next], histories.remove(next), walks);
            counted += 1;
        }
        let history = past.before(example);
        let known: Vec<&[Visit]> = history.iter().map(Vec::as_slice).collect();
        let whose = Whose::of(example.device, example.user.as_ref());
        for (nth, walk) in walks.iter().enumerate().filter(|_| at >= from) {
            let row = row(&walk.columns, &example.features, &whose, example.at);
            if !told(at, nth, &walk.predictor.rank(&row, &known)) {
                return;
            }
        }
        histories.insert(at, history);
    }
    // What is known by now is learned, so that a walk can go on.
    for next in by_known[counted..].iter().filter(|next| examples[**next].is_known()) {
        count(&examples[*next], histories.remove(next), walks);
    }
}

/// Has the walks learn an example that they do not know; one whose history was not kept, all of them know.
fn count(example: &Example, history: Option<[Vec<Visit>; 2]>, walks: &mut [Walk]) {
    let Some(history) = history else { return };
    let history: Vec<&[Visit]> = history.iter().map(Vec::as_slice).collect();
    let whose = Whose::of(example.device, example.user.as_ref());
    for walk in walks.iter_mut().filter(|walk| example.known > walk.knows) {
        let row = row(&walk.columns, &example.features, &whose, example.at);
        walk.predictor.learn(&row, &history, example.persona.as_str());
    }
}

/// What devices and people became, as far as it is known.
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

    fn remember(&mut self, example: &Example) {
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
