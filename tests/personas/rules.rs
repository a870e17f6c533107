//! The rules, each by a document that breaks it and by one that nearly does.

use std::collections::{BTreeMap, BTreeSet};

use greenroom::{
    document::{Problem, Severity},
    persona::validate::rule::{RULES, rule},
};
use proptest::prelude::*;

use crate::stage::{found, problems};

/// A persona that nothing is wrong with, with more lines behind it. Lines of the same key replace those of the base.
fn persona(body: &str) -> String {
    let key =
        |line: &str| line.split_once(':').filter(|_| !line.starts_with([' ', '-', '#'])).map(|(key, _)| key.to_owned());
    let replaced: BTreeSet<String> = body.lines().filter_map(key).collect();
    let base = [
        ("apiVersion", "apiVersion: greenroom/v1\n".to_owned()),
        ("description", "description: A persona of the tests\n".to_owned()),
        ("effect", "effect: ephemeral\n".to_owned()),
        ("os", "os: {image: x}\n".to_owned()),
        ("security", format!("security: {{users: [{{name: ann, ssh_keys: [{KEY}]}}]}}\n")),
    ];
    let kept: String = base.iter().filter(|(key, _)| !replaced.contains(*key)).map(|(_, line)| line.as_str()).collect();
    format!("{kept}{body}\n")
}

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGreenroomSampleKeyReplaceThisWithYourOwnKey a@b";
const RSA_1024: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCr44UEfRSeAC77XW+rEzS7QR4UksFVSyHMXQZ9cP1ctARQ+9afoe6PXtVQtl/ROvARPDZsd3Arn8ca1ln0lQ7iAqKKmP8x/dkUcUWLHyqjznTFEk/m4D2FfRPFr/6lxVLA9fIEsF1obKyBBaXLmGxNU7Mpp5cwlKSoL5BZZ2FPvw== a@b";
const HASH: &str = "$y$j9T$abcdefghijklmnop$0123456789012345678901234567890123456789012";

/// The codes that a document is told, each once.
fn codes(text: &str) -> BTreeSet<&'static str> {
    found(text).iter().map(|problem| problem.code).collect()
}

