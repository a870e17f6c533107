//! Images that were added from a medium: the machine boots what lies inside it.

use std::{fs, process::Command};

use super::{
    FULL, Lab,
    boots::becomes_ready,
    daemon::steps,
    guest,
    machine::{Firmware, Machine, Spec},
};

#[test]
fn a_machine_boots_out_of_an_iso_by_the_arguments_that_image_add_wrote() {
    let lab = Lab::new("iso");
    // The tiny guest on a live medium as Debian lays it out. It fetches what live-boot is told to.
    let (tiny, live) = (guest::tiny(), lab.logs.join("medium/live"));
    fs::create_dir_all(&live).unwrap();
    for (file, name) in [(tiny.kernel, "vmlinuz"), (tiny.initrd, "initrd.img"), (tiny.rootfs, "filesystem.squashfs")] {
        fs::copy(file, live.join(name)).unwrap();
    }
    let iso = lab.logs.join("live.iso");
    let mut xorriso = Command::new("xorriso");
    xorriso.args(["-as", "mkisofs", "-quiet", "-R", "-J", "-V", "LIVE", "-o"]).arg(&iso).arg(lab.logs.join("medium"));
    assert!(xorriso.status().unwrap().success());
    fs::remove_dir_all(lab.logs.join("medium")).unwrap();

    lab.image_of("live", &[iso.to_str().unwrap()], &[]);
    lab.persona("lab", "ephemeral", "live");
    let manifest = fs::read_to_string(lab.logs.join("library/images/live.yaml")).unwrap();
    assert!(manifest.contains("iso:") && !manifest.contains("lab.get"), "{manifest}");
    let daemon = lab.serve(&format!("{FULL}boot: {{default: lab}}\n"));
    let machine = Machine::start(&lab.net, &Spec::new("iso", Firmware::Bios), &lab.logs);
    let boot = becomes_ready(&daemon, &machine);
    let blobs: Vec<_> =
        steps(&boot).into_iter().filter(|(name, _)| name == "blob").map(|(_, step)| step["role"].clone()).collect();
    assert_eq!(blobs, ["kernel", "initrd", "rootfs"], "{boot}");
}
