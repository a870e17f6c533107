//! `/personas`: which there are, and how they stand. A list of a thousand costs one look at what is in memory.

use std::{cmp::Reverse, collections::BTreeMap, collections::BTreeSet};

use askama::Template;
use axum::{
    Router,
    extract::{RawQuery, State},
    response::Response,
    routing::get,
};
use serde::Serialize;

use crate::{
    library::{Paper, Status, View as Library},
    model::PersonaName,
    persona::catalog::{Catalog, Entry},
};

use super::{
    super::{
        Frame, Trouble, Visitor, Wants, Web,
        census::{Count, Sums},
        frame::Section,
    },
    told::{self, Flaw},
    used::composed_of,
};

/// How many rows a page has.
const ROWS: usize = 50;
/// How many problems are shown at once.
const FLAWS: usize = 30;
/// How many on demand: more make a page of half a megabyte, and the command line tells all.
const MOST_FLAWS: usize = 200;
/// How many labels are offered to choose from.
const LABELS: usize = 200;

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/personas", get(page))
}

/// What is asked for.
#[derive(Debug, Default, Serialize)]
struct Ask {
    tab: String,
    q: String,
    label: String,
    state: String,
    sort: String,
    page: usize,
    problems: bool,
}

impl Ask {
    fn of(query: &str) -> Self {
        let mut ask = Self { page: 1, ..Self::default() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim().to_owned();
            match &*name {
                "tab" => ask.tab = value,
                "q" => ask.q = value,
                "label" => ask.label = value,
                "state" => ask.state = value,
                "sort" => ask.sort = value,
                "page" => ask.page = value.parse().unwrap_or(1).max(1),
                "problems" => ask.problems = value == "all",
                _ => {}
            }
        }
        ask
    }

    /// The address of the same list, otherwise.
    fn link(&self, name: &str, value: &str) -> String {
        let mut link = form_urlencoded::Serializer::new(String::new());
        let page = if name == "page" { value.to_owned() } else { String::new() };
        for (field, now) in [
            ("tab", &self.tab),
            ("q", &self.q),
            ("label", &self.label),
            ("state", &self.state),
            ("sort", &self.sort),
            ("page", &page),
        ] {
            let value = if field == name { value } else { now.as_str() };
            if !value.is_empty() {
                link.append_pair(field, value);
            }
        }
        format!("/personas?{}", link.finish())
    }

    fn by(&self, column: &str) -> String {
        self.link("sort", column)
    }
}

/// What the list shows.
#[derive(Debug, Serialize)]
struct View {
    ask: Ask,
    /// How many personas there are, and how many fit.
    all: usize,
    count: usize,
    pages: usize,
    rows: Vec<Row>,
    fragments: Vec<Part>,
    labels: Vec<String>,
    /// What is wrong in the library.
    flaws: Vec<Flaw>,
    /// How many problems there are, errors among them.
    problems: usize,
    errors: usize,
    /// How many personas stand so.
    broken: usize,
    dirty: usize,
    /// What is said of the library as a whole.
    notes: Vec<String>,
}

/// A persona of the list.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    /// Whether it has a page: what is no name has none.
    named: bool,
    description: String,
    effect: Option<String>,
    labels: Vec<String>,
    state: String,
    badge: &'static str,
    dirty: bool,
    version: Option<String>,
    commit: Option<String>,
    image: Option<String>,
    /// Whether that image is in the library.
    imaged: bool,
    devices: Count,
}

/// A fragment of the list.
#[derive(Debug, Serialize)]
struct Part {
    name: String,
    used_by: Vec<String>,
    flaws: usize,
}

impl View {
    /// Whether as many problems are shown as ever are.
    fn all_flaws(&self) -> bool {
        self.flaws.len() >= MOST_FLAWS
    }
}

#[derive(Template)]
#[template(path = "html/persona_list.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

async fn page(
    State(web): State<Web>,
    wants: Wants,
    _visitor: Visitor,
    frame: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    let ask = Ask::of(&query.unwrap_or_default());
    let view = web.blocking(|web| Ok(view(web, ask))).await?;
    wants.answer(&view, || Page { frame: frame.titled(Section::Personas, "Personas"), view: &view })
}

fn view(web: &Web, ask: Ask) -> View {
    let (library, ground) = (web.context.library.view(), web.context.engine.ground());
    let (sums, dir) = (web.sums(), web.context.library.desk().dir());
    let catalog = &ground.catalog;
    let entry = |status: &Status| status.name.parse().ok().and_then(|name: PersonaName| catalog.persona(&name));
    let fits = |status: &&Status| is_wanted(&ask, status, entry(status));
    let mut fitting: Vec<&Status> = library.statuses.iter().filter(fits).collect();
    sort(&mut fitting, &ask.sort, &sums, catalog);
    let pages = fitting.len().div_ceil(ROWS).max(1);
    let page = ask.page.min(pages);
    let shown = fitting.iter().skip((page - 1) * ROWS).take(ROWS);
    let rows = shown.map(|status| row(status, entry(status), &sums, catalog)).collect();
    let errors = library.problems.iter().filter(|problem| problem.is_error()).count();
    let mut problems: Vec<_> = library.problems.iter().collect();
    problems.sort_by_key(|problem| Reverse(problem.is_error()));
    let most = if ask.problems { MOST_FLAWS } else { FLAWS };
    View {
        all: library.statuses.len(),
        count: fitting.len(),
        pages,
        rows,
        fragments: if ask.tab == "fragments" { fragments(web, &library, &ask.q) } else { vec![] },
        labels: labels(catalog),
        flaws: problems.iter().take(most).map(|problem| Flaw::of(problem, dir)).collect(),
        problems: library.problems.len(),
        errors,
        broken: library.statuses.iter().filter(|status| status.state.is_broken()).count(),
        dirty: library.statuses.iter().filter(|status| status.dirty).count(),
        notes: notes(web, &library),
        ask: Ask { page, ..ask },
    }
}

