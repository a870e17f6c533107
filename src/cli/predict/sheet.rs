//! A CSV file as people export them: its columns by name, its rows as they came.

use std::{fs::File, path::Path};

use csv::{ErrorKind, ReaderBuilder, StringRecord};

use crate::model::Bytes;

/// Larger files are not read, in bytes: they are held in memory.
const LARGEST: u64 = 512 << 20;

/// The rows of a file.
pub(super) struct Sheet {
    /// What the file is called, for messages.
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<StringRecord>,
}

impl Sheet {
    /// Reads a file. What is wrong with it is told with its line.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
        let size = file.metadata().map_err(|error| format!("{name}: {error}"))?.len();
        if size > LARGEST {
            let (size, largest) = (Bytes(size), Bytes(LARGEST));
            return Err(format!("{name} has {size}, and at most {largest} are read: a part of its rows will do"));
        }
        let mut reader = ReaderBuilder::new().from_reader(file);
        let columns: Vec<String> = reader
            .headers()
            .map_err(|error| trouble(&name, &error))?
            .iter()
            .map(|column| column.trim().to_owned())
            .collect();
        if columns.is_empty() {
            return Err(format!("{name} is empty: its first line should name the columns"));
        }
        for (at, column) in columns.iter().enumerate() {
            if columns[..at].contains(column) {
                return Err(format!("{name}, line 1: two columns are called `{column}`"));
            }
        }
        let mut rows = vec![];
        for row in reader.into_records() {
            rows.push(row.map_err(|error| trouble(&name, &error))?);
        }
        if rows.is_empty() {
            return Err(format!("{name} has a heading, and no rows"));
        }
        Ok(Self { name, columns, rows })
    }

    /// Where a column is.
    pub(super) fn find(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known == column)
    }

    /// Where a column is that has to be there.
    pub(super) fn column(&self, column: &str) -> Result<usize, String> {
        self.find(column).ok_or_else(|| {
            let like = |known: &&String| strsim::jaro_winkler(&known.to_lowercase(), &column.to_lowercase());
            let nearest = self.columns.iter().max_by(|one, other| like(one).total_cmp(&like(other)));
            let meant =
                nearest.filter(|nearest| like(nearest) > 0.8).map(|nearest| format!(" Did you mean `{nearest}`?"));
            let meant = meant.unwrap_or_else(|| format!(" It has {}.", self.columns.join(", ")));
            format!("{} has no column `{column}`.{meant}", self.name)
        })
    }

    /// A value, unless there is none: nothing, `NaN`, `NA` or `null`.
    pub(super) fn value(&self, row: usize, column: usize) -> Option<&str> {
        let value = self.rows.get(row)?.get(column)?.trim();
        let is_nothing =
            value.is_empty() || ["nan", "na", "n/a", "null"].iter().any(|no| value.eq_ignore_ascii_case(no));
        (!is_nothing).then_some(value)
    }

    /// The line that a row begins in.
    pub(super) fn line(&self, row: usize) -> u64 {
        self.rows.get(row).and_then(StringRecord::position).map_or(0, csv::Position::line)
    }
}

/// What is wrong with a file, where, and what to do.
fn trouble(name: &str, error: &csv::Error) -> String {
    match error.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            let values = if *len == 1 { "value" } else { "values" };
            format!("{name}, line {line}: {len} {values} where the heading has {expected_len}")
        }
        ErrorKind::Utf8 { pos, .. } => {
            let line = pos.as_ref().map_or(1, csv::Position::line);
            format!("{name}, line {line}: this is not UTF-8; `iconv -f latin1 -t utf-8` may make it so")
        }
        _ => format!("{name}: {error}"),
    }
}