/// Documents that break exactly one rule each.
fn broken() -> Vec<(&'static str, String)> {
    let installed = |install: &str| format!("effect: destructive\nos: {{image: x, install: {install}}}");
    let by_serial = |more: &str| installed(&format!("{{disk: {{serial: S1}}{more}}}"));
    let user = |fields: &str| format!("security: {{users: [{{name: ann, ssh_keys: [{KEY}], {fields}}}]}}");
    let security = |fields: &str| format!("security: {{users: [{{name: ann, ssh_keys: [{KEY}]}}], {fields}}}");
    let container = |fields: &str| format!("apps: {{containers: [{{name: web, {fields}}}]}}");
    let nginx = "image: 'docker.io/library/nginx:1.27'";
    let file = |fields: &str| format!("apps: {{files: [{{{fields}}}]}}");
    let encrypted = |fields: &str, more: &str| {
        format!(
            "{}\n{}\n{more}",
            by_serial(", lvm: true"),
            security(&format!("encryption: {{passphrase_secret: luks, {fields}}}"))
        )
    };
    let key = "key: '-----BEGIN PGP PUBLIC KEY BLOCK-----'";
    let repository = |fields: &str| format!("apps: {{repositories: [{{{fields}}}]}}");
    let rocky = "os: {image: x, distribution: rocky}\n";
    let flatcar = "os: {image: x, distribution: flatcar}\n";
    let interface =
        |fields: &str| format!("network: {{interfaces: [{{name: eth0, ip: {{{fields}}}}}], dns: [10.0.0.1]}}");
    let two = "interfaces: [{name: eth0}, {name: eth1}]";
    let network = |fields: &str| format!("network: {{{two}, {fields}}}");
    let proxy = |fields: &str| format!("network: {{proxy: {{{fields}}}}}");
    let token = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0");
    vec![
        ("GR010", "effect: destructive".into()),
        ("GR011", "os: {image: x, install: {disk: {serial: S1}}}".into()),
        ("GR012", installed("{disk: sda}")),
        ("GR013", "os: {image: x, kernel_args: ['two words']}".into()),
        ("GR014", "apps: {packages: [tree, tree]}".into()),
        ("GR014", "network: {interfaces: [{mac: '52:54:00:00:00:01', name: a}, {mac: '52:54:00:00:00:01', name: b}]}".into()),
        ("GR014", network("bridges: [{name: eth0, members: [eth1]}]")),
        ("GR018", "os: {image: x, version: 3}".replace(": 3", ": '3'")),
        ("GR018", "os: {image: x, distribution: ubuntu, version: '24.05'}".into()),
        ("GR018", "os: {image: x, distribution: rocky, version: '7'}".into()),
        ("GR018", "os: {image: x, distribution: fedora, version: '37'}".into()),
        (
            "GR018",
            "effect: destructive\n\
             os: {image: x, distribution: windows, version: '8', install: {disk: '\\\\.\\PhysicalDrive1'}}\n\
             security: {users: [{name: ann, sudo: true, password_secret: ann}]}"
                .into(),
        ),
        ("GR019", "os: {image: x, distribution: ubuntu, family: redhat}".into()),
        ("GR020", "apps: {packages: [Tree]}".into()),
        ("GR020", format!("{rocky}apps: {{packages: ['two words']}}")),
        ("GR021", file("path: etc/motd, content: x")),
        ("GR022", file("path: /etc/motd, content: x, mode: '999'")),
        ("GR023", repository(&format!("name: A B, uri: 'https://a.example', suite: b, components: [main], {key}"))),
        ("GR024", repository("name: a, uri: 'https://a.example', suite: b, components: [main], key: none")),
        ("GR025", repository(&format!("name: a, uri: 'ftp://a.example', suite: b, components: [main], {key}"))),
        ("GR026", "apps: {services: {enable: ['a b']}}".into()),
        ("GR027", "apps: {services: {enable: [ssh.service], mask: [ssh.service]}}".into()),
        ("GR028", "apps: {packages: {dnf: [vim]}}".into()),
        ("GR029", format!("{flatcar}apps: {{packages: [vim]}}")),
        ("GR030", format!("security: {{users: [{{name: Ann, ssh_keys: [{KEY}]}}]}}")),
        ("GR031", user("password_hash: secret")),
        ("GR032", "security: {users: [{name: ann, ssh_keys: [not a key]}]}".into()),
        ("GR032", format!("security: {{users: [{{name: ann, ssh_keys: [{}]}}]}}", &KEY[..60])),
        ("GR032", "security: {users: [{name: ann, ssh_keys: [ssh-dss AAAA]}]}".into()),
        ("GR032", format!("security: {{users: [{{name: ann, ssh_keys: [{}]}}]}}", KEY.replace("ssh-ed25519", "ssh-rsa"))),
        ("GR033", user("groups: [Video]")),
        ("GR034", user("shell: bash")),
        ("GR034", "preferences: {shell: bash}".into()),
        ("GR035", user("full_name: 'Ann, of the lab'")),
        ("GR036", format!("security: {{users: [{{name: backup, ssh_keys: [{KEY}]}}]}}")),
        ("GR037", user("uid: 0")),
        ("GR038", user("groups: [vidoe]")),
        ("GR039", user("sudo_commands: [systemctl restart nginx]")),
        ("GR039", user("sudo_commands: ['!/bin/sh']")),
        ("GR039", user("sudo_commands: ['/bin/ls, /bin/sh']")),
        ("GR040", "network: {hostname: Under_score}".into()),
        ("GR041", "network: {interfaces: [{ip: {dhcp: true}}]}".into()),
        ("GR042", interface("addresses: [10.0.0.5/24], gateway: 10.0.1.1")),
        ("GR042", interface("addresses: ['2001:db8::5/64'], gateway6: '2001:db8:1::1'")),
        ("GR043", "network: {interfaces: [{name: a-name-that-is-too-long}]}".into()),
        ("GR043", network("bridges: [{name: a-bridge-too-long, members: [eth1]}]")),
        ("GR044", network("vlans: [{name: v, id: 4095, link: eth0}]")),
        ("GR044", network("vlans: [{name: v, id: 0, link: eth0}]")),
        ("GR045", network("vlans: [{name: v, id: 1, link: eth2}]")),
        ("GR045", network("bonds: [{name: bond0, members: [eth0, eth7]}]")),
        ("GR046", "network: {bridges: [{name: a, members: [b]}, {name: b, members: [c]}, {name: c, members: [a]}]}".into()),
        ("GR046", network("vlans: [{name: v, id: 1, link: v}]")),
        ("GR047", network("bonds: [{name: bond0, members: [eth0]}, {name: bond1, members: [eth0, eth1]}]")),
        (
            "GR048",
            "network: {interfaces: [{name: a, ip: {addresses: [10.0.0.5/16]}}, {name: b, ip: {addresses: [10.0.7.5/24]}}], dns: [10.0.0.1]}"
                .into(),
        ),
        ("GR049", interface("addresses: [10.0.0.0/24]")),
        ("GR049", interface("addresses: [10.0.0.255/24]")),
        ("GR049", interface("addresses: [127.0.0.1/8]")),
        ("GR050", "preferences: {locale: de_DE}".into()),
        ("GR051", "preferences: {timezone: Berlin}".into()),
        ("GR052", "preferences: {keyboard: uk}".into()),
        ("GR053", "description: ''".into()),
        ("GR054", "owner: ''".into()),
        ("GR055", "labels: {'a b': c}".into()),
        ("GR056", format!("{rocky}apps: {{snaps: [{{name: firefox}}]}}")),
        ("GR056", format!("{flatcar}apps: {{flatpaks: [{{id: org.gimp.GIMP}}]}}")),
        ("GR057", format!("{flatcar}preferences: {{desktop: gnome}}")),
        ("GR057", format!("{rocky}preferences: {{desktop: xfce}}")),
        ("GR070", file("path: /proc/sys/vm/swappiness, content: x")),
        ("GR071", file("path: /etc/motd, content: x, mode: '0666'")),
        ("GR071", file("path: /usr/local/bin/x, content: x, mode: '4755'")),
        ("GR072", file("path: /etc/motd, content: x, owner: 'root:root:root'")),
        ("GR073", format!("{}\nnetwork: {{ipv6: false}}", file("path: /etc/sysctl.d/50-greenroom-ipv6.conf, content: x"))),
        ("GR074", repository(&format!("name: a, uri: 'https://a.example', {key}"))),
        ("GR074", format!("{rocky}{}", repository(&format!("name: a, uri: 'https://a.example', suite: b, {key}")))),
        ("GR075", format!("apps: {{containers: [{{name: a/b, {nginx}}}]}}")),
        ("GR076", container("image: 'nginx:1.27'")),
        ("GR076", container("image: 'docker.io/Nginx:1.27'")),
        ("GR077", container("image: docker.io/library/nginx")),
        ("GR077", container("image: 'docker.io/library/nginx:latest'")),
        ("GR078", container(&format!("{nginx}, ports: [web]"))),
        ("GR079", container(&format!("{nginx}, volumes: [/srv]"))),
        ("GR080", "apps: {services: {enable: [ssh]}}".into()),
        ("GR081", "apps: {snaps: [{name: Firefox}]}".into()),
        ("GR081", "apps: {snaps: [{name: firefox, channel: a/b/c/d}]}".into()),
        ("GR082", "apps: {flatpaks: [{id: gimp}]}".into()),
        ("GR083", container(&format!("{nginx}, environment: {{1A: x}}"))),
        ("GR084", user("sudo: true, sudo_commands: [/bin/ls]")),
        ("GR085", "security: {users: [{name: ann}]}".into()),
        ("GR085", "security: {users: []}".into()),
        ("GR086", security("ssh: {password_login: true}, passwords: {min_length: 12}")),
        ("GR087", format!("security: {{users: [{{name: ann, password_hash: {HASH}}}], ssh: {{password_login: true}}}}")),
        ("GR088", format!("apps: {{commands: ['curl -H x:{token} https://a.example']}}")),
        ("GR088", proxy("http: 'http://ann:hunter2@proxy.example:3128'")),
        ("GR088", file("path: /etc/k, content: \"-----BEGIN RSA PRIVATE KEY-----\\nx\"")),
        ("GR089", container(&format!("{nginx}, environment: {{DB_PASSWORD: hunter2}}"))),
        ("GR089", "apps: {commands: ['mysql --password=hunter2']}".into()),
        ("GR089", "raw: {cloud_init: {chpasswd: {password: hunter2}}}".into()),
        ("GR090", security("ssh: {root_login: true}")),
        ("GR091", format!("security: {{users: [{{name: ann, ssh_keys: ['-----BEGIN OPENSSH PRIVATE KEY-----', {KEY}]}}]}}")),
        ("GR092", format!("security: {{users: [{{name: ann, ssh_keys: [{RSA_1024}]}}]}}")),
        ("GR093", "security: {users: [{name: ann, password_hash: $1$abcdefgh$0123456789012345678901}]}".into()),
        ("GR094", security("firewall: {allow: [{service: http}]}")),
        ("GR094", security("firewall: {allow: [{service: ssh, from: [127.0.0.0/8]}]}")),
        ("GR094", format!("{}\nnetwork: {{ipv6: false}}", security("firewall: {allow: [{service: ssh, from: ['2001:db8::/32']}]}"))),
        ("GR095", security("firewall: {allow: [{service: ssh}, {service: htp}]}")),
        ("GR095", security("firewall: {allow: [{service: ssh}, {service: http, port: 8080}]}")),
        ("GR095", security("firewall: {allow: [{service: ssh}, {from: [10.0.0.0/8]}]}")),
        ("GR096", security("firewall: {allow: [{service: ssh}, {port: 20-30, from: [10.0.0.0/8]}]}")),
        ("GR097", encrypted("", "")),
        ("GR098", encrypted("tang: [{url: tang, thumbprint: abc}]", "")),
        ("GR098", encrypted("tang: [{url: 'http://tang.example', thumbprint: abc}]", "")),
        ("GR099", security("encryption: {passphrase_secret: luks, tpm2: {}}")),
        (
            "GR200",
            "network: {interfaces: [{name: a, ip: {addresses: [10.0.0.5/24], gateway: 10.0.0.1}}, \
             {name: b, ip: {addresses: [10.0.1.5/24], gateway: 10.0.1.1}}], dns: [10.0.0.1]}"
                .into(),
        ),
        ("GR201", "network: {dns: [127.0.0.53]}".into()),
        ("GR201", "network: {dns: [224.0.0.1]}".into()),
        ("GR202", "network: {search: [a_b.example]}".into()),
        ("GR203", "network: {ntp: ['http://pool.ntp.org']}".into()),
        ("GR204", proxy("http: 'proxy.example:3128'")),
        ("GR205", proxy("http: 'http://proxy.example', no_proxy: ['a, b']")),
        ("GR206", interface("mtu: 100")),
        ("GR207", "network: {ipv6: false, dns: ['2001:db8::1']}".into()),
        ("GR208", "network: {interfaces: [{name: a, ip: {dhcp: true}}], bonds: [{name: bond0, members: [a]}]}".into()),
        ("GR209", "network: {interfaces: [{name: a, ip: {addresses: [10.0.0.5/24]}}]}".into()),
        ("GR210", network("vlans: [{name: v, id: 7, link: eth0}, {name: w, id: 7, link: eth0}]")),
        ("GR211", network("bonds: [{name: bond0, members: []}]")),
        ("GR220", "resources: {requires: {cpus: 0}}".into()),
        ("GR221", "resources: {requires: {memory: 1GiB}, limits: {per_user: {memory: 2GiB}}}".into()),
        ("GR222", "resources: {requires: {cpus: 2}, limits: {services: {nginx.service: {cpu_percent: 300}}}}".into()),
        ("GR223", "resources: {limits: {per_user: {io_weight: 0}}}".into()),
        ("GR224", "resources: {limits: {per_user: {cpu_percent: 0}}}".into()),
        ("GR225", "resources: {limits: {per_user: {memory: 1MiB}}}".into()),
        ("GR226", installed("{disk: {max_size: 100GiB}, partitions: [{mount: /home, size: 200GiB}]}")),
        ("GR227", "resources: {limits: {services: {nginx: {cpu_percent: 50}}}}".into()),
        ("GR230", "preferences: {wallpaper: /usr/share/a.png}".into()),
        ("GR230", "preferences: {desktop: kde, dconf: {org/gnome/x: \"'y'\"}}".into()),
        ("GR231", "preferences: {language: German}".into()),
        ("GR232", user("shell: /usr/bin/zsh")),
        ("GR233", "preferences: {editor: code --wait}".into()),
        ("GR234", "preferences: {desktop: gnome, wallpaper: a.png}".into()),
        ("GR235", "preferences: {desktop: gnome, dconf: {/org/gnome/x: y}}".into()),
        ("GR240", user("password_secret: ../shadow")),
        ("GR241", security("groups: [{name: The Lab}]")),
        ("GR242", security("passwords: {min_length: 500}")),
        ("GR246", encrypted("tpm2: {pcrs: [7, 24]}", "")),
        ("GR247", encrypted("", "preferences: {desktop: gnome}")),
        ("GR248", user("uid: 500")),
        ("GR260", "os: {image: x, kernel_args: [quiet, quiet]}".into()),
        ("GR261", "os: {image: x, kernel_args: ['ds=nocloud']}".into()),
        ("GR262", installed("{disk: {}}")),
        ("GR263", installed("{disk: /dev/sda}")),
        ("GR264", installed("{disk: {min_size: 2TiB, max_size: 1TiB}}")),
        ("GR265", by_serial(", partitions: [{mount: home, size: 10GiB}]")),
        ("GR265", by_serial(", partitions: [{mount: /, size: 10GiB}]")),
        ("GR265", by_serial(", partitions: [{mount: /dev/shm, size: 10GiB}]")),
        ("GR266", by_serial(", partitions: [{mount: /home, size: 0}]")),
        ("GR267", by_serial(", swap: 4TiB")),
        ("GR268", "os: {image: x, distribution: flatcar, arch: [riscv64]}".into()),
        ("GR269", "raw: {kickstart: 'reboot'}".into()),
        ("GR270", format!("{}\n{}", by_serial(""), security("encryption: {passphrase_secret: luks, tpm2: {}}"))),
    ]
}

