//! The clients: a child of the bench in their namespace, one for both servers.
//!
//! ```text
//!   __client window|once|slow URL BYTES CLIENTS MILLISECONDS
//! ```
//! `window`: every client takes the file over and over on one connection, and what came until the time is over counts.
//! `once`: every client takes it once. `slow`: every client reads a little each second until the time is over.
//!
//! The bytes are thrown away in the kernel (`MSG_TRUNC`, tcp(7)): a client that copied them would be what is measured, as it
//! shares its cores with the server. So it cannot look at them; that they are right is checked apart, and that each transfer
//! has the length that it should have, here.

use std::{
    io,
    mem::MaybeUninit,
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use nix::sys::socket::MsgFlags;
use serde::{Deserialize, Serialize};
use socket2::SockRef;
use tokio::{
    io::{AsyncWriteExt, Interest},
    net::TcpStream,
    task::JoinSet,
    time::sleep,
};

use super::{net::Net, ourselves, server::said};

/// What begins the command line of a client.
pub const WORD: &str = "__client";

/// The most that is taken from a connection at once.
const PIECE: usize = 1 << 20;

/// What a slow client reads each second: a dial-up line.
const TRICKLE: usize = 4 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Window,
    Once,
    Slow,
}

const MANNERS: [(&str, Manner); 3] = [("window", Manner::Window), ("once", Manner::Once), ("slow", Manner::Slow)];

/// What clients ask for.
pub struct Ask<'a> {
    pub manner: Manner,
    pub url: &'a str,
    /// How long the answer must be.
    pub bytes: u64,
    pub clients: usize,
    /// How long they go on, unless each comes once.
    pub time: Duration,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Came {
    pub bytes: u64,
    pub seconds: f64,
    /// Transfers that were whole.
    pub whole: u64,
    /// Connections that the server ended before the transfer was whole, as nginx does by default after 60 s in which its
    /// client took nothing. Only slow clients live on after one.
    pub broken: u64,
}

/// Lets clients loose, and waits for them.
pub fn send(net: &Net, ask: &Ask<'_>) -> Came {
    let manner = MANNERS.iter().find(|(_, manner)| *manner == ask.manner).unwrap().0;
    let (bytes, clients, time) = (ask.bytes.to_string(), ask.clients.to_string(), ask.time.as_millis().to_string());
    let command = ourselves(&net.clients(), &[WORD, manner, ask.url, &bytes, &clients, &time]);
    serde_json::from_str(&said(command).unwrap()).unwrap()
}

/// What all clients count together.
#[derive(Default)]
struct Tally {
    bytes: AtomicU64,
    whole: AtomicU64,
    broken: AtomicU64,
}

/// The child.
pub fn run(words: &[String]) -> ExitCode {
    let [manner, url, bytes, clients, time] = words else { panic!("{WORD} MANNER URL BYTES CLIENTS MILLISECONDS") };
    let manner = MANNERS.iter().find(|(name, _)| name == manner).unwrap().1;
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let address: SocketAddr = address.parse().unwrap_or_else(|_| format!("{address}:80").parse().unwrap());
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {}\r\n\r\n", address.ip());
    let (bytes, clients): (u64, usize) = (bytes.parse().unwrap(), clients.parse().unwrap());
    let time = Duration::from_millis(time.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let came = runtime.block_on(async {
        let (tally, began) = (Arc::new(Tally::default()), Instant::now());
        let mut tasks = JoinSet::new();
        for _ in 0..clients {
            let client = Client { address, request: request.clone(), bytes, tally: tally.clone() };
            tasks.spawn(client.go(manner));
        }
        let all = async {
            while let Some(ended) = tasks.join_next().await {
                ended.unwrap().unwrap();
            }
        };
        match manner {
            Manner::Once => all.await,
            // They end only by failing, which is the end of the measurement.
            Manner::Window | Manner::Slow => tokio::select! { () = all => {}, () = sleep(time) => {} },
        }
        let read = |count: &AtomicU64| count.load(Relaxed);
        let (bytes, seconds) = (read(&tally.bytes), began.elapsed().as_secs_f64());
        Came { bytes, seconds, whole: read(&tally.whole), broken: read(&tally.broken) }
    });
    println!("{}", serde_json::to_string(&came).unwrap());
    // Connections that are in the middle of something end with the process.
    std::process::exit(0);
}

struct Client {
    address: SocketAddr,
    request: String,
    /// How long an answer must be.
    bytes: u64,
    tally: Arc<Tally>,
}

impl Client {
    async fn go(self, manner: Manner) -> io::Result<()> {
        let pace = (manner == Manner::Slow).then(|| Duration::from_secs(1));
        let mut connection = Connection::new(self.address).await?;
        loop {
            match self.take(&mut connection, pace).await {
                Ok(()) => self.tally.whole.fetch_add(1, Relaxed),
                Err(_) if manner == Manner::Slow => {
                    connection = Connection::new(self.address).await?;
                    self.tally.broken.fetch_add(1, Relaxed)
                }
                Err(error) => return Err(error),
            };
            if manner == Manner::Once {
                return Ok(());
            }
        }
    }

    /// Takes the file once.
    async fn take(&self, connection: &mut Connection, pace: Option<Duration>) -> io::Result<()> {
        connection.tcp.write_all(self.request.as_bytes()).await?;
        let mut left = self.bytes - connection.head(self.bytes).await?;
        self.tally.bytes.fetch_add(self.bytes - left, Relaxed);
        let most = if pace.is_some() { TRICKLE } else { PIECE };
        while left > 0 {
            let took = connection.discard(most.min(usize::try_from(left).unwrap_or(most))).await?;
            self.tally.bytes.fetch_add(took, Relaxed);
            left -= took;
            if let Some(pace) = pace {
                sleep(pace).await;
            }
        }
        Ok(())
    }
}

struct Connection {
    tcp: TcpStream,
    /// Where the kernel is told to put bytes that it throws away: it is never written to.
    nowhere: Box<[MaybeUninit<u8>]>,
}

impl Connection {
    async fn new(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { tcp: TcpStream::connect(address).await?, nowhere: Box::new_uninit_slice(PIECE) })
    }

    /// Reads the head of an answer, which must be 200 and promise `bytes`; how many of these came with it.
    async fn head(&mut self, bytes: u64) -> io::Result<u64> {
        let mut head = vec![];
        let end = loop {
            self.tcp.readable().await?;
            match self.tcp.try_read_buf(&mut head) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = String::from_utf8_lossy(&head[..end]).to_ascii_lowercase();
        let promised = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        assert!(text.starts_with("http/1.1 200 ") && promised == Some(bytes), "wanted {bytes} bytes, got: {text}");
        Ok((head.len() - end) as u64)
    }

    /// Throws away what has come, at most `most` bytes; how many they were.
    async fn discard(&mut self, most: usize) -> io::Result<u64> {
        let Self { tcp, nowhere } = self;
        let socket = SockRef::from(&*tcp);
        let take = || socket.recv_with_flags(&mut nowhere[..most], MsgFlags::MSG_TRUNC.bits());
        match tcp.async_io(Interest::READABLE, take).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            took => Ok(took as u64),
        }
    }
}
