//! Which device is it that speaks?

use rpds::HashTrieMapSync;

use crate::model::{DeviceId, MacAddr, SmbiosUuid};

/// The device that a port belongs to: the one that the MAC address is known of; else the one that the UUID is known of;
/// else a new one. The MAC comes first because boards with a copied UUID exist that no list of fillers knows.
pub fn identify(
    ports: &HashTrieMapSync<MacAddr, DeviceId>,
    uuids: &HashTrieMapSync<SmbiosUuid, DeviceId>,
    mac: MacAddr,
    uuid: Option<SmbiosUuid>,
) -> DeviceId {
    let by_uuid = || uuid.and_then(|uuid| uuids.get(&uuid));
    ports.get(&mac).or_else(by_uuid).copied().unwrap_or(DeviceId::new(mac))
}
