//! TFTP (RFC 1350, 2347-2349, 7440): NBPs and the first script, read-only.
//!
//! The protocol is `async-tftp`'s; this module gives it names to open, bounds what it may hold, and learns from it how
//! transfers end. The crate tells a reader nothing but "read" and "dropped", so the ending is inferred: a transfer whose
//! last block was acknowledged is dropped at once, one that was given up is dropped `PATIENCE` after the last read.
//!
//! Where version 0.4.2 falls short, and what that costs:
//! - A client's ERROR is not heard: after UEFI's size probe (QUIRKS row 28) the OACK is repeated to a closed port until
//!   `PATIENCE` is over. Until then another request from the *same port* is taken for a repetition; UEFI and iPXE use a
//!   new port each time.
//! - After a loss the whole window is sent again rather than its unacknowledged rest, and only after `TIMEOUT`.
//! - What is no request is dropped without a word: `greenroom_tftp_transfers` counts requests only, and `serve/tap` the
//!   rest, as `greenroom_tftp_malformed`.
//! - A name with bytes that are no UTF-8 (the 0xFF that some ROMs append, QUIRKS row 14) is not answered at all, and counted
//!   as malformed: option 67 ends with a NUL so that they append none.

use std::{
    io,
    net::{IpAddr, SocketAddr, SocketAddrV4},
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context as Polling, Poll},
    time::{Duration, Instant},
};

use async_tftp::{
    packet::Error as TftpError,
    server::{Handler, TftpServer, TftpServerBuilder},
};
use bytes::Bytes;
use futures_util::io::{AsyncRead, Sink};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    model::{
        BootId, Millis,
        timeline::{Step, Transfer},
        units,
    },
    wire::{
        ipxe_script,
        paths::{TftpName, server_url},
    },
};

use super::{
    Context,
    net::{Interface, NetError, peer_ip, widen},
    tap::Tap,
};

/// TFTP's port.
pub const PORT: u16 = 69;

/// How long to wait for an acknowledgement before the window is sent again, and how often that is done. A client's own
/// `timeout` option is passed over: it could ask for 255 s, and hold its transfer for 25 minutes of silence.
const TIMEOUT: Duration = Duration::from_secs(1);
const RETRIES: u32 = 5;

/// After how much silence a transfer is given up.
const PATIENCE: Duration = Duration::from_secs(TIMEOUT.as_secs() * (RETRIES as u64 + 1));

/// How long a transfer may take in all: a peer that acknowledges one block each second is no boot client.
const LONGEST: Duration = Duration::from_secs(600);

/// The largest window that is granted (RFC 7440): larger ones overrun the buffers of small NICs.
const MAX_WINDOW: u16 = 64;

/// The largest block that is granted: with the headers of IP, UDP and TFTP it fills an Ethernet frame. ROMs cannot put
/// fragments together.
const MAX_BLOCK: u16 = 1468;

/// How many transfers run at once, size probes that nobody ends among them. Each holds a window: 184 MiB at the very most.
const MAX_TRANSFERS: usize = 2048;

/// Room for the requests of a rack that is switched on at once.
const RECEIVE_BUFFER: usize = 4 << 20;

/// A bound server.
pub struct Listener {
    server: TftpServer<Shelf>,
    tap: Option<Tap>,
    context: Context,
    interface: String,
}

/// Binds a server to each interface's address, so that replies come from the address that was asked (QUIRKS row 30).
pub async fn bind(
    interfaces: &[Interface],
    port: u16,
    http_port: u16,
    context: &Context,
) -> Result<Vec<Listener>, NetError> {
    let places = Arc::new(Semaphore::new(MAX_TRANSFERS));
    let (mut listeners, mut blind) = (vec![], None);
    for interface in interfaces {
        let server = server_url(interface.address, http_port);
        let shelf = Shelf { context: context.clone(), places: places.clone(), server };
        let address = SocketAddrV4::new(interface.address, port);
        let (socket, bound) = socket(address).map_err(|error| NetError::udp("TFTP", port, error))?;
        let server = TftpServerBuilder::with_handler(shelf)
            .std_socket(socket)
            .map(|builder| builder.timeout(TIMEOUT).ignore_client_timeout().max_send_retries(RETRIES))
            .map(|builder| builder.window_size_limit(MAX_WINDOW).block_size_limit(MAX_BLOCK));
        let failed = |error| NetError::udp("TFTP", port, io::Error::other(error));
        let server = server.map_err(failed)?.build().await.map_err(failed)?;
        let tap = Tap::open(bound).inspect_err(|error| blind = Some(error.to_string())).ok();
        listeners.push(Listener { server, tap, context: context.clone(), interface: interface.name.clone() });
    }
    if let Some(error) = blind {
        tracing::warn!(%error, "TFTP packets that are no requests are dropped uncounted: to have them in the metrics, run \
            as root, or give the program CAP_NET_RAW");
    }
    Ok(listeners)
}

/// A socket, and where it is bound: the kernel chooses when `address` has port 0.
fn socket(address: SocketAddrV4) -> io::Result<(std::net::UdpSocket, SocketAddrV4)> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    widen(&socket, RECEIVE_BUFFER)?;
    socket.bind(&address.into())?;
    let bound = socket.local_addr()?.as_socket_ipv4().unwrap_or(address);
    Ok((socket.into(), bound))
}

impl Listener {
    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.server.listen_addr().map_err(io::Error::other)
    }

    /// Serves until the socket fails.
    pub async fn serve(self) -> io::Result<()> {
        // A task of its own, that no transfer waits for.
        let (context, interface) = (self.context, self.interface);
        let counting = self.tap.map(|tap| tokio::spawn(async move { tap.count(&context, &interface).await }));
        let _counting = counting.map(AbortOnDropHandle::new);
        self.server.serve().await.map_err(io::Error::other)
    }
}

