//! A document as values: what YAML says, and for each value where it says so.
//!
//! A [`Tree`] is either as one source has it, or composed of several; its values know no difference. An [`Origin`] is small:
//! the source, and the value's number in it, counted as it is read. Line and column are looked up
//! ([`yaml::place`](super::yaml)) only when somebody must be told.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Path, Source, yaml};

/// A value and where it comes from.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// Whether it was tagged `!replace`: it takes the place of what was inherited, instead of adding to it.
    pub(super) replaces: bool,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    List(Vec<Tree>),
    Map(IndexMap<String, Tree>),
    /// Stands for a field that is missing or wrong, so that the reading can go on and find what else is.
    Any,
}

/// Where a value was written.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) source: Arc<Source>,
    /// Which value of its source it is, in the order of reading.
    pub(super) number: u32,
}

impl Origin {
    /// Tells origins apart.
    pub(super) fn id(&self) -> (*const Source, u32) {
        (Arc::as_ptr(&self.source), self.number)
    }
}

impl Tree {
    pub(super) fn map(&self) -> Option<&IndexMap<String, Self>> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The text that it is.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list, or none.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The value under `key`, when this is a map that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.map()?.get(key)
    }

    /// The value that a path leads to (`network.dns.0`), or the nearest one above it; and whether it has a key, which an
    /// item of a list and the document as a whole have not.
    pub(super) fn nearest(&self, path: &str) -> (&Self, bool) {
        let (tree, keyed, ..) = self.trace(path);
        (tree, keyed)
    }

    /// The same, with the way to it, and the steps that lead nowhere.
    pub(super) fn trace(&self, path: &str) -> (&Self, bool, Path, Vec<String>) {
        let (mut way, mut taken) = (Path::top(), 0);
        let mut steps = path.split('.').filter(|step| !step.is_empty());
        let (mut here, mut keyed) = (self, false);
        let mut step = steps.next().map(str::to_owned);
        while let Some(name) = step {
            match &here.value {
                Value::Map(entries) => match entries.get(&name) {
                    Some(below) => {
                        (here, keyed) = (below, true);
                        way = way.below(&name);
                        taken += name.matches('.').count() + 1;
                    }
                    // A key may hold dots itself: an address, a file.
                    None => match steps.next() {
                        Some(more) => {
                            step = Some(format!("{name}.{more}"));
                            continue;
                        }
                        None => break,
                    },
                },
                Value::List(items) => match name.parse().ok().and_then(|at: usize| items.get(at)) {
                    Some(below) => {
                        (here, keyed) = (below, false);
                        way = way.below(&name);
                        taken += 1;
                    }
                    None => break,
                },
                _ => break,
            }
            step = steps.next().map(str::to_owned);
        }
        let left = path.split('.').filter(|step| !step.is_empty()).skip(taken).map(str::to_owned);
        (here, keyed, way, left.collect())
    }

    /// The value that steps lead to, or the nearest one above it; the way to it, and the steps that lead nowhere.
    pub(super) fn trace_steps<'p>(&self, path: &'p Path) -> (&Self, Path, &'p [String]) {
        let (mut here, mut way) = (self, Path::top());
        for (at, step) in path.steps().iter().enumerate() {
            let below = match &here.value {
                Value::Map(entries) => entries.get(step),
                Value::List(items) => step.parse().ok().and_then(|at: usize| items.get(at)),
                _ => None,
            };
            let Some(below) = below else { return (here, way, &path.steps()[at..]) };
            (here, way) = (below, way.below(step));
        }
        (here, way, &[])
    }

    /// The way to the value of this origin.
    pub(super) fn way_to(&self, origin: &Origin) -> Option<Path> {
        fn find(tree: &Tree, id: (*const Source, u32), way: &mut Vec<String>) -> bool {
            if tree.origin.id() == id {
                return true;
            }
            let mut below = |step: String, tree: &Tree| {
                way.push(step);
                let found = find(tree, id, way);
                if !found {
                    way.pop();
                }
                found
            };
            match &tree.value {
                Value::Map(entries) => entries.iter().any(|(key, tree)| below(key.clone(), tree)),
                Value::List(items) => items.iter().enumerate().any(|(at, tree)| below(at.to_string(), tree)),
                _ => false,
            }
        }
        let mut way = vec![];
        find(self, origin.id(), &mut way).then(|| Path::of(way))
    }

    /// The values that are tagged `!replace`, in the order in which they are written.
    pub(super) fn collect_tagged<'a>(&'a self, tagged: &mut Vec<&'a Self>) {
        if self.replaces {
            tagged.push(self);
        }
        match &self.value {
            Value::Map(entries) => entries.values().for_each(|tree| tree.collect_tagged(tagged)),
            Value::List(items) => items.iter().for_each(|tree| tree.collect_tagged(tagged)),
            _ => {}
        }
    }

    /// The value that positions lead to, from the top.
    pub(super) fn at(&self, steps: &[usize]) -> Option<&Self> {
        let Some((first, rest)) = steps.split_first() else { return Some(self) };
        match &self.value {
            Value::Map(entries) => entries.get_index(*first)?.1.at(rest),
            Value::List(items) => items.get(*first)?.at(rest),
            _ => None,
        }
    }

    /// The same, to change it.
    pub(super) fn at_mut(&mut self, steps: &[usize]) -> Option<&mut Self> {
        let Some((first, rest)) = steps.split_first() else { return Some(self) };
        match &mut self.value {
            Value::Map(entries) => entries.get_index_mut(*first)?.1.at_mut(rest),
            Value::List(items) => items.get_mut(*first)?.at_mut(rest),
            _ => None,
        }
    }

    /// Takes away what stands at a position of this value; the key that it had, if any.
    pub(super) fn take(&mut self, at: usize) -> Option<String> {
        match &mut self.value {
            Value::Map(entries) => entries.shift_remove_index(at).map(|(key, _)| key),
            Value::List(items) if at < items.len() => {
                items.remove(at);
                None
            }
            _ => None,
        }
    }
}

impl Value {
    /// What it is, in the words of a problem.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a yes or no",
            Self::Unsigned(_) | Self::Signed(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Any => "missing",
        }
    }

    /// It in one line: a plain value as YAML, a collection in a word.
    pub(super) fn brief(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Unsigned(value) => value.to_string(),
            Self::Signed(value) => value.to_string(),
            Self::Float(value) => yaml::scalar(value),
            Self::Text(text) => yaml::scalar(text),
            Self::List(items) if items.is_empty() => "[]".to_owned(),
            Self::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Self::List(_) | Self::Map(_) | Self::Any => self.kind().to_owned(),
        }
    }

    /// Whether it holds other values.
    pub(super) fn is_collection(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_))
    }

    /// Whether two plain values say the same. Collections never do.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Unsigned(a), Self::Unsigned(b)) => a == b,
            (Self::Signed(a), Self::Signed(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Self::Text(b)) => a == b,
            _ => false,
        }
    }
}
