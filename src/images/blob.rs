//! A blob that is open for reading.

use std::{
    fs::File,
    mem,
    ops::Range,
    sync::{Arc, atomic::Ordering},
};

use bytes::{Buf, Bytes};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::sync::watch;

use crate::model::{
    Digest,
    image::{ImageFile, Tier},
};

use super::{
    BlobError, CHUNK, Counters,
    arrival::read_at,
    blocking,
    disk_blob::DiskBlob,
    fetch::Fetch,
    fill::{Fill, Seen},
    origins::Origins,
    page_cache,
};

/// A blob that is open for reading. What it reads from stays readable while it lives, whatever is evicted meanwhile.
#[derive(Clone)]
pub struct Blob {
    /// Its name.
    pub digest: Digest,
    /// Its length in bytes.
    pub len: u64,
    /// Where it was when it was asked for.
    pub tier: Tier,
    pub(super) content: Content,
    pub(super) counters: Arc<Counters>,
}

#[derive(Clone)]
pub(super) enum Content {
    Ram(Arc<File>),
    Disk(DiskBlob),
    Fill(Arc<Fill>),
    Through(Arc<Origins>, Box<ImageFile>),
}

/// Some bytes of a blob, in order.
#[derive(Debug, Clone)]
pub enum Piece {
    /// They lie in a file that the kernel can send by itself. They are in memory: it does not have to wait for a disk.
    File {
        /// Where they lie. It may be read beyond the piece, but says nothing true there.
        file: Arc<File>,
        /// Where they begin in it.
        at: u64,
        /// How many they are; never zero.
        len: u64,
    },
    /// They are here.
    Bytes(Bytes),
}

impl Piece {
    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        match self {
            Self::File { len, .. } => *len,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Never: a reader ends instead.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Blob {
    /// Reads `range`, cut to what the blob has.
    pub fn reader(&self, range: Range<u64>) -> Reader {
        let (at, end) = (range.start, range.end.min(self.len));
        let source = match &self.content {
            Content::Ram(file) => Source::Ram(file.clone()),
            Content::Disk(disk) => Source::Disk(disk.clone()),
            Content::Fill(fill) => Source::Fill(fill.watch(), fill.clone()),
            Content::Through(origins, file) => {
                Source::Through(Box::new(Through::new(Fetch::new(origins.clone(), file))))
            }
        };
        Reader { digest: self.digest, at, end, source, tier: self.tier, counters: self.counters.clone() }
    }

    /// The bytes of `range` in chunks of at most 256 KiB, for who wants to look at them.
    ///
    /// An error ends the stream, and the reader does not have the whole blob then: never end an answer well after one.
    pub fn stream(self, range: Range<u64>) -> BoxStream<'static, Result<Bytes, BlobError>> {
        let reader = self.reader(range);
        stream::try_unfold(reader, async |mut reader| {
            let Some(piece) = reader.next(CHUNK as u64).await? else { return Ok(None) };
            let bytes = reader.bytes(piece).await?;
            Ok(Some((bytes, reader)))
        })
        .boxed()
    }
}

/// Reads a part of a blob, piece by piece. A fill is followed as it arrives; a reader holds one piece at a time, so a slow one
/// costs no memory and keeps nobody waiting.
pub struct Reader {
    digest: Digest,
    at: u64,
    end: u64,
    source: Source,
    tier: Tier,
    counters: Arc<Counters>,
}

enum Source {
    Ram(Arc<File>),
    Disk(DiskBlob),
    Fill(watch::Receiver<Seen>, Arc<Fill>),
    Through(Box<Through>),
}

impl Reader {
    /// The next bytes, at most `max` of them; `None` at the end. After an error the blob cannot be completed.
    pub async fn next(&mut self, max: u64) -> Result<Option<Piece>, BlobError> {
        if self.at >= self.end {
            return Ok(None);
        }
        let at = self.at;
        let most = max.min(self.end - at);
        let disk = |error: std::io::Error| BlobError::Disk(error.to_string());
        let piece = match &mut self.source {
            Source::Ram(file) => Piece::File { file: file.clone(), at, len: most },
            Source::Disk(blob) => blob.next(at, most).await?,
            Source::Fill(seen, fill) => {
                let readable = wait_for(seen, at).await?;
                let (file, len) = fill.arrival.place(at, readable).map_err(disk)?;
                let len = len.min(most);
                // A reader that is far behind may find that the kernel has let go of what was written.
                if !fill.arrival.is_in_memory(at) && !page_cache::holds(&file, at..at + len) {
                    let slow = file.clone();
                    blocking(move || page_cache::read_in(&slow, at..at + len)).await?.map_err(disk)?;
                }
                Piece::File { file, at, len }
            }
            Source::Through(through) => match through.next(at..at + most).await? {
                Some(bytes) => Piece::Bytes(bytes),
                None => return Err(BlobError::Dropped),
            },
        };
        self.at += piece.len();
        self.counters.served(self.tier).fetch_add(piece.len(), Ordering::Relaxed);
        Ok(Some(piece))
    }

