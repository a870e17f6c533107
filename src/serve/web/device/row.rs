//! A device as a line of the list.

use serde::Serialize;

use crate::{
    model::{Decision, Device, Moment, decision::Voice},
    usage::filter::{Standing, persona},
    world::{Ground, World, outlook},
};

use super::{super::word::When, state::State};

/// What the list shows of a device.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// Its name: the port by which it was first seen.
    pub(super) device: String,
    /// What it calls itself, when it asks for an address.
    pub(super) hostname: Option<String>,
    /// The addresses that it holds.
    pub(super) addresses: Vec<String>,
    /// What it is, as it reported itself.
    pub(super) hardware: String,
    /// What it is for, as the organisation says.
    pub(super) role: Option<String>,
    /// Where it is, as the organisation says.
    pub(super) location: Option<String>,
    /// Who uses it.
    pub(super) user: Option<String>,
    /// What it is or shall be.
    pub(super) persona: Option<String>,
    /// What that stands on, in a word.
    pub(super) why: String,
    /// Who armed it, if anybody did.
    pub(super) armed: Option<String>,
    /// How it stands, its arming aside.
    pub(super) state: &'static str,
    /// The class of that word.
    pub(super) tone: &'static str,
    /// Its latest boot, as long as that is known.
    pub(super) boot: Option<String>,
    /// When it was last seen.
    pub(super) seen: Option<When>,
    /// The number of the fact by which somebody last changed it.
    pub(super) changed: u64,
}

impl Row {
    pub(super) fn of(world: &World, ground: &Ground, device: &Device, now: Moment) -> Self {
        let leases = device.macs.iter().flat_map(|mac| world.leases.of(*mac));
        let leases: Vec<_> = leases.filter(|lease| lease.holds(now)).collect();
        let said = |name: &str| world.attribute(device, name).map(|value| value.as_str().to_owned());
        let (persona, why) = becomes(world, ground, device, now);
        let state = State::of_boot(world, device);
        Self {
            device: device.id.to_string(),
            hostname: leases.iter().find_map(|lease| lease.hostname.clone()),
            addresses: leases.iter().map(|lease| lease.ip.to_string()).collect(),
            hardware: hardware(device),
            role: said("role"),
            location: said("location"),
            user: said("user"),
            persona,
            why,
            armed: device.armed.as_ref().map(ToString::to_string),
            state: state.name(),
            tone: state.tone(),
            boot: device.boot.filter(|boot| world.boots.contains_key(boot)).map(|boot| boot.to_string()),
            seen: device.seen.map(|seen| When::of(seen.last, now)),
            changed: device.changed,
        }
    }
}

/// What a device is or shall be, and what that stands on: as the filter language has it, and for those of which no fact tells,
/// what their next boot would make of them.
fn becomes(world: &World, ground: &Ground, device: &Device, now: Moment) -> (Option<String>, String) {
    if let Some((name, standing)) = persona(world, device, now) {
        let word = match standing {
            Standing::Became => "last time",
            Standing::Assigned | Standing::Installed => standing.name(),
        };
        return (Some(name.to_string()), word.to_owned());
    }
    match outlook(world, ground, device, now).decision {
        Decision::Become { persona, reason, .. } => {
            let word = match reason.voice() {
                Some(Voice::Rule) => "by a rule",
                Some(Voice::Predicted) => "predicted",
                Some(Voice::Experiment) => "in an experiment",
                Some(Voice::Assigned) => "assigned",
                Some(Voice::Default) | None => "by default",
            };
            (Some(persona.name.to_string()), word.to_owned())
        }
        Decision::LocalDisk { .. } | Decision::Refuse { .. } => (None, String::new()),
    }
}

/// What a device is, as it reported itself.
fn hardware(device: &Device) -> String {
    let hardware = &device.hardware;
    let arch = device.arch.map(|arch| arch.to_string());
    let parts = [hardware.manufacturer.clone(), hardware.product.clone(), arch];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
