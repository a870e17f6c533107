//! What it needs, and what it may use.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Bytes;

use super::form::{maybe_size, maybe_text};

/// What it needs and may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Resources {
    /// What the device must have. Memory is checked before the boot, against what the device reports; all of it by the
    /// system itself, in its report.
    pub requires: Requirements,
    /// What may be used.
    pub limits: Limits,
}

/// What a device must have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Requirements {
    /// Processors, as the system counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// Memory: `2GiB`.
    #[serde(deserialize_with = "maybe_text", serialize_with = "maybe_size", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub memory: Option<Bytes>,
    /// The file system of the root: `20GiB`.
    #[serde(deserialize_with = "maybe_text", serialize_with = "maybe_size", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub disk: Option<Bytes>,
}

/// What may be used, kept by systemd.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// By all of a user's processes together.
    #[serde(skip_serializing_if = "LimitSet::is_empty")]
    pub per_user: LimitSet,
    /// By a service, under the name of its unit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, LimitSet>,
}

/// Limits of one group of processes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSet {
    /// Memory: `4GiB`.
    #[serde(deserialize_with = "maybe_text", serialize_with = "maybe_size", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub memory: Option<Bytes>,
    /// Processor time in percent of one core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<u32>,
    /// The share of the disks, 1 to 10000; 100 is what everybody else has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub io_weight: Option<u32>,
}

impl LimitSet {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
