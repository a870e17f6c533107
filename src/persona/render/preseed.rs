//! The Debian installer's answers (bookworm's d-i): the disk, the base system, the boot loader, nobody's passwords.
//!
//! The installed system's own cloud-init does all the rest, from the seed that `late_command` leaves on the disk.

use crate::persona::Persona;

use super::{Refused, Subject, cloud_init, shell_word};

/// Where Debian comes from when the site names no mirror.
const DEBIAN: &str = "http://deb.debian.org/debian";

/// Where cloud-init looks for a seed on the disk.
const SEED_DIR: &str = "/var/lib/cloud/seed/nocloud";

/// What the Debian installer cannot be told. An answer of debconf is one line, and partman has no way to encrypt but to
/// encrypt a volume group.
pub(super) fn refuses(persona: &Persona) -> Vec<Refused> {
    let mut refused = cloud_init::refuses_everywhere(persona);
    let preferences = &persona.preferences;
    let answers = [
        ("preferences.locale", preferences.locale.as_ref()),
        ("preferences.keyboard", preferences.keyboard.as_ref()),
        ("preferences.timezone", preferences.timezone.as_ref()),
        ("network.hostname", persona.network.hostname.as_ref()),
        ("network.proxy.http", persona.network.proxy.as_ref().map(|proxy| &proxy.http)),
        ("network.ntp.0", persona.network.ntp.first()),
    ];
    for (path, _) in answers.iter().filter(|(_, answer)| answer.is_some_and(|answer| answer.contains(char::is_control)))
    {
        let why = "an answer to the Debian installer is one line, and this has a control character in it";
        refused.push(Refused::new(*path, why, "remove it"));
    }
    let install = persona.os.install.as_ref();
    if persona.security.encryption.is_some() && install.is_some_and(|install| !install.lvm) {
        let why = "the Debian installer encrypts a volume group as a whole, and nothing else";
        refused.push(Refused::new("os.install.lvm", why, "say `lvm: true`"));
    }
    refused
}

/// The answers.
pub(super) fn preseed(persona: &Persona, subject: &Subject<'_>) -> String {
    let mut answers = vec![
        format!(
            "# Rendered by Greenroom from persona {} for {} (boot {}).",
            subject.persona, subject.mac, subject.boot
        ),
        line("debian-installer/locale", "string", persona.preferences.locale.as_deref().unwrap_or("C.UTF-8")),
        line("keyboard-configuration/xkb-keymap", "select", persona.preferences.keyboard.as_deref().unwrap_or("us")),
        line("netcfg/choose_interface", "select", "auto"),
        line("netcfg/hostname", "string", &subject.hostname(persona)),
        line("hw-detect/load_firmware", "boolean", "true"),
    ];
    answers.extend(mirror(subject));
    answers.extend(accounts_and_clock(persona));
    answers.extend(disk(persona));
    // Asked by packages of the new system, not by the installer: they own their questions.
    answers.push("tasksel tasksel/first multiselect".to_owned());
    answers.push("popularity-contest popularity-contest/participate boolean false".to_owned());
    answers.push(line("pkgsel/include", "string", "cloud-init python3 sudo openssh-server locales"));
    answers.push(line("pkgsel/upgrade", "select", "safe-upgrade"));
    answers.push(line("grub-installer/only_debian", "boolean", "true"));
    answers.push(line("grub-installer/with_other_os", "boolean", "false"));
    answers.push(line("finish-install/reboot_in_progress", "note", ""));
    answers.push(line("preseed/late_command", "string", &late_command(subject)));
    answers.join("\n") + "\n"
}

fn line(question: &str, kind: &str, answer: &str) -> String {
    format!("d-i {question} {kind} {answer}").trim_end().to_owned()
}

fn mirror(subject: &Subject<'_>) -> Vec<String> {
    let mirror = subject.mirrors.debian.as_deref().unwrap_or(DEBIAN);
    let (protocol, rest) = mirror.split_once("://").unwrap_or(("http", mirror));
    let (host, directory) = rest.split_once('/').unwrap_or((rest, ""));
    let mut answers = vec![
        line("mirror/country", "string", "manual"),
        line("mirror/protocol", "select", protocol),
        line(&format!("mirror/{protocol}/hostname"), "string", host),
        line(&format!("mirror/{protocol}/directory"), "string", &format!("/{directory}")),
        line(&format!("mirror/{protocol}/proxy"), "string", ""),
    ];
    if subject.mirrors.debian.is_some() && subject.mirrors.debian_security.is_none() {
        // A site with a mirror of its own may have no way out to the others.
        answers.push(line("apt-setup/services-select", "multiselect", ""));
    }
    answers
}

fn accounts_and_clock(persona: &Persona) -> Vec<String> {
    vec![
        // No password opens the account; cloud-init makes the people's.
        line("passwd/root-login", "boolean", "true"),
        line("passwd/root-password-crypted", "password", "!"),
        line("passwd/make-user", "boolean", "false"),
        line("clock-setup/utc", "boolean", "true"),
        line("time/zone", "string", persona.preferences.timezone.as_deref().unwrap_or("UTC")),
        line("clock-setup/ntp", "boolean", if persona.network.ntp.is_empty() { "false" } else { "true" }),
    ]
}

/// The one disk that the persona names. Without a name nothing is answered, and the installer asks: it never takes the
/// first disk by itself.
fn disk(persona: &Persona) -> Vec<String> {
    let Some(install) = &persona.os.install else { return vec![] };
    let path = install.disk.path.as_deref().unwrap_or_default();
    vec![
        line("partman-auto/disk", "string", path),
        line("grub-installer/bootdev", "string", path),
        line("partman-auto/method", "string", "regular"),
        line("partman-auto/choose_recipe", "select", "atomic"),
        line("partman/default_filesystem", "string", install.filesystem.name()),
        line("partman-lvm/device_remove_lvm", "boolean", "true"),
        line("partman-md/device_remove_md", "boolean", "true"),
        line("partman-partitioning/confirm_write_new_label", "boolean", "true"),
        line("partman/choose_partition", "select", "finish"),
        line("partman/confirm", "boolean", "true"),
        line("partman/confirm_nooverwrite", "boolean", "true"),
    ]
}

/// Leaves the seed on the disk and says that the installation is done. The installer's own wget cannot POST; the new
/// system has Python, for cloud-init.
fn late_command(subject: &Subject<'_>) -> String {
    let mut steps = vec![format!("mkdir -p /target{SEED_DIR}")];
    for name in ["meta-data", "user-data", "vendor-data", "network-config"] {
        steps.push(format!("wget -O /target{SEED_DIR}/{name} {}", shell_word(&format!("{}{name}", subject.seed_url))));
    }
    steps.push(format!("chmod 700 /target{SEED_DIR}"));
    steps.push(format!(
        "in-target python3 -c \"import urllib.request as w; w.urlopen(w.Request('{}', b'{{\\\"phase\\\":\\\"installed\\\"}}', \
         {{'Content-Type': 'application/json'}}), timeout=30)\"",
        subject.report_url
    ));
    steps.join(" && ")
}
