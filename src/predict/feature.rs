//! What the contexts of a row say of each candidate, as numbers that a regression can weigh.
//!
//! Each opinion gives one number for each candidate, the logarithm of its smoothed share, in one of a few slots: the slot
//! says how many rows the opinion stands on, so that one rumour and a thousand witnesses are weighed apart.

use serde::{Deserialize, Serialize};

use super::{
    context::{Cell, Context},
    history::{DEEPEST, HALF_LIVES, frequencies, successors},
};

/// An opinion on fewer rows than this is in the first slot, and so on; more are in the last.
const SLOTS: [f64; 3] = [2.5, 9.5, f64::INFINITY];

/// How many candidates are weighed for one row. The rest share what is left.
const MOST_CANDIDATES: usize = 20;

/// How many visits the general opinion is worth beside a group's own.
const OWN_SMOOTHING: f64 = 0.5;

/// Everything that was counted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) all: Cell,
    pub(super) contexts: Vec<Context>,
    /// How many kinds of groups have a history.
    pub(super) groups: usize,
}

/// The candidates of a row, and their features.
#[derive(Debug, Default)]
pub(super) struct Spread {
    pub(super) candidates: Vec<u32>,
    /// For each candidate, [`Counts::width`] numbers.
    pub(super) features: Vec<f64>,
    /// For each candidate, [`Counts::witnesses`] shares: what the frequencies of all rows say, and each opinion by itself.
    pub(super) shares: Vec<f64>,
}

struct Opinion<'c> {
    counts: &'c [(u32, f64)],
    total: f64,
    smoothing: f64,
    parent: Option<usize>,
}

impl Opinion<'_> {
    fn count(&self, label: u32) -> f64 {
        self.counts.iter().find(|(known, _)| *known == label).map_or(0.0, |(_, count)| *count)
    }
}

impl Counts {
    /// How many features a candidate has.
    pub(super) fn width(&self) -> usize {
        1 + SLOTS.len() * (self.contexts.len() + self.groups * (HALF_LIVES.len() + 1))
    }

    /// How many there are that give a share to a candidate.
    pub(super) fn witnesses(&self) -> usize {
        1 + self.contexts.len() + self.groups * (HALF_LIVES.len() + 1)
    }

    /// Which opinion a feature belongs to: `None` is the frequencies of all rows, then the contexts, then the histories.
    pub(super) fn opinion_of(feature: usize) -> Option<usize> {
        feature.checked_sub(1).map(|at| at / SLOTS.len())
    }

    pub(super) fn add(&mut self, symbols: &[u32], label: u32) {
        self.all.add(label);
        self.contexts.iter_mut().for_each(|context| context.add(symbols, label));
    }

    /// The candidates of a row and what is said of them. `visits` are the labels that each group had before.
    pub(super) fn spread(&self, symbols: &[u32], visits: &[Vec<u32>], out: &mut Spread) {
        let histories: Vec<(Vec<(u32, f64)>, f64)> = (0..self.groups)
            .flat_map(|group| {
                let all = visits.get(group).map(Vec::as_slice).unwrap_or_default();
                let latest = &all[all.len().saturating_sub(DEEPEST)..];
                let shares = HALF_LIVES.iter().map(|&half_life| frequencies(latest, half_life));
                shares.chain([successors(latest, HALF_LIVES[2])]).collect::<Vec<_>>()
            })
            .collect();
        let mut opinions: Vec<Opinion<'_>> = Vec::with_capacity(self.contexts.len() + histories.len());
        for context in &self.contexts {
            let cell = context.cell(symbols);
            let counts = cell.map(|cell| cell.counts.as_slice()).unwrap_or_default();
            let total = cell.map_or(0.0, |cell| cell.total);
            opinions.push(Opinion { counts, total, smoothing: context.smoothing, parent: context.parent });
        }
        for (counts, total) in &histories {
            opinions.push(Opinion { counts, total: *total, smoothing: OWN_SMOOTHING, parent: None });
        }
        self.choose(&opinions, &mut out.candidates);
        self.describe(&opinions, out);
    }

    /// The labels that any opinion knows of, the likeliest ones of them.
    fn choose(&self, opinions: &[Opinion<'_>], candidates: &mut Vec<u32>) {
        let mut scores: Vec<(u32, f64)> = vec![];
        for opinion in opinions.iter().filter(|opinion| opinion.total > 0.0) {
            for &(label, _) in opinion.counts.iter().take(2 * MOST_CANDIDATES) {
                let share = opinion.count(label) / (opinion.total + 1.0);
                match scores.iter_mut().find(|(known, _)| *known == label) {
                    _ if share <= 0.0 => {}
                    Some((_, score)) => *score += share,
                    None => scores.push((label, share)),
                }
            }
        }
        for &(label, count) in self.all.counts.iter().take(2 * MOST_CANDIDATES) {
            let share = 0.01 * count / self.all.total.max(1.0);
            match scores.iter_mut().find(|(known, _)| *known == label) {
                _ if share <= 0.0 => {}
                Some((_, score)) => *score += share,
                None => scores.push((label, share)),
            }
        }
        scores.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        candidates.clear();
        candidates.extend(scores.iter().take(MOST_CANDIDATES).map(|(label, _)| *label));
    }

    fn describe(&self, opinions: &[Opinion<'_>], out: &mut Spread) {
        let width = self.width();
        out.features.clear();
        out.features.resize(width * out.candidates.len(), 0.0);
        let mut shares = vec![0.0; opinions.len()];
        out.shares.clear();
        for (at, &label) in out.candidates.iter().enumerate() {
            let features = &mut out.features[at * width..(at + 1) * width];
            let general = (self.all.count(label) + 0.5) / (self.all.total + 0.5 * self.all.counts.len() as f64);
            features[0] = general.ln();
            out.shares.push(general);
            for (at, opinion) in opinions.iter().enumerate() {
                let parent = opinion.parent.map_or(general, |parent| shares[parent]);
                shares[at] = (opinion.count(label) + opinion.smoothing * parent) / (opinion.total + opinion.smoothing);
                if opinion.total > 0.0 {
                    let slot = SLOTS.iter().take_while(|most| opinion.total > **most).count();
                    features[1 + at * SLOTS.len() + slot] = shares[at].ln();
                }
            }
            out.shares.extend_from_slice(&shares);
        }
    }
}
