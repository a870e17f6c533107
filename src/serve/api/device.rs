//! `/devices`: what is known of them, what the organisation says of them.

use std::{borrow::Cow, net::Ipv4Addr, ops::Bound};

use aide::axum::{
    ApiRouter,
    routing::{get_with, put_with},
};
use axum::{extract::State, response::NoContent};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    model::{
        Device, DeviceId, MacAddr,
        attribute::{Attributes, Changes},
        command::{Line, Order},
    },
    usage::filter::Filter,
    world::{World, nearest},
};

use super::{
    Api,
    arming::ArmedView,
    ask::{Asked, Named, Sent},
    assignment::AssignmentView,
    caller::{Caller, DevicesWrite, Read},
    order::Writer,
    page::{Cursor, Limit, Page},
    problem::{Kind, Problem},
    shape::{self, Time},
    tag::{Conditions, Tagged},
};

/// A device. Only `device` is always there: the rest is left out where it is not known, or was not asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Device")]
pub(super) struct DeviceView {
    /// Its name: the port by which it was first seen.
    #[schemars(with = "shape::Mac")]
    device: MacAddr,
    /// All its ports, the first one first.
    #[schemars(with = "Vec<shape::Mac>", default)]
    macs: Vec<MacAddr>,
    /// Its SMBIOS UUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    uuid: Option<String>,
    /// Its instruction set.
    #[serde(skip_serializing_if = "Option::is_none")]
    arch: Option<String>,
    /// What spoke last: `bios`, `efi-pxe`, `ipxe`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    firmware: Option<String>,
    /// What iPXE reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    hardware: Option<HardwareView>,
    /// Where on the network it was when it last spoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<PlaceView>,
    /// When it was first seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen: Option<Time>,
    /// When it was last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<Time>,
    /// The addresses that it holds from us.
    #[schemars(with = "Vec<shape::Ipv4>", default)]
    addresses: Vec<Ipv4Addr>,
    /// What the organisation says of it.
    #[schemars(with = "shape::AttributesMap", default)]
    attributes: Attributes,
    /// The same, with what is said of its user where nothing is said of itself: what rules and predictions see.
    #[schemars(with = "shape::AttributesMap", default)]
    effective_attributes: Attributes,
    /// The persona that somebody gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment: Option<AssignmentView>,
    /// Leave to wipe its disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    armed: Option<ArmedView>,
    /// What was installed on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    installed: Option<InstalledView>,
    /// Its latest boot: `/boots/ID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    boot: Option<String>,
    /// The number of the fact by which somebody last changed it; 0 when nobody has.
    #[schemars(default)]
    changed: u64,
}

/// What iPXE reported of a device.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Hardware")]
struct HardwareView {
    /// System manufacturer.
    #[serde(skip_serializing_if = "Option::is_none")]
    manufacturer: Option<String>,
    /// Product name.
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    /// Serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    /// Asset tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    asset: Option<String>,
    /// Usable memory in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_mib: Option<u64>,
}

/// A place on the network.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Place")]
struct PlaceView {
    /// The subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    subnet: Option<String>,
    /// The relay that passed its packets on.
    #[serde(skip_serializing_if = "Option::is_none")]
    relay: Option<String>,
    /// The switch port, as the relay calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    circuit: Option<String>,
    /// The switch, as the relay calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<String>,
}

/// What is on a disk.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Installed")]
struct InstalledView {
    /// Which persona.
    #[schemars(with = "shape::Name")]
    persona: String,
    /// Which version of it.
    version: String,
    /// When.
    at: Time,
}

/// The words of `fields`.
const FIELDS: [&str; 17] = [
    "device",
    "macs",
    "uuid",
    "arch",
    "firmware",
    "hardware",
    "place",
    "first_seen",
    "last_seen",
    "addresses",
    "attributes",
    "effective_attributes",
    "assignment",
    "armed",
    "installed",
    "boot",
    "changed",
];

