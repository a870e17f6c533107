//! `/audit`: who did what, for admins: in sentences, with the facts themselves on demand, and as files.

mod ask;
mod export;

use askama::Template;
use axum::{
    Router,
    extract::{RawQuery, State},
    response::Response,
    routing::get,
};
use serde::Serialize;

use crate::{
    model::{Moment, Role},
    serve::audit::{self, Act},
};

use super::{Frame, Trouble, Visitor, Wants, Web, frame::Section};

use ask::Asked;

/// How many acts a page has.
const A_PAGE: usize = 50;

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/audit", get(page))
        .route("/audit/export.csv", get(export::csv))
        .route("/audit/export.jsonl", get(export::lines))
}

#[derive(Debug, Serialize)]
struct View {
    /// What is looked for.
    asked: Asked,
    /// What was found, the newest first.
    rows: Vec<Row>,
    /// Where the next page begins, as `before`.
    next: Option<u64>,
    /// How far back was looked, when that is not all the way yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    back_to: Option<Moment>,
    /// What acts here are called, and who did them: for the choices on the page.
    #[serde(skip)]
    facts: Vec<String>,
    #[serde(skip)]
    people: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    act: Act,
    /// The page of what it is about.
    link: Option<String>,
    /// What that page is called.
    about: String,
    /// The fact as the journal has it.
    #[serde(skip)]
    raw: String,
}

#[derive(Template)]
#[template(path = "html/audit/list.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

async fn page(
    State(web): State<Web>,
    RawQuery(query): RawQuery,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    visitor.must(Role::Admin)?;
    let asked = Asked::of(query.as_deref());
    let ask = audit::Ask { limit: Some(A_PAGE), ..asked.ask()? };
    let found = web.blocking(move |web| audit::acts(&web.context, &ask).map_err(Trouble::bug));
    let audit::Acts { acts, next, back_to } = found.await?;
    let (facts, people) = web.context.acts.words();
    let view = View { asked, rows: acts.into_iter().map(row).collect(), next, back_to, facts, people };
    wants.answer(&view, || Page { frame: frame.titled(Section::Audit, "Audit"), view: &view })
}

fn row(act: Act) -> Row {
    let detail = |name: &str| act.details.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let (about, link) = match (detail("device"), detail("image"), detail("digest")) {
        (Some(device), ..) => (device.clone(), Some(format!("/devices/{device}"))),
        (_, Some(image), _) => (image.clone(), Some(format!("/images/{image}"))),
        (.., Some(digest)) => (detail("name").unwrap_or_default(), Some(format!("/images/blob/{digest}"))),
        _ => (detail("user").or_else(|| detail("name")).unwrap_or_default(), None),
    };
    let raw = serde_json::to_string_pretty(&act.details).unwrap_or_default();
    Row { act, link, about, raw }
}

impl View {
    /// The filter with another place to begin at.
    fn next_page(&self, next: &u64) -> String {
        format!("/audit?{}", self.asked.query(Some(*next)))
    }

    /// The filter for one who did something.
    fn by(&self, by: &str) -> String {
        format!("/audit?{}", Asked { by: by.to_owned(), ..Asked::default() }.query(None))
    }
}
