//! Bad input: a clear message, bounded, never a panic, and nothing from outside of the folder.

use std::{collections::BTreeMap, fs, os::unix::fs::symlink, path::Path};

use greenroom::{
    config::Config,
    document::Document,
    import::{Fate, Folder, Imported, cobbler, dnsmasq, matchbox},
};
use proptest::prelude::*;

use crate::stage::{greenroom, page, text};

fn put(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
    fs::write(root.join(path), content).unwrap();
}

#[test]
fn hostile_files_are_told_and_the_rest_comes_over() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let profile = |kernel: &str| format!(r#"{{"boot": {{"kernel": "{kernel}"}}}}"#);
    put(root, "in/profiles/good.json", profile("/assets/k"));
    put(root, "in/profiles/escape.json", profile("/assets/../../secret"));
    put(root, "in/profiles/link.json", profile("/assets/link"));
    put(root, "in/profiles/latin.json", b"{\"name\": \"caf\xe9\"}");
    put(root, "in/profiles/list.json", "[1, 2]");
    put(root, "in/profiles/deep.json", "[".repeat(100_000));
    put(root, "in/profiles/x..%2f..%2fetc%2fpasswd.json", profile("/assets/k"));
    put(root, "in/profiles/large.json", vec![b' '; 5 << 20]);
    put(root, "in/ignition/x", "");
    put(root, "in/assets/k", "kernel");
    put(root, "secret", r#"{"boot": {"kernel": "/assets/k"}, "name": "SECRET"}"#);
    symlink(root.join("secret"), root.join("in/profiles/outside.json")).unwrap();
    symlink(root.join("secret"), root.join("in/assets/link")).unwrap();
    symlink("nowhere", root.join("in/profiles/dangling.json")).unwrap();
    symlink("/", root.join("in/groups")).unwrap();
    let output = greenroom(root, &["import", "matchbox", "in", "--out", "out"]);
    assert_eq!(output.status.code(), Some(1), "some input could not be read");
    insta::assert_snapshot!(text(&output).replace(root.to_str().unwrap(), "ROOT"));
    let written = page(&root.join("out"));
    assert!(!written.contains("SECRET"), "{written}");
    let digest = "sha256sum of the secret";
    let sum = std::process::Command::new("sha256sum").arg(root.join("secret")).output().unwrap();
    let sum = String::from_utf8_lossy(&sum.stdout).split(' ').next().unwrap().to_owned();
    assert!(!written.contains(&sum), "no digest of what lies outside: {digest}");
    assert!(root.join("out/personas/good.yaml").is_file());
}

#[test]
fn a_huge_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dnsmasq.conf");
    fs::File::create(&path).unwrap().set_len(100 << 20).unwrap();
    let output = greenroom(folder.path(), &["import", "dnsmasq", "dnsmasq.conf"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("dnsmasq.conf: it is larger than 4 MiB"), "{}", text(&output));
}

#[test]
fn includes_that_go_in_circles_or_out_of_the_folder_end() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(
        root,
        "in/a.conf",
        "conf-file=b.conf\nconf-file=./a.conf\nconf-dir=.\nconf-file=../secret.conf\ndhcp-range=10.0.0.5,10.0.0.9\n",
    );
    put(root, "in/b.conf", "conf-file=a.conf\nconf-file=b.conf\nconf-file=/etc/passwd\ndomain=lab.example\n");
    put(root, "secret.conf", "domain=secret.example\n");
    let output = greenroom(root, &["import", "dnsmasq", "in/a.conf", "--out", "out"]);
    let told = text(&output);
    assert!(
        told.contains("lies outside of the folder") && told.contains("/etc/passwd") && told.contains("../secret.conf"),
        "{told}"
    );
    let written = page(&root.join("out"));
    assert!(written.contains("domain: lab.example") && written.contains("pools:"), "{written}");
    assert_eq!(written.matches("10.0.0.5-10.0.0.9").count(), 1, "{written}");
}

