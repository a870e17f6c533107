//! What is written, on what, and by whom.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::model::{PersonaName, persona_ref::BadName};

use super::super::load::git_blob_id;

/// A document that people write here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Paper {
    /// A persona.
    Persona(PersonaName),
    /// A part of personas, by its name in `fragments/`.
    Fragment(PersonaName),
}

/// What somebody saw before they began to write: the git blob id of a file's bytes, or that there was none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Base {
    /// There was no such file.
    #[default]
    Absent,
    /// A file with these bytes.
    Blob(String),
}

/// In whose name something is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub(super) name: String,
    pub(super) email: String,
}

impl Base {
    /// The base that a file with these bytes is.
    pub fn of(bytes: &[u8]) -> Self {
        Self::Blob(git_blob_id(bytes))
    }
}

impl fmt::Display for Base {
    /// A blob id, or `none`: what a form's hidden field holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Absent => "none",
            Self::Blob(id) => id,
        })
    }
}

impl FromStr for Base {
    type Err = BadBase;

    fn from_str(text: &str) -> Result<Self, BadBase> {
        let is_id = text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match text {
            "none" => Ok(Self::Absent),
            id if is_id => Ok(Self::Blob(id.to_owned())),
            _ => Err(BadBase),
        }
    }
}

/// Some text that names no base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither a git blob id (40 hexadecimal digits) nor `none`")]
pub struct BadBase;

impl TryFrom<String> for Base {
    type Error = BadBase;

    fn try_from(text: String) -> Result<Self, BadBase> {
        text.parse()
    }
}

impl From<Base> for String {
    fn from(base: Base) -> Self {
        base.to_string()
    }
}

impl fmt::Display for Paper {
    /// As `extends` names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Persona(name) => write!(f, "{name}"),
            Self::Fragment(name) => write!(f, "fragments/{name}"),
        }
    }
}

impl FromStr for Paper {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        match text.strip_prefix("fragments/") {
            Some(name) => name.parse().map(Self::Fragment),
            None => text.parse().map(Self::Persona),
        }
    }
}

impl TryFrom<String> for Paper {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl From<Paper> for String {
    fn from(paper: Paper) -> Self {
        paper.to_string()
    }
}

impl Author {
    /// Somebody of this name; git knows them by an address, which may be one that leads nowhere.
    pub fn new(name: &str, email: &str) -> Self {
        // What git would take for the end of the name or of the line.
        let plain = |text: &str| -> String {
            let kept = text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !"<>".contains(*c));
            kept.collect::<String>().trim().trim_matches(['.', ',', ':', ';', '"', '\\', '\'']).to_owned()
        };
        let (name, email) = (plain(name), plain(email).replace(' ', ""));
        // Git refuses a name of nothing.
        let name = if name.is_empty() { "somebody".to_owned() } else { name };
        let email = if email.is_empty() { "somebody@greenroom.invalid".to_owned() } else { email };
        Self { name, email }
    }

    /// Whoever has this account, of which no address is known.
    pub fn of_account(account: &str) -> Self {
        Self::new(account, &format!("{account}@greenroom.invalid"))
    }
}
