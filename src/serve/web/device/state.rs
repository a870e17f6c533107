//! How a device stands, in a word.

use serde::Serialize;

use crate::{
    model::{
        Device,
        timeline::{Outcome, Stage},
    },
    world::World,
};

/// How a device stands. What needs somebody comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::serve::web) enum State {
    /// Its disk may be wiped.
    Armed,
    /// Its latest boot went silent.
    Stuck,
    /// Its latest boot failed.
    Failed,
    /// Its latest boot was refused.
    Refused,
    /// A boot is under way.
    Booting,
    /// It began another boot, which is not known any more.
    Restarted,
    /// It is what its persona says.
    Ready,
    /// It was installed.
    Installed,
    /// It was sent to its disk.
    LocalDisk,
    /// It was seen, and nothing is under way.
    Idle,
    /// It was described or assigned before it was ever seen.
    NeverSeen,
}

impl State {
    /// How a device stands now; one that is armed is that before all else.
    pub(in crate::serve::web) fn of(world: &World, device: &Device) -> Self {
        if device.armed.is_some() { Self::Armed } else { Self::of_boot(world, device) }
    }

    /// How it stands, its arming aside.
    pub(in crate::serve::web) fn of_boot(world: &World, device: &Device) -> Self {
        let latest = device.boot.and_then(|boot| world.boots.get(&boot));
        match latest.map(|boot| (boot.stage, boot.outcome)) {
            Some((Stage::Ended, Some(outcome))) => match outcome {
                Outcome::Ready => Self::Ready,
                Outcome::Installed => Self::Installed,
                Outcome::LocalDisk => Self::LocalDisk,
                Outcome::Refused => Self::Refused,
                Outcome::Failed => Self::Failed,
                Outcome::Stuck => Self::Stuck,
                Outcome::Restarted => Self::Restarted,
            },
            Some(_) => Self::Booting,
            None if device.installed.is_some() => Self::Installed,
            None if device.seen.is_some() => Self::Idle,
            None => Self::NeverSeen,
        }
    }

    /// The word for it.
    pub(in crate::serve::web) const fn name(self) -> &'static str {
        match self {
            Self::Armed => "armed",
            Self::Stuck => "stuck",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Booting => "booting",
            Self::Restarted => "restarted",
            Self::Ready => "ready",
            Self::Installed => "installed",
            Self::LocalDisk => "on its disk",
            Self::Idle => "idle",
            Self::NeverSeen => "never seen",
        }
    }

    /// The class of its badge.
    pub(in crate::serve::web) const fn tone(self) -> &'static str {
        match self {
            Self::Stuck | Self::Failed | Self::Refused => "bad",
            Self::Armed => "warn",
            Self::Booting => "info",
            Self::Ready | Self::Installed => "good",
            Self::Restarted | Self::LocalDisk | Self::Idle | Self::NeverSeen => "",
        }
    }
}
