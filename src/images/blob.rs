//! A blob that is open for reading.

use std::{fs::File, ops::Range, os::unix::fs::FileExt, sync::Arc};

use bytes::Bytes;
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use tokio::sync::watch;

use crate::model::{Digest, image::Tier};

use super::{
    BlobError,
    fill::{Fill, Seen},
};

/// How much is handed out at once.
const CHUNK: u64 = 256 << 10;

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
    Disk(Arc<File>),
    Fill(Arc<Fill>),
}

impl Blob {
    /// The bytes of `range`, which must lie within the blob. A fill is followed as it arrives; nothing is read ahead of
    /// the reader, so a slow one holds no memory.
    pub fn stream(self, range: Range<u64>) -> BoxStream<'static, Result<Bytes, BlobError>> {
        let end = range.end.min(self.len);
        match self.content {
            Content::Ram(bytes) => {
                let starts = (range.start..end).step_by(CHUNK as usize);
                stream::iter(starts.map(move |at| Ok(bytes.slice(at as usize..(at + CHUNK).min(end) as usize)))).boxed()
            }
            Content::Disk(file) => read_on(file, None, range.start, end).boxed(),
            Content::Fill(fill) => read_on(fill.file.clone(), Some(fill.watch()), range.start, end).boxed(),
        }
    }
}

/// Reads `file` from `at` to `end`, waiting for a fill where there is one.
fn read_on(
    file: Arc<File>,
    fill: Option<watch::Receiver<Seen>>,
    at: u64,
    end: u64,
) -> impl Stream<Item = Result<Bytes, BlobError>> + Send {
    stream::try_unfold((file, fill, at), move |(file, mut fill, at)| async move {
        if at >= end {
            return Ok(None);
        }
        let visible = match &mut fill {
            None => end,
            Some(seen) => wait_for(seen, at).await?,
        };
        let len = CHUNK.min(end - at).min(visible - at);
        let reader = file.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = vec![0; len as usize];
            reader.read_exact_at(&mut chunk, at).map(|()| chunk)
        });
        match read.await {
            Ok(Ok(chunk)) => Ok(Some((Bytes::from(chunk), (file, fill, at + len)))),
            Ok(Err(error)) => Err(BlobError::Disk(error.to_string())),
            Err(error) => Err(BlobError::Disk(error.to_string())),
        }
    })
}

/// Waits until bytes after `at` may be read; how many bytes may be, from the start.
async fn wait_for(seen: &mut watch::Receiver<Seen>, at: u64) -> Result<u64, BlobError> {
    loop {
        match &*seen.borrow_and_update() {
            Seen::Arrived { visible, .. } if *visible > at => return Ok(*visible),
            Seen::Arrived { .. } => {}
            Seen::Done { len } => return Ok(*len),
            Seen::Failed(error) => return Err(error.clone()),
        }
        if seen.changed().await.is_err() {
            return Err(BlobError::Disk("the fill was abandoned".into()));
        }
    }
}
