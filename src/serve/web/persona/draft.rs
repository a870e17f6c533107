//! What the editor asks as one types: what is wrong, how it looks as a form, what may be written here, what it would change.
//!
//! **A draft is read and thrown away**: nothing of it is written, served or run. It is checked by the library's own code, as if
//! it stood there already. Checks cost time, so only authors may ask for them, a few are made at once, and one that nobody
//! waits for any more is never begun.

use std::{path::Path, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::sync::Semaphore;

use crate::{
    document::{self, Fix, Problem, source::MAX_BYTES},
    library::{Draft as Tried, Paper},
    model::{PersonaName, Role, Version},
    persona::{
        complete::{self, Completion, Names},
        draft::Draft,
        form::{Act, Field, Form, Offer},
    },
};

use super::{
    super::{Trouble, Visitor, Web},
    editor::Named,
    impact::{self, Told},
    preview::{self, Rendering, Wanted},
};

/// A text of the largest size as JSON, in which most bytes stand as they are.
const MOST: usize = 2 * MAX_BYTES;

/// So many drafts are checked at once: each takes all cores for a moment.
const AT_ONCE: usize = 2;

/// How many personas that a draft changes are named.
const NAMED: usize = 20;

pub(super) fn routes() -> Router<Web> {
    let mut routes = Router::new();
    for home in ["/personas/{name}", "/personas/fragments/{name}"] {
        routes = routes
            .route(&format!("{home}/draft"), post(draft))
            .route(&format!("{home}/impact"), post(impact))
            .route(&format!("{home}/complete"), post(completions))
            .route(&format!("{home}/names"), get(names));
    }
    routes.layer(DefaultBodyLimit::max(MOST))
}

/// The checks that are made at once.
#[derive(Clone)]
pub(in super::super) struct Checks(Arc<Semaphore>);

impl Default for Checks {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Web {
    /// Does what waits for disks and takes time, off the async threads, a few at once. Whoever goes away while they wait for
    /// their turn has nothing done.
    pub(super) async fn checked<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let turn = self.checks.0.clone().acquire_owned().await.map_err(Trouble::bug)?;
        self.blocking(move |web| {
            let _turn = turn;
            work(web)
        })
        .await
    }
}

/// What is asked, as JSON.
struct Asked<T>(T);

impl<T: DeserializeOwned> FromRequest<Web> for Asked<T> {
    type Rejection = Trouble;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Trouble> {
        let body = Bytes::from_request(request, web).await.map_err(|error| {
            let help = "A document is 1 MiB at most: name a URL for what is larger, and fetch it at first boot.";
            Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, "That is too much", error.to_string(), help)
        })?;
        serde_json::from_slice(&body).map(Self).map_err(|error| Trouble::bad(error, "Load the page again."))
    }
}

/// A draft, and what is asked of it.
#[derive(Debug, Deserialize)]
struct Ask {
    /// The text.
    text: String,
    /// What somebody did to a field of the form.
    #[serde(default)]
    act: Option<Acted>,
    /// The fix of a problem that somebody took.
    #[serde(default)]
    fix: Option<Fix>,
    /// For which device, and as which persona, to render it.
    #[serde(default)]
    wanted: Wanted,
}

/// What somebody did to a field.
#[derive(Debug, Deserialize)]
struct Acted {
    path: document::Path,
    #[serde(flatten)]
    act: Act,
}

/// What is known of a draft.
#[derive(Debug, Serialize)]
struct Answer {
    /// The text, when what was done changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Why what was done could not be.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Shown>,
    /// What is wrong.
    problems: Vec<Shown>,
    /// It as a form.
    form: Form,
    /// Whether it could be saved.
    good: bool,
    /// How many personas would be others than they are.
    changes: usize,
    /// The first of them.
    affected: Vec<Affected>,
    /// The persona that was rendered.
    rendered: Option<PersonaName>,
    /// What a device would read, when the draft is good.
    files: Vec<Rendering>,
    /// What cannot be shown as it will be, in words.
    notes: Vec<String>,
}

/// A persona that would be another.
#[derive(Debug, Serialize)]
struct Affected {
    persona: PersonaName,
    before: Option<Version>,
    after: Option<Version>,
}

