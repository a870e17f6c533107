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
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.2}", self.0))
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
