//! What is counted of one device, and when that changes by itself.

use std::net::Ipv4Addr;

use crate::{
    boot::{choose, foresee::Standing},
    model::{Device, Moment, PersonaName, Probability},
    serve::{
        predict::{address, standing_of},
        web::device::state::State,
    },
    usage::filter::persona,
    world::{Ground, World},
};

use super::DAY;

/// The attributes whose values are counted.
pub(in crate::serve::web) const ATTRIBUTES: [&str; 2] = ["role", "location"];

/// What is counted of one device. `N` is how names are kept: borrowed while one looks, shared with the sums in the fleet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::serve::web) struct Row<N> {
    /// Whether its disk may be wiped.
    pub(in crate::serve::web) armed: bool,
    /// When it last spoke, and whether that was within the last day.
    pub(in crate::serve::web) seen: Option<Moment>,
    pub(super) today: bool,
    /// How it stands, its arming aside.
    pub(in crate::serve::web) state: State,
    /// Whether no assignment is in force or will be.
    pub(super) unassigned: bool,
    /// The persona that an operator gave it, now.
    pub(in crate::serve::web) assigned: Option<N>,
    /// The persona that it became last.
    pub(in crate::serve::web) has: Option<N>,
    /// What it is or shall be, as the filter language has it.
    pub(in crate::serve::web) persona: Option<N>,
    /// What is said of it, of [`ATTRIBUTES`].
    pub(super) said: [Option<N>; ATTRIBUTES.len()],
    /// What comes of its prediction while the forecast is good, and how sure it is.
    pub(super) standing: Option<(Standing, Probability)>,
    /// The address that this stands on.
    pub(super) address: Option<Ipv4Addr>,
    /// When the row may be another one though nothing happens.
    pub(super) due: Option<Moment>,
}

/// What devices are looked at in.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) world: &'a World,
    pub(super) ground: &'a Ground,
    pub(super) now: Moment,
}

impl Scene<'_> {
    /// Whether any rule goes by the address of a device.
    pub(super) fn minds_addresses(&self) -> bool {
        self.ground.site.boot.rules.iter().any(|rule| !rule.when.subnet.is_empty())
    }
}

impl<'a> Row<&'a str> {
    /// What there is to count of a device.
    pub(super) fn of(scene: Scene<'a>, device: &'a Device) -> Self {
        let Scene { world, ground, now } = scene;
        let mut due = Due { now, next: None };
        let today = device.seen.is_some_and(|seen| now < due.at(seen.last.plus(DAY)));
        let assignment = device.assigned.as_ref();
        assignment.into_iter().flat_map(|assigned| [assigned.not_before, assigned.expires]).flatten().for_each(|at| {
            due.at(at);
        });
        let is_kept = assignment.is_some_and(|assigned| assigned.expires.is_none_or(|expires| now < expires));
        let prediction = ground.forecast.row(device.id).zip(ground.forecast.origin());
        let best = prediction.and_then(|(prediction, _)| prediction.ranked().first());
        let standing = best.map(|best| {
            // An installation of within the hour counts towards the most that there may be.
            device.installs.iter().for_each(|begun| {
                due.at(begun.plus(choose::HOUR));
            });
            (standing_of(world, ground, device, prediction, now).0, best.probability)
        });
        let address = standing.filter(|_| scene.minds_addresses()).and_then(|_| {
            let leases = device.macs.iter().flat_map(|mac| world.leases.of(*mac)).filter(|lease| lease.holds(now));
            leases.for_each(|lease| {
                due.at(lease.until);
            });
            address(world, device, now)
        });
        Self {
            armed: device.armed.is_some(),
            seen: device.seen.map(|seen| seen.last),
            today,
            state: State::of_boot(world, device),
            unassigned: !is_kept,
            assigned: assigned(device, now).map(PersonaName::as_str),
            has: has(device).map(PersonaName::as_str),
            persona: persona(world, device, now).map(|(name, _)| name.as_str()),
            said: ATTRIBUTES.map(|name| world.attribute(device, name).map(|value| value.as_str())),
            standing,
            address,
            due: due.next,
        }
    }
}

impl<N> Row<N> {
    /// The same with its names kept otherwise.
    pub(super) fn with<'r, M>(&'r self, mut name: impl FnMut(&'r N) -> M) -> Row<M> {
        let [role, location] = &self.said;
        Row {
            armed: self.armed,
            seen: self.seen,
            today: self.today,
            state: self.state,
            unassigned: self.unassigned,
            assigned: self.assigned.as_ref().map(&mut name),
            has: self.has.as_ref().map(&mut name),
            persona: self.persona.as_ref().map(&mut name),
            said: [role.as_ref().map(&mut name), location.as_ref().map(&mut name)],
            standing: self.standing,
            address: self.address,
            due: self.due,
        }
    }

    /// What is counted of it: not when that changes.
    pub(super) fn counted(self) -> Self {
        Self { due: None, ..self }
    }

    /// How the device stands; one that is armed is that before all else.
    pub(in crate::serve::web) fn stands(&self) -> State {
        if self.armed { State::Armed } else { self.state }
    }
}

/// The next moment that matters.
struct Due {
    now: Moment,
    next: Option<Moment>,
}

impl Due {
    /// Something changes then, if that is still to come.
    fn at(&mut self, moment: Moment) -> Moment {
        if moment > self.now {
            self.next = Some(self.next.map_or(moment, |next| next.min(moment)));
        }
        moment
    }
}

/// The persona that an operator gave a device.
pub(in crate::serve::web) fn assigned(device: &Device, now: Moment) -> Option<&PersonaName> {
    device.assigned.as_ref().filter(|assigned| assigned.holds(now)).map(|assigned| &assigned.persona)
}

/// What a device became last: what it runs, or what is on its disk.
pub(in crate::serve::web) fn has(device: &Device) -> Option<&PersonaName> {
    let last = device.visits.last().map(|visit| &visit.persona);
    last.or_else(|| device.installed.as_ref().map(|installed| &installed.persona.name))
}
