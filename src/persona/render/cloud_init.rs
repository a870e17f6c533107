//! cloud-init's NoCloud files (version 22.4 and later: Debian 12's).
//!
//! Everything is built as values and written as YAML in one go, so that no text of a persona can change the structure.

use serde_json::{Map, Value, json};

use crate::{
    document::yaml,
    model::Effect,
    persona::{
        Persona,
        intent::Intent,
        schema::{Distribution, Family, Repository, User},
    },
};

use super::{Refused, Subject, merge, report, shell_word};

/// What a live system cannot be told.
pub(super) fn refuses(persona: &Persona) -> Vec<Refused> {
    let mut refused = refuses_everywhere(persona);
    if persona.security.encryption.is_some() {
        let why = "a live system has no disk of its own that could be encrypted";
        refused.push(Refused::new(
            "security.encryption",
            why,
            "remove it, or say `effect: destructive` and `os.install`",
        ));
    }
    refused
}

/// What no cloud-config says, whether it is read by a live system or by an installed one.
pub(super) fn refuses_everywhere(persona: &Persona) -> Vec<Refused> {
    let users = persona.security.users.iter().enumerate();
    let with_secret = users.filter(|(_, user)| user.password_secret.is_some());
    let refused = with_secret.map(|(at, user)| {
        let why = format!("the password of `{}` would lie in the seed in plain text", user.name);
        let help = "give `password_hash`: Linux needs no more than the hash (`mkpasswd -m yescrypt`)";
        Refused::new(format!("security.users.{at}.password_secret"), why, help)
    });
    refused.collect()
}

/// `meta-data`: who this is.
pub(super) fn meta_data(persona: &Persona, subject: &Subject<'_>) -> String {
    yaml::to_string(&json!({
        "instance-id": format!("greenroom-{}", subject.boot),
        "local-hostname": subject.hostname(persona),
    }))
}

/// `vendor-data`: nothing, but asked for.
pub(super) fn vendor_data(subject: &Subject<'_>) -> String {
    format!("#cloud-config\n# Greenroom says everything in user-data (boot {}).\n{{}}\n", subject.boot)
}

/// `user-data`: everything else.
pub(super) fn user_data(persona: &Persona, subject: &Subject<'_>) -> String {
    let config = cloud_config(persona, subject);
    format!("#cloud-config\n# Rendered by Greenroom from persona {}.\n{}", subject.persona, yaml::to_string(&config))
}

/// The cloud-config that every system reads in the end, whatever installed it.
pub(super) fn cloud_config(persona: &Persona, subject: &Subject<'_>) -> Map<String, Value> {
    let intent = Intent::of(persona);
    let mut config = Map::new();
    let mut set = |key: &str, value: Value| drop(config.insert(key.to_owned(), value));
    set("hostname", json!(subject.hostname(persona)));
    set("preserve_hostname", json!(false));
    set("manage_etc_hosts", json!("localhost"));
    set("users", users(persona));
    set("ssh_pwauth", json!(persona.security.ssh.password_login));
    set("disable_root", json!(!persona.security.ssh.root_login));
    if let Some(locale) = &persona.preferences.locale {
        set("locale", json!(locale));
    }
    if let Some(zone) = &persona.preferences.timezone {
        set("timezone", json!(zone));
    }
    if !persona.network.ntp.is_empty() {
        set("ntp", json!({ "enabled": true, "servers": persona.network.ntp }));
    }
    let packages = packages(persona, &intent);
    if !packages.is_empty() {
        set("package_update", json!(true));
        set("packages", json!(packages));
    }
    if let Some((key, sources)) = repositories(persona) {
        set(key, sources);
    }
    let before = before_anything(persona, subject);
    if !before.is_empty() {
        set("bootcmd", json!(before));
    }
    if persona.effect() == Effect::Ephemeral {
        // There is no disk to grow into: both modules would only complain.
        set("growpart", json!({ "mode": "off" }));
        set("resize_rootfs", json!(false));
    }
    set("write_files", json!(files(persona, &intent, subject)));
    set("runcmd", json!(commands(persona, &intent)));
    merge(&mut config, &persona.raw.cloud_init);
    config
}

fn users(persona: &Persona) -> Value {
    let user = |user: &User| {
        let mut entry = json!({
            "name": user.name,
            "shell": persona.shell_of(user),
            "lock_passwd": user.password_hash.is_none(),
        });
        let mut set = |key: &str, value: Value| drop(entry.as_object_mut().map(|map| map.insert(key.into(), value)));
        if !user.full_name.is_empty() {
            set("gecos", json!(user.full_name));
        }
        if let Some(uid) = user.uid {
            set("uid", json!(uid));
        }
        if !user.groups.is_empty() {
            set("groups", json!(user.groups.join(",")));
        }
        if !user.ssh_keys.is_empty() {
            set("ssh_authorized_keys", json!(user.ssh_keys));
        }
        if user.sudo {
            set("sudo", json!("ALL=(ALL) NOPASSWD:ALL"));
        }
        if let Some(hash) = &user.password_hash {
            set("passwd", json!(hash));
        }
        entry
    };
    match persona.security.users.as_slice() {
        // An empty list is no list to cloud-init, and without one it makes a user of its own, who may become root. Root is
        // there already, and is left as it is.
        [] => json!([{ "name": "root", "lock_passwd": false }]),
        users => Value::Array(users.iter().map(user).collect()),
    }
}

fn packages(persona: &Persona, intent: &Intent) -> Vec<String> {
    let mut packages: Vec<String> = persona.packages().map(str::to_owned).collect();
    for package in &intent.packages {
        if !packages.contains(package) {
            packages.push(package.clone());
        }
    }
    packages
}

