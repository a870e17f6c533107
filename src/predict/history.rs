//! What a group (a device, a user) was before: its visits, oldest first, and what they say of the next one.

use serde::{Deserialize, Serialize};

/// One label that a group had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// What it was.
    pub label: String,
    /// When, in milliseconds since 1970, if that is known.
    pub at: Option<i64>,
}

/// After how many further visits one counts half, for each of the opinions that a group's own past gives.
pub(super) const HALF_LIVES: [f64; 3] = [1.5, 5.0, 25.0];

/// How many of the latest visits are looked at. Older ones weigh nothing at these half-lives.
pub(super) const DEEPEST: usize = 200;

/// How often, decayed, each label came among these visits (oldest first); the total is what the counts add up to.
pub(super) fn frequencies(visits: &[u32], half_life: f64) -> (Vec<(u32, f64)>, f64) {
    weigh(visits.iter().rev().enumerate().map(|(age, &label)| (label, decayed(age, half_life))))
}

/// What came after the label that came last, each time that it was there before, decayed by how long ago that was.
pub(super) fn successors(visits: &[u32], half_life: f64) -> (Vec<(u32, f64)>, f64) {
    let Some(&last) = visits.last() else { return (vec![], 0.0) };
    let pairs = visits.windows(2).rev().filter(|pair| pair[0] == last).map(|pair| pair[1]);
    weigh(pairs.enumerate().map(|(age, label)| (label, decayed(age, half_life))))
}

fn decayed(age: usize, half_life: f64) -> f64 {
    0.5_f64.powf(age as f64 / half_life)
}

fn weigh(parts: impl Iterator<Item = (u32, f64)>) -> (Vec<(u32, f64)>, f64) {
    let mut counts: Vec<(u32, f64)> = vec![];
    let mut total = 0.0;
    for (label, weight) in parts {
        total += weight;
        match counts.iter_mut().find(|(known, _)| *known == label) {
            Some((_, count)) => *count += weight,
            None => counts.push((label, weight)),
        }
    }
    (counts, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_visits_weigh_most() {
        let (counts, total) = frequencies(&[1, 1, 2], 1.0);
        assert_eq!(counts, [(2, 1.0), (1, 0.75)]);
        assert!((total - 1.75).abs() < 1e-9);
    }

    #[test]
    fn what_followed_the_last_label_before_follows_it_again() {
        let (counts, _) = successors(&[7, 1, 7, 2, 7], 1.0);
        assert_eq!(counts, [(2, 1.0), (1, 0.5)]);
        assert_eq!(successors(&[], 1.0).1, 0.0);
    }
}
