//! What another catalog would change for the devices: each is decided for twice, by the code that decides for it when it boots.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    boot::{
        choose::choose,
        plan::{self, Shelf},
    },
    model::{Decision, Device, DeviceId, Moment, PersonaName, Reason, Refusal, attribute, timeline::Stage},
    persona::catalog::Catalog,
};

use super::{Ground, World, foresee::address};

/// How many devices of each turn are named.
const NAMED: usize = 20;

/// What would change.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Impact {
    /// How many devices take each turn.
    pub counts: BTreeMap<Turn, usize>,
    /// The first devices of each turn, by name.
    pub devices: Vec<Turned>,
    /// How many attempts are under way that keep the version they began with.
    pub under_way: usize,
}

/// What a change comes to for a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// It would be refused, and is not now.
    Refused,
    /// Its next boot installs the new version: it is armed, and its disk is wiped.
    Installs,
    /// Its next boot is another persona than now, or one at all.
    Becomes,
    /// Its next boot is the new version of the same persona.
    Renewed,
    /// It would boot its disk, and does not now.
    Disk,
    /// It was refused because it is not armed, and still would be.
    Unarmed,
    /// The persona is on its disk; that stays so until the device is armed again.
    Installed,
}

/// What would change for one device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Turned {
    /// Which.
    pub device: DeviceId,
    /// In a word.
    pub turn: Turn,
    /// What its next boot is now, in words.
    pub now: String,
    /// What it would be, in words.
    pub then: String,
}

/// Two catalogs, and what they are held against.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// The devices.
    pub world: &'a World,
    /// What is in force, its catalog too.
    pub ground: &'a Ground,
    /// The catalog that would take that one's place.
    pub catalog: &'a Catalog,
    /// The personas that differ between the two.
    pub touched: &'a BTreeSet<PersonaName>,
    /// When the devices are imagined to boot.
    pub now: Moment,
}

impl Impact {
    /// This, and what would change for other devices, which come later by name.
    pub fn and(mut self, other: Self) -> Self {
        for turned in other.devices {
            if self.named(turned.turn) < NAMED {
                self.devices.push(turned);
            }
        }
        for (turn, count) in other.counts {
            *self.counts.entry(turn).or_default() += count;
        }
        self.under_way += other.under_way;
        self
    }

    fn named(&self, turn: Turn) -> usize {
        self.devices.iter().filter(|turned| turned.turn == turn).count()
    }

    /// How many devices would do something else at their next boot.
    pub fn changed(&self) -> usize {
        let quiet = [Turn::Unarmed, Turn::Installed];
        self.counts.iter().filter(|(turn, _)| !quiet.contains(turn)).map(|(_, count)| count).sum()
    }
}

impl Sides<'_> {
    /// What would change for these devices: all, or some of them, so that several threads can share the work.
    pub fn of(&self, devices: &[&Device]) -> Impact {
        let mut impact = Impact::default();
        for device in devices {
            impact.under_way += usize::from(self.is_under_way(device));
            let Some((turn, now, then)) = self.turn(device) else { continue };
            *impact.counts.entry(turn).or_default() += 1;
            if impact.named(turn) < NAMED {
                impact.devices.push(Turned { device: device.id, turn, now: told(&now), then: told(&then) });
            }
        }
        impact
    }

    /// Whether the device is in an attempt that was planned with a persona of these.
    fn is_under_way(&self, device: &Device) -> bool {
        let boot = device.boot.and_then(|boot| self.world.boots.get(&boot));
        let planned = boot.filter(|boot| boot.stage != Stage::Ended).and_then(|boot| boot.kernel.as_ref());
        planned.is_some_and(|kernel| self.touched.contains(&kernel.persona.name))
    }

    fn turn(&self, device: &Device) -> Option<(Turn, Decision, Decision)> {
        // Few devices have a user whose attributes they take; a copy of each device would cost more than both decisions.
        let whole = device.attributes.contains_key(attribute::USER).then(|| self.world.whole(device));
        let device = whole.as_ref().unwrap_or(device);
        let address = address(self.world, device);
        let forecast = &self.ground.forecast;
        let prediction = forecast.of(device.id, self.now).zip(forecast.origin());
        let decide = |catalog: &Catalog| choose(&self.ground.site.boot, catalog, device, address, prediction, self.now);
        let (mut before, mut after) = (decide(&self.ground.catalog), decide(self.catalog));
        if before == after && !names(&before).is_some_and(|name| self.touched.contains(name)) {
            return None;
        }
        for (decision, catalog) in [(&mut before, &*self.ground.catalog), (&mut after, self.catalog)] {
            let shelf = Shelf { catalog, secrets: &self.ground.secrets };
            if let Decision::Become { persona, .. } = &*decision
                && let Some(why) = plan::hindrance(shelf, device, &persona.name)
            {
                *decision = Decision::Refuse { why };
            }
        }
        Some((turned(&before, &after)?, before, after))
    }
}

/// The persona that a decision is about.
fn names(decision: &Decision) -> Option<&PersonaName> {
    match decision {
        Decision::Become { persona, .. } => Some(&persona.name),
        Decision::LocalDisk { reason: Reason::Installed { persona, .. } } => Some(&persona.name),
        Decision::LocalDisk { .. } => None,
        Decision::Refuse { why } => why.persona(),
    }
}

fn turned(before: &Decision, after: &Decision) -> Option<Turn> {
    match (before, after) {
        (Decision::LocalDisk { .. }, Decision::LocalDisk { reason: Reason::Installed { .. } }) => Some(Turn::Installed),
        (_, Decision::Refuse { why: Refusal::NotArmed { .. } }) if matches!(before, Decision::Refuse { .. }) => {
            Some(Turn::Unarmed)
        }
        (before, after) if before == after => None,
        (_, Decision::Become { armed: Some(_), .. }) => Some(Turn::Installs),
        (Decision::Become { persona: old, .. }, Decision::Become { persona: new, .. }) if old.name == new.name => {
            Some(Turn::Renewed)
        }
        (_, Decision::Become { .. }) => Some(Turn::Becomes),
        (_, Decision::LocalDisk { .. }) => Some(Turn::Disk),
        (_, Decision::Refuse { .. }) => Some(Turn::Refused),
    }
}

/// A decision in words.
fn told(decision: &Decision) -> String {
    match decision {
        Decision::Become { persona, reason, .. } => format!("{persona}: {reason}"),
        Decision::LocalDisk { reason } => format!("its disk: {reason}"),
        Decision::Refuse { why } => format!("refused: {why}"),
    }
}
