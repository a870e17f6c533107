//! The boot port's connections, bounded in number and in silence.
//!
//! Boot clients vanish: firmware jumps into a kernel, machines are switched off in the middle of a download. None of them
//! says goodbye, so a connection on which nothing moves for [`SILENCE`] is closed, and one whose client acknowledges nothing
//! for [`UNACKNOWLEDGED`] is given up by the kernel, which ends the transfer in the timeline too.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf, Bytes};
use futures_util::future::poll_fn;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, Interest, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep, sleep_until, timeout},
};

use super::exit::Exit;

/// How long a connection may rest between two bytes: longer than an origin needs to begin, or a large blob to be hashed.
const SILENCE: Duration = Duration::from_secs(300);

/// How long a client may take to say what it wants, from the first byte of it.
const HEAD: Duration = Duration::from_secs(60);

/// How long sent bytes may stay unacknowledged (RFC 5482). By default Linux tries for a quarter of an hour. No shorter than the
/// silence: Linux counts the time that a client keeps its window shut as well, though it answers every probe, and an
/// installer that is busy unpacking does that for minutes.
const UNACKNOWLEDGED: Duration = SILENCE;

/// How many connections there may be. Others wait in the kernel's queue for a place.
const MAX_CONNECTIONS: u32 = 4096;

/// How long a client gets to read the end of its answer before its connection is closed under it.
const FAREWELL: Duration = Duration::from_secs(2);

/// Accepts connections.
pub struct Listener {
    tcp: TcpListener,
    places: Arc<Semaphore>,
    silence: Duration,
    head: Duration,
}

impl Listener {
    pub(super) fn new(tcp: TcpListener) -> Self {
        Self { tcp, places: Arc::new(Semaphore::new(MAX_CONNECTIONS as usize)), silence: SILENCE, head: HEAD }
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// The next connection, and who is at its other end.
    pub(super) async fn accept(&self) -> (Connection, SocketAddr) {
        let place = self.places.clone().acquire_owned().await.expect("the semaphore is never closed");
        let (tcp, peer) = loop {
            match self.tcp.accept().await {
                Ok(accepted) => break accepted,
                Err(error) if gone_already(&error) => {}
                Err(error) => {
                    // Too many open files, say: some will be closed soon.
                    tracing::warn!(%error, "the boot port accepts nobody for a second");
                    sleep(Duration::from_secs(1)).await;
                }
            }
        };
        let options = SockRef::from(&tcp).set_tcp_user_timeout(Some(UNACKNOWLEDGED)).and(tcp.set_nodelay(true));
        if let Err(error) = options {
            // The client is gone already, which its connection will say by itself.
            tracing::debug!(%peer, %error, "a connection takes no options");
        }
        let (now, silence, head) = (Instant::now(), self.silence, self.head);
        let alarm = Box::pin(sleep_until(now + silence.min(head)));
        let (ahead, exit) = (Bytes::new(), Exit::default());
        (Connection { tcp, ahead, exit, moved: now, begun: now, silence, head, alarm, _place: place }, peer)
    }

    /// Accepts nobody more, and waits until every connection has ended.
    pub(super) async fn drained(self) {
        drop(self.tcp);
        drop(self.places.acquire_many(MAX_CONNECTIONS).await);
    }
}

/// Whether a connection ended between the kernel's queue and us, which says nothing of the next one.
fn gone_already(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// One connection.
pub(super) struct Connection {
    tcp: TcpStream,
    /// What was read of the next request already.
    ahead: Bytes,
    /// Hears when everything that was written has been given to the kernel.
    exit: Exit,
    /// When a byte last moved.
    moved: Instant,
    /// When the head that is being read began.
    begun: Instant,
    silence: Duration,
    head: Duration,
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

    /// Its way out of hyper.
    pub(super) fn exit(&self) -> Exit {
        self.exit.clone()
    }

    /// Takes back what was read and not used: the beginning of the next request.
    pub(super) fn read_again(&mut self, ahead: Bytes) {
        debug_assert!(self.ahead.is_empty(), "hyper reads what was ahead before it reads on");
        self.ahead = ahead;
    }

    /// Whether the kernel waits with what fills no segment. Between two pieces of a body it sent such ends whenever the client
    /// acknowledged something: with 256 clients half as many segments again, and a tenth less throughput.
    pub(super) fn cork(&self, on: bool) {
        if let Err(error) = SockRef::from(&self.tcp).set_tcp_cork(on) {
            // The client is gone, which the next write says.
            tracing::debug!(%error, "a connection takes no options");
        }
    }

    /// Has the kernel send bytes of a file, as many as it takes now, at least one; none when the file ends at `at`.
    pub(super) async fn send_file(&mut self, file: &std::fs::File, at: u64, len: u64) -> io::Result<u64> {
        poll_fn(|context| self.poll_send_file(context, file, at, len)).await
    }

    fn poll_send_file(
        &mut self,
        context: &mut Context<'_>,
        file: &std::fs::File,
        at: u64,
        len: u64,
    ) -> Poll<io::Result<u64>> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        loop {
            match self.tcp.poll_write_ready(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.watch(context, Poll::Pending),
            }
            let mut offset = at;
            let send = || Ok(rustix::fs::sendfile(&self.tcp, file, Some(&mut offset), len)?);
            match self.tcp.try_io(Interest::WRITABLE, send) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                sent => return self.watch(context, Poll::Ready(sent.map(|sent| sent as u64))),
            }
        }
    }

