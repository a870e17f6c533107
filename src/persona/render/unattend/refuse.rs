//! What Windows has no counterpart for.

use crate::{
    model::Effect,
    persona::{
        Persona,
        schema::{Filesystem, User},
    },
};

use super::{
    super::{Refused, refuse::Refusals},
    architecture, disk, word,
};

/// The names of accounts that every Windows has.
const TAKEN: [&str; 6] = ["administrator", "guest", "defaultaccount", "wdagutilityaccount", "system", "none"];

/// Every field of `persona` that cannot be held to on Windows.
pub(in crate::persona::render) fn refuses(persona: &Persona) -> Vec<Refused> {
    let mut refusals = Refusals::default();
    os(&mut refusals, persona);
    apps(&mut refusals, persona);
    users(&mut refusals, persona);
    security(&mut refusals, persona);
    network(&mut refusals, persona);
    preferences(&mut refusals, persona);
    refusals.list
}

fn os(refusals: &mut Refusals, persona: &Persona) {
    let installs = persona.effect() == Effect::Destructive;
    refusals.unless(installs, "effect", "Windows Setup installs to a disk", "say `effect: destructive`");
    let known = architecture(persona).is_some();
    refusals.unless(known, "os.arch", "Windows does not run on this", "one of x64, arm64, ia32");
    let Some(install) = &persona.os.install else { return };
    let help = r"write `path: \\.\PhysicalDrive0`; what else is said of the disk is checked before it is wiped";
    let named = disk::named(persona).is_some();
    let why = r"Windows Setup knows disks by their numbers: \\.\PhysicalDrive0 is the first";
    let path = if install.disk.path.is_some() { "os.install.disk.path" } else { "os.install.disk" };
    refusals.unless(named, path, why, help);
    for (field, text) in [("serial", &install.disk.serial), ("model", &install.disk.model)] {
        let plain = text.as_deref().is_none_or(disk::is_plain);
        let path = format!("os.install.disk.{field}");
        let why = "this cannot be written into a script of Windows PE";
        refusals.unless(plain, &path, why, "letters, digits, blanks and ` ._-/`, 60 at most: use the beginning");
    }
    let why = "Windows is put on one NTFS partition";
    let help = "leave it out";
    refusals.unless(install.filesystem == Filesystem::Ext4, "os.install.filesystem", why, help);
    refusals.unless(!install.lvm, "os.install.lvm", why, help);
    refusals.unless(install.partitions.is_empty(), "os.install.partitions", why, help);
    refusals.unless(install.swap.is_none(), "os.install.swap", "Windows sizes its page file itself", help);
}

fn apps(refusals: &mut Refusals, persona: &Persona) {
    let apps = &persona.apps;
    let winget = "list what winget brings in `apps.packages`, or write `apps.commands`";
    refusals.unless(apps.repositories.is_empty(), "apps.repositories", "winget has its own sources", winget);
    refusals.unless(apps.snaps.is_empty(), "apps.snaps", "Windows has no snaps", winget);
    refusals.unless(apps.flatpaks.is_empty(), "apps.flatpaks", "Windows has no Flatpaks", winget);
    refusals.unless(apps.containers.is_empty(), "apps.containers", "Windows comes with no container engine", winget);
    for (at, file) in apps.files.iter().enumerate() {
        let path = |field: &str| format!("apps.files.{at}.{field}");
        let bytes = file.path.as_bytes();
        let absolute = bytes.len() > 3 && bytes[0].is_ascii_alphabetic() && &bytes[1..3] == br":\";
        let plain = absolute && !file.path[2..].contains(['<', '>', ':', '"', '|', '?', '*', '/']);
        refusals.unless(plain, &path("path"), "this is no path of Windows", r"write it as C:\folder\file");
        let help = "leave it out, and change what may be done with the file by `apps.commands`";
        refusals.unless(file.mode == "0644", &path("mode"), "Windows has no such permissions", help);
        refusals.unless(file.owner == "root:root", &path("owner"), "Windows has no such owners", help);
    }
}

fn users(refusals: &mut Refusals, persona: &Persona) {
    let users = &persona.security.users;
    let why = "Windows' first logon, which does all that Setup cannot, needs an administrator";
    let help = "give one user `sudo: true` and a `password_secret`";
    refusals.unless(users.iter().any(|user| user.sudo), "security.users", why, help);
    for (at, user) in users.iter().enumerate() {
        let path = |field: &str| format!("security.users.{at}.{field}");
        let free = user.name.len() <= 20 && !TAKEN.contains(&user.name.to_lowercase().as_str());
        refusals.unless(free, &path("name"), "this cannot be an account of Windows", "another, of at most 20 letters");
        let why = "Windows makes accounts with passwords only";
        let help = "name a secret of the server that is the password";
        refusals.unless(user.password_secret.is_some(), &path("password_secret"), why, help);
        unix(refusals, user, &path);
        // Their profile, where the server looks for keys, is made by their first logon.
        let why = "keys of those who are not administrators lie in a profile that does not exist yet";
        let keys = user.sudo || user.ssh_keys.is_empty();
        refusals.unless(keys, &path("ssh_keys"), why, "give the keys to an administrator");
    }
    for (at, group) in persona.security.groups.iter().enumerate() {
        let path = format!("security.groups.{at}.gid");
        refusals.unless(group.gid.is_none(), &path, "Windows numbers its groups itself", "leave it out");
    }
}

