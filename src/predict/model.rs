//! What was learned: counts, weights, and the ranking that they give.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Row, Visit,
    encode::Encoder,
    feature::{Counts, Spread},
    history::{DEEPEST, HALF_LIVES},
};

/// The version of what a [`Model`] is written as. Another one is trained anew, not read.
pub const FORMAT: u16 = 1;

/// What has been learned from a [`Sample`](super::Sample).
///
/// It is plain data, and can be kept as anything that serde writes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Model {
    /// [`FORMAT`] when it was written.
    pub format: u16,
    /// How many rows it was trained on.
    pub rows: usize,
    /// The labels it knows.
    pub(super) labels: Vec<String>,
    /// Their symbols: where they are in `labels`.
    pub(super) known: BTreeMap<String, u32>,
    pub(super) encoder: Encoder,
    pub(super) counts: Counts,
    /// A weight for each feature.
    pub(super) weights: Vec<f64>,
    /// How the weighed product and each witness by itself share in the probability.
    pub(super) parts: Vec<f64>,
    /// How often the label is none of the candidates.
    pub(super) elsewhere: f64,
}

/// What is likely, likeliest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Ranking {
    /// Their probabilities add up to at most one. The rest is what no row had before.
    pub candidates: Vec<Candidate>,
}

/// One label and how likely it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Which.
    pub label: String,
    /// How likely, from 0 to 1.
    pub probability: f64,
    /// What spoke for it and against it, the strongest first. Only the likeliest few have any.
    pub drivers: Vec<Driver>,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Driver {
    /// The columns it stands on, such as `department + location`.
    pub feature: String,
    /// What they say, such as `sales + Berlin`.
    pub value: String,
    /// How strongly it speaks for the label (above zero) or against it, in the logarithm of odds, beside the other candidates.
    pub weight: f64,
}

/// Below this, a label is not worth a line.
const LEAST: f64 = 1e-6;

/// How many reasons are given for a candidate.
const DRIVERS: usize = 5;

/// For how many candidates there are reasons.
const EXPLAINED: usize = 5;

