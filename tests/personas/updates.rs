//! Automatic updates: a persona that says nothing of them leaves them as the distribution has them, on every target.

use std::{fs, process::Command};

use greenroom::persona::render::seed_files;
use serde_json::Value;

use super::stage::{persona, rendered, yaml};

/// The seed of a persona of this system, which says `said` of its updates, as one text.
fn seed(system: &str, said: &str) -> String {
    let (os, users) = match system {
        "windows" => (
            r#"effect: destructive
os: {image: x, distribution: windows, install: {disk: {path: '\\.\PhysicalDrive0'}}}"#
                .to_owned(),
            "users: [{name: admin1, sudo: true, password_secret: admin}]",
        ),
        "flatcar on a disk" => (
            "effect: destructive\nos: {image: x, distribution: flatcar, install: {disk: {path: /dev/vda}}}".to_owned(),
            "groups: []",
        ),
        system => (format!("effect: ephemeral\nos: {{image: x, distribution: {system}}}"), "groups: []"),
    };
    let persona = persona(&format!("apiVersion: greenroom/v1\ndescription: x\n{os}\nsecurity:\n  {users}\n  {said}\n"));
    seed_files(&persona).iter().map(|file| rendered(&persona, "x", file)).collect()
}

#[test]
fn what_is_not_said_switches_nothing_off_or_on() {
    for system in ["debian", "ubuntu", "rocky", "fedora", "flatcar", "flatcar on a disk", "windows"] {
        let seed = seed(system, "");
        for word in ["update-engine", "locksmithd", "WindowsUpdate", "Unattended-Upgrade", "unattended", "automatic"] {
            // What unattended.xml says of itself is not about updates.
            let told = seed.replace("urn:schemas-microsoft-com:unattend", "").contains(word);
            assert!(!told, "{system}: {word}");
        }
    }
}

#[test]
fn windows_and_flatcar_are_told_either_way() {
    let units = |said: &str| -> Vec<(String, bool, bool)> {
        let persona = persona(&format!(
            "apiVersion: greenroom/v1\ndescription: x\neffect: destructive\n\
             os: {{image: x, distribution: flatcar, install: {{disk: {{path: /dev/vda}}}}}}\nsecurity: {{{said}}}\n"
        ));
        let config: Value = serde_json::from_str(&rendered(&persona, "x", "installed.ign")).unwrap();
        let units = config["systemd"]["units"].as_array().unwrap().iter();
        let ours =
            units.filter(|unit| ["update-engine.service", "locksmithd.service"].iter().any(|it| unit["name"] == *it));
        ours.map(|unit| (unit["name"].to_string(), unit["enabled"] == true, unit["mask"] == true)).collect()
    };
    assert!(units("automatic_updates: true").iter().all(|(_, enabled, masked)| *enabled && !masked));
    assert!(units("automatic_updates: false").iter().all(|(_, enabled, masked)| !enabled && *masked));
    assert_eq!((units("automatic_updates: true").len(), units("automatic_updates: false").len()), (2, 2));
    let on = seed("windows", "automatic_updates: true");
    assert!(on.contains("-Name AUOptions -Type DWord -Value 4") && !on.contains("NoAutoUpdate"), "{on}");
    let off = seed("windows", "automatic_updates: false");
    assert!(off.contains("-Name NoAutoUpdate -Type DWord -Value 1") && !off.contains("AUOptions"), "{off}");
}

#[test]
fn off_is_off_although_the_system_brings_what_would_update_it() {
    // As Ubuntu has it, and Debian once a desktop has brought unattended-upgrades.
    let folder = tempfile::tempdir().unwrap();
    let parts = folder.path().join("parts");
    fs::create_dir(&parts).unwrap();
    fs::write(parts.join("20auto-upgrades"), "APT::Periodic::Unattended-Upgrade \"1\";\n").unwrap();
    let asked = || {
        // APT reads this file first, which tells it where its others are.
        let first = folder.path().join("first");
        fs::write(&first, format!("Dir::Etc::parts \"{}\";\n", parts.display())).unwrap();
        let mut apt = Command::new("apt-config");
        let output = apt.env("APT_CONFIG", first).args(["dump", "APT::Periodic::Unattended-Upgrade"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(asked(), "APT::Periodic::Unattended-Upgrade \"1\";\n");
    let cloud_config = |system: &str| -> Value {
        let persona = persona(&format!(
            "apiVersion: greenroom/v1\ndescription: x\neffect: ephemeral\nos: {{image: x, distribution: {system}}}\n\
             security: {{automatic_updates: false}}\n"
        ));
        yaml(&rendered(&persona, "x", "user-data"))
    };
    let config = cloud_config("ubuntu");
    let files = config["write_files"].as_array().unwrap();
    for file in files.iter().filter(|file| file["path"].as_str().unwrap().starts_with("/etc/apt/apt.conf.d/")) {
        let name = file["path"].as_str().unwrap().rsplit('/').next().unwrap();
        fs::write(parts.join(name), file["content"].as_str().unwrap()).unwrap();
    }
    assert_eq!(asked(), "APT::Periodic::Unattended-Upgrade \"0\";\n");
    let commands = cloud_config("rocky")["runcmd"].to_string();
    for timer in ["dnf-automatic.timer", "dnf-automatic-install.timer", "dnf5-automatic.timer"] {
        assert!(commands.contains(&format!(r#"["systemctl","mask","--now","{timer}"]"#)), "{commands}");
    }
}
