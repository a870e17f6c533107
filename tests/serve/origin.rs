//! An origin that gives as much of its one file as it is told to, and breaks off when it is told to.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};

pub struct Origin {
    address: SocketAddr,
    /// How many bytes may be given; `None` once it breaks off.
    given: watch::Sender<Option<usize>>,
    asked: Arc<AtomicUsize>,
}

impl Origin {
    pub async fn start(bytes: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (given, may) = watch::channel(Some(0));
        let asked = Arc::new(AtomicUsize::new(0));
        let (bytes, count) = (Arc::new(bytes), asked.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(give(client, bytes.clone(), may.clone(), count.clone()));
            }
        });
        Self { address, given, asked }
    }

    pub fn url(&self) -> String {
        format!("http://{}/file", self.address)
    }

    /// Gives the file up to this byte.
    pub fn give(&self, bytes: usize) {
        self.given.send_replace(Some(bytes));
    }

    /// Cuts every connection, and those that come.
    pub fn break_off(&self) {
        self.given.send_replace(None);
    }

    /// How often it was asked for the file.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn give(
    client: TcpStream,
    bytes: Arc<Vec<u8>>,
    mut may: watch::Receiver<Option<usize>>,
    asked: Arc<AtomicUsize>,
) {
    let mut client = BufReader::new(client);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if client.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
    }
    asked.fetch_add(1, Ordering::Relaxed);
    if may.borrow().is_none() {
        return;
    }
    let head = format!("HTTP/1.1 200 OK\r\nETag: \"one\"\r\nContent-Length: {}\r\n\r\n", bytes.len());
    let mut at = 0;
    if client.write_all(head.as_bytes()).await.is_err() {
        return;
    }
    while at < bytes.len() {
        let Ok(until) = may.wait_for(|given| given.is_none_or(|given| given > at)).await.map(|given| *given) else {
            return;
        };
        let Some(until) = until else { return };
        if client.write_all(&bytes[at..until]).await.is_err() {
            return;
        }
        at = until;
    }
    drop(client.flush().await);
}
