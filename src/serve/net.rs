//! The network as the services find it: interfaces, addresses, and what can go wrong with a port.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use nix::{
    ifaddrs::getifaddrs,
    net::if_::{InterfaceFlags, if_nametoindex},
    sys::socket::{setsockopt, sockopt},
};
use socket2::Socket;

use super::{
    Context,
    context::lock,
    port_owner::{Transport, port_owner},
};

/// How often the interfaces are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// An interface with an IPv4 address of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// The kernel's number for it.
    pub index: u32,
    /// Our first address on it.
    pub address: Ipv4Addr,
}

/// Why a service cannot start, in one sentence with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The configuration names an interface that is not there.
    #[error("there is no interface {name} with an IPv4 address: {known}; change `dhcp.interfaces`")]
    NoInterface {
        /// What was asked for.
        name: String,
        /// Those that exist, for the message.
        known: String,
    },
    /// There is nothing to serve on.
    #[error("no interface of this machine has an IPv4 address: give one an address (`ip addr add`), then start again")]
    NoInterfaces,
    /// Somebody else has the port.
    #[error("{what}: port {port} is in use by {owner}; stop it, or have one of the two use another port or interface")]
    InUse {
        /// Which service.
        what: &'static str,
        /// Which port.
        port: u16,
        /// By whom, as far as can be seen.
        owner: String,
    },
    /// Ports below 1024 and raw sockets need leave.
    #[error("{what}: not permitted; run as root, or give the program CAP_NET_BIND_SERVICE and CAP_NET_RAW")]
    NotPermitted {
        /// Which service.
        what: &'static str,
    },
    /// Anything else.
    #[error("{what}: {error}")]
    Other {
        /// Which service.
        what: &'static str,
        /// What the system says.
        error: io::Error,
    },
}

impl NetError {
    /// Says what an error means for a service on a UDP port.
    pub(super) fn udp(what: &'static str, port: u16, error: io::Error) -> Self {
        Self::new(what, Transport::Udp, port, error)
    }

    /// Says what an error means for a service on a TCP port.
    pub(super) fn tcp(what: &'static str, port: u16, error: io::Error) -> Self {
        Self::new(what, Transport::Tcp, port, error)
    }

    fn new(what: &'static str, transport: Transport, port: u16, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => {
                let owner = port_owner(transport, port).unwrap_or_else(|| "another process".into());
                Self::InUse { what, port, owner }
            }
            io::ErrorKind::PermissionDenied => Self::NotPermitted { what },
            _ => Self::Other { what, error },
        }
    }
}

/// Every interface that is up and has an IPv4 address, loopback left out.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    let mut found: Vec<Interface> = vec![];
    for address in getifaddrs().map_err(io::Error::from)? {
        let usable =
            address.flags.contains(InterfaceFlags::IFF_UP) && !address.flags.contains(InterfaceFlags::IFF_LOOPBACK);
        let ip = address.address.as_ref().and_then(|address| address.as_sockaddr_in()).map(|v4| v4.ip());
        let known = found.iter().any(|interface| interface.name == address.interface_name);
        if let (true, Some(ip), false) = (usable, ip, known) {
            let index = if_nametoindex(address.interface_name.as_str()).map_err(io::Error::from)?;
            found.push(Interface { name: address.interface_name, index, address: ip });
        }
    }
    Ok(found)
}

/// The interfaces that the configuration names, or all when it names none.
pub fn chosen(names: &[String]) -> Result<Vec<Interface>, NetError> {
    let present = interfaces().map_err(|error| NetError::Other { what: "interfaces", error })?;
    if names.is_empty() {
        return Ok(present);
    }
    let find = |name: &String| {
        let found = present.iter().find(|interface| interface.name == *name).cloned();
        found.ok_or_else(|| {
            let known: Vec<_> = present.iter().map(|present| present.name.as_str()).collect();
            let known =
                if known.is_empty() { "none has one".into() } else { format!("there are {}", known.join(", ")) };
            NetError::NoInterface { name: name.clone(), known }
        })
    };
    names.iter().map(find).collect()
}

/// Tells `/healthz` and the log of interfaces that are no longer what the services were bound to. It stops nothing: an
/// address often comes back.
pub async fn watch(bound: Vec<Interface>, context: Context) {
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        let Ok(present) = interfaces() else { continue };
        for interface in &bound {
            let key = format!("interface {}", interface.name);
            let fine = present.contains(interface);
            let trouble = format!(
                "was replaced or has lost {}: bring it back, or restart greenroom to serve what is there now",
                interface.address
            );
            let mut troubles = lock(&context.health);
            match fine {
                true => drop(troubles.remove(&key)),
                false if troubles.contains_key(&key) => {}
                false => {
                    tracing::warn!("{key} {trouble}");
                    troubles.insert(key, trouble);
                }
            }
        }
    }
}

/// Gives a socket a large receive buffer: past the system's limit (net.core.rmem_max) with CAP_NET_ADMIN, up to it without.
pub(super) fn widen(socket: &Socket, bytes: usize) -> io::Result<()> {
    setsockopt(socket, sockopt::RcvBufForce, &bytes).or_else(|_| socket.set_recv_buffer_size(bytes))
}

/// The IPv4 address of a peer, also when it came in on a dual-stack socket.
pub fn peer_ip(peer: SocketAddr) -> IpAddr {
    peer.ip().to_canonical()
}
