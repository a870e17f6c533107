//! `/personas/NAME`: what a persona says and does, who has it, and how it came to be so.

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
    library::Status,
    model::{Device, DeviceId, Moment, PersonaName, timeline::Boot},
    persona::{Persona, catalog::Entry},
    usage::timeline,
    world::World,
};

use super::{
    super::{
        Frame, Trouble, Visitor, Wants, Web, boot,
        census::{Count, Rows, assigned, has},
        word::encoded,
    },
    list::label,
    past::Row as Commit,
    told::{self, Flaw, seen_by},
    used::Used,
};

/// How many devices, boots and commits are shown.
const DEVICES: usize = 20;
const BOOTS: usize = 12;
const COMMITS: usize = 6;

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/personas/{name}", get(page))
}

/// What the page shows.
#[derive(Debug, Serialize)]
struct View {
    name: String,
    /// How it stands.
    state: String,
    badge: &'static str,
    dirty: bool,
    version: Option<String>,
    commit: Option<String>,
    /// What it says, when it was ever good.
    facts: Option<Facts>,
    /// Which of its texts is shown: `composed`, `written` or `origins`.
    shown: &'static str,
    text: String,
    flaws: Vec<Flaw>,
    used: Used,
    devices: Vec<DeviceRow>,
    count: Count,
    /// Where all of its devices are listed.
    all_devices: String,
    boots: Vec<BootRow>,
    commits: Vec<Commit>,
    /// Why there are none, when that is not the answer.
    no_commits: Option<String>,
    notes: Vec<String>,
}

/// What a persona says of itself.
#[derive(Debug, Serialize)]
struct Facts {
    description: String,
    owner: Option<String>,
    effect: String,
    labels: Vec<String>,
    target: String,
    extends: Vec<String>,
    supersedes: Vec<String>,
    image: String,
    /// Whether it is in the library; its files, with where their bytes are.
    imaged: bool,
    files: Vec<FileRow>,
}

/// A file of its image.
#[derive(Debug, Serialize)]
struct FileRow {
    role: String,
    tier: &'static str,
    size: Option<String>,
}

/// A device that has it, or is to have it.
#[derive(Debug, Serialize)]
struct DeviceRow {
    device: String,
    what: String,
    /// Whether it has it; else it is to get it.
    has: bool,
    assigned: bool,
    installed: bool,
    seen: Option<Moment>,
}

/// A boot with it.
#[derive(Debug, Serialize)]
struct BootRow {
    boot: String,
    device: String,
    state: &'static str,
    badge: &'static str,
    began: Moment,
    took: String,
    version: String,
    /// Whether that is the version that is served now.
    current: bool,
}

#[derive(Template)]
#[template(path = "html/persona.html", config = ".askama.toml")]
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
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    let name = told::name(&name)?;
    let shown = match form_urlencoded::parse(query.unwrap_or_default().as_bytes()).find(|(key, _)| key == "show") {
        Some((_, show)) if show == "written" => "written",
        Some((_, show)) if show == "origins" => "origins",
        _ => "composed",
    };
    let asked = name.clone();
    let view = web.blocking(move |web| view(web, &asked, shown, &visitor)).await?;
    wants.answer(&view, || Page { frame: told::titled(frame, &name, ""), view: &view })
}

fn view(web: &Web, name: &PersonaName, shown: &'static str, visitor: &Visitor) -> Result<View, Trouble> {
    let library = web.context.library.view();
    let Some(status) = library.statuses.iter().find(|status| status.name == name.as_str()) else {
        return Err(gone(web, name));
    };
    let (world, ground) = (web.context.engine.world(), web.context.engine.ground());
    let (now, desk) = ((web.context.clock)(), web.context.library.desk());
    let paper = crate::library::Paper::Persona(name.clone());
    let entry = ground.catalog.persona(name);
    let document = library.documents.get(name);
    let written = || desk.read(&paper).map(|sheet| sheet.text).unwrap_or_default();
    let dir = desk.dir();
    let shorten = |path: &str| {
        std::path::Path::new(path).strip_prefix(dir).map_or(path.into(), |path| path.display().to_string())
    };
    // A persona that was never good has no other text than its file's.
    let (shown, text) = match (shown, entry, document) {
        ("composed", Some(entry), _) => ("composed", yaml::to_string(&*entry.persona)),
        ("origins", _, Some(document)) => ("origins", document.with_origins(shorten)),
        _ => ("written", written()),
    };
    let text = seen_by(visitor, text);
    let own = library.files.get(name.as_str());
    let is_own = |file: &str| {
        let bare = ["yaml", "yml"].map(|ending| format!("{name}.{ending}"));
        bare.iter().any(|bare| bare == file) || own.is_some_and(|files| files.iter().any(|known| known == file))
    };
    let flaws = library.problems.iter().map(|problem| Flaw::of(problem, dir)).filter(|flaw| is_own(&flaw.file));
    let (commits, no_commits) = match web.commits(name, 0, COMMITS) {
        Ok(commits) => (commits.to_vec(), None),
        Err(error) => (vec![], Some(error.to_string())),
    };
    Ok(View {
        name: name.to_string(),
        facts: entry.map(|entry| facts(web, entry)),
        shown,
        text,
        flaws: flaws.collect(),
        used: Used::of(web, &paper),
        devices: devices(web, &world, name, now),
        count: web.sums().of(name),
        all_devices: format!("/devices?q={}", encoded(&format!("persona={name}"))),
        boots: boots(&world, name, status, now),
        commits,
        no_commits,
        notes: told::history(&library).into_iter().collect(),
        badge: told::badge(status.state),
        state: status.state.to_string(),
        dirty: status.dirty,
        version: status.version.as_ref().map(ToString::to_string),
        commit: status.commit.as_ref().map(ToString::to_string),
    })
}

