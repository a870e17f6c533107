//! `/devices/{mac}/arm`: leave to wipe a device's disk.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{extract::State, response::NoContent};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    model::{
        Armed, Device, MacAddr,
        command::{Line, Order},
    },
    world::World,
};

use super::{
    Api,
    ask::Named,
    caller::{Arm, Caller, Read},
    device::{Which, unknown},
    order::Writer,
    problem::Problem,
    shape::{self, Time},
    tag::{Conditions, Tagged},
};

/// Leave to wipe a disk, until the installation that uses it is done.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Arming")]
pub(super) struct ArmedView {
    /// Which device.
    #[schemars(with = "shape::Mac")]
    device: MacAddr,
    /// Who gave it: `token:NAME`, an operator's login, or `rule:NAME`.
    by: String,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Time>,
}

impl ArmedView {
    pub(super) fn of(device: &Device) -> Option<Self> {
        let (by, at) = match device.armed.as_ref()? {
            Armed::Operator { name, at } => (name.clone(), Some(Time::of(*at))),
            Armed::Rule { name } => (format!("rule:{name}"), None),
            Armed::NewDevice => ("predict.arm".into(), None),
        };
        Some(Self { device: device.id.mac(), by, at })
    }
}

pub(super) fn routes() -> ApiRouter<Api> {
    let arm = get_with(show, |op| op.id("getArming").tag("arming").summary("See whether a device is armed"))
        .put_with(arm, |op| {
            op.id("armDevice")
                .tag("arming")
                .summary("Arm a device")
                .description(
                    "Gives leave to wipe its disk at its next boot, if the persona that it gets then does that. The leave ends \
                     when the installation is done, or when it is taken back.",
                )
                .response::<201, Tagged<ArmedView>>()
        })
        .delete_with(disarm, |op| op.id("disarmDevice").tag("arming").summary("Take the leave back"));
    ApiRouter::new().api_route("/devices/{mac}/arm", arm)
}

fn now(api: &Api, mac: MacAddr) -> Result<Tagged<ArmedView>, Problem> {
    let world = api.context.engine.world();
    let device = world.device_of(mac).ok_or_else(|| unknown(mac))?;
    let armed = ArmedView::of(device).ok_or_else(|| Problem::not_found(format!("device {mac} is not armed")))?;
    Ok(Tagged::changed(armed, device.changed))
}

async fn show(
    _: Caller<Read>,
    State(api): State<Api>,
    Named(Which { mac }): Named<Which>,
) -> Result<Tagged<ArmedView>, Problem> {
    now(&api, mac)
}

async fn arm(
    caller: Caller<Arm>,
    State(api): State<Api>,
    Named(Which { mac }): Named<Which>,
    conditions: Conditions,
) -> Result<Tagged<ArmedView>, Problem> {
    let writer = Writer { api: &api, by: caller.voice(), conditions: &conditions, body: b"" };
    let again = writer.was_ordered();
    let before = api.context.engine.world().device_of(mac).is_some_and(|device| device.armed.is_some());
    writer.order_by_looking(|world| line(&writer, world, mac, Order::Arm)).await?;
    Ok(now(&api, mac)?.created(!before && !again).again(again))
}

async fn disarm(
    caller: Caller<Arm>,
    State(api): State<Api>,
    Named(Which { mac }): Named<Which>,
    conditions: Conditions,
) -> Result<NoContent, Problem> {
    let writer = Writer { api: &api, by: caller.voice(), conditions: &conditions, body: b"" };
    writer.order_by_looking(|world| line(&writer, world, mac, Order::Disarm)).await?;
    Ok(NoContent)
}

fn line(writer: &Writer<'_>, world: &World, mac: MacAddr, order: Order) -> Result<Line, Problem> {
    Ok(Line::Device { mac, order, expects: writer.expects(world, mac)? })
}
