//! Real firmware boots.

use std::{fs, process::Stdio, time::Duration};

use serde_json::Value;

use super::{
    FULL, Lab,
    daemon::{Daemon, report, steps},
    guest::{self, DISK_BOOTED},
    machine::{Firmware, Machine, Spec, wait_for},
    net::Running,
};

/// Five times what a quiet machine takes, and more.
pub const LIMIT: Duration = Duration::from_secs(300);

/// Waits until the machine has reported, and holds what it fetched against what there is to fetch.
pub fn becomes_ready(daemon: &Daemon, machine: &Machine) -> Value {
    let ready = daemon.wait_for_outcome(&machine.mac, "ready", LIMIT);
    let boot = ready.unwrap_or_else(|| {
        panic!(
            "{} did not become ready\n{}\nconsole: {}\nlog: {}",
            machine.mac,
            daemon.timelines(&machine.mac),
            machine.console.display(),
            daemon.log.display()
        )
    });
    let posted = report(&boot);
    assert_eq!(posted["hostname"], machine.mac.as_str(), "the guest is the machine");
    assert_eq!(posted["checks"][0]["saw"], hash_of_rootfs(), "the guest fetched exactly these bytes");
    boot
}

fn hash_of_rootfs() -> String {
    let output = std::process::Command::new("sha256sum").arg(guest::tiny().rootfs).output().unwrap();
    String::from_utf8_lossy(&output.stdout).split_whitespace().next().unwrap().to_owned()
}

pub fn names(boot: &Value) -> Vec<String> {
    steps(boot).into_iter().map(|(name, _)| name).collect()
}

/// A lab whose default persona is the tiny guest.
fn tiny_lab(name: &str) -> Lab {
    let lab = Lab::new(name);
    lab.image("tiny", &["lab.end=poweroff"]);
    lab.persona("lab", "ephemeral", "tiny");
    lab
}

#[test]
fn a_bios_machine_boots_by_its_ipxe_rom() {
    let lab = tiny_lab("bios-rom");
    let daemon = lab.serve(&format!("{FULL}boot: {{default: lab}}\n"));
    let machine = Machine::start(&lab.net, &Spec::new("bios", Firmware::Bios), &lab.logs);
    let boot = becomes_ready(&daemon, &machine);
    assert_eq!(boot["firmware"], "ipxe-bios");
    let names = names(&boot);
    let order = ["discover", "offer", "ack", "script", "blob", "report"];
    let mut at = 0;
    for name in &names {
        if order.get(at) == Some(&name.as_str()) {
            at += 1;
        }
    }
    assert_eq!(at, order.len(), "the timeline tells the boot in order: {names:?}");
    let metrics = curl(&lab, "http://10.77.0.1/metrics");
    assert!(metrics.contains("greenroom_boots{kind=\"ready\"} 1"), "{metrics}");
    let page = curl(&lab, "http://10.77.0.1/");
    assert!(page.contains(&machine.mac) && page.contains("ready"), "the status page shows the boot");
}

#[test]
fn a_bios_machine_with_another_rom_boots_by_undionly() {
    let lab = tiny_lab("bios-undi");
    let daemon = lab.serve(&format!("{FULL}boot: {{default: lab}}\n"));
    let machine = Machine::start(&lab.net, &Spec::new("undi", Firmware::BiosPlainPxe), &lab.logs);
    let boot = becomes_ready(&daemon, &machine);
    let steps = steps(&boot);
    let nbps: Vec<&Value> = steps.iter().filter(|(name, _)| name == "nbp").map(|(_, step)| step).collect();
    assert_eq!(nbps.len(), 1, "loaded once, then it is iPXE itself that asks: {steps:?}");
    assert_eq!(nbps[0]["name"], "undionly.kpxe");
    assert_eq!(boot["firmware"], "bios", "{boot}");
}