    /// Waits for something else than the client, unless the client goes away or the silence lasts for too long meanwhile.
    pub(super) async fn during<T>(&mut self, wait: impl Future<Output = T>) -> io::Result<T> {
        let mut wait = pin!(wait);
        poll_fn(|context| match wait.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending => self.poll_gone(context).map(Err),
        })
        .await
    }

    /// As hyper does while it waits for an answer's bytes: who has closed its end waits no longer.
    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let mut byte = [0];
        match self.tcp.poll_peek(context, &mut ReadBuf::new(&mut byte)) {
            Poll::Ready(Ok(0)) => return Poll::Ready(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(Err(error)) => return Poll::Ready(error),
            Poll::Ready(Ok(_)) | Poll::Pending => {}
        }
        match self.watch::<()>(context, Poll::Pending) {
            Poll::Ready(Err(error)) => Poll::Ready(error),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    }

    /// Ends it after an answer was sent: closing at once would reset it, with bytes of the client unread, and the client
    /// might lose the end of the answer.
    pub(super) async fn close(mut self) {
        use tokio::io::AsyncWriteExt;
        let farewell = async {
            let mut rest = [0; 4096];
            self.tcp.shutdown().await?;
            while self.tcp.read(&mut rest).await? > 0 {}
            io::Result::Ok(())
        };
        // Whatever comes of it, the connection ends here.
        drop(timeout(FAREWELL, farewell).await);
    }

    fn come(&mut self) {
        if self.exit.came() {
            self.begun = Instant::now();
        }
    }

    /// Passes on what a read or write came to, unless it waits and has waited for too long.
    fn watch<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.moved = Instant::now();
            return polled;
        }
        while self.alarm.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            let late = self.exit.is_reading() && self.begun + self.head <= now;
            let until = self.moved + self.silence;
            if late || until <= now {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            // A head may begin at any time: it is seen to when it has taken between once and twice its time.
            self.alarm.as_mut().reset(until.min(now + self.head));
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
        if !self.ahead.is_empty() {
            let most = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead[..most]);
            self.ahead.advance(most);
            self.come();
            return Poll::Ready(Ok(()));
        }
        let polled = Pin::new(&mut self.tcp).poll_read(context, buffer);
        if polled.is_ready() {
            self.come();
        }
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
        let polled = Pin::new(&mut self.tcp).poll_flush(context);
        if matches!(polled, Poll::Ready(Ok(()))) {
            self.exit.flushed();
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn a_connection_ends_a_silence_after_the_last_byte() {
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let silence = Duration::from_millis(400);
        let listener = Listener { silence, ..Listener::new(tcp) };
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

    #[tokio::test]
    async fn a_head_that_drips_in_is_not_waited_for() {
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let head = Duration::from_millis(200);
        let listener = Listener { head, ..Listener::new(tcp) };
        let mut client = TcpStream::connect(listener.local_addr().expect("it is bound")).await.expect("it listens");
        let (mut connection, _) = listener.accept().await;
        let began = Instant::now();
        let drip = async {
            while client.write_all(b"x").await.is_ok() {
                tokio::time::sleep(head / 10).await;
            }
        };
        let read = async {
            let mut byte = [0];
            loop {
                if let Err(error) = connection.read_exact(&mut byte).await {
                    break error.kind();
                }
            }
        };
        tokio::select! {
            kind = read => assert_eq!(kind, io::ErrorKind::TimedOut),
            () = drip => unreachable!("the connection stands"),
        }
        assert!(began.elapsed() >= head, "it had its time");
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_of_a_file_is_given_up_after_the_silence() {
        let tcp = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let silence = Duration::from_millis(300);
        let listener = Listener { silence, ..Listener::new(tcp) };
        let client = TcpStream::connect(listener.local_addr().expect("it is bound")).await.expect("it listens");
        let (mut connection, _) = listener.accept().await;
        let file = tempfile::tempfile().expect("a temporary file");
        file.set_len(64 << 20).expect("a hole takes no room");
        let mut at = 0;
        let error = loop {
            match connection.send_file(&file, at, 1 << 20).await {
                Ok(sent) => at += sent,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(at > 0, "the kernel took some of it");
        let waited = connection.during(std::future::pending::<()>()).await.map_err(|error| error.kind());
        assert_eq!(waited, Err(io::ErrorKind::TimedOut), "so does what waits for an origin");
        drop(client);
    }
}