pub(super) fn view(api: &Api, world: &World, device: &Device) -> DeviceView {
    let now = (api.context.clock)();
    let text = |field: &Option<_>| {
        field.as_ref().and_then(|field| Some(serde_json::to_value(field).ok()?.as_str()?.to_owned()))
    };
    let firmware = serde_json::to_value(device.firmware).ok().and_then(|name| Some(name.as_str()?.to_owned()));
    let hardware = &device.hardware;
    let known = hardware.manufacturer.is_some() || hardware.product.is_some() || hardware.memory_mib.is_some();
    let link = &device.link;
    DeviceView {
        device: device.id.mac(),
        macs: device.macs.clone(),
        uuid: device.uuid.map(|uuid| uuid.to_string()),
        arch: text(&device.arch),
        firmware,
        hardware: known.then(|| HardwareView {
            manufacturer: hardware.manufacturer.clone(),
            product: hardware.product.clone(),
            serial: hardware.serial.clone(),
            asset: hardware.asset.clone(),
            memory_mib: hardware.memory_mib,
        }),
        place: (*link != Default::default()).then(|| PlaceView {
            subnet: link.subnet.map(|subnet| subnet.to_string()),
            relay: link.relay.map(|relay| relay.to_string()),
            circuit: link.circuit.clone(),
            remote: link.remote.clone(),
        }),
        first_seen: device.seen.map(|seen| Time::of(seen.first)),
        last_seen: device.seen.map(|seen| Time::of(seen.last)),
        addresses: device
            .macs
            .iter()
            .flat_map(|mac| world.leases.of(*mac))
            .filter(|lease| lease.holds(now))
            .map(|lease| lease.ip)
            .collect(),
        attributes: device.attributes.clone(),
        effective_attributes: world.attributes(device),
        assignment: device.assigned.as_ref().map(|assigned| AssignmentView::of(device, assigned, now)),
        armed: ArmedView::of(device),
        installed: device.installed.as_ref().map(|installed| InstalledView {
            persona: installed.persona.name.to_string(),
            version: installed.persona.version.as_str().to_owned(),
            at: Time::of(installed.at),
        }),
        boot: device.boot.map(|boot| boot.to_string()),
        changed: device.changed,
    }
}

/// One device, by any of its ports.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(super) struct Which {
    /// Any of the device's ports.
    #[schemars(with = "shape::Mac")]
    pub(super) mac: MacAddr,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListAsk {
    /// Only those that fit, as on the command line: `role=kiosk and not installed and seen<7d`.
    filter: Option<String>,
    /// Only these fields, separated by commas; `device` is always there.
    fields: Option<String>,
    /// At most so many.
    #[serde(default)]
    limit: Limit,
    /// Where the page begins: the `next` of the page before.
    cursor: Option<Cursor>,
}

/// What is said of a device.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeviceSaid {
    /// All that the organisation says of it: what is not named here is not said any more.
    #[schemars(with = "shape::AttributesMap")]
    attributes: Attributes,
}

/// What is said of a device from now on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeviceChanges {
    /// What changes; `null` takes an attribute away.
    #[schemars(with = "shape::ChangesMap")]
    attributes: Changes,
}

pub(super) fn routes() -> ApiRouter<Api> {
    ApiRouter::new()
        .api_route(
            "/devices",
            get_with(list, |op| {
                op.id("listDevices")
                    .tag("devices")
                    .summary("List devices")
                    .description("Sorted by name. A device is here when it was seen, described or given a persona.")
            }),
        )
        .api_route(
            "/devices/{mac}",
            get_with(show, |op| op.id("getDevice").tag("devices").summary("Get a device, by any of its ports"))
                .merge(put_with(put, |op| {
                    op.id("putDevice")
                        .tag("devices")
                        .summary("Say what a device is")
                        .description("Replaces its attributes. One that was never seen becomes known.")
                        .response::<201, Tagged<DeviceView>>()
                }))
                .patch_with(patch, |op| {
                    op.id("patchDevice")
                        .tag("devices")
                        .summary("Change what is said of a device")
                        .description("JSON Merge Patch (RFC 7396): attributes that are not named stay.")
                })
                .delete_with(forget, |op| {
                    op.id("forgetDevice")
                        .tag("devices")
                        .summary("Forget a device")
                        .description("Drops everything known about it: it is new when it speaks next.")
                }),
        )
}

/// The filter that a text is, or where it is none.
pub(super) fn filter(text: &str) -> Result<Filter, Problem> {
    text.parse().map_err(|bad: crate::usage::filter::BadFilter| {
        Problem::new(Kind::Malformed, format!("column {}: {}", bad.column, bad.message))
    })
}

async fn list(_: Caller<Read>, State(api): State<Api>, Asked(ask): Asked<ListAsk>) -> Result<Page<Sparse>, Problem> {
    let filter = ask.filter.as_deref().map(filter).transpose().map_err(|bad| bad.parameter("filter", None))?;
    let fields = ask.fields.as_deref().map(known_fields).transpose()?;
    let after: Option<MacAddr> = ask.cursor.as_ref().map(Cursor::key).transpose()?;
    let page = tokio::task::spawn_blocking(move || {
        let (world, now) = (api.context.engine.world(), (api.context.clock)());
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(DeviceId::new(after)));
        let devices = world.devices.range((from, Bound::Unbounded)).map(|(_, device)| device);
        let fits = |device: &&Device| filter.as_ref().is_none_or(|filter| filter.fits(&world, device, now));
        let key = |device: &&Device| device.id.to_string();
        Page::of(devices.filter(fits), ask.limit, key, |device| {
            Sparse::of(&view(&api, &world, device), fields.as_deref())
        })
    });
    page.await.map_err(|_| Problem::new(Kind::Bug, "the search broke off"))
}

