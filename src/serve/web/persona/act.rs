//! What is done to a persona beside editing: it is reverted, duplicated, deleted. Each has a page that says what comes of it,
//! and is done by the form on that page.

use askama::Template;
use axum::{
    Router,
    extract::{Path, RawQuery, State},
    response::Response,
    routing::get,
};
use serde::Serialize;

use crate::{
    library::{Affected, Author, Base, NotSaved, Paper, Saved, State as Stands},
    model::Role,
};

use super::{
    super::{
        Frame, Trouble, Visitor, Wants, Web,
        code::{self, Row},
        frame::Section,
        order::Fields,
    },
    begin::new_name,
    told::{self, Flaw, seen_by},
    used::Used,
};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/personas/{name}/revert", get(ask_revert).post(revert))
        .route("/personas/{name}/duplicate", get(ask_duplicate).post(duplicate))
        .route("/personas/{name}/delete", get(ask_delete).post(delete))
        .route("/personas/fragments/{name}/delete", get(ask_delete_fragment).post(delete_fragment))
}

/// Has something written at the desk, away from those who only look.
async fn written(
    web: &Web,
    work: impl FnOnce(&crate::library::Desk) -> Result<Saved, NotSaved> + Send + 'static,
) -> Result<Saved, Trouble> {
    let saved = web.blocking(move |web| Ok(web.context.write_library(work))).await?;
    saved.map_err(|error| told::not_saved(&error))
}

/// What a revert would do.
#[derive(Debug, Serialize)]
struct RevertView {
    name: String,
    to: String,
    short: String,
    base: Base,
    rows: Vec<Row>,
    /// Whether the file has edits that are in no commit.
    dirty: bool,
    /// Why it cannot be.
    flaws: Vec<Flaw>,
    /// What others would be besides.
    used: Used,
    affected: Vec<Affected>,
}

#[derive(Template)]
#[template(path = "html/persona_revert.html", config = ".askama.toml")]
struct RevertPage<'a> {
    frame: Frame,
    view: &'a RevertView,
}

async fn ask_revert(
    State(web): State<Web>,
    Path(name): Path<String>,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    visitor.must(Role::Author)?;
    let name = told::name(&name)?;
    let query = query.unwrap_or_default();
    let to = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "to").map(|(_, to)| to.into_owned());
    let to = to.ok_or_else(|| Trouble::bad("no version was chosen", "Choose one in the persona's history."))?;
    let of = name.clone();
    let view = web
        .blocking(move |web| {
            let commit = web.resolve(&of, &to)?;
            let (desk, paper) = (web.context.library.desk(), Paper::Persona(of.clone()));
            let help = "The persona's history lists its versions.";
            let then = web.glance(&of, &commit).map_err(|error| Trouble::bad(error, help))?;
            let then = then.text.clone().ok_or_else(|| Trouble::not_found("version", format!("{of} at {commit}")))?;
            let now = desk.read(&paper).map_err(|error| told::not_saved(&error))?;
            let draft = desk.draft(&paper, Some(&then));
            let library = web.context.library.view();
            let mut affected = draft.affected;
            affected.retain(|affected| affected.persona != of);
            Ok(RevertView {
                name: of.to_string(),
                to: commit.as_str().to_owned(),
                short: commit.to_string(),
                rows: code::diff(&seen_by(&visitor, now.text), &seen_by(&visitor, then)),
                base: now.base,
                dirty: library.statuses.iter().any(|status| status.name == of.as_str() && status.dirty),
                flaws: draft
                    .problems
                    .iter()
                    .filter(|problem| problem.is_error())
                    .map(|problem| Flaw::of(problem, desk.dir()))
                    .collect(),
                used: Used::of(web, &paper),
                affected,
            })
        })
        .await?;
    wants.answer(&view, || RevertPage { frame: told::titled(frame, &name, "revert"), view: &view })
}

async fn revert(
    State(web): State<Web>,
    Path(name): Path<String>,
    visitor: Visitor,
    fields: Fields,
) -> Result<Response, Trouble> {
    visitor.must(Role::Author)?;
    let name = told::name(&name)?;
    let to = fields.need("to")?.to_owned();
    let base = base(&fields)?;
    let (of, author) = (name.clone(), Author::of_account(&visitor.name));
    let commit = web.blocking(move |web| web.resolve(&of, &to)).await?;
    let (of, to) = (name.clone(), commit.clone());
    let saved = written(&web, move |desk| desk.revert(&of, &to, &base, &author)).await?;
    Ok(told::saved(&format!("{name} is as it was at {commit}"), &saved).on(&format!("/personas/{name}")))
}

/// Whose copy is asked for.
#[derive(Debug, Serialize)]
struct DuplicateView {
    name: String,
    /// A name that is free.
    proposed: String,
}

