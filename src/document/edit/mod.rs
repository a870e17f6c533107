//! Changes to a YAML text that people wrote: **what a change is not about stays, to the byte.**
//!
//! ```text
//!   text, changes --> spans (where each value, key and comment stands) --> splices --> new text
//!                                                                                        |
//!         refused, unless what is read again is what was, with the changes made  <------+
//! ```
//! Comments, the order of keys, quotes, indentation, blank lines, `[flow]` or block style, line ends and a missing last one
//! stay as they are. A new key is put where [`Order`] says that it belongs among its siblings. The comment that belongs to
//! a value (directly above at its indentation, or behind it) goes where the value goes.
//!
//! What a change would break elsewhere is refused, in words: values that an alias repeats, keys written with `?`.

mod content;
mod grow;
mod lines;
mod model;
mod place;
mod scalar;
mod set;
mod shift;
mod shrink;
mod span;
mod write;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Document, Path, Problem, Source, source::MAX_BYTES, tree::Tree};

use lines::Lines;
use place::Work;
use span::Spans;

pub use content::Content;
pub(in crate::document) use write::flow as in_line;

/// The code of a change that is refused.
const CODE: &str = "GR271";

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum Change {
    /// The value at a path becomes this; keys on the way there that are missing are made. Of collections, only what differs
    /// is written.
    Set {
        /// Where.
        path: Path,
        /// What.
        value: Content,
    },
    /// The value at a path goes, with its key or its dash. Maps and lists that are empty then go too.
    Remove {
        /// Where.
        path: Path,
    },
    /// A list gets a new item. A list that is not there yet is made.
    Insert {
        /// The list.
        path: Path,
        /// Before which of its items, from 0; behind the last when there are fewer.
        at: usize,
        /// The item.
        value: Content,
    },
    /// An item of a list goes to another place in it, with its comments.
    Move {
        /// The list.
        path: Path,
        /// Which item, from 0.
        from: usize,
        /// Which it becomes.
        to: usize,
    },
    /// A key of a map is called otherwise; its value stays.
    Rename {
        /// The value under the key.
        path: Path,
        /// The new key.
        to: String,
    },
}

/// A text that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edited {
    /// All of it.
    pub text: String,
    /// The bytes of the old text that are others now; empty where something was only put in.
    pub old: Range<usize>,
    /// The bytes of the new text that stand in their place.
    pub new: Range<usize>,
}

/// The keys that a map may have, in the order in which people write them: what is not among them comes last.
pub type Order<'a> = &'a dyn Fn(&Path) -> Vec<String>;

/// Why a change is not made.
#[derive(Debug)]
struct Refusal {
    path: Path,
    message: String,
    help: &'static str,
}

impl Refusal {
    fn new(path: &Path, message: impl Into<String>, help: &'static str) -> Self {
        Self { path: path.clone(), message: message.into(), help }
    }
}

/// Changes a document's text, one change after another: each sees what those before it made. All are made, or none, and the
/// problem says why.
pub fn edit(document: &Document, changes: &[Change], order: Order<'_>) -> Result<Edited, Problem> {
    let source = document.source();
    let refused = |refusal: Refusal| document.problem_at(CODE, &refusal.path.plain(), refusal.message, refusal.help);
    let (mut tree, mut text) = (document.tree.clone(), source.text.clone());
    for change in changes {
        text = one(&mut tree, &text, change, order).map_err(refused)?;
    }
    if text == source.text {
        return Ok(Edited { text, old: 0..0, new: 0..0 });
    }
    if text.len() > MAX_BYTES {
        return Err(Source::too_large(&source.path));
    }
    let by_hand = "change the text by hand";
    let read = Document::read(source.path.clone(), text.clone().into_bytes()).map_err(|problem| {
        let message = format!("this change would leave a text that cannot be read: {}", problem.message);
        Problem::of_file(&source.path, CODE, message, by_hand)
    })?;
    if !model::same(&read.tree, &tree, true) {
        let message = "this change cannot be made without changing something else";
        return Err(Problem::of_file(&source.path, CODE, message, by_hand));
    }
    Ok(Edited::between(&source.text, text))
}

/// Makes one change; `tree` becomes what the new text must say.
fn one(tree: &mut Tree, text: &str, change: &Change, order: Order<'_>) -> Result<String, Refusal> {
    if text.bytes().zip(text.bytes().skip(1).chain([0])).any(|pair| pair.0 == b'\r' && pair.1 != b'\n') {
        let message = "this text has line ends of its own kind, a lone carriage return";
        return Err(Refusal::new(&Path::top(), message, "save it with the line ends of Unix or Windows"));
    }
    let spans = Spans::of(text).map_err(|said| {
        let message = format!("this text is too special to be changed here: {said}");
        Refusal::new(&Path::top(), message, "change it by hand")
    })?;
    // Piece by piece first. Where the pieces meet, what is set is written anew as a whole.
    for whole in [false, true] {
        let mut work = Work { lines: Lines::of(text, &spans), tree, order, whole };
        let made = work.change(change)?;
        if let Some(text) = work.lines.spliced() {
            let (path, message) = (made.path(), format!("{} does not lead to a value", model::shown(made.path())));
            let wrong = || Refusal::new(path, message, "it was changed meanwhile: look again");
            model::apply(tree, &made).ok_or_else(wrong)?;
            return Ok(text);
        }
    }
    Err(Refusal::new(change.path(), "this cannot be changed piece by piece", "change it by hand"))
}

impl Change {
    /// The value, or the list, that it is about.
    pub fn path(&self) -> &Path {
        match self {
            Self::Set { path, .. }
            | Self::Remove { path }
            | Self::Insert { path, .. }
            | Self::Move { path, .. }
            | Self::Rename { path, .. } => path,
        }
    }
}

impl Edited {
    /// What differs between two texts, from the first byte to the last.
    fn between(old: &str, text: String) -> Self {
        let same = |(a, b): &(char, char)| a == b;
        let before: usize = old.chars().zip(text.chars()).take_while(same).map(|(c, _)| c.len_utf8()).sum();
        let rest = old[before..].chars().rev().zip(text[before..].chars().rev());
        let behind: usize = rest.take_while(same).map(|(c, _)| c.len_utf8()).sum();
        let (old, new) = (before..old.len() - behind, before..text.len() - behind);
        Self { text, old, new }
    }
}
