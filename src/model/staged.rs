//! Whether an attempt found its files at hand: what staging was good for.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    Bytes, Digest, Millis,
    image::{Role, Tier},
};

/// One file of an attempt, as it stood when the script was delivered: the device asks for it a moment later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedFile {
    /// What it is for.
    pub role: Role,
    /// Its bytes.
    pub digest: Digest,
    /// Its length, when somebody knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub len: Option<Bytes>,
    /// The nearest tier that had all of it.
    pub tier: Tier,
    /// Why it was there, or was not.
    pub because: Because,
    /// How long it had been there, when it was put there for a forecast or a DISCOVER.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<Millis>,
    /// How much of it had come, when it was on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coming: Option<Bytes>,
    /// How long its origin takes for all of it, as far as that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Millis>,
}

/// Why a file was at hand, or was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Because {
    /// It was staged for a forecast.
    Forecast,
    /// It was pulled up when a device's first packet came.
    Discover,
    /// It was there by itself: pinned, or kept for what was asked for of late.
    Itself,
    /// It was wanted ahead, and was not there in time.
    Late,
    /// Nobody expected it.
    Not,
}

impl Because {
    /// All of them, in the order of the reports.
    pub const ALL: [Self; 5] = [Self::Forecast, Self::Discover, Self::Itself, Self::Late, Self::Not];

    /// The word that programs read.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forecast => "forecast",
            Self::Discover => "discover",
            Self::Itself => "itself",
            Self::Late => "late",
            Self::Not => "not",
        }
    }

    /// The words that people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Forecast => "staged for a forecast",
            Self::Discover => "pulled up at a DISCOVER",
            Self::Itself => "there already",
            Self::Late => "too late",
            Self::Not => "not expected",
        }
    }

    /// Whether the file was at hand.
    pub const fn is_hit(self) -> bool {
        matches!(self, Self::Forecast | Self::Discover | Self::Itself)
    }

    /// Whether it was at hand because it was put there ahead.
    pub const fn is_ahead(self) -> bool {
        matches!(self, Self::Forecast | Self::Discover)
    }
}

impl fmt::Display for StagedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.role)?;
        let lead = self.lead.map(|lead| format!(" {lead} before")).unwrap_or_default();
        match (self.because, self.coming, self.len) {
            (Because::Forecast, ..) => write!(f, "{}, staged{lead} for a forecast", self.tier.place()),
            (Because::Discover, ..) => write!(f, "{}, pulled up{lead} at its DISCOVER", self.tier.place()),
            (Because::Itself, ..) => write!(f, "{} already", self.tier.place()),
            (Because::Late, Some(came), Some(len)) => write!(f, "wanted ahead, but only {came} of {len} had come"),
            (Because::Late, Some(came), None) => write!(f, "wanted ahead, but only {came} had come"),
            (Because::Late, None, _) => f.write_str("wanted ahead, but not there in time"),
            (Because::Not, ..) => f.write_str("not staged"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_told_in_words() {
        let file = |because, tier| StagedFile {
            role: Role::Kernel,
            digest: Digest::new([1; 32]),
            len: Some(Bytes(4 << 20)),
            tier,
            because,
            lead: Some(Millis(1500)),
            coming: None,
            origin: None,
        };
        for (because, tier, words) in [
            (Because::Forecast, Tier::Ram, "kernel in RAM, staged 1.5 s before for a forecast"),
            (Because::Discover, Tier::Disk, "kernel on disk, pulled up 1.5 s before at its DISCOVER"),
            (Because::Itself, Tier::Ram, "kernel in RAM already"),
            (Because::Late, Tier::Origin, "kernel wanted ahead, but not there in time"),
            (Because::Not, Tier::Origin, "kernel not staged"),
        ] {
            assert_eq!(file(because, tier).to_string(), words);
        }
        let late = StagedFile { coming: Some(Bytes(1 << 20)), ..file(Because::Late, Tier::Origin) };
        assert_eq!(late.to_string(), "kernel wanted ahead, but only 1.0 MiB of 4.0 MiB had come");
    }
}
