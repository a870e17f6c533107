//! Who may do what on the pages.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What somebody who is signed in may do. Each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look at everything but who did what.
    Viewer,
    /// Assign, arm, describe and forget devices, pin and evict images, settle proposals.
    Operator,
    /// Write personas: whoever does decides what devices become, so this is more than operating.
    Author,
    /// Say who may do what, and see who did.
    Admin,
}

/// Some text that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role: there are {all}", all = Role::ALL.map(Role::name).join(", "))]
pub struct NoRole(String);

impl Role {
    /// All there are, from the least.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Author, Self::Admin];

    /// How it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Author => "author",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| NoRole(text.to_owned()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
