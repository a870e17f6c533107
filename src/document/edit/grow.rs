//! New entries and items among those that are there.

use indexmap::IndexMap;

use super::{
    Change, Content, Path, Refusal,
    place::{Place, Under, Work},
    span::{Entry, Item, Shape},
    write::{Written, flow, flow_entry},
};
use crate::document::tree::Value;

impl<'t> Work<'t> {
    pub(super) fn insert(&mut self, path: &Path, at: usize, value: &Content) -> Result<Change, Refusal> {
        let (place, missing) = self.walk(path)?;
        match (&place.tree.value, &place.node.shape) {
            (Value::List(items), Shape::List { .. }) if missing.is_empty() => {
                let at = at.min(items.len());
                self.add_items(&place, at, &[value])?;
                Ok(Change::Insert { path: path.clone(), at, value: value.clone() })
            }
            (Value::Null, _) => self.set_at(path, &Content::List(vec![value.clone()])),
            _ if !missing.is_empty() => self.set_at(path, &Content::List(vec![value.clone()])),
            (other, _) => {
                let message = format!("`{path}` is {}, and takes no items", other.kind());
                Err(Refusal::new(path, message, "make it a list first"))
            }
        }
    }

    /// Puts entries into a map, each where the order has it among those that stay.
    pub(super) fn add_entries(
        &mut self,
        place: &Place<'t>,
        gone: &[bool],
        new: &IndexMap<&str, &Content>,
    ) -> Result<(), Refusal> {
        let Shape::Map { flow, entries } = &place.node.shape else { return Ok(()) };
        if new.is_empty() {
            return Ok(());
        }
        let stays = |at: &usize| !gone.get(*at).copied().unwrap_or_default();
        let staying: Vec<&Entry> = (0..entries.len()).filter(stays).map(|at| &entries[at]).collect();
        if staying.is_empty() {
            let all = new.iter().map(|(key, value)| ((*key).to_owned(), (*value).clone())).collect();
            return self.replace_or_put(place, &Content::Map(all));
        }
        let order = (self.order)(&place.path);
        let rank = |name: &str| order.iter().position(|known| known == name).unwrap_or(usize::MAX);
        let mut sorted: Vec<_> = new.iter().collect();
        sorted.sort_by_key(|(name, _)| rank(name));
        for (name, value) in sorted {
            let before = |entry: &&Entry| rank(&entry.name) <= rank(name);
            let last =
                staying.iter().copied().filter(before).max_by_key(|entry| (rank(&entry.name), entry.key.start()));
            match (flow, last) {
                (true, Some(last)) => self.add_flow(last.whole(), &flow_entry(name, value)),
                (true, None) => self.add_flow_first(staying[0].whole(), &flow_entry(name, value)),
                (false, last) => self.add_entry(staying.as_slice(), last, name, value),
            }
        }
        Ok(())
    }

    fn add_entry(&mut self, staying: &[&Entry], last: Option<&Entry>, name: &str, value: &Content) {
        let first = staying[0].key.start();
        let column = self.lines.column(first);
        let lines = Written::entry(name, value, column, self.lines.habit);
        let Some(last) = last else { return self.add_first(first, column, &lines) };
        let end = self.lines.extent(last.whole().end, column);
        // Where blank lines part what takes several lines, they part this as well.
        let parted = |entry: &&&Entry| entry.node.is_block() && self.lines.is_spaced(entry.key.start());
        let spaced = lines.len() > 1 && staying.iter().skip(1).any(|entry| parted(&entry));
        self.add_behind(end, spaced, &lines);
    }

    /// Puts items into a list, before the one at this place.
    pub(super) fn add_items(&mut self, place: &Place<'t>, at: usize, new: &[&Content]) -> Result<(), Refusal> {
        let Shape::List { flow: in_brackets, items } = &place.node.shape else { return Ok(()) };
        if new.is_empty() {
            return Ok(());
        }
        let Some(first) = items.first() else {
            return self.replace_or_put(place, &Content::List(new.iter().map(|value| (*value).clone()).collect()));
        };
        let before = at.checked_sub(1).and_then(|at| items.get(at));
        if *in_brackets {
            let written = new.iter().map(|value| flow(value)).collect::<Vec<_>>().join(", ");
            match before {
                Some(before) => self.add_flow(before.whole(), &written),
                None => self.add_flow_first(first.whole(), &written),
            }
            return Ok(());
        }
        let column = self.lines.column(first.dash);
        let parted = |item: &Item| self.lines.is_spaced(item.dash);
        let spaced = items.len() > 1 && items.iter().skip(1).all(parted);
        let written = new.iter().map(|value| Written::item(value, column, self.lines.habit));
        let lines: Vec<Vec<String>> = written.collect();
        match before {
            Some(before) => {
                let end = self.lines.extent(before.whole().end, column);
                lines.iter().for_each(|lines| self.add_behind(end, spaced, lines));
            }
            None => self.add_first(first.dash, column, &lines.concat()),
        }
        Ok(())
    }

    /// An empty collection gets its first contents: in its brackets, or written anew in lines.
    fn replace_or_put(&mut self, place: &Place<'t>, value: &Content) -> Result<(), Refusal> {
        match place.under {
            Under::Nothing => {
                let Content::Map(entries) = value else { return Ok(()) };
                let habit = self.lines.habit;
                let lines: Vec<String> =
                    entries.iter().flat_map(|(key, value)| Written::entry(key, value, 0, habit)).collect();
                let hung = self.lines.hung(&lines);
                self.lines.put(place.node.at.clone(), &hung[habit.newline.len()..]);
                Ok(())
            }
            _ => self.replace(place, value),
        }
    }

    fn add_behind(&mut self, end: usize, spaced: bool, lines: &[String]) {
        let blank = if spaced { self.lines.habit.newline } else { "" };
        let hung = format!("{blank}{}", self.lines.hung(lines));
        self.lines.put(end..end, hung);
    }

    /// Before the first entry or item, whose key or dash is at `first`.
    fn add_first(&mut self, first: usize, column: usize, lines: &[String]) {
        if self.lines.is_first(first) {
            let (lead, joined) = (self.lines.lead(first), self.lines.joined(lines));
            self.lines.put(lead..lead, joined);
        } else {
            // It stands behind a dash, and the new one takes its place there.
            let joined = self.lines.joined(lines);
            self.lines.put(first..first, format!("{}{}", joined.trim_start_matches(' '), " ".repeat(column)));
        }
    }

    /// Behind an element between brackets or braces: on a line of its own where the elements stand so.
    fn add_flow(&mut self, last: std::ops::Range<usize>, written: &str) {
        let line = self.lines.line_start(last.start);
        let alone = self.lines.is_first(last.start) && !self.lines.text[line..last.start].is_empty();
        let comma = self.lines.text[last.end..].starts_with(',');
        if alone && comma && self.lines.text[last.end + 1..self.lines.line_end(last.end)].trim().is_empty() {
            let indent = &self.lines.text[line..last.start];
            let put = format!("{}{indent}{written},", self.lines.habit.newline);
            self.lines.put(last.end + 1..last.end + 1, put);
            return;
        }
        self.lines.put(last.end..last.end, format!(", {written}"));
    }

    fn add_flow_first(&mut self, first: std::ops::Range<usize>, written: &str) {
        self.lines.put(first.start..first.start, format!("{written}, "));
    }
}