/// A problem as the editor shows it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    problem: Problem,
    /// The file, when it is another than the draft's; from the library's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) elsewhere: Option<String>,
    /// What the button of the fix says.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix_label: Option<String>,
}

impl Shown {
    /// Problems in the order in which one would go through them: the draft's own first.
    pub(super) fn all(problems: &[Problem], file: &str, dir: &Path) -> Vec<Self> {
        let mut shown: Vec<Self> = problems.iter().map(|problem| Self::of(problem, file, dir)).collect();
        shown.sort_by_key(|one| (one.elsewhere.is_some(), one.problem.severity, one.problem.line, one.problem.column));
        shown
    }

    fn of(problem: &Problem, file: &str, dir: &Path) -> Self {
        let inside = Path::new(&problem.path).strip_prefix(dir).ok().map(|path| path.display().to_string());
        let path = inside.unwrap_or_else(|| problem.path.clone());
        let own = path == file;
        // What mends another document is no change of this one.
        let fix_label = problem.fix.as_ref().filter(|_| own).map(|fix| fix.label());
        let fix = problem.fix.clone().filter(|_| own);
        let elsewhere = (!own).then(|| path.clone());
        Self { problem: Problem { path, fix, ..problem.clone() }, elsewhere, fix_label }
    }

    /// Whether it keeps the document from being saved.
    pub(super) fn is_error(&self) -> bool {
        self.problem.is_error()
    }

    /// Where it is, in words: `line 3, column 5`.
    pub(super) fn place(&self) -> String {
        let Problem { line, column, .. } = self.problem;
        match (&self.elsewhere, line) {
            (Some(file), 0) => file.clone(),
            (Some(file), _) => format!("{file}, line {line}"),
            (None, 0) => "the whole text".into(),
            (None, _) => format!("line {line}, column {column}"),
        }
    }

    pub(super) fn message(&self) -> &str {
        &self.problem.message
    }

    pub(super) fn help(&self) -> &str {
        self.problem.help.as_deref().unwrap_or_default()
    }

    pub(super) fn code(&self) -> &str {
        self.problem.code
    }
}

async fn draft(
    State(web): State<Web>,
    Named(paper): Named,
    visitor: Visitor,
    Asked(ask): Asked<Ask>,
) -> Result<Json<Answer>, Trouble> {
    visitor.must(Role::Author)?;
    web.checked(move |web| answer(web, &paper, ask)).await.map(Json)
}

fn answer(web: &Web, paper: &Paper, ask: Ask) -> Result<Answer, Trouble> {
    let Ask { text, act, fix, wanted } = ask;
    fits(&text)?;
    let desk = web.context.library.desk();
    let (shelf, file) = (desk.shelf(), desk.file(paper));
    let read = |text: &str| {
        let path = desk.dir().join(&file).display().to_string();
        Draft::of(&paper.to_string(), &path, text, &shelf)
            .map_err(|problem| Trouble::bad(problem.message, "Write less."))
    };
    let before = read(&text)?;
    let done = match (act, fix) {
        (Some(Acted { path, act }), _) => Some(before.changes(&path, &act).and_then(|changes| before.edit(&changes))),
        (None, Some(fix)) => Some(before.edit(&[fix.change()])),
        (None, None) => None,
    };
    let (edited, refused) = match done {
        Some(Ok(edited)) => (Some(edited.text), None),
        Some(Err(problem)) => (None, Some(Shown::of(&problem, &file, desk.dir()))),
        None => (None, None),
    };
    let mut draft = edited.as_deref().map_or(Ok(before), read)?;
    let text = edited.as_deref().unwrap_or(&text);
    let tried = desk.draft(paper, Some(text));
    let problems = Shown::all(&tried.problems, &file, desk.dir());
    let own = desk.dir().join(&file).display().to_string();
    draft.problems = tried.problems.iter().filter(|problem| problem.path == own).cloned().collect();
    let named = tried.affected.iter().take(NAMED).map(|one| Affected {
        persona: one.persona.clone(),
        before: one.before.clone(),
        after: one.after.clone(),
    });
    let good = tried.is_good();
    let rendered = good.then(|| preview::render(web, paper, &tried, &wanted)).flatten();
    let (rendered, files, notes) =
        rendered.map_or((None, vec![], vec![]), |one| (Some(one.persona), one.files, one.notes));
    Ok(Answer {
        refused,
        problems,
        form: shown(draft.form(), desk.dir()),
        good,
        changes: tried.affected.len(),
        affected: named.collect(),
        rendered,
        files,
        notes,
        text: edited,
    })
}