/// What can be opened.
struct Shelf {
    context: Context,
    /// The places for transfers, of all interfaces together.
    places: Arc<Semaphore>,
    /// The boot URLs' beginning, for the first script.
    server: String,
}

impl Handler for Shelf {
    type Reader = Reading;
    type Writer = Sink;

    async fn read_req_open(&mut self, client: &SocketAddr, path: &Path) -> Result<(Reading, Option<u64>), TftpError> {
        let asked = path.to_string_lossy();
        let opened = match TftpName::parse(&asked) {
            Some(TftpName::Nbp { boot, name }) => self.context.nbps.get(&name).map(|bytes| (boot, name, bytes.clone())),
            Some(TftpName::Autoexec { boot }) => {
                Some((Some(boot), "autoexec.ipxe".into(), ipxe_script::autoexec(&self.server, boot).into()))
            }
            None => None,
        };
        let Some((boot, name, bytes)) = opened else {
            // shim and GRUB look for a dozen files that need not exist: said at once, and no trouble.
            tracing::debug!(%client, name = %asked, "TFTP: no such file");
            self.context.metrics.tftp("not-found");
            return Err(TftpError::FileNotFound);
        };
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            tracing::warn!(%client, %name, "TFTP: refused, {MAX_TRANSFERS} transfers are under way");
            self.context.metrics.tftp("too-many");
            return Err(TftpError::Msg("too many transfers at once: try again".into()));
        };
        let (size, now) = (bytes.len() as u64, Instant::now());
        let reading = Reading {
            bytes,
            at: 0,
            block: 0,
            began: now,
            read: now,
            boot,
            name,
            peer: peer_ip(*client),
            context: self.context.clone(),
            _place: place,
        };
        Ok((reading, Some(size)))
    }

    async fn write_req_open(&mut self, client: &SocketAddr, _: &Path, _: Option<u64>) -> Result<Sink, TftpError> {
        tracing::info!(%client, "TFTP: a write was refused");
        self.context.metrics.tftp("write-refused");
        Err(TftpError::PermissionDenied)
    }
}

/// One transfer. It is dropped when the protocol is done with it, well or badly.
struct Reading {
    bytes: Bytes,
    /// How much was read.
    at: usize,
    /// How long the latest block is.
    block: usize,
    began: Instant,
    /// When the latest block was read.
    read: Instant,
    boot: Option<BootId>,
    name: String,
    peer: IpAddr,
    context: Context,
    _place: OwnedSemaphorePermit,
}

/// How a transfer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The client acknowledged the last block.
    Delivered,
    /// The client wanted to know the size, or never came back for a first block: no delivery, and no failure either.
    Probe,
    /// The client went away in the middle.
    Broken,
}

impl Ending {
    /// What is known of a transfer when it is dropped: `silent` for so long, `at` of `len` bytes read, in one block or more.
    fn of(at: usize, block: usize, len: usize, silent: Duration) -> Self {
        match silent < PATIENCE {
            true if at == len => Self::Delivered,
            _ if at == block => Self::Probe,
            _ => Self::Broken,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Probe => "probe",
            Self::Broken => "broken",
        }
    }
}

impl AsyncRead for Reading {
    /// Fills `buffer`, which is one block, or fails when the transfer has taken too long.
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Polling<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.began.elapsed() > LONGEST {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let rest = &self.bytes[self.at..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        // A short block is followed by a read of nothing, which is no block.
        if length > 0 {
            self.at += length;
            self.block = length;
            self.read = Instant::now();
        }
        Poll::Ready(Ok(length))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let ending = Ending::of(self.at, self.block, self.bytes.len(), self.read.elapsed());
        // Of a broken transfer at least the latest block did not arrive.
        let sent = match ending {
            Ending::Delivered => self.at,
            Ending::Probe | Ending::Broken => self.at - self.block,
        };
        self.context.metrics.tftp(ending.name());
        self.context.metrics.tftp_bytes(sent as u64);
        if ending == Ending::Probe {
            return;
        }
        let transfer = Transfer {
            bytes: units::Bytes(sent as u64),
            of: units::Bytes(self.bytes.len() as u64),
            took: Millis(self.began.elapsed().as_millis() as u64),
        };
        tracing::info!(
            peer = %self.peer, name = %self.name, bytes = sent, of = self.bytes.len(), ms = transfer.took.0,
            "a TFTP transfer was {}", ending.name()
        );
        if let Some(boot) = self.boot {
            self.context.engine.note(boot, Step::Nbp { name: self.name.clone(), transfer }, self.peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_told_apart_by_the_silence_before_them() {
        let (soon, late) = (Duration::from_millis(30), PATIENCE + Duration::from_millis(1));
        // Bytes read, the latest block, the whole, the silence.
        assert_eq!(Ending::of(2000, 532, 2000, soon), Ending::Delivered);
        assert_eq!(Ending::of(2000, 532, 2000, late), Ending::Broken, "the last block was never acknowledged");
        assert_eq!(Ending::of(1468, 1468, 2000, late), Ending::Probe, "row 28: ERROR 8 after the OACK");
        assert_eq!(Ending::of(400, 400, 400, late), Ending::Probe, "also when the first block is the whole file");
        assert_eq!(Ending::of(400, 400, 400, soon), Ending::Delivered);
        assert_eq!(Ending::of(1024, 512, 2000, late), Ending::Broken);
        assert_eq!(Ending::of(1024, 512, 2000, soon), Ending::Broken, "it took longer than any boot client does");
    }
}
