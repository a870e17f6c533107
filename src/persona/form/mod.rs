//! A persona as a form: a tree of fields that a page draws, and what people fill in as changes of its text.
//!
//! ```text
//!   schema ------> shape (labels, kinds, choices)  --+
//!   draft -------> values, where they stand, problems +--> Form: sections > fields > fields ...
//!   fragments ---> what is inherited               --+
//!                                     Act at a path  ----> changes (document::edit)
//! ```
//! No field of the schema is forgotten: the shape is made from it, and not by hand.

use serde::{Deserialize, Serialize};

use crate::document::{Change, Path, Problem};

use super::draft::Draft;

/// A document as a form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Form {
    /// The fields at the top, in the order in which people write them; those with fields below are sections. None when the
    /// text cannot be read at the moment: a page keeps what it shows then.
    pub fields: Vec<Field>,
    /// What is wrong with the document as a whole, or with its text. Other problems are at their fields.
    pub problems: Vec<Problem>,
}

/// One field, or a group of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Where it is; a submitted field is called so.
    pub path: Path,
    /// Its key, or the number of an item.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What it is for, from the schema.
    pub help: String,
    /// What is filled in.
    #[serde(flatten)]
    pub kind: Kind,
    /// Whether a persona must have it; it may be inherited.
    pub required: bool,
    /// What holds when nothing is said, as text.
    pub default: Option<String>,
    /// Where its value comes from.
    pub state: State,
    /// What is written in this document: one text for a plain value, one an item for a list of texts, YAML for [`Kind::Any`].
    pub texts: Vec<String>,
    /// What comes from the documents that this one extends: it holds when nothing is written here; the items of lists come
    /// before one's own.
    pub inherited: Vec<Inherited>,
    /// Where it is written in this document: line from 1, 0 when it is not.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// Of a value with a short form: which of the two this is. [`Act::Long`] and [`Act::Short`] lead to the other.
    pub length: Option<Length>,
    /// Names that may be offered: see [`Names`](super::complete::Names).
    pub offers: Option<Offer>,
    /// What is wrong with it. Those of the fields below it are there.
    pub problems: Vec<Problem>,
    /// The members of a group, the items of a list of groups, the entries of a map. Of lists and maps, only those that are
    /// written here.
    pub fields: Vec<Field>,
}

/// What is filled in.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// A line of text.
    Text,
    /// Text of several lines.
    LongText,
    /// The name of a secret on the server.
    Secret,
    /// A size: `4GiB`.
    Size,
    /// A whole number.
    Number {
        /// The least.
        min: Option<i64>,
        /// The greatest.
        max: Option<i64>,
        /// What it counts: `days`; empty when the label says so.
        unit: &'static str,
    },
    /// `true` or `false`.
    Bool,
    /// One of a few.
    Choice {
        /// Which.
        choices: Vec<Choice>,
    },
    /// A list of texts: a line each.
    Texts,
    /// Fields that belong together.
    Group,
    /// A list of groups.
    Groups {
        /// What one of them is: `user`.
        item: String,
    },
    /// A text under each of one's own keys.
    Map,
    /// A group under each of one's own keys.
    MapOfGroups,
    /// Whatever YAML says, as YAML.
    Any,
}

/// One of a few values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// As it is written.
    pub value: String,
    /// What it means.
    pub help: String,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is written in this document.
    Written,
    /// It is written here as `null`: what is inherited is taken away.
    Dropped,
    /// Another document says it.
    Inherited,
    /// Nobody says anything.
    Unsaid,
}

/// The two ways to write some values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Length {
    /// A bare text or list.
    Short,
    /// A map.
    Long,
}

/// Which names may be offered for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Offer {
    /// Images of the library.
    Images,
    /// Personas and fragments.
    Documents,
    /// Personas.
    Personas,
    /// Locales.
    Locales,
    /// Keyboard layouts.
    Keyboards,
    /// Time zones.
    Timezones,
    /// Secrets of the server.
    Secrets,
    /// Architectures.
    Archs,
}

/// A value that another document says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inherited {
    /// As text.
    pub text: String,
    /// The file that says it.
    pub file: String,
    /// Its line there.
    pub line: usize,
}

/// What somebody does to a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "lowercase")]
pub enum Act {
    /// Fills it in: one text, or one an item for a list of texts. Nothing filled in takes it out.
    Say {
        /// What was filled in.
        texts: Vec<String>,
    },
    /// Takes out what is written here; what is inherited holds again.
    Clear,
    /// Takes away what is inherited.
    Drop,
    /// Adds an item to a list of groups, or an entry to a map.
    Add {
        /// The key of the entry; the first text of the item.
        #[serde(default)]
        name: String,
    },
    /// An item of a list goes elsewhere in it.
    Move {
        /// Which it becomes, from 0.
        to: usize,
    },
    /// An entry of a map gets another key.
    Rename {
        /// The new one.
        to: String,
    },
    /// Writes it as a map.
    Long,
    /// Writes it in its short form.
    Short,
}

/// A draft as a form.
pub(super) fn fill(draft: &Draft) -> Form {
    Form { fields: vec![], problems: draft.problems.clone() }
}

/// What an act asks for.
pub(super) fn changes(draft: &Draft, path: &Path, act: &Act) -> Result<Vec<Change>, Problem> {
    let _ = (draft, path, act);
    Ok(vec![])
}

/// The keys that a map of a persona may have, in the order in which people write them.
pub(super) fn order(map: &Path) -> Vec<String> {
    let _ = map;
    vec![]
}
