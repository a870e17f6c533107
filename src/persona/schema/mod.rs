//! A persona: six kinds of field, and what it does to disks.
//!
//! The documents that people write are these types; `greenroom persona schema` prints them as JSON Schema. Every field that
//! stands here is rendered or checked for every target; a target that cannot express one refuses it
//! ([`coverage`](super::coverage)).

mod apps;
mod form;
mod json;
mod network;
mod os;
mod preferences;
mod resources;
mod security;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Bytes, Effect, PersonaName, image::ImageName};

pub use apps::{Apps, Container, File, Flatpak, Packages, Repository, Services, Snap};
pub use form::text;
pub(super) use json::ORDER;
pub use json::{Field, Shape, fields, json_schema, reference};
pub use network::{Bond, BondMode, Bridge, Interface, Ip, Network, Proxy, Vlan};
pub use os::{Disk, Distribution, Family, Filesystem, Install, Manager, Os, Partition, Target};
pub use preferences::{Desktop, Preferences};
pub use resources::{LimitSet, Limits, Requirements, Resources};
pub use security::{
    AccessControl, Allow, Encryption, Firewall, Group, Passwords, Policy, Ports, Protocol, Security, Ssh, Tang, Tpm2,
    User,
};

/// One persona. Its name is the stem of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct Persona {
    /// The version of this schema: `greenroom/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: ApiVersion,
    /// Personas (`kiosk-live`) and fragments (`fragments/base-linux`) that this one is composed from: their maps are merged
    /// with its own, their lists come first, and where it says something else itself, that holds.
    #[serde(default, deserialize_with = "form::names", skip_serializing)]
    #[schemars(with = "form::Names")]
    pub extends: Vec<String>,
    /// One line for people.
    pub description: String,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Free words for people and selectors.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Personas that left the library and whose place this one takes: devices assigned to them become this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub supersedes: Vec<PersonaName>,
    /// What becoming it does to the disks: `ephemeral` leaves them alone, `destructive` wipes the one it installs to.
    #[schemars(with = "EffectName")]
    pub effect: Effect,
    /// What runs.
    pub os: Os,
    /// What is installed on it.
    #[serde(default)]
    pub apps: Apps,
    /// Who may do what.
    #[serde(default)]
    pub security: Security,
    /// How it is connected.
    #[serde(default)]
    pub network: Network,
    /// What its user likes.
    #[serde(default)]
    pub preferences: Preferences,
    /// What it needs and may use.
    #[serde(default)]
    pub resources: Resources,
    /// What no field says, in the words of one format; taken over as it is.
    #[serde(default, skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw,
}

/// The versions of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The first.
    #[serde(rename = "greenroom/v1")]
    V1,
}

/// [`Effect`] as JSON Schema shows it: floor 0 knows nothing of schemas.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "only its schema is used")]
enum EffectName {
    Ephemeral,
    Destructive,
}

/// The honest way out, by format. Maps are merged into what is rendered, and win; texts are appended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Raw {
    /// Keys of cloud-config.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub cloud_init: serde_json::Map<String, serde_json::Value>,
    /// Keys under `autoinstall:`.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub autoinstall: serde_json::Map<String, serde_json::Value>,
    /// Lines of a preseed file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub preseed: String,
    /// Lines of a Kickstart file: commands, and sections of their own.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kickstart: String,
    /// A part of an Ignition config, version 3.4.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub ignition: serde_json::Map<String, serde_json::Value>,
    /// PowerShell that runs once, at the first logon.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub windows: String,
}

impl Raw {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Persona {
    /// What becoming it does to the disks.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The image that it boots.
    pub fn image(&self) -> &ImageName {
        &self.os.image
    }

    /// Its own kernel arguments.
    pub fn kernel_args(&self) -> &[String] {
        &self.os.kernel_args
    }

    /// The memory that a device must have.
    pub fn memory_min(&self) -> Option<Bytes> {
        self.resources.requires.memory
    }

    /// What reads it first.
    pub fn target(&self) -> Target {
        self.os.target(self.effect)
    }

    /// Its packages, of the package manager that its system has.
    pub fn packages(&self) -> impl Iterator<Item = &str> {
        let own = self.os.distribution().manager();
        let of_manager = match own {
            Some(Manager::Apt) => self.apps.packages.apt.as_slice(),
            Some(Manager::Dnf) => self.apps.packages.dnf.as_slice(),
            Some(Manager::Winget) => self.apps.packages.winget.as_slice(),
            None => &[],
        };
        self.apps.packages.native.iter().chain(of_manager).map(String::as_str)
    }

    /// The login shell of a user.
    pub fn shell_of<'a>(&'a self, user: &'a User) -> &'a str {
        user.shell.as_deref().or(self.preferences.shell.as_deref()).unwrap_or("/bin/bash")
    }

    /// The names of the site's secrets that it is rendered with.
    pub fn secret_names(&self) -> impl Iterator<Item = &str> {
        let passphrase = self.security.encryption.iter().map(|encryption| &encryption.passphrase_secret);
        let passwords = self.security.users.iter().filter_map(|user| user.password_secret.as_ref());
        passphrase.chain(passwords).map(String::as_str)
    }
}