/// What must hold of whatever comes out.
fn sound(imported: &Imported) {
    for draft in &imported.personas {
        let text = draft.text();
        let document = Document::read("x.yaml", text.clone().into_bytes()).unwrap();
        document.parse::<serde_json::Value>().unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    }
    let text = imported.section.text("x");
    let document = Document::read("greenroom.yaml", text.clone().into_bytes()).unwrap();
    Config::read(&document).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    assert!(imported.left_behind.iter().all(|left| !left.why.contains('\n') && !left.what.contains('\n')));
}

fn folder(texts: &[(&str, String)]) -> Folder {
    let texts: BTreeMap<String, String> = texts.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect();
    Folder { texts, unread: vec![] }
}

/// JSON of the shape that importers look at, with anything in it.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let word = prop_oneof![
        Just("x".to_owned()),
        Just("<<inherit>>".to_owned()),
        Just("52:54:00:00:00:01".to_owned()),
        Just("10.0.0.5".to_owned()),
        Just("255.255.255.0".to_owned()),
        Just("bond".to_owned()),
        Just("bond_slave".to_owned()),
        Just("eth0.20".to_owned()),
        Just("redhat".to_owned()),
        Just("/assets/k".to_owned()),
        "\\PC{0,12}",
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        word.clone().prop_map(Into::into),
    ];
    let key = prop_oneof![
        Just("name"),
        Just("profile"),
        Just("parent"),
        Just("distro"),
        Just("kernel"),
        Just("boot"),
        Just("args"),
        Just("selector"),
        Just("mac"),
        Just("serial"),
        Just("interfaces"),
        Just("eth0"),
        Just("eth0.20"),
        Just("mac_address"),
        Just("ip_address"),
        Just("netmask"),
        Just("interface_type"),
        Just("interface_master"),
        Just("breed"),
        Just("kernel_options"),
        Just("gateway"),
        Just("name_servers"),
        Just("repos"),
        Just("hostname"),
        Just("initrd"),
        Just("ignition_id"),
        Just("autoinstall"),
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..8)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_an_importer_panic(a in json(), b in json(), c in json(), d in json(), raw in "\\PC{0,40}") {
        let texts = |dirs: [&str; 4]| {
            let paths = dirs.map(|dir| format!("{dir}/x.json"));
            let values = [&a, &b, &c, &d].map(ToString::to_string);
            let mut texts: Vec<(&str, String)> = paths.iter().map(String::as_str).zip(values).collect();
            texts.push(("templates/x", raw.clone()));
            folder(&texts)
        };
        sound(&matchbox::import(&texts(["profiles", "groups", "ignition", "cloud"])));
        sound(&cobbler::import(&texts(["collections/distros", "collections/profiles", "collections/systems", "collections/repos"])));
    }

    #[test]
    fn no_configuration_makes_the_dnsmasq_importer_panic(
        lines in prop::collection::vec(
            prop_oneof![
                "(dhcp-range|dhcp-host|dhcp-option|domain|dhcp-boot|pxe-service|interface|tag-if|conf-file)=(((set|tag|option|encap|vendor):)?(10\\.0\\.[0-2]\\.[0-9]{1,3}|255\\.255\\.(255|0)\\.0|0\\.0\\.0\\.0|255\\.255\\.255\\.255|52:54:00:00:00:0[1-3]|x|[0-9]{1,12}[hmdw]?|static|proxy|ignore|infinite|router|dns-server|é\"),?){0,5}",
                "\\PC{0,60}",
            ],
            0..20,
        )
    ) {
        let imported = dnsmasq::import(&folder(&[("x", lines.join("\n"))]), "x");
        sound(&imported);
        prop_assert!(imported.left_behind.iter().all(|left| left.fate != Fate::Unread));
    }
}

/// What was left behind, as the report has it: place, what, reason and help.
fn left(imported: &Imported) -> Vec<String> {
    imported.left_behind.iter().map(|it| format!("{} {}: {}; {}", it.place, it.what, it.why, it.help)).collect()
}

