//! `/boots`: attempts to boot, and their timelines.

use std::ops::Bound;

use aide::axum::{ApiRouter, routing::get_with};
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    model::{BootId, MacAddr, timeline::Boot},
    usage::timeline::{self, Line},
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

/// An attempt to boot.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Boot")]
struct BootView {
    /// Its name.
    #[schemars(with = "shape::BootText")]
    boot: String,
    /// Whose it is.
    #[schemars(with = "shape::Mac")]
    device: MacAddr,
    /// How it stands, in a word: how far it has come, or how it ended.
    state: String,
    /// When it began.
    began: Time,
    /// When it took its latest step.
    last: Time,
    /// What the device becomes, and why, in a sentence.
    reason: String,
    /// The persona whose kernel it was told to load.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::Name>")]
    persona: Option<String>,
    /// Which version of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

/// An attempt with its timeline.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BootTimeline")]
struct TimelineView {
    /// The attempt.
    #[serde(flatten)]
    boot: BootView,
    /// Its steps, in order.
    timeline: Vec<StepView>,
}

/// A step of an attempt.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Step")]
struct StepView {
    /// When, in milliseconds since the attempt began.
    at_ms: u64,
    /// What: `discover`, `kernel`, `seed`, …
    what: String,
    /// More of it, for people.
    detail: String,
    /// How long it took, in milliseconds, when that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<u64>,
    /// Whether it is bad.
    bad: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Which {
    /// The name of the attempt.
    #[schemars(with = "shape::BootText")]
    boot: BootId,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListAsk {
    /// Only those of the device with this port.
    #[schemars(with = "Option<shape::Mac>")]
    device: Option<MacAddr>,
    /// At most so many.
    #[serde(default)]
    limit: Limit,
    /// Where the page begins: the `next` of the page before.
    cursor: Option<Cursor>,
}

pub(super) fn routes() -> ApiRouter<Api> {
    let list = get_with(list, |op| {
        op.id("listBoots")
            .tag("boots")
            .summary("List boots")
            .description("The latest first; the last 5,000 are kept at hand.")
    });
    let one = get_with(show, |op| op.id("getBoot").tag("boots").summary("Get a boot with its timeline"));
    ApiRouter::new().api_route("/boots", list).api_route("/boots/{boot}", one)
}

fn view(boot: &Boot) -> BootView {
    let persona = boot.kernel.as_ref().map(|kernel| &kernel.persona);
    BootView {
        boot: boot.id.to_string(),
        device: boot.device.mac(),
        state: timeline::state(boot).to_owned(),
        began: Time::of(boot.began),
        last: Time::of(boot.last),
        reason: timeline::reason(boot),
        persona: persona.map(|persona| persona.name.to_string()),
        version: persona.map(|persona| persona.version.as_str().to_owned()),
    }
}

fn step(line: &Line) -> StepView {
    StepView {
        at_ms: line.offset.0,
        what: line.what.to_owned(),
        detail: line.detail.clone(),
        took_ms: line.took.map(|took| took.0),
        bad: line.bad,
    }
}

async fn list(_: Caller<Read>, State(api): State<Api>, Asked(ask): Asked<ListAsk>) -> Result<Page<BootView>, Problem> {
    let world = api.context.engine.world();
    let before: Option<u64> = ask.cursor.as_ref().map(Cursor::key).transpose()?;
    let to = before.map_or(Bound::Unbounded, Bound::Excluded);
    // A device that is not known has no boots.
    let device = ask.device.map(|mac| world.device_of(mac).map(|device| device.id));
    let boots = world.boot_order.range((Bound::Unbounded, to)).rev();
    let boots = boots.filter_map(|(seq, id)| Some((*seq, world.boots.get(id)?)));
    let wanted = boots.filter(|(_, boot)| device.is_none_or(|device| device == Some(boot.device)));
    Ok(Page::of(wanted, ask.limit, |(seq, _)| seq.to_string(), |(_, boot)| view(boot)))
}

async fn show(
    _: Caller<Read>,
    State(api): State<Api>,
    Named(which): Named<Which>,
) -> Result<Tagged<TimelineView>, Problem> {
    let world = api.context.engine.world();
    let boot = world.boots.get(&which.boot);
    let boot = boot.ok_or_else(|| Problem::not_found(format!("no boot {} is known", which.boot)))?;
    Ok(Tagged::new(TimelineView { boot: view(boot), timeline: timeline::lines(boot).iter().map(step).collect() }))
}
