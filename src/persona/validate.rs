//! What must hold of a persona beyond its shape. Every rule has a code; every problem points to its line.

use std::{collections::BTreeSet, net::IpAddr};

use crate::{
    document::{Check, Document, Problem},
    model::Effect,
};

use super::{
    Persona,
    schema::{Family, User},
};

/// The users and groups of Debian's base-passwd: `useradd` refuses them.
const SYSTEM_NAMES: [&str; 44] = [
    "root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy", "www-data",
    "backup", "list", "irc", "gnats", "nobody", "adm", "tty", "disk", "kmem", "dialout", "fax", "voice", "cdrom",
    "floppy", "tape", "sudo", "audio", "dip", "operator", "src", "shadow", "utmp", "video", "sasl", "plugdev", "staff",
    "users", "nogroup", "input", "kvm", "render",
];

/// Every problem of one persona. `document` is what it was read from.
pub fn validate(persona: &Persona, document: &Document) -> Vec<Problem> {
    let mut check = Rules(Check::new(document));
    check.effect(persona);
    check.apps(persona);
    persona.security.users.iter().enumerate().for_each(|(at, user)| check.user(at, user));
    check.duplicates("security.users", persona.security.users.iter().map(|user| user.name.as_str()));
    check.network(persona);
    check.preferences(persona);
    check.0.problems
}

/// The rules by what they are about.
struct Rules<'a>(Check<'a>);

