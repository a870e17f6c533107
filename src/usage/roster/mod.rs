//! A roster: what an organisation says of many devices or people, as a table that people keep and programs write.
//!
//! ```text
//! mac,persona,role,location          user,active,role,department
//! 52:54:00:77:00:02,kiosk-live,,hall  ann@lab.example,yes,developer,r&d
//! ```
//! One column names the device (`mac`) or the person (`user`); every other one is an attribute, save `persona` (what a device is
//! assigned; `-` takes the assignment back) and `active` (whether a person is of the organisation still). `attr:persona` is the
//! attribute of that name. **An empty cell says nothing**: what was said before stays, unless what the file does not name shall
//! be pruned. As JSON, a roster is a list of objects with the same names, in which `null` takes an attribute away.
//!
//! Whatever is wrong with a file is told at once, with line and column; a file with any mistake is not taken at all.

mod csv_text;
mod difference;
mod json_text;
mod reading;
mod write;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    model::{Device, MacAddr, PersonaName, User, UserName, attribute::Changes},
    world::World,
};

pub use difference::{Change, Difference, State, differences};
pub use write::{to_csv, to_json};

/// The largest file that is read, in bytes.
pub const LARGEST: usize = 64 << 20;
/// How many rows one roster may have.
pub const MOST_ROWS: usize = 250_000;
/// How many columns one roster may have.
pub const MOST_COLUMNS: usize = 256;
/// How many problems are told; more are only counted.
pub const MOST_TOLD: usize = 100;

/// The persona of a device that shall have no assignment.
const NO_PERSONA: &str = "-";

/// Of whom a roster tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Devices, by their ports.
    Devices,
    /// People, by their names.
    Users,
}

impl Kind {
    /// The column that names the device or the person.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Devices => "mac",
            Self::Users => "user",
        }
    }

    /// The column beside it that is no attribute.
    const fn special(self) -> &'static str {
        match self {
            Self::Devices => "persona",
            Self::Users => "active",
        }
    }
}

/// How a roster is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Comma-separated values (RFC 4180); read with semicolons or tabs as well.
    Csv,
    /// A JSON list of objects.
    Json,
}

/// Whose row it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Name {
    /// A device's, by any of its ports.
    Device(MacAddr),
    /// A person's.
    User(UserName),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(mac) => fmt::Display::fmt(mac, f),
            Self::User(name) => fmt::Display::fmt(name, f),
        }
    }
}

/// What one row says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Of whom.
    pub name: Name,
    /// Where it stands in its file, from 1; 0 when it is of no file.
    #[serde(default)]
    pub line: u64,
    /// The attributes that it names.
    #[serde(default)]
    pub attributes: Changes,
    /// The persona that a device shall be assigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persona: Option<Wish>,
    /// Whether a person is of the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

/// What a row wants of a device's assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// This persona.
    Assign(PersonaName),
    /// None.
    Unassign,
}

impl Row {
    /// What is said of a device itself; what it takes of its user is the user's row.
    pub fn of_device(device: &Device) -> Self {
        Self {
            name: Name::Device(device.id.mac()),
            line: 0,
            attributes: device.attributes.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect(),
            persona: device.assigned.as_ref().map(|assigned| Wish::Assign(assigned.persona.clone())),
            active: None,
        }
    }

    /// What is said of a person.
    pub fn of_user(user: &User) -> Self {
        Self {
            name: Name::User(user.name.clone()),
            line: 0,
            attributes: user.attributes.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect(),
            persona: None,
            active: Some(user.active),
        }
    }
}

/// What is wrong with a roster, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// The field of a CSV line, or the character of a JSON line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => f.write_str(&self.message),
            (line, None) => write!(f, "line {line}: {}", self.message),
            (line, Some(column)) => write!(f, "line {line}, column {column}: {}", self.message),
        }
    }
}

/// Everything that is wrong with a roster: the first [`MOST_TOLD`], and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems {
    /// The first ones.
    pub told: Vec<Problem>,
    /// How many there are in all.
    pub count: usize,
}

impl Problems {
    /// Adds one.
    pub fn add(&mut self, problem: Problem) {
        self.count += 1;
        if self.told.len() < MOST_TOLD {
            self.told.push(problem);
        }
    }
}

/// Reads a roster, or everything that is wrong with it.
pub fn read(kind: Kind, format: Format, bytes: &[u8]) -> Result<Vec<Row>, Problems> {
    let mut reading = reading::Reading::new(kind);
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.len() > LARGEST {
        reading.whole(format!("the file has more than {} MiB: split it", LARGEST >> 20));
    } else if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        reading.whole("this is UTF-16: save it as UTF-8");
    } else {
        match format {
            Format::Csv => csv_text::read(&mut reading, text),
            Format::Json => json_text::read(&mut reading, text),
        }
    }
    reading.done()
}

/// What is remembered of everybody, as rows: what is exported, and imports back to no change.
pub fn rows<'a>(kind: Kind, world: &'a World, wanted: impl Fn(&Device) -> bool + 'a) -> Vec<Row> {
    match kind {
        Kind::Devices => world.devices.values().filter(|device| wanted(device)).map(Row::of_device).collect(),
        Kind::Users => world.users.values().map(Row::of_user).collect(),
    }
}

#[cfg(test)]
mod tests;