#[test]
fn what_a_persona_cannot_say_is_told_with_the_reason_and_what_to_do() {
    let distro = r#"{"name": "rocky", "kernel": "/k", "initrd": "/i", "breed": "redhat", "os_version": "rhel9"}"#;
    let profile = r#"{"name": "web", "distro": "rocky",
        "name_servers": ["10.0.0.53", "dns.example", 7],
        "name_servers_search": ["lab.example", "not a domain"],
        "proxy": "socks5://proxy.example:1080"}"#;
    let system = r#"{"name": "node1", "profile": "web", "gateway": "fe80::1",
        "name_servers_search": ["own.example", "-bad-"],
        "proxy": "ftp://proxy.example",
        "interfaces": {
            "bond0": {"interface_type": "bond", "bonding_opts": "mode=broadcast miimon=100 fail_over_mac=1", "ip_address": "2001:db8::5"},
            "bond1": {"interface_type": "bond"},
            "eth0": {"interface_type": "bond_slave", "interface_master": "bond0", "mac_address": "52:54:00:00:00:01"},
            "eth1": {"interface_type": "bond_slave", "interface_master": "bond1", "mac_address": "52:54:00:00:00:02"},
            "eth2": {"mac_address": "52:54:00:00:00:03", "mtu": "9000", "static_routes": ["10.9.0.0/16:10.0.0.2"]}
        }}"#;
    let imported = cobbler::import(&folder(&[
        ("collections/distros/rocky.json", distro.into()),
        ("collections/profiles/web.json", profile.into()),
        ("collections/systems/node1.json", system.into()),
    ]));
    sound(&imported);
    let told = left(&imported);
    for (what, why, help) in [
        ("name server dns.example of profile web", "it is no address", "network.dns"),
        ("name server 7 of profile web", "it is no address", "network.dns"),
        ("search domain not a domain of profile web", "it cannot be a domain", "network.search"),
        ("proxy socks5://proxy.example:1080 of profile web", "no URL of an HTTP proxy", "network.proxy"),
        ("gateway fe80::1 of system node1", "it is no IPv4 address", "router"),
        ("search domain -bad- of system node1", "it cannot be a domain", "network.search"),
        ("proxy ftp://proxy.example of system node1", "no URL of an HTTP proxy", "network.proxy"),
        ("interface bond0 of system node1", "its mode `broadcast` is none", "network.bonds"),
        ("interface bond0 of system node1", "its option fail_over_mac=1", "apps.files"),
        ("interface bond0 of system node1", "its address 2001:db8::5 is none of IPv4", "network.interfaces"),
        ("interface eth2 of system node1", "its MTU 9000", "mtu"),
        ("interface eth2 of system node1", "its static_routes", "network"),
        ("interface bond1 of system node1", "it names no mode", "network.bonds"),
    ] {
        let tells = |line: &&String| line.contains(what) && line.contains(why) && line.contains(help);
        assert_eq!(told.iter().filter(tells).count(), 1, "{what}\n{}", told.join("\n"));
    }
    let own = &imported.personas.last().unwrap().persona.network;
    assert_eq!((own.search.as_slice(), own.dns.len()), (&["own.example".to_owned()][..], 1), "the rest comes over");
}

#[test]
fn domains_that_no_subnet_is_told_are_listed() {
    for range in ["", "dhcp-range=10.0.0.0,proxy\n"] {
        let imported = dnsmasq::import(&folder(&[("x", format!("{range}domain=lab.example\n"))]), "x");
        assert!(left(&imported).iter().any(|line| line.contains("domain=lab.example")), "{:?}", left(&imported));
    }
}

#[test]
fn hidden_files_and_backups_are_not_read_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let profile = |name: &str| format!(r#"{{"name": "{name}", "boot": {{"kernel": "http://a.example/k"}}}}"#);
    put(folder.path(), "in/profiles/web.json", profile("web"));
    put(folder.path(), "in/profiles/.hidden.json", profile("hidden"));
    put(folder.path(), "in/profiles/web.json~", profile("older"));
    let output = greenroom(folder.path(), &["import", "matchbox", "in", "--out", "out"]);
    let told = text(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let reason = told.split("its name begins with `.` or ends with `~`").nth(1).unwrap();
    assert!(reason.contains("help: rename it") && reason.contains("profiles/.hidden.json"), "{told}");
    assert!(reason.contains("profiles/web.json~"), "{told}");
    let written = page(&folder.path().join("out"));
    assert!(!written.contains("hidden") && !written.contains("older"), "{written}");
}
