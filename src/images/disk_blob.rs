//! A blob of the disk tier for its readers: each chunk is hashed before it is handed out, and one that has gone bad is
//! fetched again on the way.
//!
//! ```text
//!   sure (hashed, and still in the page cache) ──────────────────────────────> a piece of the file, at once
//!   not sure ──read, hashed: right──────────────────────────────────────────> a piece of the file
//!                 └──wrong──that range of an origin, hashed: right──written in place──> these bytes
//!                                 └──no origin has it──> an error; the blob is doubted
//! ```
//! A reader notices no more than the delay. The bytes are written where they lay, also when that is the file of another
//! blob: a borrowed chunk is mended for all who borrow it.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;

use crate::model::{
    image::ImageFile,
    trouble::{Trouble, TroubleKind},
};

use super::{
    BlobError, CHUNK, Piece, blocking, chunk, memory,
    origin::OriginError,
    origins::{Origins, Vain},
    tier_sled::{DiskTier, Run, Shelf},
};

/// How much is hashed before the first of it is handed out, in bytes: several chunks, so that the disk reads ahead.
const AHEAD: u64 = 1 << 20;

/// A blob on disk, and where it comes from.
#[derive(Clone)]
pub(super) struct DiskBlob {
    pub(super) shelf: Arc<Shelf>,
    pub(super) tier: Arc<DiskTier>,
    pub(super) origins: Arc<Origins>,
    pub(super) file: Arc<ImageFile>,
}

impl DiskBlob {
    /// The bytes from `at` on, at most `most`, that lie in one piece. `at` is a place in the blob.
    pub(super) async fn next(&self, at: u64, most: u64) -> Result<Piece, BlobError> {
        let run = self.shelf.run(at, most);
        let sure = self.shelf.sure(&run);
        if sure == 0 {
            let shelf = self.shelf.clone();
            let (run, right) = blocking(move || {
                let right = shelf.check(&run, AHEAD);
                (run, right)
            })
            .await?;
            if right == 0 {
                let (begin, ..) = self.shelf.chunk(run.first);
                let bytes = self.mend(run.first).await?.slice((at - begin) as usize..);
                let most = usize::try_from(most).unwrap_or(usize::MAX);
                return Ok(Piece::Bytes(bytes.slice(..bytes.len().min(most))));
            }
            return Ok(piece(run, right));
        }
        Ok(piece(run, sure))
    }

    /// The bytes of a chunk that was found wrong, from the disk if somebody else has mended it, else from an origin.
    async fn mend(&self, nth: usize) -> Result<Bytes, BlobError> {
        let _alone = self.shelf.mending.lock().await;
        let (at, len, hash) = self.shelf.chunk(nth);
        let digest = self.file.sha256;
        if self.shelf.broken.load(Ordering::Relaxed) {
            let troubles = vec![Trouble { at: "this server".into(), kind: TroubleKind::Disk }];
            return Err(BlobError::Origin { digest, why: "a chunk of it has gone bad on the disk".into(), troubles });
        }
        let (shelf, blob) = (self.shelf.clone(), self.clone());
        if let Some(bytes) = blocking(move || shelf.bytes(nth)).await? {
            return Ok(bytes);
        }
        self.origins.counters.rot.fetch_add(1, Ordering::Relaxed);
        match self.origins.known(&self.file, at..at + len, &hash).await {
            Ok(bytes) => {
                let written = bytes.clone();
                match blocking(move || blob.tier.rewrite(&blob.shelf, nth, &written)).await? {
                    Ok(()) => {
                        self.origins.counters.repaired.fetch_add(1, Ordering::Relaxed);
                        tracing::warn!(digest = %self.file.sha256, at, len, "a chunk had gone bad on the disk: it was fetched again");
                    }
                    Err(error) => {
                        tracing::warn!(digest = %self.file.sha256, at, %error, "a chunk that has gone bad could not be written again");
                    }
                }
                Ok(bytes)
            }
            Err(said) => {
                self.shelf.broken.store(true, Ordering::Relaxed);
                self.tier.mark(&digest, false);
                let (mut whys, mut troubles) = (Vec::new(), Vec::new());
                for (at, OriginError { kind, why, .. }) in said {
                    whys.push(why);
                    troubles.push(Trouble { at, kind });
                }
                let why = whys.join("; ");
                tracing::warn!(%digest, at, len, why, "a chunk has gone bad on the disk, and no origin gives it");
                Err(BlobError::Origin {
                    digest,
                    why: format!("a chunk of it has gone bad on the disk: {why}"),
                    troubles,
                })
            }
        }
    }

    /// Hashes every chunk that has to come from the disk, and mends what is wrong; how many were.
    pub(super) async fn scrub(&self) -> Result<usize, BlobError> {
        let mut mended = 0;
        for nth in 0..self.shelf.chunks() {
            let shelf = self.shelf.clone();
            if !blocking(move || shelf.is_sure(nth) || shelf.is_right(nth)).await? {
                self.mend(nth).await?;
                mended += 1;
            }
        }
        Ok(mended)
    }

    /// All of it in memory.
    pub(super) async fn copy(&self) -> Result<File, BlobError> {
        let broke = |error: io::Error| BlobError::Disk(error.to_string());
        let copy = Arc::new(memory::sized(self.shelf.len()).map_err(broke)?);
        let mut at = 0;
        while at < self.shelf.len() {
            let piece = self.next(at, 4 * CHUNK as u64).await?;
            let (target, len) = (copy.clone(), piece.len());
            blocking(move || match piece {
                Piece::File { file, at: from, len } => memory::copy(&file, &target, from..from + len, at),
                Piece::Bytes(bytes) => target.write_all_at(&bytes, at),
            })
            .await?
            .map_err(broke)?;
            at += len;
        }
        Arc::into_inner(copy).ok_or(BlobError::Dropped)
    }
}

fn piece(run: Run, len: u64) -> Piece {
    Piece::File { file: run.file, at: run.at, len }
}

impl Origins {
    /// A range of a blob whose BLAKE3 is known, from the first origin that gives it; else what each said.
    async fn known(
        &self,
        file: &ImageFile,
        range: std::ops::Range<u64>,
        hash: &chunk::Hash,
    ) -> Result<Bytes, Vec<(String, OriginError)>> {
        let mut said = Vec::new();
        for origin in self.order(file) {
            let error = match self.part(&origin, range.clone()).await {
                Ok(bytes) if chunk::hash(&bytes) == *hash => {
                    self.came(bytes.len());
                    self.well(&origin);
                    return Ok(bytes);
                }
                Ok(_) => OriginError::new(TroubleKind::WrongBytes, "it gives other bytes").of(&origin),
                Err(Vain::Failed(error)) => error,
                Err(Vain::Resting(error)) => {
                    said.push((origin.server(), error));
                    continue;
                }
            };
            self.failed(&origin, &error);
            said.push((origin.server(), error));
        }
        Err(said)
    }
}
