//! What runs, and where it is installed to.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::model::{Arch, Bytes, Effect, image::ImageName};

use super::form::{ShortForm, maybe_size, maybe_text, short_or_long};

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Os {
    /// The image that is booted: a manifest of the library.
    #[schemars(with = "String")]
    pub image: ImageName,
    /// The distribution. Without one, the first of the family; without that, Debian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// The family that the distribution belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// Its version, as the distribution counts: `12`, `24.04`, `9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The architectures it is meant for; those of its image when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub arch: Vec<Arch>,
    /// Kernel arguments, after those of the image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kernel_args: Vec<String>,
    /// Where to install; required for a destructive persona, forbidden for an ephemeral one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<Install>,
}

impl Os {
    /// The distribution, by its name or by its family.
    pub fn distribution(&self) -> Distribution {
        self.distribution.unwrap_or(match self.family {
            None | Some(Family::Debian) => Distribution::Debian,
            Some(Family::Redhat) => Distribution::Rocky,
            Some(Family::Flatcar) => Distribution::Flatcar,
            Some(Family::Windows) => Distribution::Windows,
            Some(Family::Other) => Distribution::Other,
        })
    }

    /// What reads the persona first.
    pub fn target(&self, effect: Effect) -> Target {
        match (self.distribution(), effect) {
            (Distribution::Other, _) => Target::Bare,
            (Distribution::Flatcar, _) => Target::Ignition,
            (Distribution::Windows, _) => Target::Unattend,
            (_, Effect::Ephemeral) => Target::CloudInit,
            (Distribution::Debian, Effect::Destructive) => Target::Preseed,
            (Distribution::Ubuntu, Effect::Destructive) => Target::Autoinstall,
            (_, Effect::Destructive) => Target::Kickstart,
        }
    }
}

/// The distributions that Greenroom knows how to turn into a persona.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Distribution {
    /// Debian.
    Debian,
    /// Ubuntu.
    Ubuntu,
    /// Rocky Linux.
    Rocky,
    /// AlmaLinux.
    Alma,
    /// Red Hat Enterprise Linux.
    Rhel,
    /// CentOS Stream.
    Centos,
    /// Fedora.
    Fedora,
    /// Flatcar Container Linux.
    Flatcar,
    /// Windows 10 and 11.
    Windows,
    /// Anything else that boots by itself: a rescue system, memtest86+. Nothing of the persona reaches it but the boot.
    Other,
}

impl Distribution {
    /// The family that it belongs to.
    pub const fn family(self) -> Family {
        match self {
            Self::Debian | Self::Ubuntu => Family::Debian,
            Self::Rocky | Self::Alma | Self::Rhel | Self::Centos | Self::Fedora => Family::Redhat,
            Self::Flatcar => Family::Flatcar,
            Self::Windows => Family::Windows,
            Self::Other => Family::Other,
        }
    }

    /// The package manager that it has, if it has one.
    pub const fn manager(self) -> Option<Manager> {
        match self.family() {
            Family::Debian => Some(Manager::Apt),
            Family::Redhat => Some(Manager::Dnf),
            Family::Windows => Some(Manager::Winget),
            Family::Flatcar | Family::Other => None,
        }
    }

    /// The name that documents use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Ubuntu => "ubuntu",
            Self::Rocky => "rocky",
            Self::Alma => "alma",
            Self::Rhel => "rhel",
            Self::Centos => "centos",
            Self::Fedora => "fedora",
            Self::Flatcar => "flatcar",
            Self::Windows => "windows",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Distributions that are made alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// dpkg and APT.
    Debian,
    /// RPM and DNF.
    Redhat,
    /// Container Linux.
    Flatcar,
    /// Windows.
    Windows,
    /// Anything else.
    Other,
}

/// Package managers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Manager {
    /// Debian's.
    Apt,
    /// Red Hat's.
    Dnf,
    /// Windows'.
    Winget,
}

impl Manager {
    /// The name that documents use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Dnf => "dnf",
            Self::Winget => "winget",
        }
    }
}

