//! `/devices/import`: a file about many devices or people. First what it would change, then, when somebody says so, the work.
//!
//! A file with any mistake is not taken at all: every mistake is told, with its line. One that is good is kept as a draft until
//! it is confirmed, or others push it out; its page says what it would change *now*, whenever it is looked at.

use std::{
    borrow::Borrow,
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use askama::Template;
use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Serialize;

use crate::{
    model::Role,
    serve::{
        context::lock,
        roster::{Imported, tried},
    },
    usage::roster::{self, Difference, Format, Kind, Problems, Row},
};

use super::{
    super::{
        Fields, Frame, Trouble, Visitor, Wants, Web,
        frame::Section,
        word::{count, grouped},
    },
    upload::Upload,
    work::Task,
};

/// How many drafts are kept, and how many rows they may have together.
const KEPT: usize = 4;
const ROWS: usize = 300_000;
/// How many differences a page shows.
const SHOWN: usize = 100;

/// A file that was read, and is not confirmed yet.
#[derive(Debug)]
struct Draft {
    id: String,
    name: String,
    kind: Kind,
    prune: bool,
    rows: Vec<Row>,
}

/// The latest drafts, the newest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Drafts(Arc<Mutex<VecDeque<Arc<Draft>>>>);

impl Drafts {
    fn keep(&self, draft: Draft) -> Arc<Draft> {
        let draft = Arc::new(draft);
        let mut drafts = lock(&self.0);
        drafts.push_front(draft.clone());
        drafts.truncate(KEPT);
        while drafts.len() > 1 && drafts.iter().map(|draft| draft.rows.len()).sum::<usize>() > ROWS {
            drafts.pop_back();
        }
        draft
    }

    fn get(&self, id: &str) -> Result<Arc<Draft>, Trouble> {
        let found = lock(&self.0).iter().find(|draft| draft.id == id).cloned();
        found.ok_or_else(|| {
            let why = "It was done, or other files came after it.";
            Trouble::new(StatusCode::NOT_FOUND, "This file is not here any more", why, "Upload it again.")
        })
    }

    fn drop(&self, id: &str) {
        lock(&self.0).retain(|draft| draft.id != id);
    }
}

/// What the page for a file shows.
#[derive(Debug, Serialize)]
struct View {
    /// The file's name, when one was sent.
    name: String,
    /// Of whom it tells.
    kind: Kind,
    /// All that is wrong with it.
    problems: Option<Problems>,
}

impl View {
    fn is_of(&self, word: &str) -> bool {
        (self.kind == Kind::Users) == (word == "users")
    }

    fn told(&self, problems: &Problems) -> String {
        count(problems.count, "mistake")
    }
}

#[derive(Template)]
#[template(path = "html/devices_import.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

/// What the page of a draft shows.
#[derive(Debug, Serialize)]
struct DraftView {
    id: String,
    name: String,
    kind: Kind,
    prune: bool,
    new: usize,
    changed: usize,
    unchanged: usize,
    differences: Vec<Difference>,
    more: usize,
}

impl DraftView {
    fn number(&self, number: impl Borrow<usize>) -> String {
        grouped(*number.borrow())
    }

    fn is_new(&self, difference: &Difference) -> bool {
        difference.state == roster::State::New
    }

    fn place(&self, difference: &Difference) -> String {
        let folder = if self.kind == Kind::Users { "users" } else { "devices" };
        format!("/{folder}/{}", difference.name)
    }
}

#[derive(Template)]
#[template(path = "html/devices_draft.html", config = ".askama.toml")]
struct DraftPage<'a> {
    frame: Frame,
    view: &'a DraftView,
}

fn kind(word: Option<&str>) -> Kind {
    if word == Some("users") { Kind::Users } else { Kind::Devices }
}

pub(super) async fn page(
    wants: Wants,
    visitor: Visitor,
    RawQuery(query): RawQuery,
    frame: Frame,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    let view = View { name: String::new(), kind: kind(fields.get("kind")), problems: None };
    wants.answer(&view, || Page { frame: frame.titled(Section::Devices, "Import"), view: &view })
}

