//! What must hold whatever happens, watched while it happens, from the facts alone:
//!
//! * no address is bound to two devices at a time;
//! * no attempt is given its NBP twice;
//! * every attempt ends: served, sent to its disk, refused with a reason, begun anew, or given up as silent;
//! * no disk is wiped without an operator's leave that was given for this device and not used since;
//! * `World == replay(journal)`: a second World, folded from what the records are *as text*, is the same.
//!
//! Each is kept in a simpler way than the World keeps it, so that a mistake there is not made here again.

use std::{collections::HashMap, net::Ipv4Addr};

use serde::Serialize;

use crate::{
    model::{
        BootId, Decision, DeviceId, Effect, Fact, MacAddr, Moment, Record,
        lease::LeaseState,
        timeline::{Phase, Step},
    },
    persona::catalog::Catalog,
    world::World,
};

/// How many records are replayed from their text: reading all of a large run again would take longer than the run.
const REPLAYED: u64 = 200_000;
/// How many violations are told in words.
const TOLD: usize = 20;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Facts that were watched.
    pub facts: u64,
    /// Attempts that began.
    pub attempts: u64,
    /// Those that ended served: the persona runs, or is installed.
    pub served: u64,
    /// Those that were sent to their disk.
    pub local_disk: u64,
    /// Those that were refused, with a reason.
    pub refused: u64,
    /// Those that went silent, failed, or were cut off because the device began anew.
    pub broken_off: u64,
    /// Addresses that were bound.
    pub bound: u64,
    /// Plans that wipe a disk, each with an operator's leave.
    pub wipes: u64,
    /// Records that were folded a second time from their text, into the same World.
    pub replayed: u64,
    /// What should not have been, in words; nothing, when all is well.
    pub broken: Vec<String>,
}

/// The watch.
#[derive(Debug, Default)]
pub(super) struct Check {
    found: Checked,
    /// Who was promised which address, and until when.
    held: HashMap<Ipv4Addr, (MacAddr, Moment)>,
    /// Attempts that have not ended, and whether each has its NBP.
    open: HashMap<BootId, Open>,
    /// The latest attempt of each device.
    latest: HashMap<DeviceId, BootId>,
    /// Devices that an operator gave leave to wipe.
    armed: HashMap<DeviceId, Moment>,
    replay: World,
}

#[derive(Debug)]
struct Open {
    device: DeviceId,
    chainloaded: bool,
    armed: bool,
}

impl Check {
    pub(super) fn hear(&mut self, record: &Record, catalog: &Catalog, world: &World) {
        self.found.facts += 1;
        let at = record.at;
        match &record.fact {
            Fact::LeaseBound { lease } => {
                self.found.bound += u64::from(lease.state == LeaseState::Bound);
                if let Some((mac, until)) = self.held.insert(lease.ip, (lease.mac, lease.until))
                    && mac != lease.mac
                    && at < until
                {
                    self.broken(format!("{} is bound to {} and to {mac}", lease.ip, lease.mac));
                }
            }
            Fact::LeaseReleased { ip, .. } | Fact::LeaseDeclined { ip, .. } => drop(self.held.remove(ip)),
            Fact::BootStarted { boot, device, .. } => {
                self.found.attempts += 1;
                if let Some(before) = self.latest.insert(*device, *boot)
                    && self.open.remove(&before).is_some()
                {
                    self.found.broken_off += 1;
                }
                self.open.insert(*boot, Open { device: *device, chainloaded: false, armed: false });
            }
            Fact::BootMoved { boot, step } => self.moved(*boot, step),
            Fact::BootPlanned { boot, kernel, .. } => {
                let effect = catalog.persona(&kernel.persona.name).map(|entry| entry.persona.effect());
                if effect == Some(Effect::Destructive) {
                    self.wiped(*boot);
                }
            }
            Fact::DeviceArmed { device, .. } => drop(self.armed.insert(*device, at)),
            Fact::DeviceDisarmed { device, .. } | Fact::DeviceInstalled { device, .. } => {
                self.armed.remove(device);
            }
            _ => {}
        }
        self.fold(record, world);
    }

    fn moved(&mut self, boot: BootId, step: &Step) {
        let ended = match step {
            Step::Nbp { transfer, .. } if transfer.is_whole() => {
                if let Some(open) = self.open.get_mut(&boot)
                    && std::mem::replace(&mut open.chainloaded, true)
                {
                    self.broken(format!("attempt {boot} was given its NBP twice"));
                }
                return;
            }
            Step::Script { decision: Decision::Become { armed, .. } } => {
                if let Some(open) = self.open.get_mut(&boot) {
                    open.armed = armed.is_some();
                }
                return;
            }
            Step::Script { decision: Decision::LocalDisk { .. } } => &mut self.found.local_disk,
            Step::Script { decision: Decision::Refuse { .. } } | Step::Refused { .. } => &mut self.found.refused,
            Step::Report(report) => match report.phase {
                Phase::Ready | Phase::Installed => &mut self.found.served,
                Phase::Failed => &mut self.found.broken_off,
                Phase::Installing => return,
            },
            Step::GaveUp | Step::Stuck { .. } => &mut self.found.broken_off,
            _ => return,
        };
        if self.open.remove(&boot).is_some() {
            *ended += 1;
        }
    }

    fn wiped(&mut self, boot: BootId) {
        self.found.wipes += 1;
        let leave = self.open.get(&boot).is_some_and(|open| open.armed && self.armed.contains_key(&open.device));
        if !leave {
            self.broken(format!("attempt {boot} wipes a disk, and nobody gave leave"));
        }
    }

    /// A second World, from the text that the journal would hold.
    fn fold(&mut self, record: &Record, world: &World) {
        if record.seq > REPLAYED {
            return;
        }
        let last = record.seq == REPLAYED;
        let read = serde_json::to_string(record).map(|text| serde_json::from_str::<Record>(&text));
        match read {
            Ok(Ok(read)) => {
                self.replay.apply(&read);
                self.found.replayed += 1;
            }
            Ok(Err(error)) | Err(error) => self.broken(format!("record {} does not come back: {error}", record.seq)),
        }
        if last {
            self.compare(world);
            self.replay = World::default();
        }
    }

    /// Holds the second World against the first.
    fn compare(&mut self, world: &World) {
        if self.replay != *world {
            self.broken(format!("the World is not what its journal says, at record {}", world.seq));
        }
    }

    pub(super) fn broken(&mut self, what: String) {
        if self.found.broken.len() < TOLD {
            self.found.broken.push(what);
        }
    }

    /// The end: everything that began has ended.
    pub(super) fn finish(mut self, world: &World) -> Checked {
        if world.seq < REPLAYED {
            self.compare(world);
        }
        if let Some(boot) = self.open.keys().min() {
            let (boot, count) = (*boot, self.open.len());
            self.broken(format!("{count} attempts have not ended, {boot} among them"));
        }
        self.found
    }
}