/// Whether a persona is one of those that are asked for.
fn is_wanted(ask: &Ask, status: &Status, entry: Option<&Entry>) -> bool {
    let stands = match ask.state.as_str() {
        "broken" => status.state.is_broken(),
        "dirty" => status.dirty,
        "good" => !status.dirty && !status.state.is_broken(),
        _ => true,
    };
    let labels = entry.map(|entry| &entry.persona.labels);
    let labelled = ask.label.is_empty()
        || labels.is_some_and(|labels| {
            labels.iter().any(|(key, value)| *key == ask.label || label(key, value) == ask.label)
        });
    let word = ask.q.to_lowercase();
    let holds = |text: &str| text.to_lowercase().contains(&word);
    let named = || holds(&status.name);
    let described = || entry.is_some_and(|entry| holds(&entry.persona.description));
    let labels = || labels.is_some_and(|labels| labels.iter().any(|(key, value)| holds(&label(key, value))));
    stands && labelled && (word.is_empty() || named() || described() || labels())
}

/// A label as it is written and asked for.
pub(super) fn label(key: &str, value: &str) -> String {
    format!("{key}={value}")
}

fn labels(catalog: &Catalog) -> Vec<String> {
    let all = catalog.personas().flat_map(|entry| entry.persona.labels.iter());
    let all: BTreeSet<String> = all.map(|(key, value)| label(key, value)).collect();
    all.into_iter().take(LABELS).collect()
}

fn sort(statuses: &mut [&Status], by: &str, sums: &Sums, catalog: &Catalog) {
    let count = |status: &Status| {
        let count = status.name.parse().ok().map(|name: PersonaName| sums.of(&name));
        count.unwrap_or_default()
    };
    match by {
        "state" => statuses.sort_by_key(|status| Reverse((status.state, status.dirty))),
        "devices" => statuses.sort_by_cached_key(|status| Reverse((count(status).has, count(status).assigned))),
        "assigned" => statuses.sort_by_cached_key(|status| Reverse(count(status).assigned)),
        "effect" => statuses.sort_by_cached_key(|status| {
            let entry = status.name.parse().ok().and_then(|name: PersonaName| catalog.persona(&name));
            entry.map_or_else(String::new, |entry| entry.persona.effect().to_string())
        }),
        "image" => statuses.sort_by_cached_key(|status| {
            let entry = status.name.parse().ok().and_then(|name: PersonaName| catalog.persona(&name));
            entry.map_or_else(String::new, |entry| entry.persona.image().to_string())
        }),
        // They come by name.
        _ => {}
    }
}

fn row(status: &Status, entry: Option<&Entry>, sums: &Sums, catalog: &Catalog) -> Row {
    let name: Option<PersonaName> = status.name.parse().ok();
    let persona = entry.map(|entry| &entry.persona);
    Row {
        name: status.name.clone(),
        named: name.is_some(),
        description: persona.map(|persona| persona.description.clone()).unwrap_or_default(),
        effect: persona.map(|persona| persona.effect().to_string()),
        labels: persona
            .map(|persona| persona.labels.iter().map(|(key, value)| label(key, value)).collect())
            .unwrap_or_default(),
        state: status.state.to_string(),
        badge: told::badge(status.state),
        dirty: status.dirty,
        version: status.version.as_ref().map(ToString::to_string),
        commit: status.commit.as_ref().map(ToString::to_string),
        image: persona.map(|persona| persona.image().to_string()),
        imaged: persona.is_some_and(|persona| catalog.image(persona.image()).is_some()),
        devices: name.map(|name| sums.of(&name)).unwrap_or_default(),
    }
}

fn fragments(web: &Web, library: &Library, word: &str) -> Vec<Part> {
    let desk = web.context.library.desk();
    let mut flawed: BTreeMap<&str, usize> = BTreeMap::new();
    for problem in library.problems.iter().filter(|problem| problem.is_error()) {
        *flawed.entry(problem.path.as_str()).or_default() += 1;
    }
    let names = desk.fragments().into_iter().filter(|name| name.as_str().contains(word));
    let part = |name: PersonaName| {
        let path = desk.dir().join(format!("fragments/{name}.yaml")).display().to_string();
        Part {
            flaws: flawed.get(path.as_str()).copied().unwrap_or_default(),
            used_by: composed_of(library, &Paper::Fragment(name.clone())),
            name: name.to_string(),
        }
    };
    names.map(part).collect()
}

/// What is said of the library as a whole: where its commits go, and come from.
fn notes(web: &Web, library: &Library) -> Vec<String> {
    let mut notes: Vec<String> = told::history(library).into_iter().collect();
    if let Some(count @ 1..) = web.unpushed() {
        let commits = if count == 1 { "1 commit is".to_owned() } else { format!("{count} commits are") };
        notes.push(format!(
            "{commits} in this library and not at its upstream. `git push` there: once both have commits that the other \
             has not, nothing is pulled any more until somebody merges them."
        ));
    }
    notes.extend(web.context.health().troubles.remove("library remote"));
    notes
}
