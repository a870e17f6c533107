//! The table that is learned from: columns of words, groups, times and labels, kept as symbols.

use std::collections::HashMap;

use thiserror::Error;

/// What is known of one case before its label is.
#[derive(Debug, Clone, Default)]
pub struct Row<'a> {
    /// A value for each column, in their order; `None` where nothing is known.
    pub values: Vec<Option<&'a str>>,
    /// Whose row it is, for each kind of group.
    pub groups: Vec<Option<&'a str>>,
    /// When it is, in milliseconds since 1970.
    pub at: Option<i64>,
}

/// Why a sample takes no more.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Full {
    /// More labels than can be told apart.
    #[error("more than {0} different labels: is this the right column?")]
    Labels(usize),
    /// More rows than are learned from.
    #[error("more than {0} rows")]
    Rows(usize),
    /// The row has another number of values or groups than the sample has columns and groups.
    #[error("the row has {found} values where there are {wanted}")]
    Width {
        /// How many it has.
        found: usize,
        /// How many it should have.
        wanted: usize,
    },
}

/// No value.
pub(super) const NOTHING: u32 = u32::MAX;

/// When a label becomes known that nobody may count: its row is only predicted.
pub const NEVER: i64 = i64::MAX;

/// Words, each with a number: 0, 1, 2 in the order in which they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    of: HashMap<String, u32>,
    all: Vec<String>,
}

impl Words {
    pub(super) fn intern(&mut self, word: &str) -> u32 {
        if let Some(&symbol) = self.of.get(word) {
            return symbol;
        }
        let symbol = self.all.len() as u32;
        self.of.insert(word.to_owned(), symbol);
        self.all.push(word.to_owned());
        symbol
    }

    pub(super) fn symbol(&self, word: &str) -> Option<u32> {
        self.of.get(word).copied()
    }

    pub(super) fn all(&self) -> &[String] {
        &self.all
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

/// One column: its words, and a symbol for each row.
#[derive(Debug, Clone, Default)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) words: Words,
    pub(super) cells: Vec<u32>,
}

/// Rows whose labels are known, in the order in which they came.
///
/// With times in it, the rows are taken as a history: what a group had before a row is what its earlier rows were labelled.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    pub(super) columns: Vec<Column>,
    pub(super) groups: Vec<Column>,
    pub(super) labels: Column,
    pub(super) at: Vec<Option<i64>>,
    /// When the label of each became known, if that was later.
    pub(super) known: Vec<Option<i64>>,
    most_labels: usize,
    most_rows: usize,
}

impl Sample {
    /// An empty table with these columns and kinds of groups. It takes at most 4,096 labels and two million rows.
    pub fn new(columns: &[&str], groups: &[&str]) -> Self {
        let column = |name: &&str| Column { name: (*name).to_owned(), ..Column::default() };
        Self {
            columns: columns.iter().map(column).collect(),
            groups: groups.iter().map(column).collect(),
            most_labels: 4096,
            most_rows: 2_000_000,
            ..Self::default()
        }
    }

    /// Takes a row and the label that it turned out to have. Rows with times come oldest first.
    pub fn push(&mut self, row: &Row<'_>, label: &str) -> Result<(), Full> {
        self.push_known(row, label, None)
    }

    /// Takes a row whose label became known later than the row: at `known`, in milliseconds since 1970, or [`NEVER`].
    pub fn push_known(&mut self, row: &Row<'_>, label: &str, known: Option<i64>) -> Result<(), Full> {
        let (found, wanted) = (row.values.len() + row.groups.len(), self.columns.len() + self.groups.len());
        if row.values.len() != self.columns.len() || row.groups.len() != self.groups.len() {
            return Err(Full::Width { found, wanted });
        }
        if self.len() >= self.most_rows {
            return Err(Full::Rows(self.most_rows));
        }
        if self.labels.words.symbol(label).is_none() && self.labels.words.len() >= self.most_labels {
            return Err(Full::Labels(self.most_labels));
        }
        for (column, value) in self.columns.iter_mut().zip(&row.values).chain(self.groups.iter_mut().zip(&row.groups)) {
            let symbol = value.map_or(NOTHING, |value| column.words.intern(value));
            column.cells.push(symbol);
        }
        let symbol = self.labels.words.intern(label);
        self.labels.cells.push(symbol);
        self.at.push(row.at);
        self.known.push(known);
        Ok(())
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.labels.cells.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the columns.
    pub fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// The kinds of groups.
    pub fn groups(&self) -> Vec<&str> {
        self.groups.iter().map(|column| column.name.as_str()).collect()
    }

    /// The labels, in the order in which they came.
    pub fn labels(&self) -> &[String] {
        self.labels.words.all()
    }

    /// The label of a row.
    pub fn label(&self, row: usize) -> Option<&str> {
        let symbol = *self.labels.cells.get(row)?;
        self.labels.words.all().get(symbol as usize).map(String::as_str)
    }

    /// A row as it was given.
    pub fn row(&self, row: usize) -> Option<Row<'_>> {
        let at = *self.at.get(row)?;
        let values = self.columns.iter().map(|column| word(column, row)).collect();
        let groups = self.groups.iter().map(|column| word(column, row)).collect();
        Some(Row { values, groups, at })
    }

    /// Whether the label of a row may be counted.
    pub(super) fn is_known(&self, row: usize) -> bool {
        self.known[row] != Some(NEVER)
    }

    /// Whether its rows are a history: there are groups and every row has a time.
    pub fn is_timed(&self) -> bool {
        !self.groups.is_empty() && !self.is_empty() && self.at.iter().all(Option::is_some)
    }
}

fn word(column: &Column, row: usize) -> Option<&str> {
    column.words.all().get(column.cells[row] as usize).map(String::as_str)
}
