//! Rules over a document that has its shape: each that does not hold becomes a problem at its line, and all are told at
//! once.

use super::{Document, Problem};

/// How many problems of one document are told, errors and warnings each: every one costs a look at its source, and nobody
/// reads the hundredth.
const MOST: usize = 50;

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

    /// Records an error at `path` unless `holds`.
    pub fn require(&mut self, holds: bool, code: &'static str, path: &str, message: impl Into<String>, help: &str) {
        if !holds && self.problems.iter().filter(|problem| problem.is_error()).count() < MOST {
            self.problems.push(self.document.problem_at(code, path, message, help));
        }
    }

    /// Records a warning at `path` unless `holds`: the document is used, and somebody should look.
    pub fn warn(&mut self, holds: bool, code: &'static str, path: &str, message: impl Into<String>, help: &str) {
        if !holds && self.problems.iter().filter(|problem| !problem.is_error()).count() < MOST {
            self.problems.push(self.document.problem_at(code, path, message, help).warning());
        }
    }

    /// Hides what stands from the column on in the lines of the problems since the first `known`: it is a secret, and
    /// problems end up in logs.
    pub fn conceal_since(&mut self, known: usize) {
        for problem in self.problems.iter_mut().skip(known) {
            let before: String = problem.snippet.chars().take(problem.column.saturating_sub(1)).collect();
            problem.snippet = format!("{before}(not shown)");
            problem.width = "(not shown)".len();
        }
    }
}
