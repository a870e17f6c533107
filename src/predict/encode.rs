//! Rows as symbols: what each source of knowledge says of a row, as a number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Row, Sample,
    sample::{NOTHING, Words},
};

/// A word that no row had before.
const UNSEEN: u32 = u32::MAX - 1;

/// Where a symbol comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Source {
    /// The word in a column.
    Column(usize),
    /// Between which quantiles the number in a column is.
    Bin(usize),
    /// The letters of the word in a column, without its numbers.
    Stem(usize),
    /// Whose row it is.
    Group(usize),
    /// The label that the group had so many visits ago: 1 is the latest.
    Last { group: usize, back: usize },
    /// The hour of the day, UTC.
    Hour,
    /// The day of the week.
    Weekday,
}

/// What is known of a column or a kind of group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Coder {
    pub(super) name: String,
    pub(super) words: BTreeMap<String, u32>,
    /// Where the bins of its numbers end, if its words are numbers.
    pub(super) cuts: Vec<f64>,
    /// The stems of its words, if words share them.
    pub(super) stems: BTreeMap<String, u32>,
}

/// Turns rows into symbols, one for each source.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Encoder {
    pub(super) columns: Vec<Coder>,
    pub(super) groups: Vec<Coder>,
    pub(super) sources: Vec<Source>,
}

/// Into how many bins numbers go at most.
const BINS: usize = 8;

/// A column is one of numbers when so many of its words differ, and all of them are numbers.
const NUMBERS: usize = 12;

impl Encoder {
    /// The encoder of a sample's rows.
    pub(super) fn of(sample: &Sample) -> Self {
        let coder = |name: &str, words: &Words| Coder {
            name: name.to_owned(),
            words: words.all().iter().enumerate().map(|(at, word)| (word.clone(), at as u32)).collect(),
            cuts: cuts(words.all()),
            stems: stems(words.all()),
        };
        let columns: Vec<Coder> = sample.columns.iter().map(|column| coder(&column.name, &column.words)).collect();
        let groups: Vec<Coder> = sample.groups.iter().map(|group| coder(&group.name, &group.words)).collect();
        let mut sources = vec![];
        for (at, column) in columns.iter().enumerate() {
            sources.push(Source::Column(at));
            if !column.cuts.is_empty() {
                sources.push(Source::Bin(at));
            }
            if !column.stems.is_empty() {
                sources.push(Source::Stem(at));
            }
        }
        for group in 0..groups.len() {
            sources.push(Source::Group(group));
            sources.extend([1, 2].map(|back| Source::Last { group, back }));
        }
        if sample.is_timed() {
            sources.extend([Source::Hour, Source::Weekday]);
        }
        Self { columns, groups, sources }
    }

    /// The symbols of a row. `visits` are the labels that each of its groups had before, oldest first.
    pub(super) fn symbols(&self, row: &Row<'_>, visits: &[Vec<u32>]) -> Vec<u32> {
        let word = |coder: Option<&Coder>, value: Option<&&Option<&str>>| match (coder, value.and_then(|value| **value))
        {
            (Some(coder), Some(value)) => coder.words.get(value).copied().unwrap_or(UNSEEN),
            _ => NOTHING,
        };
        let of = |source: &Source| match *source {
            Source::Column(at) => word(self.columns.get(at), row.values.get(at).as_ref()),
            Source::Bin(at) => match (self.columns.get(at), row.values.get(at)) {
                (Some(coder), Some(Some(value))) => coder.bin(value),
                _ => NOTHING,
            },
            Source::Stem(at) => match (self.columns.get(at), row.values.get(at)) {
                (Some(coder), Some(Some(value))) => coder.stems.get(&stem(value)).copied().unwrap_or(UNSEEN),
                _ => NOTHING,
            },
            Source::Group(at) => word(self.groups.get(at), row.groups.get(at).as_ref()),
            Source::Last { group, back } => {
                let had = visits.get(group).map(Vec::as_slice).unwrap_or_default();
                had.len().checked_sub(back).and_then(|at| had.get(at)).copied().unwrap_or(NOTHING)
            }
            Source::Hour => row.at.map_or(NOTHING, |at| at.div_euclid(3_600_000).rem_euclid(24) as u32),
            Source::Weekday => row.at.map_or(NOTHING, |at| at.div_euclid(86_400_000).rem_euclid(7) as u32),
        };
        self.sources.iter().map(of).collect()
    }

