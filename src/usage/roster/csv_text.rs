//! Rosters as spreadsheets write them.

use std::str;

use csv::{ByteRecord, ReaderBuilder};

use super::{
    MOST_COLUMNS,
    reading::{Cell, Column, Reading, shown},
};

/// Reads every line; a line that is wrong does not hide what is wrong with the next.
pub(super) fn read(reading: &mut Reading, text: &[u8]) {
    let mut lines = Lines { text, at: 0, line: 1 };
    let mut csv = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter(text)).from_reader(text);
    let mut record = ByteRecord::new();
    let mut columns: Option<Vec<Option<Column>>> = None;
    loop {
        match csv.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            // Nothing that is in memory fails to be read; whatever the reader finds all the same is told.
            Err(error) => return reading.whole(error),
        }
        let line = lines.of(record.position().map_or(0, |position| position.byte()));
        let Some(columns) = &columns else {
            match header(reading, line, &record) {
                Some(found) => columns = Some(found),
                None => return,
            }
            continue;
        };
        if !reading.has_room() {
            return;
        }
        row(reading, line, columns, &record);
    }
    if columns.is_none() {
        let key = reading.kind().key();
        reading.whole(format!("the file is empty: its first line names the columns, `{key}` and attributes"));
    }
}

/// The columns by place; `None` stands for one that is wrong. Without a usable first line nothing else can be read.
fn header(reading: &mut Reading, line: u64, record: &ByteRecord) -> Option<Vec<Option<Column>>> {
    if record.len() > MOST_COLUMNS {
        reading.problem(line, None, format!("there are {} columns, and {MOST_COLUMNS} are the most", record.len()));
        return None;
    }
    let mut columns: Vec<Option<Column>> = vec![];
    for (at, name) in (1..).zip(record) {
        let column = match str::from_utf8(name) {
            Ok(name) => reading.column(name),
            Err(_) => Err("this column's name is not UTF-8: save the file as UTF-8".into()),
        };
        let column = column.and_then(|column| match columns.contains(&Some(column.clone())) {
            true => Err(format!("there are two columns `{}`", shown(&String::from_utf8_lossy(name)))),
            false => Ok(column),
        });
        columns.push(column.map_err(|message| reading.problem(line, Some(at), message)).ok());
    }
    let key = reading.kind().key();
    if !columns.contains(&Some(Column::Key)) {
        reading.problem(line, None, format!("no column is called `{key}`: the first line names the columns"));
        return None;
    }
    Some(columns)
}

fn row(reading: &mut Reading, line: u64, columns: &[Option<Column>], record: &ByteRecord) {
    if record.len() != columns.len() {
        let message = format!("this line has {} fields, and the first one {}", record.len(), columns.len());
        return reading.problem(line, None, message);
    }
    let mut cells = vec![];
    let mut broken = false;
    for ((at, column), field) in (1..).zip(columns).zip(record) {
        match (column, str::from_utf8(field)) {
            (None, _) => {}
            (Some(column), Ok(value)) => cells.push(Cell { column, at: Some(at), value: Some(value) }),
            (Some(_), Err(_)) => {
                broken = true;
                let what = shown(&String::from_utf8_lossy(field));
                reading.problem(line, Some(at), format!("`{what}` is not UTF-8: save the file as UTF-8"));
            }
        }
    }
    if !broken {
        reading.row(line, cells.into_iter());
    }
}

/// What stands between fields: what is in the first line. Where the comma separates decimals, spreadsheets write semicolons.
fn delimiter(text: &[u8]) -> u8 {
    let first = text.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    [b',', b';', b'\t'].into_iter().find(|candidate| first.contains(candidate)).unwrap_or(b',')
}

/// The numbers of lines, by their places in the text: the reader's own are of where it began to look.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line in which a record that begins at `byte` or after blank lines stands. Records come in order.
    fn of(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        while self.at < byte || self.text.get(self.at).is_some_and(|next| matches!(next, b'\r' | b'\n')) {
            self.line += u64::from(self.text[self.at] == b'\n');
            self.at += 1;
        }
        self.line
    }
}
