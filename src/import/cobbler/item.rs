//! Inheritance: a profile, its parents, and what holds of them together.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{super::folder::Object, inherits};

/// How long a chain of parents may be.
const LONGEST: usize = 64;

/// An object and its parents, the nearest first.
#[derive(Debug)]
pub(super) struct Chain<'a>(Vec<&'a Object<'a>>);

impl<'a> Chain<'a> {
    /// The chain of a profile. The error says which parent closes a circle or is missing.
    pub(super) fn of(object: &'a Object<'a>, by_name: &BTreeMap<String, &'a Object<'a>>) -> Result<Self, String> {
        let mut chain: Vec<&Object<'_>> = vec![object];
        while let Some(parent) = chain.last().and_then(|last| last.text("parent")) {
            // In 2.x and some 3.x a profile without a parent names its distro here.
            let Some(next) = by_name.get(parent).copied() else {
                let own = chain.last().and_then(|last| last.text("distro"));
                return match own {
                    Some(_) => Ok(Self(chain)),
                    None => Err(format!("its parent {parent} is not there")),
                };
            };
            if chain.iter().any(|seen| seen.path == next.path) || chain.len() >= LONGEST {
                return Err(format!("it inherits from itself, by way of {parent}"));
            }
            chain.push(next);
        }
        Ok(Self(chain))
    }

    /// A value that holds: the nearest one that does not say "inherit". The names are those of 3.x and of 2.x.
    pub(super) fn value(&self, names: &[&str]) -> Option<(&'a Object<'a>, &'a Value)> {
        self.0.iter().find_map(|object| {
            let value = names.iter().find_map(|name| object.map.get(*name))?;
            (!inherits(value)).then_some((*object, value))
        })
    }

    /// A text that holds and is not empty.
    pub(super) fn text(&self, names: &[&str]) -> Option<(&'a Object<'a>, &'a str)> {
        self.value(names).and_then(|(object, value)| Some((object, value.as_str().filter(|text| !text.is_empty())?)))
    }

    /// Options that are blended: those of parents hold, but for what a child says, or takes away with `!name`.
    pub(super) fn options(&self, names: &[&str]) -> Options {
        let mut blended = Options::new();
        for object in self.0.iter().rev() {
            blend(&mut blended, names.iter().find_map(|name| object.map.get(*name)));
        }
        blended
    }
}

/// Options by name: their values, or none for a bare word.
pub(super) type Options = BTreeMap<String, Vec<String>>;

/// Blends more options in, in any of the forms that Cobbler keeps: a map, or a text of words.
pub(super) fn blend(options: &mut Options, more: Option<&Value>) {
    let mut put = |name: &str, values: Vec<String>| match name.strip_prefix('!') {
        Some(gone) => drop(options.remove(gone)),
        None => drop(options.insert(name.to_owned(), values)),
    };
    let text = |value: &Value| match value {
        Value::String(text) if text != "~" => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(on.to_string()),
        _ => None,
    };
    match more {
        Some(Value::Object(map)) => {
            for (name, value) in map {
                match value {
                    Value::Array(items) => put(name, items.iter().filter_map(text).collect()),
                    other => put(name, text(other).into_iter().collect()),
                }
            }
        }
        Some(Value::String(words)) if words != "<<inherit>>" => {
            for word in words.split_whitespace() {
                let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
                put(name, value.map(str::to_owned).into_iter().collect());
            }
        }
        _ => {}
    }
}

/// Whether a value is one of Cobbler's ways to say yes.
pub(super) fn is_true(value: Option<&Value>) -> Option<bool> {
    match value? {
        Value::Bool(on) => Some(*on),
        Value::Number(number) => Some(number.as_i64() != Some(0)),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "y" | "on" => Some(true),
            "false" | "0" | "no" | "n" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