#[test]
fn a_uefi_machine_boots_by_pxe_and_asks_for_a_window() {
    let lab = tiny_lab("uefi-pxe");
    let daemon = lab.serve(&format!("{FULL}boot: {{default: lab}}\n"));
    let capture = lab.logs.join("uefi.pcap");
    let mut tcpdump = lab.net.on("srv", "tcpdump");
    tcpdump.args(["-i", "eth0", "-U", "-w"]).arg(&capture).args(["udp", "and", "not", "port", "53"]);
    let tcpdump = Running(tcpdump.stderr(Stdio::null()).spawn().unwrap());
    // Once with an identity and once without: option 97 is all zero then.
    for (tap, uuid) in [(0, true), (1, false)] {
        let spec = Spec { tap, uuid, memory_mib: 1024, ..Spec::new(["uefi", "uefi-no-uuid"][tap], Firmware::UefiPxe) };
        let machine = Machine::start(&lab.net, &spec, &lab.logs);
        let boot = becomes_ready(&daemon, &machine);
        assert_eq!((&boot["firmware"], &boot["arch"]), (&"efi-pxe".into(), &"x64".into()));
        let nbp: Vec<Value> =
            steps(&boot).into_iter().filter(|(name, _)| name == "nbp").map(|(_, step)| step).collect();
        assert_eq!(nbp.len(), 1, "the size probe is no delivery: {nbp:?}");
        assert_eq!(nbp[0]["name"], "snponly.efi");
        let device = daemon.ask(&["--json", "device", "show", &machine.mac]).unwrap();
        let device: Value = serde_json::from_str(&device).unwrap();
        assert_eq!(device["uuid"].is_null(), !uuid, "{device}");
        assert_eq!(device["leases"].as_array().unwrap().len(), 1, "firmware, iPXE and the guest share one address");
    }
    drop(tcpdump);
    // The windows: asked for by OVMF, granted by us.
    let read = std::process::Command::new("tshark")
        .args(["-r", &capture.display().to_string(), "-Y", "tftp.opcode==6", "-T", "fields", "-e", "tftp.option.name"])
        .output()
        .unwrap();
    let oacks = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(oacks.contains("windowsize"), "a window was granted: {oacks}");
}

#[test]
fn a_uefi_machine_boots_by_http() {
    let lab = tiny_lab("uefi-http");
    let daemon = lab.serve(&format!("{FULL}boot: {{default: lab}}\n"));
    let spec = Spec { memory_mib: 1024, ..Spec::new("http", Firmware::UefiHttp) };
    let machine = Machine::start(&lab.net, &spec, &lab.logs);
    let boot = becomes_ready(&daemon, &machine);
    assert_eq!(boot["firmware"], "efi-http");
}

#[test]
fn a_model_that_stalls_at_line_rate_boots_at_the_rate_that_its_quirk_says() {
    let lab = tiny_lab("rate");
    let quirk = "quirks: [{match: {oui: \"52:54:00\"}, rate: 2MiB}]";
    let daemon = lab.serve(&format!("{FULL}boot: {{default: lab, {quirk}}}\n"));
    let machine = Machine::start(&lab.net, &Spec::new("bios", Firmware::Bios), &lab.logs);
    let boot = becomes_ready(&daemon, &machine);
    let steps = steps(&boot);
    let (_, kernel) = steps.iter().find(|(name, step)| name == "blob" && step["role"] == "kernel").unwrap();
    let [bytes, millis] = ["bytes", "took"].map(|field| kernel["transfer"][field].as_u64().unwrap());
    // No machine is so fast that this is not so, and none so slow; without the rate, it takes a tenth of it.
    assert!(millis >= bytes * 1000 / (2 << 20) * 9 / 10, "{kernel}");
}

