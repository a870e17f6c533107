//! The boot port's connections, bounded in number and in silence.
//!
//! Boot clients vanish: firmware jumps into a kernel, machines are switched off in the middle of a download. None of them
//! says goodbye, so a connection on which nothing moves for [`SILENCE`] is closed, and one whose client acknowledges nothing
//! for [`UNACKNOWLEDGED`] is given up by the kernel, which ends the transfer in the timeline too.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep_until},
};

/// How long a connection may rest between two bytes: longer than an origin needs to begin, or a large blob to be hashed.
const SILENCE: Duration = Duration::from_secs(300);

/// How long sent bytes may stay unacknowledged (RFC 5482). By default Linux tries for a quarter of an hour.
const UNACKNOWLEDGED: Duration = Duration::from_secs(60);

/// How many connections there may be. Others wait in the kernel's queue for a place.
const MAX_CONNECTIONS: usize = 4096;

/// Accepts connections.
pub struct Listener {
    tcp: TcpListener,
    places: Arc<Semaphore>,
    silence: Duration,
}

impl Listener {
    pub(super) fn new(tcp: TcpListener) -> Self {
        Self { tcp, places: Arc::new(Semaphore::new(MAX_CONNECTIONS)), silence: SILENCE }
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let place = self.places.clone().acquire_owned().await.expect("the semaphore is never closed");
        // Errors, as of too many open files, are waited out in there.
        let (tcp, peer) = axum::serve::Listener::accept(&mut self.tcp).await;
        let options = SockRef::from(&tcp).set_tcp_user_timeout(Some(UNACKNOWLEDGED)).and(tcp.set_nodelay(true));
        if let Err(error) = options {
            // The client is gone already, which its connection will say by itself.
            tracing::debug!(%peer, %error, "a connection takes no options");
        }
        let (moved, silence) = (Instant::now(), self.silence);
        (Connection { tcp, moved, silence, alarm: Box::pin(sleep_until(moved + silence)), _place: place }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// One connection.
pub struct Connection {
    tcp: TcpStream,
    /// When a byte last moved.
    moved: Instant,
    silence: Duration,
    /// Rings when the silence may have lasted too long. It is set anew only when it rings: setting it costs more than a
    /// look at the clock.
    alarm: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    /// Our end's address.
    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Passes on what a read or write came to, unless it waits and has waited for too long.
    fn watch<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.moved = Instant::now();
            return polled;
        }
        while self.alarm.as_mut().poll(context).is_ready() {
            let until = self.moved + self.silence;
            if until <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.alarm.as_mut().reset(until);
        }
        Poll::Pending
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.tcp).poll_read(context, buffer);
        self.watch(context, polled)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write(context, bytes);
        self.watch(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write_vectored(context, slices);
        self.watch(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use axum::serve::Listener as _;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_connection_ends_a_silence_after_the_last_byte() {
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let silence = Duration::from_millis(400);
        let mut listener = Listener { silence, ..Listener::new(tcp) };
        let address = listener.local_addr().expect("it is bound");
        let mut client = TcpStream::connect(address).await.expect("it listens");
        let (mut connection, _) = listener.accept().await;
        let mut byte = [0];
        let second = async {
            tokio::time::sleep(silence / 4).await;
            client.write_all(b"x").await
        };
        let (read, written) = tokio::join!(connection.read_exact(&mut byte), second);
        assert!(read.is_ok() && written.is_ok(), "{read:?} {written:?}");
        let last = Instant::now();
        let error = connection.read_exact(&mut byte).await.expect_err("nothing moves any more");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(last.elapsed() > silence / 2, "the byte set the silence back to its beginning");
    }
}