/// What an account of Windows does not have.
fn unix(refusals: &mut Refusals, user: &User, path: &dyn Fn(&str) -> String) {
    let help = "leave it out";
    refusals.unless(user.uid.is_none(), &path("uid"), "Windows numbers its accounts itself", help);
    refusals.unless(user.shell.is_none(), &path("shell"), "Windows has no login shells", help);
    let why = "Windows takes no crypt(5) hashes";
    refusals.unless(user.password_hash.is_none(), &path("password_hash"), why, "use `password_secret`");
    let why = "Windows has administrators and others, and nothing between";
    refusals.unless(user.sudo_commands.is_empty(), &path("sudo_commands"), why, "use `sudo: true`, or leave it out");
}

fn security(refusals: &mut Refusals, persona: &Persona) {
    let security = &persona.security;
    let why = "Windows has no root";
    refusals.unless(!security.ssh.root_login, "security.ssh.root_login", why, "administrators log in by their names");
    let short = security.passwords.min_length.is_none_or(|length| length <= 14);
    let why = "Windows can ask for 14 characters at most";
    refusals.unless(short, "security.passwords.min_length", why, "14 or less");
    let why = "Windows knows only passwords that are complex and such that are not";
    let help = "leave it out, or set the policy by `apps.commands`";
    refusals.unless(security.passwords.min_classes.is_none(), "security.passwords.min_classes", why, help);
    let why = "this is of SELinux and AppArmor";
    refusals.unless(security.access_control.is_none(), "security.access_control", why, "leave it out");
    let Some(encryption) = &security.encryption else { return };
    let why = "BitLocker is opened by the TPM; nobody may be there to type";
    let tpm2 = encryption.tpm2.as_ref();
    refusals.unless(tpm2.is_some(), "security.encryption", why, "add `tpm2: {}`");
    let why = "BitLocker chooses the registers itself";
    let chosen = tpm2.is_none_or(|tpm2| tpm2.pcrs.is_empty());
    refusals.unless(chosen, "security.encryption.tpm2.pcrs", why, "leave it out");
    refusals.unless(encryption.tang.is_empty(), "security.encryption.tang", "BitLocker knows no Tang", "leave it out");
}

fn network(refusals: &mut Refusals, persona: &Persona) {
    let network = &persona.network;
    let why = "Windows 10 and 11 have none of these";
    let help = "leave it out, and let the switch do it";
    refusals.unless(network.vlans.is_empty(), "network.vlans", why, help);
    refusals.unless(network.bonds.is_empty(), "network.bonds", why, help);
    refusals.unless(network.bridges.is_empty(), "network.bridges", why, help);
    for (at, interface) in network.interfaces.iter().enumerate() {
        let both = interface
            .ip
            .as_ref()
            .is_some_and(|ip| ip.dhcp == Some(true) && ip.addresses.iter().any(|net| net.addr().is_ipv4()));
        let path = format!("network.interfaces.{at}.ip.dhcp");
        refusals.unless(!both, &path, "Windows asks DHCP or has fixed addresses", "choose one");
    }
    let limits = &persona.resources.limits;
    let why = "Windows has no slices of systemd";
    refusals.unless(limits.per_user.is_empty(), "resources.limits.per_user", why, "leave it out");
    refusals.unless(limits.services.is_empty(), "resources.limits.services", why, "leave it out");
}

fn preferences(refusals: &mut Refusals, persona: &Persona) {
    let preferences = &persona.preferences;
    let help = "leave it out";
    refusals.unless(preferences.desktop.is_none(), "preferences.desktop", "Windows has its own", help);
    refusals.unless(preferences.shell.is_none(), "preferences.shell", "Windows has no login shells", help);
    refusals.unless(preferences.dconf.is_empty(), "preferences.dconf", "this is of GNOME", help);
    let zone = preferences.timezone.is_none() || word::time_zone(persona).is_some();
    let why = "Windows has no such time zone";
    refusals.unless(zone, "preferences.timezone", why, "name the largest city that has the same time");
    let keyboard = preferences.keyboard.is_none() || word::keyboard(persona).is_some();
    let why = "Greenroom does not know Windows' number for this keyboard";
    refusals.unless(keyboard, "preferences.keyboard", why, "leave it out, and set it by `apps.commands`");
    let locale = preferences.locale.is_none() || word::locale(persona).is_some();
    let why = "Windows has no such locale";
    refusals.unless(locale, "preferences.locale", why, "write a language and a region: de_DE.UTF-8");
    let language = preferences.language.is_none() || word::named_language(persona).is_some();
    let why = "a language of Windows has a region";
    refusals.unless(language, "preferences.language", why, "write it as de_DE, or give the locale of that language");
}
