//! The desktop and what its user likes.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::persona::{
    Persona,
    quote::{file_url, shell_word},
    schema::{Desktop, Distribution, Family},
};

use super::Intent;

/// Where a wallpaper from the network is kept.
const WALLPAPER: &str = "/usr/local/share/backgrounds/greenroom";

impl Desktop {
    /// The package, or group of packages, that brings it to a distribution; `None` where there is none.
    pub const fn package(self, distribution: Distribution) -> Option<&'static str> {
        Some(match (distribution, self) {
            (Distribution::Debian, Self::Gnome) => "task-gnome-desktop",
            (Distribution::Debian, Self::Kde) => "task-kde-desktop",
            (Distribution::Debian, Self::Xfce) => "task-xfce-desktop",
            (Distribution::Ubuntu, Self::Gnome) => "ubuntu-desktop-minimal",
            (Distribution::Ubuntu, Self::Kde) => "kubuntu-desktop",
            (Distribution::Ubuntu, Self::Xfce) => "xubuntu-desktop",
            (Distribution::Fedora, Self::Gnome) => "@workstation-product-environment",
            (Distribution::Fedora, Self::Kde) => "@kde-desktop-environment",
            (Distribution::Fedora, Self::Xfce) => "@xfce-desktop-environment",
            (Distribution::Rocky | Distribution::Alma | Distribution::Rhel | Distribution::Centos, Self::Gnome) => {
                "@workstation-product-environment"
            }
            _ => return None,
        })
    }
}

impl Intent {
    pub(super) fn desktop(&mut self, persona: &Persona) {
        let preferences = &persona.preferences;
        if let Some(package) = preferences.desktop.and_then(|desktop| desktop.package(persona.os.distribution())) {
            self.package(package);
            self.command(&["systemctl", "set-default", "graphical.target"]);
        }
        if let Some(editor) = &preferences.editor {
            let editor = shell_word(editor);
            self.file("/etc/profile.d/50-greenroom-editor.sh", format!("export EDITOR={editor} VISUAL={editor}\n"));
        }
        let mut settings = preferences.dconf.clone();
        if let Some(wallpaper) = &preferences.wallpaper {
            let uri = self.wallpaper(wallpaper);
            for key in ["picture-uri", "picture-uri-dark"] {
                let path = format!("org/gnome/desktop/background/{key}");
                settings.entry(path).or_insert_with(|| format!("'{uri}'"));
            }
        }
        if !settings.is_empty() {
            self.dconf(persona, &settings);
        }
    }

    /// The URI of the wallpaper on the device.
    fn wallpaper(&mut self, from: &str) -> String {
        if !from.starts_with("http") {
            return file_url(from);
        }
        self.package("curl");
        self.command(&["curl", "-fsSL", "--retry", "5", "--create-dirs", "-o", WALLPAPER, from]);
        format!("file://{WALLPAPER}")
    }

    /// Defaults for every user, who may still choose otherwise (dconf(7)).
    fn dconf(&mut self, persona: &Persona, settings: &BTreeMap<String, String>) {
        self.package(match persona.os.distribution().family() {
            Family::Debian => "dconf-cli",
            _ => "dconf",
        });
        let mut by_folder: BTreeMap<&str, String> = BTreeMap::new();
        for (path, value) in settings {
            let (folder, key) = path.rsplit_once('/').unwrap_or(("", path));
            let _ = writeln!(by_folder.entry(folder).or_default(), "{key}={value}");
        }
        let keyfile: Vec<String> = by_folder.iter().map(|(folder, keys)| format!("[{folder}]\n{keys}")).collect();
        self.file("/etc/dconf/profile/user", "user-db:user\nsystem-db:local\n");
        self.file("/etc/dconf/db/local.d/50-greenroom", keyfile.join("\n"));
        self.command(&["dconf", "update"]);
    }
}
