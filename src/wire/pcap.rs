//! Captures as other tools read them: the classic pcap format (draft-ietf-opsawg-pcap), which every one of them reads.
//!
//! ```text
//!   file   := magic a1b2c3d4 | version 2.4 | 0 | 0 | longest packet | link type 1 (Ethernet)     24 bytes
//!   packet := seconds | microseconds | bytes kept | bytes there were | the frame                 16 bytes and the frame
//! ```
//! All numbers are little-endian here; the magic tells. What was captured are UDP payloads with their addresses: the headers of
//! Ethernet, IP and UDP are put around them, with their checksums.

use std::net::SocketAddrV4;

use etherparse::PacketBuilder;

use crate::model::Moment;

const MAGIC: u32 = 0xa1b2_c3d4;
const LONGEST: u32 = 65_535;
const ETHERNET: u32 = 1;
const TTL: u8 = 64;

/// A UDP datagram and where it went.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// When.
    pub at: Moment,
    /// The port that sent it.
    pub source: [u8; 6],
    /// The port that it was for.
    pub destination: [u8; 6],
    /// The address that sent it.
    pub from: SocketAddrV4,
    /// The address that it was for.
    pub to: SocketAddrV4,
    /// What it carried; what does not fit into an IP packet is left out.
    pub payload: &'a [u8],
}

/// A file with these frames, in this order.
pub fn pcap<'a>(frames: impl IntoIterator<Item = Frame<'a>>) -> Vec<u8> {
    let mut file = MAGIC.to_le_bytes().to_vec();
    file.extend([2u16, 4].map(u16::to_le_bytes).concat());
    file.extend([0, 0, LONGEST, ETHERNET].map(u32::to_le_bytes).concat());
    for frame in frames {
        let builder = PacketBuilder::ethernet2(frame.source, frame.destination)
            .ipv4(frame.from.ip().octets(), frame.to.ip().octets(), TTL)
            .udp(frame.from.port(), frame.to.port());
        let mut packet = Vec::with_capacity(builder.size(frame.payload.len()));
        if builder.write(&mut packet, frame.payload).is_err() {
            continue;
        }
        let (millis, length) = (frame.at.as_millis(), packet.len() as u32);
        let head = [(millis / 1000) as u32, (millis % 1000 * 1000) as u32, length, length];
        file.extend(head.map(u32::to_le_bytes).concat());
        file.extend(packet);
    }
    file
}
