//! Where in a document one is, told by indentation, dashes and brackets alone.
//!
//! ```text
//!   security:              security
//!     users:               security.users
//!       - name: dev        security.users.0.name
//!         groups: [adm, |  a value of security.users.0.groups
//!         |                a key of security.users.0
//! ```

use std::ops::Range;

/// Where one is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Context {
    /// The steps to the map whose key, or to the field whose value, is wanted. Every item of a list is its first.
    pub(super) path: Vec<String>,
    pub(super) wanted: Wanted,
    /// The bytes of the word around the place.
    pub(super) word: Range<usize>,
}

/// What may be written there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A key, in this column; between braces, in none.
    Key {
        column: Option<usize>,
        present: Vec<String>,
        has_colon: bool,
    },
    Value,
}

/// A step on the way, and the column of its key or dash.
#[derive(Debug, Clone)]
struct Step {
    column: usize,
    /// The key; nothing for a dash.
    key: Option<String>,
}

/// A line as its signs tell it.
struct Line<'t> {
    /// The columns of its dashes.
    dashes: Vec<usize>,
    /// The column behind indentation and dashes.
    column: usize,
    /// The key, and what stands behind its colon: how many bytes into the line that begins.
    key: Option<(&'t str, usize)>,
    /// What stands behind indentation and dashes.
    rest: &'t str,
}

impl<'t> Line<'t> {
    fn of(text: &'t str) -> Self {
        let (mut at, mut dashes) = (spaces(text), vec![]);
        while let Some(rest) = text[at..].strip_prefix('-') {
            if !rest.is_empty() && !rest.starts_with(' ') {
                break;
            }
            dashes.push(at);
            at += 1 + spaces(rest);
        }
        let rest = &text[at..];
        Self { dashes, column: at, key: key(rest).map(|(key, end)| (key, at + end)), rest }
    }

    fn says_nothing(&self) -> bool {
        self.dashes.is_empty() && (self.rest.trim().is_empty() || self.rest.starts_with('#'))
    }

    /// Whether the lines below that stand further in are text.
    fn begins_text(&self, line: &str) -> bool {
        let value = self.key.map_or(self.rest, |(_, end)| &line[end..]);
        let header = value.trim().split([' ', '#']).next().unwrap_or_default();
        let signs = header.strip_prefix(['|', '>']);
        signs.is_some_and(|signs| signs.len() <= 2 && signs.chars().all(|c| c.is_ascii_digit() || "+-".contains(c)))
    }
}