/// Documents that come near to breaking a rule, and break none.
fn near_misses() -> Vec<String> {
    let security = |fields: &str| format!("security: {{users: [{{name: ann, ssh_keys: [{KEY}]}}], {fields}}}");
    let by_serial = "effect: destructive\nos: {image: x, install: {disk: {serial: S1}, lvm: true}}\n";
    vec![
        String::new(),
        "os: {image: x, distribution: ubuntu, version: '24.04', arch: [x64, arm64], family: debian}".into(),
        "os: {image: x, kernel_args: ['console=tty0', 'console=ttyS0']}".into(),
        "effect: destructive\nos: {image: x, install: {disk: /dev/disk/by-id/nvme-Samsung_SSD_980_S64, swap: 8GiB, partitions: [{mount: /home, size: 10GiB}, {mount: /boot, size: 1GiB}]}}".into(),
        "effect: destructive\nos: {image: x, install: {disk: {min_size: 1TiB, max_size: 1TiB}}}".into(),
        // A fragment that speaks to two package managers.
        "apps: {packages: {apt: [vim], dnf: [vim-enhanced]}}".into(),
        "os: {image: x, distribution: fedora}\napps: {packages: [NetworkManager, '@core']}\npreferences: {desktop: kde}".into(),
        "os: {image: x, distribution: flatcar}\napps: {containers: [{name: web, image: 'nginx:1.27', ports: ['80:80']}]}".into(),
        format!("os: {{image: x, distribution: flatcar}}\nsecurity: {{users: [{{name: core, ssh_keys: [{KEY}], groups: [docker]}}]}}"),
        "apps: {services: {enable: [getty@tty1.service, fstrim.timer], mask: [cups.service]}}".into(),
        "apps: {packages: [docker.io]}\nsecurity: {users: [{name: ann, ssh_keys: [KEY], groups: [docker]}]}".replace("KEY", KEY),
        "apps: {packages: [zsh]}\npreferences: {shell: /usr/bin/zsh, editor: /usr/bin/nano}".into(),
        "apps: {containers: [{name: db, image: 'docker.io/library/postgres:16', environment: {POSTGRES_PASSWORD_FILE: /run/secrets/db}, volumes: ['data:/var/lib/postgresql:Z']}]}".into(),
        "apps: {commands: ['curl -u \"ann:$TOKEN\" https://a.example', 'echo password changed']}".into(),
        // SSH is let in from the networks of admins, by a range, or on the port that sshd was moved to.
        security("firewall: {allow: [{service: ssh, from: [10.0.0.0/8]}, {service: http}]}"),
        security("firewall: {allow: [{port: 20-30}]}"),
        security("firewall: {default: allow}"),
        format!("{}\napps: {{files: [{{path: /etc/ssh/sshd_config.d/port.conf, content: 'Port 2222'}}]}}", security("firewall: {allow: [{port: 2222}]}")),
        security("firewall: {allow: [{service: ssh, from: [10.0.0.0/8]}, {service: ssh, from: [192.168.0.0/16]}, {port: 22, protocol: udp}]}"),
        format!("{by_serial}{}", security("encryption: {passphrase_secret: luks, tpm2: {pcrs: [0, 23]}}")),
        format!("{by_serial}{}", security("encryption: {passphrase_secret: luks, tang: [{url: 'http://tang.example', thumbprint: abcdefghijklmnopqrstuvwxyz0}]}")),
        "network: {interfaces: [{name: a, ip: {addresses: [10.0.0.0/31]}}, {name: b, ip: {addresses: [10.0.0.2/31]}}], dns: [9.9.9.9]}".into(),
        "network: {interfaces: [{name: a, ip: {addresses: [10.0.0.5/24, 10.0.0.6/24], gateway: 10.0.0.1}}], dns: [9.9.9.9]}".into(),
        "network: {interfaces: [{name: a, ip: {addresses: ['2001:db8::5/64'], gateway6: 'fe80::1', mtu: 9000}}]}".into(),
        "network: {interfaces: [{name: a}, {name: b}], bonds: [{name: bond0, members: [a, b]}], vlans: [{name: v7, id: 7, link: bond0}, {name: v8, id: 8, link: bond0}], bridges: [{name: br0, members: [v7]}]}".into(),
        "network: {hostname: '007', search: [lab.example], ntp: [10.0.0.1, '2001:db8::1', pool.ntp.org], proxy: {http: 'http://proxy.example:3128', no_proxy: [.example, 10.0.0.0/8]}}".into(),
        "preferences: {locale: C.UTF-8, language: 'pt_BR:pt:en', keyboard: latam, timezone: UTC}".into(),
        "preferences: {desktop: gnome, wallpaper: 'https://a.example/b.png', dconf: {org/gnome/desktop/interface/color-scheme: \"'prefer-dark'\"}}".into(),
        "resources: {requires: {memory: 1GiB, cpus: 2}, limits: {per_user: {memory: 1GiB, cpu_percent: 200, io_weight: 10000}}}".into(),
        "raw: {cloud_init: {fqdn: a.example}}".into(),
        by_serial.to_owned() + "raw: {preseed: 'd-i x/y boolean true', cloud_init: {fqdn: a.example}}",
    ]
}

