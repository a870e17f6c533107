//! `/personas/NAME/diff`: how two versions of a persona differ: in its file, composed, or in what devices read of it.

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
    library::{Paper, Then},
    model::{MacAddr, PersonaName},
    persona::{Persona, render::sample},
};

use super::{
    super::{
        Frame, Trouble, Visitor, Wants, Web,
        code::{self, Row},
    },
    past::Row as Commit,
    told::{self, seen_by},
};

/// How many commits are offered to choose from.
const CHOICE: usize = 30;
/// What the persona is called as it lies in the folder.
const NOW: &str = "now";
/// A device that there is not, for renderings: locally administered.
const SAMPLE: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/personas/{name}/diff", get(page))
}

/// What the page shows.
#[derive(Debug, Serialize)]
struct View {
    name: String,
    from: String,
    to: String,
    /// `file`, `composed` or `rendered`.
    show: &'static str,
    /// The files that differ: one, or one for each rendering.
    files: Vec<File>,
    /// Why a side has nothing to compare.
    notes: Vec<String>,
    commits: Vec<Commit>,
}

/// A file of a difference.
#[derive(Debug, Serialize)]
struct File {
    name: String,
    rows: Vec<Row>,
    added: usize,
    cut: usize,
}

#[derive(Template)]
#[template(path = "html/persona_diff.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

impl View {
    /// The fields of the form, with what they say.
    fn sides(&self) -> [(&'static str, &str); 2] {
        [("from", &self.from), ("to", &self.to)]
    }

    /// Whether a revision is one of those to choose from.
    fn is_listed(&self, revision: &str) -> bool {
        self.commits.iter().any(|commit| commit.short == revision)
    }

    /// The address of the same comparison of something else.
    fn link(&self, show: &str) -> String {
        let mut link = form_urlencoded::Serializer::new(String::new());
        link.append_pair("from", &self.from).append_pair("to", &self.to).append_pair("show", show);
        format!("/personas/{}/diff?{}", self.name, link.finish())
    }
}

async fn page(
    State(web): State<Web>,
    Path(name): Path<String>,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    let name = told::name(&name)?;
    let query = query.unwrap_or_default();
    let asked = |field: &str| {
        let found = form_urlencoded::parse(query.as_bytes()).find(|(key, value)| key == field && !value.is_empty());
        found.map(|(_, value)| value.into_owned())
    };
    let show = match asked("show").as_deref() {
        Some("composed") => "composed",
        Some("rendered") => "rendered",
        _ => "file",
    };
    let (from, to, of) = (asked("from"), asked("to"), name.clone());
    let view = web.blocking(move |web| view(web, &of, from, to, show, &visitor)).await?;
    wants.answer(&view, || Page { frame: told::titled(frame, &name, "differences"), view: &view })
}

fn view(
    web: &Web,
    name: &PersonaName,
    from: Option<String>,
    to: Option<String>,
    show: &'static str,
    visitor: &Visitor,
) -> Result<View, Trouble> {
    let commits = web.commits(name, 0, CHOICE).map(|commits| commits.to_vec()).unwrap_or_default();
    let library = web.context.library.view();
    let status = library.statuses.iter().find(|status| status.name == name.as_str());
    if commits.is_empty() && status.is_none() {
        return Err(Trouble::not_found("persona", name));
    }
    // What was edited since the last commit, or else what the last commit changed.
    let last = usize::from(status.is_some_and(|status| !status.dirty) && commits.len() > 1);
    let from = from.or_else(|| commits.get(last).map(|commit| commit.short.clone())).unwrap_or_else(|| NOW.into());
    let to = to.unwrap_or_else(|| NOW.into());
    let mut notes = vec![];
    let mut texts = |revision: &str| -> Result<Vec<(String, String)>, Trouble> {
        let (texts, note) = side(web, name, revision, show)?;
        notes.extend(note);
        Ok(texts.into_iter().map(|(file, text)| (file, seen_by(visitor, text))).collect())
    };
    let (old, new) = (texts(&from)?, texts(&to)?);
    let files = compared(&old, &new);
    Ok(View { name: name.to_string(), from, to, show, files, notes, commits })
}

/// One side of a comparison: its files (name and text), and why there are none.
type Side = (Vec<(String, String)>, Option<String>);

/// Reads one side.
fn side(web: &Web, name: &PersonaName, revision: &str, show: &'static str) -> Result<Side, Trouble> {
    let own = format!("{name}.yaml");
    let (file, then) = if revision == NOW {
        let sheet =
            web.context.library.desk().read(&Paper::Persona(name.clone())).map_err(|error| told::not_saved(&error))?;
        let ground = web.context.engine.ground();
        let persona = ground.catalog.persona(name).map(|entry| entry.persona.clone());
        (sheet.text, persona.ok_or("There is no good version of it now: devices get none."))
    } else {
        let commit = web.resolve(name, revision)?;
        let failed = |error| Trouble::bad(error, "The persona's history lists its versions.");
        let glance = web.glance(name, &commit).map_err(failed)?;
        let then = match &glance.then {
            Then::Good(found) => Ok(found.persona.clone()),
            Then::Broken(_) => Err("It was not good then: only its file can be compared."),
            Then::Absent => Err("There was no such persona then."),
        };
        (glance.text.clone().unwrap_or_default(), then)
    };
    if show == "file" {
        return Ok((vec![(own, file)], None));
    }
    let persona: &Persona = match &then {
        Ok(persona) => persona,
        Err(why) => return Ok((vec![], Some(format!("{revision}: {why}")))),
    };
    if show == "composed" {
        return Ok((vec![(own, yaml::to_string(persona))], None));
    }
    let ground = web.context.engine.ground();
    let device = MacAddr::new(SAMPLE).map_err(Trouble::bug)?;
    let files = sample(name.as_str(), persona, device, &ground.site.mirrors);
    Ok((files.into_iter().map(|(file, text)| (file.to_owned(), text)).collect(), None))
}

/// The files that are not the same on both sides, in the order of the newer one.
fn compared(old: &[(String, String)], new: &[(String, String)]) -> Vec<File> {
    let text = |side: &[(String, String)], name: &str| {
        side.iter().find(|(file, _)| file == name).map(|(_, text)| text.clone()).unwrap_or_default()
    };
    let gone = old.iter().filter(|(file, _)| !new.iter().any(|(other, _)| other == file));
    let file = |(name, _): &(String, String)| {
        let rows = code::diff(&text(old, name), &text(new, name));
        let count = |class| rows.iter().filter(|row| row.class == class).count();
        File { name: name.clone(), added: count("add"), cut: count("cut"), rows }
    };
    new.iter().chain(gone).map(file).filter(|file| !file.rows.is_empty()).collect()
}
