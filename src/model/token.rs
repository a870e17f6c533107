//! Tokens of the API: who may ask for what, and until when.
//!
//! **The token itself is kept nowhere.** Its print is: an HMAC under a key that lies in the state directory, so that who reads
//! the journal alone can neither use what is there nor try tokens against it.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{Moment, text::is_text};

/// What a token is called, in facts too: lower-case letters, digits and inner `-`, `_` and `.`, at most 63.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenName(String);

is_text!(TokenName);

/// Some text that cannot name a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this cannot name a token: lower-case letters, digits and inner `-`, `_` and `.`, 63 at most")]
pub struct BadTokenName;

/// Something that a token allows. Whoever may write may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// To read everything but who did what.
    #[serde(rename = "read")]
    Read,
    /// To read who did what.
    #[serde(rename = "audit:read")]
    AuditRead,
    /// To describe and forget devices.
    #[serde(rename = "devices:write")]
    DevicesWrite,
    /// To describe and forget people.
    #[serde(rename = "users:write")]
    UsersWrite,
    /// To give devices personas, and to take them back.
    #[serde(rename = "assignments:write")]
    AssignmentsWrite,
    /// To give leave to wipe disks, and to take it back.
    #[serde(rename = "arm")]
    Arm,
    /// To pin and evict images.
    #[serde(rename = "cache:write")]
    CacheWrite,
}

/// Some text that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no scope: there are {all}", all = Scope::ALL.map(Scope::name).join(", "))]
pub struct NoScope(String);

impl Scope {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::Read,
        Self::AuditRead,
        Self::DevicesWrite,
        Self::UsersWrite,
        Self::AssignmentsWrite,
        Self::Arm,
        Self::CacheWrite,
    ];

    /// How it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::AuditRead => "audit:read",
            Self::DevicesWrite => "devices:write",
            Self::UsersWrite => "users:write",
            Self::AssignmentsWrite => "assignments:write",
            Self::Arm => "arm",
            Self::CacheWrite => "cache:write",
        }
    }
}

/// What is kept of a token: HMAC-SHA-256 of it. Comparing two takes the same time whatever they are.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenPrint([u8; 32]);

impl TokenPrint {
    /// The print with these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for TokenPrint {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenPrint {}

/// A token, as far as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its name.
    pub name: TokenName,
    /// What it allows.
    pub scopes: BTreeSet<Scope>,
    /// What is kept of it.
    pub print: TokenPrint,
    /// When it was made.
    pub created: Moment,
    /// Who had it made.
    pub by: String,
    /// From when on it opens nothing any more, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Moment>,
}

impl Token {
    /// Whether it has not expired at `now`.
    pub fn is_live(&self, now: Moment) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    /// Whether it allows this.
    pub fn allows(&self, scope: Scope) -> bool {
        let writes = |scope: &Scope| !matches!(scope, Scope::Read | Scope::AuditRead);
        self.scopes.contains(&scope) || (scope == Scope::Read && self.scopes.iter().any(writes))
    }

    /// What facts call who holds it: no operator's login has a colon.
    pub fn voice(&self) -> String {
        format!("token:{}", self.name)
    }
}

/// What shall be done about a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenOrder {
    /// Make one.
    Create {
        /// What it is called.
        name: TokenName,
        /// What it allows.
        scopes: BTreeSet<Scope>,
        /// What is kept of it.
        print: TokenPrint,
        /// Until when it opens anything, if not for ever.
        expires: Option<Moment>,
        /// Who says so.
        by: String,
    },
    /// Have one open nothing any more.
    Revoke {
        /// Which.
        name: TokenName,
        /// Who says so.
        by: String,
    },
}

impl FromStr for TokenName {
    type Err = BadTokenName;

    fn from_str(text: &str) -> Result<Self, BadTokenName> {
        // The same words as an attribute's name: one rule for all that people make up.
        let fits = text.parse::<super::attribute::AttributeName>().is_ok();
        fits.then(|| Self(text.to_owned())).ok_or(BadTokenName)
    }
}

impl FromStr for Scope {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, NoScope> {
        Self::ALL.into_iter().find(|scope| scope.name() == text).ok_or_else(|| NoScope(text.to_owned()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl TryFrom<String> for TokenPrint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
        let bytes: Vec<u8> =
            digits.unwrap_or_default().chunks(2).map(|pair| pair.iter().fold(0, |n, d| n << 4 | d)).collect();
        bytes.try_into().map(Self).map_err(|_| "this is no print of a token: 64 hexadecimal digits")
    }
}

impl From<TokenPrint> for String {
    fn from(print: TokenPrint) -> Self {
        print.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for TokenPrint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from(*self)[..8])
    }
}
