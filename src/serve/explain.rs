//! What would happen if a device booted now, as the admin's door and the API tell it.

use crate::{
    model::Moment,
    world::{Explanation, Stamp, Subject, explain},
};

use super::{Context, admin::ExplainAsk, net};

/// What would happen if a device booted now; `None` on a server that no device could reach.
pub(super) fn explained(context: &Context, ask: &ExplainAsk) -> Option<Explanation> {
    let (world, ground) = (context.engine.world(), context.engine.ground());
    let interfaces = net::interfaces().unwrap_or_default();
    // The interface that it would most likely come in by: one on a subnet that we serve.
    let serves =
        |interface: &&net::Interface| ground.site.subnets.iter().any(|subnet| subnet.net.contains(&interface.address));
    let interface = interfaces.iter().find(serves).or(interfaces.first())?;
    let subject = Subject {
        mac: ask.mac,
        firmware: ask.firmware,
        arch: ask.arch,
        interface: interface.name.clone(),
        server: interface.address,
    };
    let now: Moment = (context.clock)();
    Some(explain(&world, &ground, &subject, Stamp { now, nonce: now.as_millis() }))
}
