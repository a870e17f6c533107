//! Several documents made one: the merging itself, which knows nothing of what the documents are about.
//!
//! Of every path, each document says nothing, or one thing. A document is *nearer* than all that it extends, directly or
//! through others, whichever way those come in.
//! - What is nearer settles a plain value: it takes the place of what the documents behind it say there, as does anything
//!   tagged `!replace`, and `null`, which leaves nothing.
//! - Maps that are left are merged key by key; lists are appended, those of the documents that are extended first.
//! - Plain values that are left and differ are a conflict: they come from documents of which neither extends the other, and
//!   nothing nearer settles it. So are a list and a map.
//!
//! Each document counts once, however many ways lead to it; so what it says is taken once.

use std::{collections::BTreeSet, sync::Arc};

use indexmap::{IndexMap, IndexSet};

use super::{
    Document, Problem,
    tree::{Tree, Value},
    whole::{MAX_PROBLEMS, place_of, problem},
};

/// One of the documents that are composed.
#[derive(Debug, Clone)]
pub struct Part {
    /// What it says.
    pub document: Arc<Document>,
    /// The parts before it that it extends itself.
    pub extends: Vec<usize>,
}

/// Composes the last of `parts`, which stand in such an order that each follows those that it extends. What stands under the
/// keys `own` is each document's own, and never inherited.
pub fn compose(parts: &[Part], own: &[&str]) -> Result<Document, Vec<Problem>> {
    let Some((last, before)) = parts.split_last() else {
        return Err(vec![]);
    };
    if before.is_empty() {
        return Ok(Document::clone(&last.document));
    }
    let mut merging = Merging { parts, behind: behind(parts), problems: vec![] };
    let tops: Vec<_> = parts.iter().enumerate().map(|(at, part)| (at, &part.document.tree)).collect();
    let maps: Vec<_> = tops.into_iter().filter(|(_, tree)| tree.map().is_some()).collect();
    let mut entries = IndexMap::new();
    let first = own.iter().copied().filter(|key| last.document.has(key));
    for key in first.chain(keys(&maps)).collect::<IndexSet<_>>() {
        let mut said: Vec<_> = maps.iter().filter_map(|(at, tree)| Some((*at, tree.get(key)?))).collect();
        if own.contains(&key) {
            said.retain(|(at, _)| *at == before.len());
        }
        if let Some(tree) = merging.value(key, &said) {
            entries.insert(key.to_owned(), tree);
        }
    }
    if !merging.problems.is_empty() {
        return Err(merging.problems);
    }
    let origin = last.document.tree.origin.clone();
    let tree = Tree { value: Value::Map(entries), origin, replaces: false };
    Ok(Document { tree, source: last.document.source.clone() })
}

/// For each part, all that it extends, through others too.
fn behind(parts: &[Part]) -> Vec<BTreeSet<usize>> {
    let mut behind: Vec<BTreeSet<usize>> = vec![];
    for part in parts {
        let mut all: BTreeSet<usize> = part.extends.iter().copied().filter(|at| *at < behind.len()).collect();
        for parent in all.clone() {
            all.extend(&behind[parent]);
        }
        behind.push(all);
    }
    behind
}

/// The keys of several maps, as they first appear.
fn keys<'a>(maps: &[(usize, &'a Tree)]) -> IndexSet<&'a str> {
    maps.iter().filter_map(|(_, tree)| tree.map()).flat_map(|map| map.keys().map(String::as_str)).collect()
}

struct Merging<'a> {
    parts: &'a [Part],
    behind: Vec<BTreeSet<usize>>,
    problems: Vec<Problem>,
}

