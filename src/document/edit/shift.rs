//! What keeps its text and gets another place, or another key.

use std::ops::Range;

use super::{
    Change, Path, Refusal, model,
    place::{Under, Work},
    scalar,
    span::{Shape, Style},
};

impl Work<'_> {
    /// An item goes to another place in its list: the items between move up or down by one, each with its comments.
    pub(super) fn shift(&mut self, path: &Path, from: usize, to: usize) -> Result<Change, Refusal> {
        let list = self.reach(path)?;
        let Shape::List { flow, items } = &list.node.shape else {
            let message = format!("{} is no list", model::shown(path));
            return Err(Refusal::new(path, message, "only the items of lists have an order"));
        };
        if from.max(to) >= items.len() {
            let message = format!("{} has {} items", model::shown(path), items.len());
            return Err(Refusal::new(path, message, "it was changed meanwhile: look again"));
        }
        // An alias that came to stand before its anchor would mean nothing.
        self.may_go(path, list.node)?;
        let column = items.first().map_or(0, |item| self.lines.column(item.dash));
        let alone = items.iter().all(|item| self.lines.is_first(item.dash));
        let pieces: Vec<Range<usize>> = items
            .iter()
            .map(|item| match flow {
                true => item.whole(),
                false => {
                    let start = if alone { self.lines.lead(item.dash) } else { item.dash };
                    start..self.lines.extent(item.whole().end, column)
                }
            })
            .collect();
        let (first, last) = (from.min(to), from.max(to));
        let mut order: Vec<usize> = (first..=last).collect();
        let moved = order.remove(from - first);
        order.insert(to - first, moved);
        for (piece, other) in (first..=last).zip(order) {
            if piece != other {
                let text = &self.lines.text[pieces[other].clone()];
                self.lines.put(pieces[piece].clone(), text);
            }
        }
        Ok(Change::Move { path: path.clone(), from, to })
    }

    pub(super) fn rename(&mut self, path: &Path, to: &str) -> Result<Change, Refusal> {
        let Some((above, last)) = path.split() else {
            return Err(Refusal::new(path, "the document has no key", "rename its file"));
        };
        let map = self.reach(&above)?;
        let Shape::Map { flow, entries } = &map.node.shape else {
            return Err(Refusal::new(path, format!("`{path}` has no key"), "only what stands in a map has one"));
        };
        let Some(place) = map.below(last) else {
            let message = format!("{} is not there", model::shown(path));
            return Err(Refusal::new(&above, message, "it was changed meanwhile: look again"));
        };
        if entries.iter().any(|entry| entry.name == to && entry.name != *last) {
            return Err(Refusal::new(path, format!("`{to}` is there already"), "choose another key"));
        }
        if to.contains('\n') || to.len() > LONGEST_KEY {
            return Err(Refusal::new(path, "a key is one line, and not a long one", "choose another key"));
        }
        let Under::Key(entry) = place.under else {
            return Ok(Change::Rename { path: path.clone(), to: to.to_owned() });
        };
        let like = match entry.key.shape {
            Shape::Scalar(style) => style,
            _ => Style::Plain,
        };
        if entry.name != to {
            self.lines.put(entry.key.at.clone(), scalar::text(to, *flow, like));
        }
        Ok(Change::Rename { path: path.clone(), to: to.to_owned() })
    }
}

/// Readers of YAML give up on longer keys.
const LONGEST_KEY: usize = 1000;