fn spaces(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

/// The key that a text begins with, and where what is behind its colon begins.
fn key(text: &str) -> Option<(&str, usize)> {
    if let Some(quote @ ('"' | '\'')) = text.chars().next() {
        let end = 1 + text[1..].find(quote)?;
        let rest = text[end + 1..].strip_prefix(':')?;
        return (rest.is_empty() || rest.starts_with(' ')).then_some((&text[1..end], end + 2));
    }
    if text.starts_with(['[', '{', '#', '|', '>', '&', '*', '!']) {
        return None;
    }
    match text.find(": ") {
        Some(end) => Some((&text[..end], end + 1)),
        None => text.strip_suffix(':').map(|key| (key, text.len())),
    }
}

impl Context {
    /// Where byte `at` is; nothing in comments and in long texts.
    pub(super) fn of(text: &str, at: usize) -> Option<Self> {
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let mut way: Vec<Step> = vec![];
        let mut text_below = None;
        for line in text[..start].lines() {
            let parsed = Line::of(line);
            let inside = |column: usize| line.trim().is_empty() || spaces(line) > column;
            if text_below.is_some_and(inside) {
                continue;
            }
            text_below = None;
            if parsed.says_nothing() {
                continue;
            }
            step(&mut way, &parsed);
            if parsed.begins_text(line) {
                text_below = way.last().map(|step| step.column);
            }
        }
        let line = &text[start..at];
        if text_below.is_some_and(|column| line.trim().is_empty() && at - start > column || spaces(line) > column) {
            return None;
        }
        let parsed = Line::of(line);
        if parsed.rest.starts_with('#') || parsed.rest.contains(" #") {
            return None;
        }
        let word = |typed: usize| {
            let more = text[at..].find(|c: char| !(c.is_alphanumeric() || "_-./".contains(c)));
            at - typed..at + more.unwrap_or(text.len() - at)
        };
        step(&mut way, &parsed);
        let mut path: Vec<String> = way.iter().map(|step| step.key.clone().unwrap_or_else(|| "0".to_owned())).collect();
        if let Some((_, end)) = parsed.key {
            let value = line[end..].trim_start();
            return Some(in_value(path, value, word));
        }
        if parsed.rest.starts_with(['[', '{']) {
            return Some(in_value(path, parsed.rest, word));
        }
        // An item may be a value, or begin a map: who asks the schema knows.
        let column = parsed.column;
        let word = word(parsed.rest.len());
        let has_colon = text[word.end..].starts_with(':');
        let present = siblings(text, start, column, !parsed.dashes.is_empty());
        if !parsed.dashes.is_empty() && is_list_of_plain(&path) {
            path.pop();
            return Some(Self { path, wanted: Wanted::Value, word });
        }
        Some(Self { path, wanted: Wanted::Key { column: Some(column), present, has_colon }, word })
    }
}

/// Whether the item at the end of a path holds no fields.
fn is_list_of_plain(path: &[String]) -> bool {
    let top = crate::persona::form::Shape::of_persona();
    let shape = path.iter().try_fold(top, |shape, step| shape.below(step));
    shape.is_some_and(|shape| !shape.is_group() && shape.long.is_none())
}

/// The way goes on to what a line says, and back from what it has left.
fn step(way: &mut Vec<Step>, line: &Line<'_>) {
    for dash in &line.dashes {
        while way.last().is_some_and(|last| last.column > *dash || (last.column == *dash && last.key.is_none())) {
            way.pop();
        }
        way.push(Step { column: *dash, key: None });
    }
    let least = line.dashes.last().map_or(0, |dash| dash + 1);
    while way.last().is_some_and(|last| last.column >= line.column && last.column >= least) {
        way.pop();
    }
    if let Some((key, _)) = line.key {
        way.push(Step { column: line.column, key: Some(key.to_owned()) });
    }
}

/// Behind a colon, or in brackets: what is open there.
fn in_value(mut path: Vec<String>, value: &str, word: impl Fn(usize) -> Range<usize>) -> Context {
    let mut open: Vec<(char, Vec<String>, bool)> = vec![];
    let (mut quote, mut begin) = (None, 0);
    for (at, c) in value.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if value[begin..at].trim().is_empty() => quote = Some(c),
            (None, '[' | '{') => {
                if matches!(open.last(), Some(('[', ..))) {
                    path.push("0".to_owned());
                }
                open.push((c, vec![], false));
                begin = at + 1;
            }
            (None, ']' | '}') => {
                if let Some((_, _, true)) = open.pop() {
                    path.pop();
                }
                if matches!(open.last(), Some(('[', ..))) {
                    path.pop();
                }
                begin = at + 1;
            }
            (None, ',') => {
                if let Some((_, _, in_value)) = open.last_mut()
                    && std::mem::take(in_value)
                {
                    path.pop();
                }
                begin = at + 1;
            }
            (None, ':') if value[at + 1..].starts_with(' ') || value.len() == at + 1 => {
                if let Some(('{', keys, in_value @ false)) = open.last_mut() {
                    let key = value[begin..at].trim().trim_matches(['"', '\'']).to_owned();
                    keys.push(key.clone());
                    path.push(key);
                    *in_value = true;
                    begin = at + 1;
                }
            }
            _ => {}
        }
    }
    let word = word(value[begin..].trim_start().len());
    match open.pop() {
        Some(('{', present, false)) => {
            Context { path, wanted: Wanted::Key { column: None, present, has_colon: false }, word }
        }
        _ => Context { path, wanted: Wanted::Value, word },
    }
}

/// The keys beside the one in this column of the line that begins at `start`.
fn siblings(text: &str, start: usize, column: usize, begins_item: bool) -> Vec<String> {
    let mut found = vec![];
    if !begins_item {
        for line in text[..start].lines().rev() {
            let parsed = Line::of(line);
            if parsed.says_nothing() || parsed.column > column {
                continue;
            }
            if parsed.column < column {
                break;
            }
            found.extend(parsed.key.map(|(key, _)| key.to_owned()));
            if parsed.dashes.last().is_some_and(|dash| *dash < column) {
                break;
            }
        }
    }
    for line in text[start..].lines().skip(1) {
        let parsed = Line::of(line);
        let first = parsed.dashes.first().copied().unwrap_or(parsed.column);
        if parsed.says_nothing() || first > column {
            continue;
        }
        if first < column {
            break;
        }
        if parsed.dashes.is_empty() {
            found.extend(parsed.key.map(|(key, _)| key.to_owned()));
        }
    }
    found
}
