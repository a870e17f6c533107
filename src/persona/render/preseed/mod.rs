//! The Debian installer's answers (bookworm's d-i): the disk, the base system, the boot loader, nobody's passwords.
//!
//! The installed system's own cloud-init does all the rest, from the seed that `finish.sh` leaves on the disk. The two
//! scripts are files of their own: what an answer says is one line, and the installer logs it.

mod partman;

use crate::persona::{Persona, schema::Family};

use super::{Refused, Subject, install, report};

/// Where Debian comes from when the site names no mirror.
const DEBIAN: &str = "http://deb.debian.org/debian";

/// What the Debian installer cannot be told. An answer of debconf is one line, and partman has no way to encrypt but to
/// encrypt a volume group.
pub(super) fn refuses(persona: &Persona) -> Vec<Refused> {
    let mut refused = install::refuses(persona);
    refused.extend(install::refuses_lines(persona));
    let disk = persona.os.install.as_ref();
    if persona.security.encryption.is_some() && disk.is_some_and(|disk| !disk.lvm) {
        let why = "the Debian installer encrypts a volume group as a whole, and nothing else";
        refused.push(Refused::new("os.install.lvm", why, "say `lvm: true`"));
    }
    refused
}

/// `preseed.cfg`: the answers.
pub(super) fn preseed(persona: &Persona, subject: &Subject<'_>) -> String {
    let locale = persona.preferences.locale.as_deref().unwrap_or("C.UTF-8");
    let mut answers = vec![
        format!(
            "# Rendered by Greenroom from persona {} for {} (boot {}).",
            subject.persona, subject.mac, subject.boot
        ),
        // Each by itself: of a locale without a country, or of a language that it does not speak, the installer asks.
        line("debian-installer/language", "string", "en"),
        line("debian-installer/country", "string", country(locale)),
        line("debian-installer/locale", "string", locale),
        line("keyboard-configuration/xkb-keymap", "select", persona.preferences.keyboard.as_deref().unwrap_or("us")),
        line("netcfg/choose_interface", "select", "auto"),
        line("netcfg/hostname", "string", &subject.hostname(persona)),
        // The installed system's network is cloud-init's alone.
        line("netcfg/target_network_config", "select", "loopback"),
        line("hw-detect/load_firmware", "boolean", "true"),
    ];
    answers.extend(mirror(persona, subject));
    answers.extend(accounts_and_clock(persona));
    // Without a disk nothing is answered, and the installer asks: it never takes the first disk by itself.
    answers.extend(persona.os.install.iter().flat_map(|disk| partman::answers(persona, disk, subject)));
    // Asked by packages of the new system, not by the installer: they own their questions.
    answers.push("tasksel tasksel/first multiselect".to_owned());
    answers.push("popularity-contest popularity-contest/participate boolean false".to_owned());
    answers.push(line("pkgsel/include", "string", &packages(persona).join(" ")));
    answers.push(line("pkgsel/upgrade", "select", "safe-upgrade"));
    answers.push(line("grub-installer/only_debian", "boolean", "true"));
    answers.push(line("grub-installer/with_other_os", "boolean", "false"));
    answers.push(line("finish-install/reboot_in_progress", "note", ""));
    let script = install::address(subject, "finish.sh");
    let late = format!("wget -q -O /tmp/finish.sh {script} && sh /tmp/finish.sh");
    answers.push(line("preseed/late_command", "string", &late));
    let mut text = answers.join("\n") + "\n";
    super::append(&mut text, &persona.raw.preseed);
    text
}

fn line(question: &str, kind: &str, answer: &str) -> String {
    format!("d-i {question} {kind} {answer}").trim_end().to_owned()
}

/// The country of a locale: `DE` of `de_DE.UTF-8@euro`. The installer wants one even where there is none, and makes nothing
/// of it when mirror, time zone and locale are answered.
fn country(locale: &str) -> &str {
    let after = locale.split_once('_').map_or("", |(_, after)| after);
    let country = after.split(['.', '@']).next().unwrap_or_default();
    if country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()) { country } else { "US" }
}

