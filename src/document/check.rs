//! Rules over a document that has its shape: each that does not hold becomes a problem at its line, and all are told at once.

use super::{Document, Problem};

/// The rules of one document, as they are held against it.
#[derive(Debug)]
pub struct Check<'a> {
    document: &'a Document,
    /// What does not hold so far.
    pub problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    /// A check of `document`, with nothing found yet.
    pub fn new(document: &'a Document) -> Self {
        Self { document, problems: vec![] }
    }

    /// Records a problem at `path` unless `holds`.
    pub fn require(&mut self, holds: bool, code: &'static str, path: &str, message: impl Into<String>, help: &str) {
        if !holds {
            self.problems.push(self.document.problem_at(code, path, message, help));
        }
    }
}
