//! The packets of boots, as they were sent: what a person looks at when a device did not boot.
//!
//! DHCP packets of either direction, also those that could not be read, and requests to TFTP. They are kept in memory, the
//! latest of each device and 32 MiB in all: a fact is what outlives a restart, a packet is not. No packet waits for anybody
//! who looks: a page copies what it shows.
//!
//! What has no device yet when it comes has a port (`chaddr`), which is what packets are kept under.

use std::{net::SocketAddrV4, sync::Mutex};

use bytes::Bytes;

use crate::{
    model::{BootId, MacAddr, Moment},
    wire::pcap::{Frame, pcap},
    world::World,
};

use super::{
    context::lock,
    ring::{Kept, Rings},
};

/// Packets of one port: three boots that loop, or a dozen that do not.
const EACH: usize = 256;
/// Bytes of all packets.
const MOST: usize = 32 << 20;

/// Where `chaddr` lies in a DHCP packet.
const CHADDR: std::ops::Range<usize> = 28..34;

/// Stand for a port of this server's side, and for a relay's: neither is seen by a UDP socket. Locally administered, so that
/// nobody takes them for real ones.
const SERVER: [u8; 6] = [0x02, b'g', b'r', b'e', b'e', b'n'];
const RELAY: [u8; 6] = [0x02, b'r', b'e', b'l', b'a', b'y'];
const EVERYBODY: [u8; 6] = [0xff; 6];

/// Whose words a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The device's.
    In,
    /// Ours.
    Out,
}

/// What a packet is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// DHCP, on 67 or 4011.
    Dhcp,
    /// A request to TFTP.
    Tftp,
}

/// One packet.
#[derive(Debug, Clone)]
pub struct Packet {
    /// When it came, or was sent.
    pub at: Moment,
    /// Which way.
    pub direction: Direction,
    /// What it is.
    pub protocol: Protocol,
    /// The interface.
    pub interface: String,
    /// Who sent it.
    pub from: SocketAddrV4,
    /// Whom it was for.
    pub to: SocketAddrV4,
    /// The device's port.
    pub port: MacAddr,
    /// The attempt that was under way.
    pub boot: Option<BootId>,
    /// Its payload.
    pub bytes: Bytes,
}

/// The packets that are kept.
#[derive(Debug)]
pub struct Capture(Mutex<Rings<Packet>>);

impl Default for Capture {
    fn default() -> Self {
        Self::new(EACH, MOST)
    }
}

impl Capture {
    /// Keeps `each` packets of a port, and `most` bytes in all.
    pub fn new(each: usize, most: usize) -> Self {
        Self(Mutex::new(Rings::new(each, most)))
    }

    /// Keeps a packet.
    pub fn add(&self, packet: Packet) {
        lock(&self.0).add(packet.port, packet.bytes.len(), packet);
    }

    /// The packets of these ports that belong to an attempt, or all of them, in the order of their times.
    pub fn of(&self, ports: &[MacAddr], boot: Option<BootId>) -> Vec<Packet> {
        let kept = lock(&self.0);
        let wanted = |packet: &&Packet| boot.is_none() || packet.boot == boot;
        let mut packets: Vec<Packet> = ports.iter().flat_map(|port| kept.of(*port)).filter(wanted).cloned().collect();
        drop(kept);
        packets.sort_by_key(|packet| packet.at);
        packets
    }

    /// How much is kept.
    pub fn kept(&self) -> Kept {
        lock(&self.0).kept()
    }
}

/// The attempt of whoever has this port.
pub(super) fn under_way(world: &World, port: MacAddr) -> Option<BootId> {
    world.device_of(port).and_then(|device| device.boot)
}

/// The port that a DHCP packet names, also one that is otherwise no use.
pub(super) fn named_port(packet: &[u8]) -> Option<MacAddr> {
    let octets: [u8; 6] = packet.get(CHADDR)?.try_into().ok()?;
    MacAddr::new(octets).ok()
}

/// What [`file()`] makes up, for whoever reads it.
pub fn made_up() -> String {
    let shown = |octets| MacAddr::new(octets).map(|mac| mac.to_string()).unwrap_or_default();
    format!(
        "Addresses of Ethernet that no socket sees are made up in the file: {} is this server, {} a relay.",
        shown(SERVER),
        shown(RELAY)
    )
}

/// Packets as a file for Wireshark. The ports of our side were not seen, and are made up; so is the device's own when a relay
/// stands between.
pub fn file(packets: &[Packet]) -> Vec<u8> {
    let frame = |packet: &Packet| {
        let relayed =
            packet.protocol == Protocol::Dhcp && packet.bytes.get(24..28).is_some_and(|relay| relay != [0; 4]);
        let device = if relayed { RELAY } else { packet.port.octets() };
        let (source, destination) = match packet.direction {
            Direction::In => (device, SERVER),
            Direction::Out => (SERVER, device),
        };
        let destination = if packet.to.ip().is_broadcast() { EVERYBODY } else { destination };
        (source, destination)
    };
    pcap(packets.iter().map(|packet| {
        let (source, destination) = frame(packet);
        Frame { at: packet.at, source, destination, from: packet.from, to: packet.to, payload: &packet.bytes }
    }))
}
