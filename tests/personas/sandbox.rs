//! An installer's world in a folder: BusyBox, disks that are only told of, and programs that write down what they were told.
//! What installers run as root runs here for real, and reaches nothing else.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use super::tools::{PASSPHRASE, run};

/// A disk of the device.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FakeDisk {
    pub(crate) name: &'static str,
    pub(crate) gib: u64,
    pub(crate) model: &'static str,
    pub(crate) serial: &'static str,
}

/// What a device is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FakeDevice<'a> {
    pub(crate) disks: &'a [FakeDisk],
    pub(crate) uefi: bool,
}

/// What came of a script.
#[derive(Debug)]
pub(crate) struct Came {
    /// Whether it ended well.
    pub(crate) good: bool,
    /// What it said.
    pub(crate) said: String,
    /// The calls of programs that are not there, one a line.
    pub(crate) calls: String,
    folder: tempfile::TempDir,
}

impl Came {
    /// A file as the script left it.
    pub(crate) fn file(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.folder.path().join(path.trim_start_matches('/'))).ok()
    }
}

/// Programs that are not BusyBox's: each writes down its words. `udevadm` and what fetches also answer.
const UDEVADM: &str =
    "#!/bin/sh\ncase $1 in info) for last; do :; done; cat \"/udev/${last##*/}\" 2>/dev/null;; esac\n";
const FETCHES: &str = r#"#!/bin/sh
printf '%s' "${0##*/}" >>/calls; for word; do printf ' [%s]' "$word" >>/calls; done; echo >>/calls
out=; from=; for word; do
    case $out in next) out=$word;; esac
    case $word in -o|-O) out=next;; http://*/seed/*) from=$word;; esac
done
case $from in
    */passphrase) if [ -n "$out" ]; then cat /secret >"$out"; else cat /secret; fi;;
    *) [ -z "$out" ] || [ "$out" = /dev/null ] || echo "from $from" >"$out";;
esac
"#;
const RECORDS: &str = "#!/bin/sh\nprintf '%s' \"${0##*/}\" >>/calls; for word; do printf ' [%s]' \"$word\" >>/calls; done; echo >>/calls\n";
const CONFMODULE: &str =
    "db_set() { echo \"set [$1] [$2]\" >>/calls; }\ndb_fset() { echo \"fset [$1] [$2] [$3]\" >>/calls; }\n";
/// One that would never end, ended.
const SLEEP: &str = "#!/bin/sh\necho sleep >>/calls; kill $PPID\n";

/// Runs a script on a device that has these disks.
pub(crate) fn on_device(device: &FakeDevice<'_>, script: &str) -> Came {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for dir in ["bin", "udev", "dev/disk/by-id", "sys/block", "tmp", "run", "etc", "target/etc", "var/lib"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
    for applet in ["sh", "sed", "tr", "cut", "cat", "readlink", "printf", "mkdir", "rm", "echo", "kill"] {
        symlink("/bin/busybox", root.join("bin").join(applet)).unwrap();
    }
    let program = |name: &str, text: &str| {
        let path = root.join("bin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    program("udevadm", UDEVADM);
    program("sleep", SLEEP);
    for name in ["curl", "wget"] {
        program(name, FETCHES);
    }
    fs::create_dir_all(root.join("usr/share/debconf")).unwrap();
    fs::write(root.join("usr/share/debconf/confmodule"), CONFMODULE).unwrap();
    let told = ["in-target", "curtin", "clevis", "blkid", "restorecon", "systemctl", "dracut", "update-initramfs"];
    for name in told.into_iter().chain(["flatcar-install"]) {
        program(name, RECORDS);
    }
    fs::write(root.join("secret"), PASSPHRASE).unwrap();
    fs::write(root.join("calls"), "").unwrap();
    fs::write(root.join("autoinstall.yaml"), "version: 1\n").unwrap();
    if device.uefi {
        fs::create_dir_all(root.join("sys/firmware/efi")).unwrap();
    }
    // What is no disk to install to is there too, and large.
    let none = [("loop0", "0"), ("sr0", "0"), ("dm-0", "0"), ("sdz", "1")];
    for (name, read_only) in none {
        block(root, name, 4000, read_only, "Virtual", "");
    }
    for disk in device.disks {
        block(root, disk.name, disk.gib, "0", disk.model, disk.serial);
    }
    fs::write(root.join("script"), script).unwrap();
    let output = run(Command::new("chroot").arg(root).args(["/bin/sh", "/script"]), b"");
    let (good, said) = match output {
        Ok(output) => (true, String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(said) => (false, said),
    };
    let calls = fs::read_to_string(root.join("calls")).unwrap();
    Came { good, said, calls, folder }
}

fn block(root: &Path, name: &str, gib: u64, read_only: &str, model: &str, serial: &str) {
    let folder = root.join("sys/block").join(name);
    fs::create_dir_all(folder.join("device")).unwrap();
    fs::write(folder.join("size"), format!("{}\n", gib << 21)).unwrap();
    fs::write(folder.join("ro"), format!("{read_only}\n")).unwrap();
    // The kernel pads the model with spaces; udev has one underscore for them.
    fs::write(folder.join("device/model"), format!("{model:<24}\n")).unwrap();
    let known = format!("ID_MODEL={}\nID_SERIAL_SHORT={serial}\n", model.replace(' ', "_"));
    fs::write(root.join("udev").join(name), known).unwrap();
    fs::write(root.join("dev").join(name), "").unwrap();
    if !serial.is_empty() {
        symlink(format!("../../{name}"), root.join("dev/disk/by-id").join(format!("x-{serial}"))).unwrap();
    }
}
