//! The probes: for each field, a small persona without it and with it.

use serde_json::{Map, Value, json};

use crate::persona::schema::Target;

/// The two documents.
pub(super) struct Probe {
    /// Without the field, or with another value where it must be there.
    pub(super) without: Value,
    /// With it.
    pub(super) with: Value,
}

const PGP: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n";
const SSH: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGreenroomSampleKeyReplaceThisWithYourOwnKey a@b";

/// The least that a persona of this target says.
pub(super) fn base(target: Target) -> Value {
    let (distribution, disk) = match target {
        Target::CloudInit => ("debian", None),
        Target::Preseed => ("debian", Some("/dev/vda")),
        Target::Autoinstall => ("ubuntu", Some("/dev/vda")),
        Target::Kickstart => ("rocky", Some("/dev/vda")),
        Target::Ignition => ("flatcar", Some("/dev/vda")),
        Target::Unattend => ("windows", Some(r"\\.\PhysicalDrive0")),
        Target::Bare => ("other", None),
    };
    let mut document = json!({
        "apiVersion": "greenroom/v1",
        "description": "a probe",
        "effect": if disk.is_some() { "destructive" } else { "ephemeral" },
        "os": { "image": "probe", "distribution": distribution },
    });
    if let Some(disk) = disk {
        document["os"]["install"] = json!({ "disk": { "path": disk } });
    }
    if target == Target::Unattend {
        document["security"]["users"] = json!([{ "name": "admin1", "sudo": true, "password_secret": "admin" }]);
    }
    document
}

/// The probe of a field; `None` when there is none yet.
pub(super) fn of(field: &str, target: Target) -> Option<Probe> {
    let (before, after) = values(field, target)?;
    let mut without = base(target);
    for (prefix, place, value) in surroundings(target) {
        if field.starts_with(prefix) {
            fill(slot(&mut without, place), value);
        }
    }
    let mut with = without.clone();
    put(&mut without, field, before);
    put(&mut with, field, after);
    Some(Probe { without, with })
}

/// What must stand around a field for it to mean something: for fields that begin so, at this place, this.
fn surroundings(target: Target) -> Vec<(&'static str, &'static str, Value)> {
    let file = if target == Target::Unattend { r"C:\probe" } else { "/etc/probe" };
    let user = if target == Target::Unattend { "admin1" } else { "probe" };
    let port = json!({ "name": "eth0", "ip": { "addresses": ["10.9.0.5/24", "2001:db8::5/64"] } });
    vec![
        ("os.install", "os.install", json!({ "disk": { "path": "/dev/vda" } })),
        ("os.install.partitions", "os.install.partitions[]", json!({ "mount": "/home", "size": "9GiB" })),
        (
            "apps.repositories",
            "apps.repositories[]",
            json!({ "name": "probe", "uri": "https://a.example/", "key": PGP }),
        ),
        ("apps.snaps", "apps.snaps[]", json!({ "name": "probe" })),
        ("apps.flatpaks", "apps.flatpaks[]", json!({ "id": "org.example.Probe" })),
        ("apps.containers", "apps.containers[]", json!({ "name": "probe", "image": "docker.io/library/probe:1" })),
        ("apps.files", "apps.files[]", json!({ "path": file, "content": "x" })),
        ("security.firewall", "security.firewall.allow[]", json!({ "port": "22" })),
        ("security.users", "security.users[]", json!({ "name": user })),
        ("preferences.shell", "security.users[]", json!({ "name": user })),
        ("security.groups", "security.groups[]", json!({ "name": "probes" })),
        // The Debian installer encrypts volume groups only.
        (if target == Target::Preseed { "security.encryption" } else { "-" }, "os.install.lvm", json!(true)),
        ("security.encryption", "security.encryption", json!({ "passphrase_secret": "disk", "tpm2": {} })),
        (
            "security.encryption.tang",
            "security.encryption.tang[]",
            json!({ "url": "http://tang.example", "thumbprint": "x".repeat(43) }),
        ),
        ("network.interfaces", "network.interfaces[]", port.clone()),
        ("network.dns", "network.interfaces[]", port.clone()),
        ("network.search", "network.interfaces[]", port.clone()),
        ("network.vlans", "network.interfaces[]", port.clone()),
        ("network.bonds", "network.interfaces[]", json!({ "name": "eth0" })),
        ("network.bridges", "network.interfaces[]", json!({ "name": "eth0" })),
        ("network.vlans", "network.vlans[]", json!({ "name": "vlan7", "id": 7, "link": "eth0", "ip": port["ip"] })),
        ("network.bonds", "network.bonds[]", json!({ "name": "bond0", "members": ["eth0"], "ip": port["ip"] })),
        ("network.bridges", "network.bridges[]", json!({ "name": "br0", "members": ["eth0"], "ip": port["ip"] })),
        ("network.proxy", "network.proxy", json!({ "http": "http://proxy.example:3128" })),
        ("resources.limits.services", "resources.limits.services.<name>", json!({ "io_weight": 50 })),
    ]
}

