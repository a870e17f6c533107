//! Packages, repositories, snaps, Flatpaks and services.

use crate::{
    document::Check,
    persona::{
        Persona,
        known::{did_you_mean, nearest},
        schema::{Family, Manager, Repository},
    },
};

use super::{
    brief, listed, once,
    shape::{has_unit_kind, is_login, is_unit, is_web},
};

/// Units that people enable by a short name, for the help line.
const COMMON_UNITS: [&str; 8] = [
    "ssh.service",
    "sshd.service",
    "docker.service",
    "nginx.service",
    "cron.service",
    "fstrim.timer",
    "podman.socket",
    "cockpit.socket",
];

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    packages(check, persona);
    repositories(check, persona);
    stores(check, persona);
    services(check, persona);
}

fn packages(check: &mut Check<'_>, persona: &Persona) {
    let packages = &persona.apps.packages;
    let distribution = persona.os.distribution();
    let own = distribution.manager();
    let bare = packages.by_manager().all(|(list, names)| list == "native" || names.is_empty());
    for (list, names) in packages.by_manager() {
        let path = if list == "native" && bare { "apps.packages".to_owned() } else { format!("apps.packages.{list}") };
        let manager = match list {
            "apt" => Some(Manager::Apt),
            "dnf" => Some(Manager::Dnf),
            "winget" => Some(Manager::Winget),
            _ => own,
        };
        for (path, name) in listed(&path, names) {
            let (fits, help) = match manager {
                Some(Manager::Dnf) => (is_rpm(name), "letters, digits, `+`, `-`, `.`, `_`; a group begins with `@`"),
                Some(Manager::Winget) => (is_winget(name), "write winget's identifier: `Mozilla.Firefox`"),
                _ => (is_deb(name), "Debian's package names are lower-case letters, digits, `+`, `-` and `.`"),
            };
            check.require(fits, "GR020", &path, format!("`{}` is no package name", brief(name)), help);
        }
        once(check, listed(&path, names));
    }
    // A fragment may speak to several package managers. Only when all of them are somebody else's does nothing arrive.
    let for_others = !packages.is_empty() && persona.packages().next().is_none();
    let message = match own {
        Some(own) => format!("{distribution} has {}: none of these packages reaches it", own.name()),
        None => String::new(),
    };
    let help = format!("list them under `{}`, by the names that it has there", own.map_or("native", Manager::name));
    check.require(own.is_none() || !for_others, "GR028", "apps.packages", message, &help);
    let asked = [("packages", packages.is_empty()), ("repositories", persona.apps.repositories.is_empty())];
    for (field, empty) in asked {
        let message = format!("{distribution} has no package manager");
        let help = "use `containers`, or put it into the image";
        check.require(own.is_some() || empty, "GR029", &format!("apps.{field}"), message, help);
    }
}

fn is_deb(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.len() >= 2 && name.bytes().next().is_some_and(plain) && name.bytes().all(|b| plain(b) || b"+-.".contains(&b))
}

fn is_rpm(name: &str) -> bool {
    let name = name.strip_prefix('@').unwrap_or(name);
    name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b))
}

fn is_winget(name: &str) -> bool {
    name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b))
}

fn repositories(check: &mut Check<'_>, persona: &Persona) {
    let repositories = &persona.apps.repositories;
    for (at, repository) in repositories.iter().enumerate() {
        let at = format!("apps.repositories.{at}");
        let Repository { name, uri, key, .. } = repository;
        let message = format!("`{}` cannot name a file", brief(name));
        check.require(is_login(name), "GR023", &format!("{at}.name"), message, "use lower-case letters");
        let help = "paste the armoured public key; unsigned repositories are not supported";
        let signed = key.contains("BEGIN PGP PUBLIC KEY BLOCK");
        let message = format!("this is no public key: it begins with `{}`", brief(key.lines().next().unwrap_or("")));
        check.require(signed, "GR024", &format!("{at}.key"), message, help);
        let message = format!("`{}` is no http(s) URL", brief(uri));
        check.require(is_web(uri), "GR025", &format!("{at}.uri"), message, "write https://host/path");
        let manager = persona.os.distribution().manager();
        if let Some((field, message, help)) = manager.and_then(|manager| misfit(repository, manager)) {
            check.require(false, "GR074", &format!("{at}.{field}"), message, help);
        }
    }
    let names = repositories.iter().enumerate().map(|(at, repo)| (format!("apps.repositories.{at}.name"), &repo.name));
    once(check, names);
}

