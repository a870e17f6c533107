//! Sending to a client that has no address yet: an IP packet straight to its MAC address.
//!
//! The kernel would ask by ARP who has the address, and the client could not answer. A packet socket of type `DGRAM` takes
//! an IP packet and the link address that it goes to (packet(7)); it needs CAP_NET_RAW.

use std::{io, net::SocketAddrV4};

use etherparse::PacketBuilder;
use nix::libc;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::model::MacAddr;

const TTL: u8 = 64;

/// A socket for such packets.
#[derive(Debug)]
pub(super) struct LinkSocket {
    socket: Socket,
}

impl LinkSocket {
    /// Opens one. It receives nothing: protocol 0 is bound to no frames.
    pub(super) fn open() -> io::Result<Self> {
        let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(0)))?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket })
    }

    /// Sends a UDP datagram out of interface `index` to the port `mac`.
    pub(super) fn send(
        &self,
        index: u32,
        mac: MacAddr,
        from: SocketAddrV4,
        to: SocketAddrV4,
        payload: &[u8],
    ) -> io::Result<()> {
        let builder = PacketBuilder::ipv4(from.ip().octets(), to.ip().octets(), TTL).udp(from.port(), to.port());
        let mut packet = Vec::with_capacity(builder.size(payload.len()));
        builder.write(&mut packet, payload).map_err(io::Error::other)?;
        self.socket.send_to(&packet, &link_address(index, mac)?).map(|_| ())
    }
}

/// `struct sockaddr_ll` for IPv4 to `mac` by interface `index`.
#[expect(unsafe_code, reason = "no safe constructor for link addresses exists in socket2 or nix")]
fn link_address(index: u32, mac: MacAddr) -> io::Result<SockAddr> {
    let octets = mac.octets();
    let mut hardware = [0; 8];
    hardware[..octets.len()].copy_from_slice(&octets);
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: (libc::ETH_P_IP as u16).to_be(),
        sll_ifindex: index as i32,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: octets.len() as u8,
        sll_addr: hardware,
    };
    // SAFETY: the storage that socket2 hands out is large and aligned enough for every sockaddr type, `sockaddr_ll` is
    // plain data, and the length set is exactly what was written.
    let ((), address) = unsafe {
        SockAddr::try_init(|storage, length| {
            storage.cast::<libc::sockaddr_ll>().write(address);
            *length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
            Ok(())
        })?
    };
    Ok(address)
}
