//! Flatcar Container Linux: Ignition configs, version 3.4.0 of their specification.
//!
//! Ignition runs once, before the system starts, and has words for users, files and units only. Everything else becomes a
//! file that systemd or another tool reads, or a line of one script that a unit runs once. An ephemeral persona is one
//! config, `config.ign`. A destructive one is two: `config.ign` makes the system in memory install itself
//! ([`install`]), and `installed.ign` is what the installed system reads at its first start.
//!
//! `/usr` cannot be written and there is no package manager; what would need either is refused.

mod install;
mod network;
mod refuse;
mod unit;

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::{
    model::Effect,
    persona::{
        Persona,
        intent::Intent,
        schema::{File, Filesystem, User},
    },
};

use super::{Subject, merge, report};

pub(super) use refuse::refuses;

/// Where our scripts lie: `/usr/local` cannot be written.
const FOLDER: &str = "/opt/greenroom";

/// The version of the specification.
const VERSION: &str = "3.4.0";

/// What the netbooted system reads.
pub(super) fn config(persona: &Persona, subject: &Subject<'_>) -> String {
    match persona.effect() {
        Effect::Ephemeral => written(&system(persona, subject)),
        Effect::Destructive => written(&install::config(persona, subject)),
    }
}

/// What the installed system reads at its first start.
pub(super) fn installed(persona: &Persona, subject: &Subject<'_>) -> String {
    let mut config = system(persona, subject);
    let Some(install) = &persona.os.install else { return written(&config) };
    if install.filesystem != Filesystem::Ext4 {
        // The image's root is ext4; its partition is known by this label, and may be formatted anew at the first start.
        let root = json!({
            "device": "/dev/disk/by-partlabel/ROOT",
            "format": install.filesystem.name(),
            "label": "ROOT",
            "wipeFilesystem": true,
        });
        merge(&mut config, &object(json!({ "storage": { "filesystems": [root] } })));
    }
    if !persona.kernel_args().is_empty() {
        let arguments = json!({ "kernelArguments": { "shouldExist": persona.kernel_args() } });
        merge(&mut config, &object(arguments));
    }
    written(&config)
}

fn written(config: &Map<String, Value>) -> String {
    let text = serde_json::to_string_pretty(config).expect("a map with text keys is JSON");
    format!("{text}\n")
}

/// The persona itself.
fn system(persona: &Persona, subject: &Subject<'_>) -> Map<String, Value> {
    let intent = Intent::of(persona);
    let mut files: Vec<Value> = persona.apps.files.iter().map(own_file).collect();
    files.push(root_file("/etc/hostname", &format!("{}\n", subject.hostname(persona)), 0o644));
    files.extend(intent.files.iter().map(|file| root_file(&file.path, &file.content, file.mode)));
    files.extend(sudoers(persona));
    files.extend(settings(persona));
    files.extend(network::files(persona, subject));
    let commands = unit::once(persona, &intent);
    files.extend(commands.iter().map(|script| root_file(&unit::once_path(), script, 0o700)));
    let report = report::Way::flatcar(commands.is_some());
    files.push(root_file(report.path(), &report::script(persona, subject, report), 0o700));
    // Ignition refuses a path that is listed twice. The persona's own files come first, and win.
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(file["path"].to_string()));
    let mut storage = object(json!({ "files": files }));
    if let Some(zone) = &persona.preferences.timezone {
        let link =
            json!({ "path": "/etc/localtime", "target": format!("../usr/share/zoneinfo/{zone}"), "overwrite": true });
        storage.insert("links".into(), json!([link]));
    }
    let mut config = object(json!({
        "ignition": header(persona),
        "storage": storage,
        "systemd": { "units": unit::all(persona, &intent, report) },
    }));
    let passwd = passwd(persona);
    if !passwd.is_empty() {
        config.insert("passwd".into(), Value::Object(passwd));
    }
    config
}

