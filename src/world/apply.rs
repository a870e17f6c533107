//! The fold: the only code that changes a World.

use crate::model::{
    Account, Armed, BootId, Decision, Device, DeviceId, Fact, Moment, Record, Token, User, UserName, attribute,
    device::{Assignment, Installed, Seen, Visit},
    lease::{Lease, LeaseState},
    plan::{KernelBoot, Setting},
    timeline::{Boot, Outcome, Stage},
};

use super::{Taken, World, attempt, state::user_named};

impl World {
    /// Folds one record in. Records come in the order of their numbers, each once.
    pub fn apply(&mut self, record: &Record) {
        let Record { seq, at, fact } = record;
        self.seq = *seq;
        match fact {
            Fact::LeaseOffered { lease } | Fact::LeaseBound { lease } => self.leases.put(lease.clone()),
            Fact::LeaseReleased { ip, .. } => {
                if let Some(lease) = self.leases.get(*ip).cloned() {
                    self.leases.put(Lease { state: LeaseState::Released, until: *at, ..lease });
                }
            }
            Fact::LeaseDeclined { ip, mac, until } => {
                let hostname = None;
                self.leases.put(Lease { ip: *ip, mac: *mac, state: LeaseState::Declined, until: *until, hostname });
            }
            Fact::DeviceSeen { device, mac, uuid, arch, firmware } => self.change(*device, |device| {
                if !device.macs.contains(mac) {
                    device.macs.push(*mac);
                }
                device.uuid = device.uuid.or(*uuid);
                device.arch = arch.or(device.arch);
                device.firmware = Some(*firmware);
                device.seen = Some(Seen { first: device.seen.map_or(*at, |seen| seen.first), last: *at });
            }),
            Fact::HardwareReported { device, hardware } => self.change(*device, |device| {
                device.uuid = device.uuid.or(hardware.uuid);
                device.hardware = hardware.clone();
            }),
            Fact::DevicePlaced { device, link } => self.change(*device, |device| device.link = link.clone()),
            Fact::DeviceDescribed { device, changes, .. } => {
                let before = self.devices.get(device).and_then(user_named);
                self.told(*device, |device| attribute::change(&mut device.attributes, changes));
                let after = self.devices.get(device).and_then(user_named);
                self.changes_hands(*device, before.as_ref(), after.as_ref());
            }
            Fact::UserDescribed { user, changes, active, .. } => self.told_of(user, |user| {
                attribute::change(&mut user.attributes, changes);
                user.active = active.unwrap_or(user.active);
            }),
            Fact::UserForgotten { user, .. } => {
                self.users.remove_mut(user);
            }
            Fact::OrdersTaken { key, print, by } => {
                self.taken.put(*seq, Taken { key: (by.clone(), key.clone()), print: *print, at: *at });
            }
            Fact::PersonaAssigned { device, persona, by, not_before, expires, why } => self.told(*device, |device| {
                device.declined.remove(persona);
                device.assigned = Some(Assignment {
                    persona: persona.clone(),
                    at: *at,
                    by: by.clone(),
                    not_before: *not_before,
                    expires: *expires,
                    why: why.clone(),
                });
            }),
            Fact::PersonaUnassigned { device, .. } => self.told(*device, |device| device.assigned = None),
            Fact::ProposalDeclined { device, persona, .. } => self.told(*device, |device| {
                device.declined.insert(persona.clone());
            }),
            Fact::DeviceArmed { device, by } => {
                self.told(*device, |device| device.armed = Some(Armed::Operator { name: by.clone(), at: *at }));
            }
            Fact::DeviceDisarmed { device, .. } => self.told(*device, |device| device.armed = None),
            Fact::DeviceInstalled { device, persona } => self.change(*device, |device| {
                device.installed = Some(Installed { persona: persona.clone(), at: *at });
                device.armed = None;
            }),
            Fact::DeviceForgotten { device, .. } => self.forget(*device),
            Fact::ImagePinned { image, tier, .. } => self.pins.insert_mut(image.clone(), *tier),
            Fact::ImageUnpinned { image, .. } => {
                self.pins.remove_mut(image);
            }
            // What the cache holds is its own to know: this is for those who ask who did it.
            Fact::ImageEvicted { .. } => {}
            Fact::TokenCreated { name, scopes, print, expires, by } => {
                let (name, scopes, by) = (name.clone(), scopes.clone(), by.clone());
                let token = Token { name: name.clone(), scopes, print: *print, created: *at, by, expires: *expires };
                self.tokens.insert_mut(name, token);
            }
            Fact::TokenRevoked { name, .. } => {
                self.tokens.remove_mut(name);
            }
            Fact::AccountCreated { name, role, proof, by } => {
                let (name, proof, by) = (name.clone(), proof.clone(), by.clone());
                let account = Account { name: name.clone(), role: *role, proof, created: *at, by, changed: *seq };
                self.accounts.insert_mut(name, account);
            }
            Fact::AccountChanged { name, role, proof, .. } => {
                if let Some(account) = self.accounts.get_mut(name) {
                    account.role = role.unwrap_or(account.role);
                    account.proof = proof.clone().unwrap_or_else(|| account.proof.clone());
                    account.changed = *seq;
                }
            }
            Fact::AccountRemoved { name, .. } => {
                self.accounts.remove_mut(name);
            }
            Fact::BootStarted { boot, device, firmware, arch } => {
                let started = attempt::start(*boot, *device, *firmware, *arch, *at);
                self.begin(*seq, started);
            }
            Fact::BootPlanned { boot, kernel, setting } => self.planned(*boot, kernel, setting.as_ref(), *at),
            Fact::BootMoved { boot, step } => {
                if let Some(boot) = self.boots.get_mut(boot) {
                    attempt::step(boot, step, *at);
                    let (device, id, outcome) = (boot.device, boot.id, boot.outcome);
                    if outcome.is_some() {
                        self.under_way.remove_mut(&id);
                        self.left(device, id, outcome);
                    }
                }
            }
        }
    }