#[test]
fn in_proxy_mode_another_server_gives_the_addresses() {
    let mut lab = tiny_lab("proxy");
    lab.net.add_host("boot", Some("10.77.0.2/24"));
    let mut dnsmasq = lab.net.on("srv", "dnsmasq");
    dnsmasq.args([
        "--no-daemon",
        "--conf-file=/dev/null",
        "--port=0",
        "--interface=eth0",
        "--dhcp-range=10.77.0.50,10.77.0.99",
    ]);
    dnsmasq.args(["--no-ping", "--dhcp-leasefile=/dev/null", "--dhcp-option=3,10.77.0.1"]);
    let _dnsmasq = Running(dnsmasq.stderr(Stdio::null()).spawn().unwrap());
    let config = "dhcp: {mode: proxy, interfaces: eth0}\nimages: {ram: 64MiB, disk: 1GiB}\nboot: {default: lab}\n";
    let daemon = lab.serve_on("boot", config);
    for (tap, firmware) in [(0, Firmware::Bios), (1, Firmware::UefiPxe)] {
        let spec = Spec { tap, memory_mib: 1024, ..Spec::new(["bios", "uefi"][tap], firmware) };
        let machine = Machine::start(&lab.net, &spec, &lab.logs);
        let boot = becomes_ready(&daemon, &machine);
        assert!(steps(&boot).iter().all(|(_, step)| step["ip"].is_null()), "no address is ours: {boot}");
    }
}

/// The whole life of an installed device: refused, armed, installed, and from then on booted from its disk.
fn installs_once(name: &'static str, firmware: Firmware, make_disk: fn(&std::path::Path)) {
    let lab = Lab::new(name);
    lab.image("installer", &["lab.phase=installed", "lab.end=reboot"]);
    lab.persona("lab-install", "destructive", "installer");
    let daemon = lab.serve(&format!("{FULL}boot: {{default: lab-install}}\n"));
    let disk = lab.logs.join("disk.img");
    make_disk(&disk);
    let spec = Spec { memory_mib: 1024, disk: Some(disk), ..Spec::new("machine", firmware) };
    let mac = spec.mac();

    let refused = Machine::start(&lab.net, &spec, &lab.logs);
    let boot = daemon.wait_for_outcome(&mac, "refused", LIMIT);
    assert!(boot.is_some(), "nobody armed it\n{}", daemon.timelines(&mac));
    assert!(daemon.timelines(&mac).contains("nobody armed this device"), "{}", daemon.timelines(&mac));
    drop(refused);

    daemon.ask(&["device", "arm", &mac]).unwrap();
    let machine = Machine::start(&lab.net, &spec, &lab.logs);
    let installed = daemon.wait_for_outcome(&mac, "installed", LIMIT);
    assert!(installed.is_some(), "it installs when armed\n{}", daemon.timelines(&mac));
    let disk_boot = daemon.wait_for_outcome(&mac, "local-disk", LIMIT);
    assert!(disk_boot.is_some(), "it is sent to its disk after that\n{}", daemon.timelines(&mac));
    let spoke = wait_for(LIMIT, || machine.console_text().contains(DISK_BOOTED).then_some(()));
    assert!(spoke.is_some(), "the disk did not boot; console: {}", machine.console.display());
    let explained = daemon.ask(&["explain", &mac]).unwrap();
    assert!(explained.contains("boot the disk: installed as lab-install@"), "{explained}");
}

#[test]
fn an_installed_bios_machine_boots_its_disk() {
    installs_once("disk-bios", Firmware::Bios, guest::bios_disk);
}

#[test]
fn an_installed_uefi_machine_boots_its_disk() {
    installs_once("disk-uefi", Firmware::UefiPxe, guest::uefi_disk);
}

fn curl(lab: &Lab, url: &str) -> String {
    let output = lab.net.on("srv", "curl").args(["-fsS", url]).output().unwrap();
    assert!(output.status.success(), "{url}: {}", String::from_utf8_lossy(&output.stderr));
    fs::write(lab.logs.join("last-page"), &output.stdout).unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