/// The version, and what an admin wrote in Ignition's own words: a config that Ignition itself merges into this one, entry
/// by entry, and that wins.
fn header(persona: &Persona) -> Value {
    let mut own = object(json!({ "ignition": { "version": VERSION } }));
    if persona.raw.ignition.is_empty() {
        return json!({ "version": VERSION });
    }
    merge(&mut own, &persona.raw.ignition);
    json!({ "version": VERSION, "config": { "merge": [{ "source": data_url(&written(&own)) }] } })
}

fn passwd(persona: &Persona) -> Map<String, Value> {
    let user = |user: &User| {
        let mut entry = object(json!({ "name": user.name, "shell": persona.shell_of(user) }));
        let mut set = |key: &str, value: Value| drop(entry.insert(key.to_owned(), value));
        if !user.full_name.is_empty() {
            set("gecos", json!(user.full_name));
        }
        if let Some(uid) = user.uid {
            set("uid", json!(uid));
        }
        if !user.groups.is_empty() {
            set("groups", json!(user.groups));
        }
        if !user.ssh_keys.is_empty() {
            set("sshAuthorizedKeys", json!(user.ssh_keys));
        }
        if let Some(hash) = &user.password_hash {
            set("passwordHash", json!(hash));
        }
        entry
    };
    let mut passwd = Map::new();
    let users: Vec<_> = persona.security.users.iter().map(user).collect();
    if !users.is_empty() {
        passwd.insert("users".into(), json!(users));
    }
    let groups = persona.security.groups.iter().map(|group| match group.gid {
        Some(gid) => json!({ "name": group.name, "gid": gid }),
        None => json!({ "name": group.name }),
    });
    let groups: Vec<_> = groups.collect();
    if !groups.is_empty() {
        passwd.insert("groups".into(), json!(groups));
    }
    passwd
}

/// One file for each who may become root; the intent holds those who may run some commands.
fn sudoers(persona: &Persona) -> impl Iterator<Item = Value> {
    let administrators = persona.security.users.iter().filter(|user| user.sudo);
    administrators.map(|user| {
        let path = format!("/etc/sudoers.d/50-greenroom-{}", user.name);
        root_file(&path, &format!("{} ALL=(ALL) NOPASSWD:ALL\n", user.name), 0o440)
    })
}

/// Settings that other systems have commands for.
fn settings(persona: &Persona) -> Vec<Value> {
    let mut files = vec![];
    if let Some(locale) = &persona.preferences.locale {
        files.push(root_file("/etc/locale.conf", &format!("LANG={locale}\n"), 0o644));
    }
    if !persona.network.ntp.is_empty() {
        let text = format!("[Time]\nNTP={}\n", persona.network.ntp.join(" "));
        files.push(root_file("/etc/systemd/timesyncd.conf.d/50-greenroom.conf", &text, 0o644));
    }
    files
}

/// A file as the persona has it. The owner may be one of its users: Ignition makes those first.
fn own_file(file: &File) -> Value {
    let mode = u32::from_str_radix(&file.mode, 8).unwrap_or(0o644);
    let mut written = written_file(&file.path, &file.content, mode);
    let (user, group) = file.owner.split_once(':').unwrap_or((&file.owner, ""));
    for (key, name) in [("user", user), ("group", group)] {
        if !name.is_empty() && name != "root" {
            written.insert(key.to_owned(), json!({ "name": name }));
        }
    }
    Value::Object(written)
}

fn root_file(path: &str, content: &str, mode: u32) -> Value {
    Value::Object(written_file(path, content, mode))
}

/// `overwrite` also replaces what Flatcar has as a link into `/usr`.
fn written_file(path: &str, content: &str, mode: u32) -> Map<String, Value> {
    let contents = json!({ "source": data_url(content) });
    object(json!({ "path": path, "mode": mode, "overwrite": true, "contents": contents }))
}

fn data_url(content: &str) -> String {
    format!("data:;base64,{}", STANDARD.encode(content))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
