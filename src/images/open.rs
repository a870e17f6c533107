//! The image cache: finds the nearest tier that has a blob, and sees to it that a cold one is fetched once.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    model::{
        Bytes, Digest,
        image::{ImageFile, Tier},
        trouble::{Trouble, TroubleKind},
    },
    stage::{Policy, Rooms},
};

use super::{
    Blob, BlobError, BlobStatus, Counters, OpenError, Settings,
    blob::Content,
    blocking,
    disk_blob::DiskBlob,
    fill::{Fill, Seen},
    load::Load,
    lock, memory, now,
    origins::Origins,
    tier_ram::RamTier,
    tier_sled::{DiskTier, Room},
    upkeep,
};

/// The image cache. Cheap to clone.
#[derive(Clone)]
pub struct Images {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) tiers: Tiers,
    pub(super) fills: Mutex<HashMap<Digest, Arc<Fill>>>,
    /// Held while a doubtful blob is hashed, so that a hundred askers hash it once.
    hashing: tokio::sync::Mutex<()>,
    pub(super) origins: Arc<Origins>,
    counters: Arc<Counters>,
    /// Somebody waits for readers to leave, so that what blobs share can be freed.
    pub(super) sharing: AtomicBool,
    pub(super) load: Arc<Load>,
}

/// The two tiers of our own.
pub(super) struct Tiers {
    ram: Mutex<RamTier>,
    pub(super) disk: Arc<DiskTier>,
    /// Whether the disk last failed to take what it had room for.
    disk_fails: AtomicBool,
    /// Who is let in, and who goes. Locked after a tier, never before one.
    policy: Arc<Mutex<Policy>>,
}

impl Tiers {
    pub(super) fn new(ram: RamTier, disk: Arc<DiskTier>) -> Self {
        Self { ram: Mutex::new(ram), policy: disk.policy().clone(), disk_fails: AtomicBool::new(false), disk }
    }

    pub(super) fn ram(&self) -> MutexGuard<'_, RamTier> {
        lock(&self.ram)
    }

    /// Notes how the disk fares: it shows in `/healthz`.
    pub(super) fn note_disk(&self, fails: bool) {
        self.disk_fails.store(fails, Ordering::Relaxed);
    }

    pub(super) fn policy(&self) -> MutexGuard<'_, Policy> {
        lock(&self.policy)
    }

    /// Room on disk for a fill, if the policy lets it in.
    pub(super) fn promise(&self, digest: &Digest, len: u64) -> Option<Room> {
        if len > 0 {
            self.policy().met(*digest, len);
        }
        self.disk.promise(digest, len)
    }

    /// How much a blob was asked for of late.
    pub(super) fn heat(&self, digest: &Digest) -> f64 {
        self.policy().worth(digest, now()).heat
    }

    /// Whether the caller shall load the blob into RAM: see [`RamTier::begin`].
    pub(super) fn begin_ram(&self, digest: &Digest, len: u64) -> bool {
        self.policy().met(*digest, len);
        self.ram().begin(&self.policy(), digest, len, now())
    }

    /// An origin gave all of a blob in this time.
    pub(super) fn fetched(&self, digest: &Digest, len: u64, took: Duration) {
        self.policy().fetched(*digest, len, took.as_secs_f64());
    }
}

impl Images {
    /// Opens the cache. An index that does not open is set aside and rebuilt: the second value says so. A disk that takes
    /// nothing is done without: it says that too.
    pub fn open(settings: &Settings) -> Result<(Self, Option<String>), OpenError> {
        let policy = |disk| {
            let rooms = Rooms { ram: settings.ram.0, disk };
            Arc::new(Mutex::new(Policy::new(rooms, settings.aim)))
        };
        let (disk, fails, warning) = match DiskTier::open(&settings.dir, settings.disk.0, policy(settings.disk.0)) {
            Ok((disk, warning)) => (disk, false, warning),
            Err(error) if error.is_of_disk() => {
                let dir = settings.dir.display();
                let warning = format!("{error}: there is no disk tier in {dir} until the next start");
                (DiskTier::absent(&settings.dir, policy(0))?, true, Some(warning))
            }
            Err(error) => return Err(error),
        };
        memory::prepare();
        let counters = Arc::new(Counters::default());
        let inner = Inner {
            tiers: Tiers::new(RamTier::new(settings.ram.0), disk),
            fills: Mutex::default(),
            hashing: tokio::sync::Mutex::default(),
            origins: Arc::new(Origins::new(counters.clone(), &settings.origins)?),
            load: Arc::new(Load::new(counters.clone())),
            counters,
            sharing: AtomicBool::new(false),
        };
        inner.tiers.note_disk(fails);
        Ok((Self { inner: Arc::new(inner) }, warning))
    }

