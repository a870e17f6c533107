//! TFTP (RFC 1350, 2347-2349, 7440): NBPs and the first script, read-only.
//!
//! The protocol is `async-tftp`'s; this module gives it names to open and learns from it how transfers end. What version
//! 0.4.2 does not do is noted where it matters: it takes no notice of a client's ERROR, so that the size probe of UEFI
//! (QUIRKS row 28) leaves it repeating the OACK until the retries are used up, to a closed port, which harms nobody.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
    pin::Pin,
    task::{Context as Polling, Poll},
    time::{Duration, Instant},
};

use async_tftp::{
    packet::Error as TftpError,
    server::{Handler, TftpServer, TftpServerBuilder},
};
use bytes::Bytes;
use futures_util::io::{AsyncRead, Sink};

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
    net::{Interface, NetError, peer_ip},
};

const PORT: u16 = 69;

/// How long to wait for an acknowledgement before the window is sent again, and how often that is done.
const TIMEOUT: Duration = Duration::from_secs(1);
const RETRIES: u32 = 5;

/// The largest window that is granted (RFC 7440): larger ones overrun the buffers of small NICs.
const MAX_WINDOW: u16 = 64;

/// A bound server.
pub struct Listener {
    server: TftpServer<Shelf>,
}

/// Binds a server to each interface's address, so that replies come from the address that was asked (QUIRKS row 30).
pub async fn bind(interfaces: &[Interface], http_port: u16, context: &Context) -> Result<Vec<Listener>, NetError> {
    let mut listeners = vec![];
    for interface in interfaces {
        let shelf = Shelf { context: context.clone(), server: server_url(interface.address, http_port) };
        let server = TftpServerBuilder::with_handler(shelf)
            .bind(SocketAddr::from((interface.address, PORT)))
            .timeout(TIMEOUT)
            .max_send_retries(RETRIES)
            .window_size_limit(MAX_WINDOW)
            .build()
            .await;
        let server = server.map_err(|error| match error {
            async_tftp::Error::Bind(error) | async_tftp::Error::Io(error) => NetError::new("TFTP", PORT, error),
            error => NetError::new("TFTP", PORT, io::Error::other(error)),
        })?;
        listeners.push(Listener { server });
    }
    Ok(listeners)
}

impl Listener {
    /// Serves until the socket fails.
    pub async fn serve(self) -> io::Result<()> {
        self.server.serve().await.map_err(io::Error::other)
    }
}

/// What can be opened.
struct Shelf {
    context: Context,
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
        let size = bytes.len() as u64;
        let reading = Reading {
            bytes,
            at: 0,
            boot,
            name,
            peer: peer_ip(*client),
            began: Instant::now(),
            context: self.context.clone(),
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
    at: usize,
    boot: Option<BootId>,
    name: String,
    peer: IpAddr,
    began: Instant,
    context: Context,
}

impl AsyncRead for Reading {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Polling<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let rest = &self.bytes[self.at..];
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        self.at += read;
        Poll::Ready(Ok(read))
    }
}

impl Drop for Reading {
    /// A size probe ends after the first block or two: it is no delivery, and no failure either.
    fn drop(&mut self) {
        let whole = self.at == self.bytes.len();
        self.context.metrics.tftp(if whole { "delivered" } else { "probe-or-broken" });
        let Some(boot) = self.boot.filter(|_| whole) else { return };
        self.context.metrics.tftp_bytes(self.at as u64);
        let transfer = Transfer {
            bytes: units::Bytes(self.at as u64),
            of: units::Bytes(self.bytes.len() as u64),
            took: Millis(self.began.elapsed().as_millis() as u64),
        };
        self.context.engine.note(boot, Step::Nbp { name: self.name.clone(), transfer }, self.peer);
    }
}
