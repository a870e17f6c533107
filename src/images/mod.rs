//! Floor 3: the bytes of images, in three tiers: RAM, disk, origin.
//!
//! ```text
//!   open(file) ──in RAM?──> slices of one buffer
//!        │ no
//!        ├──on disk?──────> reads of a content-addressed file; promoted to RAM when it fits
//!        │ no
//!        └──join or begin the one fill: origin -> temporary file, hashed as it comes; every asker follows it
//! ```
//! **A blob whose digest is wrong is never served to its end**: the last chunk of a fill is held back until the SHA-256 of
//! the whole is right. However many devices ask for a cold blob, its origin is read once.

mod blob;
mod fill;
pub mod nbp;
mod origin;
mod survey;
mod tier_ram;
mod tier_sled;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize};

use crate::model::{
    Bytes, Digest,
    image::{ImageFile, Tier},
};

pub use blob::Blob;
pub use origin::choose_tls;
pub use survey::survey;

use blob::Content;
use fill::{Fill, Seen};
use tier_ram::RamTier;
use tier_sled::DiskTier;

/// How large the tiers may get, and where the disk's lies.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of the disk tier.
    pub dir: PathBuf,
    /// The size of the RAM tier.
    pub ram: Bytes,
    /// The size of the disk tier.
    pub disk: Bytes,
}

/// Why a blob is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// No origin gave the bytes.
    #[error("no origin of {digest:?} answered: {why}")]
    Origin {
        /// Which blob.
        digest: Digest,
        /// What the last origin said.
        why: String,
    },
    /// An origin gave other bytes.
    #[error("the origin gave other bytes than {expected:?}: they hash to {found:?}")]
    WrongDigest {
        /// What the manifest says.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// An origin gave more or fewer bytes.
    #[error("the origin gave {found} bytes of {digest:?}, and the manifest says {expected}")]
    WrongLength {
        /// Which blob.
        digest: Digest,
        /// What the manifest or the origin said.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// The disk failed.
    #[error("the image cache cannot be used: {0}")]
    Disk(String),
}

/// What the cache has done since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Asks served from RAM.
    pub ram_hits: AtomicU64,
    /// Asks served from disk.
    pub disk_hits: AtomicU64,
    /// Asks that began or joined a fill.
    pub misses: AtomicU64,
    /// Fills begun.
    pub fills: AtomicU64,
    /// Fills that failed.
    pub failures: AtomicU64,
    /// Blobs on disk that no longer hashed to their name.
    pub rot: AtomicU64,
}

/// Where one blob is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobStatus {
    /// The nearest tier that holds all of it; `Origin` when none does.
    pub tier: Tier,
    /// Its length, when known.
    pub len: Option<Bytes>,
    /// How much of a fill has arrived, while one runs.
    pub filling: Option<Bytes>,
}

/// The image cache. Cheap to clone.
#[derive(Clone)]
pub struct Images {
    inner: Arc<Inner>,
}

struct Inner {
    ram: Mutex<RamTier>,
    disk: DiskTier,
    fills: Mutex<HashMap<Digest, Arc<Fill>>>,
    origins: origin::Client,
    counters: Counters,
}

impl Images {
    /// Opens the cache. An index that does not open is set aside and rebuilt: the second value says so.
    pub fn open(settings: &Settings) -> Result<(Self, Option<String>), BlobError> {
        let (disk, warning) = DiskTier::open(&settings.dir, settings.disk.0)?;
        let inner = Inner {
            ram: Mutex::new(RamTier::new(settings.ram.0)),
            disk,
            fills: Mutex::default(),
            origins: origin::Client::new().map_err(BlobError::Disk)?,
            counters: Counters::default(),
        };
        Ok((Self { inner: Arc::new(inner) }, warning))
    }

    /// Opens a blob for reading: from the nearest tier that has it, or following the one fill.
    pub async fn blob(&self, file: &ImageFile) -> Result<Blob, BlobError> {
        let digest = file.sha256;
        if let Some(bytes) = lock(&self.inner.ram).get(&digest) {
            self.inner.counters.ram_hits.fetch_add(1, Ordering::Relaxed);
            return Ok(Blob { digest, len: bytes.len() as u64, tier: Tier::Ram, content: Content::Ram(bytes) });
        }
        if let Some(found) = self.on_disk(digest).await? {
            self.inner.counters.disk_hits.fetch_add(1, Ordering::Relaxed);
            self.promote(digest, found.len);
            return Ok(found);
        }
        self.inner.counters.misses.fetch_add(1, Ordering::Relaxed);
        let fill = self.join(file)?;
        let len = fill.len().await?;
        Ok(Blob { digest, len, tier: Tier::Origin, content: Content::Fill(fill) })
    }

