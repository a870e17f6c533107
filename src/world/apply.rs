//! The fold: the only code that changes a World.

use crate::model::{
    Armed, BootId, Decision, Device, DeviceId, Fact, Moment, Record,
    device::{Assignment, Installed, Seen},
    lease::{Lease, LeaseState},
    plan::{KernelBoot, Setting},
    timeline::{Boot, Outcome, Stage},
};

use super::{World, attempt};

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
            Fact::PersonaAssigned { device, persona, by } => self.change(*device, |device| {
                device.assigned = Some(Assignment { persona: persona.clone(), at: *at, by: by.clone() });
            }),
            Fact::PersonaUnassigned { device, .. } => self.change(*device, |device| device.assigned = None),
            Fact::DeviceArmed { device, by } => {
                self.change(*device, |device| device.armed = Some(Armed::Operator { name: by.clone(), at: *at }));
            }
            Fact::DeviceDisarmed { device, .. } => self.change(*device, |device| device.armed = None),
            Fact::DeviceInstalled { device, persona } => self.change(*device, |device| {
                device.installed = Some(Installed { persona: persona.clone(), at: *at });
                device.armed = None;
            }),
            Fact::DeviceForgotten { device, .. } => self.forget(*device),
            Fact::ImagePinned { image, tier, .. } => self.pins.insert_mut(image.clone(), *tier),
            Fact::ImageUnpinned { image, .. } => {
                self.pins.remove_mut(image);
            }
            Fact::BootStarted { boot, device, firmware, arch } => {
                let started = attempt::start(*boot, *device, *firmware, *arch, *at);
                self.begin(*seq, started);
            }
            Fact::BootPlanned { boot, kernel, setting } => self.planned(*boot, kernel, setting.as_ref(), *at),
            Fact::BootMoved { boot, step } => {
                if let Some(boot) = self.boots.get_mut(boot) {
                    attempt::step(boot, step, *at);
                }
            }
        }
    }

    /// Changes what is remembered of a device, which begins to exist if it did not; the indexes follow.
    fn change(&mut self, id: DeviceId, change: impl FnOnce(&mut Device)) {
        let mut device = self.devices.get(&id).cloned().unwrap_or_else(|| Device::new(id.mac()));
        change(&mut device);
        for mac in &device.macs {
            self.ports.insert_mut(*mac, id);
        }
        if let Some(uuid) = device.uuid {
            self.uuids.insert_mut(uuid, id);
        }
        self.devices.insert_mut(id, device);
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
        self.devices.remove_mut(&id);
    }

    fn begin(&mut self, seq: u64, boot: Boot) {
        let (id, at) = (boot.id, boot.began);
        let before = self.devices.get(&boot.device).and_then(|device| device.boot);
        if let Some(before) = before.and_then(|before| self.boots.get_mut(&before)) {
            attempt::end(before, Outcome::Restarted, at);
        }
        self.change(boot.device, |device| device.boot = Some(id));
        self.boots.insert_mut(id, boot);
        self.boot_order.insert_mut(seq, id);
        while self.boots.size() > Self::MAX_BOOTS {
            let Some((oldest, id)) = self.boot_order.first().map(|(seq, id)| (*seq, *id)) else { break };
            self.boot_order.remove_mut(&oldest);
            self.boots.remove_mut(&id);
        }
    }

    fn planned(&mut self, id: BootId, kernel: &KernelBoot, setting: Option<&Setting>, at: Moment) {
        let Some(boot) = self.boots.get_mut(&id) else { return };
        let again = boot.kernel.replace(kernel.clone()).is_some();
        boot.setting = setting.cloned();
        boot.stage = boot.stage.max(Stage::Scripted);
        let destructive = matches!(boot.decision, Some(Decision::Become { armed: Some(_), .. }));
        let device = boot.device;
        if destructive && !again {
            self.change(device, |device| {
                device.installs.push(at);
                let excess = device.installs.len().saturating_sub(Device::MAX_INSTALLS_KEPT);
                device.installs.drain(..excess);
            });
        }
    }
}
