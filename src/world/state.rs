//! What the World holds.

use std::net::Ipv4Addr;

use rpds::{HashTrieMapSync, RedBlackTreeMapSync};
use serde::{Deserialize, Serialize};

use crate::model::{BootId, Device, DeviceId, MacAddr, lease::Lease, timeline::Boot};

/// Everything that decisions depend on and that must outlive the process: a fold over the journal.
///
/// The maps are persistent (they share structure), so a clone costs a few pointers: the engine publishes one after every
/// batch, and readers keep theirs as long as they like.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct World {
    /// The number of the last record folded in.
    pub seq: u64,
    /// Leases by address. Pools of different subnets are disjoint, so one map serves all.
    pub leases: HashTrieMapSync<Ipv4Addr, Lease>,
    /// The address that each client has or had last.
    pub lease_of: HashTrieMapSync<MacAddr, Ipv4Addr>,
    /// Devices by name.
    pub devices: RedBlackTreeMapSync<DeviceId, Device>,
    /// Which device each port belongs to.
    pub ports: HashTrieMapSync<MacAddr, DeviceId>,
    /// Attempts by name: every one that is under way, and the latest that are over.
    pub boots: HashTrieMapSync<BootId, Boot>,
}
