//! People, as far as they matter: a device takes the attributes of whoever uses it.

use std::{borrow::Borrow, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{attribute::Attributes, text::is_text};

/// The name of a person: what the directory calls them (a login, an address). 1 to 128 characters without blanks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserName(String);

is_text!(UserName);

/// What is remembered of one person: a fold over facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Their name.
    pub name: UserName,
    /// What the organisation says of them.
    #[serde(default)]
    pub attributes: Attributes,
    /// Whether they are of the organisation still.
    pub active: bool,
    /// The number of the fact that last changed what is remembered of them.
    pub changed: u64,
}

impl User {
    /// A person of whom nothing is known but the name.
    pub fn new(name: UserName) -> Self {
        Self { name, attributes: Attributes::new(), active: true, changed: 0 }
    }
}

impl UserName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Some text that cannot name a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this cannot name a user: 1 to 128 characters without blanks, `/` or control characters")]
pub struct BadUserName;

/// So that a name can be looked up without being made one.
impl Borrow<str> for UserName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = BadUserName;

    fn from_str(text: &str) -> Result<Self, BadUserName> {
        let fits = (1..=128).contains(&text.chars().count())
            && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '/');
        fits.then(|| Self(text.to_owned())).ok_or(BadUserName)
    }
}
