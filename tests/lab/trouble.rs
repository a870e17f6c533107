//! Files of an image that are not to be had, as a machine and whoever stands before it meet them: iPXE runs the scripts.

use std::{fs, path::PathBuf, process::Stdio};

use serde_json::Value;

use super::{
    FULL, Lab,
    boots::{LIMIT, becomes_ready, names},
    daemon::Daemon,
    guest::{self, DISK_BOOTED},
    machine::{Firmware, Machine, Spec, wait_for},
    net::Running,
};

/// The web server that has the image: 10.77.0.3.
struct Mirror {
    folder: PathBuf,
    running: Option<Running>,
}

impl Mirror {
    fn start(&mut self, lab: &Lab) {
        let mut web = lab.net.on("mirror", "busybox");
        web.args(["httpd", "-f", "-p", "10.77.0.3:80", "-h"]).arg(&self.folder);
        self.running = Some(Running(web.stderr(Stdio::null()).spawn().unwrap()));
        let asked = || lab.net.on("srv", "curl").args(["-fsSI", "http://10.77.0.3/vmlinuz"]).output().unwrap();
        wait_for(LIMIT, || asked().status.success().then_some(())).unwrap();
    }
}

/// A lab whose default persona has its image there.
fn mirrored_lab(name: &str) -> (Lab, Mirror) {
    let mut lab = Lab::new(name);
    let (tiny, folder) = (guest::tiny(), lab.logs.join("mirror"));
    fs::create_dir(&folder).unwrap();
    for (file, name) in [(tiny.kernel, "vmlinuz"), (tiny.initrd, "initrd"), (tiny.rootfs, "rootfs.bin")] {
        fs::copy(file, folder.join(name)).unwrap();
    }
    lab.net.add_host("mirror", Some("10.77.0.3/24"));
    let mut mirror = Mirror { folder, running: None };
    mirror.start(&lab);
    let [kernel, initrd, rootfs] = ["vmlinuz", "initrd", "rootfs.bin"].map(|name| format!("http://10.77.0.3/{name}"));
    let from = ["--kernel", &kernel, "--initrd", &initrd, "--rootfs", &rootfs];
    lab.image_of("mirrored", &from, &["lab.get={{blob:rootfs}}", "lab.end=poweroff"]);
    lab.persona("lab", "ephemeral", "mirrored");
    (lab, mirror)
}

/// Waits until whoever stands before the machine reads this.
fn is_read(daemon: &Daemon, machine: &Machine, words: &str) {
    let read = wait_for(LIMIT, || machine.console_text().contains(words).then_some(()));
    let timelines = daemon.timelines(&machine.mac);
    assert!(read.is_some(), "nobody reads `{words}` on {}\n{timelines}", machine.console.display());
}

/// How often a file was refused in an attempt.
fn refusals(boot: &Value) -> usize {
    names(boot).iter().filter(|name| *name == "no-blob").count()
}

#[test]
fn a_missing_file_is_told_on_the_console_and_loaded_when_it_is_back() {
    let (lab, mirror) = mirrored_lab("missing");
    let [there, elsewhere] = ["initrd", "elsewhere"].map(|name| mirror.folder.join(name));
    fs::rename(&there, &elsewhere).unwrap();
    let daemon = lab.serve(&format!("{FULL}boot: {{default: lab}}\n"));
    let machine = Machine::start(&lab.net, &Spec::new("bios", Firmware::Bios), &lab.logs);
    is_read(&daemon, &machine, "Greenroom: no initrd: 10.77.0.3 does not have it");
    is_read(&daemon, &machine, "Greenroom: trying again in 10 seconds");
    let told = daemon.timelines(&machine.mac);
    assert!(told.contains("initrd") && told.contains("not to be had: 10.77.0.3 does not have it"), "{told}");

    fs::rename(&elsewhere, &there).unwrap();
    let boot = becomes_ready(&daemon, &machine);
    let names = names(&boot);
    let last = |wanted| names.iter().rposition(|name| name == wanted);
    assert!(last("no-blob").is_some() && last("no-blob") < last("blob"), "it came after it was refused: {names:?}");
    // iPXE hands over as initrds all that it holds: the kernel of the try before as well, if that were not freed.
    let console = machine.console_text();
    let held = console.split("Freeing initrd memory: ").nth(1).and_then(|rest| rest.split('K').next()?.parse().ok());
    let pages = fs::metadata(&there).unwrap().len().div_ceil(4096);
    assert_eq!(held, Some(pages * 4), "the kernel got the initrd and nothing else; see {}", machine.console.display());
}

#[test]
fn a_mirror_that_is_back_before_the_last_try_is_noticed() {
    let (lab, mut mirror) = mirrored_lab("down");
    mirror.running = None;
    let daemon = lab.serve(&format!("{FULL}boot: {{default: lab}}\n"));
    let spec = Spec { memory_mib: 1024, ..Spec::new("uefi", Firmware::UefiPxe) };
    let machine = Machine::start(&lab.net, &spec, &lab.logs);
    is_read(&daemon, &machine, "Greenroom: no kernel: 10.77.0.3 refuses connections");
    let refused = || daemon.boots(&machine.mac).iter().map(refusals).sum::<usize>();
    assert!(wait_for(LIMIT, || (refused() >= 4).then_some(())).is_some(), "{}", daemon.timelines(&machine.mac));
    mirror.start(&lab);
    let boot = becomes_ready(&daemon, &machine);
    assert_eq!(refusals(&boot), 4, "it is this attempt that went on: {}", daemon.timelines(&machine.mac));
}

#[test]
fn a_machine_whose_files_do_not_come_gives_up_and_boots_its_disk() {
    let (lab, mut mirror) = mirrored_lab("gone");
    mirror.running = None;
    let daemon = lab.serve(&format!("{FULL}boot: {{default: lab}}\n"));
    let disk = lab.logs.join("disk.img");
    guest::bios_disk(&disk);
    let machine = Machine::start(&lab.net, &Spec { disk: Some(disk), ..Spec::new("bios", Firmware::Bios) }, &lab.logs);
    is_read(&daemon, &machine, "Greenroom: no kernel: 10.77.0.3 refuses connections");
    let boot = daemon.wait_for_outcome(&machine.mac, "failed", LIMIT);
    let told = daemon.timelines(&machine.mac);
    let boot = boot.unwrap_or_else(|| panic!("it did not give up; console: {}\n{told}", machine.console.display()));
    assert_eq!(refusals(&boot), 5, "it tried five times: {told}");
    assert!(told.contains("gave up") && told.contains("not to be had: 10.77.0.3 refuses connections"), "{told}");
    is_read(&daemon, &machine, "Booting from the disk in 10 seconds");
    is_read(&daemon, &machine, DISK_BOOTED);
}
