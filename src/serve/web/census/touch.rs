//! Which devices a fact may have made others of. Every fact is here: a new one must be considered.

use crate::{
    model::{BootId, Fact, Record},
    world::World,
};

use super::fleet::Fleet;

impl Fleet {
    /// Has the devices of a fact looked at anew. `addresses`: whether any row stands on the address of its device.
    pub(super) fn touch(&mut self, record: &Record, world: &World, addresses: bool) {
        match &record.fact {
            Fact::DeviceSeen { device, .. }
            | Fact::DevicePlaced { device, .. }
            | Fact::DeviceDescribed { device, .. }
            | Fact::HardwareReported { device, .. }
            | Fact::PersonaAssigned { device, .. }
            | Fact::PersonaUnassigned { device, .. }
            | Fact::ProposalDeclined { device, .. }
            | Fact::DeviceArmed { device, .. }
            | Fact::DeviceDisarmed { device, .. }
            | Fact::DeviceInstalled { device, .. }
            | Fact::DeviceForgotten { device, .. } => {
                self.named.insert(*device);
            }
            Fact::BootStarted { device, .. } => {
                self.named.insert(*device);
                self.attempts.insert(record.seq, *device);
            }
            Fact::BootMoved { boot, .. } | Fact::BootPlanned { boot, .. } => self.moved(*boot, world),
            // Their devices take what is said of them. Whose a device was before, and is not any more, a fact about it said.
            Fact::UserDescribed { user, .. } | Fact::UserForgotten { user, .. } => {
                self.named.extend(world.used_by(user).map(|device| device.id));
            }
            Fact::LeaseOffered { lease } | Fact::LeaseBound { lease } if addresses => {
                self.named.extend(world.ports.get(&lease.mac));
                self.named.extend(self.addresses.get(&lease.ip));
            }
            Fact::LeaseReleased { ip, mac } | Fact::LeaseDeclined { ip, mac, .. } if addresses => {
                self.named.extend(world.ports.get(mac));
                self.named.extend(self.addresses.get(ip));
            }
            Fact::LeaseOffered { .. }
            | Fact::LeaseBound { .. }
            | Fact::LeaseReleased { .. }
            | Fact::LeaseDeclined { .. }
            | Fact::OrdersTaken { .. }
            | Fact::ImagePinned { .. }
            | Fact::ImageUnpinned { .. }
            | Fact::ImageEvicted { .. }
            | Fact::TokenCreated { .. }
            | Fact::TokenRevoked { .. }
            | Fact::AccountCreated { .. }
            | Fact::AccountChanged { .. }
            | Fact::AccountRemoved { .. } => {}
        }
    }

    /// An attempt that is not there any more has been dropped since, which its device is looked at for anyway.
    fn moved(&mut self, boot: BootId, world: &World) {
        self.named.extend(world.boots.get(&boot).map(|boot| boot.device));
    }
}
