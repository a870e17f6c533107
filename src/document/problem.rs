//! A problem in a document: what, where, and what to do.

use std::fmt;

use serde::Serialize;

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
    /// The text of the line.
    pub snippet: String,
    /// What is wrong.
    pub message: String,
    /// What to do, when there is more to say than the message does.
    pub help: Option<String>,
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
            snippet: String::new(),
            message: message.into(),
            help: Some(help.into()),
        }
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
            // The mark goes under the word that begins at the column.
            let rest: String = self.snippet.chars().skip(self.column - 1).collect();
            let width = rest.find([' ', ':', ',', ']', '}']).unwrap_or(rest.len()).max(1);
            writeln!(f, "{margin}--> {}:{}:{}", self.path, self.line, self.column)?;
            writeln!(f, "{margin} |")?;
            writeln!(f, "{number} | {}", self.snippet)?;
            write!(f, "{margin} | {}{}", " ".repeat(self.column - 1), "^".repeat(width))?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}