/// Repositories, under the key of the package manager.
fn repositories(persona: &Persona) -> Option<(&'static str, Value)> {
    let apt = |repository: &Repository| {
        let suite = repository.suite.as_deref().unwrap_or("/");
        let line = format!("deb {} {suite} {}", repository.uri, repository.components.join(" "));
        (repository.name.clone(), json!({ "source": line.trim_end(), "key": repository.key }))
    };
    let yum = |repository: &Repository| {
        let settings = json!({
            "name": repository.name,
            "baseurl": repository.uri,
            "enabled": true,
            "gpgcheck": true,
            "gpgkey": format!("file://{}", key_path(repository)),
        });
        (repository.name.clone(), settings)
    };
    let repositories = persona.apps.repositories.iter();
    match persona.os.distribution().family() {
        _ if persona.apps.repositories.is_empty() => None,
        Family::Redhat => Some(("yum_repos", Value::Object(repositories.map(yum).collect()))),
        _ => Some(("apt", json!({ "sources": repositories.map(apt).collect::<Map<_, _>>() }))),
    }
}

/// Where the key of a DNF repository lies.
fn key_path(repository: &Repository) -> String {
    format!("/etc/pki/rpm-gpg/RPM-GPG-KEY-{}", repository.name)
}

/// Commands that run at every start before anything else does; each of these only once.
fn before_anything(persona: &Persona, subject: &Subject<'_>) -> Vec<Value> {
    let mut commands: Vec<Value> = use_mirror(persona, subject).into_iter().collect();
    // Users are put into groups before any other command runs; cloud-init's own `groups` knows no numbers.
    for group in &persona.security.groups {
        let number = group.gid.map_or(String::new(), |gid| format!(" --gid {gid}"));
        let name = shell_word(&group.name);
        let script = format!("getent group {name} >/dev/null || groupadd{number} {name}");
        let once = format!("greenroom-group-{}", group.name);
        commands.push(json!(["cloud-init-per", "once", once, "sh", "-c", script]));
    }
    commands
}

/// Points APT to the site's mirror, before anything asks it for packages. cloud-init's own way (`apt: sources_list`) does
/// not work on Debian, whose `cloud.cfg` says `apt_preserve_sources_list: true` and cannot be contradicted from a seed.
fn use_mirror(persona: &Persona, subject: &Subject<'_>) -> Option<Value> {
    let debian = persona.os.distribution() == Distribution::Debian;
    let mirror = subject.mirrors.debian.as_ref().filter(|_| debian)?;
    let security = subject.mirrors.debian_security.as_ref();
    let lines = [format!("deb {mirror} $VERSION_CODENAME main")]
        .into_iter()
        .chain(security.map(|security| format!("deb {security} $VERSION_CODENAME-security main")));
    let lines: Vec<String> = lines.map(|line| format!("echo \"{line}\"")).collect();
    let script = format!(
        ". /etc/os-release && {{ {}; }} > /etc/apt/sources.list && rm -f /etc/apt/sources.list.d/debian.sources",
        lines.join("; ")
    );
    Some(json!(["cloud-init-per", "once", "greenroom-mirror", "sh", "-c", script]))
}

fn files(persona: &Persona, intent: &Intent, subject: &Subject<'_>) -> Vec<Value> {
    let plain = |path: &str, content: &str, mode: u32| json!({ "path": path, "content": content, "permissions": format!("{mode:04o}"), "owner": "root:root" });
    // Owners may be users of the persona, who exist only when cloud-init's last files are written.
    let own = persona.apps.files.iter().map(|file| {
        json!({
            "path": file.path,
            "content": file.content,
            "permissions": file.mode,
            "owner": file.owner,
            "defer": true,
        })
    });
    let mut files: Vec<Value> = own.collect();
    let family = persona.os.distribution().family();
    if let Some(locale) = persona.preferences.locale.as_ref().filter(|_| family == Family::Debian) {
        // Debian's locale-gen makes what this file lists; cloud-init 22.4 hands it an argument, as Ubuntu's would take.
        let line = format!("{locale} UTF-8\n");
        files.push(json!({ "path": "/etc/locale.gen", "content": line, "append": true }));
    }
    if family == Family::Redhat {
        let keys = persona.apps.repositories.iter();
        files.extend(keys.map(|repository| plain(&key_path(repository), &repository.key, 0o644)));
    }
    let way = report::Way::CloudInit;
    files.extend(intent.files.iter().map(|file| plain(&file.path, &file.content, file.mode)));
    files.push(plain(way.path(), &report::script(persona, subject, way), 0o700));
    files.push(plain(&format!("/etc/systemd/system/{}", report::UNIT), &report::unit(way, &[]), 0o644));
    files
}

fn commands(persona: &Persona, intent: &Intent) -> Vec<Value> {
    let mut commands = vec![json!(["systemctl", "daemon-reload"])];
    let services = &persona.apps.services;
    let mask = intent.mask.iter().chain(&services.mask);
    commands.extend(mask.map(|unit| json!(["systemctl", "mask", "--now", unit])));
    commands.extend(intent.commands.iter().map(|words| json!(words)));
    let enable = intent.enable.iter().chain(&services.enable);
    commands.extend(enable.map(|unit| json!(["systemctl", "enable", "--now", unit])));
    commands.extend(persona.apps.commands.iter().map(|command| json!(["sh", "-c", command])));
    commands.push(json!(["systemctl", "start", "--no-block", report::UNIT]));
    commands
}
