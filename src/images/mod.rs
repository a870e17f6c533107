//! Floor 3: the bytes of images, in three tiers: RAM, disk, origin.
//!
//! ```text
//!   blob(file) ──in RAM?──> a file in memory that all readers share
//!        │ no
//!        ├──on disk?──────> reads of a content-addressed file; promoted to RAM when it fits
//!        │ no
//!        ├──join or begin the one fill: origin -> temporary file, hashed as it comes; every asker follows it. At its end
//!        │  the file is kept, or not, as the policy says
//!        │ neither disk nor RAM has room
//!        └──pass through: each asker reads the origin for itself
//! ```
//! **A blob whose digest is wrong is never served to its end**: the last 256 KiB are held back until the SHA-256 of the
//! whole is right. However many devices ask for a cold blob, its origin is read once. A disk that fails costs speed, never
//! a boot.
//!
//! What surprises: bytes that a follower has read cannot be taken back. So when an origin breaks off, the next one
//! continues at the same byte and the digest decides at the end; and when the digest is wrong, the followers get the error,
//! and the next ask begins with another origin. A range that ends before the last chunk can end well during a fill that
//! turns out wrong: whoever joins ranges into a whole never gets the last one.

mod arrival;
mod blob;
mod census;
pub mod checksums;
mod chunk;
mod disk_blob;
mod download;
mod fetch;
mod fill;
pub mod keeper;
mod load;
pub mod media;
mod memory;
pub mod nbp;
mod open;
mod origin;
mod origins;
mod page_cache;
pub mod signature;
mod survey;
mod throttle;
mod tier_ram;
mod tier_sled;
mod unnamed;
mod upkeep;

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Instant, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{
    model::{
        Bytes, Digest, Moment,
        image::Tier,
        trouble::{Trouble, TroubleKind},
    },
    stage::Aim,
};

pub use blob::{Blob, Piece, Reader};
pub use census::{Coming, Kept};
pub use download::{Abandoned, DownloadError, Downloaded, abandoned, download};
pub use keeper::Keeper;
pub use load::Hold;
pub use open::Images;
pub use origin::{Artifact, Keys, OciFile, OriginSettings, S3Settings, cause, choose_tls, web_client};
pub use survey::{small, survey};
pub use unnamed::Unnamed;
pub use upkeep::Usage;

/// How much is read, hashed and handed out at once, in bytes.
const CHUNK: usize = 256 << 10;

/// How large the tiers may get, where the disk's lies, and how origins are read.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of the disk tier.
    pub dir: PathBuf,
    /// The size of the RAM tier. No blob takes more than half of it.
    pub ram: Bytes,
    /// The size of the disk tier.
    pub disk: Bytes,
    /// What they are to be good at.
    pub aim: Aim,
    /// How origins are read.
    pub origins: OriginSettings,
}

/// Why the cache does not open. An index that is broken is no reason: it is set aside and rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open: stop that one, or give this one another folder.
    #[error("the image cache {0} is in use by another process: stop that one, or choose another folder")]
    InUse(PathBuf),
    /// The folder cannot be used: mend its permissions or the disk.
    #[error("the image cache cannot use {path}: {error}")]
    Folder {
        /// The folder or file that failed.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The index cannot be made, not even a new one.
    #[error("the image cache cannot make its index: {0}")]
    Index(String),
    /// The client for web origins cannot be made.
    #[error("web origins cannot be read: {0}")]
    Client(String),
}

impl OpenError {
    /// Whether a disk is at fault that worked before: full, read-only, broken. What is wrong since the first start, a folder
    /// that may not be written, is a mistake that somebody should mend now.
    fn is_of_disk(&self) -> bool {
        match self {
            Self::Folder { error, .. } => {
                matches!(
                    error.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem
                ) || error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
            }
            Self::Index(_) => true,
            Self::InUse(_) | Self::Client(_) => false,
        }
    }
}

