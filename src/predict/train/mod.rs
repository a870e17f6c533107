//! Training: which contexts ([`choose`](mod@choose)), and how much each weighs ([`regress`]).
//!
//! A row must never be predicted from itself. Without times the rows are cut into parts, and the rows of one are predicted
//! from what was counted in the others; with times the rows are walked through as they came, each predicted from those that
//! were known by then ([`reveal`]).

mod choose;
mod regress;
mod reveal;

use std::ops::ControlFlow;

use thiserror::Error;

use crate::model::Seconds;

use super::{
    FORMAT, Model, Sample,
    encode::Encoder,
    feature::{Counts, Spread},
    history::DEEPEST,
    sample::Column,
};

use choose::{Rows, choose};
use regress::Cases;
use reveal::Reveal;

/// How much training may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many rows the weights are learned from, at most. All rows are counted.
    pub rows: usize,
    /// How many contexts there are, at most.
    pub contexts: usize,
    /// How long after its label was known a row with a time is counted at the earliest: as old as counts get in use, where
    /// they wait for the next lesson. At most one [`YOUNG`]th of the time that all rows span, or a young history would teach nothing.
    pub reveal_after: Seconds,
}

impl Default for Limits {
    /// Some 100 MB and a few seconds of one core, for 26,000 rows of 8 columns with 50 labels.
    fn default() -> Self {
        Self { rows: 30_000, contexts: 36, reveal_after: Seconds(0) }
    }
}

/// Into how many parts the time that all rows span is cut, at least: rows of one part may not know of one another.
pub const YOUNG: i64 = 10;

/// Why there is no model.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrainError {
    /// Nothing to learn from.
    #[error("there are no rows to learn from")]
    Empty,
    /// The numbers went out of bounds.
    #[error("the weights did not settle: the columns may hold nothing that tells the labels apart")]
    Unsettled,
    /// It was told to stop.
    #[error("training was stopped")]
    Stopped,
}

/// Hears how far training is, from 0 to 1, and may stop it.
pub type Watch<'w> = &'w mut dyn FnMut(f64) -> ControlFlow<()>;

/// Into how many parts rows without times are cut.
const FOLDS: usize = 10;

/// Of more rows than this, contexts are chosen by a part of them.
const CHOOSING: usize = 200_000;

/// Learns a model.
pub fn train(sample: &Sample, limits: &Limits) -> Result<Model, TrainError> {
    train_watched(sample, limits, &mut |_| ControlFlow::Continue(()))
}

/// Learns a model, and says how far it is.
pub fn train_watched(sample: &Sample, limits: &Limits, watch: Watch<'_>) -> Result<Model, TrainError> {
    if sample.is_empty() {
        return Err(TrainError::Empty);
    }
    let mut go_on = |share: f64| watch(share).is_continue();
    let encoder = Encoder::of(sample);
    let symbols = symbols(sample, &encoder);
    let (labels, several, timed) = (&sample.labels.cells, sample.labels().len(), sample.is_timed());
    if !go_on(0.1) {
        return Err(TrainError::Stopped);
    }
    let after = reveal_after(sample, limits.reveal_after);
    let reveal = |every: usize| timed.then(|| Reveal::of(sample, every, after));
    let contexts = match sample.len().div_ceil(CHOOSING) {
        1 => choose(&Rows::of(&symbols, labels, several, reveal(1)), encoder.sources.len(), limits.contexts),
        every => {
            let symbols: Vec<Vec<u32>> = symbols.iter().step_by(every).cloned().collect();
            let labels: Vec<u32> = labels.iter().step_by(every).copied().collect();
            choose(&Rows::of(&symbols, &labels, several, reveal(every)), encoder.sources.len(), limits.contexts)
        }
    };
    let empty = Counts { contexts, groups: encoder.groups.len(), ..Counts::default() };
    let mut seen = |share: f64| go_on(0.3 + 0.4 * share);
    let every = sample.len().div_ceil(limits.rows.max(1));
    let (counts, gathered) = match reveal(1) {
        Some(reveal) => walk_through(sample, &symbols, empty, (&reveal, every), &mut seen),
        None => fold(&symbols, labels, empty, every, &mut seen),
    }
    .ok_or(TrainError::Stopped)?;
    let Gathered { cases, missed, tried, .. } = gathered;
    let mut stopped = false;
    let blend = regress::blend(&cases, |share| {
        stopped = !go_on(0.7 + 0.3 * share);
        !stopped
    });
    let Some(blend) = blend else {
        return Err(if stopped { TrainError::Stopped } else { TrainError::Unsettled });
    };
    Ok(Model {
        format: FORMAT,
        rows: sample.len(),
        labels: sample.labels().to_vec(),
        known: sample.labels().iter().enumerate().map(|(at, label)| (label.clone(), at as u32)).collect(),
        encoder,
        counts,
        weights: blend.weights,
        parts: blend.parts,
        elsewhere: (f64::from(missed) + 0.5) / (f64::from(tried) + 1.0),
    })
}

/// So many milliseconds, but no more than a young history bears.
fn reveal_after(sample: &Sample, wanted: Seconds) -> i64 {
    let times = || sample.at.iter().flatten().copied();
    let span = times().max().unwrap_or_default().saturating_sub(times().min().unwrap_or_default());
    (i64::from(wanted.0) * 1000).min(span / YOUNG)
}

fn symbols(sample: &Sample, encoder: &Encoder) -> Vec<Vec<u32>> {
    let mut past = Past::of(sample);
    let mut symbols = Vec::with_capacity(sample.len());
    for at in 0..sample.len() {
        past.come_to(at);
        symbols.push(encoder.symbols(&sample.row(at).unwrap_or_default(), &past.before(at)));
    }
    symbols
}

