//! The sample persona on the live Debian, once: cloud-init ends well, and everything that was promised holds.

use std::{fs, path::Path, process::Command, time::Duration};

use super::{
    FULL, Lab, binary,
    daemon::{report, steps},
    guest,
    machine::{Firmware, Machine, Spec, wait_for},
    net::Running,
};

#[test]
fn the_kiosk_persona_holds_on_a_live_debian() {
    let lab = Lab::new("live");
    let mirror = guest::mirror();
    guest::live_library(binary(), &lab.logs.join("library"));
    let mut web = lab.net.on("srv", "busybox");
    web.args(["httpd", "-f", "-p", "10.77.0.1:8080", "-h"]).arg(&mirror);
    let _mirror = Running(web.spawn().unwrap());
    let site = "boot: {rules: [{name: lab, match: {arch: x64}, persona: kiosk-live}]}\nsite: {mirrors: {debian: \"http://10.77.0.1:8080/debian\"}}\n";
    let config = FULL.replace("ram: 64MiB", "ram: 512MiB");
    let daemon = lab.serve(&format!("{config}{site}"));
    let spec = Spec { memory_mib: 2048, ..Spec::new("kiosk", Firmware::Bios) };
    let machine = Machine::start(&lab.net, &spec, &lab.logs);
    let boot = daemon.wait_for_outcome(&machine.mac, "ready", Duration::from_secs(1200));
    let boot =
        boot.unwrap_or_else(|| panic!("{}\nconsole: {}", daemon.timelines(&machine.mac), machine.console.display()));
    let posted = report(&boot);
    assert_eq!((&posted["hostname"], &posted["cloud_init"]), (&"kiosk-770010".into(), &"done".into()));
    let checks = posted["checks"].as_array().unwrap();
    let names: Vec<&str> = checks.iter().filter_map(|check| check["name"].as_str()).collect();
    assert_eq!(names, ["hostname", "user kiosk", "user labadmin", "locale", "timezone", "package tree"]);
    assert!(checks.iter().all(|check| check["ok"] == true), "{checks:?}");
    assert!(daemon.timelines(&machine.mac).contains("rule \"lab\""));
}

#[test]
fn the_debian_installer_reads_its_answers() {
    let lab = Lab::new("installer");
    let installer = guest::installer();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("personas/workstation-debian.yaml");
    fs::copy(sample, lab.logs.join("library/workstation-debian.yaml")).unwrap();
    let mut add = Command::new(binary());
    add.args(["image", "add", "debian-12-installer", "--library"]).arg(lab.logs.join("library"));
    add.arg("--kernel").arg(&installer.kernel).arg("--initrd").arg(&installer.initrd);
    for argument in [
        "auto=true",
        "priority=critical",
        "url={{seed_url}}preseed.cfg",
        "console=ttyS0",
        "DEBIAN_FRONTEND=text",
        "---",
    ] {
        add.args(["--arg", argument]);
    }
    assert!(add.output().unwrap().status.success());
    let daemon = lab.serve(FULL);
    let disk = lab.logs.join("disk.img");
    fs::write(&disk, vec![0; 1 << 20]).unwrap();
    let spec = Spec { memory_mib: 1536, disk: Some(disk), ..Spec::new("workstation", Firmware::Bios) };
    daemon.ask(&["device", "assign", &spec.mac(), "workstation-debian", "--arm"]).unwrap();
    let machine = Machine::start(&lab.net, &spec, &lab.logs);
    let read = wait_for(Duration::from_secs(600), || {
        let boots = daemon.boots(&machine.mac);
        let seeds = boots.iter().flat_map(steps).filter(|(name, _)| name == "seed");
        seeds.map(|(_, step)| step["name"].clone()).find(|name| name == "preseed.cfg")
    });
    assert!(read.is_some(), "{}\nconsole: {}", daemon.timelines(&machine.mac), machine.console.display());
    let told = daemon.timelines(&machine.mac);
    assert!(told.contains("become workstation-debian@") && told.contains("armed by lab"), "{told}");
    // What comes next needs a whole mirror: here the installer finds that there is none, and says so itself. It got past
    // every question before that one by our answers alone.
    let past = wait_for(Duration::from_secs(600), || {
        let console = machine.console_text();
        ["Bad archive mirror", "archive mirror", "mirror"].iter().any(|sign| console.contains(sign)).then_some(())
    });
    assert!(past.is_some(), "the installer asks what we should have answered; console: {}", machine.console.display());
}