/// What of a repository its package manager has no use for, or misses.
fn misfit(repository: &Repository, manager: Manager) -> Option<(&'static str, String, &'static str)> {
    let name = brief(&repository.name);
    match (manager, &repository.suite) {
        (Manager::Apt, None) => {
            Some(("name", format!("APT's repository `{name}` has no suite"), "add `suite:`, as `bookworm` or `stable`"))
        }
        (Manager::Apt, Some(suite)) if repository.components.is_empty() && !suite.ends_with('/') => {
            Some(("suite", format!("the suite `{}` has no components", brief(suite)), "add `components: [main]`"))
        }
        (Manager::Dnf, Some(suite)) => {
            Some(("suite", format!("DNF knows no suites: `{}`", brief(suite)), "put it into the `uri`"))
        }
        (Manager::Dnf, None) if !repository.components.is_empty() => {
            Some(("components", format!("DNF knows no components: `{name}`"), "put them into the `uri`"))
        }
        (Manager::Winget, _) => Some(("name", format!("winget has no use for `{name}`"), "remove it")),
        _ => None,
    }
}

/// Snaps, Flatpaks and containers need what runs them.
fn stores(check: &mut Check<'_>, persona: &Persona) {
    let apps = &persona.apps;
    let distribution = persona.os.distribution();
    let family = distribution.family();
    let debian_or_redhat = matches!(family, Family::Debian | Family::Redhat);
    let wanted = [
        ("snaps", apps.snaps.is_empty(), family == Family::Debian),
        ("flatpaks", apps.flatpaks.is_empty(), debian_or_redhat),
        ("containers", apps.containers.is_empty(), debian_or_redhat || family == Family::Flatcar),
    ];
    for (field, none, runs) in wanted {
        let message = format!("{distribution} does not run {field}");
        let help = match (family, field) {
            (Family::Redhat, _) => "its own repositories have no snapd: use `flatpaks` or `packages`",
            (Family::Flatcar, _) => "use `containers`",
            _ => "remove them",
        };
        check.require(none || runs, "GR056", &format!("apps.{field}"), message, help);
    }
    for (at, snap) in apps.snaps.iter().enumerate() {
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        let named =
            plain(&snap.name) && snap.name.chars().any(|c| c.is_ascii_lowercase()) && !snap.name.starts_with('-');
        let channel = snap.channel.as_deref().unwrap_or("stable");
        let follows = (1..=3).contains(&channel.split('/').count())
            && channel.split('/').all(|part| !part.is_empty())
            && channel.chars().all(|c| c.is_ascii_alphanumeric() || "./_-".contains(c))
            && !channel.starts_with('-');
        let (field, value) = if named { ("channel", channel) } else { ("name", &*snap.name) };
        let message = format!("`{}` is no snap's {field}", brief(value));
        let help = "a name is lower-case letters, digits and `-`; a channel is `latest/stable`";
        check.require(named && follows, "GR081", &format!("apps.snaps.{at}.{field}"), message, help);
    }
    once(check, apps.snaps.iter().enumerate().map(|(at, snap)| (format!("apps.snaps.{at}.name"), &snap.name)));
    for (at, flatpak) in apps.flatpaks.iter().enumerate() {
        let part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        let named =
            flatpak.id.split('.').count() >= 3 && flatpak.id.split('.').all(part) && !flatpak.id.starts_with('-');
        let (field, value) = if named { ("remote", &flatpak.remote) } else { ("id", &flatpak.id) };
        let message = format!("`{}` is no Flatpak's {field}", brief(value));
        let help = "an id is `org.gimp.GIMP`; a remote is the URL of a `.flatpakrepo` file";
        check.require(named && is_web(&flatpak.remote), "GR082", &format!("apps.flatpaks.{at}.{field}"), message, help);
    }
    once(check, apps.flatpaks.iter().enumerate().map(|(at, flatpak)| (format!("apps.flatpaks.{at}.id"), &flatpak.id)));
}

fn services(check: &mut Check<'_>, persona: &Persona) {
    let services = &persona.apps.services;
    let systemd = !matches!(persona.os.distribution().family(), Family::Windows | Family::Other);
    for (list, units) in [("enable", &services.enable), ("mask", &services.mask)] {
        let path = format!("apps.services.{list}");
        for (path, unit) in listed(&path, units) {
            let message = format!("`{}` is no unit name", brief(unit));
            check.require(is_unit(unit), "GR026", &path, message, "write it as systemctl does");
            let meant = COMMON_UNITS.iter().copied().find(|known| known.split('.').next() == Some(unit));
            let meant = meant.or_else(|| nearest(unit, COMMON_UNITS.iter().copied()));
            let help = did_you_mean(meant, "add `.service`, or what kind of unit it is");
            let message = format!("`{}` does not say what kind of unit it is", brief(unit));
            check.warn(!systemd || !is_unit(unit) || has_unit_kind(unit), "GR080", &path, message, &help);
        }
        once(check, listed(&path, units));
    }
    for (path, both) in listed("apps.services.mask", &services.mask) {
        let decided = !services.enable.iter().any(|unit| unit == both);
        let message = format!("`{}` is both enabled and masked", brief(both));
        check.require(decided, "GR027", &path, message, "decide for one");
    }
}
