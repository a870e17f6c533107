//! The one fill of a blob: from its origins into the disk tier, or into RAM when the disk does not take it; followed by
//! everybody who asks.
//!
//! ```text
//!   Arrived{0} ──> Arrived{visible..} ──digest right──> Verified ──synced, named, in the index──> Kept
//!        └───────────────┴── origins exhausted, wrong digest, no room ──> Failed
//! ```
//! Followers are done at `Verified`: no device waits for the disk to sync. A disk that fails after that costs the next
//! start a fetch, so it is a warning, not a failure.

use std::{
    io, mem,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::watch;

use crate::model::{Digest, image::ImageFile};

use super::{
    BlobError, CHUNK,
    arrival::Arrival,
    blocking,
    chunk::Cutter,
    fetch::Fetch,
    load::{Load, Waited},
    lock,
    open::Tiers,
    origins::Origins,
    throttle::Throttle,
    tier_sled::{DiskTier, Room},
};

/// What can be seen of a fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// Bytes have arrived: so many may be read. The last 256 KiB of the blob are always held back.
    Arrived {
        /// How many may be read.
        visible: u64,
        /// The length of the whole, once an origin or the manifest said it.
        len: Option<u64>,
    },
    /// All bytes are there and hash to the name.
    Verified {
        /// The length of the whole.
        len: u64,
    },
    /// The same, and whatever tier can hold it does.
    Kept {
        /// The length of the whole.
        len: u64,
    },
    /// It failed; what was read so far cannot be completed.
    Failed(BlobError),
}

/// A fill, as its task and its followers hold it.
pub(super) struct Fill {
    digest: Digest,
    seen: watch::Sender<Seen>,
    pub(super) arrival: Arrival,
    cutter: Mutex<Cutter>,
    began: Instant,
    /// How fast it may go, when only the keeper wants it.
    pace: watch::Sender<Option<Arc<Throttle>>>,
    /// For how many microseconds that held it up.
    lingered: AtomicU64,
    /// Held while a device waits for it.
    waited: Mutex<Option<Waited>>,
}

/// Where a fill has its file, while the disk takes it.
struct Place {
    path: PathBuf,
    room: Room,
}

impl Fill {
    pub(super) fn new(file: &ImageFile) -> Self {
        let (seen, _) = watch::channel(Seen::Arrived { visible: 0, len: None });
        let (pace, _) = watch::channel(None);
        Self {
            digest: file.sha256,
            seen,
            arrival: Arrival::new(),
            cutter: Mutex::default(),
            began: Instant::now(),
            pace,
            lingered: AtomicU64::new(0),
            waited: Mutex::default(),
        }
    }

    /// One that nobody waits for, at this pace until somebody does.
    pub(super) fn at_pace(self, pace: Arc<Throttle>) -> Self {
        self.pace.send_replace(Some(pace));
        self
    }

    /// Somebody waits for it: from now on it goes as fast as it can.
    pub(super) fn hurry(&self, load: &Arc<Load>) {
        lock(&self.waited).get_or_insert_with(|| load.waited());
        self.pace.send_replace(None);
    }

    /// It is over: nobody waits any more.
    pub(super) fn rest(&self) {
        lock(&self.waited).take();
    }

    /// Whether a device waits for it, and since when it runs.
    pub(super) fn run_for(&self) -> (bool, Instant) {
        (lock(&self.waited).is_some(), self.began)
    }

