//! What pages of personas say in the same words: problems, how a persona stands, what came of a save, why there was none.

use std::path::Path;

use axum::http::StatusCode;
use serde::Serialize;

use crate::{
    document::Problem,
    library::{Commit, History, NotSaved, Saved, State, View},
    model::{PersonaName, Role},
};

use super::super::{Trouble, Visitor, code::masked, frame::Frame, notice::Notice};

/// Something wrong with a document of the library.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Flaw {
    /// Whether the document is not used for it.
    pub(super) error: bool,
    pub(super) code: &'static str,
    /// The file, from the library's folder.
    pub(super) file: String,
    /// Its line, from 1; 0 when the file as a whole is meant.
    pub(super) line: usize,
    pub(super) message: String,
    /// The line, with a mark under what is meant.
    pub(super) snippet: String,
    pub(super) help: String,
    /// Where it can be mended.
    pub(super) edit: Option<String>,
}

impl Flaw {
    pub(super) fn of(problem: &Problem, dir: &Path) -> Self {
        let path = Path::new(&problem.path);
        let file = path.strip_prefix(dir).unwrap_or(path).display().to_string();
        let mark = |line: &str| {
            let blank: String =
                line.chars().take(problem.column.saturating_sub(1)).map(|c| if c == '\t' { c } else { ' ' }).collect();
            format!("{line}\n{blank}{}", "^".repeat(problem.width.max(1)))
        };
        Self {
            error: problem.is_error(),
            code: problem.code,
            edit: edit(&file),
            line: problem.line,
            message: problem.message.clone(),
            snippet: if problem.line > 0 { masked(&mark(&problem.snippet)) } else { String::new() },
            help: problem.help.clone().unwrap_or_default(),
            file,
        }
    }

    /// Where it is: `kiosk.yaml:12`.
    pub(super) fn place(&self) -> String {
        if self.line > 0 { format!("{}:{}", self.file, self.line) } else { self.file.clone() }
    }
}

/// Where a file of the library is edited here.
fn edit(file: &str) -> Option<String> {
    let stem = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml"))?;
    stem.parse::<crate::library::Paper>().ok().map(|paper| format!("/personas/{paper}/edit"))
}

/// The class of the badge that says how a persona stands.
pub(super) const fn badge(state: State) -> &'static str {
    match state {
        State::Good => "good",
        State::Dirty => "warn",
        State::Kept | State::Unserved => "bad",
    }
}

/// Text as whoever looks may see it.
pub(super) fn seen_by(visitor: &Visitor, text: String) -> String {
    if visitor.role >= Role::Author { text } else { masked(&text) }
}

/// What is said of the library's history, when it is not all there.
pub(super) fn history(view: &View) -> Option<String> {
    match &view.history {
        History::Git { commit: None, .. } => Some("Nothing was committed yet: the first save will be.".into()),
        History::Git { branch: None, .. } => {
            Some("No branch is checked out in the library: commits made here belong to none.".into())
        }
        History::Git { .. } => None,
        History::None { why } => Some(format!("There are no commits, no history and no reverts: {why}.")),
    }
}

/// The commit that the library is at.
pub(super) fn at(view: &View) -> Option<&Commit> {
    match &view.history {
        History::Git { commit, .. } => commit.as_ref(),
        History::None { .. } => None,
    }
}

/// What came of a save: `done` says it in a few words.
pub(super) fn saved(done: &str, saved: &Saved) -> Notice {
    let mut words = match (&saved.commit, &saved.unrecorded) {
        (Some(commit), _) => format!("{done}, as commit {commit}."),
        (None, Some(why)) => format!("{done}, in no commit: {why}."),
        (None, None) if saved.changed => format!("{done}."),
        (None, None) => "It is so already: there was nothing to do.".to_owned(),
    };
    if !saved.brought.is_empty() {
        words.push_str(&format!(" With it came {}.", saved.brought.join(", ")));
    }
    if let Some(warning) = saved.warnings.first() {
        words.push_str(&format!(" To look at: {}.", warning.message));
    }
    Notice::done(words)
}

/// Why nothing was saved, as a page.
pub(super) fn not_saved(error: &NotSaved) -> Trouble {
    let (status, help) = match error {
        NotSaved::Missing(_) => (StatusCode::NOT_FOUND, "The list of personas has what is there.".to_owned()),
        NotSaved::Conflict(_) => (StatusCode::CONFLICT, "Nothing was changed. Look at it as it is now.".to_owned()),
        NotSaved::Taken(_) => (StatusCode::CONFLICT, "Nothing was changed.".to_owned()),
        NotSaved::Unfinished(_) | NotSaved::Busy(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "Nothing was changed.".to_owned())
        }
        NotSaved::Broken(problems) => {
            let first: Vec<String> = problems.iter().filter(|problem| problem.is_error()).take(3).map(line).collect();
            (StatusCode::UNPROCESSABLE_ENTITY, format!("Nothing was changed. {}", first.join(" ")))
        }
        NotSaved::Disk { .. } | NotSaved::NotCommitted(_) | NotSaved::Git(_) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "Nothing was changed.".to_owned())
        }
    };
    Trouble::new(status, "This was not saved", error.to_string(), help)
}

fn line(problem: &Problem) -> String {
    let file = problem.path.rsplit('/').next().unwrap_or_default();
    format!("{file}:{}: {}.", problem.line, problem.message)
}

/// The persona of this name, when it can be one.
pub(super) fn name(text: &str) -> Result<PersonaName, Trouble> {
    text.parse().map_err(|_| Trouble::not_found("persona", text))
}

/// What a page of one persona is called.
pub(super) fn titled(frame: Frame, name: &PersonaName, what: &str) -> Frame {
    let title = if what.is_empty() { name.to_string() } else { format!("{name}: {what}") };
    frame.titled(super::super::frame::Section::Personas, title)
}