    /// Changes what is remembered of a device, which begins to exist if it did not; the indexes follow.
    fn change(&mut self, id: DeviceId, change: impl FnOnce(&mut Device)) {
        if !self.devices.contains_key(&id) {
            self.devices.insert_mut(id, Device::new(id.mac()));
        }
        // In place: a device is copied once after a snapshot was taken, and not for each fact of a batch.
        let Some(device) = self.devices.get_mut(&id) else { return };
        change(device);
        for mac in &device.macs {
            if self.ports.get(mac) != Some(&id) {
                self.ports.insert_mut(*mac, id);
            }
        }
        if let Some(uuid) = device.uuid.filter(|uuid| self.uuids.get(uuid) != Some(&id)) {
            self.uuids.insert_mut(uuid, id);
        }
    }

    /// The same, when somebody said so.
    fn told(&mut self, id: DeviceId, change: impl FnOnce(&mut Device)) {
        let seq = self.seq;
        self.change(id, |device| {
            change(device);
            device.changed = seq;
        });
    }

    fn told_of(&mut self, name: &UserName, change: impl FnOnce(&mut User)) {
        let mut user = self.users.get(name).cloned().unwrap_or_else(|| User::new(name.clone()));
        change(&mut user);
        user.changed = self.seq;
        self.users.insert_mut(name.clone(), user);
    }

    /// An attempt ended: how, belongs to the visit that it was.
    fn left(&mut self, device: DeviceId, boot: BootId, outcome: Option<Outcome>) {
        let Some(known) = self.devices.get(&device) else { return };
        let Some(at) = known.visits.iter().rposition(|visit| visit.boot == boot && visit.outcome != outcome) else {
            return;
        };
        self.change(device, |device| device.visits[at].outcome = outcome);
    }

    /// Drops a device and its indexes. Its attempts stay: they happened.
    fn forget(&mut self, id: DeviceId) {
        let Some(device) = self.devices.get(&id).cloned() else { return };
        for mac in &device.macs {
            self.ports.remove_mut(mac);
        }
        if let Some(uuid) = &device.uuid {
            self.uuids.remove_mut(uuid);
        }
        self.changes_hands(id, user_named(&device).as_ref(), None);
        self.devices.remove_mut(&id);
    }

    fn begin(&mut self, seq: u64, boot: Boot) {
        let (id, at) = (boot.id, boot.began);
        let before = self.devices.get(&boot.device).and_then(|device| device.boot);
        if let Some(before) = before.and_then(|before| self.boots.get_mut(&before)) {
            attempt::end(before, Outcome::Restarted, at);
            let (before, outcome) = (before.id, before.outcome);
            self.under_way.remove_mut(&before);
            self.left(boot.device, before, outcome);
        }
        self.change(boot.device, |device| device.boot = Some(id));
        self.boots.insert_mut(id, boot);
        self.boot_order.insert_mut(seq, id);
        self.under_way.insert_mut(id);
        while self.boots.size() > Self::MAX_BOOTS {
            let Some((oldest, id)) = self.boot_order.first().map(|(seq, id)| (*seq, *id)) else { break };
            self.boot_order.remove_mut(&oldest);
            self.boots.remove_mut(&id);
            self.under_way.remove_mut(&id);
        }
    }

    fn planned(&mut self, id: BootId, kernel: &KernelBoot, setting: Option<&Setting>, at: Moment) {
        let Some(boot) = self.boots.get_mut(&id) else { return };
        let again = boot.kernel.replace(kernel.clone()).is_some();
        boot.setting = setting.cloned();
        boot.stage = boot.stage.max(Stage::Scripted);
        let destructive = matches!(boot.decision, Some(Decision::Become { armed: Some(_), .. }));
        let device = boot.device;
        let voice = match &boot.decision {
            Some(Decision::Become { reason, .. }) => reason.voice(),
            _ => None,
        };
        if let (Some(voice), false) = (voice, again) {
            let visit = Visit { boot: id, persona: kernel.persona.name.clone(), at, voice, outcome: None };
            self.change(device, |device| {
                device.visits.push(visit);
                let excess = device.visits.len().saturating_sub(Device::MAX_VISITS_KEPT);
                device.visits.drain(..excess);
            });
        }
        if destructive && !again {
            self.change(device, |device| {
                device.installs.push(at);
                let excess = device.installs.len().saturating_sub(Device::MAX_INSTALLS_KEPT);
                device.installs.drain(..excess);
            });
        }
    }
}
