//! `/personas`: what devices can become.

use std::collections::BTreeMap;

use aide::axum::{ApiRouter, routing::get_with};
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    library::Status,
    model::{Effect, Moment, PersonaName},
    world::nearest,
};

use super::{
    Api,
    ask::{Asked, Named},
    caller::{Caller, Read},
    page::{Cursor, Limit, Page},
    problem::Problem,
    shape::{self, Time},
    tag::Tagged,
};

/// A persona of the library.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Persona")]
struct PersonaView {
    /// Its name.
    #[schemars(with = "shape::Name")]
    persona: String,
    /// How it stands: `good`, `dirty` (no commit says the same) or `broken` (its files are not good).
    state: String,
    /// The version that devices get: a git blob id. A broken persona may have one from before.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// The commit that holds that version.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    /// What it is, in a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// What it does to disks.
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<EffectView>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// Free words.
    #[schemars(default)]
    labels: BTreeMap<String, String>,
}

/// What becoming a persona does to a device's disks.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Effect")]
#[serde(rename_all = "lowercase")]
enum EffectView {
    /// It leaves them alone.
    Ephemeral,
    /// It wipes one: a device must be armed.
    Destructive,
}

/// A persona with the versions of it that devices booted.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PersonaDetail")]
struct DetailView {
    /// The persona.
    #[serde(flatten)]
    persona: PersonaView,
    /// The versions that devices booted lately, the latest first.
    versions: Vec<VersionView>,
}

/// A version that was booted.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PersonaVersion")]
struct VersionView {
    /// Its git blob id.
    version: String,
    /// How many boots, of those that are at hand.
    boots: usize,
    /// When the latest of them began.
    last: Time,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Which {
    /// The name of the persona.
    #[schemars(with = "shape::Name")]
    persona: PersonaName,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListAsk {
    /// At most so many.
    #[serde(default)]
    limit: Limit,
    /// Where the page begins: the `next` of the page before.
    cursor: Option<Cursor>,
}

pub(super) fn routes() -> ApiRouter<Api> {
    let list = get_with(list, |op| op.id("listPersonas").tag("personas").summary("List personas"));
    let one = get_with(show, |op| {
        op.id("getPersona").tag("personas").summary("Get a persona, with the versions that devices booted")
    });
    ApiRouter::new().api_route("/personas", list).api_route("/personas/{persona}", one)
}

fn view(api: &Api, status: &Status) -> PersonaView {
    let ground = api.context.engine.ground();
    let entry = status.name.parse().ok().and_then(|name: PersonaName| ground.catalog.persona(&name));
    PersonaView {
        persona: status.name.clone(),
        state: status.state.name().to_owned(),
        version: status.version.as_ref().map(|version| version.as_str().to_owned()),
        commit: status.commit.as_ref().map(|commit| commit.as_str().to_owned()),
        description: entry.map(|entry| entry.persona.description.clone()),
        effect: entry.map(|entry| match entry.persona.effect() {
            Effect::Ephemeral => EffectView::Ephemeral,
            Effect::Destructive => EffectView::Destructive,
        }),
        owner: entry.and_then(|entry| entry.persona.owner.clone()),
        labels: entry.map(|entry| entry.persona.labels.clone()).unwrap_or_default(),
    }
}

async fn list(
    _: Caller<Read>,
    State(api): State<Api>,
    Asked(ask): Asked<ListAsk>,
) -> Result<Page<PersonaView>, Problem> {
    let after: Option<String> = ask.cursor.as_ref().map(Cursor::key).transpose()?;
    let library = api.context.library.view();
    // What cannot be a persona's name is a file that is none: the command line tells of those.
    let personas = library.statuses.iter().filter(|status| status.name.parse::<PersonaName>().is_ok());
    let personas = personas.filter(|status| after.as_ref().is_none_or(|after| status.name > *after));
    Ok(Page::of(personas, ask.limit, |status| status.name.clone(), |status| view(&api, status)))
}

async fn show(
    _: Caller<Read>,
    State(api): State<Api>,
    Named(which): Named<Which>,
) -> Result<Tagged<DetailView>, Problem> {
    let library = api.context.library.view();
    let name = which.persona.to_string();
    let Some(status) = library.statuses.iter().find(|status| status.name == name) else {
        let names: Vec<String> = library.statuses.iter().map(|status| status.name.clone()).collect();
        let problem = Problem::not_found(format!("persona {name} is not in the library"));
        return Err(problem.parameter("persona", nearest(names.iter(), &name).cloned()));
    };
    let world = api.context.engine.world();
    let mut versions: BTreeMap<String, (usize, Moment)> = BTreeMap::new();
    for boot in world.boots.values() {
        if let Some(booted) =
            boot.kernel.as_ref().map(|kernel| &kernel.persona).filter(|booted| booted.name == which.persona)
        {
            let (boots, last) = versions.entry(booted.version.as_str().to_owned()).or_default();
            *boots += 1;
            *last = boot.began.max(*last);
        }
    }
    let mut versions: Vec<(String, (usize, Moment))> = versions.into_iter().collect();
    versions.sort_by_key(|(_, (_, last))| std::cmp::Reverse(*last));
    let versions =
        versions.into_iter().map(|(version, (boots, last))| VersionView { version, boots, last: Time::of(last) });
    Ok(Tagged::new(DetailView { persona: view(&api, status), versions: versions.collect() }))
}
