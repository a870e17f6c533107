//! A document written out with the place of every value behind it.

use serde::Serialize;

use super::{
    Document,
    tree::{Tree, Value},
    yaml,
};

/// Behind longer lines the place follows at once, so that one long value does not push all places off the screen.
const WIDEST: usize = 72;

/// A plain value, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// The way to it: `apps.packages.0`.
    pub path: String,
    /// It, as YAML.
    pub value: String,
    /// The file that holds it.
    pub file: String,
    /// Its line there, from 1.
    pub line: usize,
}

impl Document {
    /// Every value, in order, with where it is written: `shorten` makes of a source's path what is shown.
    pub fn origins(&self, shorten: impl Fn(&str) -> String) -> Vec<Written> {
        let mut found = vec![];
        collect(&self.tree, String::new(), &mut found);
        let written = found.into_iter().map(|(path, tree)| Written {
            path,
            value: tree.value.brief(),
            file: shorten(&tree.origin.source.path),
            line: yaml::place(&tree.origin, false).0,
        });
        written.collect()
    }

    /// The document as YAML, each value with a comment that says where it is written: `shorten` makes of a source's path
    /// what is shown.
    pub fn with_origins(&self, shorten: impl Fn(&str) -> String) -> String {
        let mut lines = vec![];
        write(&self.tree, 0, "", &mut lines);
        let width = |text: &str| text.chars().count();
        let column = lines.iter().map(|(text, _)| width(text)).filter(|width| *width <= WIDEST).max().unwrap_or(0);
        let written = lines.into_iter().map(|(text, tree)| match tree {
            None => format!("{text}\n"),
            Some(tree) => {
                let line = yaml::place(&tree.origin, false).0;
                let gap = column.saturating_sub(width(&text)) + 2;
                format!("{text}{}# {}:{line}\n", " ".repeat(gap), shorten(&tree.origin.source.path))
            }
        });
        written.collect()
    }
}

fn collect<'a>(tree: &'a Tree, path: String, found: &mut Vec<(String, &'a Tree)>) {
    let below =
        |step: &dyn std::fmt::Display| if path.is_empty() { step.to_string() } else { format!("{path}.{step}") };
    match &tree.value {
        Value::Map(entries) if !entries.is_empty() => {
            entries.iter().for_each(|(key, value)| collect(value, below(key), found));
        }
        Value::List(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(at, item)| collect(item, below(&at), found));
        }
        _ => found.push((path, tree)),
    }
}

/// Writes a value behind `start`, which is a key, or the dash of an item, or nothing.
fn write<'a>(tree: &'a Tree, depth: usize, start: &str, lines: &mut Vec<(String, Option<&'a Tree>)>) {
    let space = if start.is_empty() || start.ends_with("- ") { "" } else { " " };
    match &tree.value {
        Value::Map(entries) if !entries.is_empty() => {
            let depth = begin(depth, start, lines);
            for (at, (key, value)) in entries.iter().enumerate() {
                // The first key of an item stands behind its dash.
                let indent = match at {
                    0 if start.ends_with("- ") => start.to_owned(),
                    _ => "  ".repeat(depth),
                };
                write(value, depth, &format!("{indent}{}:", yaml::scalar(key)), lines);
            }
        }
        Value::List(items) if !items.is_empty() => {
            let depth = begin(depth, start, lines);
            for (at, item) in items.iter().enumerate() {
                let indent = match at {
                    0 if start.ends_with("- ") => start.to_owned(),
                    _ => "  ".repeat(depth),
                };
                write(item, depth, &format!("{indent}- "), lines);
            }
        }
        plain => lines.push((format!("{start}{space}{}", plain.brief()), Some(tree))),
    }
}

/// The line of a key whose values follow; the depth of those.
fn begin(depth: usize, start: &str, lines: &mut Vec<(String, Option<&Tree>)>) -> usize {
    match start {
        "" => depth,
        _ if start.ends_with("- ") => depth + 1,
        _ => {
            lines.push((start.to_owned(), None));
            depth + 1
        }
    }
}
