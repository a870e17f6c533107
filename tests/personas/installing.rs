//! What installers run as root, run: on devices with one disk that fits, with none and with several.

use greenroom::persona::{
    Persona,
    schema::{Disk, Target},
};
use serde_json::{Value, json};

use super::{
    rich,
    sandbox::{Came, FakeDevice, FakeDisk, on_device},
    stage::{decoded, persona, yaml},
    tools::{PASSPHRASE, kickstart_version, read_by, seed},
    validators::{sections, wild_ones},
};

const SSD: FakeDisk = FakeDisk { name: "nvme0n1", gib: 500, model: "Samsung SSD 980 PRO", serial: "S64ANS0T" };
const OTHER: FakeDisk = FakeDisk { name: "sda", gib: 500, model: "Samsung SSD 870", serial: "OTHER1" };
const STICK: FakeDisk = FakeDisk { name: "sdb", gib: 32, model: "Cruzer", serial: "STICK1" };

/// The part of a persona's seed that finds the disk, run on a device.
fn found(persona: &Persona, device: &FakeDevice<'_>) -> Came {
    let script = match persona.target() {
        Target::Kickstart => sections(&seed(persona, "ks.cfg")).remove(0),
        Target::Ignition => {
            let config: Value = serde_json::from_str(&seed(persona, "config.ign")).unwrap();
            decoded(&config["storage"]["files"][0]["contents"]["source"])
        }
        _ => seed(persona, "disk.sh"),
    };
    on_device(device, &script)
}

