//! Secrets of the site, by name. They never show in logs, in the journal or in an error.

use std::{collections::BTreeMap, fmt};

/// Secrets that were read for one rendering. What is rendered with them goes to the device and nowhere else.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// These, by name.
    pub fn new(secrets: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(secrets.into_iter().collect())
    }

    /// What stands for these secrets where people look at a rendering.
    pub fn masked<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self::new(names.map(|name| (name.to_owned(), format!("(secret {name})"))))
    }

    /// The secret called `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
