//! What a change makes of the values: the text that comes of an edit must say the same.

use indexmap::{IndexMap, map::Entry};

use super::{Change, Content, Path};
use crate::document::tree::{Origin, Tree, Value};

/// Makes a change. Nothing when the path does not lead where it must.
pub(super) fn apply(tree: &mut Tree, change: &Change) -> Option<()> {
    match change {
        Change::Set { path, value } => set(tree, path.steps(), value),
        Change::Remove { path } => {
            let (above, last) = path.split()?;
            match &mut at(tree, above.steps())?.value {
                Value::Map(entries) => drop(entries.shift_remove(last)?),
                Value::List(items) => drop(items.remove(number(last).filter(|at| *at < items.len())?)),
                _ => return None,
            }
            Some(())
        }
        Change::Insert { path, at: place, value } => {
            let list = at(tree, path.steps())?;
            let item = made(value, &list.origin.clone());
            let Value::List(items) = &mut list.value else { return None };
            items.insert((*place).min(items.len()), item);
            Some(())
        }
        Change::Move { path, from, to } => {
            let Value::List(items) = &mut at(tree, path.steps())?.value else { return None };
            if *from >= items.len() || *to >= items.len() {
                return None;
            }
            let item = items.remove(*from);
            items.insert(*to, item);
            Some(())
        }
        Change::Rename { path, to } => {
            let (above, last) = path.split()?;
            let Value::Map(entries) = &mut at(tree, above.steps())?.value else { return None };
            let (place, _, value) = entries.shift_remove_full(last)?;
            match entries.entry(to.clone()) {
                Entry::Occupied(_) => return None,
                Entry::Vacant(entry) => drop(entry.shift_insert(place, value)),
            }
            Some(())
        }
    }
}

fn at<'t>(tree: &'t mut Tree, steps: &[String]) -> Option<&'t mut Tree> {
    let Some((step, rest)) = steps.split_first() else { return Some(tree) };
    match &mut tree.value {
        Value::Map(entries) => at(entries.get_mut(step)?, rest),
        Value::List(items) => at(items.get_mut(number(step)?)?, rest),
        _ => None,
    }
}

/// The number that a step is.
pub(super) fn number(step: &str) -> Option<usize> {
    step.parse().ok().filter(|at: &usize| at.to_string() == step)
}

/// A value with the keys around it that are missing on the way to it: a `0` makes a list.
pub(super) fn nested(steps: &[String], value: &Content) -> Content {
    steps.iter().rev().fold(value.clone(), |value, step| match step.as_str() {
        "0" => Content::List(vec![value]),
        key => Content::Map(IndexMap::from([(key.to_owned(), value)])),
    })
}

fn set(tree: &mut Tree, steps: &[String], value: &Content) -> Option<()> {
    let origin = tree.origin.clone();
    let Some((step, rest)) = steps.split_first() else {
        tree.value = made(value, &origin).value;
        return Some(());
    };
    match &mut tree.value {
        Value::Map(entries) => match entries.get_mut(step) {
            Some(below) => return set(below, rest, value),
            None => drop(entries.insert(step.clone(), made(&nested(rest, value), &origin))),
        },
        Value::List(items) => {
            let (place, count) = (number(step)?, items.len());
            match items.get_mut(place) {
                Some(below) => return set(below, rest, value),
                None if place == count => items.push(made(&nested(rest, value), &origin)),
                None => return None,
            }
        }
        Value::Null => tree.value = made(&nested(steps, value), &origin).value,
        _ => return None,
    }
    Some(())
}

/// A value that no source holds yet: its origin is that of the value around it.
fn made(content: &Content, origin: &Origin) -> Tree {
    let value = match content {
        Content::Null => Value::Null,
        Content::Bool(value) => Value::Bool(*value),
        Content::Unsigned(value) => Value::Unsigned(*value),
        Content::Signed(value) => u64::try_from(*value).map_or(Value::Signed(*value), Value::Unsigned),
        Content::Float(value) => Value::Float(*value),
        Content::Text(text) => Value::Text(text.clone()),
        Content::List(items) => Value::List(items.iter().map(|item| made(item, origin)).collect()),
        Content::Map(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (key.clone(), made(value, origin))).collect())
        }
    };
    Tree { value, origin: origin.clone(), replaces: false }
}

/// Whether a tree says this.
pub(super) fn says(tree: &Tree, content: &Content) -> bool {
    same(tree, &Tree { replaces: tree.replaces, ..made(content, &tree.origin) }, false)
}

/// Whether two trees say the same; with `tags`, whether they replace what is inherited counts as well.
pub(super) fn same(one: &Tree, other: &Tree, tags: bool) -> bool {
    (!tags || one.replaces == other.replaces)
        && match (&one.value, &other.value) {
            (Value::List(items), Value::List(others)) => {
                items.len() == others.len() && items.iter().zip(others).all(|(one, other)| same(one, other, tags))
            }
            (Value::Map(entries), Value::Map(others)) => {
                entries.len() == others.len()
                    && entries.iter().all(|(key, one)| others.get(key).is_some_and(|other| same(one, other, tags)))
            }
            (one, other) => one.same(other),
        }
}

/// The way to a value, as far as there is one: for what is said of a path that leads nowhere.
pub(super) fn shown(path: &Path) -> String {
    if path.steps().is_empty() { "the document".to_owned() } else { format!("`{path}`") }
}
