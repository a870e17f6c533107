//! One thing learned: what was known of a device, and what it became.

use serde::{Deserialize, Serialize};

use crate::model::{DeviceId, Moment, PersonaName, UserName};

use super::Features;

/// What was known of a device at the moment it was given a persona, and which one it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The number of the record at which the persona was given: nothing that came later is in `features`.
    pub planned: u64,
    /// The number of the record by which it was known to be what people wanted; the largest of all while it is not.
    pub known: u64,
    /// When the persona was given.
    pub at: Moment,
    /// When it was known; the end of time while it is not.
    pub known_at: Moment,
    /// Which device.
    pub device: DeviceId,
    /// Who used it.
    pub user: Option<UserName>,
    /// What was known of it.
    pub features: Features,
    /// What it became.
    pub persona: PersonaName,
    /// How this is known.
    pub source: Source,
}

impl Example {
    /// Whether it is known to be what people wanted; what is not may be predicted, but not be learned from.
    pub fn is_known(&self) -> bool {
        self.known < u64::MAX
    }
}

/// How it is known what people wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// An operator assigned it.
    Assignment,
    /// It booted again as assigned before, and that ended well.
    Assigned,
    /// A rule chose it, and that ended well.
    Rule,
    /// It was predicted, ended well, and nobody objected for a day.
    Confirmed,
}
