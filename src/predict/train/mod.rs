//! Training: which contexts, and how much each weighs.
//!
//! A row must never be predicted from itself. Without times its own label is taken out of the counts; with times, the rows are
//! walked through as they came, each one predicted from those before it and then counted.

mod regress;

use std::ops::ControlFlow;

use thiserror::Error;

use super::{
    FORMAT, Model, Sample,
    context::Context,
    encode::Encoder,
    feature::{Counts, Spread},
    history::DEEPEST,
    sample::Column,
};

use regress::Cases;

/// How much training may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many rows the weights are learned from, at most. All rows are counted.
    pub rows: usize,
    /// How many contexts there are, at most.
    pub contexts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 40_000, contexts: 24 }
    }
}

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

/// Learns a model.
pub fn train(sample: &Sample, limits: &Limits) -> Result<Model, TrainError> {
    train_watched(sample, limits, &mut |_| ControlFlow::Continue(()))
}

/// Learns a model, and says how far it is.
pub fn train_watched(sample: &Sample, limits: &Limits, watch: Watch<'_>) -> Result<Model, TrainError> {
    if sample.is_empty() {
        return Err(TrainError::Empty);
    }
    let encoder = Encoder::of(sample);
    let contexts = (0..encoder.sources.len())
        .map(|at| Context { sources: vec![at], smoothing: 1.0, ..Context::default() })
        .take(limits.contexts)
        .collect();
    let mut counts = Counts { contexts, groups: encoder.groups.len(), ..Counts::default() };
    let timed = sample.is_timed();
    let mut past = Past::of(sample);
    let mut symbols: Vec<Vec<u32>> = Vec::with_capacity(sample.len());
    for at in 0..sample.len() {
        symbols.push(encoder.symbols(&sample.row(at).unwrap_or_default(), &past.before(at)));
        past.pass(at);
    }
    let mut past = Past::of(sample);
    if !timed {
        symbols.iter().zip(&sample.labels.cells).for_each(|(symbols, &label)| counts.add(symbols, label));
    }
    let every = sample.len().div_ceil(limits.rows.max(1));
    let mut cases = Cases { width: counts.width(), ..Cases::default() };
    let (mut spread, mut missed, mut tried) = (Spread::default(), 0, 0);
    for (at, (symbols, &label)) in symbols.iter().zip(&sample.labels.cells).enumerate() {
        if at % 256 == 0 && watch(0.8 * at as f64 / sample.len() as f64).is_break() {
            return Err(TrainError::Stopped);
        }
        // The first rows of a history know too little to learn from.
        if at % every == 0 && (!timed || at * 10 >= sample.len()) {
            counts.spread(symbols, &past.before(at), (!timed).then_some(label), &mut spread);
            tried += 1;
            match spread.candidates.iter().position(|candidate| *candidate == label) {
                Some(right) => {
                    cases.rows.push((spread.candidates.len() as u32, right as u32));
                    cases.features.extend(spread.features.iter().map(|feature| *feature as f32));
                }
                None => missed += 1,
            }
        }
        if timed {
            counts.add(symbols, label);
            past.pass(at);
        }
    }
    let start = vec![0.0; cases.width];
    let weights = regress::fit(&cases, &start, 1.0).ok_or(TrainError::Unsettled)?;
    let elsewhere = (f64::from(missed) + 0.5) / (f64::from(tried) + 1.0);
    let labels = sample.labels().to_vec();
    let known = labels.iter().enumerate().map(|(at, label)| (label.clone(), at as u32)).collect();
    Ok(Model { format: FORMAT, rows: sample.len(), labels, known, encoder, counts, weights, elsewhere })
}

/// What the groups had before a row, while the rows are walked through.
struct Past<'s> {
    sample: &'s Sample,
    had: Vec<Vec<Vec<u32>>>,
}

impl<'s> Past<'s> {
    fn of(sample: &'s Sample) -> Self {
        let none = |group: &Column| vec![vec![]; group.words.len()];
        Self { sample, had: if sample.is_timed() { sample.groups.iter().map(none).collect() } else { vec![] } }
    }

    /// The labels of the earlier rows of each of its groups.
    fn before(&self, row: usize) -> Vec<Vec<u32>> {
        let of = |(had, group): (&Vec<Vec<u32>>, &Column)| {
            let visits = had.get(group.cells[row] as usize).map(Vec::as_slice).unwrap_or_default();
            visits[visits.len().saturating_sub(DEEPEST)..].to_vec()
        };
        self.had.iter().zip(&self.sample.groups).map(of).collect()
    }

    fn pass(&mut self, row: usize) {
        let label = self.sample.labels.cells[row];
        for (had, group) in self.had.iter_mut().zip(&self.sample.groups) {
            if let Some(visits) = had.get_mut(group.cells[row] as usize) {
                visits.push(label);
            }
        }
    }
}
