//! The obvious remedy of a problem, as a change that a page can offer with a button.

use serde::{Deserialize, Serialize};

use super::{Change, Content, Path};

/// What does away with a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fix", rename_all = "lowercase")]
pub enum Fix {
    /// The key is called otherwise.
    Rename {
        /// The value under the key.
        path: Path,
        /// The right key.
        to: String,
    },
    /// This text stands there, also when it looks like a number.
    Write {
        /// Where.
        path: Path,
        /// The text.
        text: String,
    },
    /// It goes.
    Remove {
        /// What.
        path: Path,
    },
}

impl Fix {
    /// The change that it is.
    pub fn change(&self) -> Change {
        match self.clone() {
            Self::Rename { path, to } => Change::Rename { path, to },
            Self::Write { path, text } => Change::Set { path, value: Content::Text(text) },
            Self::Remove { path } => Change::Remove { path },
        }
    }

    /// What a button says: `Write "12"`.
    pub fn label(&self) -> String {
        match self {
            Self::Rename { to, .. } => format!("Rename it to {to}"),
            Self::Write { text, .. } => format!("Write \"{text}\""),
            Self::Remove { .. } => "Remove it".to_owned(),
        }
    }
}
