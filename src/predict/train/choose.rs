//! Which contexts are worth counting: sets of sources, found by how well they foretell rows that they have not counted.
//!
//! A context is tried by predicting each row from the other rows of its cell (with times: from those known by then), smoothed by
//! the best context that has one source less. What it gives is how much better that foretells than the smaller one does; so a
//! column that follows from another, and an id that never comes again, give nothing and are left out. The search keeps the
//! best few of each size and adds one source to them.
//!
//! Many coarse contexts that know different things make a better product than a few fine ones. So none is left out because
//! others were taken: the regression weighs them.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use crate::predict::context::{Context, key};

use super::reveal::Reveal;

/// How many contexts of each size are made larger.
const BEAM: usize = 10;

/// How many sources are tried to make them so.
const EXTENDING: usize = 16;

/// How many sources a context has at most.
const LARGEST: usize = 5;

/// How many rows a smaller context's opinion may be worth.
const SMOOTHINGS: [f64; 6] = [0.25, 0.7, 2.0, 6.0, 20.0, 60.0];

/// What a context must give, in nats over all rows.
const LEAST_GAIN: f64 = 3.0;

/// By how many rows a context is judged at most. It is counted from all of them.
const JUDGED: usize = 6000;

/// The rows to choose by.
pub(super) struct Rows<'r> {
    pub(super) symbols: &'r [Vec<u32>],
    pub(super) labels: &'r [u32],
    /// How many labels there are.
    pub(super) several: usize,
    /// With times, which rows a row may be foretold from; without, from all others.
    pub(super) reveal: Option<Reveal>,
    /// Every how manieth row is judged.
    every: usize,
}

impl<'r> Rows<'r> {
    pub(super) fn of(symbols: &'r [Vec<u32>], labels: &'r [u32], several: usize, reveal: Option<Reveal>) -> Self {
        Self { symbols, labels, several, reveal, every: labels.len().div_ceil(JUDGED).max(1) }
    }
}

struct Tried {
    sources: Vec<usize>,
    parent: Option<usize>,
    smoothing: f64,
    /// Of each judged row: how many others of its cell have its label, and how many others there are.
    seen: Vec<(f32, f32)>,
    /// The probability that it gave to the label of each judged row.
    chances: Vec<f64>,
    loss: f64,
    /// How much less that is than the parent's, for all rows.
    gain: f64,
}

/// The contexts worth counting, smaller ones first, at most so many of these sources.
pub(super) fn choose(rows: &Rows<'_>, sources: usize, most: usize) -> Vec<Context> {
    let general = general(rows);
    let mut tried: Vec<Tried> = vec![];
    let take = |tried: &mut Vec<Tried>, found: Tried| {
        // Two sets of sources that tell the rows apart in the same way are one.
        let is_known = tried.iter().any(|known| known.seen == found.seen);
        let is_worth = found.gain > LEAST_GAIN && !is_known;
        is_worth.then(|| {
            tried.push(found);
            tried.len() - 1
        })
    };
    let mut beam: Vec<usize> =
        (0..sources).filter_map(|source| take(&mut tried, attempt(rows, vec![source], None, &general))).collect();
    by_loss(&tried, &mut beam);
    let singles: Vec<usize> = beam.iter().take(EXTENDING).map(|at| tried[*at].sources[0]).collect();
    for _ in 1..LARGEST {
        by_loss(&tried, &mut beam);
        beam.truncate(BEAM);
        let mut next: Vec<usize> = vec![];
        for (&at, &source) in beam.iter().flat_map(|at| singles.iter().map(move |source| (at, source))) {
            let mut larger = tried[at].sources.clone();
            if larger.contains(&source) {
                continue;
            }
            larger.push(source);
            larger.sort_unstable();
            if tried.iter().any(|known| known.sources == larger) {
                continue;
            }
            let smaller = (0..tried.len()).filter(|at| {
                let sources = &tried[*at].sources;
                sources.len() + 1 == larger.len() && sources.iter().all(|source| larger.contains(source))
            });
            let parent = smaller.min_by(|one, other| tried[*one].loss.total_cmp(&tried[*other].loss));
            let chances = parent.map_or(&general, |parent| &tried[parent].chances);
            let found = attempt(rows, larger, parent, chances);
            next.extend(take(&mut tried, found));
        }
        beam = next;
    }
    keep(&tried, most)
}

fn by_loss(tried: &[Tried], order: &mut [usize]) {
    order.sort_by(|one, other| tried[*one].loss.total_cmp(&tried[*other].loss).then(one.cmp(other)));
}

