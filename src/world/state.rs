//! What the World holds.

use std::borrow::Cow;

use rpds::{HashTrieMapSync, RedBlackTreeMapSync, RedBlackTreeSetSync};
use serde::{Deserialize, Serialize};

use crate::{
    lease::Table,
    model::{
        Account, AccountName, BootId, Device, DeviceId, MacAddr, SmbiosUuid, Token, TokenName, User, UserName,
        attribute::{self, AttributeValue, Attributes},
        image::{ImageName, Tier},
        site::BootPolicy,
        timeline::{Boot, Stage},
    },
};

use super::TakenOrders;

/// Everything that decisions depend on and that must outlive the process: a fold over the journal.
///
/// The maps are persistent (they share structure), so a clone costs a few pointers: the engine publishes one after every
/// batch, and readers keep theirs as long as they like.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// The number of the last record folded in.
    pub seq: u64,
    /// Who has which address. Subnets are disjoint, so one table serves all.
    pub leases: Table,
    /// Devices by name.
    pub devices: RedBlackTreeMapSync<DeviceId, Device>,
    /// The device that each port belongs to.
    pub ports: HashTrieMapSync<MacAddr, DeviceId>,
    /// The device that each identity belongs to.
    pub uuids: HashTrieMapSync<SmbiosUuid, DeviceId>,
    /// Attempts by name: the latest [`World::MAX_BOOTS`].
    pub boots: HashTrieMapSync<BootId, Boot>,
    /// The same attempts by the number of the record that began them: the oldest first.
    pub boot_order: RedBlackTreeMapSync<u64, BootId>,
    /// Those of them that have not ended: few, and looked at every second. Not written down, since it follows from the rest.
    #[serde(skip)]
    pub under_way: RedBlackTreeSetSync<BootId>,
    /// The devices that say whose they are, by that name. Not written down either.
    #[serde(skip)]
    pub used: HashTrieMapSync<UserName, RedBlackTreeSetSync<DeviceId>>,
    /// The images whose files an operator wants kept, and the tier. Checkpoints from before there were pins have none.
    #[serde(default)]
    pub pins: RedBlackTreeMapSync<ImageName, Tier>,
    /// The people that somebody told of.
    #[serde(default)]
    pub users: RedBlackTreeMapSync<UserName, User>,
    /// The keyed orders of the last day.
    #[serde(default)]
    pub taken: TakenOrders,
    /// The tokens of the API that were not revoked.
    #[serde(default)]
    pub tokens: RedBlackTreeMapSync<TokenName, Token>,
    /// Who may sign in to the pages.
    #[serde(default)]
    pub accounts: RedBlackTreeMapSync<AccountName, Account>,
}

impl World {
    /// How many attempts are kept. Older ones are in the journal.
    pub const MAX_BOOTS: usize = 5000;
    /// How many tokens there may be: each request is held against all of them.
    pub const MAX_TOKENS: usize = 1000;
    /// How many accounts there may be. A larger house has an issuer of its own (OIDC).
    pub const MAX_ACCOUNTS: usize = 1000;

    /// The device that a port belongs to.
    pub fn device_of(&self, mac: MacAddr) -> Option<&Device> {
        self.devices.get(self.ports.get(&mac)?)
    }

    /// What the organisation says of a device: of itself, and, where that says nothing, of whoever uses it.
    pub fn attributes(&self, device: &Device) -> Attributes {
        let mut attributes = self.user_of(device).map(|user| user.attributes.clone()).unwrap_or_default();
        attributes.extend(device.attributes.iter().map(|(name, value)| (name.clone(), value.clone())));
        attributes
    }

    /// One of [`World::attributes`].
    pub fn attribute<'a>(&'a self, device: &'a Device, name: &str) -> Option<&'a AttributeValue> {
        device.attributes.get(name).or_else(|| self.user_of(device)?.attributes.get(name))
    }

    /// Whoever uses a device, if it says so and they are known.
    pub fn user_of(&self, device: &Device) -> Option<&User> {
        self.users.get(device.attributes.get(attribute::USER)?.as_str())
    }

    /// The devices that say that somebody uses them, whether that person is known or not, by name.
    pub fn used_by(&self, user: &UserName) -> impl Iterator<Item = &Device> {
        self.used.get(user).into_iter().flatten().filter_map(|device| self.devices.get(device))
    }

    /// Has the index know whose a device was, and is now.
    pub(super) fn changes_hands(&mut self, device: DeviceId, from: Option<&UserName>, to: Option<&UserName>) {
        if from == to {
            return;
        }
        if let Some(user) = from
            && let Some(used) = self.used.get_mut(user)
        {
            used.remove_mut(&device);
            if used.is_empty() {
                self.used.remove_mut(user);
            }
        }
        if let Some(user) = to {
            match self.used.get_mut(user) {
                Some(used) => used.insert_mut(device),
                None => self.used.insert_mut(user.clone(), [device].into_iter().collect()),
            }
        }
    }

    /// A device with what it takes of its user: what rules are held against.
    pub fn whole(&self, device: &Device) -> Device {
        Device { attributes: self.attributes(device), ..device.clone() }
    }

    /// The same for whoever goes through the whole fleet: no copy is made where no rule asks for what is said of users.
    pub fn seen_by_rules<'a>(&self, device: &'a Device, policy: &BootPolicy) -> Cow<'a, Device> {
        let by_attribute = || policy.rules.iter().any(|rule| !rule.when.attributes.is_empty());
        match self.user_of(device).is_some() && by_attribute() {
            true => Cow::Owned(self.whole(device)),
            false => Cow::Borrowed(device),
        }
    }

    /// Reads a World that was written as JSON, and finds out anew what is not written down.
    pub fn read(json: &[u8]) -> serde_json::Result<Self> {
        let mut world: Self = serde_json::from_slice(json)?;
        let under_way = world.boots.values().filter(|boot| boot.stage != Stage::Ended);
        world.under_way = under_way.map(|boot| boot.id).collect();
        let users: Vec<(DeviceId, UserName)> =
            world.devices.values().filter_map(|device| Some((device.id, user_named(device)?))).collect();
        users.iter().for_each(|(device, user)| world.changes_hands(*device, None, Some(user)));
        Ok(world)
    }

    /// Attempts, the latest first.
    pub fn recent_boots(&self) -> impl Iterator<Item = &Boot> {
        self.boot_order.values().rev().filter_map(|id| self.boots.get(id))
    }
}

/// Who uses a device, as it says itself; nobody, when that can be no one's name.
pub(super) fn user_named(device: &Device) -> Option<UserName> {
    device.attributes.get(attribute::USER)?.as_str().parse().ok()
}
