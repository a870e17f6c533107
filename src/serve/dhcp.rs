//! DHCP's sockets: port 67 and the boot server's 4011, one of each per interface.
//!
//! A socket is bound to its interface, so that a broadcast is answered where it came from, and no other interface is
//! served by accident.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use crate::{
    engine::Unavailable,
    model::{
        dhcp::{AnswerKind, AskKind, Destination, DhcpAnswer, DhcpAsk, DhcpPort, Ingress},
        reply::{Reply, Silence},
        request::Request,
    },
    wire::dhcp4,
};

use super::{
    Context,
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
            let (length, peer) = match this.socket.recv_from(&mut buffer).await {
                Ok(received) => received,
                // An ICMP error about an earlier reply: the client went away.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
                Err(error) => return Err(error),
            };
            let SocketAddr::V4(peer) = peer else { continue };
            match dhcp4::decode(&buffer[..length]) {
                Err(malformed) => context.metrics.dhcp_malformed(malformed.name()),
                Ok(ask) => {
                    let (this, context) = (this.clone(), context.clone());
                    tokio::spawn(async move { this.answer(ask, peer, &context).await });
                }
            }
        }
    }

    async fn answer(&self, ask: DhcpAsk, peer: SocketAddrV4, context: &Context) {
        let ingress =
            Ingress { interface: self.interface.name.clone(), local: self.interface.address, peer, port: self.port };
        context.metrics.dhcp_in(ask.kind);
        if let (AskKind::Decline, Some(ip)) = (ask.kind, ask.requested) {
            tracing::warn!(
                mac = %ask.mac, %ip, interface = %self.interface.name,
                "a client declined its address: something else on the network uses it"
            );
        }
        match context.engine.ask(Request::Dhcp { ask: ask.clone(), ingress }).await {
            Ok(Reply::Dhcp { answer, to, refused }) => {
                context.metrics.dhcp_out(answer.kind);
                self.log(&ask, &answer);
                if let Some(why) = refused {
                    tracing::warn!(mac = %ask.mac, interface = %self.interface.name, %why, "a device gets nothing to boot");
                }
                if let Err(error) = self.send(&dhcp4::encode(&ask, &answer), to).await {
                    tracing::warn!(mac = %ask.mac, interface = %self.interface.name, %error, "a DHCP reply could not be sent");
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

    async fn send(&self, packet: &[u8], to: Destination) -> io::Result<()> {
        let everybody = SocketAddrV4::new(Ipv4Addr::BROADCAST, CLIENT);
        let to = match to {
            Destination::Relay(relay) => SocketAddrV4::new(relay, SERVER),
            Destination::Unicast(client) => client,
            Destination::Broadcast => everybody,
            Destination::Link(ip, mac) => {
                let from = SocketAddrV4::new(self.interface.address, SERVER);
                let to = SocketAddrV4::new(ip, CLIENT);
                match &self.link {
                    Some(link) => return link.send(self.interface.index, mac, from, to, packet),
                    None => everybody,
                }
            }
        };
        self.socket.send_to(packet, to).await.map(|_| ())
    }
}
