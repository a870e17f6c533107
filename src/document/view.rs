//! A document's values, to look at: what each says, and where it is written.

use super::{
    Content, Document,
    tree::{Tree, Value},
    yaml,
};

/// A value of a document.
#[derive(Debug, Clone, Copy)]
pub struct View<'d>(&'d Tree);

impl Document {
    /// All that it says.
    pub fn view(&self) -> View<'_> {
        View(&self.tree)
    }
}

impl<'d> View<'d> {
    /// The value under a key of a map, or at a number of a list.
    pub fn get(self, step: &str) -> Option<Self> {
        match &self.0.value {
            Value::Map(entries) => entries.get(step).map(View),
            Value::List(items) => items.get(step.parse::<usize>().ok()?).map(View),
            _ => None,
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(self) -> impl Iterator<Item = Self> {
        self.0.items().iter().map(View)
    }

    /// The keys of a map with their values; none of anything else.
    pub fn entries(self) -> impl Iterator<Item = (&'d str, Self)> {
        self.0.map().into_iter().flatten().map(|(key, tree)| (key.as_str(), View(tree)))
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        matches!(self.0.value, Value::Null)
    }

    /// Whether it is a list.
    pub fn is_list(self) -> bool {
        matches!(self.0.value, Value::List(_))
    }

    /// Whether it is a map.
    pub fn is_map(self) -> bool {
        matches!(self.0.value, Value::Map(_))
    }

    /// A plain value as text: `debian`, `12`, `true`; nothing of a list or a map.
    pub fn text(self) -> Option<String> {
        match &self.0.value {
            Value::Text(text) => Some(text.clone()),
            Value::Null => Some(String::new()),
            value if value.is_collection() => None,
            value => Some(value.brief()),
        }
    }

    /// What it says.
    pub fn content(self) -> Content {
        content(self.0)
    }

    /// It as YAML.
    pub fn yaml(self) -> String {
        yaml::to_string(&self.content())
    }

    /// It on one line, as people would write it between brackets.
    pub fn brief(self) -> String {
        self.text().unwrap_or_else(|| super::edit::in_line(&self.content()))
    }

    /// Where it is written: line and column, from 1.
    pub fn place(self) -> (usize, usize) {
        yaml::place(&self.0.origin, false)
    }

    /// The file that it is written in.
    pub fn file(self) -> &'d str {
        &self.0.origin.source.path
    }
}

fn content(tree: &Tree) -> Content {
    match &tree.value {
        Value::Null | Value::Any => Content::Null,
        Value::Bool(value) => Content::Bool(*value),
        Value::Unsigned(value) => Content::Unsigned(*value),
        Value::Signed(value) => Content::Signed(*value),
        Value::Float(value) => Content::Float(*value),
        Value::Text(text) => Content::Text(text.clone()),
        Value::List(items) => Content::List(items.iter().map(content).collect()),
        Value::Map(entries) => Content::Map(entries.iter().map(|(key, tree)| (key.clone(), content(tree))).collect()),
    }
}
