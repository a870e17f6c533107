//! DHCP's sockets: port 67 and the boot server's 4011, one of each per interface.
//!
//! A socket is bound to its interface, so that a broadcast is answered where it came from, and no other interface is
//! served by accident.

use std::{
    io::{self, IoSliceMut},
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    os::fd::AsRawFd,
    sync::Arc,
};

use bytes::Bytes;
use nix::{
    cmsg_space, libc,
    sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, setsockopt, sockopt},
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{io::Interest, net::UdpSocket};

use crate::{
    engine::Unavailable,
    model::{
        MacAddr, Moment,
        dhcp::{AnswerKind, AskKind, Destination, DhcpAnswer, DhcpAsk, DhcpPort, Ingress},
        reply::{Reply, Silence},
        request::Request,
    },
    wire::dhcp4,
};

use super::{
    Context,
    capture::{self, Direction, Packet},
    link_frame::LinkSocket,
    net::{Interface, NetError, widen},
};

/// DHCP's server port, its client port, and the PXE boot server's.
const SERVER: u16 = 67;
const CLIENT: u16 = 68;
const BOOT_SERVER: u16 = 4011;

/// A boot storm overflows the default buffer (212,992 bytes), and each lost DISCOVER costs its device a second or more.
const RECEIVE_BUFFER: usize = 8 << 20;

/// More than any DHCP packet: what is longer is cut and found malformed.
const MAX_PACKET: usize = 4096;

/// One bound socket.
pub struct Listener {
    socket: Arc<UdpSocket>,
    link: Option<Arc<LinkSocket>>,
    interface: Interface,
    port: DhcpPort,
}

/// Binds both ports on every interface, before anything else runs.
pub fn bind(interfaces: &[Interface]) -> Result<Vec<Listener>, NetError> {
    // Without it, clients that have no address and forbid broadcasts are answered by broadcast all the same.
    let link = match LinkSocket::open() {
        Ok(link) => Some(Arc::new(link)),
        Err(error) => {
            tracing::warn!(%error, "replies to clients without an address are broadcast: for frames to them alone, run \
                as root, or give the program CAP_NET_RAW");
            None
        }
    };
    let mut listeners = vec![];
    for interface in interfaces {
        for (port, number) in [(DhcpPort::Server, SERVER), (DhcpPort::Proxy, BOOT_SERVER)] {
            let socket = socket(&interface.name, number).map_err(|error| NetError::udp("DHCP", number, error))?;
            let (socket, link, interface) = (Arc::new(socket), link.clone(), interface.clone());
            listeners.push(Listener { socket, link, interface, port });
        }
    }
    Ok(listeners)
}

fn socket(interface: &str, port: u16) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    // No SO_REUSEADDR: with it, two servers share the port without a word, and each loses packets to the other.
    socket.set_broadcast(true)?;
    widen(&socket, RECEIVE_BUFFER)?;
    socket.bind_device(Some(interface.as_bytes()))?;
    // Whether a packet was broadcast is of no use to decisions, and of much to people who look at it.
    setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
    UdpSocket::from_std(socket.into())
}

impl Listener {
    /// Serves until the socket fails. Each packet is answered in a task of its own, so that a packet which waits for the
    /// disk delays no other.
    pub async fn serve(self, context: Context) -> io::Result<()> {
        let mut buffer = [0; MAX_PACKET];
        let this = Arc::new(self);
        loop {
            let (length, peer, to) = match received(&this.socket, &mut buffer).await {
                Ok(received) => received,
                // An ICMP error about an earlier reply: the client went away.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
                Err(error) => return Err(error),
            };
            let bytes = Bytes::copy_from_slice(&buffer[..length]);
            let came = Came { at: (context.clock)(), peer, to, bytes };
            match dhcp4::decode(&came.bytes) {
                Err(malformed) => {
                    context.metrics.dhcp_malformed(malformed.name());
                    if let Some(port) = capture::named_port(&came.bytes) {
                        this.keep(&context, port, &came, None);
                    }
                }
                Ok(ask) => {
                    let (this, context) = (this.clone(), context.clone());
                    tokio::spawn(async move { this.answer(ask, came, &context).await });
                }
            }
        }
    }

