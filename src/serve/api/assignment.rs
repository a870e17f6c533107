//! `/devices/{mac}/assignment` and `/assignments`: which persona a device, or many, shall become.

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{extract::State, response::NoContent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    model::{
        Device, DeviceId, MacAddr, Moment, PersonaName, Scope,
        command::{Line, Order},
        device::Assignment,
        reply::Reply,
        request::Request,
    },
    world::{Stamp, World, decide},
};

use super::{
    Api,
    ask::{Named, Sent},
    caller::{AssignmentsWrite, Caller, Read},
    device::{Which, filter, unknown},
    order::Writer,
    problem::{Kind, Problem},
    shape::{self, Time},
    tag::{Conditions, Tagged},
};

/// How many devices one request names at the most.
const MOST: usize = 10_000;
/// How long a reason may be, in characters.
const LONGEST_REASON: usize = 500;

/// Which persona a device shall become, by somebody's word.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Assignment")]
pub(super) struct AssignmentView {
    /// Which device.
    #[schemars(with = "shape::Mac")]
    device: MacAddr,
    /// Which persona: its current version, whatever that is when the device boots.
    #[schemars(with = "shape::Name")]
    persona: PersonaName,
    /// Who said so.
    by: String,
    /// When it was said.
    at: Time,
    /// From when on it holds, if not at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<Time>,
    /// Until when, if not for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Time>,
    /// Why, in the words of who said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Whether it holds now.
    holds: bool,
}

impl AssignmentView {
    pub(super) fn of(device: &Device, assigned: &Assignment, now: Moment) -> Self {
        Self {
            device: device.id.mac(),
            persona: assigned.persona.clone(),
            by: assigned.by.clone(),
            at: Time::of(assigned.at),
            not_before: assigned.not_before.map(Time::of),
            expires: assigned.expires.map(Time::of),
            reason: assigned.why.clone(),
            holds: assigned.holds(now),
        }
    }
}

/// Which persona a device shall become.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AssignmentSaid {
    /// Which persona; `GET /personas` lists them.
    #[schemars(with = "shape::Name")]
    persona: PersonaName,
    /// From when on it holds; at once when not given.
    not_before: Option<Time>,
    /// Until when; for ever when not given.
    expires: Option<Time>,
    /// Why: it is shown with every decision that follows from it.
    #[schemars(length(max = LONGEST_REASON))]
    reason: Option<String>,
    /// Give leave to wipe its disk, too: needs the scope `arm`.
    #[serde(default)]
    arm: bool,
}

/// Which persona several devices shall become: those of a list, or those that fit a filter.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ManySaid {
    /// Which persona.
    #[schemars(with = "shape::Name")]
    persona: PersonaName,
    /// Which devices, each by any of its ports. Give this or `filter`.
    #[schemars(with = "Option<Vec<shape::Mac>>", length(max = MOST))]
    devices: Option<Vec<MacAddr>>,
    /// Those that fit now: `location=hall-2 and role=kiosk`. Devices that come to fit later do not follow: rules are for that.
    filter: Option<String>,
    /// From when on it holds; at once when not given.
    not_before: Option<Time>,
    /// Until when; for ever when not given.
    expires: Option<Time>,
    /// Why.
    #[schemars(length(max = LONGEST_REASON))]
    reason: Option<String>,
    /// Give leave to wipe their disks, too: needs the scope `arm`.
    #[serde(default)]
    arm: bool,
    /// Only say what would be done.
    #[serde(default)]
    dry_run: bool,
}

/// What became of an assignment of many.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Assigned")]
struct ManyView {
    /// Which persona.
    #[schemars(with = "shape::Name")]
    persona: PersonaName,
    /// Whether nothing was done, because only that was asked for.
    dry_run: bool,
    /// How many devices.
    count: usize,
    /// Which.
    devices: Vec<OneView>,
}

/// One of them.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AssignedDevice")]
struct OneView {
    /// Which device.
    #[schemars(with = "shape::Mac")]
    device: MacAddr,
    /// What was assigned to it before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::Name>")]
    before: Option<PersonaName>,
}

