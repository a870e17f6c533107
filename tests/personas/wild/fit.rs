//! What a target cannot be asked for, taken back, as an admin would who is told so.

use greenroom::persona::{Persona, schema::*};

/// Takes back what this target cannot be asked for, as an admin would who is told so.
pub(super) fn fit(persona: &mut Persona) {
    match persona.target() {
        Target::Bare => {
            (persona.apps, persona.security) = (Apps::default(), Security::default());
            (persona.network, persona.preferences) = (Network::default(), Preferences::default());
            persona.resources.limits = Limits::default();
            (persona.resources.requires.cpus, persona.resources.requires.disk) = (None, None);
        }
        Target::Ignition => fit_flatcar(persona),
        Target::Unattend => fit_windows(persona),
        _ => {}
    }
    let btrfs =
        persona.os.distribution() == Distribution::Fedora || persona.os.distribution().family() == Family::Debian;
    let encrypted = persona.security.encryption.is_some();
    if let Some(install) = &mut persona.os.install {
        install.lvm |= encrypted;
        if !btrfs || install.lvm {
            let plain = |filesystem: &mut Filesystem| {
                if *filesystem == Filesystem::Btrfs {
                    *filesystem = Filesystem::Xfs;
                }
            };
            plain(&mut install.filesystem);
            install.partitions.iter_mut().filter_map(|partition| partition.filesystem.as_mut()).for_each(plain);
        }
    }
}

/// The same for Flatcar, which has no package manager and nothing to look at.
fn fit_flatcar(persona: &mut Persona) {
    let Persona { apps, security, preferences, .. } = persona;
    (apps.packages, apps.repositories) = (Packages::default(), vec![]);
    (apps.snaps, apps.flatpaks) = (vec![], vec![]);
    (security.passwords.min_length, security.passwords.min_classes) = (None, None);
    (security.encryption, security.automatic_updates) = (None, security.automatic_updates.filter(|on| !on));
    security.access_control = security.access_control.filter(|mode| *mode != AccessControl::Disabled);
    (preferences.language, preferences.locale, preferences.keyboard) = (None, None, None);
    (preferences.wallpaper, preferences.desktop) = (None, None);
    preferences.dconf.clear();
}

/// The same for Windows, where every account has a password, and disks have numbers.
fn fit_windows(persona: &mut Persona) {
    let Persona { apps, security, network, preferences, resources, os, .. } = persona;
    if let Some(install) = &mut os.install {
        install.disk.path = Some(r"\\.\PhysicalDrive1".to_owned());
        (install.filesystem, install.lvm) = (Filesystem::Ext4, false);
        (install.swap, install.partitions) = (None, vec![]);
    }
    apps.files.iter_mut().for_each(|file| file.mode = "0644".into());
    if security.users.is_empty() {
        let user = serde_json::json!({ "name": "operator1", "password_secret": "operator" });
        security.users.push(serde_json::from_value(user).unwrap());
    }
    security.users[0].sudo = true;
    security.passwords.min_length = security.passwords.min_length.map(|length| length.min(14));
    security.passwords.min_classes = None;
    security.encryption = None;
    (network.vlans, network.bonds, network.bridges) = (vec![], vec![], vec![]);
    preferences.desktop = None;
    preferences.dconf.clear();
    preferences.locale = preferences.locale.take().filter(|locale| !locale.starts_with('C'));
    resources.limits = Limits::default();
}
