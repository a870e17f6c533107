//! What is installed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::form::{ShortForm, short_or_long};

/// What is installed on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Apps {
    /// Packages.
    #[serde(skip_serializing_if = "Packages::is_empty")]
    pub packages: Packages,
    /// More places to get packages from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<Repository>,
    /// Snaps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub snaps: Vec<Snap>,
    /// Flatpaks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flatpaks: Vec<Flatpak>,
    /// Containers that run as services.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<Container>,
    /// Files to write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    /// Services to start, and to keep from starting.
    pub services: Services,
    /// Shell commands, run once as root when all else is done. PowerShell on Windows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
}

/// Packages by package manager. A bare list is of the system's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(into = "WrittenPackages")]
#[schemars(with = "WrittenPackages")]
pub struct Packages {
    /// Of whichever package manager the system has.
    pub native: Vec<String>,
    /// Of Debian and Ubuntu.
    pub apt: Vec<String>,
    /// Of the Red Hat family.
    pub dnf: Vec<String>,
    /// Of Windows, by their winget identifiers.
    pub winget: Vec<String>,
}

impl Packages {
    /// Whether nothing at all is asked for.
    pub fn is_empty(&self) -> bool {
        self.by_manager().all(|(_, packages)| packages.is_empty())
    }

    /// Each list by its name in the document.
    pub fn by_manager(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        [("native", &*self.native), ("apt", &*self.apt), ("dnf", &*self.dnf), ("winget", &*self.winget)].into_iter()
    }
}

/// Packages as they are written.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum WrittenPackages {
    Native(Vec<String>),
    ByManager(PackagesByManager),
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PackagesByManager {
    /// Of whichever package manager the system has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    native: Vec<String>,
    /// Of Debian and Ubuntu.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    apt: Vec<String>,
    /// Of the Red Hat family.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dnf: Vec<String>,
    /// Of Windows, by their winget identifiers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    winget: Vec<String>,
}

impl ShortForm for Packages {
    type Map = PackagesByManager;

    const EXPECTED: &'static str = "a list of packages, or a map of such lists by package manager";

    fn from_map(PackagesByManager { native, apt, dnf, winget }: PackagesByManager) -> Self {
        Self { native, apt, dnf, winget }
    }

    fn from_list(native: Vec<String>) -> Option<Self> {
        Some(Self { native, ..Self::default() })
    }
}

impl<'de> Deserialize<'de> for Packages {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        short_or_long(reader)
    }
}

impl From<Packages> for WrittenPackages {
    fn from(Packages { native, apt, dnf, winget }: Packages) -> Self {
        match apt.is_empty() && dnf.is_empty() && winget.is_empty() {
            true => Self::Native(native),
            false => Self::ByManager(PackagesByManager { native, apt, dnf, winget }),
        }
    }
}

/// A package repository: APT's has a suite, DNF's has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// A short name, for the file under `sources.list.d` or `yum.repos.d`.
    pub name: String,
    /// Where it is.
    pub uri: String,
    /// APT's suite: `bookworm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// APT's components: `main`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// The public key that signs it, armoured.
    pub key: String,
}

/// A snap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Snap {
    /// Its name in the store.
    pub name: String,
    /// The channel that it follows: `latest/stable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Whether it may leave its confinement.
    #[serde(default)]
    pub classic: bool,
}

/// A Flatpak, for every user of the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flatpak {
    /// Its identifier: `org.gimp.GIMP`.
    pub id: String,
    /// Where it comes from: the URL of a `.flatpakrepo` file.
    #[serde(default = "flathub")]
    pub remote: String,
}

fn flathub() -> String {
    "https://dl.flathub.org/repo/flathub.flatpakrepo".into()
}

/// A container that runs as a service, by Podman; by Docker on Flatcar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// Its name; the unit is called `container-<name>.service`.
    pub name: String,
    /// The image, with its registry: `docker.io/library/nginx:1.27`.
    pub image: String,
    /// Ports to publish: `8080:80`, `127.0.0.1:5432:5432/tcp`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<String>,
    /// Folders and volumes to mount: `/srv/web:/usr/share/nginx/html:ro`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// What it runs instead of the image's own command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Services {
    /// Enabled and started.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enable: Vec<String>,
    /// Stopped and masked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mask: Vec<String>,
}