type Learned = Option<(Counts, Gathered)>;

/// Counts all rows; each is predicted from the other parts.
fn fold(
    symbols: &[Vec<u32>],
    labels: &[u32],
    empty: Counts,
    every: usize,
    go_on: &mut dyn FnMut(f64) -> bool,
) -> Learned {
    let mut gathered = Gathered::of(&empty);
    let all = || symbols.iter().zip(labels).enumerate();
    for fold in 0..FOLDS {
        if !go_on(fold as f64 / FOLDS as f64) {
            return None;
        }
        // Parts by place: whoever wrote the rows in an order put like beside like, and every part has some of each.
        let mut others = empty.clone();
        all().filter(|(at, _)| at % FOLDS != fold).for_each(|(_, (symbols, &label))| others.add(symbols, label));
        for (at, (symbols, &label)) in all() {
            if at % FOLDS == fold && (at / FOLDS).is_multiple_of(every) {
                gathered.add(&others, symbols, &[], label);
            }
        }
    }
    let mut counts = empty;
    all().for_each(|(_, (symbols, &label))| counts.add(symbols, label));
    Some((counts, gathered))
}

/// Counts all rows as they were known; each is predicted from those that were by then.
fn walk_through(
    sample: &Sample,
    symbols: &[Vec<u32>],
    empty: Counts,
    (reveal, every): (&Reveal, usize),
    go_on: &mut dyn FnMut(f64) -> bool,
) -> Learned {
    let mut gathered = Gathered::of(&empty);
    let (mut counts, mut past) = (empty, Past::of(sample));
    let labels = &sample.labels.cells;
    for at in 0..sample.len() {
        if at.is_multiple_of(1024) && !go_on(at as f64 / sample.len() as f64) {
            return None;
        }
        // The first half of a history knows less than what is to be predicted will: its opinions are weaker.
        past.come_to(at);
        reveal.now(at).iter().for_each(|known| counts.add(&symbols[*known], labels[*known]));
        if at.is_multiple_of(every) && at * 2 >= sample.len() {
            gathered.add(&counts, &symbols[at], &past.before(at), labels[at]);
        }
    }
    reveal.at_last().iter().for_each(|known| counts.add(&symbols[*known], labels[*known]));
    Some((counts, gathered))
}

/// What the weights are learned from.
#[derive(Default)]
struct Gathered {
    cases: Cases,
    spread: Spread,
    /// How many rows there were, and how many whose label was not among the candidates.
    tried: u32,
    missed: u32,
}

impl Gathered {
    fn of(counts: &Counts) -> Self {
        let cases = Cases { width: counts.width(), witnesses: counts.witnesses(), ..Cases::default() };
        Self { cases, ..Self::default() }
    }

    fn add(&mut self, counts: &Counts, symbols: &[u32], visits: &[Vec<u32>], label: u32) {
        counts.spread(symbols, visits, &mut self.spread);
        self.tried += 1;
        let Spread { candidates, features, shares } = &self.spread;
        let Some(right) = candidates.iter().position(|candidate| *candidate == label) else {
            self.missed += 1;
            return;
        };
        let (cases, several) = (&mut self.cases, counts.witnesses());
        cases.rows.push((candidates.len() as u32, right as u32));
        // With one label all are nothing: the first stays, so that there is one.
        let is_live = |at: &usize| *at == 0 || features.iter().skip(*at).step_by(cases.width).any(|one| *one != 0.0);
        let live: Vec<u16> = (0..cases.width).filter(is_live).map(|at| at as u16).collect();
        for one in features.chunks_exact(cases.width) {
            cases.features.extend(live.iter().map(|at| one[usize::from(*at)] as f32));
        }
        cases.live.push(live.len() as u16);
        cases.places.extend(live);
        cases.shares.extend(shares[right * several..(right + 1) * several].iter().map(|share| *share as f32));
    }
}

/// What the groups had before a row, while the rows are walked through.
struct Past<'s> {
    sample: &'s Sample,
    had: Vec<Vec<Vec<u32>>>,
    /// What a group itself was is known without a lesson.
    reveal: Reveal,
}

impl<'s> Past<'s> {
    fn of(sample: &'s Sample) -> Self {
        let none = |group: &Column| vec![vec![]; group.words.len()];
        match sample.is_timed() {
            true => {
                let had = sample.groups.iter().map(none).collect();
                Self { sample, had, reveal: Reveal::of(sample, 1, 0) }
            }
            false => Self { sample, had: vec![], reveal: Reveal::default() },
        }
    }

    /// The labels of the rows of each of its groups that were known by then.
    fn before(&self, row: usize) -> Vec<Vec<u32>> {
        let of = |(had, group): (&Vec<Vec<u32>>, &Column)| {
            let visits = had.get(group.cells[row] as usize).map(Vec::as_slice).unwrap_or_default();
            visits[visits.len().saturating_sub(DEEPEST)..].to_vec()
        };
        self.had.iter().zip(&self.sample.groups).map(of).collect()
    }

    /// Takes up what was known before this row, the next one.
    fn come_to(&mut self, row: usize) {
        if self.had.is_empty() {
            return;
        }
        for known in self.reveal.now(row) {
            let label = self.sample.labels.cells[*known];
            for (had, group) in self.had.iter_mut().zip(&self.sample.groups) {
                if let Some(visits) = had.get_mut(group.cells[*known] as usize) {
                    visits.push(label);
                }
            }
        }
    }
}
