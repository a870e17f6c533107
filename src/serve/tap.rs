//! Counts what comes to TFTP's port and is no request: `async-tftp` drops it before `serve/tftp` could. What belongs to an
//! attempt is kept for people who look at it (`serve/capture`).
//!
//! A raw socket gets a copy of every UDP packet to its address (raw(7)), put together from its fragments, and keeps those
//! to one port: a filter in the kernel throws the others away before they cost anything here. Data flows on ports of its
//! own, so that a transfer is one copied packet. A tap only listens: the server's socket gets all packets, whether or not
//! the tap keeps up. In a flood the tap's buffer overflows, and then more was dropped than is counted.
//!
//! It needs CAP_NET_RAW, when it is opened.

use std::{
    io,
    net::{SocketAddr, SocketAddrV4},
};

use bytes::Bytes;
use nix::libc;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use tokio::net::UdpSocket;

use crate::wire::{
    paths::TftpName,
    tftp_request::{self, MAX_PACKET},
};

use super::{
    Context,
    capture::{self, Direction, Packet, Protocol as Kept},
    net::widen,
};

/// Room for the requests of a rack that is switched on at once, while this task waits for its turn.
const RECEIVE_BUFFER: usize = 2 << 20;

/// A raw socket that hears what comes to one UDP port of one address.
pub(super) struct Tap {
    // A raw socket receives as a UDP socket does, except that the packet's headers come with it.
    socket: UdpSocket,
}

impl Tap {
    pub(super) fn open(at: SocketAddrV4) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP))?;
        // Before it is bound: no packet passes that the filter has not seen.
        socket.attach_filter(&to_port(at.port()))?;
        widen(&socket, RECEIVE_BUFFER)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::from((*at.ip(), 0)).into())?;
        Ok(Self { socket: UdpSocket::from_std(socket.into())? })
    }

    /// Counts until the socket fails; TFTP is served without it as well.
    pub(super) async fn count(self, context: &Context, interface: &str) {
        let mut buffer = [0; MAX_PACKET];
        loop {
            let (length, peer) = match self.socket.recv_from(&mut buffer).await {
                Ok(received) => received,
                Err(error) => {
                    tracing::warn!(%error, "TFTP: packets that are no requests are counted no longer");
                    return;
                }
            };
            let judged = tftp_request::datagram(&buffer[..length]).and_then(tftp_request::judge);
            if let Err(malformed) = judged {
                tracing::debug!(client = %peer.ip(), why = %malformed, "TFTP: a packet was dropped");
                context.metrics.tftp_malformed(malformed.name());
            }
            keep(context, interface, &buffer[..length]);
        }
    }
}

/// Keeps a request with the attempt that it belongs to: by the attempt's name in the file's, or by the lease of its address.
fn keep(context: &Context, interface: &str, packet: &[u8]) {
    let Some((from, to, datagram)) = tftp_request::addressed(packet) else { return };
    let world = context.engine.world();
    let named = match tftp_request::file(datagram).and_then(|name| TftpName::parse(&name)) {
        Some(TftpName::Nbp { boot: Some(boot), .. } | TftpName::Autoexec { boot }) => world.boots.get(&boot),
        _ => None,
    };
    let port = named.map(|boot| boot.device.mac()).or_else(|| world.leases.get(*from.ip()).map(|lease| lease.mac));
    let Some(port) = port else { return };
    let boot = named.map(|boot| boot.id).or_else(|| capture::under_way(&world, port));
    context.capture.add(Packet {
        at: (context.clock)(),
        direction: Direction::In,
        protocol: Kept::Tftp,
        interface: interface.to_owned(),
        from,
        to,
        port,
        boot,
        bytes: Bytes::copy_from_slice(datagram),
    });
}

/// Passes UDP packets to `port`, as far as they are judged. The packet begins with its IP header, whose length varies.
fn to_port(port: u16) -> [SockFilter; 5] {
    const IP_HEADER_LENGTH: u32 = libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH;
    const HALF_WORD_BEHIND: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_IND;
    const IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    const PASS: u32 = libc::BPF_RET | libc::BPF_K;
    let step = |code: u32, otherwise: u8, k: u32| SockFilter::new(code as u16, 0, otherwise, k);
    [
        step(IP_HEADER_LENGTH, 0, 0),
        step(HALF_WORD_BEHIND, 0, 2),
        step(IF_EQUAL, 1, port.into()),
        step(PASS, 0, MAX_PACKET as u32),
        step(PASS, 0, 0),
    ]
}