    /// Waits as long as its pace asks after so many bytes, or until somebody waits for it.
    async fn linger(&self, bytes: u64) {
        let mut pace = self.pace.subscribe();
        let Some(throttle) = pace.borrow_and_update().clone() else { return };
        let began = Instant::now();
        tokio::select! {
            () = throttle.moved(bytes) => {}
            _ = pace.wait_for(Option::is_none) => {}
        }
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.lingered.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn watch(&self) -> watch::Receiver<Seen> {
        self.seen.subscribe()
    }

    /// The length of the whole, as soon as an origin has answered and anybody knows it.
    pub(super) async fn len(&self) -> Result<u64, BlobError> {
        let mut seen = self.watch();
        let known = seen.wait_for(|seen| !matches!(seen, Seen::Arrived { len: None, .. })).await;
        match &*known.map_err(|_| BlobError::Dropped)? {
            Seen::Arrived { len: Some(len), .. } | Seen::Verified { len } | Seen::Kept { len } => Ok(*len),
            Seen::Arrived { len: None, .. } => Err(BlobError::Dropped),
            Seen::Failed(error) => Err(error.clone()),
        }
    }

    /// Follows it to the end. `progress` hears how many of the `len` bytes are there.
    pub(super) async fn followed(&self, len: u64, progress: &mut impl FnMut(u64, u64)) -> Result<(), BlobError> {
        let mut seen = self.watch();
        loop {
            match &*seen.borrow_and_update() {
                Seen::Arrived { visible, .. } => progress(*visible, len),
                Seen::Verified { .. } => {}
                Seen::Kept { .. } => return Ok(()),
                Seen::Failed(error) => return Err(error.clone()),
            }
            seen.changed().await.map_err(|_| BlobError::Dropped)?;
        }
    }

    /// Tells the followers of the end. Lets go of the file first: whoever hears that it is over finds that nobody reads it.
    pub(super) fn end(self: Arc<Self>, seen: Seen) {
        let followers = self.seen.clone();
        drop(self);
        followers.send_replace(seen);
    }

    /// Tells the followers how far it is.
    pub(super) fn tell(&self, seen: Seen) {
        self.seen.send_replace(seen);
    }

    /// Runs it, up to [`Seen::Verified`] and the tiers. The caller tells the followers of the end.
    pub(super) async fn run(
        self: &Arc<Self>,
        tiers: &Tiers,
        origins: Arc<Origins>,
        file: &ImageFile,
    ) -> Result<u64, BlobError> {
        let mut fetch = Fetch::new(origins, file);
        let expected = fetch.open().await?;
        let place = self.place(tiers, expected)?;
        let began = Instant::now();
        let filled = self.take_in(tiers, fetch, expected).await;
        if let Ok(len) = filled {
            // What the keeper holds back says nothing of the origin, unless it hardly does.
            let (took, lingered) = (began.elapsed(), Duration::from_micros(self.lingered.load(Ordering::Relaxed)));
            if lingered * 10 <= took {
                tiers.fetched(&self.digest, len, took);
            }
            self.tell(Seen::Verified { len });
            self.store(tiers, place, len).await;
            return filled;
        }
        if self.arrival.spilled() {
            tiers.ram().end(&self.digest, None);
        }
        if let Some(place) = place {
            forget(&place.path);
        }
        filled
    }

    /// Finds room: a file on the disk, else memory.
    fn place(&self, tiers: &Tiers, expected: Option<u64>) -> Result<Option<Place>, BlobError> {
        let begun =
            tiers.promise(&self.digest, expected.unwrap_or(0)).map(|room| (room, tiers.disk.begin(&self.digest)));
        let error = match begun {
            Some((room, Ok((path, file)))) => {
                self.arrival.write_to(Arc::new(file));
                return Ok(Some(Place { path, room }));
            }
            Some((_, Err(error))) => error,
            None => {
                // A policy that does not want it is no failure; a disk that is full before its time is.
                tiers.note_disk(tiers.disk.is_short(expected.unwrap_or(0)));
                let error = io::ErrorKind::StorageFull.into();
                self.spill(tiers, 0, expected, &error)?;
                return Ok(None);
            }
        };
        tiers.note_disk(true);
        self.spill(tiers, 0, expected, &error)?;
        Ok(None)
    }

    /// Puts what comes from `at` on into memory, when the RAM tier has room for the whole.
    fn spill(&self, tiers: &Tiers, at: u64, expected: Option<u64>, error: &io::Error) -> Result<(), BlobError> {
        let Some(len) = expected else { return Err(BlobError::Disk(error.to_string())) };
        if !tiers.begin_ram(&self.digest, len) {
            return Err(BlobError::NoRoom { digest: self.digest, len });
        }
        tracing::warn!(digest = %self.digest, %error, "the disk does not take an image file: it is kept in memory only");
        self.arrival.spill(at).map_err(|error| {
            tiers.ram().end(&self.digest, None);
            BlobError::Disk(error.to_string())
        })
    }

    /// Writes each chunk while the next one is fetched and hashed.
    async fn take_in(
        self: &Arc<Self>,
        tiers: &Tiers,
        mut fetch: Fetch,
        expected: Option<u64>,
    ) -> Result<u64, BlobError> {
        let mut written = 0;
        self.tell(Seen::Arrived { visible: 0, len: expected });
        let mut coming = fetch.next().await?;
        while let Some(chunk) = coming {
            let at = written;
            written += chunk.len() as u64;
            let keep = async {
                self.keep(tiers, at, chunk, expected).await?;
                self.tell(Seen::Arrived { visible: visible(written, expected), len: expected });
                Ok(())
            };
            let (kept, next) = tokio::join!(keep, fetch.next());
            kept?;
            self.linger(written - at).await;
            coming = next?;
        }
        Ok(written)
    }

    async fn keep(
        self: &Arc<Self>,
        tiers: &Tiers,
        at: u64,
        chunk: Bytes,
        expected: Option<u64>,
    ) -> Result<(), BlobError> {
        while let Err(error) = self.write(at, chunk.clone()).await? {
            let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
            if !(full && tiers.disk.squeeze()) {
                tiers.note_disk(true);
                self.spill(tiers, at, expected, &error)?;
            }
        }
        Ok(())
    }

    async fn write(self: &Arc<Self>, at: u64, chunk: Bytes) -> Result<io::Result<()>, BlobError> {
        let fill = self.clone();
        blocking(move || {
            fill.arrival.write(at, &chunk)?;
            // What is not kept on the disk needs no chunks.
            if !fill.arrival.spilled() {
                lock(&fill.cutter).push(&chunk);
            }
            Ok(())
        })
        .await
    }

    /// Hands the verified bytes to the tiers. Nothing that fails here takes them from those who follow.
    async fn store(self: &Arc<Self>, tiers: &Tiers, place: Option<Place>, len: u64) {
        let spilled = self.arrival.spilled();
        if let Some(place) = place {
            let (fill, disk) = (self.clone(), tiers.disk.clone());
            let admitted = blocking(move || fill.admit(&disk, place, spilled)).await;
            tiers.note_disk(spilled || matches!(admitted, Ok(Err(_))));
            if let Ok(Err(error)) = admitted {
                tracing::warn!(digest = %self.digest, %error, "an image file could not be kept on disk");
            }
        }
        if spilled || tiers.begin_ram(&self.digest, len) {
            let fill = self.clone();
            let whole = blocking(move || fill.arrival.whole(len)).await;
            tiers.ram().end(&self.digest, whole.ok().and_then(Result::ok));
        }
    }

    /// Brings the file to the disk and under its name, unless a part of it is in memory. Blocks.
    fn admit(&self, disk: &DiskTier, place: Place, spilled: bool) -> io::Result<()> {
        let admitted = match self.arrival.file() {
            Some(file) if !spilled => {
                let cuts = mem::take(&mut *lock(&self.cutter)).end();
                file.sync_all().and_then(|()| disk.admit(&self.digest, &place.path, file, &cuts, place.room))
            }
            _ => Ok(false),
        };
        if !matches!(admitted, Ok(true)) {
            forget(&place.path);
        }
        admitted.map(|_| ())
    }
}

/// How much of what was written may be read before the digest is known: all but the end of the blob. While nobody knows
/// where it ends, nobody can have been promised a length either, so nobody reads.
fn visible(written: u64, len: Option<u64>) -> u64 {
    len.map_or(0, |len| written.min(len.saturating_sub(CHUNK as u64)))
}

/// Removes a temporary file; what cannot be removed now is swept at the next start.
fn forget(path: &Path) {
    drop(std::fs::remove_file(path));
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::{
        super::{arrival::read_at, tier_ram::RamTier},
        *,
    };
    use crate::model::image::ImageFile;

    /// A fill of eight bytes whose disk fails at the fifth, with so much RAM: what `keep` says, and what is in RAM after it.
    async fn disk_fails_midway(ram: u64) -> (Result<(), BlobError>, Option<Bytes>) {
        let dir = tempfile::tempdir().unwrap();
        let (disk, _) = DiskTier::open(&dir.path().join("cache"), 1000, Arc::default()).unwrap();
        let tiers = Tiers::new(RamTier::new(ram), disk);
        std::fs::write(dir.path().join("failing"), "abcd").unwrap();
        // Opened for reading only, so that every write to it fails.
        let failing = File::open(dir.path().join("failing")).unwrap();
        let digest = Digest::new([1; 32]);
        let fill = Arc::new(Fill::new(&ImageFile { sha256: digest, size: None, origins: Vec::new(), name: None }));
        fill.arrival.write_to(Arc::new(failing));
        let room = tiers.promise(&digest, 8).unwrap();
        let kept = fill.keep(&tiers, 4, Bytes::from_static(b"efgh"), Some(8)).await;
        if kept.is_ok() {
            fill.store(&tiers, Some(Place { path: dir.path().join("failing"), room }), 8).await;
        }
        assert_eq!(tiers.disk.held(), 0);
        let held = tiers.ram().get(&digest);
        (kept, held.map(|(memory, len)| read_at(&memory, 0, len as usize).unwrap()))
    }

    #[tokio::test]
    async fn a_disk_that_fails_midway_is_followed_by_memory_while_there_is_room() {
        assert_eq!(disk_fails_midway(100).await, (Ok(()), Some(Bytes::from_static(b"abcdefgh"))));
        let (kept, held) = disk_fails_midway(10).await;
        assert_eq!((kept, held), (Err(BlobError::NoRoom { digest: Digest::new([1; 32]), len: 8 }), None));
    }

    #[test]
    fn the_end_of_a_blob_is_never_visible() {
        let chunk = CHUNK as u64;
        assert_eq!(visible(10, Some(10)), 0, "a small one not at all");
        assert_eq!(visible(3 * chunk, Some(3 * chunk)), 2 * chunk);
        assert_eq!(visible(chunk, Some(3 * chunk)), chunk);
        assert_eq!(visible(chunk, None), 0);
    }
}
