//! What the kernel sends after an answer's head: parts of a blob, and the few bytes between them.

use std::{
    fs::File,
    io,
    ops::Range,
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use tokio::{io::AsyncWriteExt, task::yield_now};

use crate::images::{Blob, BlobError, Piece};

use super::{connection::Connection, pace::Turn, transfer::Meter};

/// How much the kernel is given at once, in bytes: half a millisecond's work. With less, clients find their windows half full
/// more often, and are sent half as much with each call.
const SPAN: u64 = 4 << 20;

/// How long a sender goes on before others get their turn: the thread that sends also answers DHCP. Giving it up wakes
/// another thread, which at each MiB cost a single client a tenth of its throughput.
const TURN: Duration = Duration::from_millis(2);

/// What the system says of a disk that cannot be read. A socket never says it.
const EIO: i32 = rustix::io::Errno::IO.raw_os_error();

/// A body to be sent.
pub(super) struct Parcel {
    /// What it is made of.
    pub(super) blob: Blob,
    /// Its parts, in order.
    pub(super) parts: Vec<Part>,
    /// Counts what was sent.
    pub(super) meter: Meter,
    /// The client's share of the line, when it has a limit.
    pub(super) turn: Option<Turn>,
    /// Hears why the blob broke off, if it does.
    pub(super) broke: Box<dyn FnOnce(&BlobError) + Send>,
    /// Whether the connection carries the next request after it.
    pub(super) lasts: bool,
}

/// A part of a body.
pub(super) enum Part {
    /// These bytes.
    Text(Bytes),
    /// These bytes of the blob.
    Range(Range<u64>),
}

impl Part {
    /// Its length in bytes.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Text(bytes) => bytes.len() as u64,
            Self::Range(range) => range.end - range.start,
        }
    }
}

/// Why a body ends before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The client is gone.
    #[error(transparent)]
    Client(#[from] io::Error),
    /// The rest is not to be had.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

impl Parcel {
    /// Its length in bytes.
    pub(super) fn len(&self) -> u64 {
        self.parts.iter().map(Part::len).sum()
    }

    /// Sends it. After an error the client does not have the whole: the connection must not end well.
    pub(super) async fn send(mut self, to: &mut Connection) -> Result<(), Broken> {
        to.cork(true);
        let sent = self.send_parts(to).await;
        to.cork(false);
        if let Err(Broken::Blob(error)) = &sent {
            (self.broke)(error);
        }
        sent
    }

    async fn send_parts(&mut self, to: &mut Connection) -> Result<(), Broken> {
        for part in std::mem::take(&mut self.parts) {
            match part {
                Part::Text(bytes) => self.send_bytes(to, bytes).await?,
                Part::Range(range) => self.send_range(to, range).await?,
            }
        }
        Ok(())
    }

    async fn send_range(&mut self, to: &mut Connection, range: Range<u64>) -> Result<(), Broken> {
        let mut reader = self.blob.reader(range.clone());
        let mut left = range.end - range.start;
        let mut began = Instant::now();
        while left > 0 {
            let most = self.allowed(to, left).await?.min(SPAN);
            // A reader that ends early would be a bug of a tier. To the client it is a blob that broke off.
            let piece = to.during(reader.next(most)).await??.ok_or(BlobError::Dropped)?;
            match piece {
                Piece::Bytes(bytes) => {
                    left -= bytes.len() as u64;
                    self.send_bytes(to, bytes).await?;
                }
                Piece::File { file, at, len } => {
                    let sent = self.send_file(to, &file, at, len).await?.map_err(|error| reader.broke(&error))?;
                    left -= sent;
                    reader.give_back(len - sent);
                }
            }
            if began.elapsed() >= TURN {
                yield_now().await;
                began = Instant::now();
            }
        }
        Ok(())
    }

    /// How many bytes the client's share of the line allows now, at least one.
    async fn allowed(&mut self, to: &mut Connection, left: u64) -> io::Result<u64> {
        match &mut self.turn {
            Some(turn) => to.during(turn.allowed(left)).await,
            None => Ok(left),
        }
    }

    fn sent(&mut self, bytes: u64) {
        self.meter.add(bytes);
        if let Some(turn) = &mut self.turn {
            turn.spend(bytes);
        }
    }

    async fn send_bytes(&mut self, to: &mut Connection, mut bytes: Bytes) -> io::Result<()> {
        while !bytes.is_empty() {
            let sent = to.write(&bytes).await?;
            bytes.advance(sent);
            self.sent(sent as u64);
        }
        Ok(())
    }

    /// Has the kernel send bytes of a file, as many as it takes now. The outer error is the client's, the inner one the file's.
    async fn send_file(&mut self, to: &mut Connection, file: &File, at: u64, len: u64) -> io::Result<io::Result<u64>> {
        match to.send_file(file, at, len).await {
            // What is shorter than its tier says was cut behind its back.
            Ok(0) => Ok(Err(io::ErrorKind::UnexpectedEof.into())),
            Ok(sent) => {
                self.sent(sent);
                Ok(Ok(sent))
            }
            Err(error) if error.raw_os_error() == Some(EIO) => Ok(Err(error)),
            Err(error) => Err(error),
        }
    }
}
