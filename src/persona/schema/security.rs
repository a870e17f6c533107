//! Who may do what.

use std::{fmt, str::FromStr};

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may do what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Security {
    /// What the network may reach. Without it, whatever the distribution does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall: Option<Firewall>,
    /// The people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<User>,
    /// Groups that no package makes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// The SSH server.
    pub ssh: Ssh,
    /// What passwords must be like.
    pub passwords: Passwords,
    /// How the installed disk is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// Whether security updates install themselves: `true` and `false` see to it, the distribution's way when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatic_updates: Option<bool>,
    /// What SELinux or AppArmor does; the distribution's way when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_control: Option<AccessControl>,
}

/// A firewall for what comes in: nftables on Linux, Windows Firewall there. What a connection from inside asked for comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Firewall {
    /// What happens to what no rule allows.
    #[serde(default)]
    pub default: Policy,
    /// What may come in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Allow>,
}

/// What happens to what no rule speaks of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// It is dropped.
    #[default]
    Deny,
    /// It comes in.
    Allow,
}

/// One thing that may come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// A service by its name: `ssh`, `http`, `https`, `dns`, `ntp`, `nfs`, `mdns`, `rdp`, `vnc`, `prometheus-node`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// A port or a range of ports, for what has no name here: `8080`, `6000-6010`.
    #[serde(default, deserialize_with = "super::form::maybe_text", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub port: Option<Ports>,
    /// The protocol of `port`.
    #[serde(default)]
    pub protocol: Protocol,
    /// Who: networks; everybody when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub from: Vec<IpNet>,
}

/// Ports, from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ports {
    /// The first.
    pub first: u16,
    /// The last; the first again when there is one only.
    pub last: u16,
}

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
        match (port(first), port(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(format!("`{text}` is no port: write 8080 or 6000-6010")),
        }
    }
}

impl TryFrom<String> for Ports {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

impl From<Ports> for String {
    fn from(ports: Ports) -> Self {
        ports.to_string()
    }
}

/// Transport protocols.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// A user account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The login.
    pub name: String,
    /// The person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub full_name: String,
    /// The number; the next free one when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Groups beside its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The login shell; `preferences.shell` when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// Public keys that may log in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_keys: Vec<String>,
    /// Whether it may become root without a password; administrator, on Windows.
    #[serde(default)]
    pub sudo: bool,
    /// Commands that it may run as root without a password, as `sudoers` has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sudo_commands: Vec<String>,
    /// A crypt(5) hash (`mkpasswd`), never a password. Without one the account has no password login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
    /// The name of a secret on the server that is the password itself, for targets that take no hash (Windows).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret: Option<String>,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its number; the next free one when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
}

/// The SSH server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ssh {
    /// Whether passwords may log in.
    pub password_login: bool,
    /// Whether root may log in, with a key.
    pub root_login: bool,
}

/// What passwords must be like, as PAM's pwquality and faillock and `login.defs` hold them to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Passwords {
    /// The least number of characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// How many of the four kinds of character there must be: lower case, upper case, digits, others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_classes: Option<u32>,
    /// After how many days a password must be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_days: Option<u32>,
}

/// Full-disk encryption (LUKS, BitLocker).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// The name of a secret on the server: the passphrase that the disk is made with, and that opens it when nothing else
    /// does. It reaches the seed and never the library.
    pub passphrase_secret: String,
    /// The device's TPM opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpm2: Option<Tpm2>,
    /// Tang servers on the network open it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tang: Vec<Tang>,
}

/// Unlocking by the TPM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tpm2 {
    /// The registers that must be as they were; 7 (the state of Secure Boot) when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pcrs: Vec<u8>,
}

/// Unlocking by a Tang server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tang {
    /// Where it is.
    pub url: String,
    /// The thumbprint of its signing key (`tang-show-keys`): what makes it that server.
    pub thumbprint: String,
}

/// What the kernel's access control does with what it would forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccessControl {
    /// Forbids it.
    Enforcing,
    /// Writes it to the log.
    Permissive,
    /// Does not look.
    Disabled,
}
