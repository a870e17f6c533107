//! Which label was taken for which: what was said, and what came, counted by pairs.

use std::{cmp::Reverse, collections::BTreeMap};

use serde::{Deserialize, Serialize};

/// How many pairs are kept: the most frequent ones.
const MOST: usize = 400;

/// What was said and what came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Pair>", into = "Vec<Pair>")]
pub struct Confusion {
    pairs: BTreeMap<(String, String), u64>,
}

/// One label that was said, one that came, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// What was held likeliest.
    pub said: String,
    /// What came.
    pub came: String,
    /// How often.
    pub times: u64,
}

/// The pairs of the most frequent labels as a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matrix {
    /// The labels, the most frequent first: of the rows and of the columns.
    pub labels: Vec<String>,
    /// How often the row's label was said when the column's came.
    pub cells: Vec<Vec<u64>>,
    /// How many pairs are of labels that have no row or no column.
    pub left_out: u64,
}

impl Confusion {
    /// Counts one.
    pub fn add(&mut self, said: &str, came: &str) {
        *self.pairs.entry((said.to_owned(), came.to_owned())).or_default() += 1;
        // Twice as many may gather before the rare ones go, so that a new one has time to become frequent.
        if self.pairs.len() > 2 * MOST {
            *self = Vec::from(std::mem::take(self)).into();
        }
    }

    /// The labels that came or were said most often, no more than these, against one another.
    pub fn matrix(&self, most: usize) -> Matrix {
        let mut weights: BTreeMap<&str, u64> = BTreeMap::new();
        for ((said, came), times) in &self.pairs {
            *weights.entry(said).or_default() += times;
            *weights.entry(came).or_default() += times;
        }
        let mut labels: Vec<&str> = weights.keys().copied().collect();
        labels.sort_by_key(|label| (Reverse(weights[label]), *label));
        labels.truncate(most);
        let mut cells = vec![vec![0; labels.len()]; labels.len()];
        let mut left_out = 0;
        for ((said, came), times) in &self.pairs {
            let place = |wanted: &str| labels.iter().position(|label| *label == wanted);
            match (place(said), place(came)) {
                (Some(row), Some(column)) => cells[row][column] += times,
                _ => left_out += times,
            }
        }
        Matrix { labels: labels.into_iter().map(str::to_owned).collect(), cells, left_out }
    }
}

impl From<Vec<Pair>> for Confusion {
    fn from(pairs: Vec<Pair>) -> Self {
        Self { pairs: pairs.into_iter().map(|Pair { said, came, times }| ((said, came), times)).collect() }
    }
}

impl From<Confusion> for Vec<Pair> {
    /// The most frequent pairs first.
    fn from(confusion: Confusion) -> Self {
        let pairs = confusion.pairs.into_iter();
        let mut pairs: Self = pairs.map(|((said, came), times)| Pair { said, came, times }).collect();
        pairs.sort_by_key(|pair| Reverse(pair.times));
        pairs.truncate(MOST);
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_labels_stand_against_one_another_and_the_rest_is_counted() {
        let mut confusion = Confusion::default();
        for (said, came, times) in
            [("desk", "desk", 5), ("desk", "kiosk", 2), ("kiosk", "kiosk", 3), ("lab", "desk", 1)]
        {
            (0..times).for_each(|_| confusion.add(said, came));
        }
        let matrix = confusion.matrix(2);
        assert_eq!(matrix.labels, ["desk", "kiosk"]);
        assert_eq!((matrix.cells, matrix.left_out), (vec![vec![5, 2], vec![0, 3]], 1));
        let json = serde_json::to_string(&confusion).expect("plain data");
        assert_eq!(serde_json::from_str::<Confusion>(&json).expect("what was written"), confusion);
    }

    #[test]
    fn however_many_pairs_there_are_no_more_are_kept_than_are_of_use() {
        let mut confusion = Confusion::default();
        (0..5000).for_each(|at| confusion.add(&format!("p{at}"), "q"));
        (0..9).for_each(|_| confusion.add("often", "often"));
        assert!(confusion.pairs.len() <= 2 * MOST);
        assert_eq!(confusion.matrix(1).labels, ["q"]);
        assert_eq!(Vec::from(confusion)[0].times, 9);
    }
}
