//! What is remembered of one device.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{
    Arch, Armed, BootId, Firmware, Link, MacAddr, Moment, PersonaName, PersonaRef, SmbiosUuid, attribute::Attributes,
    decision::Voice, smbios::Hardware, timeline::Outcome,
};

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
    /// What the organisation says of it.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Where on the network it was when it last spoke.
    #[serde(default)]
    pub link: Link,
    /// What it became, the oldest first, at most [`Device::MAX_VISITS_KEPT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub visits: Vec<Visit>,
    /// The personas that were proposed for it and declined by an operator.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub declined: BTreeSet<PersonaName>,
    /// The number of the fact by which somebody last changed what it is or shall become: sightings do not count.
    #[serde(default)]
    pub changed: u64,
}

impl Device {
    /// How many beginnings of installations are remembered: enough for any sensible cap per hour.
    pub const MAX_INSTALLS_KEPT: usize = 32;
    /// How many visits are remembered: a habit shows in fewer.
    pub const MAX_VISITS_KEPT: usize = 32;

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
            attributes: Attributes::new(),
            link: Link::default(),
            visits: vec![],
            declined: BTreeSet::new(),
            changed: 0,
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
    /// From when on it holds, if not at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Moment>,
    /// From when on it holds no longer, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Moment>,
    /// Why it was said, in the words of who said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Assignment {
    /// Whether it holds at `now`.
    pub fn holds(&self, now: Moment) -> bool {
        self.not_before.is_none_or(|from| from <= now) && self.expires.is_none_or(|until| now < until)
    }

    /// Since when it holds.
    pub fn since(&self) -> Moment {
        self.not_before.map_or(self.at, |from| from.max(self.at))
    }
}

/// A persona that a device became: an entry of its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The attempt.
    pub boot: BootId,
    /// What it became.
    pub persona: PersonaName,
    /// When its kernel was planned.
    pub at: Moment,
    /// Who named the persona.
    pub voice: Voice,
    /// How it ended, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// The latch: a device that was installed boots its disk until it is armed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// What was installed.
    pub persona: PersonaRef,
    /// When the installer reported that it was done.
    pub at: Moment,
}
