//! The plain ways to predict, which a model must not lose to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Candidate, Ranking, Row, Sample, Visit};

/// Which plain way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BaselineKind {
    /// What all rows were most often.
    Majority,
    /// What rows with the same value in one column were most often; the column that tells most.
    Column(String),
    /// What the group was most often.
    Frequent(String),
    /// What the group was last.
    Last(String),
}

/// A plain way to predict, with what it counted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Baseline {
    kind: BaselineKind,
    /// Which column or kind of group it looks at.
    at: usize,
    all: Tallies,
    cells: BTreeMap<String, Tallies>,
    /// How often the last label came again, and how often it could have.
    again: (u32, u32),
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Tallies {
    total: u32,
    counts: BTreeMap<String, u32>,
}

impl Tallies {
    fn add(&mut self, label: &str) {
        self.total += 1;
        match self.counts.get_mut(label) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(label.to_owned(), 1)),
        }
    }

    fn count(&self, label: &str) -> f64 {
        self.counts.get(label).copied().map_or(0.0, f64::from)
    }

    fn most(&self) -> u32 {
        self.counts.values().copied().max().unwrap_or(0)
    }
}

/// How many rows the frequencies of all rows are worth beside those of one value.
const SMOOTHING: f64 = 1.0;

impl std::fmt::Display for BaselineKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Majority => f.write_str("majority"),
            Self::Column(column) => write!(f, "most frequent per {column}"),
            Self::Frequent(group) => write!(f, "most frequent of {group}"),
            Self::Last(group) => write!(f, "last used of {group}"),
        }
    }
}

impl Baseline {
    /// All the baselines that a sample has room for, counted.
    pub fn all(sample: &Sample) -> Vec<Self> {
        let new = |kind, at| Self { kind, at, all: Tallies::default(), cells: BTreeMap::new(), again: (0, 0) };
        let mut all = vec![new(BaselineKind::Majority, 0)];
        if let Some(at) = most_telling(sample) {
            all.push(new(BaselineKind::Column(sample.columns[at].name.clone()), at));
        }
        if sample.is_timed() {
            for (at, group) in sample.groups.iter().enumerate() {
                all.push(new(BaselineKind::Frequent(group.name.clone()), at));
                all.push(new(BaselineKind::Last(group.name.clone()), at));
            }
        }
        let mut last: Vec<BTreeMap<&str, &str>> = vec![BTreeMap::new(); sample.groups.len()];
        for at in (0..sample.len()).filter(|at| sample.is_known(*at)) {
            let (Some(row), Some(label)) = (sample.row(at), sample.label(at)) else { continue };
            for baseline in &mut all {
                let group = row.groups.get(baseline.at).copied().flatten();
                let before = group.and_then(|group| last.get(baseline.at)?.get(group).copied());
                baseline.count(&row, before, label);
            }
            for (last, group) in last.iter_mut().zip(&row.groups) {
                last.extend(group.map(|group| (group, label)));
            }
        }
        all
    }

    /// Which one it is.
    pub fn kind(&self) -> &BaselineKind {
        &self.kind
    }

    /// What a row is likely to be, in this plain way. It gives no reasons.
    pub fn rank(&self, row: &Row<'_>, history: &[&[Visit]]) -> Ranking {
        let all = |label: &str| self.all.count(label) / f64::from(self.all.total.max(1));
        let mut candidates: Vec<Candidate> = match &self.kind {
            BaselineKind::Last(_) => {
                let last = history.get(self.at).and_then(|visits| visits.last()).map(|visit| visit.label.as_str());
                let again = (f64::from(self.again.0) + 0.5) / (f64::from(self.again.1) + 1.0);
                let known = last.map_or(0.0, all);
                let chance = |label: &str| match last {
                    Some(last) if last == label => again,
                    Some(_) if known < 1.0 => (1.0 - again) * all(label) / (1.0 - known),
                    _ => all(label),
                };
                let unknown = last.filter(|label| !self.all.counts.contains_key(*label));
                self.all
                    .counts
                    .keys()
                    .map(String::as_str)
                    .chain(unknown)
                    .map(|label| candidate(label, chance(label)))
                    .collect()
            }
            _ => {
                let cell = self.value(row).and_then(|value| self.cells.get(value));
                let total = cell.map_or(0.0, |cell| f64::from(cell.total));
                let chance = |label: &str| {
                    let count = cell.map_or(0.0, |cell| cell.count(label));
                    (count + SMOOTHING * all(label)) / (total + SMOOTHING)
                };
                self.all.counts.keys().map(|label| candidate(label, chance(label))).collect()
            }
        };
        candidates.sort_by(|one, other| {
            other.probability.total_cmp(&one.probability).then_with(|| one.label.cmp(&other.label))
        });
        Ranking { candidates }
    }

    /// Counts a row whose label has become known.
    pub fn learn(&mut self, row: &Row<'_>, history: &[&[Visit]], label: &str) {
        let before = history.get(self.at).and_then(|visits| visits.last()).map(|visit| visit.label.as_str());
        self.count(row, before, label);
    }

    fn count(&mut self, row: &Row<'_>, before: Option<&str>, label: &str) {
        self.all.add(label);
        match (&self.kind, before) {
            (BaselineKind::Last(_), Some(before)) => {
                self.again = (self.again.0 + u32::from(before == label), self.again.1 + 1);
            }
            _ => {
                if let Some(value) = self.value(row).map(str::to_owned) {
                    self.cells.entry(value).or_default().add(label);
                }
            }
        }
    }

    /// The value that it goes by; an unknown one is a value as well.
    fn value<'r>(&self, row: &Row<'r>) -> Option<&'r str> {
        match self.kind {
            BaselineKind::Column(_) => Some(row.values.get(self.at).copied().flatten().unwrap_or_default()),
            BaselineKind::Frequent(_) => row.groups.get(self.at).copied().flatten(),
            BaselineKind::Majority | BaselineKind::Last(_) => None,
        }
    }
}

fn candidate(label: &str, probability: f64) -> Candidate {
    Candidate { label: label.to_owned(), probability, drivers: vec![] }
}

/// The column whose most frequent labels are right most often, each row left out of its own counts.
fn most_telling(sample: &Sample) -> Option<usize> {
    let right = |at: usize| {
        let column = &sample.columns[at];
        let mut cells: BTreeMap<u32, Tallies> = BTreeMap::new();
        for (row, value) in column.cells.iter().enumerate() {
            cells.entry(*value).or_default().add(sample.label(row).unwrap_or_default());
        }
        // A value with one row says nothing of any other row.
        cells.values().map(|cell| u64::from(cell.most().saturating_sub(1))).sum::<u64>()
    };
    (0..sample.columns.len()).max_by_key(|at| (right(*at), std::cmp::Reverse(*at)))
}
