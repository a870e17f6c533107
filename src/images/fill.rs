//! The one fill of a blob: from an origin into a temporary file, hashed as it comes, followed by everybody who asks.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use futures_util::StreamExt;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::model::{Digest, image::ImageFile};

use super::{BlobError, origin::Client, tier_sled::DiskTier};

/// How often all origins are tried, each from where the last one broke off.
const ROUNDS: u32 = 3;
/// The pause before the second round; it doubles.
const PAUSE: Duration = Duration::from_millis(500);

/// What can be seen of a fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// Bytes have arrived: so many may be read. The last chunk to arrive is always held back.
    Arrived {
        /// How many may be read.
        visible: u64,
        /// The length of the whole, once an origin or the manifest said it.
        len: Option<u64>,
    },
    /// All bytes are there and hash to the name.
    Done {
        /// The length of the whole.
        len: u64,
    },
    /// It failed; what was read so far cannot be completed.
    Failed(BlobError),
}

/// A fill, as its followers hold it.
pub(super) struct Fill {
    seen: watch::Receiver<Seen>,
    /// The temporary file; it can be read on after it was renamed or removed.
    pub(super) file: Arc<File>,
}

/// A fill, as the task that runs it holds it.
pub(super) struct Sink {
    path: PathBuf,
    file: Arc<File>,
    seen: watch::Sender<Seen>,
}

impl Fill {
    /// Prepares a fill that writes to `path`.
    pub(super) fn begin(file: &ImageFile, path: PathBuf) -> Result<(Self, Sink), BlobError> {
        let opened = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let opened = Arc::new(opened.map_err(|error| BlobError::Disk(format!("{}: {error}", path.display())))?);
        let first = Seen::Arrived { visible: 0, len: file.size.map(|size| size.0) };
        let (sender, seen) = watch::channel(first);
        Ok((Self { seen, file: opened.clone() }, Sink { path, file: opened, seen: sender }))
    }

    pub(super) fn watch(&self) -> watch::Receiver<Seen> {
        self.seen.clone()
    }

    /// The length of the whole, as soon as anybody knows it.
    pub(super) async fn len(&self) -> Result<u64, BlobError> {
        let mut seen = self.watch();
        loop {
            match &*seen.borrow_and_update() {
                Seen::Arrived { len: Some(len), .. } | Seen::Done { len } => return Ok(*len),
                Seen::Failed(error) => return Err(error.clone()),
                Seen::Arrived { len: None, .. } => {}
            }
            if seen.changed().await.is_err() {
                return Err(BlobError::Disk("the fill was abandoned".into()));
            }
        }
    }
}

impl Sink {
    /// Runs the fill and takes the blob into the disk tier. Followers are told by [`finish`](Self::finish).
    pub(super) async fn run(&self, origins: &Client, disk: &DiskTier, file: &ImageFile) -> Result<u64, BlobError> {
        let filled = self.fetch(origins, file).await;
        let admitted = match filled {
            Ok(len) => disk
                .admit(&file.sha256, &self.path, len)
                .map(|()| len)
                .map_err(|error| BlobError::Disk(error.to_string())),
            Err(error) => Err(error),
        };
        if admitted.is_err() {
            // Followers still read the open file up to where it broke off.
            drop(std::fs::remove_file(&self.path));
        }
        admitted
    }

    /// Tells the followers how it ended.
    pub(super) fn finish(&self, result: Result<u64, BlobError>) {
        self.seen.send_replace(match result {
            Ok(len) => Seen::Done { len },
            Err(error) => Seen::Failed(error),
        });
    }

    async fn fetch(&self, origins: &Client, file: &ImageFile) -> Result<u64, BlobError> {
        let mut progress = Progress { hash: Sha256::new(), written: 0, len: file.size.map(|size| size.0) };
        let mut why = "the manifest names no origin".to_owned();
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(PAUSE * (1 << (round - 1))).await;
            }
            for origin in &file.origins {
                let answer = match origins.open(origin, progress.written).await {
                    Ok(answer) => answer,
                    Err(error) => {
                        why = error;
                        continue;
                    }
                };
                if let (Some(expected), Some(found)) = (progress.len, answer.len)
                    && expected != found
                {
                    why = format!("{origin}: it has {found} bytes, {expected} are expected");
                    continue;
                }
                progress.len = progress.len.or(answer.len);
                match self.take(answer.bytes, &mut progress).await {
                    Ok(()) => return self.complete(progress, file.sha256).await,
                    Err(Broken::Origin(error)) => why = format!("{origin}: {error}"),
                    Err(Broken::Disk(error)) => return Err(BlobError::Disk(error)),
                }
            }
        }
        Err(BlobError::Origin { digest: file.sha256, why })
    }

    /// Writes and hashes what comes until the origin ends. Ends early when the origin breaks off or sends too much.
    async fn take(
        &self,
        mut bytes: impl futures_util::Stream<Item = Result<bytes::Bytes, String>> + Unpin,
        progress: &mut Progress,
    ) -> Result<(), Broken> {
        while let Some(chunk) = bytes.next().await {
            let chunk = chunk.map_err(Broken::Origin)?;
            if progress.len.is_some_and(|len| progress.written + chunk.len() as u64 > len) {
                return Err(Broken::Origin("it sends more bytes than it said".into()));
            }
            // Everything before this chunk may be read now; this one waits for the next, or for the digest.
            self.seen.send_replace(Seen::Arrived { visible: progress.written, len: progress.len });
            let file = self.file.clone();
            let hash = std::mem::take(&mut progress.hash);
            let length = chunk.len() as u64;
            let written = tokio::task::spawn_blocking(move || {
                (&*file).write_all(&chunk)?;
                std::io::Result::Ok(hash.chain_update(&chunk))
            });
            progress.hash = match written.await {
                Ok(Ok(hash)) => hash,
                Ok(Err(error)) => return Err(Broken::Disk(error.to_string())),
                Err(error) => return Err(Broken::Disk(error.to_string())),
            };
            progress.written += length;
        }
        match progress.len {
            Some(len) if progress.written < len => Err(Broken::Origin("it broke off".into())),
            _ => Ok(()),
        }
    }

    /// Holds the digest against the name, and brings the file to the disk.
    async fn complete(&self, progress: Progress, expected: Digest) -> Result<u64, BlobError> {
        if let Some(len) = progress.len.filter(|len| *len != progress.written) {
            return Err(BlobError::WrongLength { digest: expected, expected: len, found: progress.written });
        }
        let found = Digest::new(progress.hash.finalize().into());
        if found != expected {
            return Err(BlobError::WrongDigest { expected, found });
        }
        let file = self.file.clone();
        let synced = tokio::task::spawn_blocking(move || file.sync_all()).await;
        match synced {
            Ok(Ok(())) => Ok(progress.written),
            Ok(Err(error)) => Err(BlobError::Disk(error.to_string())),
            Err(error) => Err(BlobError::Disk(error.to_string())),
        }
    }
}

struct Progress {
    hash: Sha256,
    written: u64,
    len: Option<u64>,
}

enum Broken {
    Origin(String),
    Disk(String),
}