    /// A blob of the disk tier, if it is there whole. One that was never verified under this index is hashed first.
    async fn on_disk(&self, digest: Digest) -> Result<Option<Blob>, BlobError> {
        let Some(entry) = self.inner.disk.find(&digest) else { return Ok(None) };
        if !entry.verified && !self.verify(digest).await? {
            return Ok(None);
        }
        let Some(file) = self.inner.disk.read(&digest) else { return Ok(None) };
        Ok(Some(Blob { digest, len: entry.len, tier: Tier::Disk, content: Content::Disk(file) }))
    }

    /// Hashes what the disk tier holds of a blob. One that does not hash to its name is dropped: the next ask fetches it anew.
    /// `false` as well when the disk tier does not hold it.
    pub async fn verify(&self, digest: Digest) -> Result<bool, BlobError> {
        let inner = self.inner.clone();
        let checked = tokio::task::spawn_blocking(move || {
            let Some(path) = inner.disk.find(&digest).map(|_| inner.disk.path(&digest)) else { return Ok(false) };
            let (found, _) = survey::hash_file(&path).map_err(|error| BlobError::Disk(error.to_string()))?;
            if found == digest {
                inner.disk.mark_verified(&digest);
                return Ok(true);
            }
            inner.counters.rot.fetch_add(1, Ordering::Relaxed);
            inner.disk.remove(&digest);
            lock(&inner.ram).remove(&digest);
            Ok(false)
        });
        checked.await.map_err(|error| BlobError::Disk(error.to_string()))?
    }

    /// Pulls a blob from wherever it is into the disk tier, and into RAM when it fits. `progress` hears how many bytes of
    /// how many are there.
    pub async fn warm(&self, file: &ImageFile, mut progress: impl FnMut(u64, u64)) -> Result<(), BlobError> {
        let blob = self.blob(file).await?;
        progress(0, blob.len);
        if let Content::Fill(fill) = &blob.content {
            let mut seen = fill.watch();
            loop {
                match &*seen.borrow_and_update() {
                    Seen::Arrived { visible, .. } => progress(*visible, blob.len),
                    Seen::Done { .. } => break,
                    Seen::Failed(error) => return Err(error.clone()),
                }
                if seen.changed().await.is_err() {
                    return Err(BlobError::Disk("the fill was abandoned".into()));
                }
            }
        }
        progress(blob.len, blob.len);
        Ok(())
    }

    /// Where a blob is now.
    pub fn status(&self, digest: &Digest) -> BlobStatus {
        let fill = lock(&self.inner.fills).get(digest).map(|fill| fill.watch().borrow().clone());
        let filling = match fill {
            Some(Seen::Arrived { visible, .. }) => Some(Bytes(visible)),
            _ => None,
        };
        let on_disk = self.inner.disk.find(digest).map(|entry| entry.len);
        match (lock(&self.inner.ram).len_of(digest), on_disk) {
            (Some(len), _) => BlobStatus { tier: Tier::Ram, len: Some(Bytes(len)), filling },
            (None, Some(len)) => BlobStatus { tier: Tier::Disk, len: Some(Bytes(len)), filling },
            (None, None) => BlobStatus { tier: Tier::Origin, len: None, filling },
        }
    }

    /// How many bytes the RAM and the disk tier hold.
    pub fn held(&self) -> (Bytes, Bytes) {
        (Bytes(lock(&self.inner.ram).held()), Bytes(self.inner.disk.held()))
    }

    /// What the cache has done.
    pub fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    /// The fill of a blob: the one that runs, or a new one.
    fn join(&self, file: &ImageFile) -> Result<Arc<Fill>, BlobError> {
        let mut fills = lock(&self.inner.fills);
        if let Some(fill) = fills.get(&file.sha256) {
            return Ok(fill.clone());
        }
        let (fill, sink) = Fill::begin(file, self.inner.disk.temporary(&file.sha256))?;
        let fill = Arc::new(fill);
        fills.insert(file.sha256, fill.clone());
        self.inner.counters.fills.fetch_add(1, Ordering::Relaxed);
        let (images, file) = (self.clone(), file.clone());
        tokio::spawn(async move {
            let result = sink.run(&images.inner.origins, &images.inner.disk, &file).await;
            match &result {
                Ok(len) => images.promote(file.sha256, *len),
                Err(error) => {
                    images.inner.counters.failures.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(digest = %file.sha256, %error, "an image file could not be fetched");
                }
            }
            lock(&images.inner.fills).remove(&file.sha256);
            sink.finish(result);
        });
        Ok(fill)
    }

    /// Copies a blob of the disk tier into RAM, beside whatever else goes on, when RAM may hold it.
    fn promote(&self, digest: Digest, len: u64) {
        if !lock(&self.inner.ram).begin(&digest, len) {
            return;
        }
        let images = self.clone();
        tokio::task::spawn_blocking(move || {
            let read = std::fs::read(images.inner.disk.path(&digest));
            lock(&images.inner.ram).end(digest, read.ok().filter(|bytes| bytes.len() as u64 == len));
        });
    }
}

/// The folder of a state directory that the cache lives in.
pub fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join("images")
}

/// Locks, also after a panic elsewhere: every critical section here leaves its map whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
