//! The page of a save that came too late: what both began with, what the file says now, what was to be saved, and what fits
//! together of it, to be edited and saved on what there is now. It works without scripts, and nothing of anybody's is lost.

use askama::Template;
use axum::{
    Json,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;

use crate::library::{Conflict, Paper};

use super::super::{
    Frame, Trouble, Wants,
    code::{self, Row},
    frame::Section,
};

/// What the page shows.
#[derive(Debug, Serialize)]
struct View<'a> {
    /// The document, as `extends` names it.
    paper: &'a Paper,
    conflict: &'a Conflict,
    /// What was to be the commit's message.
    message: &'a str,
    /// What they changed, and what was to be changed, since the text that both began with.
    #[serde(skip)]
    theirs: Vec<Row>,
    #[serde(skip)]
    yours: Vec<Row>,
    /// How high the field for the text is, in lines.
    #[serde(skip)]
    lines: usize,
}

#[derive(Template)]
#[template(path = "html/persona_conflict.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View<'a>,
}

/// Answers a save that came too late.
pub(super) fn shown(
    wants: Wants,
    frame: Frame,
    paper: &Paper,
    conflict: &Conflict,
    message: &str,
) -> Result<Response, Trouble> {
    let base = conflict.base.as_deref().unwrap_or_default();
    let view = View {
        paper,
        message,
        theirs: code::diff(base, conflict.theirs.as_deref().unwrap_or_default()),
        yours: code::diff(base, &conflict.yours),
        lines: conflict.merged.lines().count().clamp(12, 40) + 2,
        conflict,
    };
    if wants == Wants::Json {
        return Ok((StatusCode::CONFLICT, Json(&view)).into_response());
    }
    let frame = frame.titled(Section::Personas, format!("{paper} was changed meanwhile"));
    let page = Page { frame, view: &view }.render().map_err(Trouble::bug)?;
    Ok((StatusCode::CONFLICT, Html(page)).into_response())
}
