//! The disk, in the words of Kickstart: `%pre` finds it, and writes the commands that lay it out to a file that is included.

use std::fmt::Write as _;

use crate::persona::{
    Persona,
    schema::{Filesystem, Install},
};

use super::{
    super::install::{self, Failing, GROUP, Layout, Volume, find_disk},
    Subject,
};

/// Where the commands lie while Anaconda runs.
pub(super) const COMMANDS: &str = "/tmp/greenroom-disk.ks";

/// Kickstart counts in these.
const MEBIBYTE: u64 = 1 << 20;

/// What the root gets at least, in MiB.
const ROOT: u64 = 4096;

/// `%pre`, as Anaconda runs it before it reads the rest.
pub(super) fn before(persona: &Persona, install: &Install, subject: &Subject<'_>) -> String {
    let layout = Layout::of(persona, install);
    let mut section = format!(
        "%pre --erroronfail\n{}",
        find_disk(persona, install, subject, &install::curl_post(subject), Failing::Ends)
    );
    if layout.encrypted {
        // The quotes are those of the words that Anaconda reads.
        let _ = write!(
            section,
            "passphrase=$(curl -fsS --retry 5 {address}) || stop the passphrase of the disk cannot be fetched\n\
             quoted=\"'$(printf %s \"$passphrase\" | sed \"s/'/'\\\\\\\\''/g\")'\"\n",
            address = install::address(subject, install::PASSPHRASE),
        );
    }
    let _ = write!(
        section,
        "umask 077\nname=${{disk#/dev/}}\ncat >{COMMANDS} <<COMMANDS\n{}COMMANDS\n%end\n",
        commands(&layout)
    );
    section
}

/// The commands. `$name` (of the disk) and `$quoted` (the passphrase) are the shell's.
fn commands(layout: &Layout<'_>) -> String {
    let mut commands = String::from(
        "zerombr\n\
         ignoredisk --only-use=$name\n\
         clearpart --all --initlabel --disklabel=gpt --drives=$name\n\
         reqpart\n",
    );
    let (parts, logical) = layout.parted();
    for volume in parts {
        let locked = if volume.plain { String::new() } else { locked(layout) };
        match volume.filesystem {
            Some(Filesystem::Btrfs) => {
                let device = format!("btrfs.{}", volume.name);
                let _ = writeln!(commands, "part {device} --ondisk=$name{}{locked}", size(volume));
                let mount = volume.mount.unwrap_or_default();
                let _ = writeln!(commands, "btrfs none --label={name} {device}", name = volume.name);
                let _ = writeln!(commands, "btrfs {mount} --subvol --name={name} LABEL={name}", name = volume.name);
            }
            _ => {
                let mount = volume.mount.unwrap_or("swap");
                let kind = volume.kind();
                let _ = writeln!(commands, "part {mount} --fstype={kind} --ondisk=$name{}{locked}", size(volume));
            }
        }
    }
    if !logical.is_empty() {
        let _ = writeln!(commands, "part pv.{GROUP} --ondisk=$name --size={ROOT} --grow{}", locked(layout));
        let _ = writeln!(commands, "volgroup {GROUP} pv.{GROUP}");
    }
    for volume in logical {
        let mount = volume.mount.unwrap_or("swap");
        let (kind, name) = (volume.kind(), &volume.name);
        let _ = writeln!(commands, "logvol {mount} --vgname={GROUP} --name={name} --fstype={kind}{}", size(volume));
    }
    commands
}

fn size(volume: &Volume<'_>) -> String {
    match volume.in_units(MEBIBYTE) {
        Some(size) => format!(" --size={size}"),
        None => format!(" --size={ROOT} --grow"),
    }
}

fn locked(layout: &Layout<'_>) -> String {
    let encrypted = layout.encrypted.then_some(" --encrypted --luks-version=luks2 --passphrase=$quoted");
    encrypted.unwrap_or_default().to_owned()
}
