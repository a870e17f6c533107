//! What Flatcar has no counterpart for.

use crate::{
    model::Effect,
    persona::{
        Persona,
        schema::{AccessControl, Filesystem},
    },
};

use super::super::{Refused, refuse::Refusals};

/// The locales that the image brings.
const LOCALES: [&str; 2] = ["C.UTF-8", "en_US.UTF-8"];

/// The folders of the image that cannot be written, and the links into them.
const READ_ONLY: [&str; 5] = ["/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/"];

/// Every field of `persona` that cannot be held to on Flatcar.
pub(in crate::persona::render) fn refuses(persona: &Persona) -> Vec<Refused> {
    let mut refusals = Refusals::default();
    apps(&mut refusals, persona);
    security(&mut refusals, persona);
    preferences(&mut refusals, persona);
    install(&mut refusals, persona);
    refusals.list
}

fn apps(refusals: &mut Refusals, persona: &Persona) {
    let apps = &persona.apps;
    let help = "run it as one of `apps.containers`, or name another distribution";
    let why = "Flatcar has no package manager";
    for (list, packages) in apps.packages.by_manager() {
        let path = if list == "native" { "apps.packages".to_owned() } else { format!("apps.packages.{list}") };
        refusals.unless(packages.is_empty(), &path, why, help);
    }
    refusals.unless(apps.repositories.is_empty(), "apps.repositories", why, help);
    refusals.unless(apps.snaps.is_empty(), "apps.snaps", "Flatcar has no snapd", help);
    refusals.unless(apps.flatpaks.is_empty(), "apps.flatpaks", "Flatcar has no Flatpak", help);
    for (at, file) in apps.files.iter().enumerate() {
        let writable = !READ_ONLY.iter().any(|folder| file.path.starts_with(folder));
        let plain = file.mode.starts_with('0');
        let why = "Ignition 3.4 sets no setuid, setgid and sticky bits";
        refusals.unless(plain, &format!("apps.files.{at}.mode"), why, "set them by `apps.commands`");
        let why = "Flatcar's `/usr` cannot be written";
        refusals.unless(writable, &format!("apps.files.{at}.path"), why, "write it under /opt, /etc or /var");
    }
}

fn security(refusals: &mut Refusals, persona: &Persona) {
    let security = &persona.security;
    let help = "use `password_hash`: Ignition takes one";
    for (at, user) in security.users.iter().enumerate() {
        let path = format!("security.users.{at}.password_secret");
        refusals.unless(user.password_secret.is_none(), &path, "Ignition takes no passwords, only hashes", help);
    }
    let why = "Flatcar's PAM has no pwquality";
    let help = "let people log in with keys, and leave this out";
    refusals.unless(security.passwords.min_length.is_none(), "security.passwords.min_length", why, help);
    refusals.unless(security.passwords.min_classes.is_none(), "security.passwords.min_classes", why, help);
    let why = "`flatcar-install` writes an image whose root is not encrypted";
    let help = "encrypt a data disk by `raw.ignition.storage.luks`";
    refusals.unless(security.encryption.is_none(), "security.encryption", why, help);
    let disabled = security.access_control == Some(AccessControl::Disabled);
    let why = "Flatcar's kernel always has SELinux";
    refusals.unless(!disabled, "security.access_control", why, "`permissive` forbids nothing either");
    let updates = security.automatic_updates == Some(true) && persona.effect() == Effect::Ephemeral;
    let why = "a Flatcar that runs from memory has no disk to put an update on";
    refusals.unless(!updates, "security.automatic_updates", why, "boot a newer image");
}

fn preferences(refusals: &mut Refusals, persona: &Persona) {
    let preferences = &persona.preferences;
    let help = "leave it out: Flatcar is worked on over SSH";
    let why = "Flatcar has no desktop";
    refusals.unless(preferences.desktop.is_none(), "preferences.desktop", why, help);
    refusals.unless(preferences.wallpaper.is_none(), "preferences.wallpaper", why, help);
    refusals.unless(preferences.dconf.is_empty(), "preferences.dconf", why, help);
    refusals.unless(preferences.language.is_none(), "preferences.language", "Flatcar has no translations", help);
    refusals.unless(preferences.keyboard.is_none(), "preferences.keyboard", "Flatcar's image has no keymaps", help);
    let brought = preferences.locale.as_ref().is_none_or(|locale| LOCALES.contains(&locale.as_str()));
    refusals.unless(
        brought,
        "preferences.locale",
        "Flatcar's image does not have this locale",
        "one of C.UTF-8 and en_US.UTF-8",
    );
}

fn install(refusals: &mut Refusals, persona: &Persona) {
    let Some(install) = &persona.os.install else { return };
    let why = "`flatcar-install` writes an image with partitions of its own";
    let help = "add disks and partitions by `raw.ignition.storage`";
    refusals.unless(!install.lvm, "os.install.lvm", why, help);
    refusals.unless(install.partitions.is_empty(), "os.install.partitions", why, help);
    let swap = install.swap.is_none() || install.filesystem != Filesystem::Btrfs;
    refusals.unless(swap, "os.install.swap", "a swap file on Btrfs is not supported", "choose ext4 or xfs");
}
