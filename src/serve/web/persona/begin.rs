//! `/personas/new`: begins a persona, from a sample, as a copy of another, or with nothing.

use askama::Template;
use axum::{
    Router,
    extract::{RawQuery, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use serde::Serialize;

use crate::{
    library::{Author, Paper, Sample, samples},
    model::{PersonaName, Role},
};

use super::{
    super::{Frame, Trouble, Visitor, Wants, Web, frame::Section, order::Fields},
    told,
};

/// A persona of this name would have this very page's address.
const RESERVED: [&str; 2] = ["new", "fragments"];

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/personas/new", get(page).post(begin))
}

/// What one can begin with.
#[derive(Debug, Serialize)]
struct View {
    samples: Vec<Offer>,
    personas: Vec<String>,
    /// Which one is chosen to be copied.
    from: String,
}

/// A sample, and what it would bring along.
#[derive(Debug, Serialize)]
struct Offer {
    #[serde(flatten)]
    sample: &'static Sample,
    /// Whether its image is in the library, or comes along.
    imaged: bool,
}

#[derive(Template)]
#[template(path = "html/persona_new.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

async fn page(
    State(web): State<Web>,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    visitor.must(Role::Author)?;
    let query = query.unwrap_or_default();
    let from =
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "from").map(|(_, from)| from.into_owned());
    let ground = web.context.engine.ground();
    let library = web.context.library.view();
    // The samples are read once: of a text in the binary, that takes some milliseconds.
    let samples = web.blocking(|_| Ok(samples())).await?;
    let offer = |sample: &'static Sample| Offer {
        imaged: sample.has_image || ground.catalog.image(&sample.image).is_some(),
        sample,
    };
    let view = View {
        samples: samples.iter().map(offer).collect(),
        personas: library.statuses.iter().map(|status| status.name.clone()).collect(),
        from: from.unwrap_or_default(),
    };
    wants.answer(&view, || Page { frame: frame.titled(Section::Personas, "New persona"), view: &view })
}

async fn begin(State(web): State<Web>, visitor: Visitor, fields: Fields) -> Result<Response, Trouble> {
    visitor.must(Role::Author)?;
    let name = new_name(fields.need("name")?)?;
    if fields.get("kind") == Some("fragment") {
        return Ok(Redirect::to(&format!("/personas/fragments/{name}/edit")).into_response());
    }
    let paper = Paper::Persona(name.clone());
    let start = fields.get("start").unwrap_or("nothing").to_owned();
    let author = Author::of_account(&visitor.name);
    let there = web.context.library.view().statuses.iter().any(|status| status.name == name.as_str());
    if there {
        return Err(told::not_saved(&crate::library::NotSaved::Taken(name.to_string())));
    }
    let (done, saved) = match start.split_once(':') {
        Some(("sample", wanted)) => {
            let sample = samples().iter().find(|sample| sample.name.as_str() == wanted);
            let sample = sample.ok_or_else(|| Trouble::not_found("sample", wanted))?;
            let of = name.clone();
            let saved =
                web.blocking(move |web| Ok(web.context.write_library(|desk| desk.begin(&of, sample, &author)))).await?;
            (format!("{name} begins as the sample {wanted}"), saved)
        }
        Some(("persona", wanted)) => {
            let from = Paper::Persona(told::name(wanted)?);
            let to = paper.clone();
            let saved = web
                .blocking(move |web| Ok(web.context.write_library(|desk| desk.duplicate(&from, &to, &author))))
                .await?;
            (format!("{name} begins as a copy of {wanted}"), saved)
        }
        // The editor writes what is not there yet.
        _ => return Ok(Redirect::to(&format!("/personas/{name}/edit")).into_response()),
    };
    let saved = saved.map_err(|error| told::not_saved(&error))?;
    Ok(told::saved(&done, &saved).on(&format!("/personas/{name}")))
}

/// A name that a persona can be given here.
pub(super) fn new_name(text: &str) -> Result<PersonaName, Trouble> {
    let text = text.trim();
    let help = "Go back and choose another name.";
    if RESERVED.contains(&text) {
        return Err(Trouble::bad(format!("`{text}` is the address of a page of ours"), help));
    }
    text.parse().map_err(|error| Trouble::bad(format!("`{text}` is {error}"), help))
}
