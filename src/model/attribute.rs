//! What an organisation says of its devices and people: their role, location, department, and labels of its own.

use std::{borrow::Borrow, collections::BTreeMap, str::FromStr};

use serde::{Deserialize, Serialize};

use super::text::is_text;

/// The name of an attribute: lower-case letters, digits and inner `-`, `_` and `.`, at most 63.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AttributeName(String);

is_text!(AttributeName);

/// What an attribute says: some text on one line, at most [`AttributeValue::LONGEST`] characters, without blanks around it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AttributeValue(String);

is_text!(AttributeValue);

/// What is said of one device or person.
pub type Attributes = BTreeMap<AttributeName, AttributeValue>;

/// What shall be said of it from now on; `None` takes an attribute away. What is not named stays.
pub type Changes = BTreeMap<AttributeName, Option<AttributeValue>>;

/// The most that is said of one device or person.
pub const MOST_ATTRIBUTES: usize = 64;

/// Who uses a device: the name of a [`User`](super::User), whose attributes then hold for the device as well.
pub const USER: &str = "user";

impl AttributeName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AttributeValue {
    /// The longest value, in characters.
    pub const LONGEST: usize = 256;

    /// The value as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Carries changes out.
pub fn change(attributes: &mut Attributes, changes: &Changes) {
    for (name, value) in changes {
        match value {
            Some(value) => attributes.insert(name.clone(), value.clone()),
            None => attributes.remove(name),
        };
    }
}

/// Some text that cannot name an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this cannot name an attribute: lower-case letters, digits and inner `-`, `_` and `.`, 63 at most")]
pub struct BadAttributeName;

/// Some text that an attribute cannot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no value of an attribute: one line of 1 to {} characters", AttributeValue::LONGEST)]
pub struct BadAttributeValue;

/// So that a name can be looked up without being made one.
impl Borrow<str> for AttributeName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for AttributeName {
    type Err = BadAttributeName;

    fn from_str(text: &str) -> Result<Self, BadAttributeName> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let ends = [text.bytes().next(), text.bytes().last()];
        let fits = (1..=63).contains(&text.len())
            && text.bytes().all(|b| plain(b) || b"-_.".contains(&b))
            && ends.into_iter().all(|end| end.is_some_and(plain));
        fits.then(|| Self(text.to_owned())).ok_or(BadAttributeName)
    }
}

impl FromStr for AttributeValue {
    type Err = BadAttributeValue;

    fn from_str(text: &str) -> Result<Self, BadAttributeValue> {
        let text = text.trim();
        let fits = (1..=Self::LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned())).ok_or(BadAttributeValue)
    }
}
