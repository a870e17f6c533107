//! `/personas/NAME/history`: the commits that touched a persona; `/personas/NAME/at/REV`: as it was. A persona that was removed
//! has a history, too.

use askama::Template;
use axum::{
    Router,
    extract::{Path, RawQuery, State},
    response::Response,
    routing::get,
};
use serde::Serialize;

use crate::{
    document::yaml,
    library::{Base, Paper, Then},
    model::Moment,
};

use super::{
    super::{Frame, Trouble, Visitor, Wants, Web, code::masked},
    past::Row,
    told::{self, seen_by},
};

/// How many commits a page has.
const ROWS: usize = 25;

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/personas/{name}/history", get(list)).route("/personas/{name}/at/{revision}", get(then))
}

/// What the history shows.
#[derive(Debug, Serialize)]
struct ListView {
    name: String,
    page: usize,
    commits: Vec<Row>,
    /// Whether there are older ones.
    more: bool,
    /// Whether it is in the library now.
    there: bool,
    notes: Vec<String>,
}

#[derive(Template)]
#[template(path = "html/persona_history.html", config = ".askama.toml")]
struct ListPage<'a> {
    frame: Frame,
    view: &'a ListView,
}

async fn list(
    State(web): State<Web>,
    Path(name): Path<String>,
    wants: Wants,
    _visitor: Visitor,
    frame: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    let name = told::name(&name)?;
    let query = query.unwrap_or_default();
    let page = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "page");
    let page: usize = page.and_then(|(_, page)| page.parse().ok()).unwrap_or(1).clamp(1, 100_000);
    let asked = name.clone();
    let view = web
        .blocking(move |web| {
            let library = web.context.library.view();
            let there = library.statuses.iter().any(|status| status.name == asked.as_str());
            // One more tells whether there are older ones.
            let (mut commits, why) = match web.commits(&asked, (page - 1) * ROWS, ROWS + 1) {
                Ok(commits) => (commits.to_vec(), None),
                Err(error) => (vec![], Some(error.to_string())),
            };
            if commits.is_empty() && !there && page == 1 && why.is_none() {
                return Err(Trouble::not_found("persona", &asked));
            }
            let more = commits.len() > ROWS;
            commits.truncate(ROWS);
            let notes = told::history(&library).or(why).into_iter().collect();
            Ok(ListView { name: asked.to_string(), page, commits, more, there, notes })
        })
        .await?;
    wants.answer(&view, || ListPage { frame: told::titled(frame, &name, "history"), view: &view })
}

/// What a persona was.
#[derive(Debug, Serialize)]
struct ThenView {
    name: String,
    /// As it was asked for, and the commit that it means.
    revision: String,
    commit: String,
    short: String,
    at: Option<Moment>,
    author: String,
    subject: String,
    version: Option<String>,
    description: String,
    /// Why it has none.
    problems: Vec<String>,
    /// Whether there was one.
    there: bool,
    /// Whether it says the same now.
    current: bool,
    /// What a revert is based on: the file as it is now.
    base: Base,
    written: String,
    composed: String,
}

#[derive(Template)]
#[template(path = "html/persona_then.html", config = ".askama.toml")]
struct ThenPage<'a> {
    frame: Frame,
    view: &'a ThenView,
}

async fn then(
    State(web): State<Web>,
    Path((name, revision)): Path<(String, String)>,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    let name = told::name(&name)?;
    let asked = name.clone();
    let view = web
        .blocking(move |web| {
            let commit = web.resolve(&asked, &revision)?;
            let help = "The persona's history lists its versions.";
            let failed = |error| Trouble::bad(error, help);
            let glance = web.glance(&asked, &commit).map_err(failed)?;
            let logged = web.logged(&commit).map_err(failed)?;
            let written = glance.text.clone().unwrap_or_default();
            let now = web
                .context
                .library
                .desk()
                .read(&Paper::Persona(asked.clone()))
                .map_err(|error| told::not_saved(&error))?;
            let current = now.text == written;
            let written = seen_by(&visitor, written);
            let (version, description, composed, problems) = match &glance.then {
                Then::Good(found) => (
                    Some(found.reference.version.to_string()),
                    found.persona.description.clone(),
                    seen_by(&visitor, yaml::to_string(&*found.persona)),
                    vec![],
                ),
                Then::Broken(problems) => {
                    (None, String::new(), String::new(), problems.iter().map(|problem| masked(problem)).collect())
                }
                Then::Absent => (None, String::new(), String::new(), vec![]),
            };
            Ok(ThenView {
                name: asked.to_string(),
                revision,
                short: commit.to_string(),
                commit: commit.as_str().to_owned(),
                at: logged.as_ref().map(|logged| logged.at),
                author: logged.as_ref().map(|logged| logged.author.clone()).unwrap_or_default(),
                subject: logged.map(|logged| logged.subject).unwrap_or_default(),
                version,
                description,
                problems,
                there: !matches!(glance.then, Then::Absent),
                current,
                base: now.base,
                written,
                composed,
            })
        })
        .await?;
    let title = format!("as of {}", view.short);
    wants.answer(&view, || ThenPage { frame: told::titled(frame, &name, &title), view: &view })
}
