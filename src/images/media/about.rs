//! What media say of themselves, in the words of those who make them.

use crate::model::Arch;

/// What is known of a release.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct About {
    /// `Ubuntu-Server 24.04.1 LTS`.
    pub(super) name: String,
    /// `24.04.1`.
    pub(super) version: Option<String>,
    /// `Noble Numbat`.
    pub(super) codename: Option<String>,
    pub(super) arch: Option<Arch>,
}

/// Reads Debian's and Ubuntu's `.disk/info`: `Ubuntu-Server 24.04.1 LTS "Noble Numbat" - Release amd64 (20240827)`.
pub(super) fn disk_info(text: &str) -> About {
    let line = text.lines().next().unwrap_or_default();
    let mut quotes = line.split('"');
    let name = quotes.next().unwrap_or_default().split(" - ").next().unwrap_or_default().trim();
    About {
        name: name.to_owned(),
        version: version_in(line),
        codename: quotes.next().map(str::to_owned),
        arch: arch_in(line),
    }
}

/// Reads the `[general]` of a `.treeinfo`, as Fedora's kin have it, or the `[release]` of newer ones.
pub(super) fn treeinfo(text: &str) -> About {
    let mut section = "";
    let mut about = About::default();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim();
        match (section, key.trim()) {
            ("general", "family") | ("release", "name") if about.name.is_empty() => about.name = value.to_owned(),
            ("general" | "release", "version") => {
                about.version = Some(value.to_owned()).filter(|version| is_version(version))
            }
            ("general" | "tree", "arch") => about.arch = arch_in(value),
            _ => {}
        }
    }
    about
}

/// The first word that is a version: digits and dots.
pub(super) fn version_in(text: &str) -> Option<String> {
    let mut words = text.split(|c: char| c.is_whitespace() || "-_\"".contains(c));
    words.find(|word| is_version(word)).map(str::to_owned)
}

fn is_version(word: &str) -> bool {
    // A date has eight digits and no dots.
    let parts: Vec<&str> = word.split('.').collect();
    word.len() <= 16
        && (parts.len() > 1 || word.len() <= 4)
        && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// The architecture that a text names.
pub(super) fn arch_in(text: &str) -> Option<Arch> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.map(str::to_ascii_lowercase).find_map(|word| arch_of(&word))
}

/// The architecture that distributions call so.
pub(super) fn arch_of(name: &str) -> Option<Arch> {
    match name {
        "amd64" | "x86_64" | "x64" => Some(Arch::X64),
        "arm64" | "aarch64" => Some(Arch::Arm64),
        "i386" | "i486" | "i586" | "i686" | "x86" => Some(Arch::Ia32),
        "armhf" | "armv7" => Some(Arch::Arm32),
        "riscv64" => Some(Arch::Riscv64),
        "loong64" | "loongarch64" => Some(Arch::Loong64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_and_ubuntu_say_it_in_one_line() {
        let about = disk_info("Ubuntu-Server 24.04.1 LTS \"Noble Numbat\" - Release amd64 (20240827)");
        assert_eq!((about.name.as_str(), about.version.as_deref()), ("Ubuntu-Server 24.04.1 LTS", Some("24.04.1")));
        assert_eq!((about.codename.as_deref(), about.arch), (Some("Noble Numbat"), Some(Arch::X64)));
        let about =
            disk_info("Debian GNU/Linux 12.7.0 \"Bookworm\" - Official arm64 NETINST with firmware 20240831-10:38");
        assert_eq!((about.version.as_deref(), about.arch), (Some("12.7.0"), Some(Arch::Arm64)));
        let about = disk_info("Official Debian GNU/Linux Live 12.7.0 gnome 2024-08-31T09:56");
        assert_eq!((about.version.as_deref(), about.arch), (Some("12.7.0"), None));
        assert_eq!(disk_info(""), About::default());
    }

    #[test]
    fn fedora_s_kin_say_it_in_sections() {
        let text = "[header]\nversion = 1.2\n\n[release]\nname = Rocky Linux\nversion = 9.3\n[general]\n; old\narch = x86_64\n\
                    family = Rocky Linux\nname = Rocky Linux 9.3\nversion = 9.3\n[stage2]\nmainimage = images/install.img\n";
        let about = treeinfo(text);
        assert_eq!((about.name.as_str(), about.version.as_deref()), ("Rocky Linux", Some("9.3")));
        assert_eq!(about.arch, Some(Arch::X64));
        assert_eq!(treeinfo("[release]\nversion = Rawhide\nname=Fedora\n").version, None);
    }
}