#[test]
fn each_broken_document_is_told_its_rule_and_no_other() {
    let wrong = |(code, body): &(&str, String)| {
        let told = found(&persona(body));
        let only = told.iter().all(|problem| problem.code == *code) && !told.is_empty();
        (!only).then(|| format!("{code}: {body}\n{}", problems(&persona(body))))
    };
    let wrong: Vec<_> = broken().iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn near_misses_are_good() {
    for body in near_misses() {
        assert!(found(&persona(&body)).is_empty(), "{body}\n{}", problems(&persona(&body)));
    }
}

/// The codes of the sources and how often each stands there, without the table and without tests.
fn codes_of_the_sources(folder: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") || path.ends_with("validate/rule.rs") {
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for rest in code.split("\"GR").skip(1) {
                let number = rest.split('"').next().unwrap();
                if number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()) {
                    *counts.entry(format!("GR{number}")).or_default() += 1;
                }
            }
        }
    }
    counts
}

#[test]
fn every_rule_is_in_the_table_once_is_used_once_and_is_tested() {
    let codes: Vec<_> = RULES.iter().map(|rule| rule.code).collect();
    assert!(codes.is_sorted() && codes.iter().collect::<BTreeSet<_>>().len() == codes.len(), "sorted, none twice");
    let sentences: BTreeSet<_> = RULES.iter().map(|rule| rule.holds).collect();
    assert!(sentences.len() == RULES.len() && sentences.iter().all(|holds| holds.ends_with('.')));

    let of_fields = codes_of_the_sources("src/persona/validate");
    let twice: Vec<_> = of_fields.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "a code stands where its rule is held, and nowhere else: {twice:?}");
    let mut all = of_fields.clone();
    for folder in ["src/document", "src/library", "src/persona"] {
        all.extend(codes_of_the_sources(folder));
    }
    let used: BTreeSet<&str> = all.keys().map(String::as_str).collect();
    assert_eq!(used, codes.iter().copied().collect(), "the table and the sources have the same codes");

    let tested: BTreeSet<&str> = broken().iter().map(|(code, _)| *code).collect();
    let untested: Vec<_> = of_fields.keys().filter(|code| !tested.contains(code.as_str())).collect();
    assert!(untested.is_empty(), "{untested:?}");
    assert!(of_fields.len() >= 100, "{}", of_fields.len());
}