/// Why a blob is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// No origin gave all of the bytes. Ask again when one is back.
    #[error("no origin of {digest:?} gave it whole: {why}")]
    Origin {
        /// Which blob.
        digest: Digest,
        /// What each origin said last.
        why: String,
        /// The same in words for everybody.
        troubles: Vec<Trouble>,
    },
    /// An origin gave other bytes. Ask again: another origin is tried first, when the manifest names one.
    #[error("{origin} gave other bytes than {expected:?}: they hash to {found:?}")]
    WrongDigest {
        /// What the manifest says.
        expected: Digest,
        /// What came.
        found: Digest,
        /// The origin that gave the first of the bytes.
        origin: String,
        /// The same as strangers may hear it.
        server: String,
    },
    /// An origin gave more bytes. Ask again, as for a wrong digest.
    #[error("{origin} gives more than the {expected} bytes of {digest:?}")]
    TooLong {
        /// Which blob.
        digest: Digest,
        /// What the manifest or an origin said.
        expected: u64,
        /// The origin that gave the first of the bytes.
        origin: String,
        /// The same as strangers may hear it.
        server: String,
    },
    /// Neither the disk nor the RAM tier has room for it.
    #[error("neither the disk nor the RAM tier has room for the {len} bytes of {digest:?}")]
    NoRoom {
        /// Which blob.
        digest: Digest,
        /// Its length in bytes.
        len: u64,
    },
    /// The disk failed. Ask again: what it held of the blob is verified or fetched anew.
    #[error("the image cache cannot be used: {0}")]
    Disk(String),
    /// The work was dropped: the daemon is ending, or a bug ended it.
    #[error("the image cache dropped the work")]
    Dropped,
}

impl BlobError {
    /// What ails it, in words for everybody: see [`Trouble`].
    pub fn troubles(&self) -> Vec<Trouble> {
        let (at, kind) = match self {
            Self::Origin { troubles, .. } if !troubles.is_empty() => return troubles.clone(),
            Self::Origin { .. } => ("this server", TroubleKind::NoOrigin),
            Self::WrongDigest { server, .. } => (&**server, TroubleKind::WrongBytes),
            Self::TooLong { server, .. } => (&**server, TroubleKind::WrongLength),
            Self::NoRoom { .. } => ("this server", TroubleKind::NoRoom),
            Self::Disk(_) => ("this server", TroubleKind::Disk),
            Self::Dropped => ("this server", TroubleKind::Dropped),
        };
        vec![Trouble { at: at.to_owned(), kind }]
    }
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
    /// Asks passed through to an origin, for want of room.
    pub passed: AtomicU64,
    /// Fills begun.
    pub fills: AtomicU64,
    /// Fills that failed.
    pub failures: AtomicU64,
    /// Bytes read from origins.
    pub origin_bytes: AtomicU64,
    /// Origins that did not answer, broke off or gave wrong bytes.
    pub origin_errors: AtomicU64,
    /// The same by what went wrong.
    troubles: Mutex<HashMap<TroubleKind, u64>>,
    /// Blobs and chunks on disk that no longer hashed to what they were.
    pub rot: AtomicU64,
    /// Chunks of them that were fetched again and written in place.
    pub repaired: AtomicU64,
    /// Bytes that readers took from RAM.
    pub ram_served: AtomicU64,
    /// Bytes that readers took from disk.
    pub disk_served: AtomicU64,
    /// Bytes that readers took while they came from an origin.
    pub origin_served: AtomicU64,
}

impl Counters {
    /// The bytes that readers took of what was in a tier when they asked.
    pub fn served(&self, tier: Tier) -> &AtomicU64 {
        match tier {
            Tier::Ram => &self.ram_served,
            Tier::Disk => &self.disk_served,
            Tier::Origin => &self.origin_served,
        }
    }
}

impl Counters {
    fn origin_error(&self, kind: TroubleKind) {
        self.origin_errors.fetch_add(1, Ordering::Relaxed);
        *lock(&self.troubles).entry(kind).or_default() += 1;
    }

    /// The origins' errors, by what went wrong.
    pub fn troubles(&self) -> HashMap<TroubleKind, u64> {
        lock(&self.troubles).clone()
    }
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

/// The folder of a state directory that downloads are kept in until a tier has them.
pub fn downloads(state_dir: &Path) -> PathBuf {
    state_dir.join("downloads")
}

/// The folder of a state directory that the cache lives in.
pub fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join("images")
}

/// The time, on a clock that never jumps while the process runs: heat must not cool because somebody set the date.
fn now() -> Moment {
    static BEGAN: OnceLock<(Instant, u64)> = OnceLock::new();
    let (began, millis) = BEGAN.get_or_init(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        (Instant::now(), since.as_millis() as u64)
    });
    Moment::from_millis(millis + began.elapsed().as_millis() as u64)
}

/// Locks, also after a panic elsewhere: every critical section here leaves what it guards whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs what waits for the disk or hashes, away from the threads that serve sockets.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, BlobError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| BlobError::Dropped)
}
