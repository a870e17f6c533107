//! Anaconda's answers, for the Red Hat family 9 and Fedora: the disk, the base system, the boot loader, nobody's passwords.
//!
//! Where packages come from is the image's to say (`inst.repo=` among its arguments). The installed system's own cloud-init
//! does all the rest, from the seed that `%post` leaves on the disk.

mod storage;

use std::fmt::Write as _;

use crate::persona::{
    Persona,
    schema::{Distribution, Family, Filesystem},
};

use super::{Refused, Subject, install, report, shell_word};

/// What Anaconda cannot be told: values of more than one line, and file systems that the distribution's kernel has not.
pub(super) fn refuses(persona: &Persona) -> Vec<Refused> {
    let mut refused = install::refuses(persona);
    refused.extend(install::refuses_lines(persona));
    let Some(disk) = &persona.os.install else { return refused };
    let distribution = persona.os.distribution();
    let root = ("os.install.filesystem".to_owned(), Some(disk.filesystem));
    let others = disk.partitions.iter().enumerate();
    let others = others.map(|(at, own)| (format!("os.install.partitions.{at}.filesystem"), own.filesystem));
    for (path, _) in [root].into_iter().chain(others).filter(|(_, kind)| *kind == Some(Filesystem::Btrfs)) {
        if distribution != Distribution::Fedora {
            let why = format!("the kernel of {distribution} has no btrfs");
            refused.push(Refused::new(path, why, "choose `xfs` or `ext4`"));
        } else if disk.lvm {
            let why = "Anaconda makes no btrfs inside a volume group: btrfs has volumes of its own";
            refused.push(Refused::new(path, why, "remove `lvm`, or choose `xfs` or `ext4`"));
        }
    }
    refused
}

/// `ks.cfg`.
pub(super) fn kickstart(persona: &Persona, subject: &Subject<'_>) -> String {
    let mut text = format!(
        "# Rendered by Greenroom from persona {} for {} (boot {}).\n",
        subject.persona, subject.mac, subject.boot
    );
    for command in commands(persona, subject) {
        text.push_str(&command);
        text.push('\n');
    }
    if persona.os.install.is_some() {
        let _ = writeln!(text, "%include {}", storage::COMMANDS);
    }
    text.push_str("\n%packages\n@core\n");
    let base = ["cloud-init", "curl", "openssh-server", "python3", "sudo"].into_iter();
    let encryption = persona.security.encryption.iter();
    for package in base.chain(encryption.flat_map(|encryption| install::packages(encryption, Family::Redhat))) {
        let _ = writeln!(text, "{package}");
    }
    text.push_str("%end\n\n");
    if let Some(disk) = &persona.os.install {
        text.push_str(&storage::before(persona, disk, subject));
        text.push('\n');
    }
    text.push_str(&after(persona, subject));
    super::append(&mut text, &persona.raw.kickstart);
    text
}

fn commands(persona: &Persona, subject: &Subject<'_>) -> Vec<String> {
    let preferences = &persona.preferences;
    // Anaconda knows the locales that have a language; cloud-init sets the others.
    let locale = preferences.locale.as_deref().filter(|locale| !locale.starts_with("C.")).unwrap_or("en_US.UTF-8");
    let zone = match preferences.timezone.as_deref() {
        None | Some("UTC") => "Etc/UTC",
        Some(zone) => zone,
    };
    let mut commands = vec![
        "text".to_owned(),
        format!("lang {}", shell_word(locale)),
        format!("keyboard --xlayouts={}", shell_word(preferences.keyboard.as_deref().unwrap_or("us"))),
        format!("timezone {} --utc", shell_word(zone)),
    ];
    let servers = persona.network.ntp.iter().map(|server| format!("timesource --ntp-server={}", shell_word(server)));
    commands.extend(servers);
    commands.extend([
        // The installed system's network is cloud-init's alone; this one is the installer's.
        format!("network --bootproto=dhcp --device={} --activate --onboot=yes", subject.mac),
        format!("network --hostname={}", shell_word(&subject.hostname(persona))),
        // No password opens the account; cloud-init makes the people's.
        "rootpw --lock".to_owned(),
        "firstboot --disable".to_owned(),
        bootloader(persona),
        "reboot".to_owned(),
    ]);
    commands
}

fn bootloader(persona: &Persona) -> String {
    let mut arguments: Vec<&str> = persona.os.kernel_args.iter().map(String::as_str).collect();
    let encryption = persona.security.encryption.as_ref();
    if encryption.is_some_and(|encryption| !encryption.tang.is_empty()) {
        // dracut brings up the network only for what asks for it.
        arguments.push("rd.neednet=1");
    }
    match arguments.is_empty() {
        true => "bootloader".to_owned(),
        false => format!("bootloader --append={}", shell_word(&arguments.join(" "))),
    }
}

/// `%post`, in the new system: leaves the seed, lets the disk open by itself, and says that the installation is done.
fn after(persona: &Persona, subject: &Subject<'_>) -> String {
    let folder = super::SEED_FOLDER;
    let mut section = format!(
        "%post --erroronfail\n\
         set -e\n\
         {trap}\
         umask 077\n\
         mkdir -p {folder}\n",
        trap = install::report_failure(&install::curl_post(subject)),
    );
    for name in super::CLOUD_INIT {
        let address = install::address(subject, name);
        let _ = writeln!(section, "curl -fsS --retry 5 -o {folder}/{name} {address}");
    }
    section.push_str(
        "# The installer's own network would stand beside cloud-init's.\n\
         rm -f /etc/NetworkManager/system-connections/*.nmconnection /etc/sysconfig/network-scripts/ifcfg-*\n\
         restorecon -R /var/lib/cloud || :\n",
    );
    if let Some(encryption) = &persona.security.encryption {
        let address = install::address(subject, install::PASSPHRASE);
        let _ = writeln!(section, "passphrase=$(curl -fsS --retry 5 {address})");
        section.push_str(&install::bind(encryption, Family::Redhat));
    }
    let _ = writeln!(section, "{} '{}'\n%end", install::curl_post(subject), report::INSTALLED);
    section
}
