//! The formats' own tools over what is rendered: of every sample, of personas that have every field, and of personas that
//! nobody would write. What a tool reads is also held against what the persona says.

use std::collections::BTreeSet;

use greenroom::persona::{
    Persona,
    render::{refuses, seed_files},
    schema::{Distribution, Family, Target},
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use super::{
    rich,
    stage::samples,
    tools::{self, PASSPHRASE, answers_of, cloud_config, kickstart_version, read_by, seed},
    wild,
};

/// Those that lead to a cloud-config.
const TARGETS: [Target; 4] = [Target::CloudInit, Target::Preseed, Target::Autoinstall, Target::Kickstart];

/// How many wild personas of each target go through the tools.
const WILD: usize = 12;

pub(crate) fn wild_ones(target: Target, count: usize) -> Vec<Persona> {
    // The same ones each time: a failure shows the rendering, and shows it again.
    let mut runner = TestRunner::deterministic();
    let made = wild::persona(target);
    (0..count).map(|_| made.new_tree(&mut runner).unwrap().current()).collect()
}

/// Every persona that is read by `target` first: samples, the rich one, wild ones.
fn personas(target: Target) -> Vec<Persona> {
    let library = samples();
    let own = library.catalog().personas().map(|entry| Persona::clone(&entry.persona));
    let own = own.filter(|persona| persona.target() == target);
    own.chain([rich::persona(target)]).chain(wild_ones(target, WILD)).collect()
}

fn everything() -> Vec<Persona> {
    TARGETS.into_iter().flat_map(personas).collect()
}

#[test]
fn wild_personas_can_be_had_for_every_target() {
    for target in Target::ALL {
        for made in wild_ones(target, 40) {
            assert_eq!(made.target(), target);
        }
    }
}

#[test]
fn cloud_init_and_netplan_take_every_seed() {
    let personas = everything();
    let configs: Vec<Value> = personas.iter().map(cloud_config).collect();
    let texts: Vec<Value> = configs.iter().map(|config| json!(format!("#cloud-config\n{config}"))).collect();
    read_by("cloud-init", &texts);
    let bad = answers_of("cloud-init", &[json!("#cloud-config\nusers: 7\n")]);
    assert!(!bad[0]["error"].is_null(), "the tool can say no");
    let with_seed = personas.iter().filter(|persona| seed_files(persona).contains(&"network-config"));
    tools::netplan(&with_seed.map(|persona| seed(persona, "network-config")).collect());
}

#[test]
fn whatever_cloud_init_writes_the_network_with_the_gateways_stand() {
    let with_seed = everything().into_iter().filter(|persona| seed_files(persona).contains(&"network-config"));
    let mut cases = vec![];
    for persona in with_seed {
        let kinds: &[(&str, &str)] = match persona.os.distribution().family() {
            Family::Redhat => &[("rhel", "sysconfig"), ("rhel", "network-manager")],
            _ if persona.os.distribution() == Distribution::Debian => &[("debian", "eni")],
            _ => &[],
        };
        cases.extend(kinds.iter().map(|kind| (persona.clone(), *kind)));
    }
    let told = cases.iter().map(
        |(persona, (distro, kind))| json!({ "text": seed(persona, "network-config"), "distro": distro, "kind": kind }),
    );
    let made = read_by("network", &told.collect::<Vec<_>>());
    let mut gateways = 0;
    for ((persona, (_, kind)), made) in cases.iter().zip(&made) {
        let made = made["made"].as_str().unwrap();
        for ip in persona.network.interfaces.iter().filter_map(|port| port.ip.as_ref()) {
            let v4 = ip.gateway.map(|gateway| match *kind {
                "eni" => format!("    gateway {gateway}\n"),
                "sysconfig" => format!("\nGATEWAY={gateway}\n"),
                _ => format!("\ngateway={gateway}\n"),
            });
            let v6 = ip.gateway6.map(|gateway| match *kind {
                "eni" => format!("    gateway {gateway}\n"),
                "sysconfig" => format!("\nIPV6_DEFAULTGW={gateway}\n"),
                _ => format!("\ngateway={gateway}\n"),
            });
            for line in v4.into_iter().chain(v6) {
                assert!(made.contains(&line), "{kind}: no {line:?} in\n{made}");
                gateways += 1;
            }
            for net in &ip.addresses {
                assert!(made.contains(&net.addr().to_string()), "{kind}: no {net} in\n{made}");
            }
        }
    }
    assert!(gateways > 4, "nothing was checked");
}

#[test]
fn what_the_system_reads_passes_the_programs_that_read_it() {
    let configs: Vec<Value> = everything().iter().map(cloud_config).collect();
    tools::nft(&configs);
    tools::sshd(&configs);
    tools::visudo(&configs);
    tools::systemd(&configs);
}

#[test]
fn the_programs_can_say_no() {
    let says_no = |path: &str, content: &str, tool: fn(&[Value])| {
        let config = json!({ "write_files": [{ "path": path, "content": content }] });
        let told = std::panic::catch_unwind(|| tool(&[config]));
        assert!(told.is_err(), "{path} with {content:?} was taken");
    };
    says_no("/etc/nftables.conf", "table inet filter { chain input { nonsense } }", tools::nft);
    says_no("/etc/ssh/sshd_config.d/x.conf", "PermitRootLogin perhaps\n", tools::sshd);
    says_no("/etc/sudoers.d/x", "dev ALL=(ALL NOPASSWD: x\n", tools::visudo);
    says_no("/etc/systemd/system/greenroom-x.service", "[Service]\nExecStart=/no/such\nRestart=now\n", tools::systemd);
    says_no("/etc/systemd/system/x.service.d/50-greenroom.conf", "[Service]\nMemoryMax=much\n", tools::systemd);
    let bad = |tool: fn(&BTreeSet<String>), text: &str| {
        let texts = BTreeSet::from([text.to_owned()]);
        assert!(std::panic::catch_unwind(|| tool(&texts)).is_err(), "{text:?} was taken");
    };
    bad(tools::shells, "if true; then");
    bad(tools::netplan, r#"{"version": 2, "ethernets": {"a": {"addresses": ["10.0.0.300/24"]}}}"#);
    assert!(std::panic::catch_unwind(|| tools::debconf("d-i what\n")).is_err());
    for bad in [json!({}), json!({ "version": 1, "storage": { "config": [{ "type": "disk", "id": "a" }] } })] {
        assert!(!answers_of("autoinstall", &[json!(bad.to_string())])[0]["error"].is_null());
    }
}

#[test]
fn every_script_is_one_for_dash_and_for_busybox() {
    let mut scripts = BTreeSet::new();
    for persona in everything() {
        let files = seed_files(&persona);
        scripts.extend(files.iter().filter(|name| name.ends_with(".sh")).map(|name| seed(&persona, name)));
        let config = cloud_config(&persona);
        let report = tools::written(std::slice::from_ref(&config), |path| path.ends_with("/report"));
        scripts.extend(report.into_iter().map(|(_, text)| text.to_owned()));
        if persona.target() == Target::Kickstart {
            scripts.extend(sections(&seed(&persona, "ks.cfg")));
        }
    }
    tools::shells(&scripts);
}

/// The bodies of a Kickstart file's scripts.
pub(crate) fn sections(text: &str) -> Vec<String> {
    let read = read_by("kickstart", &[json!({ "version": "RHEL9", "text": text })]);
    let scripts = read[0]["scripts"].as_array().unwrap();
    scripts.iter().map(|script| script["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn debconf_holds_every_answer_whole() {
    for persona in personas(Target::Preseed) {
        // The installer's BusyBox is a smaller one than ours: its tr takes `[:alnum:]` for letters.
        for name in seed_files(&persona).iter().filter(|name| ["disk.sh", "finish.sh"].contains(name)) {
            let script = seed(&persona, name);
            assert!(!script.contains("[:"), "{name}: {script}");
        }
        let read = tools::debconf(&seed(&persona, "preseed.cfg"));
        let answer = |question: &str| {
            let found = read.iter().find(|(own, _)| own == question);
            found.unwrap_or_else(|| panic!("no {question} in {read:?}")).1.clone()
        };
        let preferences = &persona.preferences;
        assert_eq!(answer("debian-installer/locale"), preferences.locale.as_deref().unwrap_or("C.UTF-8"));
        // The installer asks for the country that it cannot make of a locale.
        let country = answer("debian-installer/country");
        assert!(country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()), "{country}");
        assert_eq!(answer("keyboard-configuration/xkb-keymap"), preferences.keyboard.as_deref().unwrap_or("us"));
        assert_eq!(answer("time/zone"), preferences.timezone.as_deref().unwrap_or("UTC"));
        let proxy = persona.network.proxy.as_ref().map_or("", |proxy| &proxy.http);
        assert_eq!(answer("mirror/http/proxy"), proxy);
        assert!(answer("preseed/late_command").ends_with("/token/finish.sh' && sh /tmp/finish.sh"));
        assert!(answer("partman/early_command").contains("/token/disk.sh' && sh /tmp/disk.sh || while"));
    }
}

#[test]
fn pykickstart_reads_every_value_whole() {
    let personas = personas(Target::Kickstart);
    let case = |persona: &Persona| json!({ "version": kickstart_version(persona), "text": seed(persona, "ks.cfg") });
    let read = read_by("kickstart", &personas.iter().map(case).collect::<Vec<_>>());
    for (persona, read) in personas.iter().zip(&read) {
        let preferences = &persona.preferences;
        assert_eq!(read["keyboard"], json!([preferences.keyboard.as_deref().unwrap_or("us")]));
        let zone = preferences.timezone.as_deref().filter(|zone| *zone != "UTC").unwrap_or("Etc/UTC");
        assert_eq!((&read["timezone"], &read["locked"]), (&json!(zone), &json!(true)));
        assert_eq!(read["ntp"], json!(persona.network.ntp));
        let append = read["append"].as_str().unwrap_or_default();
        let own = persona.os.kernel_args.join(" ");
        assert!(append.starts_with(&own), "{append}");
        assert!(read["scripts"].as_array().unwrap().iter().all(|script| script["fatal"] == json!(true)));
        assert!(read["packages"].as_array().unwrap().contains(&json!("cloud-init")));
    }
    // Every version that the persona may name.
    let rich = seed(&rich::persona(Target::Kickstart), "ks.cfg");
    let versions = ["RHEL9", "RHEL10", "F40", "F41", "F42"];
    read_by("kickstart", &versions.map(|version| json!({ "version": version, "text": rich })));
    let bad = answers_of("kickstart", &[json!({ "version": "RHEL9", "text": "install\nauth --useshadow\n" })]);
    assert!(!bad[0]["error"].is_null(), "the tool can say no");
}

#[test]
fn what_a_target_cannot_say_is_refused() {
    let refused = |change: fn(&mut Persona), target: Target| {
        let mut persona = rich::persona(target);
        assert_eq!(refuses(&persona), vec![], "{target}");
        change(&mut persona);
        refuses(&persona).into_iter().map(|refused| refused.path).collect::<Vec<_>>()
    };
    let install = |persona: &mut Persona| persona.os.install.as_mut().unwrap().lvm = false;
    assert_eq!(refused(install, Target::Preseed), ["os.install.lvm"]);
    assert!(refused(install, Target::Autoinstall).is_empty() && refused(install, Target::Kickstart).is_empty());
    for target in [Target::Preseed, Target::Kickstart] {
        let paths = refused(|persona| persona.preferences.timezone = Some("Europe/Berlin\nrootpw x".into()), target);
        assert_eq!(paths, ["preferences.timezone"]);
    }
    for target in TARGETS {
        let change = |persona: &mut Persona| persona.security.users[0].password_secret = Some("x".into());
        assert_eq!(refused(change, target), ["security.users.0.password_secret"]);
    }
    let btrfs = |persona: &mut Persona| {
        persona.os.install.as_mut().unwrap().filesystem = greenroom::persona::schema::Filesystem::Btrfs;
    };
    assert_eq!(refused(btrfs, Target::Kickstart), ["os.install.filesystem"]);
    let mount = |persona: &mut Persona| persona.os.install.as_mut().unwrap().partitions[0].mount = "/a b{ }".into();
    let argument = |persona: &mut Persona| persona.os.kernel_args.push("x=$(reboot)".into());
    for target in [Target::Preseed, Target::Autoinstall, Target::Kickstart] {
        assert_eq!(refused(mount, target), ["os.install.partitions.0.mount"]);
        assert_eq!(refused(argument, target), ["os.kernel_args.2"]);
    }
}

#[test]
fn no_passphrase_stands_where_an_installer_would_log_it() {
    for target in [Target::Preseed, Target::Autoinstall, Target::Kickstart] {
        let persona = rich::persona(target);
        for file in seed_files(&persona) {
            let text = seed(&persona, file);
            match file {
                "passphrase" => assert_eq!(text, PASSPHRASE, "its first line, and nothing after it"),
                _ => assert!(!text.contains("it's \"a\" $(reboot) `x` #{y} \\n %end & 100%"), "{target}: {file}"),
            }
        }
    }
}

#[test]
fn the_rich_personas_as_installers_read_them() {
    for target in [Target::Preseed, Target::Autoinstall, Target::Kickstart] {
        let persona = rich::persona(target);
        // cloud-init's files are reviewed where cloud-init reads them.
        let files = seed_files(&persona).into_iter().filter(|file| match target {
            Target::Autoinstall => !["meta-data", "vendor-data"].contains(file),
            _ => !["meta-data", "user-data", "vendor-data", "network-config"].contains(file),
        });
        let shown = files.map(|file| {
            let text = seed(&persona, file);
            let (installer, _) = text.split_once("\n  user-data:\n").unwrap_or((&text, ""));
            format!("==> {file}\n{}\n", installer.trim_end())
        });
        insta::assert_snapshot!(format!("rich_{target}"), shown.collect::<Vec<_>>().join("\n"));
    }
}
