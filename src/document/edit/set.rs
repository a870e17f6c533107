//! A value becomes another: in its own place, and in its own style where that can say it.

use indexmap::IndexMap;

use super::{
    Change, Content, Path, Refusal,
    model::{self, nested, number, says},
    place::{Place, Under, Work},
    scalar,
    span::{Shape, Style},
    write::{Written, flow},
};
use crate::document::tree::{Tree, Value};

impl<'t> Work<'t> {
    pub(super) fn set_at(&mut self, path: &Path, value: &Content) -> Result<Change, Refusal> {
        let (place, missing) = self.walk(path)?;
        let made = Change::Set { path: path.clone(), value: value.clone() };
        let Some((step, rest)) = missing.split_first() else {
            self.set(&place, value)?;
            return Ok(made);
        };
        let value = nested(rest, value);
        match (&place.tree.value, &place.node.shape) {
            (Value::Map(_), Shape::Map { .. }) => {
                let mut entries = IndexMap::new();
                entries.insert(step.as_str(), &value);
                self.add_entries(&place, &[], &entries)?;
            }
            (Value::List(items), Shape::List { .. }) if number(step) == Some(items.len()) => {
                self.add_items(&place, items.len(), &[&value])?;
            }
            (Value::Null, Shape::Scalar(_)) => self.replace(&place, &nested(missing, value_of(&made)))?,
            (Value::List(items), _) => {
                let message = format!("{} has {} items, and no `{step}`", model::shown(&place.path), items.len());
                return Err(Refusal::new(&place.path, message, "name one that is there, or the next"));
            }
            (other, _) => {
                let message = format!("{} is {}, and holds no `{step}`", model::shown(&place.path), other.kind());
                return Err(Refusal::new(&place.path, message, "make it a map first"));
            }
        }
        Ok(made)
    }

    /// The value becomes this; of collections, only what differs is written.
    pub(super) fn set(&mut self, place: &Place<'t>, value: &Content) -> Result<(), Refusal> {
        if says(place.tree, value) {
            return Ok(());
        }
        match (&place.tree.value, &place.node.shape, value) {
            (Value::Map(trees), Shape::Map { .. }, Content::Map(wanted))
                if !self.whole && trees.keys().any(|key| wanted.contains_key(key)) =>
            {
                self.set_entries(place, wanted)
            }
            (Value::List(trees), Shape::List { .. }, Content::List(wanted))
                if !self.whole && !trees.is_empty() && !wanted.is_empty() =>
            {
                self.set_items(place, trees, wanted)
            }
            _ if matches!(place.under, Under::Nothing) => {
                let message = "the document is a map, and stays one";
                Err(Refusal::new(&place.path, message, "change the text by hand"))
            }
            _ => self.replace(place, value),
        }
    }

    fn set_entries(&mut self, place: &Place<'t>, wanted: &IndexMap<String, Content>) -> Result<(), Refusal> {
        let Shape::Map { entries, .. } = &place.node.shape else { return Ok(()) };
        let gone: Vec<bool> = entries.iter().map(|entry| !wanted.contains_key(&entry.name)).collect();
        for entry in entries {
            if let (Some(value), Some(below)) = (wanted.get(&entry.name), place.below(&entry.name)) {
                if !says(below.tree, value) {
                    self.walk(&below.path)?;
                    self.set(&below, value)?;
                }
            }
        }
        let is_new = |name: &str| entries.iter().all(|entry| entry.name != name);
        let new = wanted.iter().filter(|(name, _)| is_new(name)).map(|(name, value)| (name.as_str(), value));
        self.add_entries(place, &gone, &new.collect())?;
        self.remove_some(place, &gone)
    }

    fn set_items(&mut self, place: &Place<'t>, trees: &[Tree], wanted: &[Content]) -> Result<(), Refusal> {
        let common = trees.len().min(wanted.len());
        let pairs = trees.iter().zip(wanted);
        let first = pairs.take_while(|(tree, value)| says(tree, value)).count();
        let pairs = trees.iter().rev().zip(wanted.iter().rev()).take(common - first);
        let last = pairs.take_while(|(tree, value)| says(tree, value)).count();
        let both = common - last;
        for (at, value) in wanted.iter().enumerate().take(both).skip(first) {
            if let Some(below) = place.below(&at.to_string()) {
                self.walk(&below.path)?;
                self.set(&below, value)?;
            }
        }
        let gone: Vec<bool> = (0..trees.len()).map(|at| at >= both && at < trees.len() - last).collect();
        let new: Vec<&Content> = wanted.iter().take(wanted.len() - last).skip(both).collect();
        self.add_items(place, both, &new)?;
        self.remove_some(place, &gone)
    }

