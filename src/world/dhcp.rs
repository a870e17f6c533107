//! DHCP through the door: full mode, proxy mode, and the boot server on 4011.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::{
    boot::bootfile::bootfile,
    lease::transition::{self, Requested},
    model::{
        BootId, Device, Fact, Link, Refusal,
        dhcp::{
            AnswerKind, AskKind, BootClient, BootOptions, Destination, DhcpAnswer, DhcpAsk, DhcpPort, Ingress,
            NetworkOptions,
        },
        lease::LeaseState,
        reply::{Reply, Silence},
        site::{DhcpMode, Subnet},
        timeline::Step,
    },
};

use super::{Ground, Outcome, Stamp, World, attempt};

/// The port of DHCP clients.
const CLIENT_PORT: u16 = 68;

/// One packet and what it meets.
struct Exchange<'a> {
    world: &'a World,
    ground: &'a Ground,
    ask: &'a DhcpAsk,
    ingress: &'a Ingress,
    stamp: Stamp,
}

/// Decides one packet.
pub(super) fn decide(world: &World, ground: &Ground, ask: &DhcpAsk, ingress: &Ingress, stamp: Stamp) -> Outcome {
    let exchange = Exchange { world, ground, ask, ingress, stamp };
    match (ground.site.mode, ingress.port) {
        (DhcpMode::Off, _) => silent(Silence::WrongMode),
        (_, DhcpPort::Proxy) => exchange.boot_server(),
        (DhcpMode::Proxy, DhcpPort::Server) => exchange.proxy(),
        (DhcpMode::Full, DhcpPort::Server) => exchange.full(),
    }
}

