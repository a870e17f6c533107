//! `/`: how everything is.

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use serde::Serialize;

use super::{Frame, Trouble, Visitor, Wants, Web, frame::Section};

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/", get(page))
}

/// What the overview shows.
#[derive(Debug, Serialize)]
struct View {
    /// How many devices are known.
    devices: usize,
}

#[derive(Template)]
#[template(path = "html/overview.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

async fn page(State(web): State<Web>, wants: Wants, _visitor: Visitor, frame: Frame) -> Result<Response, Trouble> {
    let view = View { devices: web.context.engine.world().devices.size() };
    wants.answer(&view, || Page { frame: frame.titled(Section::Overview, "Overview"), view: &view })
}
