//! One version of what predicts: what was learned in one lesson, how well it did, and what is in use of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    model::{DeviceId, Moment, Seconds, UserName},
    predict::{Baseline, Confusion, FORMAT, Model, Origin, Ranking, Row, Score, Visit, score::Bin},
};

use super::{
    Features, Temper,
    table::{Whose, row},
};

/// The version of what a [`Version`] is written as.
pub const VERSION_FORMAT: u16 = 2;

/// What was learned in one lesson.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Version {
    /// [`VERSION_FORMAT`] when it was written.
    pub format: u16,
    /// Its number: consecutive, from 1.
    pub number: u64,
    /// When it was trained.
    pub trained: Moment,
    /// The number of the last record that it has learned from.
    pub through: u64,
    /// How many examples it has learned from.
    pub examples: usize,
    /// What of it predicts.
    pub uses: Uses,
    /// By how much what it says is tempered.
    pub temper: Temper,
    /// How well everything did on the latest examples.
    pub report: Report,
    pub(super) columns: Vec<String>,
    pub(super) model: Model,
    pub(super) baselines: Vec<Baseline>,
}

/// What of a version predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "uses")]
pub enum Uses {
    /// The model.
    Model,
    /// A baseline, which beat the model.
    Baseline {
        /// Its place among the baselines.
        at: usize,
    },
}

/// How well everything did on the latest examples, each predicted from what was known before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// How many examples were held out.
    pub held_out: usize,
    /// How many examples were left out, as theirs were the rarest of too many personas.
    pub left_out: usize,
    /// The model, what was in use before it, and each baseline.
    pub entries: Vec<Entry>,
    /// Why what is in use is.
    pub why: String,
    /// How far what is in use holds what it tells: by bins of probability, those that have rows.
    #[serde(default)]
    pub bins: Vec<Bin>,
    /// Which personas it takes for which.
    #[serde(default)]
    pub confusion: Confusion,
}

/// How well one did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is called.
    pub name: String,
    /// Whether it is in use now.
    pub in_use: bool,
    /// How well it did.
    pub score: Score,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.uses {
            Uses::Model => write!(f, "model {}", self.number),
            Uses::Baseline { at } => match self.baselines.get(at) {
                Some(baseline) => write!(f, "baseline \"{}\"", baseline.kind()),
                None => write!(f, "baseline {at}"),
            },
        }
    }
}

impl Version {
    /// Whether this version of Greenroom reads it, and it holds what it says.
    pub fn is_whole(&self) -> bool {
        let uses = match self.uses {
            Uses::Model => true,
            Uses::Baseline { at } => at < self.baselines.len(),
        };
        self.format == VERSION_FORMAT && self.model.format == FORMAT && uses
    }

    /// What stands beside its predictions.
    pub fn origin(&self) -> Origin {
        Origin { name: self.to_string(), trained: self.trained }
    }

    /// How long it may be used without another look at it: a trainer that has died must not steer devices for ever.
    pub fn lasts(every: Seconds) -> Seconds {
        Seconds(every.0.saturating_mul(4).max(24 * 3600))
    }

    /// What it goes by, and how much of the word each has: from 0 to 1, the most first.
    pub fn weighs(&self) -> Vec<(String, f64)> {
        match self.uses {
            Uses::Model => self.model.weighs(),
            Uses::Baseline { .. } => vec![(self.to_string(), 1.0)],
        }
    }

    /// What a device is likely to become. `history` is what it became before, and what its user's devices did.
    pub fn rank(&self, of: &Asked<'_>) -> Ranking {
        let whose = Whose::of(of.device, of.user);
        let row = row(&self.columns, of.features, &whose, of.at);
        self.ranked(self.uses, &row, &of.history)
    }

    /// What each baseline says of a device, with its name.
    pub fn baselines(&self, of: &Asked<'_>) -> Vec<(String, Ranking)> {
        let whose = Whose::of(of.device, of.user);
        let row = row(&self.columns, of.features, &whose, of.at);
        let says = |baseline: &Baseline| (baseline.kind().to_string(), baseline.rank(&row, &of.history));
        self.baselines.iter().map(says).collect()
    }

    fn ranked(&self, uses: Uses, row: &Row<'_>, history: &[&[Visit]]) -> Ranking {
        let ranking = match uses {
            Uses::Model => self.model.rank(row, history),
            Uses::Baseline { at } => {
                self.baselines.get(at).map(|baseline| baseline.rank(row, history)).unwrap_or_default()
            }
        };
        self.temper.tempered(ranking)
    }
}

/// Of which device something is predicted, and what is known of it.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Which.
    pub device: DeviceId,
    /// Who uses it.
    pub user: Option<&'a UserName>,
    /// What is known of it.
    pub features: &'a Features,
    /// For when.
    pub at: Moment,
    /// What it became before, and what its user's devices did; the oldest first.
    pub history: [&'a [Visit]; 2],
}