impl Exchange<'_> {
    /// Full mode: addresses for everybody, and what to boot for those who ask.
    fn full(&self) -> Outcome {
        let subnet = match self.subnet() {
            Ok(subnet) => subnet,
            Err(why) => return self.refuse(why),
        };
        match self.ask.kind {
            AskKind::Discover => self.discover(subnet),
            AskKind::Request => self.request(subnet),
            AskKind::Inform => self.inform(subnet),
            AskKind::Release => Outcome {
                reply: Reply::Silence(Silence::NoAnswerNeeded),
                facts: transition::release(&self.world.leases, self.ask).into_iter().collect(),
            },
            AskKind::Decline => Outcome {
                reply: Reply::Silence(Silence::NoAnswerNeeded),
                facts: transition::decline(&self.world.leases, self.ask, self.stamp.now).into_iter().collect(),
            },
        }
    }

    fn discover(&self, subnet: &Subnet) -> Outcome {
        let mut told = self.boot_part();
        if self.ask.boot.is_none() {
            // What a known device runs once it has booted may have been moved as well.
            told.facts.extend(self.world.device_of(self.ask.mac).and_then(|device| self.placed(device)));
        }
        let server = self.ingress.local;
        let lease = match transition::offer(&self.world.leases, subnet, self.ask, server, self.stamp.now) {
            Ok(lease) => lease,
            Err(why) => return told.refused(why),
        };
        let ip = lease.ip;
        if lease.state == LeaseState::Offered {
            told.facts.push(Fact::LeaseOffered { lease });
        }
        told.step(|bootfile| Step::Offer { ip: Some(ip), bootfile });
        self.answer(AnswerKind::Offer, ip, Some(self.network(subnet, true)), told)
    }

    fn request(&self, subnet: &Subnet) -> Outcome {
        let (server, now) = (self.ingress.local, self.stamp.now);
        let authoritative = self.ground.site.authoritative;
        match transition::request(&self.world.leases, subnet, self.ask, server, authoritative, now) {
            // One device may hear two of our own interfaces, and takes one of the two offers.
            Requested::Silent(Silence::Refused(Refusal::OtherServer { server }))
                if self.ground.site.addresses.contains(&server) =>
            {
                silent(Silence::OtherAddress)
            }
            Requested::Silent(Silence::Refused(why)) => self.refuse(why),
            Requested::Silent(silence) => silent(silence),
            Requested::Nak(why) => self.nak(why),
            Requested::Bound(lease) => {
                let mut told = self.boot_part();
                let ip = lease.ip;
                told.facts.push(Fact::LeaseBound { lease });
                told.step(|bootfile| Step::Ack { ip: Some(ip), bootfile });
                self.answer(AnswerKind::Ack, ip, Some(self.network(subnet, true)), told)
            }
        }
    }

    /// INFORM: everything but an address and its times (RFC 2131 section 4.3.5).
    fn inform(&self, subnet: &Subnet) -> Outcome {
        let told = self.boot_part();
        self.answer(AnswerKind::Ack, Ipv4Addr::UNSPECIFIED, Some(self.network(subnet, false)), told)
    }

    /// Proxy mode on port 67: only what to boot, only in OFFERs. The REQUEST that follows is the DHCP server's business;
    /// clients that want more ask on 4011.
    fn proxy(&self) -> Outcome {
        if self.ask.kind != AskKind::Discover || self.ask.boot.is_none() {
            return silent(Silence::NotBooting);
        }
        let mut told = self.boot_part();
        if told.boot.is_none() {
            // An offer that boots nothing would only get in the DHCP server's way.
            return told.silent();
        }
        told.step(|bootfile| Step::Offer { ip: None, bootfile });
        self.answer(AnswerKind::Offer, Ipv4Addr::UNSPECIFIED, None, told)
    }

    /// The boot server on 4011, in both modes: an ACK to the client's own port (QUIRKS row 7).
    fn boot_server(&self) -> Outcome {
        if !matches!(self.ask.kind, AskKind::Request | AskKind::Inform) {
            return silent(Silence::NoAnswerNeeded);
        }
        let Some(client) = &self.ask.boot else { return silent(Silence::NotBooting) };
        let layer = client.boot_item.map(|[_, _, high, low]| u16::from_be_bytes([high, low]));
        if layer.is_some_and(|layer| layer & 0x8000 != 0) {
            return silent(Silence::BootItemWithBis);
        }
        let mut told = self.boot_part();
        if told.boot.is_none() {
            return told.silent();
        }
        told.step(|bootfile| Step::Ack { ip: None, bootfile });
        let yiaddr = if client.boot_item.is_some() { self.ask.ciaddr } else { Ipv4Addr::UNSPECIFIED };
        self.answer(AnswerKind::Ack, yiaddr, None, told)
    }

    /// No answer at all. The reason goes to the log, and into the timeline of a client that wants to boot.
    fn refuse(&self, why: Refusal) -> Outcome {
        let told = self.ask.boot.as_ref().map(|client| self.sight(client).0);
        told.unwrap_or_default().refused(why)
    }

    /// The attempt that the packet belongs to, whose it is, and what the packet already tells.
    fn sight(&self, client: &BootClient) -> (Told, Device, BootId, Option<Refusal>) {
        let policy = &self.ground.site.boot;
        let asks_anew = self.ask.kind == AskKind::Discover;
        let sighting = attempt::sight(self.world, policy, self.ask.mac, client, asks_anew, self.stamp);
        let known = self.world.devices.get(&sighting.device).map(|device| self.world.whole(device));
        let mut device = known.unwrap_or_else(|| self.new_device(client));
        let boot = sighting.boot;
        let mut told = Told { attempt: Some(boot), boot: None, facts: sighting.facts };
        if let Some(placed) = self.placed(&device) {
            device.link = self.link();
            told.facts.push(placed);
        }
        if asks_anew || self.ingress.port == DhcpPort::Proxy {
            told.facts.push(Fact::BootMoved { boot, step: Step::Discover { firmware: client.firmware } });
        }
        (told, device, boot, sighting.refusal)
    }

    /// What the packet means for booting: its attempt, and what to tell the firmware.
    fn boot_part(&self) -> Told {
        let Some(client) = &self.ask.boot else { return Told::default() };
        let (mut told, device, boot, refusal) = self.sight(client);
        let options = match refusal {
            Some(why) => Err(why),
            None => bootfile(&self.ground.site, &device, client, boot, self.ingress.local),
        };
        match options {
            Ok(options) => told.boot = Some(options),
            Err(why) => told.facts.push(Fact::BootMoved { boot, step: Step::Refused { why } }),
        }
        told
    }

    /// Where the client is.
    fn link(&self) -> Link {
        let DhcpAsk { giaddr, circuit, remote, .. } = self.ask;
        Link {
            interface: Some(self.ingress.interface.clone()),
            subnet: self.subnet().ok().map(|subnet| subnet.net),
            relay: (!giaddr.is_unspecified()).then_some(*giaddr),
            circuit: circuit.clone(),
            remote: remote.clone(),
        }
    }

    /// That a device is somewhere else than before. Only a DISCOVER tells: later packets may pass relays by, and those that
    /// name a port do not see them.
    fn placed(&self, device: &Device) -> Option<Fact> {
        let link = self.link();
        let moved = self.ask.kind == AskKind::Discover && device.link != link;
        moved.then_some(Fact::DevicePlaced { device: device.id, link })
    }

    fn new_device(&self, client: &BootClient) -> Device {
        Device { arch: client.arch, uuid: client.uuid, ..Device::new(self.ask.mac) }
    }

    /// The subnet that the client is on: as a relay or the client names it, else the relay's, else the client's own
    /// address when it renews through a router, else the interface's (QUIRKS row 19).
    fn subnet(&self) -> Result<&Subnet, Refusal> {
        let DhcpAsk { link, giaddr, ciaddr, .. } = self.ask;
        let find = |ip: Ipv4Addr| self.ground.site.subnets.iter().find(|subnet| subnet.net.contains(&ip));
        if !giaddr.is_unspecified() {
            // A packet that came through a relay came *from* that relay's network, never from this server itself.
            let named = (*giaddr != self.ingress.local).then(|| find(link.unwrap_or(*giaddr)));
            return named.flatten().ok_or_else(|| Refusal::ForeignRelay { giaddr: giaddr.to_string() });
        }
        let renewing = (!ciaddr.is_unspecified()).then(|| find(*ciaddr)).flatten();
        link.and_then(find)
            .or(renewing)
            .or_else(|| find(self.ingress.local))
            .ok_or_else(|| Refusal::NoSubnet { link: format!("{} ({})", self.ingress.interface, self.ingress.local) })
    }

    fn network(&self, subnet: &Subnet, with_lease: bool) -> NetworkOptions {
        let reservation = subnet.reservations.get(&self.ask.mac);
        NetworkOptions {
            lease: with_lease.then_some(subnet.lease),
            mask: subnet.net.netmask(),
            broadcast: subnet.net.broadcast(),
            router: subnet.router,
            dns: subnet.dns.clone(),
            domain: subnet.domain.clone(),
            ntp: subnet.ntp.clone(),
            mtu: subnet.mtu,
            hostname: reservation.and_then(|reservation| reservation.hostname.clone()),
        }
    }

    fn nak(&self, why: &str) -> Outcome {
        let answer = DhcpAnswer {
            kind: AnswerKind::Nak,
            server: self.ingress.local,
            yiaddr: Ipv4Addr::UNSPECIFIED,
            network: None,
            boot: None,
            message: Some(why.to_owned()),
        };
        let to = self.destination(&answer);
        Outcome { reply: Reply::Dhcp { answer, to, refused: None }, facts: vec![] }
    }

    fn answer(&self, kind: AnswerKind, yiaddr: Ipv4Addr, network: Option<NetworkOptions>, told: Told) -> Outcome {
        let refused = told.refusal();
        let answer = DhcpAnswer { kind, server: self.ingress.local, yiaddr, network, boot: told.boot, message: None };
        let to = self.destination(&answer);
        Outcome { reply: Reply::Dhcp { answer, to, refused }, facts: told.facts }
    }

    /// RFC 2131 section 4.1, and QUIRKS rows 7, 18 and 19.
    fn destination(&self, answer: &DhcpAnswer) -> Destination {
        let ask = self.ask;
        if self.ingress.port == DhcpPort::Proxy {
            return Destination::Unicast(self.ingress.peer);
        }
        if !ask.giaddr.is_unspecified() {
            return Destination::Relay(ask.giaddr);
        }
        if answer.kind == AnswerKind::Nak {
            return Destination::Broadcast;
        }
        if !ask.ciaddr.is_unspecified() {
            return Destination::Unicast(SocketAddrV4::new(ask.ciaddr, CLIENT_PORT));
        }
        if ask.broadcast || answer.yiaddr.is_unspecified() {
            return Destination::Broadcast;
        }
        Destination::Link(answer.yiaddr, ask.mac)
    }
}

