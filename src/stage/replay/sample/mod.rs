//! Traces to try the cache with, for who has none of their own: the same seed gives the same trace.
//!
//! All are made for a RAM tier of 8 GiB and a disk tier of 40 GiB, to be tight in both.

mod dice;
mod fleet;
mod hostile;
mod lab;

use std::{fmt, str::FromStr};

use serde::Serialize;

pub use dice::{Dice, zipf};
use fleet::{Fleet, Shelf};

/// What kind of trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// A day of classes: rooms of machines boot the same image together; others boot what they like.
    LabDay,
    /// A hot set, while a mirror job touches every image once, four times a day.
    Scan,
    /// A week in which new versions replace the old ones each day, and machines are installed anew in waves.
    Shift,
    /// Images are asked for in turn, over and over: a fifth more of them than the disk holds.
    Loop,
    /// Images that nobody asked for before are wanted by everybody for some minutes, and never again.
    Burst,
    /// Every image is as likely as any other.
    Uniform,
}

impl Sample {
    /// All kinds.
    pub const ALL: [Self; 6] = [Self::LabDay, Self::Scan, Self::Shift, Self::Loop, Self::Burst, Self::Uniform];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LabDay => "lab-day",
            Self::Scan => "scan",
            Self::Shift => "shift",
            Self::Loop => "loop",
            Self::Burst => "burst",
            Self::Uniform => "uniform",
        }
    }

    /// Its requests, in order of time.
    pub fn requests(self, seed: u64) -> Vec<Request> {
        let mut dice = Dice::new(seed);
        let mut requests = match self {
            Self::LabDay => lab::day(&mut dice),
            Self::Scan => hostile::scan(&mut dice),
            Self::Shift => lab::shift(&mut dice),
            Self::Loop => hostile::turn(),
            Self::Burst => hostile::burst(&mut dice),
            Self::Uniform => hostile::uniform(&mut dice),
        };
        requests.sort_by_key(|request| request.millis);
        requests
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Sample {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names: Vec<&str> = Self::ALL.iter().map(|sample| sample.name()).collect();
        let found = Self::ALL.into_iter().find(|sample| sample.name() == text);
        found.ok_or_else(|| format!("there is no sample `{text}`: it is one of {}", names.join(", ")))
    }
}

/// One line of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Milliseconds since midnight of the first day.
    pub millis: u64,
    /// What is asked for: `image/file`.
    pub object: String,
    /// Its length in bytes.
    pub len: u64,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03},{},{}", self.millis / 1000, self.millis % 1000, self.object, self.len)
    }
}
