//! What happens to a fleet, whatever serves it: who switches which device on when and wants what of it, what the organisation
//! says of devices, and when images get new versions.
//!
//! The four strategies see the same plan, so that what differs between them is their doing.

use crate::model::{Firmware, MacAddr};

/// When the simulated time begins: Monday, 2026-01-05, 00:00 UTC, in milliseconds since 1970.
pub const BEGAN: u64 = 1_767_571_200_000;
/// Milliseconds of a minute.
pub(super) const MINUTE: u64 = 60_000;
/// Milliseconds of an hour.
pub(super) const HOUR: u64 = 60 * MINUTE;
/// Milliseconds of a day.
pub(super) const DAY: u64 = 24 * HOUR;

/// A device, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seat {
    /// Its port.
    pub(super) mac: MacAddr,
    /// What speaks from it first.
    pub(super) firmware: Firmware,
    /// Which of the relays its packets come through.
    pub(super) relay: u8,
}

/// Somebody switches a device on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Want {
    /// When, in milliseconds since 1970.
    pub(super) at: u64,
    /// Which device.
    pub(super) seat: u32,
    /// What they want it to be: the place in the shelf.
    pub(super) persona: u16,
}

/// The organisation says something of a device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    /// When.
    pub(super) at: u64,
    /// Of which device.
    pub(super) seat: u32,
    /// What: names of attributes and what they say.
    pub(super) says: Vec<(&'static str, String)>,
}

/// An image has a new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Release {
    /// When.
    pub(super) at: u64,
    /// Which image, by the place of its persona in the shelf.
    pub(super) persona: u16,
}

/// All of it, each list in the order of time.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    pub(super) days: u32,
    pub(super) seats: Vec<Seat>,
    pub(super) wants: Vec<Want>,
    pub(super) changes: Vec<Change>,
    pub(super) releases: Vec<Release>,
}

impl Plan {
    pub(super) fn sort(&mut self) {
        self.wants.sort_unstable();
        self.changes.sort();
        self.releases.sort_unstable();
    }

    /// When it is over.
    pub(super) fn ends(&self) -> u64 {
        BEGAN + u64::from(self.days) * DAY
    }
}