/// What a packet means for booting: nothing at all for ordinary clients.
#[derive(Default)]
struct Told {
    attempt: Option<BootId>,
    boot: Option<BootOptions>,
    facts: Vec<Fact>,
}

impl Told {
    /// Adds a step to the attempt, if there is one.
    fn step(&mut self, step: impl FnOnce(Option<String>) -> Step) {
        if let Some(boot) = self.attempt {
            let bootfile = self.boot.as_ref().and_then(|options| options.bootfile.clone());
            self.facts.push(Fact::BootMoved { boot, step: step(bootfile) });
        }
    }

    /// No answer, for a reason that DHCP cannot tell; the timeline can.
    fn refused(mut self, why: Refusal) -> Outcome {
        if let Some(boot) = self.attempt {
            self.facts.push(Fact::BootMoved { boot, step: Step::Refused { why: why.clone() } });
        }
        Outcome { reply: Reply::Silence(Silence::Refused(why)), facts: self.facts }
    }

    /// No answer, because a refusal is among the facts already.
    fn silent(self) -> Outcome {
        let silence = self.refusal().map_or(Silence::NotBooting, Silence::Refused);
        Outcome { reply: Reply::Silence(silence), facts: self.facts }
    }

    /// The refusal among the facts.
    fn refusal(&self) -> Option<Refusal> {
        self.facts.iter().rev().find_map(|fact| match fact {
            Fact::BootMoved { step: Step::Refused { why }, .. } => Some(why.clone()),
            _ => None,
        })
    }
}

fn silent(silence: Silence) -> Outcome {
    Outcome { reply: Reply::Silence(silence), facts: vec![] }
}
