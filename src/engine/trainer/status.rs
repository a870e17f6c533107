//! What the trainer says of itself, and of what it predicts.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use crate::{
    model::{DeviceId, Moment},
    predict::{
        Candidate, Score, Visit,
        learn::{IN_USE_BEFORE, Report, Version},
    },
    usage::quality::{CELLS, Cell, Tally},
};

use super::Trainer;

/// How many candidates are told of.
const CANDIDATES: usize = 5;

/// Of how many of the things that a version goes by.
const WEIGHS: usize = 12;

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
    /// The same by day, the oldest first: days since 1970, without those on which nothing was judged.
    #[serde(default)]
    pub by_day: Vec<(u64, Tally)>,
    /// How far what was told in those days held, by tenths of probability.
    #[serde(default)]
    pub cells: [Cell; CELLS],
    /// What the lessons came to, the oldest first.
    #[serde(default)]
    pub lessons: Vec<Taught>,
}

/// What one lesson came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Taught {
    /// When it was over.
    pub at: Moment,
    /// What predicts since.
    pub name: String,
    /// Whether that is what did before.
    pub kept: bool,
    /// How many examples there were.
    pub examples: usize,
    /// How many of them were held out.
    pub held_out: usize,
    /// How well what predicts since did on those.
    pub used: Score,
    /// The best of the baselines, and how well it did.
    pub plain: Option<(String, Score)>,
    /// Why what predicts does.
    pub why: String,
}

impl Taught {
    pub(super) fn of(version: &Version, at: Moment, kept: bool) -> Self {
        let report = &version.report;
        let used = report.entries.iter().find(|entry| entry.in_use).map(|entry| entry.score).unwrap_or_default();
        // The model is the first, what was in use before the last; between them are the baselines.
        let plain = report.entries.iter().skip(1).filter(|entry| !entry.name.ends_with(IN_USE_BEFORE));
        let plain = plain.filter(|entry| entry.score.rows > 0);
        let plain = plain.min_by(|one, other| one.score.log_loss.total_cmp(&other.score.log_loss));
        Self {
            at,
            name: version.to_string(),
            kept,
            examples: version.examples,
            held_out: report.held_out,
            used,
            plain: plain.map(|entry| (entry.name.clone(), entry.score)),
            why: report.why.clone(),
        }
    }
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
    /// What it goes by, and how much of the word each has: the most first.
    #[serde(default)]
    pub weighs: Vec<(String, f64)>,
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
            weighs: version.weighs().into_iter().take(WEIGHS).collect(),
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
        let month = Moment::from_millis(now.as_millis().saturating_sub(MONTH));
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
            quality: state.quality.since(month),
            by_day: state.quality.by_day(month).collect(),
            cells: state.quality.cells(month),
            lessons: state.lessons.iter().cloned().collect(),
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
