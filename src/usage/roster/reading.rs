//! What CSV and JSON rosters have in common: columns, cells, and the problems with them.

use std::collections::HashMap;

use crate::model::attribute::{AttributeName, Changes, MOST_ATTRIBUTES};

use super::{Kind, MOST_ROWS, NO_PERSONA, Name, Problem, Problems, Row, Wish};

/// How much of a wrong value is shown, in characters.
const SHOWN: usize = 40;

/// What a column tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    Key,
    Persona,
    Active,
    Attribute(AttributeName),
}

/// One cell of a row: which column, where it stands, and what it says. `None` takes away.
pub(super) struct Cell<'a> {
    pub(super) column: &'a Column,
    pub(super) at: Option<u64>,
    pub(super) value: Option<&'a str>,
}

/// A roster as it is being read.
pub(super) struct Reading {
    kind: Kind,
    rows: Vec<Row>,
    /// The lines in which names were first seen.
    seen: HashMap<Name, u64>,
    problems: Problems,
}

impl Reading {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, rows: vec![], seen: HashMap::new(), problems: Problems::default() }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn problem(&mut self, line: u64, column: Option<u64>, message: impl ToString) {
        self.problems.add(Problem { line, column, message: message.to_string() });
    }

    /// A problem of the file as a whole.
    pub(super) fn whole(&mut self, message: impl ToString) {
        self.problem(0, None, message);
    }

    /// Whether there is room for another row; the first one too many is a problem.
    pub(super) fn has_room(&mut self) -> bool {
        let room = self.rows.len() < MOST_ROWS;
        if !room {
            self.whole(format!("there are more than {MOST_ROWS} rows: split the file"));
        }
        room
    }

    /// The column of this name.
    pub(super) fn column(&self, name: &str) -> Result<Column, String> {
        let name = name.trim();
        match name {
            "" => Err("this column has no name".into()),
            name if name == self.kind.key() => Ok(Column::Key),
            name if name == self.kind.special() => Ok(match self.kind {
                Kind::Devices => Column::Persona,
                Kind::Users => Column::Active,
            }),
            name => {
                let plain = name.strip_prefix("attr:").unwrap_or(name);
                plain.parse().map(Column::Attribute).map_err(|bad| format!("`{}`: {bad}", shown(name)))
            }
        }
    }

    /// Takes a row, or tells what is wrong with it.
    pub(super) fn row<'a>(&mut self, line: u64, cells: impl Iterator<Item = Cell<'a>>) {
        let before = self.problems.count;
        let (mut name, mut persona, mut active, mut attributes) = (None, None, None, Changes::new());
        for Cell { column, at, value } in cells {
            let value = value.map(str::trim);
            if value == Some("") {
                continue;
            }
            let taken = match (column, value) {
                (Column::Key, value) => self.name(value.unwrap_or_default()).map(|found| name = Some(found)),
                (Column::Persona, None | Some(NO_PERSONA)) => {
                    persona = Some(Wish::Unassign);
                    Ok(())
                }
                (Column::Persona, Some(value)) => match value.parse() {
                    Ok(wanted) => {
                        persona = Some(Wish::Assign(wanted));
                        Ok(())
                    }
                    Err(bad) => Err(format!("persona `{}`: {bad}", shown(value))),
                },
                (Column::Active, value) => flag(value.unwrap_or_default()).map(|flag| active = Some(flag)),
                (Column::Attribute(name), None) => {
                    attributes.insert(name.clone(), None);
                    Ok(())
                }
                (Column::Attribute(name), Some(value)) => match value.parse() {
                    Ok(value) => {
                        attributes.insert(name.clone(), Some(value));
                        Ok(())
                    }
                    Err(bad) => Err(format!("{name} `{}`: {bad}{}", shown(value), hint(value))),
                },
            };
            if let Err(message) = taken {
                self.problem(line, at, message);
            }
        }
        if attributes.len() > MOST_ATTRIBUTES {
            self.problem(line, None, format!("this row has more than {MOST_ATTRIBUTES} attributes"));
        }
        if self.problems.count > before {
            return;
        }
        let Some(name) = name else {
            let key = self.kind.key();
            return self.problem(line, None, format!("this row names nobody: its `{key}` is empty"));
        };
        if let Some(first) = self.seen.insert(name.clone(), line) {
            self.seen.insert(name.clone(), first);
            return self.problem(line, None, format!("{name} is in line {first} already"));
        }
        self.rows.push(Row { name, line, attributes, persona, active });
    }

    fn name(&self, text: &str) -> Result<Name, String> {
        match self.kind {
            Kind::Devices => text.parse().map(Name::Device).map_err(|bad| format!("mac `{}`: {bad}", shown(text))),
            Kind::Users => text.parse().map(Name::User).map_err(|bad| format!("user `{}`: {bad}", shown(text))),
        }
    }

    pub(super) fn done(self) -> Result<Vec<Row>, Problems> {
        if self.problems.count == 0 { Ok(self.rows) } else { Err(self.problems) }
    }
}

/// Whether somebody is active, as people and programs write it.
fn flag(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err(format!("active `{}`: write yes or no", shown(text))),
    }
}

/// The most likely reason of a value that goes over several lines.
fn hint(value: &str) -> &'static str {
    if value.contains('\n') { "; is a quote before it not closed?" } else { "" }
}

/// A value on one line, cut where it is too long to be read.
pub(super) fn shown(value: &str) -> String {
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut text: String = value.chars().take(SHOWN).map(plain).collect();
    if value.chars().nth(SHOWN).is_some() {
        text.push_str("...");
    }
    text
}
