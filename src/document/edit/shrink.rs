//! What goes, and the comments that go with it.

use std::ops::Range;

use super::{
    Change, Path, Refusal, model,
    place::{Place, Under, Work},
    span::{Entry, Item, Node, Shape},
};

/// A key or a dash, the end of what hangs on it, and the value.
struct Part<'t> {
    whole: Range<usize>,
    key: Option<&'t Node>,
    node: &'t Node,
}

impl<'t> Work<'t> {
    pub(super) fn remove(&mut self, path: &Path) -> Result<Change, Refusal> {
        let (mut path, mut place) = (path.clone(), None);
        while let Some((above, last)) = path.split() {
            let parent = self.reach(&above)?;
            let Some(below) = parent.below(last) else {
                let message = format!("{} is not there", model::shown(&path));
                return Err(Refusal::new(&above, message, "it was changed meanwhile: look again"));
            };
            let alone = parts(parent.node).len() == 1;
            let goes = alone && matches!(parent.under, Under::Key(_)) && parent.node.properties.is_none();
            if goes && !self.holds_more(&parent, &below) {
                path = above;
                continue;
            }
            place = Some((parent, below));
            break;
        }
        let Some((parent, below)) = place else {
            return Err(Refusal::new(&path, "the document itself stays", "delete its file"));
        };
        let gone: Vec<bool> = parts(parent.node).iter().map(|part| std::ptr::eq(part.node, below.node)).collect();
        match gone.len() {
            1 => self.empty(&parent)?,
            _ => self.remove_some(&parent, &gone)?,
        }
        Ok(Change::Remove { path })
    }

    /// Whether a collection holds comments that are not of its one value.
    fn holds_more(&self, parent: &Place<'t>, below: &Place<'t>) -> bool {
        let (within, spans) =
            (parent.under.start()..self.lines.extent(parent.node.end(), self.column_of(parent)), self.lines.spans);
        if parent.flow || !parent.node.is_block() {
            return spans.has_comment(parent.node.at.clone());
        }
        let lead = self.lines.lead(below.under.start()).max(within.start);
        let end = self.lines.extent(below.node.end().max(below.head()), self.column_of(below));
        let head = self.lines.line_end(parent.head());
        // Those above its line and behind its key are of the key that goes.
        spans.has_comment(head.min(lead)..lead) || spans.has_comment(end..within.end)
    }

    fn column_of(&self, place: &Place<'t>) -> usize {
        self.lines.column(place.under.start())
    }

    /// The one entry or item of a collection goes, and `{}` or `[]` stays.
    fn empty(&mut self, parent: &Place<'t>) -> Result<(), Refusal> {
        self.may_go(&parent.path, parent.node)?;
        let nothing = if matches!(parent.node.shape, Shape::List { .. }) { "[]" } else { "{}" };
        let Some(part) = parts(parent.node).into_iter().next() else { return Ok(()) };
        let at = parent.node.at.clone();
        if !parent.node.is_block() {
            self.lines.put(at, nothing);
            return Ok(());
        }
        let column = self.lines.column(part.whole.start);
        let end = self.lines.extent(part.whole.end, column);
        if !self.lines.is_first(at.start) {
            self.lines.put(at.start..end, nothing);
        } else if matches!(parent.under, Under::Nothing) {
            self.lines.put(self.lines.lead(at.start)..end, nothing);
        } else {
            let head = parent.head();
            self.lines.put(head..head, format!(" {nothing}"));
            let (lead, next) = (self.lines.lead(at.start), self.lines.next_line(end));
            self.lines.put(lead..next, "");
        }
        Ok(())
    }

    /// Some of the entries or items of a collection go; others stay.
    pub(super) fn remove_some(&mut self, parent: &Place<'t>, gone: &[bool]) -> Result<(), Refusal> {
        let parts = parts(parent.node);
        for (part, _) in parts.iter().zip(gone).filter(|(_, gone)| **gone) {
            self.may_go(&parent.path, part.node)?;
            part.key.map_or(Ok(()), |key| self.may_go(&parent.path, key))?;
        }
        let mut at = 0;
        while at < parts.len() {
            if !gone.get(at).copied().unwrap_or_default() {
                at += 1;
                continue;
            }
            let mut last = at;
            while gone.get(last + 1).copied().unwrap_or_default() {
                last += 1;
            }
            let cut = match parent.node.is_block() {
                true => self.block_run(&parts, at, last),
                false => flow_run(&parts, at, last),
            };
            self.lines.put(cut, "");
            at = last + 1;
        }
        Ok(())
    }

    fn block_run(&self, parts: &[Part<'t>], first: usize, last: usize) -> Range<usize> {
        let start = parts[first].whole.start;
        let column = self.lines.column(start);
        let end = self.lines.extent(parts[last].whole.end, column);
        if self.lines.is_first(start) {
            return self.lines.cut(self.lines.lead(start), end);
        }
        // It stands behind a dash, where the next one moves up, unless that has comments above it.
        match parts.get(last + 1) {
            Some(next) if !self.lines.spans.has_comment(end..next.whole.start) => start..next.whole.start,
            _ => self.lines.text[..start].trim_end_matches(' ').len()..end,
        }
    }
}

fn flow_run(parts: &[Part<'_>], first: usize, last: usize) -> Range<usize> {
    match (parts.get(last + 1), first.checked_sub(1)) {
        (Some(next), _) => parts[first].whole.start..next.whole.start,
        (None, Some(before)) => parts[before].whole.end..parts[last].whole.end,
        (None, None) => parts[first].whole.start..parts[last].whole.end,
    }
}

fn parts(node: &Node) -> Vec<Part<'_>> {
    let entry = |entry: &Entry| entry.whole();
    let item = |item: &Item| item.whole();
    match &node.shape {
        Shape::Map { entries, .. } => {
            entries.iter().map(|one| Part { whole: entry(one), key: Some(&one.key), node: &one.node }).collect()
        }
        Shape::List { items, .. } => {
            items.iter().map(|one| Part { whole: item(one), key: None, node: &one.node }).collect()
        }
        _ => vec![],
    }
}