#[derive(Template)]
#[template(path = "html/persona_duplicate.html", config = ".askama.toml")]
struct DuplicatePage<'a> {
    frame: Frame,
    view: &'a DuplicateView,
}

async fn ask_duplicate(
    State(web): State<Web>,
    Path(name): Path<String>,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    visitor.must(Role::Author)?;
    let name = told::name(&name)?;
    let library = web.context.library.view();
    let there = |name: &str| library.statuses.iter().any(|status| status.name == name);
    if !there(name.as_str()) {
        return Err(Trouble::not_found("persona", &name));
    }
    let proposed = (2..100).map(|number| format!("{name}-{number}")).find(|name| !there(name)).unwrap_or_default();
    let view = DuplicateView { name: name.to_string(), proposed };
    wants.answer(&view, || DuplicatePage { frame: told::titled(frame, &name, "duplicate"), view: &view })
}

async fn duplicate(
    State(web): State<Web>,
    Path(name): Path<String>,
    visitor: Visitor,
    fields: Fields,
) -> Result<Response, Trouble> {
    visitor.must(Role::Author)?;
    let name = told::name(&name)?;
    let to = new_name(fields.need("to")?)?;
    let author = Author::of_account(&visitor.name);
    let (from, copy) = (Paper::Persona(name.clone()), Paper::Persona(to.clone()));
    let saved = written(&web, move |desk| desk.duplicate(&from, &copy, &author)).await?;
    Ok(told::saved(&format!("{to} is a copy of {name}"), &saved).on(&format!("/personas/{to}")))
}

/// What would go.
#[derive(Debug, Serialize)]
struct DeleteView {
    paper: Paper,
    is_fragment: bool,
    base: Base,
    used: Used,
    /// Whether no commit holds what would go.
    lost: bool,
    /// Whether there is git at all: else nothing brings it back.
    kept: bool,
}

#[derive(Template)]
#[template(path = "html/persona_delete.html", config = ".askama.toml")]
struct DeletePage<'a> {
    frame: Frame,
    view: &'a DeleteView,
}

async fn ask_delete(
    State(web): State<Web>,
    Path(name): Path<String>,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    asked_delete(web, Paper::Persona(told::name(&name)?), wants, visitor, frame).await
}

async fn ask_delete_fragment(
    State(web): State<Web>,
    Path(name): Path<String>,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    asked_delete(web, Paper::Fragment(told::name(&name)?), wants, visitor, frame).await
}

async fn asked_delete(
    web: Web,
    paper: Paper,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    visitor.must(Role::Author)?;
    let view = web
        .blocking(move |web| {
            let library = web.context.library.view();
            let sheet = web.context.library.desk().read(&paper).map_err(|error| told::not_saved(&error))?;
            if sheet.base == Base::Absent {
                return Err(Trouble::not_found("persona", &paper));
            }
            let status = library.statuses.iter().find(|status| status.name == paper.to_string());
            Ok(DeleteView {
                used: Used::of(web, &paper),
                is_fragment: matches!(paper, Paper::Fragment(_)),
                lost: status.is_some_and(|status| status.dirty || status.state == Stands::Dirty),
                kept: told::at(&library).is_some(),
                base: sheet.base,
                paper,
            })
        })
        .await?;
    let frame = frame.titled(Section::Personas, format!("Delete {}", view.paper));
    wants.answer(&view, || DeletePage { frame, view: &view })
}

async fn delete(
    State(web): State<Web>,
    Path(name): Path<String>,
    visitor: Visitor,
    fields: Fields,
) -> Result<Response, Trouble> {
    deleted(web, Paper::Persona(told::name(&name)?), visitor, fields).await
}

async fn delete_fragment(
    State(web): State<Web>,
    Path(name): Path<String>,
    visitor: Visitor,
    fields: Fields,
) -> Result<Response, Trouble> {
    deleted(web, Paper::Fragment(told::name(&name)?), visitor, fields).await
}

async fn deleted(web: Web, paper: Paper, visitor: Visitor, fields: Fields) -> Result<Response, Trouble> {
    visitor.must(Role::Author)?;
    let base = base(&fields)?;
    let message = fields.get("message").unwrap_or_default().to_owned();
    let (of, author) = (paper.clone(), Author::of_account(&visitor.name));
    let saved = written(&web, move |desk| desk.delete(&of, &base, &author, &message)).await?;
    let list = if matches!(paper, Paper::Fragment(_)) { "/personas?tab=fragments" } else { "/personas" };
    Ok(told::saved(&format!("{paper} is gone"), &saved).on(list))
}

/// What the page was based on.
fn base(fields: &Fields) -> Result<Base, Trouble> {
    fields.read("base")?.ok_or_else(|| Trouble::bad("base is missing", "Open the page again."))
}
