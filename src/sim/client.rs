//! A device that boots: what its firmware and iPXE say, in which order, and how patient they are.
//!
//! ```text
//!   switched on ─> DISCOVER ─> REQUEST ─> NBP ─> iPXE: DISCOVER ─> REQUEST ─> script ─┬─> kernel, initrd, rootfs ─> seed ─> ready
//!        ^            (iPXE in the ROM goes from its REQUEST to the script)           ├─> its disk
//!        │                                                                            └─> refused
//!        └──── its person has the desk assign what they want <── nothing named, or the wrong persona
//! ```

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::{
    model::{
        Arch, BootId, Firmware,
        dhcp::{AskKind, BootClient, BootFlavour, DhcpAsk, DhcpPort, Ingress},
        image::Tier,
        plan::PlannedFile,
        request::Request,
        smbios::Hardware,
    },
    wire::paths::{BootPath, TftpName},
};

use super::{
    plan::{Seat, Want},
    server::{SERVER, relay},
};

/// What a device does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Discover,
    Request,
    Nbp,
    Script,
    Ask,
    Load,
    Seed,
    Ready,
    Desk,
}

/// A device from the moment it is switched on until its person has what they want.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) want: Want,
    pub(super) phase: Phase,
    /// Whether iPXE speaks, and no longer the firmware.
    pub(super) ipxe: bool,
    pub(super) boot: Option<BootId>,
    pub(super) ip: Ipv4Addr,
    /// Packets in a row that were not answered.
    pub(super) unanswered: usize,
    /// How often it was switched on again because nothing came of it.
    pub(super) restarts: u32,
    /// When its first DISCOVER went out.
    pub(super) began: Option<u64>,
    pub(super) files: Vec<PlannedFile>,
    pub(super) file: usize,
    /// When the file was asked for, and where it was then.
    pub(super) asked: u64,
    pub(super) tier: Tier,
    /// What the file still waits for: the origin, and the way from the server.
    pub(super) pending: u8,
    /// Whether what it boots is what is wanted.
    pub(super) right: bool,
    /// Milliseconds that files took, in all attempts.
    pub(super) loading: u64,
    /// The farthest tier that a file of this attempt came from.
    pub(super) farthest: Tier,
    /// A prediction acted, and how.
    pub(super) acted: Option<bool>,
    /// The desk was asked.
    pub(super) by_hand: bool,
    pub(super) installs: bool,
    /// Its person has what they want.
    pub(super) loaded: bool,
}

impl Session {
    pub(super) fn new(want: Want, firmware: Firmware) -> Self {
        Self {
            want,
            phase: Phase::Discover,
            ipxe: firmware.is_ipxe(),
            boot: None,
            ip: Ipv4Addr::UNSPECIFIED,
            unanswered: 0,
            restarts: 0,
            began: None,
            files: vec![],
            file: 0,
            asked: 0,
            tier: Tier::Ram,
            pending: 0,
            right: false,
            loading: 0,
            farthest: Tier::Ram,
            acted: None,
            by_hand: false,
            installs: false,
            loaded: false,
        }
    }

    /// It is switched off and on again.
    pub(super) fn restart(&mut self, firmware: Firmware) {
        (self.phase, self.ipxe, self.boot, self.unanswered) = (Phase::Discover, firmware.is_ipxe(), None, 0);
        (self.file, self.pending, self.farthest) = (0, 0, Tier::Ram);
        self.files.clear();
    }

    /// How long it waits for an answer before it asks again, in milliseconds; `None` when it has asked often enough. PXE ROMs
    /// wait 4, 8, 16 and 32 seconds (PXE 2.1, section 2.2.4); iPXE begins with one.
    pub(super) fn patience(&self) -> Option<u64> {
        let first = if self.ipxe { 1000 } else { 4000 };
        (self.unanswered < 4).then(|| first << self.unanswered)
    }
}

/// A DISCOVER or REQUEST of a device, as its relay passes it on.
pub(super) fn dhcp(seat: &Seat, session: &Session, xid: u32) -> Request {
    let firmware = match (session.ipxe, seat.firmware) {
        (false, firmware) => firmware,
        (true, firmware) if firmware.is_efi() => Firmware::IpxeEfi,
        (true, _) => Firmware::IpxeBios,
    };
    let flavour = if firmware == Firmware::EfiHttp { BootFlavour::Http } else { BootFlavour::Pxe };
    let code = match firmware {
        Firmware::EfiHttp => 16,
        firmware if firmware.is_efi() => 7,
        _ => 0,
    };
    let boot = BootClient {
        firmware,
        arch: Some(Arch::X64),
        arch_codes: vec![code],
        flavour,
        uuid_raw: None,
        uuid: None,
        boot_item: None,
    };
    let selects = session.phase == Phase::Request;
    let kind = if selects { AskKind::Request } else { AskKind::Discover };
    let ask = DhcpAsk {
        xid,
        giaddr: relay(seat.relay),
        hops: 1,
        requested: selects.then_some(session.ip),
        server_id: selects.then_some(SERVER),
        boot: Some(boot),
        ..DhcpAsk::new(kind, seat.mac)
    };
    let ingress = Ingress {
        interface: "sim0".to_owned(),
        local: SERVER,
        peer: SocketAddrV4::new(relay(seat.relay), 67),
        port: DhcpPort::Server,
    };
    Request::Dhcp { ask, ingress }
}

/// The attempt that a bootfile names, as a client finds it there: in a TFTP name, or in a URL's path.
pub(super) fn attempt_in(bootfile: &str) -> Option<BootId> {
    let path = bootfile.strip_prefix("http://").and_then(|rest| rest.split_once('/')).map(|(_, path)| path);
    match path {
        Some(path) => match BootPath::parse(path)? {
            BootPath::Start { boot } | BootPath::Nbp { boot, .. } => Some(boot),
            _ => None,
        },
        None => match TftpName::parse(bootfile)? {
            TftpName::Nbp { boot, .. } => boot,
            TftpName::Autoexec { boot } => Some(boot),
        },
    }
}

/// What iPXE reports of the hardware.
pub(super) fn hardware(seat: &Seat) -> Hardware {
    let product = match seat.firmware {
        Firmware::Bios => "OptiPlex 790",
        Firmware::EfiHttp => "EliteDesk 805 G8",
        _ => "ThinkCentre M70q",
    };
    Hardware { product: Some(product.to_owned()), memory_mib: Some(32 << 10), ..Hardware::default() }
}

/// Milliseconds from the answer to what comes next: how long firmware listens for other offers, loads an NBP, starts iPXE.
pub(super) const fn pause(phase: Phase, firmware: Firmware, ipxe: bool) -> u64 {
    match (phase, ipxe, firmware) {
        (Phase::Request, true, _) => 120,
        (Phase::Request, false, Firmware::Bios) => 2000,
        (Phase::Request, false, _) => 3500,
        (Phase::Nbp, ..) => 900,
        (Phase::Discover, ..) => 2500,
        (Phase::Script, ..) => 250,
        (Phase::Ask, ..) => 150,
        (Phase::Load, ..) => 0,
        (Phase::Seed, ..) => 3000,
        (Phase::Ready, ..) => 12_000,
        (Phase::Desk, ..) => 20_000,
    }
}

/// From the reset to the first DISCOVER.
pub(super) const POWER_ON_SELF_TEST: u64 = 15_000;
/// From the start of a kernel until it asks for its root file system.
pub(super) const KERNEL_BOOTS: u64 = 5000;
/// How long an installer works, once it runs.
pub(super) const INSTALLS: u64 = 420_000;
