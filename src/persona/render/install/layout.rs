//! What is made on the disk, in order: `/boot` where the boot loader needs one, the persona's own, swap, and the root last,
//! so that it takes what is left.

use crate::{
    model::Bytes,
    persona::{
        Persona,
        schema::{Filesystem, Install},
    },
};

/// How much `/boot` takes when nobody says: three kernels with everything they load.
const BOOT: Bytes = Bytes(1 << 30);

/// What the root and the boot loader's own partition take at least.
const LEAST: Bytes = Bytes(5 << 30);

/// What is made on the disk beside the boot loader's own partition.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::persona::render) struct Layout<'a> {
    /// The volumes, in order; the last is the root.
    pub(in crate::persona::render) volumes: Vec<Volume<'a>>,
    /// Whether those that are not plain lie in a volume group.
    pub(in crate::persona::render) lvm: bool,
    /// Whether those that are not plain, or the group that they lie in, are encrypted.
    pub(in crate::persona::render) encrypted: bool,
}

/// A file system, or the swap space.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::persona::render) struct Volume<'a> {
    /// A name that no other volume has, of letters, digits and `_`.
    pub(in crate::persona::render) name: String,
    /// Where it is mounted; swap is not.
    pub(in crate::persona::render) mount: Option<&'a str>,
    /// Its file system; swap has none.
    pub(in crate::persona::render) filesystem: Option<Filesystem>,
    /// Its size; what is left, without one.
    pub(in crate::persona::render) size: Option<Bytes>,
    /// Whether it is a bare partition whatever the others are: the boot loader reads it.
    pub(in crate::persona::render) plain: bool,
}

impl Volume<'_> {
    /// What `mkfs` and installers call what is on it.
    pub(in crate::persona::render) fn kind(&self) -> &'static str {
        self.filesystem.map_or("swap", Filesystem::name)
    }

    /// Its size in units of `unit` bytes, rounded up.
    pub(in crate::persona::render) fn in_units(&self, unit: u64) -> Option<u64> {
        self.size.map(|size| size.0.div_ceil(unit).max(1))
    }
}

impl<'a> Layout<'a> {
    /// What `install` asks for.
    pub(in crate::persona::render) fn of(persona: &Persona, install: &'a Install) -> Self {
        let encrypted = persona.security.encryption.is_some();
        let own = install.partitions.iter().map(|partition| Volume {
            name: name_of(&partition.mount),
            mount: Some(partition.mount.as_str()),
            filesystem: Some(partition.filesystem.unwrap_or(match partition.mount.as_str() {
                "/boot" => Filesystem::Ext4,
                _ => install.filesystem,
            })),
            size: Some(partition.size),
            plain: partition.mount == "/boot",
        });
        let own: Vec<Volume<'a>> = own.collect();
        // The boot loader opens neither LUKS2 nor, on every firmware, what lies in a volume group.
        let needs_boot = (install.lvm || encrypted) && !own.iter().any(|volume| volume.plain);
        let boot = needs_boot.then(|| Volume {
            name: "boot".into(),
            mount: Some("/boot"),
            filesystem: Some(Filesystem::Ext4),
            size: Some(BOOT),
            plain: true,
        });
        let swap = install.swap.map(|size| Volume {
            name: "swap".into(),
            mount: None,
            filesystem: None,
            size: Some(size),
            plain: false,
        });
        let root = Volume {
            name: "root".into(),
            mount: Some("/"),
            filesystem: Some(install.filesystem),
            size: None,
            plain: false,
        };
        // Bare partitions first: what lies in a group takes the rest of the disk.
        let (plain, others): (Vec<_>, Vec<_>) = boot.into_iter().chain(own).partition(|volume| volume.plain);
        let volumes = plain.into_iter().chain(others).chain(swap).chain([root]).collect();
        Self { volumes, lvm: install.lvm, encrypted }
    }

    /// What it needs at least: all that has a size, and some room for the root and for the boot loader. An installer that
    /// finds too little room makes something else of the disk, or stops half-way.
    pub(in crate::persona::render) fn least(&self) -> Bytes {
        let asked = self.volumes.iter().filter_map(|volume| volume.size);
        asked.fold(LEAST, |sum, size| Bytes(sum.0.saturating_add(size.0)))
    }

    /// The volumes that are partitions of the disk themselves, and those that lie in the group.
    pub(in crate::persona::render) fn parted(&self) -> (Vec<&Volume<'a>>, Vec<&Volume<'a>>) {
        self.volumes.iter().partition(|volume| volume.plain || !self.lvm)
    }
}

/// A name for the volume of a mount point, which no other has: `/var/log` is `var_log`, and `/var_log` is `var_.log`, as no
/// folder may begin with a dot. `root` and `swap` are taken.
fn name_of(mount: &str) -> String {
    let name = mount.trim_start_matches('/').replace('_', "_.").replace('/', "_");
    match name.as_str() {
        "root" | "swap" => name + "_",
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn names_of_mount_points_differ_as_they_do() {
        let mounts = ["/home", "/var/log", "/var_log", "/var-log", "/var.log", "/root", "/swap", "/a_/b", "/a/_b"];
        let names: std::collections::BTreeSet<String> = mounts.iter().map(|mount| name_of(mount)).collect();
        assert_eq!(names.len(), mounts.len(), "{names:?}");
        assert!(!names.contains("root") && !names.contains("swap"));
    }
}