pub(super) fn routes() -> ApiRouter<Api> {
    let one = get_with(show, |op| op.id("getAssignment").tag("assignments").summary("See what a device was assigned"))
        .put_with(put, |op| {
            op.id("assignPersona")
                .tag("assignments")
                .summary("Give a device a persona")
                .description(
                    "It becomes that at its next boot. A device can be assigned a persona before it was ever seen. One that was \
                     installed goes on to boot its disk until it is armed, or assigned a persona that leaves the disk alone.",
                )
                .response::<201, Tagged<AssignmentView>>()
        })
        .delete_with(delete, |op| op.id("unassignPersona").tag("assignments").summary("Take the assignment back"));
    let many = post_with(post, |op| {
        op.id("assignMany")
            .tag("assignments")
            .summary("Give several devices a persona")
            .description("All of them, or none. `dry_run` says which they would be.")
    });
    ApiRouter::new().api_route("/devices/{mac}/assignment", one).api_route("/assignments", many)
}

fn now(api: &Api, mac: MacAddr) -> Result<Tagged<AssignmentView>, Problem> {
    let world = api.context.engine.world();
    let device = world.device_of(mac).ok_or_else(|| unknown(mac))?;
    let none = || Problem::not_found(format!("device {mac} has no assignment"));
    let assigned = device.assigned.as_ref().ok_or_else(none)?;
    Ok(Tagged::changed(AssignmentView::of(device, assigned, (api.context.clock)()), device.changed))
}

async fn show(
    _: Caller<Read>,
    State(api): State<Api>,
    Named(Which { mac }): Named<Which>,
) -> Result<Tagged<AssignmentView>, Problem> {
    now(&api, mac)
}

/// The reason as it is kept: on one line, and not longer than anybody reads.
fn reason(said: &Option<String>) -> Result<Option<String>, Problem> {
    let fits = |text: &String| text.chars().count() <= LONGEST_REASON && !text.chars().any(char::is_control);
    match said {
        Some(text) if !fits(text) => {
            let detail = format!("a reason is one line of at most {LONGEST_REASON} characters");
            Err(Problem::new(Kind::Invalid, detail).field("/reason", None))
        }
        said => Ok(said.as_ref().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())),
    }
}

async fn put(
    caller: Caller<AssignmentsWrite>,
    State(api): State<Api>,
    Named(Which { mac }): Named<Which>,
    conditions: Conditions,
    said: Sent<AssignmentSaid>,
) -> Result<Tagged<AssignmentView>, Problem> {
    let AssignmentSaid { persona, not_before, expires, reason, arm } = &said.value;
    if *arm {
        caller.may(Scope::Arm)?;
    }
    let order = Order::AssignPersona {
        persona: persona.clone(),
        arm: *arm,
        not_before: not_before.map(|time| time.0),
        expires: expires.map(|time| time.0),
        why: self::reason(reason)?,
    };
    let writer = Writer { api: &api, by: caller.voice(), conditions: &conditions, body: &said.bytes };
    let again = writer.was_ordered();
    let before = api.context.engine.world().device_of(mac).is_some_and(|device| device.assigned.is_some());
    let line = |world: &World| Ok(Line::Device { mac, order: order.clone(), expects: writer.expects(world, mac)? });
    writer.order_by_looking(line).await?;
    Ok(now(&api, mac)?.created(!before && !again).again(again))
}

async fn delete(
    caller: Caller<AssignmentsWrite>,
    State(api): State<Api>,
    Named(Which { mac }): Named<Which>,
    conditions: Conditions,
) -> Result<NoContent, Problem> {
    let writer = Writer { api: &api, by: caller.voice(), conditions: &conditions, body: b"" };
    let line =
        |world: &World| Ok(Line::Device { mac, order: Order::UnassignPersona, expects: writer.expects(world, mac)? });
    writer.order_by_looking(line).await?;
    Ok(NoContent)
}