    /// Opens a blob for reading: from the nearest tier that has it, or following the one fill, which this may begin. Waits
    /// until the length is known: at once, or when an origin has answered.
    pub async fn blob(&self, file: &ImageFile) -> Result<Blob, BlobError> {
        let blob = self.find(file).await?;
        if let Content::Disk(disk) = &blob.content {
            tokio::spawn(self.clone().promote(disk.clone()));
        }
        Ok(blob)
    }

    /// The same, without promoting it.
    async fn find(&self, file: &ImageFile) -> Result<Blob, BlobError> {
        self.settle(file.sha256).await?;
        let fill = match self.near_or_fill(file) {
            Near::Held(blob) => return Ok(blob),
            Near::Filling(fill) => fill,
        };
        match fill.len().await {
            Ok(len) => Ok(self.opened(file.sha256, len, Tier::Origin, Content::Fill(fill))),
            Err(BlobError::NoRoom { len, .. }) => Ok(self.pass_through(file, len)),
            Err(error) => Err(error),
        }
    }

    /// Hashes what the disk tier holds of a blob. One that does not hash to its name is dropped: the next ask fetches it
    /// anew.
    /// `false` as well when the disk tier does not hold it.
    pub async fn verify(&self, digest: Digest) -> Result<bool, BlobError> {
        let inner = self.inner.clone();
        blocking(move || inner.verify(digest)).await
    }

    /// Pulls a blob from wherever it is into the disk tier, and into RAM when it fits. `progress` hears how many bytes of
    /// how many are there. An origin with wrong bytes is followed by the next one here, as nobody was given any.
    pub async fn warm(&self, file: &ImageFile, mut progress: impl FnMut(u64, u64)) -> Result<(), BlobError> {
        self.inner.tiers.policy().order(file.sha256);
        let mut tries = file.origins.len();
        let warmed = loop {
            tries = tries.saturating_sub(1);
            match self.pull(file, &mut progress).await {
                Err(BlobError::WrongDigest { .. } | BlobError::TooLong { .. }) if tries > 0 => {}
                result => break result,
            }
        };
        self.inner.tiers.policy().done(&file.sha256);
        warmed
    }

    /// Where a blob is now.
    pub fn status(&self, digest: &Digest) -> BlobStatus {
        let fill = lock(&self.inner.fills).get(digest).map(|fill| fill.watch().borrow().clone());
        let filling = match fill {
            Some(Seen::Arrived { visible, .. }) => Some(Bytes(visible)),
            _ => None,
        };
        let in_ram = self.inner.tiers.ram().len_of(digest);
        let on_disk = self.inner.tiers.disk.find(digest).map(|entry| entry.len);
        let (tier, len) = match (in_ram, on_disk) {
            (Some(len), _) => (Tier::Ram, Some(Bytes(len))),
            (None, Some(len)) => (Tier::Disk, Some(Bytes(len))),
            (None, None) => (Tier::Origin, None),
        };
        BlobStatus { tier, len, filling }
    }

    /// How many bytes the RAM and the disk tier hold.
    pub fn held(&self) -> (Bytes, Bytes) {
        (Bytes(self.inner.tiers.ram().held()), Bytes(self.inner.tiers.disk.held()))
    }

    /// What ails the cache now: servers that are left alone for a while, a disk that takes nothing.
    pub fn troubles(&self) -> Vec<Trouble> {
        let mut troubles = self.inner.origins.troubles();
        if self.inner.tiers.disk_fails.load(Ordering::Relaxed) {
            troubles.push(Trouble { at: "image cache".into(), kind: TroubleKind::Disk });
        }
        troubles
    }

    /// What the cache has done.
    pub fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    pub(super) fn tiers(&self) -> &Tiers {
        &self.inner.tiers
    }

    /// Hashes a blob on disk that nobody hashed since its entry was made, so that it can be served or is gone.
    async fn settle(&self, digest: Digest) -> Result<(), BlobError> {
        let doubtful = || self.inner.tiers.disk.find(&digest).is_some_and(|entry| !entry.verified);
        if doubtful() {
            let _alone = self.inner.hashing.lock().await;
            if doubtful() {
                self.verify(digest).await?;
            }
        }
        Ok(())
    }

    /// The blob from a tier, or the fill that brings it there: looked up in one step, so that a fill that ends meanwhile is
    /// not begun again.
    fn near_or_fill(&self, file: &ImageFile) -> Near {
        let mut fills = lock(&self.inner.fills);
        if let Some(blob) = self.near(file) {
            return Near::Held(blob);
        }
        self.inner.counters.misses.fetch_add(1, Ordering::Relaxed);
        let fill = match fills.entry(file.sha256) {
            Entry::Occupied(fill) => fill.get().clone(),
            Entry::Vacant(place) => {
                let fill = place.insert(Arc::new(Fill::new(file))).clone();
                self.begin(fill.clone(), file.clone());
                fill
            }
        };
        fill.hurry(&self.inner.load);
        Near::Filling(fill)
    }