#[test]
fn a_problem_is_as_bad_as_its_rule_says_and_says_what_to_do() {
    for (_, body) in broken() {
        for Problem { code, severity, message, help, snippet, .. } in found(&persona(&body)) {
            assert_eq!(severity, rule(code).unwrap().severity, "{code}");
            assert!(help.is_some_and(|help| !help.is_empty()), "{code}: {message}");
            assert!(!message.is_empty() && !message.ends_with('.') && !message.contains('\n'), "{code}: {message}");
            if ["GR031", "GR088", "GR089", "GR091"].contains(&code) {
                let shown = format!("{message}{snippet}");
                for secret in ["hunter2", "ghp_", "BEGIN", "secret}"] {
                    assert!(!shown.contains(secret), "{code}: {shown}");
                }
            }
        }
    }
    assert!(rule("GR999").is_none());
}

#[test]
fn a_dozen_mistakes_as_people_see_them() {
    let text = format!(
        "apiVersion: greenroom/v1
description: a dozen mistakes
effect: destructive
os:
  image: x
  distribution: ubuntu
  version: 24.05
  install: {{disk: /dev/sda}}
apps:
  packages:
    dnf: [vim-enhanced]
  containers:
    - name: db
      image: docker.io/library/postgres:latest
      environment: {{POSTGRES_PASSWORD: hunter2}}
security:
  users:
    - name: ann
      groups: [vidoe]
      ssh_keys:
        - {KEY}
  firewall:
    allow:
      - {{service: htps}}
  encryption: {{passphrase_secret: luks}}
network:
  interfaces:
    - {{name: eno1, ip: {{addresses: [10.0.0.5/24], gateway: 10.0.1.1}}}}
  dns: [10.0.0.53]
  vlans:
    - {{name: voice, id: 20, link: en01}}
preferences:
  timezone: Berlin
"
    )
    .replace("24.05", "\"24.05\"");
    insta::assert_snapshot!(problems(&text));
}

