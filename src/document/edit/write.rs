//! New values as they are written: in the file's own indentation, short lists of plain values in brackets, the rest in
//! lines.

use super::{
    Content, scalar,
    span::{Node, Shape, Spans, Style},
};

/// Longer lists of plain values stand in lines, and so do those with longer items.
const WIDEST: usize = 80;
const WIDEST_ITEM: usize = 40;

/// How a file is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habit {
    /// What ends a line.
    pub(super) newline: &'static str,
    /// How far a map stands in from the key above it.
    map: usize,
    /// How far dashes stand in from the key above them.
    list: usize,
}

impl Habit {
    /// The habit of a text, by what it does first; that of the samples where it does nothing.
    pub(super) fn of(text: &str, spans: &Spans) -> Self {
        let mut found = (None, None);
        look(text, &spans.top, &mut found);
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Self { newline, map: found.0.unwrap_or(2), list: found.1.unwrap_or(2) }
    }
}

fn look(text: &str, node: &Node, found: &mut (Option<usize>, Option<usize>)) {
    if found.0.is_some() && found.1.is_some() {
        return;
    }
    match &node.shape {
        Shape::Map { flow: false, entries } => {
            for entry in entries {
                let (outer, inner) = (column(text, entry.key.start()), column(text, entry.node.at.start));
                match &entry.node.shape {
                    Shape::Map { flow: false, .. } if inner > outer => drop(found.0.get_or_insert(inner - outer)),
                    Shape::List { flow: false, .. } if inner >= outer => drop(found.1.get_or_insert(inner - outer)),
                    _ => {}
                }
                look(text, &entry.node, found);
            }
        }
        Shape::List { flow: false, items } => items.iter().for_each(|item| look(text, &item.node, found)),
        _ => {}
    }
}

/// The column of a byte, in characters from 0.
pub(super) fn column(text: &str, at: usize) -> usize {
    text[..at].chars().rev().take_while(|c| *c != '\n').count()
}

/// A value as it is written behind a key or a dash.
#[derive(Debug)]
pub(super) struct Written {
    /// What stands behind the key or the dash; nothing when all of it is in lines of its own.
    pub(super) head: String,
    /// The lines below.
    pub(super) body: Vec<String>,
}

impl Written {
    /// The value of a key, or of a dash, in this column. A text is written as `like` was, if it can be.
    pub(super) fn of(value: &Content, column: usize, in_list: bool, habit: Habit, like: Style) -> Self {
        match value {
            Content::Text(text) if text.contains('\n') && !matches!(like, Style::Single | Style::Double) => {
                let step = match like {
                    Style::Block { column: old, .. } if old > column => old - column,
                    _ => habit.map.clamp(1, 9),
                };
                match scalar::literal(text) {
                    // The one number that a header may hold is how far its text stands in: one digit.
                    Some((header, lines)) if step <= 9 || !header.contains('2') => Self {
                        head: header.replace('2', &step.to_string()),
                        body: lines.iter().map(|line| indented(line, column + step)).collect(),
                    },
                    _ => Self::line(scalar::line(value, false, Style::Double)),
                }
            }
            Content::List(items) if !items.is_empty() && !is_short(items) => {
                let column = if in_list { column + 2 } else { column + habit.list };
                Self {
                    head: String::new(),
                    body: items.iter().flat_map(|item| Self::item(item, column, habit)).collect(),
                }
            }
            Content::Map(entries) if !entries.is_empty() => {
                let column = if in_list { column + 2 } else { column + habit.map };
                let lines = entries.iter().flat_map(|(key, value)| Self::entry(key, value, column, habit));
                Self { head: String::new(), body: lines.collect() }
            }
            Content::List(_) => Self::line(flow(value)),
            _ => Self::line(scalar::line(value, false, like)),
        }
    }

    fn line(head: String) -> Self {
        Self { head, body: vec![] }
    }

    /// The lines of an item whose dash stands in this column.
    pub(super) fn item(value: &Content, column: usize, habit: Habit) -> Vec<String> {
        let Self { head, mut body } = Self::of(value, column, true, habit, Style::Plain);
        if head.is_empty() && !body.is_empty() {
            // The first line of a map or a list stands behind the dash.
            body[0] = indented(&format!("- {}", body[0].trim_start_matches(' ')), column);
            return body;
        }
        body.insert(0, indented(&format!("- {head}"), column));
        body
    }

    /// The lines of an entry whose key stands in this column.
    pub(super) fn entry(key: &str, value: &Content, column: usize, habit: Habit) -> Vec<String> {
        let Self { head, mut body } = Self::of(value, column, false, habit, Style::Plain);
        let space = if head.is_empty() { "" } else { " " };
        let key = scalar::text(key, false, Style::Plain);
        body.insert(0, indented(&format!("{key}:{space}{head}"), column));
        body
    }
}

fn indented(line: &str, column: usize) -> String {
    if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(column)) }
}

/// Whether a list is written in brackets.
fn is_short(items: &[Content]) -> bool {
    let width = |item: &Content| match item {
        Content::List(_) | Content::Map(_) => None,
        Content::Text(text) if text.contains('\n') => None,
        item => Some(scalar::line(item, true, Style::Plain).chars().count()).filter(|width| *width <= WIDEST_ITEM),
    };
    items.iter().try_fold(0, |sum, item| Some(sum + width(item)? + 2)).is_some_and(|sum| sum <= WIDEST)
}

/// A value in brackets and braces, on one line.
pub(in crate::document) fn flow(value: &Content) -> String {
    match value {
        Content::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Content::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| flow_entry(key, value));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        value => scalar::line(value, true, Style::Plain),
    }
}

/// An entry between braces.
pub(super) fn flow_entry(key: &str, value: &Content) -> String {
    format!("{}: {}", scalar::text(key, true, Style::Plain), flow(value))
}