/// A value to have before, `null` for none, and one to have after.
fn values(field: &str, target: Target) -> Option<(Value, Value)> {
    let windows = target == Target::Unattend;
    let new = |value: Value| Some((Value::Null, value));
    let changed = |one: &str, other: &str| Some((json!(one), json!(other)));
    // An address of whatever link.
    if let Some((_, of_ip)) = field.strip_prefix("network.").and_then(|rest| rest.split_once("[].ip.")) {
        return match of_ip {
            "dhcp" => Some((json!(false), json!(true))),
            "addresses" => Some((json!(["10.9.0.5/24"]), json!(["10.9.0.6/24"]))),
            "gateway" => new(json!("10.9.0.1")),
            "gateway6" => new(json!("2001:db8::1")),
            "mtu" => new(json!(1400)),
            _ => None,
        };
    }
    match field {
        "os.version" => new(json!("12")),
        "os.arch" => new(json!(["arm64"])),
        "os.kernel_args" => new(json!(["quiet"])),
        "os.install.disk.path" if windows => changed(r"\\.\PhysicalDrive0", r"\\.\PhysicalDrive1"),
        "os.install.disk.path" => changed("/dev/vda", "/dev/vdb"),
        "os.install.disk.serial" => new(json!("S64ANS0T")),
        "os.install.disk.model" => new(json!("Samsung")),
        "os.install.disk.min_size" => new(json!("100GiB")),
        "os.install.disk.max_size" => new(json!("900GiB")),
        "os.install.filesystem" => new(json!("xfs")),
        "os.install.lvm" => new(json!(true)),
        "os.install.swap" => new(json!("4GiB")),
        "os.install.partitions[].mount" => changed("/home", "/srv"),
        "os.install.partitions[].size" => changed("9GiB", "8GiB"),
        "os.install.partitions[].filesystem" => new(json!("xfs")),
        "apps.packages.native" | "apps.packages.apt" | "apps.packages.dnf" => new(json!(["tree"])),
        "apps.packages.winget" => new(json!(["Git.Git"])),
        "apps.repositories[].name" => changed("probe", "other"),
        "apps.repositories[].uri" => changed("https://a.example/", "https://b.example/"),
        "apps.repositories[].suite" => new(json!("stable")),
        "apps.repositories[].components" => Some((json!([]), json!(["main"]))),
        "apps.repositories[].key" => Some((json!(PGP), json!(PGP.replace("mDMEZ", "mDMEY")))),
        "apps.snaps[].name" | "apps.containers[].name" => changed("probe", "other"),
        "apps.snaps[].channel" => new(json!("edge")),
        "apps.snaps[].classic" => new(json!(true)),
        "apps.flatpaks[].id" => changed("org.example.Probe", "org.example.Other"),
        "apps.flatpaks[].remote" => new(json!("https://flatpak.example/x.flatpakrepo")),
        "apps.containers[].image" => changed("docker.io/library/probe:1", "docker.io/library/probe:2"),
        "apps.containers[].ports" => new(json!(["8080:80"])),
        "apps.containers[].volumes" => new(json!(["/srv/probe:/srv"])),
        "apps.containers[].environment" => new(json!({ "PROBE": "x" })),
        "apps.containers[].command" => new(json!(["probe"])),
        "apps.files[].path" if windows => changed(r"C:\probe", r"C:\other"),
        "apps.files[].path" => changed("/etc/probe", "/etc/other"),
        "apps.files[].content" => changed("x", "y"),
        "apps.files[].mode" => new(json!("0600")),
        "apps.files[].owner" => new(json!("daemon:daemon")),
        "apps.services.enable" | "apps.services.mask" => new(json!(["probe.service"])),
        "apps.commands" => new(json!(["probe now"])),
        "security.firewall.default" => changed("deny", "allow"),
        "security.firewall.allow[].service" => new(json!("https")),
        "security.firewall.allow[].port" => changed("22", "8080"),
        "security.firewall.allow[].protocol" => changed("tcp", "udp"),
        "security.firewall.allow[].from" => new(json!(["10.0.0.0/8"])),
        "security.users[].name" if windows => changed("admin1", "other1"),
        "security.users[].name" => changed("probe", "other"),
        "security.users[].full_name" => new(json!("A Probe")),
        "security.users[].uid" => new(json!(1500)),
        "security.users[].groups" => new(json!(["audio"])),
        "security.users[].shell" => new(json!("/bin/sh")),
        "security.users[].ssh_keys" => new(json!([SSH])),
        "security.users[].sudo" => Some((json!(false), json!(true))),
        "security.users[].sudo_commands" => new(json!(["/usr/bin/probe"])),
        "security.users[].password_hash" => new(json!("$y$j9T$probe$probe")),
        "security.users[].password_secret" => changed_secret(windows),
        "security.groups[].name" => changed("probes", "others"),
        "security.groups[].gid" => new(json!(2500)),
        "security.ssh.password_login" | "security.ssh.root_login" | "security.automatic_updates" => new(json!(true)),
        "security.passwords.min_length" => new(json!(12)),
        "security.passwords.min_classes" => new(json!(3)),
        "security.passwords.max_days" => new(json!(90)),
        "security.encryption.passphrase_secret" => changed("disk", "other"),
        "security.encryption.tpm2.pcrs" => new(json!([4])),
        "security.encryption.tang[].url" => changed("http://tang.example", "http://other.example"),
        "security.encryption.tang[].thumbprint" => Some((json!("x".repeat(43)), json!("y".repeat(43)))),
        "security.access_control" => new(json!("permissive")),
        "network.hostname" => new(json!("probe1")),
        "network.interfaces[].mac" => new(json!("52:54:00:00:00:09")),
        "network.interfaces[].name" => changed("eth0", "eth1"),
        "network.vlans[].name" => changed("vlan7", "vlan8"),
        "network.vlans[].id" => Some((json!(7), json!(8))),
        "network.vlans[].link" => changed("eth0", "eth1"),
        "network.bonds[].name" => changed("bond0", "bond1"),
        "network.bonds[].members" | "network.bridges[].members" => Some((json!(["eth0"]), json!(["eth0", "eth1"]))),
        "network.bonds[].mode" => new(json!("802.3ad")),
        "network.bridges[].name" => changed("br0", "br1"),
        "network.bridges[].stp" => new(json!(true)),
        "network.dns" => new(json!(["10.9.0.53"])),
        "network.search" => new(json!(["probe.example"])),
        "network.ntp" => new(json!(["ntp.example"])),
        "network.proxy.http" => changed("http://proxy.example:3128", "http://other.example:3128"),
        "network.proxy.https" => new(json!("http://other.example:3129")),
        "network.proxy.no_proxy" => new(json!([".probe.example"])),
        "network.ipv6" => new(json!(false)),
        "preferences.desktop" => new(json!("gnome")),
        "preferences.language" if windows => new(json!("de_DE")),
        "preferences.language" => new(json!("de")),
        "preferences.locale" if target == Target::Ignition => changed("C.UTF-8", "en_US.UTF-8"),
        "preferences.locale" => new(json!("de_DE.UTF-8")),
        "preferences.keyboard" => new(json!("de")),
        "preferences.timezone" => new(json!("Europe/Berlin")),
        // It is the shell of users.
        "preferences.shell" => new(json!("/bin/sh")),
        "preferences.editor" => new(json!("vim")),
        "preferences.wallpaper" => new(json!("https://probe.example/sea.jpg")),
        "preferences.dconf" => new(json!({ "org/probe/key": "true" })),
        "resources.requires.cpus" => new(json!(2)),
        "resources.requires.memory" => new(json!("2GiB")),
        "resources.requires.disk" => new(json!("20GiB")),
        "resources.limits.per_user.memory" | "resources.limits.services.<name>.memory" => new(json!("2GiB")),
        "resources.limits.per_user.cpu_percent" | "resources.limits.services.<name>.cpu_percent" => new(json!(200)),
        "resources.limits.per_user.io_weight" | "resources.limits.services.<name>.io_weight" => new(json!(200)),
        "raw.cloud_init" => new(json!({ "probe": true })),
        "raw.autoinstall" => new(json!({ "probe": true })),
        "raw.ignition" => new(json!({ "storage": { "directories": [{ "path": "/srv/probe" }] } })),
        "raw.preseed" => new(json!("d-i probe/probe boolean true\n")),
        "raw.kickstart" => new(json!("probe\n")),
        "raw.windows" => new(json!("Write-Output probe\n")),
        _ => None,
    }
}

fn changed_secret(windows: bool) -> Option<(Value, Value)> {
    let before = if windows { json!("admin") } else { Value::Null };
    Some((before, json!("other")))
}

/// The place of a path in a document; it is made where it is not there.
fn slot<'a>(document: &'a mut Value, path: &str) -> &'a mut Value {
    let mut at = document;
    for part in path.split('.') {
        let (name, listed) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
        let name = if name == "<name>" { "probe.service" } else { name };
        at = &mut at[name];
        if listed {
            if !at.is_array() {
                *at = json!([null]);
            }
            at = &mut at[0];
        }
    }
    at
}

/// Puts a value in its place; `null` takes away what is there.
fn put(document: &mut Value, path: &str, value: Value) {
    *slot(document, path) = value;
    without_nulls(document);
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(without_nulls);
            map.retain(|_, value| !value.is_null());
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// Fills in what is not there.
fn fill(place: &mut Value, value: Value) {
    match (place, value) {
        (Value::Object(known), Value::Object(more)) => {
            let more: Map<String, Value> = more;
            more.into_iter().for_each(|(key, value)| fill(known.entry(key).or_insert(Value::Null), value));
        }
        (place @ Value::Null, value) => *place = value,
        _ => {}
    }
}
