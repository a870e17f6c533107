//! Tempering: what was sure and turned out wrong when it was tried makes a version less sure, until it does better.
//!
//! A lesson predicts the latest examples from what was known before each. Where a probability above one half promised more than
//! came, all of them are brought nearer to one half: their odds are raised to a power from 0 to 1, the one under which what came
//! was likeliest. No prediction is made surer, and what is likeliest stays it.
//!
//! **A room that changes at once is one witness, not thirty.** What became the same while no example could be counted (half the
//! time between two lessons) counts as one. And as nothing is certain because it went well twice, one witness for and one
//! against are added to those there were (Laplace's rule of succession): of predictions that are always right, 0.9 is believed
//! after eight. Where nothing was sure when it was tried, nothing is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{model::PersonaName, predict::Ranking};

use super::Example;

/// By how much probabilities above one half are brought nearer to it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Temper {
    /// To which power their odds are raised: 1 changes nothing, 0 leaves one half of all.
    power: f64,
}

/// What was predicted with more than one half, and whether that was right.
#[derive(Debug, Clone, Default)]
pub(super) struct Trials {
    /// The logarithm of the odds, and whether it was right, of all that became the same between two lessons.
    bursts: BTreeMap<(u64, PersonaName), Vec<(f64, bool)>>,
}

impl Temper {
    /// In words, where it changes anything.
    pub fn told(&self) -> Option<String> {
        let told = |probability: f64| share(self.power * odds(probability));
        (self.power < 0.995).then(|| {
            format!(
                "what had promised 0.9 is told as {:.2}, and 0.99 as {:.2}: no more was right of late",
                told(0.9),
                told(0.99)
            )
        })
    }

    /// What is told of the likeliest label, for which this was reckoned.
    pub(super) fn sure(&self, probability: f64) -> f64 {
        if probability <= 0.5 || self.power >= 1.0 { probability } else { share(self.power * odds(probability)) }
    }

    /// A ranking that promises no more than it should.
    pub(super) fn tempered(&self, mut ranking: Ranking) -> Ranking {
        let Some((first, others)) = ranking.candidates.split_first_mut() else { return ranking };
        if first.probability <= 0.5 || self.power >= 1.0 {
            return ranking;
        }
        let before = first.probability;
        first.probability = self.sure(before);
        // Even odds for the likeliest leave the others as much as they take, and no one of them more.
        let rest = (1.0 - first.probability) / (1.0 - before).max(f64::MIN_POSITIVE);
        others.iter_mut().for_each(|other| other.probability = (other.probability * rest).min(first.probability));
        ranking
    }
}

/// The logarithm of the odds; nothing is so sure that it has none.
fn odds(probability: f64) -> f64 {
    let probability = probability.clamp(1e-6, 1.0 - 1e-6);
    (probability / (1.0 - probability)).ln()
}

fn share(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

impl Trials {
    /// Takes up what was predicted for an example, where there is a lesson so often, in milliseconds.
    pub(super) fn add(&mut self, ranking: &Ranking, example: &Example, every: u64) {
        let Some(first) = ranking.candidates.first().filter(|first| first.probability > 0.5) else { return };
        let lesson = example.at.as_millis() / every.max(1);
        let right = first.label == example.persona.as_str();
        self.bursts.entry((lesson, example.persona.clone())).or_default().push((odds(first.probability), right));
    }

    /// The power under which what came was likeliest.
    pub(super) fn temper(&self) -> Temper {
        // The slope of the log-likelihood falls as the power grows: where it is nothing is found by halving.
        let (mut low, mut high) = (0.0, 1.0);
        if !self.bursts.is_empty() && self.slope(1.0) >= 0.0 {
            return Temper { power: 1.0 };
        }
        for _ in 0..40 {
            let middle = (low + high) / 2.0;
            *(if self.slope(middle) > 0.0 { &mut low } else { &mut high }) = middle;
        }
        Temper { power: low }
    }

    /// How the log-likelihood changes with the power.
    fn slope(&self, power: f64) -> f64 {
        let mut slope = 0.0;
        for burst in self.bursts.values() {
            let each = 1.0 / burst.len() as f64;
            for &(odds, right) in burst {
                let promised = share(power * odds);
                slope += each * odds * (f64::from(u8::from(right)) - promised);
                // One for and one against, as sure as all of them together.
                slope += each * odds * (1.0 - 2.0 * promised) / self.bursts.len() as f64;
            }
        }
        slope
    }
}