    async fn answer(&self, ask: DhcpAsk, came: Came, context: &Context) {
        let (local, peer) = (self.interface.address, came.peer);
        let ingress = Ingress { interface: self.interface.name.clone(), local, peer, port: self.port };
        context.metrics.dhcp_in(ask.kind);
        if let (AskKind::Decline, Some(ip)) = (ask.kind, ask.requested) {
            tracing::warn!(
                mac = %ask.mac, %ip, interface = %self.interface.name,
                "a client declined its address: something else on the network uses it"
            );
        }
        let said = context.engine.ask(Request::Dhcp { ask: ask.clone(), ingress }).await;
        // Kept only now: the attempt that a first packet begins has its name from the engine.
        self.keep(context, ask.mac, &came, None);
        match said {
            Ok(Reply::Dhcp { answer, to, refused }) => {
                context.metrics.dhcp_out(answer.kind);
                self.log(&ask, &answer);
                if let Some(why) = refused {
                    tracing::warn!(mac = %ask.mac, interface = %self.interface.name, %why, "a device gets nothing to boot");
                }
                let packet = Bytes::from(dhcp4::encode(&ask, &answer));
                let (address, port) = self.destination(to);
                match self.send(&packet, address, port).await {
                    Ok(()) => self.keep(context, ask.mac, &came, Some((address, packet))),
                    Err(error) => {
                        let interface = &self.interface.name;
                        tracing::warn!(mac = %ask.mac, %interface, %error, "a DHCP reply could not be sent");
                    }
                }
            }
            Ok(Reply::Silence(silence)) => {
                context.metrics.silence(silence.name());
                if let Silence::Refused(why) = silence {
                    tracing::warn!(mac = %ask.mac, interface = %self.interface.name, %why, "a DHCP request was refused");
                }
            }
            Ok(_) => {}
            Err(Unavailable::Busy) => context.metrics.silence("busy"),
            Err(Unavailable::Stopped) => {}
        }
    }

    fn log(&self, ask: &DhcpAsk, answer: &DhcpAnswer) {
        if let (AnswerKind::Nak, Some(why)) = (answer.kind, &answer.message) {
            let (mac, ip) = (ask.mac, ask.requested.unwrap_or(ask.ciaddr));
            tracing::info!(%mac, %ip, why, interface = %self.interface.name, "a client was denied its address");
            return;
        }
        let bootfile = answer.boot.as_ref().and_then(|boot| boot.bootfile.as_deref()).unwrap_or("-");
        // iPXE carries flags in `secs`, not seconds (QUIRKS row 20): free diagnostics.
        tracing::info!(
            mac = %ask.mac, ip = %answer.yiaddr, bootfile, secs = ask.secs, interface = %self.interface.name,
            "DHCP {:?} was answered with {:?}", ask.kind, answer.kind
        );
    }

    /// Where a reply goes, and to which port it goes as a frame, when it does.
    fn destination(&self, to: Destination) -> (SocketAddrV4, Option<MacAddr>) {
        match to {
            Destination::Relay(relay) => (SocketAddrV4::new(relay, SERVER), None),
            Destination::Unicast(client) => (client, None),
            Destination::Link(ip, mac) if self.link.is_some() => (SocketAddrV4::new(ip, CLIENT), Some(mac)),
            Destination::Broadcast | Destination::Link(..) => (SocketAddrV4::new(Ipv4Addr::BROADCAST, CLIENT), None),
        }
    }

    async fn send(&self, packet: &[u8], to: SocketAddrV4, port: Option<MacAddr>) -> io::Result<()> {
        match (&self.link, port) {
            (Some(link), Some(mac)) => {
                let from = SocketAddrV4::new(self.interface.address, SERVER);
                link.send(self.interface.index, mac, from, to, packet)
            }
            _ => self.socket.send_to(packet, to).await.map(|_| ()),
        }
    }

    /// Keeps a packet that came, or the answer to it, for people who look.
    fn keep(&self, context: &Context, port: MacAddr, came: &Came, answer: Option<(SocketAddrV4, Bytes)>) {
        let number = match self.port {
            DhcpPort::Server => SERVER,
            DhcpPort::Proxy => BOOT_SERVER,
        };
        let (at, direction, from, to, bytes) = match answer {
            None => (came.at, Direction::In, came.peer, SocketAddrV4::new(came.to, number), came.bytes.clone()),
            Some((to, bytes)) => {
                let from = SocketAddrV4::new(self.interface.address, number);
                ((context.clock)(), Direction::Out, from, to, bytes)
            }
        };
        let boot = capture::under_way(&context.engine.world(), port);
        let (interface, protocol) = (self.interface.name.clone(), capture::Protocol::Dhcp);
        context.capture.add(Packet { at, direction, protocol, interface, from, to, port, boot, bytes });
    }
}

/// A packet as it came.
struct Came {
    at: Moment,
    peer: SocketAddrV4,
    /// The address that it was sent to.
    to: Ipv4Addr,
    bytes: Bytes,
}

/// The next packet: its length, who sent it, and to which address.
async fn received(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, SocketAddrV4, Ipv4Addr)> {
    socket
        .async_io(Interest::READABLE, || {
            let (mut parts, mut control) = ([IoSliceMut::new(&mut *buffer)], cmsg_space!(libc::in_pktinfo));
            let received =
                recvmsg::<SockaddrIn>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::empty())?;
            let peer = received.address.map_or(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0), SocketAddrV4::from);
            let to = received.cmsgs()?.find_map(|message| match message {
                ControlMessageOwned::Ipv4PacketInfo(info) => Some(Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr))),
                _ => None,
            });
            Ok((received.bytes, peer, to.unwrap_or(Ipv4Addr::BROADCAST)))
        })
        .await
}