    /// Takes back the last `len` bytes of the piece that it gave last, which lies in a file: they are given again, and looked at
    /// anew, as a slow client may be ready for them much later.
    pub fn give_back(&mut self, len: u64) {
        self.at -= len;
        self.counters.served(self.tier).fetch_sub(len, Ordering::Relaxed);
    }

    /// The bytes of a piece that this reader gave.
    pub async fn bytes(&mut self, piece: Piece) -> Result<Bytes, BlobError> {
        let (file, at, len) = match piece {
            Piece::Bytes(bytes) => return Ok(bytes),
            Piece::File { file, at, len } => (file, at, len),
        };
        let len = usize::try_from(len).map_err(|error| BlobError::Disk(error.to_string()))?;
        blocking(move || read_at(&file, at, len)).await?.map_err(|error| self.broke(&error))
    }

    /// Says that a piece could not be read. A file on disk that does not give its bytes is doubted: the next ask hashes it, and
    /// fetches it anew if need be.
    pub fn broke(&self, error: &std::io::Error) -> BlobError {
        if let Source::Disk(disk) = &self.source {
            disk.tier.mark(&self.digest, false);
        }
        BlobError::Disk(error.to_string())
    }
}

/// Waits until the byte at `at` may be read; how many may be, from the start.
async fn wait_for(seen: &mut watch::Receiver<Seen>, at: u64) -> Result<u64, BlobError> {
    let reached = seen.wait_for(|seen| match seen {
        Seen::Arrived { visible, .. } => *visible > at,
        Seen::Verified { .. } | Seen::Kept { .. } | Seen::Failed(_) => true,
    });
    match &*reached.await.map_err(|_| BlobError::Dropped)? {
        Seen::Arrived { visible, .. } => Ok(*visible),
        Seen::Verified { len } | Seen::Kept { len } if *len > at => Ok(*len),
        // The length was promised before the fill; one that ends elsewhere fails. So this is no end to be reached.
        Seen::Verified { .. } | Seen::Kept { .. } => Err(BlobError::Dropped),
        Seen::Failed(error) => Err(error.clone()),
    }
}

/// A fetch that nobody keeps: handed on one chunk late, as the last one waits for the digest.
struct Through {
    fetch: Fetch,
    /// The chunk that waits.
    held: Option<Bytes>,
    /// What may be read, and where it begins.
    ready: Bytes,
    at: u64,
    ended: bool,
}

impl Through {
    fn new(fetch: Fetch) -> Self {
        Self { fetch, held: None, ready: Bytes::new(), at: 0, ended: false }
    }

    /// The next bytes of `range`, whose start never goes back; `None` when the blob ends before it.
    async fn next(&mut self, range: Range<u64>) -> Result<Option<Bytes>, BlobError> {
        loop {
            let passed = (range.start - self.at).min(self.ready.len() as u64);
            self.advance(passed);
            if !self.ready.is_empty() {
                let most = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
                let bytes = self.ready.slice(..most.min(self.ready.len()));
                self.advance(bytes.len() as u64);
                return Ok(Some(bytes));
            }
            if self.ended {
                return Ok(None);
            }
            let next = self.fetch.next().await?;
            self.ended = next.is_none();
            self.ready = mem::replace(&mut self.held, next).unwrap_or_default();
        }
    }

    fn advance(&mut self, by: u64) {
        // Never more than is ready, so it fits the index type.
        self.ready.advance(by as usize);
        self.at += by;
    }
}