fn mirror(persona: &Persona, subject: &Subject<'_>) -> Vec<String> {
    let mirror = subject.mirrors.debian.as_deref().unwrap_or(DEBIAN);
    let (protocol, rest) = mirror.split_once("://").unwrap_or(("http", mirror));
    let (host, directory) = rest.split_once('/').unwrap_or((rest, ""));
    // A mirror of the site is not behind the proxy to the outside.
    let proxy = persona.network.proxy.as_ref().filter(|_| subject.mirrors.debian.is_none());
    let mut answers = vec![
        line("mirror/country", "string", "manual"),
        line("mirror/protocol", "select", protocol),
        line(&format!("mirror/{protocol}/hostname"), "string", host),
        line(&format!("mirror/{protocol}/directory"), "string", &format!("/{directory}")),
        line(&format!("mirror/{protocol}/proxy"), "string", proxy.map_or("", |proxy| &proxy.http)),
    ];
    if subject.mirrors.debian.is_some() && subject.mirrors.debian_security.is_none() {
        // A site with a mirror of its own may have no way out to the others.
        answers.push(line("apt-setup/services-select", "multiselect", ""));
    }
    answers
}

fn accounts_and_clock(persona: &Persona) -> Vec<String> {
    let mut answers = vec![
        // No password opens the account; cloud-init makes the people's. Of `!` alone the installer thinks that it has to ask.
        line("passwd/root-login", "boolean", "true"),
        line("passwd/root-password-crypted", "password", "*"),
        line("passwd/make-user", "boolean", "false"),
        line("clock-setup/utc", "boolean", "true"),
        line("time/zone", "string", persona.preferences.timezone.as_deref().unwrap_or("UTC")),
        line("clock-setup/ntp", "boolean", if persona.network.ntp.is_empty() { "false" } else { "true" }),
    ];
    answers.extend(persona.network.ntp.first().map(|server| line("clock-setup/ntp-server", "string", server)));
    answers
}

/// What cloud-init needs of the new system to do its part: itself, and what ifupdown needs for the links that it writes.
fn packages(persona: &Persona) -> Vec<&'static str> {
    let network = &persona.network;
    let mut packages = vec!["cloud-init", "python3", "sudo", "openssh-server", "locales"];
    let asked = [
        (!network.dns.is_empty() || !network.search.is_empty(), "resolvconf"),
        (!network.bonds.is_empty(), "ifenslave"),
        (!network.bridges.is_empty(), "bridge-utils"),
        (!network.vlans.is_empty(), "vlan"),
    ];
    packages.extend(asked.iter().filter(|(asked, _)| *asked).map(|(_, package)| *package));
    let encryption = persona.security.encryption.as_ref();
    packages.extend(encryption.iter().flat_map(|encryption| install::packages(encryption, Family::Debian)));
    packages
}

/// `disk.sh`, where there is a disk to find.
pub(super) fn disk_script(persona: &Persona, subject: &Subject<'_>) -> Option<String> {
    persona.os.install.as_ref().map(|disk| partman::disk_script(persona, disk, subject))
}

/// How the installer posts: with GNU wget, and never for long.
fn post(subject: &Subject<'_>) -> String {
    let address = super::shell_word(subject.report_url);
    format!(
        "wget -q -O /dev/null --tries=5 --timeout=20 --header='Content-Type: application/json' {address} --post-data"
    )
}

/// `finish.sh`: leaves the seed on the disk, lets the disk open by itself, and says that the installation is done.
pub(super) fn finish_script(persona: &Persona, subject: &Subject<'_>) -> String {
    let mut script = format!(
        "#!/bin/sh\n\
         # Run by the Debian installer when the system is on the disk, for persona {}.\n\
         set -e\n\
         {trap}\
         umask 077\n\
         mkdir -p /target{folder}\n",
        subject.persona,
        trap = install::report_failure(&post(subject)),
        folder = super::SEED_FOLDER,
    );
    for name in super::CLOUD_INIT {
        let address = install::address(subject, name);
        script.push_str(&format!("wget -q -O /target{}/{name} {address}\n", super::SEED_FOLDER));
    }
    if let Some(encryption) = &persona.security.encryption {
        // In memory: in-target shows /run to the new system, and the next start forgets it.
        let bind = install::bind(encryption, Family::Debian);
        let bind = format!("passphrase=$(cat /run/greenroom.passphrase)\n{bind}");
        script.push_str(&format!(
            "wget -q -O /run/greenroom.passphrase {address}\n\
             in-target sh -c {bind}\n\
             rm /run/greenroom.passphrase\n",
            address = install::address(subject, install::PASSPHRASE),
            bind = super::shell_word(&bind),
        ));
    }
    script.push_str(&format!("{} '{}'\n", post(subject), report::INSTALLED));
    script
}