/// What reads a persona first, and so which files a seed has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// cloud-init, from the NoCloud data source: live systems.
    CloudInit,
    /// The Debian installer; the installed system's cloud-init does the rest.
    Preseed,
    /// Ubuntu's installer, subiquity; likewise.
    Autoinstall,
    /// Anaconda, the installer of the Red Hat family; likewise.
    Kickstart,
    /// Ignition, in Flatcar's initramfs.
    Ignition,
    /// Windows Setup.
    Unattend,
    /// Nothing: the image is all there is.
    Bare,
}

impl Target {
    /// Every target, in the order of tables.
    pub const ALL: [Self; 7] = [
        Self::CloudInit,
        Self::Preseed,
        Self::Autoinstall,
        Self::Kickstart,
        Self::Ignition,
        Self::Unattend,
        Self::Bare,
    ];

    /// The name that people know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CloudInit => "cloud-init",
            Self::Preseed => "preseed",
            Self::Autoinstall => "autoinstall",
            Self::Kickstart => "kickstart",
            Self::Ignition => "ignition",
            Self::Unattend => "unattend",
            Self::Bare => "bare",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where and how to install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// The disk that is wiped: a path, or what it is known by. There is no default.
    pub disk: Disk,
    /// The root file system.
    #[serde(default)]
    pub filesystem: Filesystem,
    /// Whether volumes are made inside one LVM volume group, so that they can be resized later.
    #[serde(default)]
    pub lvm: bool,
    /// The size of the swap space: `4GiB`; none when not given.
    #[serde(
        default,
        deserialize_with = "maybe_text",
        serialize_with = "maybe_size",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<String>")]
    pub swap: Option<Bytes>,
    /// Partitions beside the root and the boot loader's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<Partition>,
}

/// A disk: its path, or properties that exactly one disk of the device has. The installer stops when none or several have
/// them; it never takes the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(into = "WrittenDisk")]
#[schemars(with = "WrittenDisk")]
pub struct Disk {
    /// `/dev/disk/by-id/...` (best: it names one disk for ever) or `/dev/nvme0n1`.
    pub path: Option<String>,
    /// The serial number.
    pub serial: Option<String>,
    /// The model, or the beginning of it.
    pub model: Option<String>,
    /// The least size.
    pub min_size: Option<Bytes>,
    /// The greatest size.
    pub max_size: Option<Bytes>,
}

/// A disk as it is written: a bare text is its path.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum WrittenDisk {
    Path(String),
    Properties(DiskProperties),
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DiskProperties {
    /// The path of its device.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// The serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    /// The model, or the beginning of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// The least size: `400GiB`.
    #[serde(deserialize_with = "maybe_text", serialize_with = "maybe_size", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    min_size: Option<Bytes>,
    /// The greatest size.
    #[serde(deserialize_with = "maybe_text", serialize_with = "maybe_size", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    max_size: Option<Bytes>,
}

impl ShortForm for Disk {
    type Map = DiskProperties;

    const EXPECTED: &'static str = "the path of a disk, or a map of what it is known by";

    fn from_map(DiskProperties { path, serial, model, min_size, max_size }: DiskProperties) -> Self {
        Self { path, serial, model, min_size, max_size }
    }

    fn from_text(path: &str) -> Option<Self> {
        Some(Self { path: Some(path.to_owned()), ..Self::default() })
    }
}

impl<'de> Deserialize<'de> for Disk {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        short_or_long(reader)
    }
}

impl From<Disk> for WrittenDisk {
    fn from(disk: Disk) -> Self {
        match disk {
            Disk { path: Some(path), serial: None, model: None, min_size: None, max_size: None } => Self::Path(path),
            Disk { path, serial, model, min_size, max_size } => {
                Self::Properties(DiskProperties { path, serial, model, min_size, max_size })
            }
        }
    }
}

/// File systems.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

impl Filesystem {
    /// The name that `mkfs` and installers use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
        }
    }
}

/// A partition, or a volume when [`Install::lvm`] is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// Where it is mounted: `/home`.
    pub mount: String,
    /// Its size: `100GiB`. The root takes what is left.
    #[serde(deserialize_with = "super::form::text", serialize_with = "super::form::size")]
    #[schemars(with = "String")]
    pub size: Bytes,
    /// Its file system; that of the root when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filesystem: Option<Filesystem>,
}
