//! A bare socket that reads answers as RFC 9112 says, and notices what a client with better manners would hide.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

const LIMIT: Duration = Duration::from_secs(60);

pub struct Socket(pub BufReader<TcpStream>);

/// The head of an answer.
#[derive(Debug)]
pub struct Head {
    pub status: u16,
    pub fields: Vec<(String, String)>,
}

impl Head {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub fn length(&self) -> usize {
        self.field("content-length").unwrap_or_else(|| panic!("no length: {self:?}")).parse().unwrap()
    }
}

impl Socket {
    pub async fn connect(to: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(to).await.unwrap()))
    }

    pub async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Asks for a path with these further lines in the head.
    pub async fn get(&mut self, path: &str, lines: &str) {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n")).await;
    }

    pub async fn head(&mut self) -> Head {
        let (mut status, mut fields) = (None, vec![]);
        loop {
            let mut line = String::new();
            timeout(LIMIT, self.0.read_line(&mut line)).await.expect("an answer").unwrap();
            let line = line.strip_suffix("\r\n").unwrap_or_else(|| panic!("no line of a head: {line:?}"));
            match status {
                None => status = Some(line.split(' ').nth(1).unwrap().parse().unwrap()),
                Some(status) if line.is_empty() => return Head { status, fields },
                Some(_) => {
                    let (name, value) = line.split_once(": ").unwrap();
                    fields.push((name.to_ascii_lowercase(), value.to_owned()));
                }
            }
        }
    }

    pub async fn body(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        timeout(LIMIT, self.0.read_exact(&mut bytes)).await.expect("a body").unwrap();
        bytes
    }

    /// An answer with its body.
    pub async fn answer(&mut self) -> (Head, Vec<u8>) {
        let head = self.head().await;
        let body = self.body(head.length()).await;
        (head, body)
    }

    /// Everything up to the end of the connection, and whether it ended as a whole answer does: without an error.
    pub async fn rest(&mut self) -> (Vec<u8>, bool) {
        let mut bytes = vec![];
        let read = timeout(LIMIT, self.0.read_to_end(&mut bytes)).await.expect("an end");
        (bytes, read.is_ok())
    }
}