#[test]
fn the_samples_have_no_errors() {
    let (count, told) = greenroom::library::check(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("personas"));
    let errors: Vec<_> = told.iter().filter(|problem| problem.severity == Severity::Error).collect();
    assert!(count >= 3 && errors.is_empty(), "{errors:?}");
}

proptest! {
    /// Any value anywhere in a whole persona is read, checked and shown.
    #[test]
    fn no_persona_makes_the_rules_panic(
        at in any::<prop::sample::Index>(),
        value in prop_oneof![
            "\\PC{0,12}", "[0-9./:-]{0,20}", "[a-zA-Z0-9@=$/:,. -]{0,40}",
            Just("18446744073709551615".to_owned()), Just("::/0".to_owned()), Just("0.0.0.0/0".to_owned()),
            Just("255.255.255.255/32".to_owned()), Just("é".repeat(70)), Just("ssh-rsa AAAA/////w==".to_owned()),
        ],
    ) {
        let quoted = serde_json::to_string(&value).unwrap();
        let all: Vec<String> = broken().into_iter().map(|(_, body)| persona(&body)).collect();
        let text = &all[at.index(all.len())];
        // Each value of the document in turn is exchanged for this one, as a text and bare.
        let places: Vec<_> = text.match_indices([':', '[', ',']).map(|(at, _)| at + 1).collect();
        for place in places {
            let end = text[place..].find([',', ']', '}', '\n']).map_or(text.len(), |end| place + end);
            for with in [&quoted, &value] {
                for problem in found(&format!("{} {with}{}", &text[..place], &text[end..])) {
                    prop_assert!(!problem.to_string().is_empty());
                }
            }
        }
    }
}

