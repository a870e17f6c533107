//! Machines: QEMU under TCG (KVM that is present may not be usable), one tap each, their consoles in files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use super::{
    disguise::disguise,
    net::{Net, Running, inside},
};

/// What the machine starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firmware {
    /// SeaBIOS and the NIC's iPXE ROM.
    Bios,
    /// The same, but its ROM does not tell that it is iPXE: PXE as other ROMs do it.
    BiosPlainPxe,
    /// OVMF's own PXE.
    UefiPxe,
    /// OVMF's own HTTP Boot.
    UefiHttp,
}

/// A machine to be.
pub struct Spec {
    pub name: &'static str,
    pub firmware: Firmware,
    /// Which tap, and the last byte of its MAC address.
    pub tap: usize,
    pub memory_mib: u32,
    pub uuid: bool,
    pub disk: Option<PathBuf>,
}

impl Spec {
    pub fn new(name: &'static str, firmware: Firmware) -> Self {
        Self { name, firmware, tap: 0, memory_mib: 512, uuid: true, disk: None }
    }

    pub fn mac(&self) -> String {
        format!("52:54:00:77:00:{:02x}", 0x10 + self.tap)
    }
}

/// A machine that runs until it is dropped.
pub struct Machine {
    _running: Running,
    pub console: PathBuf,
    pub mac: String,
}

const OVMF: &str = "/usr/share/OVMF";

impl Machine {
    pub fn start(net: &Net, spec: &Spec, logs: &Path) -> Self {
        let console = logs.join(format!("{}.console", spec.name));
        let mut qemu = inside(&net.switch(), "qemu-system-x86_64");
        let bios = matches!(spec.firmware, Firmware::Bios | Firmware::BiosPlainPxe);
        // Without graphics, SeaBIOS shows on the serial console too what it and iPXE write on the screen, as OVMF does.
        let machine = if bios { "pc,graphics=off" } else { "q35" };
        qemu.args(["-machine", machine, "-accel", "tcg", "-display", "none", "-m", &spec.memory_mib.to_string()]);
        qemu.args(["-serial", &format!("file:{}", console.display())]);
        // Without virtio headers, a frame is just a frame, for the disguise too.
        qemu.args(["-netdev", &format!("tap,id=n0,ifname=tap{},script=no,downscript=no,vnet_hdr=off", spec.tap)]);
        if spec.firmware == Firmware::BiosPlainPxe {
            qemu.args(disguise("n0", logs, spec.name));
        }
        let mut nic = format!("virtio-net-pci,netdev=n0,mac={},bootindex=1", spec.mac());
        if !bios {
            // An empty ROM file is what leaves the NIC to OVMF.
            nic.push_str(",romfile=");
            let variables = logs.join(format!("{}.vars", spec.name));
            fs::copy(format!("{OVMF}/OVMF_VARS_4M.fd"), &variables).expect("ovmf is installed");
            qemu.args(["-drive", &format!("if=pflash,format=raw,readonly=on,file={OVMF}/OVMF_CODE_4M.fd")]);
            qemu.args(["-drive", &format!("if=pflash,format=raw,file={}", variables.display())]);
        }
        // HTTP Boot alone; and a machine that shall go on to its disk need not wait for IPv6 to time out first.
        let left_out: &[&str] = match (spec.firmware, &spec.disk) {
            (Firmware::UefiHttp, _) => &["IPv4", "IPv6"],
            (Firmware::UefiPxe, Some(_)) => &["IPv6"],
            _ => &[],
        };
        for version in left_out {
            qemu.args(["-fw_cfg", &format!("name=opt/org.tianocore/{version}PXESupport,string=no")]);
        }
        qemu.args(["-device", &nic]);
        if let Some(disk) = &spec.disk {
            qemu.args(["-drive", &format!("if=none,id=d0,format=raw,file={}", disk.display())]);
            qemu.args(["-device", "virtio-blk-pci,drive=d0,bootindex=2"]);
        } else {
            qemu.arg("-no-reboot");
        }
        if spec.uuid {
            qemu.args(["-uuid", &format!("4c4c4544-0042-3510-8054-b7c04f4a31{:02x}", spec.tap)]);
        }
        let log = fs::File::create(logs.join(format!("{}.qemu", spec.name))).expect("the log folder is writable");
        let child = qemu.stdout(Stdio::null()).stderr(log).spawn().expect("qemu-system-x86 is installed");
        Self { _running: Running(child), console, mac: spec.mac() }
    }

    /// What it has written to its serial console.
    pub fn console_text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.console).unwrap_or_default()).into_owned()
    }
}

/// Waits until `condition` gives something, looking often; what it gave, or `None` when `limit` has passed.
pub fn wait_for<T>(limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = condition() {
            return Some(found);
        }
        if began.elapsed() > limit {
            return None;
        }
        sleep(Duration::from_millis(200));
    }
}
