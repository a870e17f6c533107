//! What the cache is to be good at.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// How much the transfer time counts beside the hit itself, where hits are the aim.
const TIME: f64 = 0.25;

/// What is maximised, where room is short.
///
/// **Hits** first, bytes second: a miss hangs a boot on an origin that may be slow or away, whatever its length; and it takes
/// the time of its bytes. So a hit counts 1, and a quarter of its transfer time beside the usual one. Divided by the room that
/// it takes, a small blob goes before a large one that is asked for as much. Were only the seconds counted, length would fall
/// out, and one rootfs would push out the kernels and initrds of a whole library.
///
/// **Bytes** are for who has a thin line to the origins: a hit counts what it spares that line. Fewer boots find all of their
/// files at hand then, and fewer bytes are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aim {
    /// That as many asks as possible are answered from RAM or the disk.
    #[default]
    Hits,
    /// That as few bytes as possible come from origins.
    Bytes,
}

impl Aim {
    /// What a hit is worth that spares `seconds` of transfer, where `usual` are usual (0 while nobody knows).
    pub(super) fn gain(self, seconds: f64, usual: f64) -> f64 {
        match self {
            _ if usual <= 0.0 => 1.0,
            Self::Hits => 1.0 + TIME * seconds / usual,
            Self::Bytes => seconds / usual,
        }
    }

    /// The power of its length by which our own shadows divide a blob's asks. For bytes it would be 0 by the book; half of
    /// it loses no bytes on the traces that were tried, and saves hits.
    pub(super) fn size(self) -> f64 {
        match self {
            Self::Hits => 1.0,
            Self::Bytes => 0.5,
        }
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Hits => "hits",
            Self::Bytes => "bytes",
        })
    }
}

impl FromStr for Aim {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "hits" => Ok(Self::Hits),
            "bytes" => Ok(Self::Bytes),
            _ => Err("the cache aims at `hits` or at `bytes`"),
        }
    }
}