    /// The whole value is written anew.
    pub(super) fn replace(&mut self, place: &Place<'t>, value: &Content) -> Result<(), Refusal> {
        self.may_go(&place.path, place.node)?;
        let like = match place.node.shape {
            Shape::Scalar(style) => style,
            _ => Style::Plain,
        };
        if place.flow {
            let written = match value {
                Content::List(_) | Content::Map(_) => flow(value),
                value => scalar::line(value, true, like),
            };
            self.put_line(place, &written);
            return Ok(());
        }
        let (in_list, column) = match place.under {
            Under::Dash(item) => (true, self.lines.column(item.dash)),
            Under::Key(entry) => (false, self.lines.column(entry.key.start())),
            Under::Nothing => return Ok(()),
        };
        let Written { head, body } = Written::of(value, column, in_list, self.lines.habit, like);
        let at = place.node.at.clone();
        let own_line = self.lines.line_start(at.start) > place.head();
        match place.node.shape {
            Shape::Scalar(Style::Block { header, .. }) => {
                let end = self.lines.line_end(header);
                let start = if head.is_empty() { self.blank_before(at.start) } else { at.start };
                self.lines.put(start..header, head);
                let hung = self.lines.hung(&body);
                self.lines.put(end..at.end.max(end), hung);
            }
            _ if place.node.is_block() && own_line => {
                // A comment behind the key stays there; the lines below go.
                let end = self.lines.line_end(place.head());
                if !head.is_empty() {
                    self.lines.put(place.head()..place.head(), format!(" {head}"));
                }
                let hung = self.lines.hung(&body);
                self.lines.put(end..self.lines.extent(at.end, column), hung);
            }
            _ if place.node.is_block() => {
                // Its first line stands behind a dash.
                let mut lines = body;
                match head.is_empty() {
                    true => lines[0] = lines[0].trim_start_matches(' ').to_owned(),
                    false => lines.insert(0, head),
                }
                let hung = self.lines.hung(&lines);
                let end = self.lines.extent(at.end, column);
                self.lines.put(at.start..end, &hung[self.lines.habit.newline.len()..]);
            }
            _ if body.is_empty() => self.put_line(place, &head),
            _ if own_line && head.is_empty() => {
                let hung = self.lines.hung(&body);
                self.lines.put(self.lines.line_start(at.start)..at.end, &hung[self.lines.habit.newline.len()..]);
            }
            _ => {
                if head.is_empty() && in_list && at.is_empty() {
                    // Behind a dash with nothing: `- ` and the first line, as people write it.
                    let first = body[0].trim_start_matches(' ').to_owned();
                    self.lines.put(place.head()..place.head(), format!(" {first}"));
                    let hung = self.lines.hung(&body[1..]);
                    let end = self.lines.line_end(at.end);
                    self.lines.put(end..end, hung);
                    return Ok(());
                }
                match head.is_empty() {
                    true => self.lines.put(self.blank_before(at.start)..at.end, ""),
                    false => self.put_line(place, &head),
                }
                let (end, hung) = (self.lines.line_end(at.end), self.lines.hung(&body));
                self.lines.put(end..end, hung);
            }
        }
        Ok(())
    }

    /// Writes what fits on the line in the place of a value that is no block.
    fn put_line(&mut self, place: &Place<'t>, written: &str) {
        let at = place.node.at.clone();
        let before = match place.under {
            _ if !at.is_empty() => "",
            Under::Key(entry) if entry.colon.is_none() => ": ",
            _ => " ",
        };
        self.lines.put(at, format!("{before}{written}"));
    }

    /// Where the blanks before a byte begin, on its line.
    fn blank_before(&self, at: usize) -> usize {
        self.lines.text[..at].trim_end_matches([' ', '\t']).len()
    }
}

fn value_of(change: &Change) -> &Content {
    match change {
        Change::Set { value, .. } => value,
        _ => &Content::Null,
    }
}
