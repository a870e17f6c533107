//! What a forecast says of one device: personas, and how probable each is.

use std::{cmp::Ordering, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::PersonaName;

/// How probable something is: 0 to 1, never NaN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Probability(f64);

/// Some number that is no probability.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is no probability: those are 0 to 1")]
pub struct NoProbability(f64);

impl Probability {
    /// It is certain not to be.
    pub const ZERO: Self = Self(0.0);

    /// The probability that is this number.
    pub fn new(number: f64) -> Result<Self, NoProbability> {
        (0.0..=1.0).contains(&number).then_some(Self(number)).ok_or(NoProbability(number))
    }

    /// The nearest probability; zero for what is no number.
    pub fn near(number: f64) -> Self {
        if number.is_nan() { Self::ZERO } else { Self(number.clamp(0.0, 1.0)) }
    }

    /// From which probability on it is worth to act, when being wrong costs `cost` times what being right gains: that of even
    /// odds against the cost.
    pub fn worth_acting(cost: u32) -> Self {
        Self(f64::from(cost) / (f64::from(cost) + 1.0))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

// It is never NaN.
impl Eq for Probability {}

impl Ord for Probability {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Probability {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl TryFrom<f64> for Probability {
    type Error = NoProbability;

    fn try_from(number: f64) -> Result<Self, NoProbability> {
        Self::new(number)
    }
}

impl From<Probability> for f64 {
    fn from(probability: Probability) -> Self {
        probability.0
    }
}

impl fmt::Display for Probability {
    /// In percent, to a tenth where there is one: `80 %`, `79.6 %`. Never rounded up: what is below a threshold must not read as
    /// if it reached it, nor what is not certain as if it were.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 0.57 times 1000 may be a hair below 570, which is no tenth less.
        let tenths = (self.0 * 1000.0 + 1e-6).floor();
        let decimals = usize::from(tenths % 10.0 != 0.0);
        match tenths {
            0.0 if self.0 > 0.0 => f.pad("under 0.1 %"),
            tenths => f.pad(&format!("{:.decimals$} %", tenths / 10.0)),
        }
    }
}

/// A persona that a device may want.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Which.
    pub persona: PersonaName,
    /// How probable it is.
    pub probability: Probability,
}

/// What a forecast says of one device: the most probable persona first. What is missing to 1 is said of none in particular.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prediction {
    ranked: Arc<[Candidate]>,
}

impl Prediction {
    /// A prediction of these candidates; they are brought into order.
    pub fn new(mut candidates: Vec<Candidate>) -> Self {
        candidates.sort_by(|a, b| b.probability.cmp(&a.probability).then_with(|| a.persona.cmp(&b.persona)));
        Self { ranked: candidates.into() }
    }

    /// The candidates, the most probable first.
    pub fn ranked(&self) -> &[Candidate] {
        &self.ranked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_reads_in_percent_and_never_as_more_than_it_is() {
        let said = |number| Probability::near(number).to_string();
        for (number, words) in [
            (0.0, "0 %"),
            (0.0004, "under 0.1 %"),
            (0.001, "0.1 %"),
            (0.29, "29 %"),
            (0.57, "57 %"),
            (0.796, "79.6 %"),
            (0.799_99, "79.9 %"),
            (0.8, "80 %"),
            (0.9999, "99.9 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(said(number), words, "{number}");
        }
        for hundredth in 0..=100_u32 {
            assert_eq!(said(f64::from(hundredth) / 100.0), format!("{hundredth} %"));
        }
        assert_eq!(Probability::worth_acting(4).to_string(), "80 %");
    }
}
