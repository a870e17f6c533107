//! `/personas/NAME/edit`: a persona's text and its form, side by side; `/personas/fragments/NAME/edit` a fragment's.
//!
//! The page is a plain form around a textarea: without scripts one writes, and has it checked and saved. `static/editor.js`
//! makes the editor of it, and asks `draft` as one types. A save goes to the library's desk: it becomes a commit, or the page
//! comes back with every problem at its line, and the text as it was sent.

use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequestParts, State},
    http::{StatusCode, request::Parts},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde::Serialize;

use crate::{
    document::source::MAX_BYTES,
    library::{Author, Base, Edit, NotSaved, Paper, Sheet},
    model::{PersonaName, PersonaRef, Role},
};

use super::{
    super::{Frame, Trouble, Visitor, Wants, Web, frame::Section, order::Fields},
    conflict,
    draft::Shown,
    told,
};

/// What a form may bring: a text of the largest size, of which every byte is escaped.
const MOST: usize = 3 * MAX_BYTES + (64 << 10);

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/personas/{name}/edit", get(page).post(save))
        .route("/personas/fragments/{name}/edit", get(page).post(save))
        .layer(DefaultBodyLimit::max(MOST))
}

/// What the editor shows.
#[derive(Debug, Serialize)]
struct View {
    /// The document, as `extends` names it.
    paper: Paper,
    /// Whether it is a part of personas.
    is_fragment: bool,
    /// Its file in the library.
    file: String,
    /// Its text.
    text: String,
    /// What a save is based on.
    base: Base,
    /// Whether there is no such file yet.
    is_new: bool,
    /// What was to be the commit's message.
    message: String,
    /// What is wrong with it.
    problems: Vec<Shown>,
    /// The version that is served.
    published: Option<PersonaRef>,
    /// Whether the text is not the file's: it was sent, and not saved.
    unsaved: bool,
}

impl View {
    fn new(web: &Web, paper: Paper, sheet: Sheet) -> Self {
        let published = match &paper {
            Paper::Persona(name) => {
                web.context.engine.ground().catalog.persona(name).map(|entry| entry.reference.clone())
            }
            Paper::Fragment(_) => None,
        };
        let is_new = sheet.base == Base::Absent;
        let text = if is_new { skeleton(&paper) } else { sheet.text };
        Self {
            is_fragment: matches!(paper, Paper::Fragment(_)),
            paper,
            file: sheet.file,
            text,
            base: sheet.base,
            is_new,
            message: String::new(),
            problems: vec![],
            published,
            unsaved: false,
        }
    }

    /// Where the document's page and its endpoints are.
    fn home(&self) -> String {
        home(&self.paper)
    }

    /// What it is called, without its folder.
    fn name(&self) -> &PersonaName {
        match &self.paper {
            Paper::Persona(name) | Paper::Fragment(name) => name,
        }
    }

    fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.is_error()).count()
    }
}

/// Where a document's pages begin.
pub(super) fn home(paper: &Paper) -> String {
    format!("/personas/{paper}")
}

#[derive(Template)]
#[template(path = "html/persona_editor.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

/// The document that an address means: `/personas/NAME/...`, or `/personas/fragments/NAME/...`.
pub(super) struct Named(pub(super) Paper);

impl FromRequestParts<Web> for Named {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Trouble> {
        let steps: Vec<&str> = parts.uri.path().split('/').skip(2).collect();
        let paper = match steps[..] {
            ["fragments", name, _] => format!("fragments/{name}"),
            [name, ..] => name.to_owned(),
            [] => String::new(),
        };
        paper.parse().map(Self).map_err(|_| Trouble::not_found("persona", paper))
    }
}

async fn page(
    State(web): State<Web>,
    Named(paper): Named,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    visitor.must(Role::Author)?;
    let view = web
        .checked(move |web| {
            let desk = web.context.library.desk();
            let sheet = desk.read(&paper).map_err(|error| told::not_saved(&error))?;
            let mut view = View::new(web, paper, sheet);
            if !view.is_new {
                let draft = desk.draft(&view.paper, Some(&view.text));
                view.problems = Shown::all(&draft.problems, &view.file, desk.dir());
            }
            Ok(view)
        })
        .await?;
    let frame = titled(frame, &view);
    wants.answer(&view, || Page { frame, view: &view })
}

fn titled(frame: Frame, view: &View) -> Frame {
    frame.titled(Section::Personas, format!("{} {}", if view.is_new { "New:" } else { "Edit" }, view.paper))
}

/// What a person sent.
struct Sent {
    text: String,
    base: Base,
    message: String,
}

impl Sent {
    fn of(fields: &Fields) -> Result<Self, Trouble> {
        let base = fields.read("base")?.ok_or_else(|| Trouble::bad("base is missing", "Open the editor again."))?;
        let said = |name| fields.get(name).unwrap_or_default();
        // Browsers end the lines of a form with both, whatever the file has.
        Ok(Self { text: said("text").replace("\r\n", "\n"), base, message: said("message").trim().to_owned() })
    }
}

async fn save(
    State(web): State<Web>,
    Named(paper): Named,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
    fields: Fields,
) -> Result<Response, Trouble> {
    visitor.must(Role::Author)?;
    let sent = Sent::of(&fields)?;
    let author = Author::of_account(&visitor.name);
    // A hook of the repository may keep it waiting: it takes no place from those who check drafts.
    let (paper, sent, sheet, done) = web
        .blocking(move |web| {
            let sheet = web.context.library.desk().read(&paper).map_err(|error| told::not_saved(&error))?;
            let text = with_ends_of(&sheet.text, &sent.text);
            let edit = Edit { text, base: sent.base.clone(), author, message: sent.message.clone() };
            let done = web.context.write_library(|desk| desk.save(&paper, edit));
            Ok((paper, sent, sheet, done))
        })
        .await?;
    match done {
        Ok(saved) => Ok(told::saved(&format!("{paper} is saved"), &saved).on(&home(&paper))),
        Err(NotSaved::Broken(problems)) => {
            let mut view = View::new(&web, paper, sheet);
            view.problems = Shown::all(&problems, &view.file, web.context.library.desk().dir());
            (view.text, view.message, view.base, view.unsaved) = (sent.text, sent.message, sent.base, true);
            match wants {
                Wants::Json => Ok((StatusCode::UNPROCESSABLE_ENTITY, axum::Json(view)).into_response()),
                Wants::Page => {
                    let page = Page { frame: titled(frame, &view), view: &view };
                    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render().map_err(Trouble::bug)?)).into_response())
                }
            }
        }
        Err(NotSaved::Conflict(conflict)) => conflict::shown(wants, frame, &paper, &conflict, &sent.message),
        Err(error) => Err(told::not_saved(&error)),
    }
}

/// A file that ends its lines as Windows does goes on doing so: its history shows what was edited, and nothing else.
fn with_ends_of(before: &str, text: &str) -> String {
    if before.contains("\r\n") { text.replace('\n', "\r\n") } else { text.to_owned() }
}

/// What a document begins with that is not there yet.
fn skeleton(paper: &Paper) -> String {
    match paper {
        Paper::Persona(name) => format!(
            "apiVersion: greenroom/v1\n\
             description: What {name} is for, in a line\n\
             effect: ephemeral  # or destructive: installing wipes a disk\n\
             os:\n\
             \x20 image: \n"
        ),
        Paper::Fragment(_) => "apiVersion: greenroom/v1\n".to_owned(),
    }
}
