//! A problem in a document: what, where, and what to do.

use std::fmt;

use serde::Serialize;
use unicode_width::UnicodeWidthChar;

use super::Fix;

/// How many characters of a line are shown.
const WIDEST: usize = 160;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document is not used.
    Error,
    /// The document is used; somebody should look.
    Warning,
}

/// One problem. [`fmt::Display`] shows it as compilers do: the place, the line, a mark under it, the remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// A lasting name: `GR012`.
    pub code: &'static str,
    /// The file.
    pub path: String,
    /// Its line, from 1; 0 when the problem is of the file as a whole.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// How many characters are meant, from the column on.
    pub width: usize,
    /// The text of the line.
    pub snippet: String,
    /// What is wrong.
    pub message: String,
    /// What to do, when there is more to say than the message does.
    pub help: Option<String>,
    /// The way to the value that it is about, as rules write paths (`security.users.0.name`): it may be missing. Empty when
    /// it is about the text, or the document as a whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// What does away with it, where there is one thing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

impl Problem {
    /// A problem of a file as a whole.
    pub fn of_file(path: &str, code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            path: path.to_owned(),
            line: 0,
            column: 0,
            width: 0,
            snippet: String::new(),
            message: message.into(),
            help: Some(help.into()),
            about: String::new(),
            fix: None,
        }
    }

    /// The same problem, about the value that a path leads to.
    pub(super) fn about(self, path: impl Into<String>) -> Self {
        Self { about: path.into(), ..self }
    }

    /// The same problem, with what does away with it.
    pub(super) fn fixed_by(self, fix: Option<Fix>) -> Self {
        Self { fix, ..self }
    }

    /// The same problem, as a warning.
    pub fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// Whether the document cannot be used.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// The line as a terminal shows it, and the mark in its cells.
struct Shown {
    text: String,
    before: usize,
    marked: usize,
}

impl Problem {
    /// A tab is shown as spaces, a character that moves the cursor as a box, and a long line as the part around the mark:
    /// the mark is under what it means, whatever the line holds.
    fn shown(&self) -> Shown {
        let mark = self.column - 1..self.column - 1 + self.width;
        let mut shown = Shown { text: String::new(), before: 0, marked: 0 };
        let first = if mark.end > WIDEST { mark.start.saturating_sub(WIDEST / 4) } else { 0 };
        if first > 0 {
            shown.text.push_str("...");
            shown.before = 3;
        }
        for (at, c) in self.snippet.chars().enumerate().skip(first) {
            if at >= first + WIDEST {
                shown.text.push_str("...");
                break;
            }
            let cells = match c {
                '\t' => {
                    shown.text.push_str("    ");
                    4
                }
                // Not only control characters: a text that turns direction would turn the message with it.
                c if c.is_control()
                    || ('\u{202a}'..='\u{202e}').contains(&c)
                    || ('\u{2066}'..='\u{2069}').contains(&c) =>
                {
                    shown.text.push('\u{fffd}');
                    1
                }
                c => {
                    shown.text.push(c);
                    c.width().unwrap_or(0)
                }
            };
            if at < mark.start {
                shown.before += cells;
            } else if at < mark.end {
                shown.marked += cells;
            }
        }
        shown.marked = shown.marked.max(1);
        shown
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{word}[{}]: {}", self.code, self.message)?;
        if self.line == 0 {
            write!(f, "  --> {}", self.path)?;
        } else {
            let number = self.line.to_string();
            let margin = " ".repeat(number.len());
            let Shown { text, before, marked } = self.shown();
            writeln!(f, "{margin}--> {}:{}:{}", self.path, self.line, self.column)?;
            writeln!(f, "{margin} |")?;
            writeln!(f, "{number} | {text}")?;
            write!(f, "{margin} | {}{}", " ".repeat(before), "^".repeat(marked))?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(snippet: &str, column: usize, width: usize) -> (String, String) {
        let (severity, path, message) = (Severity::Error, "x".to_owned(), String::new());
        let problem = Problem {
            severity,
            code: "GR001",
            path,
            line: 7,
            column,
            width,
            snippet: snippet.into(),
            message,
            help: None,
            about: String::new(),
            fix: None,
        };
        let shown = problem.to_string();
        let lines: Vec<&str> = shown.lines().skip(3).collect();
        (lines[0].to_owned(), lines[1].to_owned())
    }

    #[test]
    fn the_mark_is_under_what_it_means() {
        assert_eq!(marks("a: b", 4, 1), ("7 | a: b".into(), "  |    ^".into()));
        assert_eq!(marks("a:\tb", 4, 1), ("7 | a:    b".into(), "  |       ^".into()));
        assert_eq!(marks("日本: 東京x", 5, 3), ("7 | 日本: 東京x".into(), "  |       ^^^^^".into()));
        assert_eq!(marks("e\u{301}: b", 5, 1), ("7 | e\u{301}: b".into(), "  |    ^".into()));
        assert_eq!(marks("\u{1b}[2J: b", 7, 1).0, "7 | \u{fffd}[2J: b");
        let (line, mark) = marks(&format!("{}x{}", "-".repeat(900), "+".repeat(900)), 901, 1);
        assert!(line.len() < 200, "{line}");
        assert_eq!(line.find('x'), mark.find('^'));
    }
}
