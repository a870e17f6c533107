//! What the devices will ask for: demand, with each device's persona as the door itself would name it.

use std::net::Ipv4Addr;

use crate::{
    boot::{choose::choose, plan},
    model::{Decision, Device, DeviceId, Digest, Firmware, Moment, Reason, Seconds, decision::Voice, plan::BootPlan},
    predict::demand::{self, Demand, Named, Subject, Terms},
};

use super::{Ground, World};

/// Of a device that has come, personas that are less probable are not pulled up.
const LIKELY: f64 = 0.25;

/// What is expected to be asked for within the horizon from now.
pub fn demand(world: &World, ground: &Ground, now: Moment, horizon: Seconds) -> Demand {
    let subjects: Vec<Subject<'_>> =
        world.devices.values().map(|device| subject(world, ground, device, now, horizon)).collect();
    Demand::of(&subjects, &Terms { catalog: &ground.catalog, table: &ground.forecast, now, horizon })
}

/// What devices that have just come will ask for: each file once, with how often it is expected to be asked for; the files of
/// the most probable personas first, a kernel before its root file system.
pub fn arrival(
    world: &World,
    ground: &Ground,
    devices: impl IntoIterator<Item = DeviceId>,
    now: Moment,
) -> Vec<(Digest, f64)> {
    let terms = Terms { catalog: &ground.catalog, table: &ground.forecast, now, horizon: Seconds(0) };
    let mut asks: Vec<(Digest, f64)> = vec![];
    for device in devices.into_iter().filter_map(|id| world.devices.get(&id)) {
        let candidates = demand::candidates(&subject(world, ground, device, now, Seconds(0)), &terms);
        for candidate in candidates.iter().filter(|candidate| candidate.probability.get() >= LIKELY) {
            for file in demand::files(device, &candidate.persona, &ground.catalog) {
                let more = candidate.probability.get();
                match asks.iter_mut().find(|(digest, _)| *digest == file.sha256) {
                    Some((_, asks)) => *asks += more,
                    None => asks.push((file.sha256, more)),
                }
            }
        }
    }
    asks
}

fn subject<'a>(world: &'a World, ground: &Ground, device: &'a Device, now: Moment, horizon: Seconds) -> Subject<'a> {
    // An assignment that begins within the horizon names the persona of a boot within it.
    let begins = device.assigned.as_ref().and_then(|assigned| assigned.not_before);
    let at = begins.filter(|at| *at > now && *at < now.plus(horizon)).unwrap_or(now);
    let boot = device.boot.and_then(|boot| world.boots.get(&boot));
    Subject { device, boot, named: named(world, ground, device, at) }
}

/// Who names the persona of a device that boots at `now`.
fn named(world: &World, ground: &Ground, device: &Device, now: Moment) -> Named {
    let prediction = ground.forecast.of(device.id, now).zip(ground.forecast.origin());
    let address = address(world, device);
    let device = world.seen_by_rules(device, &ground.site.boot);
    match choose(&ground.site.boot, &ground.catalog, &device, address, prediction, now) {
        Decision::Become { persona, reason, .. } if reason.voice() == Some(Voice::Default) => {
            Named::Open(Some(persona.name))
        }
        Decision::Become { persona, .. } => Named::Surely(persona.name),
        Decision::LocalDisk { reason: Reason::Fallback } => Named::Open(None),
        Decision::LocalDisk { .. } | Decision::Refuse { .. } => Named::Nothing,
    }
}

/// What a device would be told if it asked for its script now, whatever DHCP would make of it before. It need not be known.
pub fn outlook(world: &World, ground: &Ground, device: &Device, now: Moment) -> BootPlan {
    let device = world.whole(device);
    let prediction = ground.forecast.of(device.id, now).zip(ground.forecast.origin());
    let address = address(world, &device);
    let decision = choose(&ground.site.boot, &ground.catalog, &device, address, prediction, now);
    let shelf = plan::Shelf { catalog: &ground.catalog, secrets: &ground.secrets };
    plan::plan(&ground.site.boot, shelf, &device, device.firmware.unwrap_or(Firmware::EfiPxe), decision)
}

/// The address that a device has, or had last: it most probably gets that one again.
pub(super) fn address(world: &World, device: &Device) -> Option<Ipv4Addr> {
    let leases = device.macs.iter().flat_map(|mac| world.leases.of(*mac));
    leases.max_by_key(|lease| lease.until).map(|lease| lease.ip)
}