async fn post(
    caller: Caller<AssignmentsWrite>,
    State(api): State<Api>,
    conditions: Conditions,
    said: Sent<ManySaid>,
) -> Result<Tagged<ManyView>, Problem> {
    let ManySaid { persona, arm, dry_run, not_before, expires, .. } = &said.value;
    if *arm {
        caller.may(Scope::Arm)?;
    }
    if conditions.are_given() {
        let detail = "many devices have no one ETag: only `Idempotency-Key` is of use here";
        return Err(Problem::new(Kind::Malformed, detail).header("If-Match"));
    }
    let order = Order::AssignPersona {
        persona: persona.clone(),
        arm: *arm,
        not_before: not_before.map(|time| time.0),
        expires: expires.map(|time| time.0),
        why: reason(&said.value.reason)?,
    };
    let world = api.context.engine.world();
    let macs = meant(&api, &world, &said.value)?;
    let lines = macs.iter().map(|mac| Line::Device { mac: *mac, order: order.clone(), expects: None }).collect();
    let writer = Writer { api: &api, by: caller.voice(), conditions: &conditions, body: &said.bytes };
    let again = writer.was_ordered();
    if *dry_run {
        tried(&api, &world, &writer, lines)?;
    } else {
        writer.order(lines).await?;
    }
    let one = |mac: &MacAddr| {
        let known = world.device_of(*mac);
        let before = known.and_then(|device| device.assigned.as_ref()).map(|assigned| assigned.persona.clone());
        OneView { device: known.map_or(*mac, |device| device.id.mac()), before }
    };
    // What the same request did before, as far as it holds still: others may fit the filter by now.
    let done = |mac: &&MacAddr| {
        let by_us = |assigned: &Assignment| assigned.persona == *persona && assigned.by == writer.by;
        !again || world.device_of(**mac).and_then(|device| device.assigned.as_ref()).is_some_and(by_us)
    };
    let devices: Vec<OneView> = macs.iter().filter(done).map(one).collect();
    let view = ManyView { persona: persona.clone(), dry_run: *dry_run, count: devices.len(), devices };
    Ok(Tagged::new(view).again(again && !*dry_run))
}

/// The devices that are meant: none twice.
fn meant(api: &Api, world: &World, said: &ManySaid) -> Result<Vec<MacAddr>, Problem> {
    let invalid = |detail: String, pointer| Err(Problem::new(Kind::Invalid, detail).field(pointer, None));
    let too_many = |count| format!("{count} devices are too many for one request: {MOST} at most");
    match (&said.devices, &said.filter) {
        (Some(macs), None) if macs.len() > MOST => invalid(too_many(macs.len()), "/devices"),
        (Some(macs), None) => {
            let mut seen: std::collections::BTreeSet<DeviceId> = Default::default();
            let name = |mac: MacAddr| world.device_of(mac).map_or(DeviceId::new(mac), |device| device.id);
            Ok(macs.iter().copied().filter(|mac| seen.insert(name(*mac))).collect())
        }
        (None, Some(text)) => {
            let filter =
                filter(text).map_err(|bad| Problem::new(Kind::Invalid, bad.detail()).field("/filter", None))?;
            let now = (api.context.clock)();
            let found = world.devices.values().filter(|device| filter.fits(world, device, now));
            let macs: Vec<MacAddr> = found.map(|device| device.id.mac()).collect();
            if macs.len() > MOST { invalid(too_many(macs.len()), "/filter") } else { Ok(macs) }
        }
        _ => invalid("say which devices: either `devices` or `filter`".into(), ""),
    }
}

/// What the engine would say.
fn tried(api: &Api, world: &World, writer: &Writer<'_>, lines: Vec<Line>) -> Result<(), Problem> {
    let (ground, now) = (api.context.engine.ground(), (api.context.clock)());
    let mut orders = writer.orders(lines);
    // A trial uses no key up.
    orders.key = None;
    match decide(world, &ground, &Request::Orders(orders), Stamp { now, nonce: 0 }).reply {
        Reply::Rejected(rejection) => Err(Problem::rejected(&rejection)),
        _ => Ok(()),
    }
}
