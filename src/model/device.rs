//! What is remembered of one device.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Arch, Armed, BootId, Firmware, MacAddr, Moment, PersonaName, PersonaRef, SmbiosUuid, smbios::Hardware};

/// The name of a device: the MAC address by which it was first seen. Later ports with the same SMBIOS UUID join it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(MacAddr);

impl DeviceId {
    /// The device first seen by this port.
    pub const fn new(mac: MacAddr) -> Self {
        Self(mac)
    }

    /// The port by which the device was first seen.
    pub const fn mac(self) -> MacAddr {
        self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What is remembered of one device: a fold over its facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its name.
    pub id: DeviceId,
    /// Every port it was seen by, the first one first.
    pub macs: Vec<MacAddr>,
    /// Its SMBIOS UUID, once one was seen that identifies it.
    pub uuid: Option<SmbiosUuid>,
    /// Its instruction set, once seen.
    pub arch: Option<Arch>,
    /// What spoke last.
    pub firmware: Option<Firmware>,
    /// What iPXE reported last.
    #[serde(default)]
    pub hardware: Hardware,
    /// First and last seen; a device that was assigned before it was ever seen has neither.
    pub seen: Option<Seen>,
    /// The persona that an operator gave it.
    pub assigned: Option<Assignment>,
    /// Leave to wipe its disk, until the installation that used it is done.
    pub armed: Option<Armed>,
    /// What is on its disk, as far as we put it there.
    pub installed: Option<Installed>,
    /// When installations of it were last begun, the oldest first, at most [`Device::MAX_INSTALLS_KEPT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub installs: Vec<Moment>,
    /// The attempt under way, or the last one.
    pub boot: Option<BootId>,
}

impl Device {
    /// How many beginnings of installations are remembered: enough for any sensible cap per hour.
    pub const MAX_INSTALLS_KEPT: usize = 32;

    /// A device of which nothing is known but one port.
    pub fn new(mac: MacAddr) -> Self {
        Self {
            id: DeviceId::new(mac),
            macs: vec![mac],
            uuid: None,
            arch: None,
            firmware: None,
            hardware: Hardware::default(),
            seen: None,
            assigned: None,
            armed: None,
            installed: None,
            installs: vec![],
            boot: None,
        }
    }
}

/// When a device spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The first time.
    pub first: Moment,
    /// The latest time.
    pub last: Moment,
}

/// An operator's word on what a device shall become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The persona, by name: the device follows the library's current version.
    pub persona: PersonaName,
    /// When it was said.
    pub at: Moment,
    /// Who said it.
    pub by: String,
}

/// The latch: a device that was installed boots its disk until it is armed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// What was installed.
    pub persona: PersonaRef,
    /// When the installer reported that it was done.
    pub at: Moment,
}
