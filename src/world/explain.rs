//! What *would* happen if a device booted now: the whole exchange, played against a copy of the World.
//!
//! It runs the very code that serves devices, so it cannot disagree with it; and it touches nothing, because the copy is
//! thrown away.

use std::net::{Ipv4Addr, SocketAddrV4};

use serde::{Deserialize, Serialize};

use crate::{
    model::{
        Arch, BootId, Bytes, Firmware, MacAddr, Millis, Moment, Record, Refusal,
        dhcp::{AskKind, BootClient, BootFlavour, Destination, DhcpAnswer, DhcpAsk, DhcpPort, Ingress},
        plan::BootPlan,
        reply::{Reply, Silence},
        request::Request,
        timeline::{Step, Transfer},
    },
    wire::paths::server_url,
};

use super::{Ground, Stamp, World, decide};

/// Who is imagined to boot, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The port.
    pub mac: MacAddr,
    /// The firmware; what was seen last, or UEFI PXE, when not given.
    pub firmware: Option<Firmware>,
    /// The instruction set; what was seen last, or x64, when not given.
    pub arch: Option<Arch>,
    /// The interface that its packets come in on.
    pub interface: String,
    /// This server's address there.
    pub server: Ipv4Addr,
}

/// What would be answered, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The firmware that was imagined.
    pub firmware: Firmware,
    /// The instruction set that was imagined.
    pub arch: Arch,
    /// Each exchange until the script.
    pub answers: Vec<Answer>,
    /// The script's plan, with the decision and its reason; `None` when the device never gets that far.
    pub plan: Option<BootPlan>,
    /// The attempt that was imagined.
    pub boot: Option<BootId>,
    /// The port of the boot URLs.
    pub http_port: u16,
}

/// One exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "came")]
pub enum Answer {
    /// A DHCP packet was answered.
    Dhcp {
        /// Who asked what.
        asked: String,
        /// The answer.
        answer: DhcpAnswer,
        /// Where it would go.
        to: Destination,
        /// Why there is nothing to boot in it, if so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<Refusal>,
    },
    /// A DHCP packet was not answered.
    Silence {
        /// Who asked what.
        asked: String,
        /// Why nothing came.
        silence: Silence,
    },
}

/// Plays a boot of `subject` against a copy of `world`.
pub fn explain(world: &World, ground: &Ground, subject: &Subject, stamp: Stamp) -> Explanation {
    let known = world.device_of(subject.mac);
    let firmware = subject.firmware.or(known.and_then(|device| device.firmware)).unwrap_or(Firmware::EfiPxe);
    let arch = subject.arch.or(known.and_then(|device| device.arch)).unwrap_or(Arch::X64);
    let hardware = known.map(|device| device.hardware.clone()).unwrap_or_default();
    let uuid = known.and_then(|device| device.uuid);
    let mut play = Play { world: world.clone(), ground, subject, stamp, answers: vec![] };

    let client = |firmware| BootClient {
        firmware,
        arch: Some(arch),
        arch_codes: vec![],
        flavour: if firmware == Firmware::EfiHttp { BootFlavour::Http } else { BootFlavour::Pxe },
        uuid_raw: None,
        uuid,
        boot_item: None,
    };
    let mut address = play.address(&client(firmware));
    if address.is_some() && !firmware.is_ipxe() {
        play.chainload();
        let ipxe = if firmware.is_efi() { Firmware::IpxeEfi } else { Firmware::IpxeBios };
        address = play.address(&client(ipxe));
    }
    let boot = play.world.device_of(subject.mac).and_then(|device| device.boot);
    let server = server_url(subject.server, ground.site.http_port);
    let plan = address.zip(boot).and_then(|(ip, boot)| {
        match play.ask(&Request::Script { boot, hardware, peer: ip.into(), server }) {
            Reply::Script(plan) => Some(plan),
            _ => None,
        }
    });
    Explanation { firmware, arch, answers: play.answers, plan, boot, http_port: ground.site.http_port }
}

struct Play<'a> {
    world: World,
    ground: &'a Ground,
    subject: &'a Subject,
    stamp: Stamp,
    answers: Vec<Answer>,
}

impl Play<'_> {
    /// DISCOVER and REQUEST; the address that the client has then, when it was told what to boot. In proxy mode there is
    /// no address of ours: rules by subnet see 0.0.0.0, and UEFI's PXE asks again on 4011 (QUIRKS row 5).
    fn address(&mut self, client: &BootClient) -> Option<Ipv4Addr> {
        let offer = self.dhcp(client, AskKind::Discover, None, DhcpPort::Server)?;
        let ip = offer.yiaddr;
        let answer = match (ip.is_unspecified(), client.firmware) {
            (false, _) => self.dhcp(client, AskKind::Request, Some(ip), DhcpPort::Server)?,
            (true, Firmware::EfiPxe) => self.dhcp(client, AskKind::Request, None, DhcpPort::Proxy)?,
            (true, _) => offer,
        };
        answer.boot.is_some().then_some(ip)
    }

    fn dhcp(
        &mut self,
        client: &BootClient,
        kind: AskKind,
        requested: Option<Ipv4Addr>,
        port: DhcpPort,
    ) -> Option<DhcpAnswer> {
        let asked = match (kind, port) {
            (AskKind::Discover, _) => format!("{} discovers", client.firmware),
            (_, DhcpPort::Server) => format!("{} requests", client.firmware),
            (_, DhcpPort::Proxy) => format!("{} asks on 4011", client.firmware),
        };
        // It is imagined where it was last.
        let link = self.world.device_of(self.subject.mac).map(|device| device.link.clone()).unwrap_or_default();
        let ask = DhcpAsk {
            giaddr: link.relay.unwrap_or(Ipv4Addr::UNSPECIFIED),
            circuit: link.circuit,
            remote: link.remote,
            requested,
            server_id: requested.map(|_| self.subject.server),
            boot: Some(client.clone()),
            ..DhcpAsk::new(kind, self.subject.mac)
        };
        let ingress = Ingress {
            interface: self.subject.interface.clone(),
            local: self.subject.server,
            peer: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68),
            port,
        };
        match self.ask(&Request::Dhcp { ask, ingress }) {
            Reply::Dhcp { answer, to, refused } => {
                self.answers.push(Answer::Dhcp { asked, answer: answer.clone(), to, refused });
                Some(answer)
            }
            Reply::Silence(silence) => {
                self.answers.push(Answer::Silence { asked, silence });
                None
            }
            _ => None,
        }
    }

    /// The NBP is delivered.
    fn chainload(&mut self) {
        let Some(boot) = self.world.device_of(self.subject.mac).and_then(|device| device.boot) else { return };
        let transfer = Transfer { bytes: Bytes(1), of: Bytes(1), took: Millis(0) };
        let step = Step::Nbp { name: "NBP".into(), transfer };
        self.ask(&Request::Observe { boot, step, peer: Ipv4Addr::UNSPECIFIED.into() });
    }

    fn ask(&mut self, request: &Request) -> Reply {
        let outcome = decide(&self.world, self.ground, request, self.stamp);
        for fact in outcome.facts {
            let seq = self.world.seq + 1;
            self.world.apply(&Record { seq, at: self.stamp.now, fact });
        }
        // A real exchange takes a while; what began must look begun.
        self.stamp.nonce = self.stamp.nonce.wrapping_add(1);
        self.stamp.now = Moment::from_millis(self.stamp.now.as_millis() + 1);
        outcome.reply
    }
}
