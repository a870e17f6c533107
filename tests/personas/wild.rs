//! Personas that nobody would write: every field, with values that mean something to shells, debconf, YAML and systemd.
//! Each of them validates; what its target cannot express it does not ask for.

use std::{collections::BTreeMap, net::Ipv4Addr};

use greenroom::{
    document::Document,
    model::{Arch, Bytes, Effect},
    persona::{Persona, render::refuses, schema::*, validate::validate},
};
use proptest::{
    collection::{btree_map, btree_set, vec},
    option,
    prelude::*,
    sample::{select, subsequence},
};

/// Any persona that is read by `target` first.
pub(crate) fn persona(target: Target) -> impl Strategy<Value = Persona> {
    let distributions: &[Distribution] = match target {
        Target::CloudInit => &[Distribution::Debian, Distribution::Ubuntu, Distribution::Rocky, Distribution::Fedora],
        Target::Preseed => &[Distribution::Debian],
        Target::Autoinstall => &[Distribution::Ubuntu],
        Target::Kickstart => {
            &[Distribution::Rocky, Distribution::Alma, Distribution::Rhel, Distribution::Centos, Distribution::Fedora]
        }
        Target::Ignition => &[Distribution::Flatcar],
        Target::Unattend => &[Distribution::Windows],
        Target::Bare => &[Distribution::Other],
    };
    let installs = match target {
        Target::Preseed | Target::Autoinstall | Target::Kickstart => true,
        Target::CloudInit | Target::Ignition | Target::Unattend | Target::Bare => false,
    };
    // Windows Setup wipes the disk; Flatcar and what is bare run from memory here.
    let wipes = installs || target == Target::Unattend;
    let made = select(distributions).prop_flat_map(move |distribution| {
        // Boxed: a tree of all of it at once is more than a test's stack holds.
        let parts = (
            about().boxed(),
            os(distribution, wipes).boxed(),
            apps(distribution).boxed(),
            security(distribution, installs).boxed(),
        );
        let places = (network().boxed(), preferences(distribution).boxed(), resources().boxed());
        (parts, places).prop_map(move |(parts, places)| {
            let ((description, owner, labels), os, apps, security) = parts;
            let (network, preferences, resources) = places;
            let mut persona = Persona {
                extends: vec![],
                api_version: ApiVersion::V1,
                description,
                owner,
                labels,
                supersedes: vec![],
                effect: if wipes { Effect::Destructive } else { Effect::Ephemeral },
                os,
                apps,
                security,
                network,
                preferences,
                resources,
                raw: Raw::default(),
            };
            fit(&mut persona);
            persona
        })
    });
    made.prop_filter("a persona that validates", is_good)
}

