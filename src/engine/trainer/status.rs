//! What the trainer says of itself, and of what it predicts.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use crate::{
    model::{DeviceId, Moment},
    predict::{
        Candidate, Visit,
        learn::{Report, Version},
    },
    usage::quality::Tally,
};

use super::Trainer;

/// How many candidates are told of.
const CANDIDATES: usize = 5;

/// The span that the status counts right and wrong predictions over, in milliseconds.
const MONTH: u64 = 30 * 86_400_000;

/// How predictions stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// What predicts now; `None` before the first lesson.
    pub in_use: Option<VersionStatus>,
    /// What did before it, the newest first.
    pub previous: Vec<VersionStatus>,
    /// How many examples there are to learn from.
    pub examples: usize,
    /// How many of them are new since the last lesson.
    pub new_examples: usize,
    /// The number of the last fact that was learned from.
    pub facts: u64,
    /// When the lesson under way began, and how far it is: from 0 to 1.
    pub learning: Option<(Moment, f64)>,
    /// When the next lesson is due, if anything is to be learned then.
    pub next: Option<Moment>,
    /// Why the last lesson came to nothing.
    pub trouble: Option<String>,
    /// How many predictions were made since the start, of a device each.
    pub made: u64,
    /// How predictions fared in the last 30 days.
    pub quality: Tally,
}

/// One version, in a few words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionStatus {
    /// Its number.
    pub number: u64,
    /// What of it predicts: `model 7`, or a baseline.
    pub name: String,
    /// When it was trained.
    pub trained: Moment,
    /// On how many examples.
    pub examples: usize,
    /// By how much it is tempered, in words; `None` when it keeps what it promises.
    pub tempered: Option<String>,
    /// How well everything did on the latest examples then.
    pub report: Report,
}

impl VersionStatus {
    pub(super) fn of(version: &Version) -> Self {
        Self {
            number: version.number,
            name: version.to_string(),
            trained: version.trained,
            examples: version.examples,
            tempered: version.temper.told(),
            report: version.report.clone(),
        }
    }
}

/// What is predicted for a device, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// What predicts.
    pub model: String,
    /// When that was trained.
    pub trained: Moment,
    /// The likeliest personas, with what speaks for each.
    pub candidates: Vec<Candidate>,
    /// What each baseline holds likeliest, and with what probability.
    pub baselines: Vec<(String, Option<(String, f64)>)>,
    /// What is known of the device.
    pub known: Vec<(String, String)>,
    /// What it became before, the oldest first.
    pub visits: Vec<Visit>,
}

impl Trainer {
    /// How predictions stand.
    pub fn status(&self) -> Status {
        let now = (self.clock)();
        let state = self.state();
        let through = state.in_use.as_ref().map_or(0, |version| version.through);
        let learning = state.learning.map(|since| (since, f64::from(self.done.load(Ordering::Relaxed)) / 1000.0));
        Status {
            in_use: state.in_use.as_deref().map(VersionStatus::of),
            previous: state.previous.clone(),
            examples: state.experience.examples().len(),
            new_examples: state.experience.examples().rev().take_while(|example| example.known > through).count(),
            facts: state.experience.seq(),
            learning,
            next: state.looked.map(|looked| looked.plus(self.every)).filter(|_| learning.is_none()),
            trouble: state.trouble.clone(),
            made: self.made.load(Ordering::Relaxed),
            quality: state.quality.since(Moment::from_millis(now.as_millis().saturating_sub(MONTH))),
        }
    }

    /// What is predicted for a device, and why; `None` when nothing is known of it, or nothing was trained yet.
    pub fn look(&self, device: DeviceId) -> Option<Look> {
        let version = self.state().in_use.clone()?;
        let described = self.described(device)?;
        let asked = described.asked((self.clock)());
        let mut candidates = version.rank(&asked).candidates;
        candidates.truncate(CANDIDATES);
        let best = |(name, ranking): (String, crate::predict::Ranking)| {
            let best = ranking.candidates.into_iter().next();
            (name, best.map(|best| (best.label, best.probability)))
        };
        Some(Look {
            model: version.to_string(),
            trained: version.trained,
            candidates,
            baselines: version.baselines(&asked).into_iter().map(best).collect(),
            known: described.features.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            visits: described.visits.clone(),
        })
    }
}
