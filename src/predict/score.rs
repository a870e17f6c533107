//! How good predictions were, once what happened is known.

use serde::{Deserialize, Serialize};

use crate::model::site::PredictPolicy;

use super::Ranking;

/// Into how many bins probabilities go, to see whether they hold what they say.
pub const BINS: usize = 15;

/// A probability counts as at least this in the log-loss; otherwise one label that nobody could know would weigh endlessly.
pub const FLOOR: f64 = 1e-6;

/// What was predicted and what came, row by row.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// The probability of the likeliest label, and whether it was right.
    tops: Vec<(f64, bool)>,
    among_three: usize,
    log_loss: f64,
    brier: f64,
}

/// What a [`Tally`] adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Score {
    /// How many rows were predicted.
    pub rows: usize,
    /// The share of rows whose likeliest label was right.
    pub top_1: f64,
    /// The share of rows whose label was among the three likeliest.
    pub top_3: f64,
    /// The mean of the negative natural logarithm of the probability of what came; at least [`FLOOR`] counts.
    pub log_loss: f64,
    /// The mean over rows of the sum over labels of (probability − outcome)², from 0 to 2.
    pub brier: f64,
    /// The expected calibration error of the likeliest label, over [`BINS`] bins of equal width.
    pub ece: f64,
    /// The largest share of rows, taken by falling probability, of which 90 % are right.
    pub coverage_at_90: f64,
    /// The share of rows on which acting pays at the default [`PredictPolicy`].
    pub acted: f64,
    /// The share of those that are right; zero when there are none.
    pub acted_right: f64,
}

/// One bin of the calibration: how sure, and how right.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Bin {
    /// How many rows are in it.
    pub rows: usize,
    /// The mean probability of their likeliest label.
    pub sure: f64,
    /// The share of them that was right.
    pub right: f64,
}

impl Tally {
    /// Takes up what was predicted for one row, and what came.
    pub fn add(&mut self, ranking: &Ranking, came: &str) {
        let candidates = &ranking.candidates;
        let right = candidates.iter().position(|candidate| candidate.label == came);
        let of_right = right.map_or(0.0, |at| candidates[at].probability);
        let sure = candidates.first().map_or(0.0, |first| first.probability);
        self.tops.push((sure, right == Some(0)));
        self.among_three += usize::from(right.is_some_and(|at| at < 3));
        self.log_loss -= of_right.max(FLOOR).ln();
        let squares: f64 = candidates.iter().map(|candidate| candidate.probability.powi(2)).sum();
        self.brier += squares - of_right.powi(2) + (1.0 - of_right).powi(2);
    }

    /// What it adds up to. All zero without rows.
    pub fn score(&self) -> Score {
        let rows = self.tops.len();
        if rows == 0 {
            return Score::default();
        }
        let share = |count: usize| count as f64 / rows as f64;
        let bins = self.bins();
        let acted: Vec<bool> = self
            .tops
            .iter()
            .filter(|(sure, _)| *sure >= PredictPolicy::default().act().get())
            .map(|(_, right)| *right)
            .collect();
        let acted_right = acted.iter().filter(|right| **right).count();
        Score {
            rows,
            top_1: share(self.tops.iter().filter(|(_, right)| *right).count()),
            top_3: share(self.among_three),
            log_loss: self.log_loss / rows as f64,
            brier: self.brier / rows as f64,
            ece: bins.iter().map(|bin| share(bin.rows) * (bin.sure - bin.right).abs()).sum(),
            coverage_at_90: self
                .coverage()
                .iter()
                .filter(|(_, right)| *right >= 0.9)
                .map(|(part, _)| *part)
                .fold(0.0, f64::max),
            acted: share(acted.len()),
            acted_right: if acted.is_empty() { 0.0 } else { acted_right as f64 / acted.len() as f64 },
        }
    }

    /// How sure and how right, by bins of probability.
    pub fn bins(&self) -> [Bin; BINS] {
        self.bins_told(|sure| sure)
    }

    /// The same, when something else is told than was reckoned.
    pub fn bins_told(&self, told: impl Fn(f64) -> f64) -> [Bin; BINS] {
        let mut bins = [Bin::default(); BINS];
        for &(sure, right) in &self.tops {
            let sure = told(sure);
            // The bins are open below and closed above, as usual: 0.2 is in the bin that ends there.
            let at = ((sure * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
            bins[at].rows += 1;
            bins[at].sure += sure;
            bins[at].right += f64::from(u8::from(right));
        }
        for bin in bins.iter_mut().filter(|bin| bin.rows > 0) {
            bin.sure /= bin.rows as f64;
            bin.right /= bin.rows as f64;
        }
        bins
    }

    /// By falling probability: the share of rows taken so far, and the share of them that was right.
    pub fn coverage(&self) -> Vec<(f64, f64)> {
        let mut tops = self.tops.clone();
        tops.sort_by(|one, other| other.0.total_cmp(&one.0));
        let (mut right, mut line) = (0, vec![]);
        for (at, (sure, is_right)) in tops.iter().enumerate() {
            right += usize::from(*is_right);
            // No threshold tells rows of one probability apart.
            if tops.get(at + 1).is_none_or(|(next, _)| next != sure) {
                line.push(((at + 1) as f64 / tops.len() as f64, f64::from(right as u32) / (at + 1) as f64));
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::Candidate;

    fn ranking(of: &[(&str, f64)]) -> Ranking {
        let candidate = |(label, probability): &(&str, f64)| Candidate {
            label: (*label).into(),
            probability: *probability,
            drivers: vec![],
        };
        Ranking { candidates: of.iter().map(candidate).collect() }
    }

    #[test]
    fn a_sure_and_right_prediction_costs_nothing() {
        let mut tally = Tally::default();
        tally.add(&ranking(&[("a", 1.0)]), "a");
        let score = tally.score();
        assert_eq!((score.top_1, score.log_loss, score.brier, score.ece), (1.0, 0.0, 0.0, 0.0));
        assert_eq!((score.coverage_at_90, score.acted, score.acted_right), (1.0, 1.0, 1.0));
    }

    #[test]
    fn what_nobody_named_costs_what_the_floor_says() {
        let mut tally = Tally::default();
        tally.add(&ranking(&[("a", 0.5), ("b", 0.25)]), "c");
        let score = tally.score();
        assert!((score.log_loss - -FLOOR.ln()).abs() < 1e-12);
        assert!((score.brier - (0.25 + 0.0625 + 1.0)).abs() < 1e-12);
        assert_eq!(score.top_3, 0.0);
    }

    #[test]
    fn coverage_does_not_cut_between_rows_of_one_probability() {
        let mut tally = Tally::default();
        for came in ["a", "a", "b", "b"] {
            tally.add(&ranking(&[("a", 0.5)]), came);
        }
        assert_eq!(tally.coverage(), [(1.0, 0.5)]);
        assert_eq!(tally.score().coverage_at_90, 0.0);
    }
}