impl Rules<'_> {
    fn effect(&mut self, persona: &Persona) {
        match (&persona.os.install, persona.effect) {
            (None, Effect::Destructive) => self.0.require(
                false,
                "GR010",
                "os",
                "a destructive persona must say which disk it wipes",
                "add `install: {disk: /dev/disk/by-id/...}` under `os`",
            ),
            (Some(_), Effect::Ephemeral) => self.0.require(
                false,
                "GR011",
                "os.install",
                "an ephemeral persona installs nothing",
                "remove `os.install`, or say `effect: destructive`",
            ),
            (Some(install), Effect::Destructive) => {
                let path = install.disk.path.as_deref().unwrap_or_default();
                // Windows names disks in another way, and its renderer looks at that.
                let windows = persona.os.distribution().family() == Family::Windows;
                let plain = windows
                    || install.disk.path.is_none()
                    || path.strip_prefix("/dev/").is_some_and(|rest| {
                        !rest.is_empty() && !rest.contains("..") && rest.chars().all(|c| c.is_ascii_graphic())
                    });
                let help = "write /dev/disk/by-id/... (best: it names one disk for ever) or /dev/nvme0n1";
                self.0.require(plain, "GR012", "os.install.disk", "this is no path of a disk", help);
            }
            (None, Effect::Ephemeral) => {}
        }
        for (at, arg) in persona.os.kernel_args.iter().enumerate() {
            let one_word = !arg.is_empty() && !arg.contains(char::is_whitespace);
            let path = format!("os.kernel_args.{at}");
            self.0.require(one_word, "GR013", &path, "a kernel argument is one word", "write one list item for each");
        }
    }

    fn apps(&mut self, persona: &Persona) {
        let apps = &persona.apps;
        for (at, package) in apps.packages.native.iter().enumerate() {
            let path = format!("apps.packages.{at}");
            let help = "Debian's package names are lower-case letters, digits, `+`, `-` and `.`";
            // winget's identifiers are of another kind.
            let plain = is_package(package) || persona.os.distribution().family() == Family::Windows;
            self.0.require(plain, "GR020", &path, format!("`{package}` is no package name"), help);
        }
        self.duplicates("apps.packages", apps.packages.native.iter().map(String::as_str));
        for (at, file) in apps.files.iter().enumerate() {
            let octal = file.mode.len() == 4 && file.mode.bytes().all(|b| (b'0'..=b'7').contains(&b));
            let windows = persona.os.distribution().family() == Family::Windows;
            let absolute = windows || file.path.starts_with('/') && !file.path.contains("..");
            self.0.require(absolute, "GR021", &format!("apps.files.{at}.path"), "this is no absolute path", "");
            let help = "write the permissions as four octal digits in quotes: \"0644\"";
            self.0.require(octal, "GR022", &format!("apps.files.{at}.mode"), "these are no permissions", help);
        }
        for (at, repository) in apps.repositories.iter().enumerate() {
            let at = format!("apps.repositories.{at}");
            let named = is_login(&repository.name);
            self.0.require(named, "GR023", &format!("{at}.name"), "this cannot name a file", "use lower-case letters");
            let signed = repository.key.contains("BEGIN PGP PUBLIC KEY BLOCK");
            let help = "paste the armoured public key; unsigned repositories are not supported";
            self.0.require(signed, "GR024", &format!("{at}.key"), "this is no public key", help);
            let web = repository.uri.starts_with("http://") || repository.uri.starts_with("https://");
            self.0.require(web, "GR025", &format!("{at}.uri"), "this is no http(s) URL", "");
        }
        let units = [("enable", &apps.services.enable), ("mask", &apps.services.mask)];
        for (list, unit) in units.iter().flat_map(|(list, units)| units.iter().map(move |unit| (list, unit))) {
            let plain = !unit.is_empty() && unit.chars().all(|c| c.is_ascii_alphanumeric() || "@._:-\\".contains(c));
            let path = format!("apps.services.{list}");
            self.0.require(plain, "GR026", &path, format!("`{unit}` is no unit name"), "write it as systemctl does");
        }
        if let Some(both) = apps.services.enable.iter().find(|unit| apps.services.mask.contains(unit)) {
            let message = format!("`{both}` is both enabled and masked");
            self.0.require(false, "GR027", "apps.services", message, "decide for one");
        }
    }

    fn user(&mut self, at: usize, user: &User) {
        let path = |field: &str| format!("security.users.{at}.{field}");
        let help = "lower-case letters, digits, `-` and `_`, at most 32, beginning with a letter";
        self.0.require(
            is_login(&user.name),
            "GR030",
            &path("name"),
            format!("`{}` cannot be a login", user.name),
            help,
        );
        let free = !SYSTEM_NAMES.contains(&user.name.as_str());
        let message = format!("`{}` is a user or group of every Debian system", user.name);
        self.0.require(free, "GR036", &path("name"), message, "choose another login: adding this one would fail");
        if let Some(hash) = &user.password_hash {
            let help = "make one with `mkpasswd -m yescrypt`; Greenroom keeps no passwords";
            let hashed = hash.starts_with('$') && hash.matches('$').count() >= 3 && !hash.contains([':', '\n', ' ']);
            self.0.require(hashed, "GR031", &path("password_hash"), "this is no crypt(5) hash", help);
        }
        for (key, text) in user.ssh_keys.iter().enumerate() {
            let kinds = ["ssh-ed25519 ", "ssh-rsa ", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"];
            let public = kinds.iter().any(|kind| text.starts_with(kind)) && !text.contains('\n');
            let help = "paste one line of an `id_ed25519.pub`";
            self.0.require(public, "GR032", &path(&format!("ssh_keys.{key}")), "this is no public SSH key", help);
        }
        for group in &user.groups {
            self.0.require(is_login(group), "GR033", &path("groups"), format!("`{group}` cannot be a group"), help);
        }
        let shell =
            user.shell.as_ref().is_none_or(|shell| shell.starts_with('/') && !shell.contains(char::is_whitespace));
        self.0.require(shell, "GR034", &path("shell"), "a shell is an absolute path", "");
        // cloud-init writes the name into one field of /etc/passwd.
        let full_name = !user.full_name.contains([':', ',', '\n']);
        self.0.require(full_name, "GR035", &path("full_name"), "`:` and `,` cannot stand in a full name", "");
    }

    fn network(&mut self, persona: &Persona) {
        if let Some(hostname) = &persona.network.hostname {
            let filled = hostname.replace("{{mac}}", "000000").replace("{{serial}}", "x");
            let label = |label: &str| {
                (1..=63).contains(&label.len())
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            };
            let help = "lower-case letters, digits and `-`; `{{mac}}` and `{{serial}}` are filled in";
            let fits = filled.len() <= 200 && filled.split('.').all(label);
            self.0.require(fits, "GR040", "network.hostname", "this cannot be a host name", help);
        }
        for (at, interface) in persona.network.interfaces.iter().enumerate() {
            let path = format!("network.interfaces.{at}");
            let matched = interface.mac.is_some() || interface.name.is_some();
            self.0.require(matched, "GR041", &path, "which interface is meant?", "give its `mac` or its `name`");
            if let Some((ip, gateway)) = interface.ip.as_ref().and_then(|ip| Some((ip, IpAddr::V4(ip.gateway?)))) {
                let reachable = ip.addresses.iter().any(|net| net.contains(&gateway) && net.addr() != gateway);
                let help = "a gateway is another address of the interface's own subnet";
                self.0.require(
                    reachable,
                    "GR042",
                    &format!("{path}.ip.gateway"),
                    "this gateway cannot be reached",
                    help,
                );
            }
            if let Some(name) = &interface.name {
                let plain = (1..=15).contains(&name.len())
                    && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
                self.0.require(plain, "GR043", &format!("{path}.name"), "this cannot name an interface", "");
            }
        }
    }

    fn preferences(&mut self, persona: &Persona) {
        let preferences = &persona.preferences;
        if let Some(locale) = &preferences.locale {
            let (language, charset) = locale.split_once('.').unwrap_or((locale, ""));
            let known = language == "C" || (language.len() >= 5 && language.as_bytes()[2] == b'_');
            let plain = language.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '@');
            let help = "write it as `locale -a` does, in UTF-8: de_DE.UTF-8";
            self.0.require(
                known && plain && charset == "UTF-8",
                "GR050",
                "preferences.locale",
                "this is no locale",
                help,
            );
        }
        if let Some(zone) = &preferences.timezone {
            let plain = zone.chars().all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c));
            let known =
                plain && (zone.contains('/') || zone == "UTC") && !zone.starts_with('/') && !zone.ends_with('/');
            let help = "write it as in /usr/share/zoneinfo: Europe/Berlin";
            self.0.require(known, "GR051", "preferences.timezone", "this is no time zone", help);
        }
        if let Some(layout) = &preferences.keyboard {
            let plain = (2..=10).contains(&layout.len()) && layout.bytes().all(|b| b.is_ascii_lowercase());
            self.0.require(plain, "GR052", "preferences.keyboard", "this is no keyboard layout", "write `us` or `de`");
        }
    }

    fn duplicates<'a>(&mut self, path: &str, names: impl Iterator<Item = &'a str>) {
        let mut seen = BTreeSet::new();
        for (at, name) in names.enumerate() {
            let first = seen.insert(name);
            self.0.require(
                first,
                "GR014",
                &format!("{path}.{at}"),
                format!("`{name}` stands here twice"),
                "remove one",
            );
        }
    }
}

fn is_package(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.len() >= 2 && name.bytes().next().is_some_and(plain) && name.bytes().all(|b| plain(b) || b"+-.".contains(&b))
}

fn is_login(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}