/// A form whose files are named from the library's folder, as everywhere on these pages.
fn shown(mut form: Form, dir: &Path) -> Form {
    fn trim(fields: &mut [Field], dir: &Path) {
        for field in fields {
            for inherited in &mut field.inherited {
                if let Ok(inside) = Path::new(&inherited.file).strip_prefix(dir) {
                    inherited.file = inside.display().to_string();
                }
            }
            trim(&mut field.fields, dir);
        }
    }
    trim(&mut form.fields, dir);
    form
}

/// Larger texts are not even looked at.
fn fits(text: &str) -> Result<(), Trouble> {
    if text.len() <= MAX_BYTES {
        return Ok(());
    }
    let help = "Name a URL for what is large, and fetch it at first boot.";
    Err(Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, "That is too much", "A document is 1 MiB at most.", help))
}

/// A text, and nothing else.
#[derive(Debug, Deserialize)]
struct Text {
    text: String,
}

async fn impact(
    State(web): State<Web>,
    Named(paper): Named,
    visitor: Visitor,
    Asked(Text { text }): Asked<Text>,
) -> Result<Json<Told>, Trouble> {
    visitor.must(Role::Author)?;
    fits(&text)?;
    let told = move |web: &Web| -> Result<Told, Trouble> {
        let tried: Tried = web.context.library.desk().draft(&paper, Some(&text));
        Ok(impact::told(web, &tried))
    };
    web.checked(told).await.map(Json)
}

/// A text, and where in it somebody writes.
#[derive(Debug, Deserialize)]
struct Place {
    text: String,
    /// In UTF-16 units, as browsers count.
    at: usize,
}

async fn completions(
    State(web): State<Web>,
    Named(_): Named,
    visitor: Visitor,
    Asked(Place { text, at }): Asked<Place>,
) -> Result<Json<Completion>, Trouble> {
    visitor.must(Role::Author)?;
    fits(&text)?;
    let complete = move |web: &Web| {
        let completion = complete::at(&text, byte_of(&text, at), &known(web));
        let word = unit_of(&text, completion.word.start)..unit_of(&text, completion.word.end);
        Ok(Completion { word, ..completion })
    };
    web.checked(complete).await.map(Json)
}

async fn names(State(web): State<Web>, Named(_): Named, visitor: Visitor) -> Result<Json<Names>, Trouble> {
    visitor.must(Role::Author)?;
    let named = |web: &Web| {
        let mut names = known(web);
        for offer in [Offer::Locales, Offer::Keyboards, Offer::Timezones, Offer::Archs] {
            let listed = complete::known(offer).into_iter().map(str::to_owned);
            names.entry(offer).or_default().extend(listed);
        }
        Ok(names)
    };
    web.checked(named).await.map(Json)
}

/// The names of the library and of the site that a document may use.
fn known(web: &Web) -> Names {
    let ground = web.context.engine.ground();
    let documents = web.context.library.desk().shelf().into_keys().collect();
    Names::from([
        (Offer::Images, ground.catalog.images().map(|image| image.name.to_string()).collect()),
        (Offer::Documents, documents),
        (Offer::Personas, ground.catalog.personas().map(|entry| entry.reference.name.to_string()).collect()),
        (Offer::Secrets, ground.secrets.iter().cloned().collect()),
    ])
}

/// The byte at which a place stands that is counted in UTF-16 units.
fn byte_of(text: &str, units: usize) -> usize {
    let mut seen = 0;
    for (at, c) in text.char_indices() {
        if seen >= units {
            return at;
        }
        seen += c.len_utf16();
    }
    text.len()
}

fn unit_of(text: &str, byte: usize) -> usize {
    text.get(..byte).unwrap_or(text).encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_the_same_in_bytes_and_in_units() {
        let text = "a: \u{e4}\u{1f600}x\n";
        for (byte, unit) in [(0, 0), (3, 3), (5, 4), (9, 6), (10, 7), (11, 8)] {
            assert_eq!((byte_of(text, unit), unit_of(text, byte)), (byte, unit));
        }
        assert_eq!(byte_of(text, 99), text.len());
    }
}
