//! What is done for the cache while nobody waits for it: freeing what blobs share, looking for rot; and what it all takes.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::model::{Bytes, Digest, image::ImageFile};

use super::{BlobError, Images, blocking, open::Inner};

/// How long the first and the longest wait for readers to leave are.
const WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How much room some blobs take, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// What a device reads of them: their lengths, as far as anybody knows them.
    pub logical: Bytes,
    /// What comes free on the disk when they go: what others share with them stays.
    pub unique: Bytes,
    /// What RAM holds of them.
    pub ram: Bytes,
    /// What the disk holds of them: what they share with one another counts once.
    pub disk: Bytes,
}

impl Images {
    /// Frees what blobs on disk share, as far as nobody reads them now; how many files have to wait for that. It happens by
    /// itself after each fill; this is for whoever wants it done, or has seen readers leave.
    pub async fn dedup(&self) -> Result<usize, BlobError> {
        let disk = self.inner.tiers.disk.clone();
        blocking(move || disk.dedup()).await
    }

    /// Holds each chunk of a blob on disk against its BLAKE3, unless the kernel still has what was hashed, and fetches what
    /// is wrong again from an origin; how many chunks that were. Nothing to do for a blob that is not on disk. Reads no
    /// faster than one chunk at a time.
    pub async fn scrub(&self, file: &ImageFile) -> Result<usize, BlobError> {
        let heat = self.inner.tiers.heat(&file.sha256);
        match self.on_disk(file, heat) {
            Some(blob) => blob.scrub().await,
            None => Ok(0),
        }
    }

    /// How much room some blobs take together. What is fetched only, or not at all, takes none.
    pub fn usage(&self, files: &[&ImageFile]) -> Usage {
        let mut digests: Vec<Digest> = files.iter().map(|file| file.sha256).collect();
        digests.sort();
        digests.dedup();
        let (mut logical, mut ram) = (0, 0);
        for digest in &digests {
            let manifest = files.iter().find(|file| file.sha256 == *digest).and_then(|file| file.size);
            logical += manifest.or_else(|| self.status(digest).len).unwrap_or_default().0;
            ram += self.inner.tiers.ram().len_of(digest).unwrap_or_default();
        }
        let disk = self.inner.tiers.disk.taken(&digests);
        Usage { logical: Bytes(logical), unique: Bytes(disk.unique), ram: Bytes(ram), disk: Bytes(disk.resident) }
    }
}

/// After a fill: frees what its blob shares, now or when its readers have left. One such wait serves all fills.
pub(super) async fn share(inner: Arc<Inner>) {
    let cache = Arc::downgrade(&inner);
    let mut wait = WAIT;
    let mut inner = Some(inner);
    while let Some(now) = inner.take() {
        let disk = now.tiers.disk.clone();
        let waiting = blocking(move || disk.dedup()).await.unwrap_or_default();
        if waiting == 0 || (wait == WAIT && now.sharing.swap(true, Ordering::Relaxed)) {
            if wait > WAIT {
                now.sharing.store(false, Ordering::Relaxed);
            }
            return;
        }
        drop(now);
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
        inner = cache.upgrade();
    }
}
