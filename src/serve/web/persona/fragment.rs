//! `/personas/fragments/NAME`: a part of personas, and which ones.

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::get,
};
use serde::Serialize;

use crate::library::{Base, Paper};

use super::{
    super::{Frame, Trouble, Visitor, Wants, Web, frame::Section},
    told::{self, Flaw, seen_by},
    used::composed_of,
};

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/personas/fragments/{name}", get(page))
}

/// What the page shows.
#[derive(Debug, Serialize)]
struct View {
    name: String,
    file: String,
    text: String,
    used_by: Vec<String>,
    flaws: Vec<Flaw>,
}

#[derive(Template)]
#[template(path = "html/persona_fragment.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

async fn page(
    State(web): State<Web>,
    Path(name): Path<String>,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    let paper = Paper::Fragment(name.parse().map_err(|_| Trouble::not_found("fragment", &name))?);
    let title = paper.to_string();
    let view = web
        .blocking(move |web| {
            let (desk, library) = (web.context.library.desk(), web.context.library.view());
            let sheet = desk.read(&paper).map_err(|error| told::not_saved(&error))?;
            if sheet.base == Base::Absent {
                return Err(Trouble::not_found("fragment", &name));
            }
            let flaws = library.problems.iter().map(|problem| Flaw::of(problem, desk.dir()));
            let text = seen_by(&visitor, sheet.text);
            Ok(View {
                name,
                flaws: flaws.filter(|flaw| flaw.file == sheet.file).collect(),
                text,
                file: sheet.file,
                used_by: composed_of(&library, &paper),
            })
        })
        .await?;
    wants.answer(&view, || Page { frame: frame.titled(Section::Personas, title), view: &view })
}
