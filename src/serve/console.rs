//! What devices say while they boot: lines of syslog, from iPXE, installers and whatever else was pointed here.
//!
//! Off unless `syslog.listen` says where. Lines come over UDP from anybody on the network, and are believed as little: they are
//! text to look at, cut, bounded in memory (the latest 1,000 of each device, 16 MiB in all), and kept only when they come from
//! the address of a device that boots here. Which device has an address is known from its leases, and from what it asked for
//! over HTTP when another server gave the address.

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use crate::{
    model::{BootId, MacAddr, Moment},
    wire::syslog::{self, Line},
    world::World,
};

use super::{
    Context, capture,
    context::lock,
    net::{Interface, NetError, widen},
    ring::{Kept, Rings},
};

const EACH: usize = 1000;
const MOST: usize = 16 << 20;
/// How many addresses are remembered: those that asked first are forgotten first.
const ADDRESSES: usize = 16_384;
/// The one port that iPXE sends to.
const IPXE_PORT: u16 = 514;
const RECEIVE_BUFFER: usize = 1 << 20;

/// A line and when it came.
#[derive(Debug, Clone)]
pub struct Heard {
    /// When.
    pub at: Moment,
    /// The attempt that was under way.
    pub boot: Option<BootId>,
    /// What was said.
    pub line: Line,
}

/// The lines that are kept.
#[derive(Debug)]
pub struct Console {
    listen: Option<SocketAddr>,
    lines: Mutex<Rings<Heard>>,
    met: Mutex<Met>,
    strangers: AtomicU64,
}

#[derive(Debug, Default)]
struct Met {
    boots: HashMap<IpAddr, BootId>,
    order: VecDeque<IpAddr>,
}

impl Default for Console {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Console {
    /// One that listens there, or nowhere.
    pub fn new(listen: Option<SocketAddr>) -> Self {
        let lines = Mutex::new(Rings::new(EACH, MOST));
        Self { listen, lines, met: Mutex::default(), strangers: AtomicU64::new(0) }
    }

    /// Whether it listens at all.
    pub fn is_open(&self) -> bool {
        self.listen.is_some()
    }

    /// Where a device that reached this server at `local` may send lines.
    pub fn address(&self, local: IpAddr) -> Option<SocketAddr> {
        let listen = self.listen?;
        let ip = if listen.ip().is_unspecified() { local.to_canonical() } else { listen.ip() };
        Some(SocketAddr::new(ip, listen.port()))
    }

    /// The same for iPXE, which knows one port only, and IPv4.
    pub fn for_ipxe(&self, local: IpAddr) -> Option<IpAddr> {
        let address = self.address(local)?;
        (address.port() == IPXE_PORT && address.is_ipv4()).then(|| address.ip())
    }

    /// An attempt's device has this address: it asked for something that only this attempt knows of.
    pub fn met(&self, ip: IpAddr, boot: BootId) {
        if !self.is_open() {
            return;
        }
        let mut met = lock(&self.met);
        if met.boots.insert(ip, boot).is_none() {
            met.order.push_back(ip);
            if met.order.len() > ADDRESSES
                && let Some(first) = met.order.pop_front()
            {
                met.boots.remove(&first);
            }
        }
    }

    /// Keeps the lines of a datagram.
    pub fn hear(&self, world: &World, from: IpAddr, at: Moment, datagram: &[u8]) {
        let met = lock(&self.met).boots.get(&from).and_then(|boot| world.boots.get(boot));
        let met = met.map(|boot| boot.device.mac());
        let leased = || match from {
            IpAddr::V4(ip) => world.leases.get(ip).filter(|lease| lease.holds(at)).map(|lease| lease.mac),
            IpAddr::V6(_) => None,
        };
        let Some(port) = met.or_else(leased) else {
            self.strangers.fetch_add(1, Ordering::Relaxed);
            return;
        };
        // Kept under the device's first port: it may speak by another.
        let port = world.device_of(port).map_or(port, |device| device.id.mac());
        let boot = capture::under_way(world, port);
        let mut kept = lock(&self.lines);
        for line in syslog::lines(datagram) {
            kept.add(port, line.tag.len() + line.text.len(), Heard { at, boot, line });
        }
    }

    /// What a device said during an attempt, the oldest first.
    pub fn of(&self, port: MacAddr, boot: BootId) -> Vec<Heard> {
        lock(&self.lines).of(port).filter(|heard| heard.boot == Some(boot)).cloned().collect()
    }

    /// How much is kept.
    pub fn kept(&self) -> Kept {
        lock(&self.lines).kept()
    }

    /// How many datagrams came from no device that is known.
    pub fn strangers(&self) -> u64 {
        self.strangers.load(Ordering::Relaxed)
    }
}

/// A bound socket.
pub struct Listener(UdpSocket);

/// Binds where the configuration says: at every interface's address when it names none, as TFTP is.
pub fn bind(listen: SocketAddr, interfaces: &[Interface]) -> Result<Vec<Listener>, NetError> {
    let named = interfaces.iter().map(|interface| SocketAddr::from((interface.address, listen.port())));
    let addresses: Vec<SocketAddr> = match listen.ip().is_unspecified() && !interfaces.is_empty() {
        true => named.collect(),
        false => vec![listen],
    };
    let bound = |address: SocketAddr| {
        socket(address).map(Listener).map_err(|error| NetError::udp("syslog", address.port(), error))
    };
    addresses.into_iter().map(bound).collect()
}

fn socket(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    widen(&socket, RECEIVE_BUFFER)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

impl Listener {
    /// Hears until the socket fails.
    pub async fn serve(self, context: Context) -> io::Result<()> {
        let mut buffer = [0; syslog::LONGEST + 1];
        loop {
            let (length, from) = match self.0.recv_from(&mut buffer).await {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
                Err(error) => return Err(error),
            };
            let (world, now) = (context.engine.world(), (context.clock)());
            context.console.hear(&world, from.ip().to_canonical(), now, &buffer[..length]);
        }
    }
}
