//! The disk, in the words of partman: its answers, and the recipe that `disk.sh` puts where partman looks for one.

use std::fmt::Write as _;

use crate::persona::{Persona, schema::Install};

use super::{
    super::install::{self, Failing, GROUP, Layout, Volume, find_disk},
    Subject, line,
};

/// Where the recipe lies while the installer runs.
const RECIPE: &str = "/tmp/greenroom.recipe";

/// partman counts in these.
const MEGABYTE: u64 = 1_000_000;

/// The answers. The disk, the recipe and the passphrase are answered by `disk.sh`, which runs before partman asks for them.
pub(super) fn answers(persona: &Persona, install: &Install, subject: &Subject<'_>) -> Vec<String> {
    let layout = Layout::of(persona, install);
    let method = match (layout.encrypted, layout.lvm) {
        (true, _) => "crypto",
        (false, true) => "lvm",
        (false, false) => "regular",
    };
    let script = install::address(subject, "disk.sh");
    // The installer goes on when a command fails, and takes the disk when there is only one: what fails here must not end.
    let early = format!(
        "wget -q -O /tmp/disk.sh {script} && sh /tmp/disk.sh || \
         while :; do echo Greenroom cannot tell which disk to install to >/dev/console; sleep 60; done"
    );
    let mut answers = vec![
        line("partman/early_command", "string", &early),
        line("partman-auto/method", "string", method),
        line("partman-auto/expert_recipe_file", "string", RECIPE),
        line("partman/default_filesystem", "string", install.filesystem.name()),
        // What older systems left on the disk goes.
        line("partman-lvm/device_remove_lvm", "boolean", "true"),
        line("partman-md/device_remove_md", "boolean", "true"),
        line("partman-partitioning/choose_label", "select", "gpt"),
        line("partman-partitioning/default_label", "string", "gpt"),
        line("partman-partitioning/confirm_write_new_label", "boolean", "true"),
        line("partman/choose_partition", "select", "finish"),
        line("partman/confirm", "boolean", "true"),
        line("partman/confirm_nooverwrite", "boolean", "true"),
    ];
    if install.swap.is_none() {
        answers.push(line("partman-basicfilesystems/no_swap", "boolean", "false"));
    }
    if layout.lvm {
        answers.push(line("partman-lvm/confirm", "boolean", "true"));
        answers.push(line("partman-lvm/confirm_nooverwrite", "boolean", "true"));
        answers.push(line("partman-auto-lvm/guided_size", "string", "max"));
        answers.push(line("partman-auto-lvm/new_vg_name", "string", GROUP));
    }
    if layout.encrypted {
        // Writing a big disk over takes hours, and the persona's passphrase is the admin's to choose.
        answers.push(line("partman-auto-crypto/erase_disks", "boolean", "false"));
        answers.push(line("partman-crypto/weak_passphrase", "boolean", "true"));
        answers.push(line("partman-crypto/confirm", "boolean", "true"));
        answers.push(line("partman-crypto/confirm_nooverwrite", "boolean", "true"));
    }
    answers
}

/// `disk.sh`: finds the disk, and answers what depends on it and on the firmware.
pub(super) fn disk_script(persona: &Persona, install: &Install, subject: &Subject<'_>) -> String {
    let layout = Layout::of(persona, install);
    let mut script = format!(
        "#!/bin/sh\n\
         # Run by the Debian installer before it partitions, for persona {}.\n\
         {}\
         set -e\n\
         # As preseeding does, but for its log: that one would keep the passphrase.\n\
         answer() (\n    \
             export DEBIAN_FRONTEND=noninteractive\n    \
             . /usr/share/debconf/confmodule\n    \
             db_set \"$1\" \"$2\"\n    \
             db_fset \"$1\" seen true\n\
         )\n\
         answer partman-auto/disk \"$disk\"\n\
         answer grub-installer/bootdev \"$disk\"\n",
        subject.persona,
        find_disk(persona, install, subject, &super::post(subject), Failing::Holds),
    );
    if layout.encrypted {
        let _ = write!(
            script,
            "wget -q -O /tmp/greenroom.passphrase {address} || stop the passphrase of the disk cannot be fetched\n\
             passphrase=$(cat /tmp/greenroom.passphrase)\n\
             rm /tmp/greenroom.passphrase\n\
             answer partman-crypto/passphrase \"$passphrase\"\n\
             answer partman-crypto/passphrase-again \"$passphrase\"\n",
            address = install::address(subject, install::PASSPHRASE),
        );
    }
    let _ = write!(
        script,
        "cat >{RECIPE} <<'RECIPE'\ngreenroom ::\nRECIPE\n\
         if [ -d /sys/firmware/efi ]; then\n\
         cat >>{RECIPE} <<'RECIPE'\n{efi}RECIPE\n\
         else\n\
         cat >>{RECIPE} <<'RECIPE'\n{bios}RECIPE\n\
         fi\n\
         cat >>{RECIPE} <<'RECIPE'\n{volumes}RECIPE\n",
        efi = entry("538 538 538 free", &["$iflabel{ gpt }", "$reusemethod{ }", "method{ efi }", "format{ }"]),
        bios = entry("1 1 1 free", &["$iflabel{ gpt }", "$reusemethod{ }", "method{ biosgrub }"]),
        volumes = layout.volumes.iter().map(|volume| partition(volume, &layout)).collect::<String>(),
    );
    script
}

/// One entry of a recipe: the least size, the priority, the greatest size, the kind; then what is done with it.
fn entry(head: &str, what: &[&str]) -> String {
    format!("    {head}\n        {} .\n", what.join(" "))
}

fn partition(volume: &Volume<'_>, layout: &Layout<'_>) -> String {
    let size = match volume.in_units(MEGABYTE) {
        Some(size) => format!("{size} {size} {size}"),
        None => "2000 10000 -1".to_owned(),
    };
    let kind = match volume.kind() {
        "swap" => "linux-swap",
        filesystem => filesystem,
    };
    let mut what: Vec<String> = vec![];
    if layout.lvm && !volume.plain {
        what.push("$lvmok{ }".into());
        what.push(format!("lv_name{{ {} }}", volume.name));
    }
    match volume.mount {
        None => what.extend(["method{ swap }".into(), "format{ }".into()]),
        Some(mount) => {
            what.extend(["method{ format }".into(), "format{ }".into(), "use_filesystem{ }".into()]);
            what.push(format!("filesystem{{ {kind} }}"));
            what.push(format!("mountpoint{{ {mount} }}"));
        }
    }
    let what: Vec<&str> = what.iter().map(String::as_str).collect();
    entry(&format!("{size} {kind}"), &what)
}
