//! A persona: six kinds of field, and what it does to disks.
//!
//! Every field that stands here is rendered or checked for every target; a target that cannot express one refuses it.

use std::{collections::BTreeMap, fmt::Display, net::Ipv4Addr, str::FromStr};

use ipnet::Ipv4Net;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::model::{Bytes, Effect, MacAddr, image::ImageName};

/// One persona. Its name is the stem of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct Persona {
    /// The version of this schema: `greenroom/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: ApiVersion,
    /// One line for people.
    pub description: String,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Free words for people and selectors.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What becoming it does to the disks.
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
}

/// The versions of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApiVersion {
    /// The first.
    #[serde(rename = "greenroom/v1")]
    V1,
}

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Os {
    /// The image that is booted: a manifest of the library.
    pub image: ImageName,
    /// Kernel arguments, after those of the image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kernel_args: Vec<String>,
    /// Where to install; required for a destructive persona, forbidden for an ephemeral one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<Install>,
}

/// Where and how to install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// The disk that is wiped, by path: `/dev/disk/by-id/...` or `/dev/nvme0n1`. There is no default.
    pub disk: String,
    /// The root file system.
    #[serde(default)]
    pub filesystem: Filesystem,
}

/// Root file systems.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filesystem {
    /// ext4.
    #[default]
    Ext4,
    /// XFS.
    Xfs,
    /// Btrfs.
    Btrfs,
}

/// What is installed on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Apps {
    /// Packages of the distribution, or of `repositories`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
    /// More places to get packages from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<Repository>,
    /// Files to write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    /// Services to start, and to keep from starting.
    pub services: Services,
    /// Shell commands, run once as root when all else is done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
}

/// An APT repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// A short name, for the file under `sources.list.d`.
    pub name: String,
    /// Where it is.
    pub uri: String,
    /// The suite: `bookworm`.
    pub suite: String,
    /// The components: `main`.
    pub components: Vec<String>,
    /// The public key that signs it, armoured.
    pub key: String,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Where: an absolute path.
    pub path: String,
    /// What.
    pub content: String,
    /// The permissions, in octal: `"0644"`.
    #[serde(default = "mode_0644")]
    pub mode: String,
    /// The owner: `root:root`.
    #[serde(default = "root")]
    pub owner: String,
}

fn mode_0644() -> String {
    "0644".into()
}

fn root() -> String {
    "root:root".into()
}

/// systemd units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Services {
    /// Enabled and started.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enable: Vec<String>,
    /// Stopped and masked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mask: Vec<String>,
}

/// Who may do what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Security {
    /// The people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<User>,
    /// The SSH server.
    pub ssh: Ssh,
    /// Whether security updates install themselves.
    pub automatic_updates: bool,
}

/// A user account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The login.
    pub name: String,
    /// The person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub full_name: String,
    /// Groups beside its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The login shell.
    #[serde(default = "bash")]
    pub shell: String,
    /// Public keys that may log in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_keys: Vec<String>,
    /// Whether it may become root without a password.
    #[serde(default)]
    pub sudo: bool,
    /// A crypt(5) hash (`mkpasswd`), never a password. Without one the account has no password login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
}

fn bash() -> String {
    "/bin/bash".into()
}

/// The SSH server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ssh {
    /// Whether passwords may log in.
    pub password_login: bool,
    /// Whether root may log in, with a key.
    pub root_login: bool,
}

/// How it is connected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// The host name; `{{mac}}` is replaced by the last six digits of the MAC address, `{{serial}}` by the serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The interfaces; without any, the one that was booted from asks DHCP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<Interface>,
    /// Name servers, for interfaces that do not ask DHCP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<Ipv4Addr>,
    /// Domains to search.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<String>,
    /// Time servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ntp: Vec<String>,
}

/// A network interface: `mac` or `name` says which, `address` says that it does not ask DHCP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// The port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddr>,
    /// The kernel's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A fixed address with its prefix: `10.0.0.5/24`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv4Net>,
    /// The default gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
}

/// What its user likes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Preferences {
    /// The locale: `de_DE.UTF-8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The keyboard layout: `de`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyboard: Option<String>,
    /// The time zone: `Europe/Berlin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// What it needs and may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Resources {
    /// Memory that the device must have: `2GiB`. Checked before the boot, against what the device reports.
    #[serde(deserialize_with = "maybe_text", skip_serializing_if = "Option::is_none")]
    pub memory_min: Option<Bytes>,
    /// What each user's processes may use together.
    pub per_user: Limits,
}

/// Limits, kept by systemd.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Memory: `4GiB`.
    #[serde(deserialize_with = "maybe_text", skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// Processor time in percent of one core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<u32>,
}

/// What reads a persona first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeedFormat {
    /// cloud-init, from the NoCloud data source: live systems.
    NoCloud,
    /// The Debian installer; the installed system's cloud-init does the rest.
    Preseed,
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
        self.resources.memory_min
    }

    /// What reads it first.
    pub fn seed_format(&self) -> SeedFormat {
        match self.effect {
            Effect::Ephemeral => SeedFormat::NoCloud,
            Effect::Destructive => SeedFormat::Preseed,
        }
    }
}

/// Reads a value from the text that people write for it, or from a bare number.
pub fn text<'de, D, T>(reader: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum TextOrNumber {
        Number(u64),
        Text(String),
    }
    let text = match TextOrNumber::deserialize(reader)? {
        TextOrNumber::Number(number) => number.to_string(),
        TextOrNumber::Text(text) => text,
    };
    text.parse().map_err(D::Error::custom)
}

/// The same, for a value that may be absent.
fn maybe_text<'de, D, T>(reader: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    text(reader).map(Some)
}
