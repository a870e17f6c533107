//! How the journal and the plans name a persona.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::text::is_text;

/// The name of a persona: the stem of its file in the library. Lower-case letters, digits and `-`, at most 63.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PersonaName(String);

is_text!(PersonaName);

impl PersonaName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PersonaName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        is_name(text).then(|| Self(text.to_owned())).ok_or(BadName)
    }
}

/// Whether `text` can name a persona or an image: it becomes part of file names, URLs and host names.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| plain(b) || b == b'-')
        && text.bytes().next().is_some_and(plain)
        && text.bytes().last().is_some_and(plain)
}

/// Some text that cannot name a persona or an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a name: lower-case letters, digits and inner `-`, 63 at most")]
pub struct BadName;

/// A version of a persona: the git blob id of its composed text, 40 hexadecimal digits; shown by its first ten.
///
/// The text is what `greenroom persona show NAME --composed` prints behind its first line, so anybody can check it:
/// `greenroom persona show NAME --composed | tail -n +2 | git hash-object --stdin`. A comment, or a value that moves into a
/// fragment, is no new version; a change in a fragment is one of every persona that it changes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(String);

impl Version {
    /// The version with this git blob id.
    pub fn new(blob_id: impl Into<String>) -> Self {
        Self(blob_id.into())
    }

    /// The whole blob id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.get(..10).unwrap_or(&self.0))
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One version of one persona: what a boot records, and can be replayed with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PersonaRef {
    /// Which persona.
    pub name: PersonaName,
    /// Which text of it.
    pub version: Version,
}

impl fmt::Display for PersonaRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// What becoming a persona does to a device's disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Runs from memory; leaves every disk alone.
    Ephemeral,
    /// Installs: what was on the target disk is lost. Needs an [`Armed`](super::Armed) value.
    Destructive,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ephemeral => "ephemeral",
            Self::Destructive => "destructive",
        })
    }
}
