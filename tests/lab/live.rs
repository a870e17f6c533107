//! The sample persona on the live Debian, once: cloud-init ends well, and everything that was promised holds.

use std::{fs, path::Path, process::Command, time::Duration};

use super::{
    FULL, Lab, binary,
    daemon::report,
    guest,
    machine::{Firmware, Machine, Spec},
    net::Running,
};

#[test]
fn the_kiosk_persona_holds_on_a_live_debian() {
    let lab = Lab::new("live");
    let (live, mirror) = (guest::live(), guest::mirror());
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("personas/kiosk-live.yaml");
    fs::copy(sample, lab.logs.join("library/kiosk-live.yaml")).unwrap();
    let mut add = Command::new(binary());
    add.args(["image", "add", "debian-live", "--library"]).arg(lab.logs.join("library"));
    add.arg("--kernel").arg(&live.kernel).arg("--initrd").arg(&live.initrd).arg("--rootfs").arg(&live.rootfs);
    for argument in [
        "boot=live",
        "components=no",
        "ip=dhcp",
        "fetch={{blob:rootfs}}",
        "ds=nocloud-net;s={{seed_url}}",
        "net.ifnames=0",
        "console=ttyS0",
    ] {
        add.args(["--arg", argument]);
    }
    assert!(add.output().unwrap().status.success());
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
