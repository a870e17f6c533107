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
use tokio::task::spawn_blocking;

use crate::{
    model::Role,
    serve::audit::{self, Act},
};

use super::{Frame, Trouble, Visitor, Wants, Web, frame::Section};

use ask::Asked;

/// How many acts a page has.
const A_PAGE: usize = 50;

/// In how many facts a page looks for them: most facts are nobody's doing, and a page shall come soon.
const LOOKED_AT: u64 = 8192;

/// The facts that acts are, for the choice on the page.
const FACTS: [&str; 17] = [
    "account-changed",
    "account-created",
    "account-removed",
    "device-armed",
    "device-described",
    "device-disarmed",
    "device-forgotten",
    "image-evicted",
    "image-pinned",
    "image-unpinned",
    "persona-assigned",
    "persona-unassigned",
    "proposal-declined",
    "token-created",
    "token-revoked",
    "user-described",
    "user-forgotten",
];

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
    let world = web.context.engine.world();
    let ask = audit::Ask { limit: Some(A_PAGE), ..asked.ask(&world)? };
    let (journal, newest) = (web.context.journal.clone(), world.seq);
    let found = spawn_blocking(move || audit::acts(&journal, newest, &ask, LOOKED_AT)).await.map_err(Trouble::bug)?;
    let found = found.map_err(Trouble::bug)?;
    let view = View { asked, rows: found.acts.into_iter().map(row).collect(), next: found.next };
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
    fn facts(&self) -> &'static [&'static str] {
        &FACTS
    }

    /// The filter with another place to begin at.
    fn next_page(&self, next: &u64) -> String {
        format!("/audit?{}", self.asked.query(Some(*next)))
    }

    /// The filter for one who did something.
    fn by(&self, by: &str) -> String {
        format!("/audit?{}", Asked { by: by.to_owned(), ..Asked::default() }.query(None))
    }
}
