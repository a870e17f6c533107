//! Figures: medians of rounds that took turns, and ratios against goals.

use std::fmt;

/// What was measured of us and of the peer, round for round.
#[derive(Debug, Default)]
pub struct Rounds {
    ours: Vec<f64>,
    peer: Vec<f64>,
}

impl Rounds {
    pub fn push(&mut self, ours: f64, peer: f64) {
        self.ours.push(ours);
        self.peer.push(peer);
    }

    pub fn ours(&self) -> f64 {
        median(&self.ours)
    }

    pub fn peer(&self) -> f64 {
        median(&self.peer)
    }

    /// Ours over the peer's: of the medians, and the least and most of any round, which tell how noisy it was.
    pub fn ratio(&self, goal: Goal) -> Ratio {
        let rounds = || self.ours.iter().zip(&self.peer).map(|(ours, peer)| ours / peer);
        Ratio {
            of_medians: self.ours() / self.peer(),
            least: rounds().fold(f64::INFINITY, f64::min),
            most: rounds().fold(0.0, f64::max),
            goal,
        }
    }
}

/// Measures both, in a round; who goes first changes from round to round.
pub fn take_turns<T>(round: usize, ours: impl FnOnce() -> T, peer: impl FnOnce() -> T) -> (T, T) {
    if round.is_multiple_of(2) {
        let ours = ours();
        (ours, peer())
    } else {
        let peer = peer();
        (ours(), peer)
    }
}

fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// What a ratio should be.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn met(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(least) => ratio >= least,
            Self::AtMost(most) => ratio <= most,
        }
    }

    /// ` ` when a figure meets it, else `*`.
    pub fn mark(self, figure: f64) -> char {
        if self.met(figure) { ' ' } else { '*' }
    }
}

/// A ratio of medians, with its range over the rounds, marked when the goal was missed.
pub struct Ratio {
    of_medians: f64,
    least: f64,
    most: f64,
    goal: Goal,
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = self.goal.mark(self.of_medians);
        write!(f, "{:5.2}x{mark} ({:.2}-{:.2})", self.of_medians, self.least, self.most)
    }
}