/// Takes back what this target cannot be asked for, as an admin would who is told so.
fn fit(persona: &mut Persona) {
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

fn is_good(persona: &Persona) -> bool {
    let text = serde_json::to_string(persona).unwrap();
    let document = Document::read("wild.yaml", text.into_bytes()).unwrap();
    let read: Persona = document.parse().unwrap_or_else(|problems| panic!("{problems:?}\n{persona:?}"));
    assert_eq!(read, *persona, "a persona reads back as it was written");
    let errors = validate(persona, &document).iter().filter(|problem| problem.is_error()).count();
    errors == 0 && refuses(persona).is_empty()
}

/// Text that is dangerous everywhere: it may hold all that quotes, substitutes, ends or escapes.
pub(crate) fn text() -> impl Strategy<Value = String> {
    "[ -~äß€\n\t]{0,20}|[\"'`$(){}#%&\\\\;|<>!*?~ \n]{1,12}|\\$\\{HOME\\}|#\\{x\\}|%n|\\$\\(reboot\\)|\\{\\{mac\\}\\}|: - x|EOF\n"
}

/// The same on one line, and not at its ends.
fn line() -> impl Strategy<Value = String> {
    "[!-~äß€]([ -~äß€]{0,18}[!-~äß€])?"
}

fn name() -> impl Strategy<Value = String> {
    "x[a-z0-9]{1,8}"
}

fn size(gib: std::ops::Range<u64>) -> impl Strategy<Value = Bytes> {
    gib.prop_map(|gib| Bytes(gib << 30))
}

fn about() -> impl Strategy<Value = (String, Option<String>, BTreeMap<String, String>)> {
    (line(), option::of(line()), btree_map(name(), line(), 0..3))
}

fn os(distribution: Distribution, wipes: bool) -> impl Strategy<Value = Os> {
    let version = match distribution {
        Distribution::Debian => Some("12"),
        Distribution::Ubuntu => Some("24.04"),
        Distribution::Rocky | Distribution::Alma | Distribution::Rhel | Distribution::Centos => Some("9"),
        Distribution::Fedora => Some("41"),
        Distribution::Windows => Some("11"),
        Distribution::Flatcar | Distribution::Other => None,
    };
    let arguments = vec("[a-z]{1,8}(\\.[a-z]{1,4})?(=[a-zA-Z0-9,:/._-]{1,12})?", 0..3);
    (arguments, install(), any::<bool>()).prop_map(move |(kernel_args, install, arch)| Os {
        image: "image".parse().unwrap(),
        distribution: Some(distribution),
        family: None,
        version: version.map(str::to_owned),
        arch: if arch { vec![Arch::X64] } else { vec![] },
        kernel_args,
        install: wipes.then_some(install),
    })
}

fn install() -> impl Strategy<Value = Install> {
    let known_by = (option::of("[A-Z0-9]{4,12}"), option::of("[A-Z][A-Za-z0-9 _-]{2,14}[A-Z0-9]"));
    let sizes = (option::of(size(50..500)), option::of(size(500..5000)));
    let properties = (known_by, sizes).prop_map(|((serial, model), (min_size, max_size))| Disk {
        path: None,
        serial,
        model,
        min_size,
        max_size,
    });
    // Something must be said of a disk.
    let properties = properties.prop_map(|disk| match disk == Disk::default() {
        true => Disk { path: Some("/dev/vda".into()), ..disk },
        false => disk,
    });
    let path = select(&["/dev/vda", "/dev/disk/by-id/nvme-Samsung_SSD_980_S64ANS0T"][..])
        .prop_map(|path| Disk { path: Some(path.to_owned()), ..Disk::default() });
    let filesystem = || select(&[Filesystem::Ext4, Filesystem::Xfs, Filesystem::Btrfs][..]);
    let mounts = subsequence(&["/boot", "/home", "/var", "/var/log", "/srv/a_b"][..], 0..4);
    let partitions = (mounts, vec((size(2..20), option::of(filesystem())), 4)).prop_map(|(mounts, made)| {
        let each = mounts.into_iter().zip(made);
        each.map(|(mount, (size, filesystem))| Partition {
            mount: mount.to_owned(),
            size,
            filesystem: filesystem.map(|own| match (mount, own) {
                // Every boot loader reads this one.
                ("/boot", _) => Filesystem::Ext4,
                _ => own,
            }),
        })
        .collect()
    });
    (prop_oneof![path, properties], filesystem(), any::<bool>(), option::of(size(1..9)), partitions)
        .prop_map(|(disk, filesystem, lvm, swap, partitions)| Install { disk, filesystem, lvm, swap, partitions })
}

const KEY: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n";

fn apps(distribution: Distribution) -> impl Strategy<Value = Apps> {
    let manager = distribution.manager();
    let packages = |of: Option<Manager>| {
        let most = if of.is_none() || of == manager { 3 } else { 0 };
        btree_set("[a-z][a-z0-9]{1,6}(-[a-z0-9+.]{1,5}[a-z0-9])?", 0..=most)
            .prop_map(|set| set.into_iter().collect::<Vec<_>>())
    };
    let native = packages(None).prop_map(move |packages| match manager {
        Some(Manager::Apt | Manager::Dnf) => packages,
        Some(Manager::Winget) | None => vec![],
    });
    let winget = btree_set("[A-Z][a-z]{1,6}\\.[A-Z][A-Za-z]{1,8}", 0..3);
    let winget = winget.prop_map(move |set| match manager {
        Some(Manager::Winget) => set.into_iter().collect(),
        _ => vec![],
    });
    let packages = (native, packages(Some(Manager::Apt)), packages(Some(Manager::Dnf)), winget).prop_map(
        |(native, apt, dnf, winget)| {
            let without = |list: Vec<String>| list.into_iter().filter(|own| !native.contains(own)).collect();
            let (apt, dnf) = (without(apt), without(dnf));
            Packages { native, apt, dnf, winget }
        },
    );
    let apt = manager == Some(Manager::Apt);
    let repository = (name(), "https://[a-z]{1,8}\\.example/[a-z]{0,5}").prop_map(move |(name, uri)| Repository {
        name,
        uri,
        suite: apt.then(|| "stable".to_owned()),
        components: if apt { vec!["main".to_owned()] } else { vec![] },
        key: KEY.to_owned(),
    });
    let packaged = if matches!(manager, Some(Manager::Apt | Manager::Dnf)) { 2 } else { 0 };
    let snapped = if distribution.family() == Family::Debian { 2 } else { 0 };
    let contained = if distribution == Distribution::Windows { 0 } else { 2 };
    let snap = (name(), option::of(select(&["latest/stable", "edge"][..])), any::<bool>());
    let snap = snap.prop_map(|(name, channel, classic)| Snap { name, channel: channel.map(str::to_owned), classic });
    let flatpak = name().prop_map(|name| Flatpak {
        id: format!("org.example.{name}"),
        remote: "https://dl.flathub.org/repo/flathub.flatpakrepo".into(),
    });
    let sources = (
        packages,
        unique(vec(repository, 0..=packaged), |repository| repository.name.clone()),
        unique(vec(snap, 0..=snapped), |snap| snap.name.clone()),
        unique(vec(flatpak, 0..=packaged), |flatpak| flatpak.id.clone()),
        unique(vec(container(), 0..=contained), |container| container.name.clone()),
    );
    let unit = || "[a-z]{2,8}(@[a-z]{1,3})?\\.(service|timer)";
    let services = (btree_set(unit(), 0..3), btree_set(unit(), 0..2)).prop_map(move |(enable, mask)| {
        let mask = mask.into_iter().filter(|unit| !enable.contains(unit)).collect();
        match distribution.family() {
            Family::Windows => Services::default(),
            _ => Services { enable: enable.into_iter().collect(), mask },
        }
    });
    let commands = vec("[a-z]{2,6} [ -~\n]{0,24}", 0..3);
    let files = unique(vec(file(distribution), 0..3), |file| file.path.clone());
    (sources, files, services, commands).prop_map(
        |((packages, repositories, snaps, flatpaks, containers), files, services, commands)| Apps {
            packages,
            repositories,
            snaps,
            flatpaks,
            containers,
            files,
            services,
            commands,
        },
    )
}

/// The list without those that bear a name twice.
fn unique<T: std::fmt::Debug>(
    list: impl Strategy<Value = Vec<T>>,
    name: impl Fn(&T) -> String,
) -> impl Strategy<Value = Vec<T>> {
    list.prop_map(move |mut list| {
        let mut seen = std::collections::BTreeSet::new();
        list.retain(|item| seen.insert(name(item)));
        list
    })
}

fn container() -> impl Strategy<Value = Container> {
    let image = "docker\\.io/library/[a-z]{2,8}:[0-9]\\.[0-9]{1,2}";
    let ports = vec(select(&["8080:80", "127.0.0.1:5432:5432/tcp"][..]), 0..2);
    let environment = btree_map("[A-Z][A-Z_]{1,6}", "[ -~äß]{0,14}", 0..3);
    (name(), image, ports, environment, vec("[!-~]{1,10}", 0..3)).prop_map(
        |(name, image, ports, environment, command)| {
            let volumes = vec![format!("/srv/{name}:/data:ro")];
            let ports = ports.into_iter().map(str::to_owned).collect();
            Container { name, image, ports, volumes, environment, command }
        },
    )
}

fn file(distribution: Distribution) -> impl Strategy<Value = File> {
    let folder = if distribution == Distribution::Windows { "C:\\Greenroom\\" } else { "/etc/greenroom/" };
    ("[a-z][a-z0-9_.-]{0,8}[a-z]", text(), select(&["0644", "0600", "0755"][..])).prop_map(
        move |(name, content, mode)| File {
            path: format!("{folder}{name}"),
            content,
            mode: mode.into(),
            owner: "root:root".into(),
        },
    )
}

fn security(distribution: Distribution, installs: bool) -> impl Strategy<Value = Security> {
    let windows = distribution == Distribution::Windows;
    let encryption = (name(), option::of(vec(0..15u8, 0..3)), vec(tang(), 0..2)).prop_map(|(name, pcrs, tang)| {
        // The disk must open unattended, by one or the other.
        let pcrs = pcrs.or(tang.is_empty().then(Vec::new));
        Encryption { passphrase_secret: name, tpm2: pcrs.map(|pcrs| Tpm2 { pcrs }), tang }
    });
    let encryption = option::of(encryption).prop_map(move |encryption| encryption.filter(|_| installs));
    let passwords = (option::of(8..20u32), option::of(1..5u32), option::of(30..400u32))
        .prop_map(|(min_length, min_classes, max_days)| Passwords { min_length, min_classes, max_days });
    let ssh = (any::<bool>(), any::<bool>()).prop_map(move |(password_login, root_login)| match windows {
        true => Ssh::default(),
        false => Ssh { password_login, root_login },
    });
    let access = select(&[AccessControl::Enforcing, AccessControl::Permissive, AccessControl::Disabled][..]);
    let access = option::of(access).prop_map(move |access| access.filter(|_| !windows));
    let group = (name(), option::of(2000..3000u32)).prop_map(|(name, gid)| Group { name: format!("g{name}"), gid });
    let people = (
        unique(vec(user(windows), 0..3), |user| user.name.clone()),
        unique(vec(group, 0..2), |group| group.gid.map_or(group.name.clone(), |gid| gid.to_string())),
    );
    (option::of(firewall()), people, ssh, passwords, encryption, any::<Option<bool>>(), access).prop_map(
        move |(firewall, (users, groups), ssh, passwords, encryption, automatic_updates, access_control)| Security {
            firewall,
            users,
            groups: if windows { vec![] } else { groups },
            ssh,
            passwords,
            encryption,
            automatic_updates,
            access_control,
        },
    )
}

fn tang() -> impl Strategy<Value = Tang> {
    ("http://tang[0-9]\\.example(:[1-9][0-9]{2})?", "[A-Za-z0-9_-]{43}")
        .prop_map(|(url, thumbprint)| Tang { url, thumbprint })
}

fn firewall() -> impl Strategy<Value = Firewall> {
    let from = vec(select(&["10.0.0.0/8", "192.168.7.0/24", "2001:db8::/32"][..]), 0..3);
    let from = from.prop_map(|nets| nets.into_iter().map(|net| net.parse().unwrap()).collect::<Vec<_>>());
    let ports = (1024..2000u16, 0..50u16).prop_map(|(first, more)| Ports { first, last: first + more });
    let what = prop_oneof![
        select(&["http", "https", "ntp", "mdns", "rdp", "vnc", "prometheus-node"][..]).prop_map(|service| (
            Some(service.to_owned()),
            None,
            Protocol::Tcp
        )),
        (ports, select(&[Protocol::Tcp, Protocol::Udp][..])).prop_map(|(ports, protocol)| (
            None,
            Some(ports),
            protocol
        )),
    ];
    let allow = (what, from).prop_map(|((service, port, protocol), from)| Allow { service, port, protocol, from });
    (select(&[Policy::Deny, Policy::Allow][..]), vec(allow, 0..4)).prop_map(|(default, mut allow)| {
        // Nobody is to be locked out.
        allow.push(Allow { service: Some("ssh".into()), port: None, protocol: Protocol::Tcp, from: vec![] });
        Firewall { default, allow }
    })
}

const HASH: &str = "$6$rounds=5000$usesomesillystri$D4IrlXatmP7rx3P3InaxBeoomnAihCKRVQAr/36eYyMkhLRAS6BDAC";
const PUBLIC: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGreenroomSampleKeyReplaceThisWithYourOwnKey";

fn user(windows: bool) -> impl Strategy<Value = User> {
    let name_and_person = (name(), option::of("[A-Za-zäß'\"$`&%.-][A-Za-zäß'\"$`&%. -]{0,12}[a-zß'\"$&%.]"));
    let shell = option::of(select(&["/bin/bash", "/bin/sh", "/usr/bin/zsh"][..]));
    let keys = vec("[a-z]{1,6}@[a-z]{1,6}", 0..2);
    let groups = subsequence(&["audio", "video"][..], 0..=2);
    let commands = subsequence(&["/usr/bin/systemctl restart ssh", "/usr/sbin/reboot"][..], 0..=2);
    let flags = (any::<bool>(), any::<bool>(), option::of(3000..4000u32));
    (name_and_person, shell, keys, groups, commands, flags).prop_map(
        move |((name, person), shell, keys, groups, commands, (sudo, password, uid))| {
            let words = |list: Vec<&str>| list.into_iter().filter(|_| !windows).map(str::to_owned).collect();
            User {
                full_name: person.unwrap_or_default(),
                uid: uid.filter(|_| !windows),
                groups: words(groups),
                shell: shell.filter(|_| !windows).map(str::to_owned),
                ssh_keys: keys.iter().filter(|_| !windows).map(|who| format!("{PUBLIC} {who}")).collect(),
                sudo,
                sudo_commands: words(commands),
                password_hash: (password && !windows).then(|| HASH.to_owned()),
                password_secret: windows.then(|| format!("password-{name}")),
                name,
            }
        },
    )
}

fn ip(subnet: u8) -> impl Strategy<Value = Ip> {
    let fixed = (2..250u8, any::<bool>(), any::<bool>(), option::of(1280..9000u16)).prop_map(
        move |(host, gateway, v6, mtu)| {
            let v4 = format!("10.9.{subnet}.{host}/24");
            let own6 = v6.then(|| format!("2001:db8:{subnet}::{host}/64"));
            Ip {
                dhcp: None,
                addresses: [Some(v4), own6].into_iter().flatten().map(|text| text.parse().unwrap()).collect(),
                // One way out of the device.
                gateway: (gateway && subnet == 0).then(|| Ipv4Addr::new(10, 9, subnet, 1)),
                gateway6: (v6 && subnet == 0).then(|| format!("2001:db8:{subnet}::1").parse().unwrap()),
                mtu,
            }
        },
    );
    let asked = option::of(1280..9000u16).prop_map(|mtu| Ip { dhcp: Some(true), mtu, ..Ip::default() });
    prop_oneof![fixed, asked]
}

fn network() -> impl Strategy<Value = Network> {
    let port = |at: u8| {
        (any::<bool>(), option::of(ip(at))).prop_map(move |(by_mac, ip)| Interface {
            mac: by_mac.then(|| format!("52:54:00:00:00:0{at}").parse().unwrap()),
            name: Some(format!("lan{at}")),
            ip,
        })
    };
    let links = (
        port(0).boxed(),
        port(1).boxed(),
        port(2).boxed(),
        port(3).boxed(),
        ip(4).boxed(),
        ip(5).boxed(),
        ip(6).boxed(),
        1..4095u16,
    )
        .prop_flat_map(|(a, b, c, d, bonded, bridged, tagged, id)| {
            let mode = select(&[BondMode::ActiveBackup, BondMode::Lacp, BondMode::BalanceRr, BondMode::BalanceAlb][..]);
            let free = |mut port: Interface| {
                port.ip = None;
                port
            };
            (any::<[bool; 4]>(), mode, any::<bool>()).prop_map(move |([bond, bridge, vlan, any], mode, stp)| {
                let mut network = Network::default();
                if !any {
                    return network;
                }
                network.interfaces = vec![a.clone()];
                if bond {
                    network.interfaces.extend([free(b.clone()), free(c.clone())]);
                    let members = vec!["lan1".into(), "lan2".into()];
                    network.bonds.push(Bond { name: "bond0".into(), members, mode, ip: bonded.clone() });
                }
                if bridge {
                    network.interfaces.push(free(d.clone()));
                    let members = vec!["lan3".into()];
                    network.bridges.push(Bridge { name: "br0".into(), members, stp, ip: bridged.clone() });
                }
                if vlan {
                    let link = if bond { "bond0" } else { "lan0" }.to_owned();
                    network.vlans.push(Vlan { name: "vlan7".into(), id, link, ip: tagged.clone() });
                }
                network
            })
        });
    let hostname = option::of(select(&["ws-{{mac}}", "pc-{{serial}}", "fixed", "a.example.org"][..]));
    let names = (vec(select(&["10.9.0.53", "2001:db8::53"][..]), 0..3), vec("[a-z]{2,6}\\.example", 0..2));
    let proxy = ("http://proxy\\.example:[1-9][0-9]{3}", any::<bool>(), vec("\\.[a-z]{2,6}", 0..3)).prop_map(
        |(http, both, no_proxy)| Proxy { https: both.then(|| http.replace("http:", "https:")), http, no_proxy },
    );
    let more = (hostname, names, vec("[a-z]{2,5}\\.ntp\\.example", 0..3), option::of(proxy), option::of(any::<bool>()));
    (links, more).prop_map(|(network, (hostname, (dns, search), ntp, proxy, ipv6))| {
        let v6 = network.interfaces.iter().any(|port| port.ip.as_ref().is_some_and(speaks_v6))
            || network.vlans.iter().any(|vlan| speaks_v6(&vlan.ip))
            || network.bonds.iter().any(|bond| speaks_v6(&bond.ip))
            || network.bridges.iter().any(|bridge| speaks_v6(&bridge.ip));
        let mut dns: Vec<std::net::IpAddr> = dns.into_iter().map(|text| text.parse().unwrap()).collect();
        dns.dedup();
        let ipv6 = ipv6.filter(|on| *on || !v6 && dns.iter().all(std::net::IpAddr::is_ipv4));
        let hostname = hostname.map(str::to_owned);
        Network { hostname, dns, search, ntp, proxy, ipv6, ..network }
    })
}

fn speaks_v6(ip: &Ip) -> bool {
    ip.addresses.iter().any(|net| net.addr().is_ipv6())
}

fn preferences(distribution: Distribution) -> impl Strategy<Value = Preferences> {
    let desktops: Vec<Desktop> = [Desktop::Gnome, Desktop::Kde, Desktop::Xfce]
        .into_iter()
        .filter(|desktop| desktop.package(distribution).is_some())
        .collect();
    let desktop = proptest::sample::subsequence(desktops.clone(), 0..=desktops.len().min(1));
    let linux = !matches!(distribution.family(), Family::Windows | Family::Flatcar);
    let dconf = btree_map("org/example/[a-z]{1,6}/[a-z]{1,6}", "'[ -&(-\\[\\]-~]{0,12}'|true|[0-9]{1,3}", 0..3);
    let place = (
        option::of(select(&["de_DE.UTF-8", "en_GB.UTF-8", "C.UTF-8"][..])),
        option::of(select(&["de", "us", "gb"][..])),
        option::of(select(&["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"][..])),
        option::of(select(&["de:en", "en"][..])),
    );
    let taste = (
        option::of(select(&["/bin/bash", "/usr/bin/zsh"][..])),
        option::of(select(&["vim", "nano"][..])),
        option::of(select(&["https://example.org/a%20b.jpg", "/usr/share/backgrounds/x.png"][..])),
        dconf,
    );
    (desktop, place, taste).prop_map(
        move |(desktop, (locale, keyboard, timezone, language), (shell, editor, wallpaper, dconf))| {
            let of_linux = |text: Option<&str>| text.filter(|_| linux).map(str::to_owned);
            let place = |text: Option<&str>| text.filter(|_| distribution != Distribution::Flatcar).map(str::to_owned);
            Preferences {
                desktop: desktop.into_iter().next(),
                language: of_linux(language),
                locale: place(locale),
                keyboard: place(keyboard),
                timezone: timezone.map(str::to_owned),
                shell: of_linux(shell),
                editor: of_linux(editor),
                wallpaper: of_linux(wallpaper),
                dconf: if linux { dconf } else { BTreeMap::new() },
            }
        },
    )
}

fn resources() -> impl Strategy<Value = Resources> {
    let set = || {
        (option::of(size(1..4)), option::of(10..800u32), option::of(1..10000u32))
            .prop_map(|(memory, cpu_percent, io_weight)| LimitSet { memory, cpu_percent, io_weight })
    };
    let requires = (option::of(1..9u32), option::of(size(8..17)), option::of(size(20..40)))
        .prop_map(|(cpus, memory, disk)| Requirements { cpus, memory, disk });
    // An empty set says nothing, and is not written down.
    let services = btree_map("[a-z]{2,8}\\.(service|slice)", set(), 0..3);
    (requires, set(), services)
        .prop_map(|(requires, per_user, services)| Resources { requires, limits: Limits { per_user, services } })
}