/// The best of those tried, each with its parents.
fn keep(tried: &[Tried], most: usize) -> Vec<Context> {
    let mut order: Vec<usize> = (0..tried.len()).collect();
    order.sort_by(|one, other| tried[*other].gain.total_cmp(&tried[*one].gain).then(one.cmp(other)));
    let mut kept: Vec<usize> = vec![];
    for at in order {
        let mut line = vec![];
        let mut next = Some(at);
        while let Some(at) = next.filter(|at| !kept.contains(at)) {
            line.push(at);
            next = tried[at].parent;
        }
        if kept.len() + line.len() <= most {
            kept.extend(line);
        }
    }
    // Parents come before what they smooth: they were tried before it.
    kept.sort_unstable();
    let context = |at: &usize| Context {
        sources: tried[*at].sources.clone(),
        parent: tried[*at].parent.and_then(|parent| kept.iter().position(|kept| *kept == parent)),
        smoothing: tried[*at].smoothing,
        ..Context::default()
    };
    kept.iter().map(context).collect()
}

/// What the frequencies of the other rows give to the label of each judged row.
fn general(rows: &Rows<'_>) -> Vec<f64> {
    let mut counts = vec![0.0_f64; rows.several];
    if rows.reveal.is_none() {
        rows.labels.iter().for_each(|label| counts[*label as usize] += 1.0);
    }
    let mut total: f64 = counts.iter().sum();
    let own = if rows.reveal.is_some() { 0.0 } else { 1.0 };
    let mut chances = vec![];
    for (at, &label) in rows.labels.iter().enumerate() {
        for known in rows.reveal.iter().flat_map(|reveal| reveal.now(at)) {
            counts[rows.labels[*known] as usize] += 1.0;
            total += 1.0;
        }
        if at.is_multiple_of(rows.every) {
            chances.push((counts[label as usize] - own + 0.5) / (total - own + 0.5 * rows.several as f64));
        }
    }
    chances
}

fn attempt(rows: &Rows<'_>, sources: Vec<usize>, parent: Option<usize>, before: &[f64]) -> Tried {
    let mut counts: HashMap<u64, f32, Mixed> = HashMap::default();
    let mut totals: HashMap<u64, f32, Mixed> = HashMap::default();
    let keys = rows.symbols.iter().zip(rows.labels).map(|(symbols, label)| {
        let cell = key(&sources, symbols);
        (cell, cell.wrapping_add((u64::from(*label) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    });
    let mut seen: Vec<(f32, f32)> = vec![];
    if let Some(reveal) = &rows.reveal {
        let keys: Vec<(u64, u64)> = keys.collect();
        for (at, (cell, labelled)) in keys.iter().enumerate() {
            for known in reveal.now(at) {
                let (cell, labelled) = keys[*known];
                *counts.entry(labelled).or_default() += 1.0;
                *totals.entry(cell).or_default() += 1.0;
            }
            if at.is_multiple_of(rows.every) {
                let count = |counts: &HashMap<u64, f32, Mixed>, key| counts.get(key).copied().unwrap_or_default();
                seen.push((count(&counts, labelled), count(&totals, cell)));
            }
        }
    } else {
        for (cell, labelled) in keys.clone() {
            *counts.entry(labelled).or_default() += 1.0;
            *totals.entry(cell).or_default() += 1.0;
        }
        seen.extend(keys.step_by(rows.every).map(|(cell, labelled)| (counts[&labelled] - 1.0, totals[&cell] - 1.0)));
    }
    let (smoothing, loss) = best(&seen, before);
    let gain = (loss_of(before.iter().copied()) - loss) * rows.every as f64;
    let chances = seen.iter().zip(before).map(|(seen, before)| chance(*seen, *before, smoothing)).collect();
    Tried { sources, parent, smoothing, seen, chances, loss, gain }
}

/// What a cell gives to the label of a row, smoothed by what was thought before.
fn chance((count, total): (f32, f32), before: f64, smoothing: f64) -> f64 {
    (f64::from(count) + smoothing * before) / (f64::from(total) + smoothing)
}

/// The smoothing under which the rows were likeliest, and the loss under it.
fn best(seen: &[(f32, f32)], before: &[f64]) -> (f64, f64) {
    let loss = |&smoothing: &f64| {
        let chances = seen.iter().zip(before).map(|(seen, before)| chance(*seen, *before, smoothing));
        (smoothing, loss_of(chances))
    };
    SMOOTHINGS.iter().map(loss).min_by(|one, other| one.1.total_cmp(&other.1)).unwrap_or((1.0, 0.0))
}

/// The sum of the negative logarithms.
fn loss_of(chances: impl Iterator<Item = f64>) -> f64 {
    // One logarithm for many rows: a product is cheaper, and is taken stock of before it leaves what a float can hold.
    let (mut sum, mut product) = (0.0, 1.0_f64);
    for chance in chances {
        product *= chance;
        if product < 1e-200 {
            sum -= product.ln();
            product = 1.0;
        }
    }
    sum - product.ln()
}

/// Keys are mixed already: they are their own hash.
#[derive(Default)]
struct Own(u64);

type Mixed = BuildHasherDefault<Own>;

impl Hasher for Own {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
