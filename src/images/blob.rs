//! A blob that is open for reading.

use std::{fs::File, ops::Range, sync::Arc};

use bytes::Bytes;
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use tokio::sync::watch;

use crate::model::{Digest, image::Tier};

use super::{
    BlobError, CHUNK,
    arrival::read_at,
    blocking,
    fetch::Fetch,
    fill::{Fill, Seen},
    tier_sled::DiskTier,
};

/// A blob that is open for reading. What it reads from stays readable while it lives, whatever is evicted meanwhile.
pub struct Blob {
    /// Its name.
    pub digest: Digest,
    /// Its length in bytes.
    pub len: u64,
    /// Where it was when it was asked for.
    pub tier: Tier,
    pub(super) content: Content,
}

pub(super) enum Content {
    Ram(Bytes),
    Disk(Arc<File>, Arc<DiskTier>),
    Fill(Arc<Fill>),
    Through(Box<Fetch>),
}

impl Blob {
    /// The bytes of `range`, cut to what the blob has, in chunks of 256 KiB or so. A fill is followed as it arrives; a
    /// reader holds one chunk at a time, so a slow one costs no memory and keeps nobody waiting.
    ///
    /// An error ends the stream, and the reader does not have the whole blob then: never end an answer well after one.
    pub fn stream(self, range: Range<u64>) -> BoxStream<'static, Result<Bytes, BlobError>> {
        let range = range.start..range.end.min(self.len);
        match self.content {
            Content::Ram(bytes) => slices(bytes, range).boxed(),
            Content::Disk(file, tier) => from_disk(file, tier, self.digest, range).boxed(),
            Content::Fill(fill) => follow(fill, range).boxed(),
            Content::Through(fetch) => through(*fetch, range).boxed(),
        }
    }
}

fn slices(bytes: Bytes, range: Range<u64>) -> impl Stream<Item = Result<Bytes, BlobError>> + Send {
    // Both ends lie within the buffer, so they fit its index type.
    let (start, end) = (range.start as usize, range.end as usize);
    stream::iter((start..end).step_by(CHUNK).map(move |at| Ok(bytes.slice(at..(at + CHUNK).min(end)))))
}

/// A file that does not give its bytes is doubted: the next ask hashes it, and fetches it anew if need be.
fn from_disk(
    file: Arc<File>,
    tier: Arc<DiskTier>,
    digest: Digest,
    range: Range<u64>,
) -> impl Stream<Item = Result<Bytes, BlobError>> + Send {
    stream::try_unfold((file, tier, range.start), move |(file, tier, at)| async move {
        if at >= range.end {
            return Ok(None);
        }
        let len = CHUNK.min(usize::try_from(range.end - at).unwrap_or(CHUNK));
        let reader = file.clone();
        match blocking(move || read_at(&reader, at, len)).await? {
            Ok(chunk) => Ok(Some((chunk, (file, tier, at + len as u64)))),
            Err(error) => {
                tier.mark(&digest, false);
                Err(BlobError::Disk(error.to_string()))
            }
        }
    })
}

/// Reads what has arrived, and waits for more.
fn follow(fill: Arc<Fill>, range: Range<u64>) -> impl Stream<Item = Result<Bytes, BlobError>> + Send {
    let seen = fill.watch();
    stream::try_unfold((fill, seen, range.start), move |(fill, mut seen, at)| async move {
        if at >= range.end {
            return Ok(None);
        }
        let readable = wait_for(&mut seen, at).await?.min(range.end);
        let max = CHUNK.min(usize::try_from(readable - at).unwrap_or(CHUNK));
        let reader = fill.clone();
        match blocking(move || reader.arrival.read(at, max)).await? {
            Ok(chunk) if !chunk.is_empty() => {
                let next = at + chunk.len() as u64;
                Ok(Some((chunk, (fill, seen, next))))
            }
            Ok(_) => Err(BlobError::Disk("it gave fewer bytes than were written".into())),
            Err(error) => Err(BlobError::Disk(error.to_string())),
        }
    })
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

/// Hands on what a fetch gives, one chunk late: the last one waits for the digest.
fn through(fetch: Fetch, range: Range<u64>) -> impl Stream<Item = Result<Bytes, BlobError>> + Send {
    stream::try_unfold((fetch, None, 0), move |(mut fetch, mut held, mut at): (Fetch, Option<Bytes>, u64)| async move {
        while at < range.end {
            let next = fetch.next().await?;
            let ended = next.is_none();
            let Some(chunk) = std::mem::replace(&mut held, next) else {
                match ended {
                    true => return Ok(None),
                    false => continue,
                }
            };
            let (begin, end) = (at, at + chunk.len() as u64);
            at = end;
            if end > range.start {
                let cut = (range.start.max(begin) - begin) as usize..(range.end.min(end) - begin) as usize;
                return Ok(Some((chunk.slice(cut), (fetch, held, at))));
            }
        }
        Ok(None)
    })
}
