//! What another catalog would change for the devices: each is decided for twice, by the code that decides for it when it boots.
//!
//! **Few devices are decided for at all.** A decision asks the catalog only for the personas that speak for the device: the one
//! that is on its disk, the one that was assigned, and, when none was, those of rules that fit, of the forecast and of the site;
//! or for who takes their places. A device for which none of these differs between the two catalogs comes to the same decision.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;

use crate::{
    boot::{
        choose::choose,
        matching,
        plan::{self, Shelf},
    },
    model::{Decision, Device, DeviceId, Moment, PersonaName, Reason, Refusal, site::Rule, timeline::Boot},
    persona::catalog::Catalog,
};

use super::{Ground, World, foresee::address};

#[cfg(test)]
mod prove;

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
#[derive(Debug)]
pub struct Sides<'a> {
    world: &'a World,
    ground: &'a Ground,
    catalog: &'a Catalog,
    touched: &'a BTreeSet<PersonaName>,
    now: Moment,
    /// Of whom the catalogs may say different things: the touched personas, and those whose places they take, or took.
    differing: HashSet<&'a PersonaName>,
    /// The rules that give one of these.
    rules: Vec<&'a Rule>,
    /// Whether devices that nothing names get one of these.
    default: bool,
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

    fn note(&mut self, device: &Device, (turn, now, then): (Turn, Decision, Decision)) {
        let count = self.counts.entry(turn).or_default();
        *count += 1;
        if *count <= NAMED {
            self.devices.push(Turned { device: device.id, turn, now: told(&now), then: told(&then) });
        }
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

impl<'a> Sides<'a> {
    /// What is in force in `ground`, its catalog too, against `catalog` in that one's place; the personas that differ between
    /// the two are `touched`. The devices are imagined to boot `now`.
    pub fn new(
        world: &'a World,
        ground: &'a Ground,
        catalog: &'a Catalog,
        touched: &'a BTreeSet<PersonaName>,
        now: Moment,
    ) -> Self {
        let entries = |name| [&*ground.catalog, catalog].into_iter().filter_map(move |catalog| catalog.persona(name));
        let replaced = touched.iter().flat_map(entries).flat_map(|entry| &entry.persona.supersedes);
        let differing: HashSet<&PersonaName> = touched.iter().chain(replaced).collect();
        let policy = &ground.site.boot;
        let rules = policy.rules.iter().filter(|rule| differing.contains(&rule.persona)).collect();
        let default = policy.default.as_ref().is_some_and(|name| differing.contains(name));
        Self { world, ground, catalog, touched, now, differing, rules, default }
    }

    /// What would change for these devices: all, or some of them, so that several threads can share the work.
    pub fn of(&self, devices: &[&Device]) -> Impact {
        let mut impact = Impact::default();
        for device in devices {
            if self.may_turn(device)
                && let Some(turned) = self.turn(device)
            {
                impact.note(device, turned);
            }
        }
        impact
    }

    /// How many attempts are under way that were planned with a persona of these, and keep it.
    pub fn under_way(&self) -> usize {
        let boots = self.world.under_way.iter().filter_map(|id| self.world.boots.get(id));
        let is_current = |boot: &&Boot| {
            let device = self.world.devices.get(&boot.device);
            let planned = boot.kernel.as_ref().is_some_and(|kernel| self.touched.contains(&kernel.persona.name));
            planned && device.is_some_and(|device| device.boot == Some(boot.id))
        };
        boots.filter(is_current).count()
    }

    /// Whether any persona that could speak for the device is one of which the catalogs may say different things.
    fn may_turn(&self, device: &Device) -> bool {
        let differs = |name: &PersonaName| self.differing.contains(name);
        if device.installed.as_ref().is_some_and(|installed| differs(&installed.persona.name)) {
            return true;
        }
        // Nothing else is heard while an assignment holds.
        match device.assigned.as_ref().filter(|assigned| assigned.holds(self.now)) {
            Some(assigned) => differs(&assigned.persona),
            None => self.default || self.is_predicted(device) || self.is_meant(device),
        }
    }

    fn is_predicted(&self, device: &Device) -> bool {
        let best = self.ground.forecast.of(device.id, self.now).and_then(|prediction| prediction.ranked().first());
        best.is_some_and(|best| self.differing.contains(&best.persona))
    }

    /// Whether a rule that gives one of these means the device.
    fn is_meant(&self, device: &Device) -> bool {
        // Few rules ask for the address, and it takes longer to find than all the rest.
        let by_address = self.rules.iter().any(|rule| !rule.when.subnet.is_empty());
        let address = if by_address { address(self.world, device) } else { None };
        let said = |name: &str| self.world.attribute(device, name);
        self.rules.iter().any(|rule| matching::fits_with(&rule.when, device, address, said))
    }

    /// What is decided with the one catalog and with the other.
    fn decided(&self, device: &Device) -> (Decision, Decision) {
        let policy = &self.ground.site.boot;
        // Rules alone mind what a device has of its user, and its address, and no rule is heard while an assignment holds. To
        // copy the device and to find its address would cost more than both decisions.
        let is_ruled = !device.assigned.as_ref().is_some_and(|assigned| assigned.holds(self.now));
        let seen = is_ruled.then(|| self.world.seen_by_rules(device, policy));
        let device = seen.as_deref().unwrap_or(device);
        let by_address = is_ruled && policy.rules.iter().any(|rule| !rule.when.subnet.is_empty());
        let address = if by_address { address(self.world, device) } else { None };
        let forecast = &self.ground.forecast;
        let prediction = forecast.of(device.id, self.now).zip(forecast.origin());
        let decide = |catalog: &Catalog| choose(policy, catalog, device, address, prediction, self.now);
        (decide(&self.ground.catalog), decide(self.catalog))
    }

    fn turn(&self, device: &Device) -> Option<(Turn, Decision, Decision)> {
        let (mut before, mut after) = self.decided(device);
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