/// A file to begin with.
pub(super) async fn template(_visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    let (name, text) = match kind(fields.get("kind")) {
        Kind::Users => {
            ("users.csv", "user,active,role,location,department\nann@lab.example,yes,developer,berlin,research\n")
        }
        Kind::Devices => {
            ("devices.csv", "mac,persona,user,role,location\n52:54:00:77:00:02,,ann@lab.example,kiosk,hall 2\n")
        }
    };
    let kind = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (kind, text).into_response()
}

pub(super) async fn upload(
    State(web): State<Web>,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let upload = Upload::read(&headers, body).await?;
    let (kind, prune) = (kind(upload.get("kind")), upload.get("prune").is_some());
    let name = upload.name.clone();
    let format = if name.to_lowercase().ends_with(".json") { Format::Json } else { Format::Csv };
    let by = visitor.voice();
    let read = web.blocking(move |web| {
        // What cannot be done is told with the line that asks for it, before anything is kept.
        let good = |rows: Vec<Row>| tried_now(web, &by, &rows, prune).map(|_| rows);
        Ok(roster::read(kind, format, &upload.bytes).and_then(good))
    });
    match read.await? {
        Ok(rows) => {
            let id = format!("{:x}-{}", (web.context.clock)().as_millis(), rows.len());
            let draft = web.devices.drafts.keep(Draft { id, name, kind, prune, rows });
            Ok(Redirect::to(&format!("/devices/import/{}", draft.id)).into_response())
        }
        Err(problems) => {
            let view = View { name, kind, problems: Some(problems) };
            let shown =
                wants.answer(&view, || Page { frame: frame.titled(Section::Devices, "Import"), view: &view })?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
        }
    }
}

fn tried_now(web: &Web, by: &str, rows: &[Row], prune: bool) -> Result<Imported, Problems> {
    let (world, ground) = (web.context.engine.world(), web.context.engine.ground());
    tried(&world, &ground, by, rows, prune, (web.context.clock)())
}

/// What a draft would change now; that it was good once does not say that it still is.
async fn differences(web: &Web, visitor: &Visitor, draft: &Arc<Draft>) -> Result<Imported, Trouble> {
    let (by, draft) = (visitor.voice(), draft.clone());
    let tried = web.blocking(move |web| {
        tried_now(web, &by, &draft.rows, draft.prune).map_err(|problems| {
            let first = problems.told.first().map(ToString::to_string).unwrap_or_default();
            Trouble::bad(first, "Things have changed since the file was read: correct it, and upload it again.")
        })
    });
    tried.await
}

pub(super) async fn draft(
    State(web): State<Web>,
    wants: Wants,
    visitor: Visitor,
    Path(id): Path<String>,
    frame: Frame,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let draft = web.devices.drafts.get(&id)?;
    let mut imported = differences(&web, &visitor, &draft).await?;
    let more = imported.differences.len().saturating_sub(SHOWN);
    imported.differences.truncate(SHOWN);
    let view = DraftView {
        id: draft.id.clone(),
        name: draft.name.clone(),
        kind: draft.kind,
        prune: draft.prune,
        new: imported.new,
        changed: imported.changed,
        unchanged: imported.unchanged,
        differences: imported.differences,
        more,
    };
    let title = format!("Import {}", view.name);
    wants.answer(&view, || DraftPage { frame: frame.titled(Section::Devices, title), view: &view })
}

pub(super) async fn begin(
    State(web): State<Web>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let draft = web.devices.drafts.get(&id)?;
    let imported = differences(&web, &visitor, &draft).await?;
    let task = |difference: Difference| Task { name: difference.name.to_string(), lines: difference.orders };
    let tasks = imported.differences.into_iter().map(task).collect();
    let title = format!("Import {}", draft.name);
    let work = web.devices.works.begin(&web.context, (title, visitor.voice()), tasks, vec![])?;
    web.devices.drafts.drop(&id);
    Ok(Redirect::to(&format!("/devices/work/{}", work.id)).into_response())
}
