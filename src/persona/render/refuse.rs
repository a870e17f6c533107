//! What is refused of one persona, as a renderer finds it.

use super::Refused;

/// The refusals so far.
#[derive(Default)]
pub(super) struct Refusals {
    /// In the order in which they were found.
    pub(super) list: Vec<Refused>,
}

impl Refusals {
    /// Refuses the field at `path` unless `holds`.
    pub(super) fn unless(&mut self, holds: bool, path: &str, why: &str, help: &'static str) {
        if !holds {
            self.list.push(Refused::new(path, why, help));
        }
    }
}