/// The disk that it would install to, or what it stopped for.
fn chosen(persona: &Persona, disks: &[FakeDisk]) -> Result<String, String> {
    let came = found(persona, &FakeDevice { disks, uefi: true });
    match came.said.split_once("Greenroom installs persona rich to ") {
        Some((_, disk)) => Ok(disk.lines().next().unwrap().to_owned()),
        None => {
            assert!(!came.good && came.said.contains("GREENROOM STOPS THE INSTALLATION"), "{came:?}");
            assert!(came.calls.contains(r#"[{"phase":"failed","message":""#), "{came:?}");
            let touched = ["set [", "/passphrase", "flatcar-install"].iter().any(|call| came.calls.contains(call));
            assert!(!touched && came.file("/tmp/greenroom-disk.ks").is_none(), "{came:?}");
            Err(came.said)
        }
    }
}

#[test]
fn exactly_one_disk_must_fit() {
    let all = [SSD, OTHER, STICK];
    let by = |disk: Disk, disks: &[FakeDisk]| {
        let mut persona = rich::persona(Target::Preseed);
        persona.os.install.as_mut().unwrap().disk = disk;
        chosen(&persona, disks)
    };
    let model = |model: &str| Disk { model: Some(model.into()), ..Disk::default() };
    assert_eq!(by(model("Samsung SSD 870"), &all).unwrap(), "/dev/sda");
    assert!(by(model("Samsung*"), &all).is_err() && by(model("SSD 870"), &all).is_err(), "no patterns, no middles");
    let small = by(Disk { serial: Some("STICK1".into()), ..Disk::default() }, &all).unwrap_err();
    assert!(small.contains("/dev/sdb is too small"), "{small}");
    let size = |gib: u64| Disk { max_size: Some(greenroom::model::Bytes(gib << 30)), ..Disk::default() };
    assert_eq!(by(size(500), &[STICK, SSD, FakeDisk { gib: 501, ..OTHER }][1..]).unwrap(), "/dev/nvme0n1");
    assert!(by(size(16), &all).unwrap_err().contains("no disk of this device"));
    assert!(by(size(500), &[]).is_err());
    let path = |path: &str| Disk { path: Some(path.into()), ..Disk::default() };
    assert_eq!(by(path("/dev/sda"), &all).unwrap(), "/dev/sda");
    assert_eq!(by(path("/dev/disk/by-id/x-S64ANS0T"), &all).unwrap(), "/dev/nvme0n1");
    assert!(by(path("/dev/sdz"), &all).is_err(), "it is read-only");
    assert!(by(path("/dev/sdx"), &all).is_err());
    let serial = |serial: &str| Disk { serial: Some(serial.into()), ..Disk::default() };
    assert_eq!(by(serial("OTHER1"), &all).unwrap(), "/dev/sda");
    assert!(by(serial(r#"x"; reboot #'$(reboot)`"#), &all).is_err());
}

#[test]
fn no_installer_takes_one_of_several_disks() {
    for target in [Target::Preseed, Target::Autoinstall, Target::Kickstart] {
        let mut persona = rich::persona(target);
        assert_eq!(chosen(&persona, &[SSD, OTHER, STICK]).unwrap(), "/dev/nvme0n1");
        assert!(chosen(&persona, &[OTHER, STICK]).is_err());
        persona.os.install.as_mut().unwrap().disk = Disk { model: Some("Samsung".into()), ..Disk::default() };
        let said = chosen(&persona, &[SSD, OTHER, STICK]).unwrap_err();
        assert!(said.contains("2 disks of this device fit") && said.contains("serial S64ANS0T"), "{said}");
    }
}

#[test]
fn flatcar_is_written_to_that_disk_and_the_device_reboots_once_that_is_known() {
    let mut persona = persona(include_str!("sample/flatcar-disk.yaml"));
    let device = FakeDevice { disks: &[SSD, OTHER, STICK], uefi: true };
    let came = found(&persona, &device);
    assert!(came.good && came.file("/run/greenroom-installed.ign").is_none(), "{came:?}");
    let steps = [
        "/token/installed.ign]",
        r#"[{"phase":"installing"}]"#,
        "flatcar-install [-d] [/dev/nvme0n1] [-i] [/run/greenroom-installed.ign] [-V] [4081.2.1]",
        r#"[{"phase":"installed"}]"#,
        "systemctl [reboot]",
    ];
    let places: Vec<_> = steps.iter().map(|step| came.calls.find(step).expect(step)).collect();
    assert!(places.is_sorted(), "{}", came.calls);
    persona.os.install.as_mut().unwrap().disk = Disk { model: Some("Samsung".into()), ..Disk::default() };
    assert!(chosen(&persona, device.disks).unwrap_err().contains("2 disks of this device fit"));
    persona.os.install.as_mut().unwrap().disk = Disk { serial: Some("$(reboot)".into()), ..Disk::default() };
    assert!(chosen(&persona, device.disks).is_err());
}

#[test]
fn partman_is_told_the_disk_the_recipe_and_the_passphrase() {
    let persona = rich::persona(Target::Preseed);
    for uefi in [true, false] {
        let came = found(&persona, &FakeDevice { disks: &[SSD, OTHER, STICK], uefi });
        assert!(came.good, "{came:?}");
        for answer in [
            "set [partman-auto/disk] [/dev/nvme0n1]".to_owned(),
            "set [grub-installer/bootdev] [/dev/nvme0n1]".to_owned(),
            format!("set [partman-crypto/passphrase] [{PASSPHRASE}]"),
            format!("set [partman-crypto/passphrase-again] [{PASSPHRASE}]"),
            "fset [partman-crypto/passphrase] [seen] [true]".to_owned(),
        ] {
            assert!(came.calls.lines().any(|line| line == answer), "{answer}\n{}", came.calls);
        }
        assert!(came.file("/tmp/greenroom.passphrase").is_none(), "it stays nowhere");
        let recipe = came.file("/tmp/greenroom.recipe").unwrap();
        insta::assert_snapshot!(if uefi { "recipe_uefi" } else { "recipe_bios" }, recipe);
    }
}

/// The answers as subiquity reads them when `disk.sh` is done.
fn autoinstall(persona: &Persona, uefi: bool) -> Value {
    let came = found(persona, &FakeDevice { disks: &[SSD], uefi });
    assert!(came.good, "{came:?}");
    let mut answers = yaml(&seed(persona, "user-data"))["autoinstall"].clone();
    let added = yaml(&came.file("/autoinstall.yaml").unwrap());
    answers["storage"] = added["storage"].clone();
    answers
}

#[test]
fn subiquity_takes_every_answer() {
    let on_our_disk = |mut persona: Persona| {
        persona.os.install.as_mut().unwrap().disk = Disk { path: Some("/dev/nvme0n1".into()), ..Disk::default() };
        persona
    };
    let mut personas: Vec<Persona> = wild_ones(Target::Autoinstall, 12).into_iter().map(on_our_disk).collect();
    personas.push(rich::persona(Target::Autoinstall));
    let both = personas.iter().flat_map(|persona| [true, false].map(|uefi| autoinstall(persona, uefi)));
    let both: Vec<Value> = both.collect();
    let read = read_by("autoinstall", &both.iter().map(|answers| json!(answers.to_string())).collect::<Vec<_>>());
    for (answers, read) in both.iter().zip(&read) {
        assert_eq!(answers, read, "YAML has one meaning");
    }
    let rich = read.last().unwrap();
    let actions = rich["storage"]["config"].as_array().unwrap();
    let of = |kind: &str| actions.iter().filter(|action| action["type"] == kind).collect::<Vec<_>>();
    assert_eq!((of("dm_crypt").len(), of("lvm_partition").len()), (1, 4));
    assert_eq!(of("dm_crypt")[0]["keyfile"], "/run/greenroom.passphrase");
    assert_eq!(of("disk")[0]["path"], "/dev/nvme0n1");
    let mounts: Vec<&str> = of("mount").iter().filter_map(|mount| mount["path"].as_str()).collect();
    assert_eq!(mounts, ["/boot", "/home", "/var/log", "", "/"]);
    let loader = |read: &Value| read["storage"]["config"][1]["flag"].clone();
    assert_eq!((loader(&read[read.len() - 2]), loader(rich)), (json!("boot"), json!("bios_grub")));
}

#[test]
fn raw_answers_win_and_are_merged_deeply() {
    let mut persona = rich::persona(Target::Autoinstall);
    let raw = json!({ "storage": { "swap": { "size": 4096 } }, "ssh": { "allow-pw": false }, "drivers": { "install": true } });
    persona.raw.autoinstall = raw.as_object().unwrap().clone();
    let answers = autoinstall(&persona, true);
    assert_eq!(answers["storage"]["swap"], json!({ "size": 4096 }));
    assert!(answers["storage"]["config"].is_array());
    assert_eq!(answers["ssh"], json!({ "install-server": true, "allow-pw": false }));
    assert_eq!(answers["drivers"], json!({ "install": true }));
    let mut persona = rich::persona(Target::Preseed);
    persona.raw.preseed = "d-i time/zone string UTC".into();
    assert!(seed(&persona, "preseed.cfg").ends_with("\nd-i time/zone string UTC\n"));
    let mut persona = rich::persona(Target::Kickstart);
    persona.raw.kickstart = "%addon com_redhat_kdump --disable\n%end".into();
    let text = seed(&persona, "ks.cfg");
    assert!(text.ends_with("%addon com_redhat_kdump --disable\n%end\n"));
    read_by("kickstart", &[json!({ "version": "RHEL9", "text": text })]);
}

#[test]
fn anaconda_takes_the_commands_that_pre_writes() {
    let mut personas = wild_ones(Target::Kickstart, 12);
    personas.push(rich::persona(Target::Kickstart));
    let whole = |persona: &Persona| {
        let mut persona = persona.clone();
        persona.os.install.as_mut().unwrap().disk = Disk { serial: Some("S64ANS0T".into()), ..Disk::default() };
        let came = found(&persona, &FakeDevice { disks: &[SSD, OTHER], uefi: false });
        assert!(came.good, "{came:?}");
        let commands = came.file("/tmp/greenroom-disk.ks").unwrap();
        let text = seed(&persona, "ks.cfg").replace("%include /tmp/greenroom-disk.ks\n", &commands);
        json!({ "version": kickstart_version(&persona), "text": text })
    };
    let read = read_by("kickstart", &personas.iter().map(whole).collect::<Vec<_>>());
    for (persona, read) in personas.iter().zip(&read) {
        let install = persona.os.install.as_ref().unwrap();
        let all = |key: &str| read[key].as_array().unwrap().iter();
        assert_eq!(read["drives"], json!(["nvme0n1"]));
        let mounts: Vec<&str> = all("parts")
            .chain(all("volumes"))
            .filter_map(|own| own["mount"].as_str())
            .chain(all("btrfs").filter_map(Value::as_str))
            .collect();
        for partition in &install.partitions {
            assert!(mounts.contains(&partition.mount.as_str()), "{mounts:?}");
        }
        assert!(mounts.contains(&"/") && mounts.contains(&"swap") == install.swap.is_some(), "{mounts:?}");
        let locked: Vec<&Value> = all("parts").filter(|own| own["encrypted"] == json!(true)).collect();
        assert_eq!(locked.is_empty(), persona.security.encryption.is_none());
        assert!(locked.iter().all(|own| own["passphrase"] == json!(PASSPHRASE)), "{locked:?}");
        assert!(locked.iter().all(|own| own["mount"] != json!("/boot")), "the boot loader reads it");
    }
}

#[test]
fn the_end_of_an_installation_leaves_the_seed_and_says_so() {
    for target in [Target::Preseed, Target::Autoinstall, Target::Kickstart] {
        let persona = rich::persona(target);
        let script = match target {
            Target::Kickstart => sections(&seed(&persona, "ks.cfg")).pop().unwrap(),
            _ => seed(&persona, "finish.sh"),
        };
        // What binds the disk reads the new system's own crypttab.
        let script =
            format!("mkdir -p /target/etc/cloud/cloud.cfg.d; printf 'luks UUID=1 none\\n' >/etc/crypttab\n{script}");
        let came = on_device(&FakeDevice { disks: &[SSD], uefi: true }, &script);
        assert!(came.good, "{target}: {came:?}");
        assert!(came.calls.trim_end().ends_with(r#"[{"phase":"installed"}]"#), "{target}: {came:?}");
        let folder = match target {
            Target::Preseed => "/target/var/lib/cloud/seed/nocloud",
            _ => "/var/lib/cloud/seed/nocloud",
        };
        if target == Target::Autoinstall {
            let network = came.file("/target/etc/cloud/cloud.cfg.d/95-greenroom-network.cfg").unwrap();
            assert_eq!(yaml(&network)["network"]["vlans"]["vlan20"]["id"], 20);
            let grub = came.file("/target/etc/default/grub.d/90-greenroom.cfg").unwrap();
            assert_eq!(grub, "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX quiet crashkernel=256M\"\n");
        } else {
            for file in ["meta-data", "user-data", "vendor-data", "network-config"] {
                let left = came.file(&format!("{folder}/{file}")).unwrap_or_default();
                assert!(left.ends_with(&format!("/token/{file}\n")), "{target}: {file}: {left}");
            }
        }
        assert!(came.calls.contains("clevis"), "{target}: {came:?}");
        assert!(came.file("/run/greenroom.passphrase").is_none() && !came.calls.contains(PASSPHRASE), "{came:?}");
    }
}

#[test]
fn an_installation_that_ends_badly_says_so() {
    for target in [Target::Preseed, Target::Autoinstall, Target::Kickstart] {
        let persona = rich::persona(target);
        let script = match target {
            Target::Kickstart => sections(&seed(&persona, "ks.cfg")).pop().unwrap(),
            _ => seed(&persona, "finish.sh"),
        };
        // There is no crypttab to bind, nor a chroot to do it in.
        let broken = format!("rm -f /bin/curtin /bin/in-target\nmkdir -p /target/etc/cloud/cloud.cfg.d\n{script}");
        let came = on_device(&FakeDevice { disks: &[SSD], uefi: true }, &broken);
        assert!(!came.good && !came.calls.contains("installed\""), "{target}: {came:?}");
        let last = came.calls.trim_end().lines().last().unwrap();
        assert!(last.contains(r#"{"phase":"failed","message":"the installed"#), "{target}: {came:?}");
    }
}
