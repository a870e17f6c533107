//! cloud-init's NoCloud files (version 22.4 and later: Debian 12's).
//!
//! Everything is built as values and written as YAML in one go, so that no text of a persona can change the structure.

use serde_json::{Map, Value, json};

use crate::{
    document::yaml,
    model::Effect,
    persona::{
        Persona,
        schema::{Interface, Repository, User},
    },
};

use super::{Subject, report};

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

/// `network-config`, version 2. Without interfaces of its own, a persona's device asks DHCP on every wired one.
pub(super) fn network_config(persona: &Persona, subject: &Subject<'_>) -> String {
    let network = &persona.network;
    let mut ethernets = Map::new();
    if network.interfaces.is_empty() {
        let port = json!({ "macaddress": subject.mac.to_string() });
        ethernets.insert("boot".into(), json!({ "match": port, "dhcp4": true }));
    }
    for (at, interface) in network.interfaces.iter().enumerate() {
        ethernets.insert(format!("port{at}"), ethernet(persona, interface));
    }
    yaml::to_string(&json!({ "version": 2, "ethernets": ethernets }))
}

fn ethernet(persona: &Persona, interface: &Interface) -> Value {
    let mut matched = Map::new();
    if let Some(mac) = interface.mac {
        matched.insert("macaddress".into(), json!(mac.to_string()));
    }
    if let Some(name) = &interface.name {
        matched.insert("name".into(), json!(name));
    }
    let mut settings = Map::from_iter([("match".to_owned(), Value::Object(matched))]);
    match interface.address {
        None => drop(settings.insert("dhcp4".into(), json!(true))),
        Some(address) => {
            settings.insert("addresses".into(), json!([address.to_string()]));
            if let Some(gateway) = interface.gateway {
                settings.insert("routes".into(), json!([{ "to": "0.0.0.0/0", "via": gateway.to_string() }]));
            }
        }
    }
    let names = json!({ "addresses": persona.network.dns, "search": persona.network.search });
    if !persona.network.dns.is_empty() || !persona.network.search.is_empty() {
        settings.insert("nameservers".into(), names);
    }
    Value::Object(settings)
}

/// `user-data`: everything else.
pub(super) fn user_data(persona: &Persona, subject: &Subject<'_>) -> String {
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
    let packages = packages(persona);
    if !packages.is_empty() {
        set("package_update", json!(true));
        set("packages", json!(packages));
    }
    if let Some(apt) = apt(persona) {
        set("apt", apt);
    }
    if let Some(command) = use_mirror(subject) {
        set("bootcmd", json!([command]));
    }
    if persona.effect() == Effect::Ephemeral {
        // There is no disk to grow into: both modules would only complain.
        set("growpart", json!({ "mode": "off" }));
        set("resize_rootfs", json!(false));
    }
    set("write_files", json!(files(persona, subject)));
    set("runcmd", json!(commands(persona)));
    format!("#cloud-config\n# Rendered by Greenroom from persona {}.\n{}", subject.persona, yaml::to_string(&config))
}

fn users(persona: &Persona) -> Value {
    let user = |user: &User| {
        let mut entry = json!({
            "name": user.name,
            "shell": user.shell,
            "lock_passwd": user.password_hash.is_none(),
        });
        let mut set = |key: &str, value: Value| drop(entry.as_object_mut().map(|map| map.insert(key.into(), value)));
        if !user.full_name.is_empty() {
            set("gecos", json!(user.full_name));
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
    Value::Array(persona.security.users.iter().map(user).collect())
}

fn packages(persona: &Persona) -> Vec<String> {
    let updates = persona.security.automatic_updates.then(|| "unattended-upgrades".to_owned());
    let mut packages: Vec<String> = persona.apps.packages.iter().cloned().chain(updates).collect();
    packages.dedup();
    packages
}

fn apt(persona: &Persona) -> Option<Value> {
    let source = |repository: &Repository| {
        let line = format!("deb {} {} {}", repository.uri, repository.suite, repository.components.join(" "));
        (repository.name.clone(), json!({ "source": line, "key": repository.key }))
    };
    let sources: Map<String, Value> = persona.apps.repositories.iter().map(source).collect();
    (!sources.is_empty()).then(|| json!({ "sources": sources }))
}

/// Points APT to the site's mirror, before anything asks it for packages. cloud-init's own way (`apt: sources_list`) does
/// not work on Debian, whose `cloud.cfg` says `apt_preserve_sources_list: true` and cannot be contradicted from a seed.
fn use_mirror(subject: &Subject<'_>) -> Option<Value> {
    let mirror = subject.mirrors.debian.as_ref()?;
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

fn files(persona: &Persona, subject: &Subject<'_>) -> Vec<Value> {
    let plain = |path: &str, content: String, mode: &str| json!({ "path": path, "content": content, "permissions": mode, "owner": "root:root" });
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
    if let Some(locale) = &persona.preferences.locale {
        // Debian's locale-gen makes what this file lists; cloud-init 22.4 hands it an argument, as Ubuntu's would take.
        let line = format!("{locale} UTF-8\n");
        files.push(json!({ "path": "/etc/locale.gen", "content": line, "append": true }));
    }
    if let Some(layout) = &persona.preferences.keyboard {
        let keyboard = format!("XKBMODEL=\"pc105\"\nXKBLAYOUT=\"{layout}\"\nXKBVARIANT=\"\"\nXKBOPTIONS=\"\"\n");
        files.push(plain("/etc/default/keyboard", keyboard, "0644"));
    }
    if persona.security.automatic_updates {
        let periodic = "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"1\";\n";
        files.push(plain("/etc/apt/apt.conf.d/20auto-upgrades", periodic.into(), "0644"));
    }
    if persona.security.ssh.root_login {
        let sshd = "PermitRootLogin prohibit-password\n";
        files.push(plain("/etc/ssh/sshd_config.d/50-greenroom.conf", sshd.into(), "0644"));
    }
    if let Some(limits) = limits(persona) {
        files.push(plain("/etc/systemd/system/user-.slice.d/50-greenroom.conf", limits, "0644"));
    }
    files.push(plain(report::PATH, report::script(persona, subject), "0700"));
    files.push(plain(&format!("/etc/systemd/system/{}", report::UNIT), report::unit(), "0644"));
    files
}

/// What each user's processes may use together, as systemd reads it.
fn limits(persona: &Persona) -> Option<String> {
    let limits = &persona.resources.per_user;
    let memory = limits.memory.map(|bytes| format!("MemoryMax={}\n", bytes.0));
    let cpu = limits.cpu_percent.map(|percent| format!("CPUQuota={percent}%\n"));
    let lines: String = memory.into_iter().chain(cpu).collect();
    (!lines.is_empty()).then(|| format!("[Slice]\n{lines}"))
}

fn commands(persona: &Persona) -> Vec<Value> {
    let mut commands = vec![json!(["systemctl", "daemon-reload"])];
    let services = &persona.apps.services;
    commands.extend(services.mask.iter().map(|unit| json!(["systemctl", "mask", "--now", unit])));
    commands.extend(services.enable.iter().map(|unit| json!(["systemctl", "enable", "--now", unit])));
    if persona.security.ssh.root_login {
        commands.push(json!(["systemctl", "try-reload-or-restart", "ssh.service"]));
    }
    commands.extend(persona.apps.commands.iter().map(|command| json!(["sh", "-c", command])));
    commands.push(json!(["systemctl", "start", "--no-block", report::UNIT]));
    commands
}