#[test]
fn codes_are_told_apart() {
    assert_eq!(
        codes(&persona("preferences: {locale: x, timezone: y, keyboard: zz9}")),
        ["GR050", "GR051", "GR052"].into()
    );
}

/// A document may be a mebibyte long: what is checked must not grow with the square of it, nor what is told of it.
#[test]
fn a_list_without_end_is_checked_in_the_end() {
    let many = |item: &dyn Fn(usize) -> String, count: usize| (0..count).map(item).collect::<Vec<_>>().join(",");
    let names = many(&|at| format!("a{at}"), 100_000);
    let same = many(&|_| "Aa".into(), 200_000);
    let units = many(&|at| format!("a{at}.service"), 30_000);
    let bridges = many(&|at| format!("{{name: b{at}, members: [b{}]}}", at + 1), 20_000);
    let allows = many(&|at| format!("{{port: {}}}", at + 1), 40_000);
    for body in [
        format!("apps: {{packages: [{names}]}}"),
        format!("apps: {{packages: [{same}]}}"),
        format!("apps: {{services: {{enable: [{units}], mask: [{units}]}}}}"),
        format!("security: {{users: [{{name: ann, groups: [{names}]}}]}}"),
        format!("security: {{firewall: {{allow: [{allows}]}}}}"),
        format!("network: {{bridges: [{bridges}]}}"),
    ] {
        let text = persona(&body);
        assert!(text.len() < 1 << 20, "{}", text.len());
        assert!(found(&text).len() <= 100, "{}", &text[..200]);
    }
}