impl Model {
    /// The names of the columns, in the order of a row's values.
    pub fn columns(&self) -> Vec<&str> {
        self.encoder.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// The labels it knows.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// What a row is likely to be. `history` has the visits of each of its groups before it, oldest first, in the order of the
    /// sample's groups; fewer are taken as none.
    pub fn rank(&self, row: &Row<'_>, history: &[&[Visit]]) -> Ranking {
        let visits: Vec<Vec<u32>> = history.iter().map(|visits| self.symbols(visits)).collect();
        let symbols = self.encoder.symbols(row, &visits);
        let mut spread = Spread::default();
        self.counts.spread(&symbols, &visits, &mut spread);
        let mut chances = shares(&spread, &self.weights);
        for (chance, shares) in chances.iter_mut().zip(spread.shares.chunks_exact(self.parts.len() - 1)) {
            let witnessed: f64 = shares.iter().zip(&self.parts[1..]).map(|(share, part)| share * part).sum();
            *chance = self.parts[0] * *chance + witnessed;
        }
        let mut drivers = self.drivers(&spread, &chances, row, &symbols);
        let mut candidates: Vec<Candidate> = spread
            .candidates
            .iter()
            .enumerate()
            .map(|(at, &label)| Candidate {
                label: self.labels[label as usize].clone(),
                probability: (1.0 - self.elsewhere) * chances[at],
                drivers: std::mem::take(&mut drivers[at]),
            })
            .collect();
        // Half of what is left goes to the labels that are known and spoke for themselves nowhere; half to what is new.
        let others = self.counts.all.counts.iter().filter(|(label, _)| !spread.candidates.contains(label));
        let rest: f64 = others.clone().map(|(_, count)| count).sum();
        candidates.extend(others.map(|(label, count)| Candidate {
            label: self.labels[*label as usize].clone(),
            probability: 0.5 * self.elsewhere * count / rest,
            drivers: vec![],
        }));
        candidates.retain(|candidate| candidate.probability >= LEAST);
        candidates.sort_by(|one, other| {
            other.probability.total_cmp(&one.probability).then_with(|| one.label.cmp(&other.label))
        });
        Ranking { candidates }
    }

    /// Counts a row whose label has become known. The weights stay until the next training.
    pub fn learn(&mut self, row: &Row<'_>, history: &[&[Visit]], label: &str) {
        self.encoder.learn(row);
        let label = self.known.get(label).copied().unwrap_or_else(|| {
            let symbol = self.labels.len() as u32;
            self.labels.push(label.to_owned());
            self.known.insert(label.to_owned(), symbol);
            symbol
        });
        let visits: Vec<Vec<u32>> = history.iter().map(|visits| self.symbols(visits)).collect();
        let symbols = self.encoder.symbols(row, &visits);
        self.counts.add(&symbols, label);
    }

    fn symbols(&self, visits: &[Visit]) -> Vec<u32> {
        let latest = &visits[visits.len().saturating_sub(DEEPEST)..];
        latest.iter().filter_map(|visit| self.known.get(&visit.label).copied()).collect()
    }

    /// What spoke for the likeliest candidates, beside the mean of all of them.
    ///
    /// The weight of an opinion is spread over the line of contexts that it was smoothed by: each has spoken by as much as it
    /// differs from the one before. So what a department says alone is not told as the word of a department and a team.
    fn drivers(&self, spread: &Spread, chances: &[f64], row: &Row<'_>, symbols: &[u32]) -> Vec<Vec<Driver>> {
        let (width, several) = (self.weights.len(), self.counts.witnesses());
        let opinions = several - 1;
        let mut spoke: Vec<Vec<f64>> = vec![];
        for (features, shares) in spread.features.chunks_exact(width).zip(spread.shares.chunks_exact(several)) {
            let mut of = vec![0.0; opinions];
            for (feature, weight) in self.weights.iter().enumerate().filter(|(at, _)| features[*at] != 0.0) {
                let mut next = Counts::opinion_of(feature);
                while let Some(at) = next {
                    next = self.counts.contexts.get(at).and_then(|context| context.parent);
                    let before = shares[next.map_or(0, |parent| parent + 1)];
                    of[at] += weight * (shares[at + 1] / before).ln();
                }
            }
            spoke.push(of);
        }
        let mean = |opinion: usize| spoke.iter().map(|of| of[opinion]).sum::<f64>() / spoke.len() as f64;
        let means: Vec<f64> = (0..opinions).map(mean).collect();
        let mut likeliest: Vec<usize> = (0..chances.len()).collect();
        likeliest.sort_by(|one, other| chances[*other].total_cmp(&chances[*one]));
        let mut drivers = vec![vec![]; chances.len()];
        for at in likeliest.into_iter().take(EXPLAINED) {
            let weight = |opinion: &usize| spoke[at][*opinion] - means[*opinion];
            let mut order: Vec<usize> = (0..opinions).filter(|opinion| weight(opinion).abs() > 0.01).collect();
            order.sort_by(|one, other| weight(other).abs().total_cmp(&weight(one).abs()).then(one.cmp(other)));
            let driver = |opinion: &usize| {
                let (feature, value) = self.opinion(*opinion, row, symbols);
                Driver { feature, value, weight: weight(opinion) }
            };
            drivers[at] = order.iter().take(DRIVERS).map(driver).collect();
        }
        drivers
    }

    /// What it goes by, and how much of the word each has: from 0 to 1, the most first. Each has its part of the weighed product,
    /// and what is left to it as a witness by itself.
    pub fn weighs(&self) -> Vec<(String, f64)> {
        let whole: f64 = self.weights.iter().map(|weight| weight.abs()).sum();
        let opinions = self.counts.witnesses() - 1;
        let mut parts = vec![0.0; opinions + 1];
        for (feature, weight) in self.weights.iter().enumerate().filter(|_| whole > 0.0) {
            let at = Counts::opinion_of(feature).map_or(0, |opinion| opinion + 1);
            parts[at] += self.parts.first().copied().unwrap_or_default() * weight.abs() / whole;
        }
        for (part, alone) in parts.iter_mut().zip(self.parts.iter().skip(1)) {
            *part += alone;
        }
        let name = |at: usize| match at.checked_sub(1) {
            None => "how frequent each is".to_owned(),
            Some(opinion) => self.stands_on(opinion),
        };
        let mut all: Vec<(String, f64)> = parts.into_iter().enumerate().map(|(at, part)| (name(at), part)).collect();
        all.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        all
    }

    /// What an opinion stands on.
    fn stands_on(&self, opinion: usize) -> String {
        if let Some(context) = self.counts.contexts.get(opinion) {
            let names = context.sources.iter().map(|&at| self.encoder.name(self.encoder.sources[at]));
            return names.collect::<Vec<_>>().join(" + ");
        }
        let at = opinion - self.counts.contexts.len();
        let (group, kind) = (at / (HALF_LIVES.len() + 1), at % (HALF_LIVES.len() + 1));
        let name = self.encoder.groups.get(group).map(|coder| coder.name.as_str()).unwrap_or_default();
        format!("{} of {name}", if kind < HALF_LIVES.len() { "visits" } else { "what followed" })
    }

    /// What an opinion stands on, and what that says of a row.
    fn opinion(&self, opinion: usize, row: &Row<'_>, symbols: &[u32]) -> (String, String) {
        if let Some(context) = self.counts.contexts.get(opinion) {
            let sources = context.sources.iter().map(|&at| (self.encoder.sources[at], symbols[at]));
            let values: Vec<String> =
                sources.map(|(source, symbol)| self.encoder.value(source, symbol, row, &self.labels)).collect();
            return (self.stands_on(opinion), values.join(" + "));
        }
        let group = (opinion - self.counts.contexts.len()) / (HALF_LIVES.len() + 1);
        let value = row.groups.get(group).copied().flatten().unwrap_or("-");
        (self.stands_on(opinion), value.to_owned())
    }
}

/// The softmax of the weighed features.
pub(super) fn shares(spread: &Spread, weights: &[f64]) -> Vec<f64> {
    let scores: Vec<f64> = spread
        .features
        .chunks_exact(weights.len())
        .map(|features| features.iter().zip(weights).map(|(feature, weight)| feature * weight).sum())
        .collect();
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let parts: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
    let total: f64 = parts.iter().sum();
    parts.iter().map(|part| part / total).collect()
}
