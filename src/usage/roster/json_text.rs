//! Rosters as programs write them.

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

use super::{
    MOST_COLUMNS,
    reading::{Cell, Column, Reading, shown},
};

/// An object as it is written: a name that comes twice is seen.
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of names and texts")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object, M::Error> {
                let mut pairs = vec![];
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Object(pairs))
            }
        }
        reader.deserialize_map(Pairs)
    }
}

/// Reads a list of objects, one after the other, so that each problem has its place.
pub(super) fn read(reading: &mut Reading, text: &[u8]) {
    let mut places = Places { text, at: 0, line: 1, began: 0 };
    let mut at = blanks(text, 0);
    if text.get(at) != Some(&b'[') {
        let key = reading.kind().key();
        return reading
            .whole(format!("this is no JSON list of objects, like [{{\"{key}\": \"...\", \"role\": \"...\"}}]"));
    }
    at = blanks(text, at + 1);
    let mut first = true;
    while text.get(at) != Some(&b']') {
        if !first {
            if text.get(at) != Some(&b',') {
                let (line, column) = places.of(at);
                return reading.problem(line, Some(column), "expected `,` or `]`");
            }
            at = blanks(text, at + 1);
        }
        first = false;
        if !reading.has_room() {
            return;
        }
        let (line, column) = places.of(at);
        let mut values = serde_json::Deserializer::from_slice(&text[at..]).into_iter::<Object>();
        match values.next() {
            Some(Ok(Object(pairs))) => object(reading, line, column, &pairs),
            Some(Err(error)) => {
                // Its place is counted from where the object begins.
                let below = error.line() as u64 - u64::from(error.line() > 0);
                let column = if below == 0 { column - 1 + error.column().max(1) as u64 } else { error.column() as u64 };
                let said = error.to_string();
                let said = said.split(" at line ").next().unwrap_or_default().to_owned();
                return reading.problem(line + below, Some(column.max(1)), said);
            }
            None => return reading.problem(line, Some(column), "the file ends within the list"),
        }
        at = blanks(text, at + values.byte_offset());
    }
    let end = blanks(text, at + 1);
    if end < text.len() {
        let (line, column) = places.of(end);
        reading.problem(line, Some(column), "something stands behind the list");
    }
}

fn object(reading: &mut Reading, line: u64, at: u64, pairs: &[(String, Value)]) {
    if pairs.len() > MOST_COLUMNS {
        return reading.problem(
            line,
            Some(at),
            format!("this has {} names, and {MOST_COLUMNS} are the most", pairs.len()),
        );
    }
    let mut columns: Vec<(Column, Option<String>)> = vec![];
    let mut seen = HashSet::new();
    let mut broken = false;
    for (name, value) in pairs {
        let column = match seen.insert(name.as_str()) {
            true => reading.column(name),
            false => Err(format!("`{}` comes twice", shown(name))),
        };
        let value = match value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            Value::Bool(_) | Value::Number(_) => Ok(Some(value.to_string())),
            Value::Array(_) | Value::Object(_) => Err(format!("`{}` is no text", shown(name))),
        };
        match (column, value) {
            (Ok(column), Ok(value)) => columns.push((column, value)),
            (Err(message), _) | (_, Err(message)) => {
                broken = true;
                reading.problem(line, Some(at), message);
            }
        }
    }
    if !broken {
        let cells = columns.iter().map(|(column, value)| Cell { column, at: Some(at), value: value.as_deref() });
        reading.row(line, cells);
    }
}

fn blanks(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| b" \t\r\n".contains(byte)).count()
}

/// Lines and columns by their places, asked for in order.
struct Places<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
    /// Where the line began.
    began: usize,
}

impl Places<'_> {
    fn of(&mut self, at: usize) -> (u64, u64) {
        let at = at.min(self.text.len());
        while self.at < at {
            if self.text[self.at] == b'\n' {
                self.line += 1;
                self.began = self.at + 1;
            }
            self.at += 1;
        }
        let column = String::from_utf8_lossy(&self.text[self.began..at]).chars().count() as u64 + 1;
        (self.line, column)
    }
}
