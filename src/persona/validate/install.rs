//! Where and how to install: the effect, the disk, the partitions.

use crate::{
    document::Check,
    model::{Bytes, Effect},
    persona::{
        Persona,
        schema::{Disk, Family, Filesystem, Install, Partition},
    },
};

use super::{
    brief, once,
    shape::{is_absolute, is_within},
};

/// What a mount point cannot be: the root is there in any case, the others are the kernel's or the boot loader's.
const NOT_MOUNTS: [&str; 8] = ["/proc", "/sys", "/dev", "/run", "/boot/efi", "/efi", "/etc", "/usr"];

/// More swap than this is a slip of the pen: it takes minutes to write.
const MUCH_SWAP: Bytes = Bytes(128 << 30);

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    let install = &persona.os.install;
    let destructive = persona.effect == Effect::Destructive;
    let help = "add `install: {disk: /dev/disk/by-id/...}` under `os`";
    let message = "a destructive persona must say which disk it wipes";
    check.require(install.is_some() || !destructive, "GR010", "os", message, help);
    let help = "remove `os.install`, or say `effect: destructive`";
    let message = "an ephemeral persona installs nothing";
    check.require(install.is_none() || destructive, "GR011", "os.install", message, help);
    if let Some(install) = install {
        disk(check, persona, &install.disk);
        partitions(check, install);
        room(check, persona, install);
    }
}

fn disk(check: &mut Check<'_>, persona: &Persona, disk: &Disk) {
    let told_apart = *disk != Disk::default();
    let message = "this says of no disk that it is the one";
    let help = "give its `path`, `serial`, `model` or size; Greenroom never takes the first disk that it finds";
    check.require(told_apart, "GR262", "os.install.disk", message, help);
    if let Some(path) = &disk.path {
        // Windows names disks in another way; its renderer refuses what it cannot use.
        let windows = persona.os.distribution().family() == Family::Windows;
        let plain = windows
            || path.strip_prefix("/dev/").is_some_and(|rest| {
                !rest.is_empty()
                    && is_absolute(path)
                    && rest.chars().all(|c| c.is_ascii_graphic() && !"\"'`$\\".contains(c))
            });
        let message = format!("`{}` is no path of a disk", brief(path));
        let help = "write /dev/disk/by-id/... (best: it names one disk for ever) or /dev/nvme0n1";
        check.require(plain, "GR012", "os.install.disk", message, help);
        // A virtual machine's /dev/vda stays what it is; these are named in the order in which they answer.
        let in_order = ["/dev/sd", "/dev/hd"].iter().any(|kind| path.starts_with(kind));
        let message = format!("`{}` may be another disk at the next start", brief(path));
        let help = "name it by /dev/disk/by-id/..., or by its `serial` or `model`";
        check.warn(!in_order, "GR263", "os.install.disk", message, help);
    }
    if let (Some(least), Some(most)) = (disk.min_size, disk.max_size) {
        let message = format!("no disk has at least {least} and at most {most}");
        check.require(least <= most, "GR264", "os.install.disk.min_size", message, "exchange the two");
    }
}

fn partitions(check: &mut Check<'_>, install: &Install) {
    let path = |at: usize, field: &str| format!("os.install.partitions.{at}.{field}");
    for (at, partition) in install.partitions.iter().enumerate() {
        let mount = partition.mount.as_str();
        let plain = is_absolute(mount) && !mount.contains([' ', ':', '\\', '"', '\'']) && !mount.ends_with('/');
        let free = !NOT_MOUNTS.iter().any(|taken| match *taken {
            "/etc" | "/usr" => mount == *taken,
            folder => is_within(mount, folder),
        });
        let message = format!("`{}` cannot be a partition's mount point", brief(mount));
        let help = "an absolute path such as /home; the root takes what is left and is not listed";
        check.require(plain && free, "GR265", &path(at, "mount"), message, help);
        let least = least_size(partition, install.filesystem);
        let message = format!("a partition of {} holds no file system", partition.size);
        check.require(
            partition.size >= least,
            "GR266",
            &path(at, "size"),
            message,
            &format!("give it at least {least}"),
        );
    }
    let mounts = install.partitions.iter().enumerate().map(|(at, partition)| (path(at, "mount"), &partition.mount));
    once(check, mounts);
    if let Some(swap) = install.swap {
        let message = format!("{swap} of swap is more than any device needs");
        check.warn(swap <= MUCH_SWAP, "GR267", "os.install.swap", message, "did you mean MiB?");
    }
}

/// mkfs.xfs refuses less than 300 MiB; the others make something from 16 MiB on.
fn least_size(partition: &Partition, of_root: Filesystem) -> Bytes {
    match partition.filesystem.unwrap_or(of_root) {
        Filesystem::Xfs => Bytes(300 << 20),
        Filesystem::Btrfs => Bytes(128 << 20),
        Filesystem::Ext4 => Bytes(16 << 20),
    }
}

/// What must fit must fit the largest disk that is allowed.
fn room(check: &mut Check<'_>, persona: &Persona, install: &Install) {
    let Some(most) = install.disk.max_size else { return };
    let root = persona.resources.requires.disk;
    let parts = install.partitions.iter().map(|partition| partition.size).chain(install.swap).chain(root);
    let sum = Bytes(parts.fold(0, |sum, part| sum.saturating_add(part.0)));
    let message = format!("partitions, swap and the required root are {sum}, the largest disk allowed is {most}");
    let help = "make the partitions smaller, or `max_size` larger";
    check.require(sum <= most, "GR226", "os.install.disk.max_size", message, help);
}
