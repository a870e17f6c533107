//! Fleets to try the idea with, for who has none: the same seed makes the same people, timetables and power cuts.

mod classroom;
mod lab;
mod office;
mod storm;

use std::{fmt, str::FromStr};

use serde::Serialize;

use crate::{
    model::{Firmware, MacAddr},
    stage::replay::Dice,
};

use super::{
    plan::{BEGAN, DAY, HOUR, MINUTE, Plan, Release, Seat, Want},
    shelf::Shelf,
};

/// What kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// People with roles, who come in the morning; newcomers, changes of role, and a patch day.
    Office,
    /// Benches that three shifts share, each with its own work.
    Lab,
    /// Rooms with a timetable: a persona for each course, and a whole room at once.
    Classroom,
    /// An office where the power fails every few days: everybody at once.
    BootStorm,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Office, Self::Lab, Self::Classroom, Self::BootStorm];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Office => "office",
            Self::Lab => "lab",
            Self::Classroom => "classroom",
            Self::BootStorm => "boot-storm",
        }
    }

    /// What it is, in a sentence.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Office => {
                "people in eight roles at three places come in the morning, each role with its own persona; one in twelve \
                 has habits of their own"
            }
            Self::Lab => {
                "benches that three shifts share, each shift with its own work on each; projects change by the week"
            }
            Self::Classroom => {
                "rooms of 25 devices with a timetable: each course has its own persona, and a room boots at once"
            }
            Self::BootStorm => "an office where the power fails every few days, and everything boots at once",
        }
    }

    /// The personas that it needs, when it is not given a library: their names, and how large their images are at most, in MiB.
    pub(super) const fn personas(self) -> &'static [(&'static str, u64)] {
        match self {
            Self::Office | Self::BootStorm => office::PERSONAS,
            Self::Lab => lab::PERSONAS,
            Self::Classroom => classroom::PERSONAS,
        }
    }

    pub(super) fn plan(self, devices: u32, days: u32, seed: u64, shelf: &Shelf) -> Plan {
        let mut plan = Plan { days, seats: seats(devices, seed), ..Plan::default() };
        let mut dice = Dice::of_one(seed, 1, 0);
        match self {
            Self::Office => office::fill(&mut plan, shelf, &mut dice),
            Self::Lab => lab::fill(&mut plan, shelf, &mut dice),
            Self::Classroom => classroom::fill(&mut plan, shelf, &mut dice),
            Self::BootStorm => storm::fill(&mut plan, shelf, &mut dice),
        }
        plan.sort();
        plan
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names: Vec<&str> = Self::ALL.iter().map(|scenario| scenario.name()).collect();
        let found = Self::ALL.into_iter().find(|scenario| scenario.name() == text);
        found.ok_or_else(|| format!("there is no scenario `{text}`: it is one of {}", names.join(", ")))
    }
}

/// How many relays there are: places, wings, rooms.
pub(super) const RELAYS: u8 = 8;

/// Devices of the firmware that fleets have: most of them UEFI, some BIOS, some with iPXE in their ROM.
fn seats(devices: u32, seed: u64) -> Vec<Seat> {
    let seat = |n: u32| {
        let mut dice = Dice::of_one(seed, 2, u64::from(n));
        let firmware = match dice.part() {
            part if part < 0.6 => Firmware::EfiPxe,
            part if part < 0.8 => Firmware::Bios,
            part if part < 0.9 => Firmware::EfiHttp,
            _ => Firmware::IpxeEfi,
        };
        let [_, b, c, d] = n.to_be_bytes();
        let mac = MacAddr::new([0x52, 0x54, 0x01, b, c, d]).expect("the first byte says unicast");
        Seat { mac, firmware, relay: (n % u32::from(RELAYS)) as u8 }
    };
    (0..devices).map(seat).collect()
}

/// Whether somebody works on that day.
const fn is_workday(day: u32) -> bool {
    day % 7 < 5
}

/// A moment of a day.
fn moment(day: u32, hours: f64) -> u64 {
    BEGAN + u64::from(day) * DAY + (hours * HOUR as f64) as u64
}

/// About so many hours, give or take: the sum of three throws is close to a bell.
fn about(dice: &mut Dice, hours: f64, spread: f64) -> f64 {
    hours + spread * ((dice.part() + dice.part() + dice.part()) * 2.0 - 3.0) / 1.5
}

/// New versions: everything in the night of each Tuesday, and `nightly` of the images each night before a workday.
fn releases(plan: &mut Plan, shelf: &Shelf, dice: &mut Dice, nightly: usize) {
    for day in 1..plan.days {
        let at = moment(day, 1.0);
        if day % 7 == 1 {
            plan.releases.extend((0..shelf.len()).map(|persona| Release { at, persona }));
        } else if is_workday(day) {
            let some = (0..nightly).map(|_| Release { at, persona: dice.below(usize::from(shelf.len())) as u16 });
            plan.releases.extend(some);
        }
    }
    plan.releases.sort_unstable();
    plan.releases.dedup();
}
