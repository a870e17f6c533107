//! What may be written at a place of a text: keys with their help, and values. The text need not be YAML at the moment:
//! where it is not, its indentation tells where one is.

use std::{collections::BTreeMap, ops::Range};

use serde::Serialize;

use super::form::Offer;

/// Names that the schema does not know: those of the library and of the site, by what they are of.
pub type Names = BTreeMap<Offer, Vec<String>>;

/// What may stand at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Completion {
    /// The bytes that what is chosen takes the place of: the word around the place.
    pub word: Range<usize>,
    /// What may be chosen; what fits the word best first.
    pub items: Vec<Suggestion>,
}

/// One thing that may stand there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// What people see: `packages`.
    pub label: String,
    /// What is put in: `packages: `, or with a new line behind it.
    pub insert: String,
    /// What it is for.
    pub help: String,
}

/// What may stand at byte `at` of a text.
pub fn at(text: &str, at: usize, names: &Names) -> Completion {
    let _ = (text, names);
    Completion { word: at..at, items: vec![] }
}