    /// Takes up the words of a row that are new.
    pub(super) fn learn(&mut self, row: &Row<'_>) {
        let columns = self.columns.iter_mut().zip(&row.values);
        for (coder, value) in columns.chain(self.groups.iter_mut().zip(&row.groups)) {
            let Some(value) = value else { continue };
            if !coder.words.contains_key(*value) {
                let symbol = coder.words.len() as u32;
                coder.words.insert((*value).to_owned(), symbol);
            }
        }
    }

    /// What a source is called.
    pub(super) fn name(&self, source: Source) -> String {
        let named = |coders: &[Coder], at: usize| coders.get(at).map(|coder| coder.name.clone()).unwrap_or_default();
        match source {
            Source::Column(at) => named(&self.columns, at),
            Source::Bin(at) => format!("{} (range)", named(&self.columns, at)),
            Source::Stem(at) => format!("{} (kind)", named(&self.columns, at)),
            Source::Group(at) => named(&self.groups, at),
            Source::Last { group, back: 1 } => format!("last of {}", named(&self.groups, group)),
            Source::Last { group, back } => format!("{back} before of {}", named(&self.groups, group)),
            Source::Hour => "hour".into(),
            Source::Weekday => "weekday".into(),
        }
    }

    /// What a source says of a row, in words. `labels` names the labels.
    pub(super) fn value(&self, source: Source, symbol: u32, row: &Row<'_>, labels: &[String]) -> String {
        let given = |values: &[Option<&str>], at: usize| values.get(at).copied().flatten().unwrap_or("-").to_owned();
        match source {
            Source::Column(at) => given(&row.values, at),
            Source::Bin(at) => match self.columns.get(at) {
                Some(coder) if symbol != NOTHING => coder.range(symbol as usize),
                _ => "-".into(),
            },
            Source::Stem(at) => row.values.get(at).copied().flatten().map_or_else(|| "-".into(), stem),
            Source::Group(at) => given(&row.groups, at),
            Source::Last { .. } => labels.get(symbol as usize).cloned().unwrap_or_else(|| "-".into()),
            Source::Hour if symbol != NOTHING => format!("{symbol}:00"),
            // The first of January 1970 was a Thursday.
            Source::Weekday if symbol != NOTHING => {
                ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][symbol as usize % 7].into()
            }
            Source::Hour | Source::Weekday => "-".into(),
        }
    }
}

impl Coder {
    fn bin(&self, value: &str) -> u32 {
        match number(value) {
            Some(number) => self.cuts.iter().filter(|cut| number > **cut).count() as u32,
            None => NOTHING,
        }
    }

    fn range(&self, bin: usize) -> String {
        match (bin.checked_sub(1).and_then(|at| self.cuts.get(at)), self.cuts.get(bin)) {
            (None, Some(to)) => format!("up to {to}"),
            (Some(from), Some(to)) => format!("over {from}, up to {to}"),
            (Some(from), None) => format!("over {from}"),
            (None, None) => "any".into(),
        }
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Where the bins of a column end: nowhere, unless its words are numbers, and many.
fn cuts(words: &[String]) -> Vec<f64> {
    if words.len() < NUMBERS {
        return vec![];
    }
    let mut numbers: Vec<f64> = words.iter().filter_map(|word| number(word)).collect();
    // A few words like "unknown" do not make it a column of names.
    if numbers.len() * 20 < words.len() * 19 {
        return vec![];
    }
    numbers.sort_by(f64::total_cmp);
    let mut cuts: Vec<f64> = (1..BINS).map(|at| numbers[at * numbers.len() / BINS]).collect();
    cuts.dedup();
    cuts
}

/// A word without its numbers and signs: `RegionalSales` of `5 - RegionalSales`.
fn stem(word: &str) -> String {
    word.chars().filter(|c| c.is_alphabetic()).collect()
}

/// The stems of a column's words: none, unless several words share one and they are several themselves.
fn stems(words: &[String]) -> BTreeMap<String, u32> {
    let mut stems = BTreeMap::new();
    for word in words {
        let next = stems.len() as u32;
        stems.entry(stem(word)).or_insert(next);
    }
    if stems.len() < 2 || stems.len() * 5 > words.len() * 4 { BTreeMap::new() } else { stems }
}