/// A device without the fields that nobody asked for. It fits the same schema: all but the name may be missing there.
#[derive(Serialize)]
#[serde(transparent)]
struct Sparse(Value);

impl Sparse {
    fn of(view: &DeviceView, fields: Option<&[String]>) -> Self {
        let mut value = serde_json::to_value(view).unwrap_or_default();
        if let (Some(fields), Some(item)) = (fields, value.as_object_mut()) {
            item.retain(|name, _| name == "device" || fields.contains(name));
        }
        Self(value)
    }
}

impl JsonSchema for Sparse {
    fn schema_name() -> Cow<'static, str> {
        DeviceView::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        DeviceView::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        DeviceView::json_schema(generator)
    }
}

fn known_fields(text: &str) -> Result<Vec<String>, Problem> {
    let names: Vec<String> =
        text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    match names.iter().find(|name| !FIELDS.contains(&name.as_str())) {
        None => Ok(names),
        Some(strange) => {
            let known = FIELDS.map(str::to_owned);
            let meant = nearest(known.iter(), strange).cloned();
            let detail = format!("`{strange}` is no field: there are {}", FIELDS.join(", "));
            Err(Problem::new(Kind::Malformed, detail).parameter("fields", meant))
        }
    }
}

pub(super) fn unknown(mac: MacAddr) -> Problem {
    Problem::not_found(format!("no device with port {mac} is known"))
}

/// The device as it is now.
fn now(api: &Api, mac: MacAddr) -> Result<Tagged<DeviceView>, Problem> {
    let world = api.context.engine.world();
    let device = world.device_of(mac).ok_or_else(|| unknown(mac))?;
    Ok(Tagged::changed(view(api, &world, device), device.changed))
}

async fn show(
    _: Caller<Read>,
    State(api): State<Api>,
    Named(which): Named<Which>,
) -> Result<Tagged<DeviceView>, Problem> {
    now(&api, which.mac)
}

async fn put(
    caller: Caller<DevicesWrite>,
    State(api): State<Api>,
    Named(Which { mac }): Named<Which>,
    conditions: Conditions,
    said: Sent<DeviceSaid>,
) -> Result<Tagged<DeviceView>, Problem> {
    let writer = Writer { api: &api, by: caller.voice(), conditions: &conditions, body: &said.bytes };
    let again = writer.was_ordered();
    let known = api.context.engine.world().device_of(mac).is_some();
    let wanted = &said.value.attributes;
    let replace = |world: &World| {
        let device = world.device_of(mac);
        let gone = device.into_iter().flat_map(|device| device.attributes.keys());
        let mut changes: Changes =
            gone.filter(|name| !wanted.contains_key(*name)).map(|name| (name.clone(), None)).collect();
        changes.extend(wanted.iter().map(|(name, value)| (name.clone(), Some(value.clone()))));
        // What goes depends on what is there: nobody may have changed it in between.
        let expects = writer.expects(world, mac)?.or(Some(device.map_or(0, |device| device.changed)));
        Ok(Line::Device { mac, order: Order::Describe { changes }, expects })
    };
    writer.order_by_looking(replace).await?;
    Ok(now(&api, mac)?.created(!known && !again).again(again))
}

async fn patch(
    caller: Caller<DevicesWrite>,
    State(api): State<Api>,
    Named(Which { mac }): Named<Which>,
    conditions: Conditions,
    said: Sent<DeviceChanges>,
) -> Result<Tagged<DeviceView>, Problem> {
    let writer = Writer { api: &api, by: caller.voice(), conditions: &conditions, body: &said.bytes };
    let again = writer.was_ordered();
    let change = |world: &World| {
        if world.device_of(mac).is_none() && !again {
            return Err(unknown(mac));
        }
        let order = Order::Describe { changes: said.value.attributes.clone() };
        Ok(Line::Device { mac, order, expects: writer.expects(world, mac)? })
    };
    writer.order_by_looking(change).await?;
    Ok(now(&api, mac)?.again(again))
}

async fn forget(
    caller: Caller<DevicesWrite>,
    State(api): State<Api>,
    Named(Which { mac }): Named<Which>,
    conditions: Conditions,
) -> Result<NoContent, Problem> {
    let writer = Writer { api: &api, by: caller.voice(), conditions: &conditions, body: b"" };
    let drop = |world: &World| Ok(Line::Device { mac, order: Order::Forget, expects: writer.expects(world, mac)? });
    writer.order_by_looking(drop).await?;
    Ok(NoContent)
}
