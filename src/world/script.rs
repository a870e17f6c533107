//! The boot script's request through the door: here a device gets its persona.

use std::net::IpAddr;

use crate::{
    boot::{choose::choose, plan},
    model::{
        BootId, Device, Fact, Firmware, Moment, Refusal,
        plan::{Action, Setting},
        reply::Reply,
        smbios::Hardware,
        timeline::Step,
    },
};

use super::{Ground, Outcome, World};

/// Who asks for a script.
pub(super) struct Ask<'a> {
    /// Which attempt.
    pub(super) boot: BootId,
    /// What the device runs on.
    pub(super) hardware: &'a Hardware,
    /// The device's address.
    pub(super) peer: IpAddr,
    /// This server, as the device reached it.
    pub(super) server: &'a str,
}

/// Decides what the script of an attempt does.
pub(super) fn decide(world: &World, ground: &Ground, ask: &Ask<'_>, now: Moment) -> Outcome {
    let Ask { boot: id, hardware, peer, server } = *ask;
    let Some(boot) = world.boots.get(&id) else {
        // Its firmware is unknown too; leaving iPXE is right on both kinds.
        let plan = plan::refuse(Refusal::UnknownBoot, Firmware::IpxeEfi);
        return Outcome { reply: Reply::Script(plan), facts: vec![] };
    };
    let known = world.devices.get(&boot.device).map(|device| world.whole(device));
    let before = known.unwrap_or_else(|| Device { arch: boot.arch, ..Device::new(boot.device.mac()) });
    let mut facts = vec![];
    if before.hardware != *hardware {
        facts.push(Fact::HardwareReported { device: before.id, hardware: hardware.clone() });
    }
    let firmware = before.firmware.unwrap_or(boot.firmware);
    let device = Device { hardware: hardware.clone(), ..before };
    let address = match peer {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    };
    let prediction = ground.forecast.of(device.id, now).zip(ground.forecast.origin());
    let decision = choose(&ground.site.boot, &ground.catalog, &device, address, prediction, now);
    let shelf = plan::Shelf { catalog: &ground.catalog, secrets: &ground.secrets };
    let plan = plan::plan(&ground.site.boot, shelf, &device, firmware, decision);
    facts.push(Fact::BootMoved { boot: id, step: Step::Script { decision: plan.decision.clone() } });
    if let Action::Kernel(kernel) = &plan.action {
        let mirrors = ground.site.mirrors.clone();
        let setting = Setting { server: server.to_owned(), mirrors, hardware: hardware.clone(), disk: plan.disk };
        facts.push(Fact::BootPlanned { boot: id, kernel: kernel.clone(), setting: Some(setting) });
    }
    Outcome { reply: Reply::Script(plan), facts }
}