    fn near(&self, file: &ImageFile) -> Option<Blob> {
        let Inner { tiers, counters, .. } = &*self.inner;
        let digest = file.sha256;
        let heat = {
            let mut policy = tiers.policy();
            policy.asked(digest, now());
            policy.worth(&digest, now()).heat
        };
        if let Some((memory, len)) = tiers.ram().get(&digest) {
            counters.ram_hits.fetch_add(1, Ordering::Relaxed);
            return Some(self.opened(digest, len, Tier::Ram, Content::Ram(memory)));
        }
        let disk = self.on_disk(file, heat)?;
        counters.disk_hits.fetch_add(1, Ordering::Relaxed);
        let len = disk.shelf.len();
        Some(self.opened(digest, len, Tier::Disk, Content::Disk(disk)))
    }

    /// The blob on disk, if what the tier holds of it was verified.
    pub(super) fn on_disk(&self, file: &ImageFile, heat: f64) -> Option<DiskBlob> {
        let tier = self.inner.tiers.disk.clone();
        tier.find(&file.sha256).filter(|entry| entry.verified)?;
        let shelf = tier.read(&file.sha256, heat)?;
        Some(DiskBlob { shelf, tier, origins: self.inner.origins.clone(), file: Arc::new(file.clone()) })
    }

    fn opened(&self, digest: Digest, len: u64, tier: Tier, content: Content) -> Blob {
        Blob { digest, len, tier, content, counters: self.inner.counters.clone() }
    }

    /// Runs a fill beside its followers: it goes on when all of them leave, as the next device will ask as well.
    pub(super) fn begin(&self, fill: Arc<Fill>, file: ImageFile) {
        let inner = self.inner.clone();
        inner.counters.fills.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            let digest = file.sha256;
            let (worker, running) = (inner.clone(), fill.clone());
            let run = async move { running.run(&worker.tiers, worker.origins.clone(), &file).await };
            // In a task of its own, so that even a panic there leaves no fill behind that never ends.
            let result = tokio::spawn(run).await.unwrap_or(Err(BlobError::Dropped));
            lock(&inner.fills).remove(&digest);
            fill.rest();
            let kept = result.is_ok();
            fill.end(match result {
                Ok(len) => Seen::Kept { len },
                Err(error) => {
                    inner.counters.failures.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(%digest, %error, "an image file could not be fetched");
                    Seen::Failed(error)
                }
            });
            if kept {
                upkeep::share(inner).await;
            }
        });
    }

    fn pass_through(&self, file: &ImageFile, len: u64) -> Blob {
        self.inner.counters.passed.fetch_add(1, Ordering::Relaxed);
        let sized = Box::new(ImageFile { size: Some(Bytes(len)), ..file.clone() });
        let content = Content::Through(self.inner.origins.clone(), sized);
        self.opened(file.sha256, len, Tier::Origin, content)
    }

    /// Copies a blob of the disk tier into RAM, when RAM has room.
    pub(super) async fn promote(self, disk: DiskBlob) {
        let (digest, len) = (disk.file.sha256, disk.shelf.len());
        if !self.inner.tiers.begin_ram(&digest, len) {
            return;
        }
        let copied = disk.copy().await;
        self.inner.tiers.ram().end(&digest, copied.ok());
    }

    async fn pull(&self, file: &ImageFile, progress: &mut impl FnMut(u64, u64)) -> Result<(), BlobError> {
        let Blob { digest, len, content, .. } = self.find(file).await?;
        progress(0, len);
        match content {
            Content::Ram(_) => {}
            Content::Disk(disk) => self.clone().promote(disk).await,
            Content::Through(..) => return Err(BlobError::NoRoom { digest, len }),
            Content::Fill(fill) => fill.followed(len, progress).await?,
        }
        if self.status(&digest).tier == Tier::Origin {
            return Err(BlobError::NoRoom { digest, len });
        }
        progress(len, len);
        Ok(())
    }
}

/// What an ask finds.
enum Near {
    Held(Blob),
    Filling(Arc<Fill>),
}

impl Inner {
    /// Hashes what the disk tier holds of a blob, and drops it when it is wrong or cannot be read. Blocks.
    fn verify(&self, digest: Digest) -> bool {
        let disk = &self.tiers.disk;
        if disk.find(&digest).is_none() {
            return false;
        }
        if disk.verify(&digest) {
            return true;
        }
        self.counters.rot.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(%digest, "an image file on disk does not hash to its name: it was dropped");
        disk.remove(&digest);
        self.tiers.ram().remove(&digest);
        false
    }
}