impl Merging<'_> {
    /// What the parts make of one path, where they say this, in their order.
    fn value(&mut self, path: &str, said: &[(usize, &Tree)]) -> Option<Tree> {
        if let [(_, only)] = said {
            return Some(Tree::clone(only));
        }
        let settles = |by: &Tree, of: &Tree| by.replaces || !by.value.is_collection() || !of.value.is_collection();
        let is_settled = |(at, tree): &(usize, &Tree)| {
            said.iter().any(|(nearer, by)| self.behind[*nearer].contains(at) && settles(by, tree))
        };
        let left: Vec<_> = said.iter().copied().filter(|one| !is_settled(one)).collect();
        let is_null = |tree: &Tree| matches!(tree.value, Value::Null);
        if left.iter().all(|(_, tree)| is_null(tree)) {
            // A `null` that had nothing to remove stays: there are formats in which it says something.
            let removes = said.iter().any(|(_, tree)| !is_null(tree));
            return left.first().filter(|_| !removes).map(|(_, tree)| Tree::clone(tree));
        }
        let plain = left.iter().find(|(_, tree)| !tree.value.is_collection() && !is_null(tree));
        if let Some(plain) = plain {
            if let Some(other) = left.iter().find(|(_, tree)| !tree.value.same(&plain.1.value)) {
                self.conflict(path, in_order(plain, other));
            }
            return Some(Tree::clone(plain.1));
        }
        // What removes only what is behind it has nothing to say to a list or a map beside it.
        let left: Vec<_> = left.into_iter().filter(|(_, tree)| !is_null(tree)).collect();
        self.collection(path, &left)
    }

    fn collection(&mut self, path: &str, left: &[(usize, &Tree)]) -> Option<Tree> {
        let (_, nearest) = *left.last()?;
        let maps: Vec<_> = left.iter().copied().filter(|(_, tree)| tree.map().is_some()).collect();
        let mut lists = left.iter().filter(|(_, tree)| tree.map().is_none());
        let value = match (maps.first(), lists.next()) {
            (Some(map), Some(list)) => {
                self.kinds(path, in_order(map, list));
                nearest.value.clone()
            }
            (Some(_), None) => {
                let mut entries = IndexMap::new();
                for key in keys(&maps) {
                    let said: Vec<_> = maps.iter().filter_map(|(at, tree)| Some((*at, tree.get(key)?))).collect();
                    if let Some(tree) = self.value(&format!("{path}.{key}"), &said) {
                        entries.insert(key.to_owned(), tree);
                    }
                }
                Value::Map(entries)
            }
            _ => Value::List(left.iter().flat_map(|(_, tree)| tree.items()).cloned().collect()),
        };
        Some(Tree { value, origin: nearest.origin.clone(), replaces: false })
    }

    /// Two documents of which neither is nearer say different things.
    fn conflict(&mut self, path: &str, [first, second]: [(usize, &Tree); 2]) {
        if self.problems.len() >= MAX_PROBLEMS {
            return;
        }
        let by = self.who_composes(first.0, second.0);
        let says = |tree: &Tree| match &tree.value {
            Value::Null => format!("{} removes it", place_of(tree)),
            value => format!("{} says {}", place_of(tree), value.brief()),
        };
        let message = format!("`{path}` is in conflict: {}, and {}", says(first.1), says(second.1));
        let help = format!(
            "neither of the two extends the other: settle it by saying `{path}` in {}, or let one extend the other",
            by.source().path
        );
        self.problems.push(by.problem_at("GR062", "extends", message, &help));
    }

    /// A list and a map cannot be merged.
    fn kinds(&mut self, path: &str, [first, second]: [(usize, &Tree); 2]) {
        if self.problems.len() >= MAX_PROBLEMS {
            return;
        }
        let help = format!("write both in one way, or `{}: !replace` to drop the other", last_step(path));
        let message = format!(
            "`{path}` is {} here and {} at {}: they cannot be merged",
            second.1.value.kind(),
            first.1.value.kind(),
            place_of(first.1)
        );
        self.problems.push(problem(second.1, true, "GR063", message, Some(help)));
    }

    /// The first document that has both behind it, or is one of the two.
    fn who_composes(&self, first: usize, second: usize) -> Arc<Document> {
        let has = |at: usize, part: usize| at == part || self.behind[at].contains(&part);
        let by = (0..self.parts.len()).find(|at| has(*at, first) && has(*at, second));
        self.parts[by.unwrap_or(self.parts.len() - 1)].document.clone()
    }
}

fn last_step(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// Two of what is said, by the order of their documents.
fn in_order<'a>(one: &(usize, &'a Tree), other: &(usize, &'a Tree)) -> [(usize, &'a Tree); 2] {
    if one.0 < other.0 { [*one, *other] } else { [*other, *one] }
}