/// What is said of a persona that is not there: there may be one of nearly that name, or it may have been.
fn gone(web: &Web, name: &PersonaName) -> Trouble {
    let was = web.commits(name, 0, 1).is_ok_and(|commits| !commits.is_empty());
    let library = web.context.library.view();
    let names: Vec<&str> = library.statuses.iter().map(|status| status.name.as_str()).collect();
    let meant = crate::document::did_you_mean(name.as_str(), &names);
    let help = match (was, meant.starts_with("did")) {
        (true, _) => format!("There was one: /personas/{name}/history has it, and can bring it back."),
        (false, true) => format!("D{}", &meant[1..]),
        (false, false) => "The list of personas has what is there.".into(),
    };
    Trouble::new(
        axum::http::StatusCode::NOT_FOUND,
        "There is no such persona",
        format!("No file of the library is {name}.yaml."),
        help,
    )
}

fn facts(web: &Web, entry: &Entry) -> Facts {
    let persona: &Persona = &entry.persona;
    let ground = web.context.engine.ground();
    let image = ground.catalog.image(persona.image());
    let file = |(role, file): (&crate::model::image::Role, &crate::model::image::ImageFile)| {
        let status = web.context.images.status(&file.sha256);
        FileRow {
            role: role.to_string(),
            tier: status.tier.word(),
            size: status.len.or(file.size).map(|size| size.to_string()),
        }
    };
    Facts {
        description: persona.description.clone(),
        owner: persona.owner.clone(),
        effect: persona.effect().to_string(),
        labels: persona.labels.iter().map(|(key, value)| label(key, value)).collect(),
        target: persona.target().to_string(),
        extends: persona.extends.clone(),
        supersedes: persona.supersedes.iter().map(ToString::to_string).collect(),
        image: persona.image().to_string(),
        imaged: image.is_some(),
        files: image.map(|image| image.files.iter().map(file).collect()).unwrap_or_default(),
    }
}

/// The first devices that have it or are to have it: those that have it first.
fn devices(web: &Web, world: &World, name: &PersonaName, now: Moment) -> Vec<DeviceRow> {
    let row = |device: &Device| {
        let hardware = &device.hardware;
        let words = [hardware.manufacturer.as_deref(), hardware.product.as_deref()];
        DeviceRow {
            device: device.id.to_string(),
            what: words.into_iter().flatten().collect::<Vec<_>>().join(" "),
            has: has(device) == Some(name),
            assigned: assigned(device, now) == Some(name),
            installed: device.installed.as_ref().is_some_and(|installed| installed.persona.name == *name),
            seen: device.seen.map(|seen| seen.last),
        }
    };
    let shown = web.rows(|rows| first(rows, name.as_str()));
    shown.iter().filter_map(|device| world.devices.get(device)).map(row).collect()
}

/// Their names. One pass over what was counted.
fn first(rows: &Rows, name: &str) -> Vec<DeviceId> {
    let (mut having, mut waiting) = (vec![], vec![]);
    for (device, row) in rows {
        if row.has.as_deref() == Some(name) {
            having.push(*device);
        } else if waiting.len() < DEVICES && row.assigned.as_deref() == Some(name) {
            waiting.push(*device);
        }
        if having.len() == DEVICES {
            break;
        }
    }
    having.into_iter().chain(waiting).take(DEVICES).collect()
}

/// The last boots with it, and how they went.
fn boots(world: &World, name: &PersonaName, status: &Status, now: Moment) -> Vec<BootRow> {
    let with = |boot: &&Boot| boot.kernel.as_ref().is_some_and(|kernel| kernel.persona.name == *name);
    let row = |boot: &Boot| {
        let version = boot.kernel.as_ref().map(|kernel| kernel.persona.version.clone());
        BootRow {
            boot: boot.id.to_string(),
            device: boot.device.to_string(),
            state: timeline::state(boot),
            badge: boot::tone(boot),
            began: boot.began,
            took: timeline::took(boot, now).to_string(),
            current: version.is_some() && version == status.version,
            version: version.map(|version| version.to_string()).unwrap_or_default(),
        }
    };
    world.recent_boots().filter(with).take(BOOTS).map(row).collect()
}
