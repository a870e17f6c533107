//! What is where, and the ways in which a blob moves though no device asks: brought in, lifted, lowered, evicted.
//!
//! None of them touches what is being read or filled, and none of them counts as an ask.

use std::{
    collections::{BTreeMap, hash_map::Entry},
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    model::{
        Bytes, Digest,
        image::{ImageFile, Tier},
    },
    stage::{Rooms, Standing},
};

use super::{
    BlobError, CHUNK, Hold, Images,
    arrival::read_at,
    blocking,
    chunk::{Cut, Cutter},
    fetch::Fetch,
    fill::{Fill, Seen},
    lock,
    throttle::Throttle,
};

/// A fill under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coming {
    /// Which blob.
    pub digest: Digest,
    /// How much may be read.
    pub arrived: Bytes,
    /// Of how many, when that is known.
    pub len: Option<Bytes>,
    /// Bytes in a second, since it began.
    pub rate: Bytes,
    /// Whether a device waits for it; else the keeper wants it.
    pub waited: bool,
}

/// Why a blob was not evicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Kept {
    /// There is nothing to evict.
    #[error("it is not in the cache")]
    Absent,
    /// It is being fetched.
    #[error("it is being fetched: try again when it is here")]
    Coming,
    /// Somebody reads it.
    #[error("it is being read: try again when nobody reads it")]
    Read,
    /// An operator pinned it.
    #[error("it is pinned to {0}: `greenroom cache unpin` its image first")]
    Pinned(Tier),
}

impl Images {
    /// How many bytes the tiers take.
    pub fn rooms(&self) -> Rooms {
        Rooms { ram: self.inner.tiers.ram().room(), disk: self.inner.tiers.disk.room() }
    }

    /// How many bytes of blobs the disk has room for: what they share makes it that much larger.
    pub(super) fn logical_rooms(&self) -> Rooms {
        let rooms = self.rooms();
        let disk = &self.inner.tiers.disk;
        let logical: u64 = disk.standing().iter().map(|(_, len, _)| len).sum();
        Rooms { disk: rooms.disk + logical.saturating_sub(disk.held()), ..rooms }
    }

    /// Why nothing should be moved now that no device waits for, if it should not.
    pub fn hold(&self) -> Option<Hold> {
        self.inner.load.hold()
    }

    /// The fills under way.
    pub fn coming(&self) -> Vec<Coming> {
        let fills: Vec<(Digest, Arc<Fill>)> =
            lock(&self.inner.fills).iter().map(|(digest, fill)| (*digest, fill.clone())).collect();
        let told = fills.into_iter().map(|(digest, fill)| {
            let (arrived, len) = match &*fill.watch().borrow() {
                Seen::Arrived { visible, len } => (*visible, *len),
                Seen::Verified { len } | Seen::Kept { len } => (*len, Some(*len)),
                Seen::Failed(_) => (0, None),
            };
            let (waited, began) = fill.run_for();
            let rate = arrived as f64 / began.elapsed().as_secs_f64().max(0.001);
            Coming { digest, arrived: Bytes(arrived), len: len.map(Bytes), rate: Bytes(rate as u64), waited }
        });
        let mut told: Vec<Coming> = told.collect();
        told.sort_by_key(|one| one.digest);
        told
    }

    /// Where everything is that a tier holds or a fill brings.
    pub(super) fn census(&self) -> BTreeMap<Digest, Standing> {
        let mut all = BTreeMap::new();
        let coming: Vec<Digest> = lock(&self.inner.fills).keys().copied().collect();
        let (ram, disk) = (self.inner.tiers.ram().standing(), self.inner.tiers.disk.standing());
        let nowhere = |digest| Standing { digest, len: 0, ram: false, disk: false, fixed: false };
        for (digest, len, read) in ram {
            let one: &mut Standing = all.entry(digest).or_insert(nowhere(digest));
            (one.len, one.ram, one.fixed) = (len, true, one.fixed || read);
        }
        for (digest, len, read) in disk {
            let one: &mut Standing = all.entry(digest).or_insert(nowhere(digest));
            (one.len, one.disk, one.fixed) = (len, true, one.fixed || read);
        }
        for digest in coming {
            all.entry(digest).or_insert(nowhere(digest)).fixed = true;
        }
        all
    }

    /// Evicts a blob: out of RAM only, or out of both tiers. The bytes that it had there.
    pub fn evict(&self, digest: &Digest, only_ram: bool) -> Result<Bytes, Kept> {
        let tiers = &self.inner.tiers;
        let pinned = tiers.policy().pinned(digest);
        if let Some(tier) = pinned.filter(|tier| !only_ram || *tier == Tier::Ram) {
            return Err(Kept::Pinned(tier));
        }
        // Held so that nobody begins to read or to fetch it meanwhile.
        let fills = lock(&self.inner.fills);
        if fills.contains_key(digest) {
            return Err(Kept::Coming);
        }
        let mut ram = tiers.ram();
        let in_ram = ram.len_of(digest);
        let on_disk = !only_ram && tiers.disk.find(digest).is_some();
        if in_ram.is_none() && !on_disk {
            return Err(Kept::Absent);
        }
        let before = tiers.disk.held();
        if ram.is_read(digest) || (on_disk && !tiers.disk.let_go(digest)) {
            return Err(Kept::Read);
        }
        ram.remove(digest);
        // What others share with it stays on the disk.
        Ok(Bytes(in_ram.unwrap_or(0) + before.saturating_sub(tiers.disk.held())))
    }

    /// Pulls a blob from an origin to the disk: at this pace until somebody waits for it; as fast as it comes without one.
    /// An origin with wrong bytes is followed by the next one.
    pub(super) async fn bring(
        &self,
        file: &ImageFile,
        pace: Option<&Arc<Throttle>>,
        progress: &mut (impl FnMut(u64, u64) + Send),
    ) -> Result<(), BlobError> {
        let mut tries = file.origins.len();
        loop {
            tries = tries.saturating_sub(1);
            let Some(fill) = self.fill_at(file, pace) else { return Ok(()) };
            let brought = match fill.len().await {
                Ok(len) => fill.followed(len, progress).await,
                Err(error) => Err(error),
            };
            match brought {
                Err(BlobError::WrongDigest { .. } | BlobError::TooLong { .. }) if tries > 0 => {}
                Err(error) => return Err(error),
                Ok(()) if self.inner.tiers.disk.find(&file.sha256).is_some() => return Ok(()),
                Ok(()) => return Err(BlobError::Disk("the disk did not take it".into())),
            }
        }
    }

    /// The fill of a blob, begun at this pace unless it runs; `None` when the disk has it. Without a pace, what runs is
    /// hurried.
    fn fill_at(&self, file: &ImageFile, pace: Option<&Arc<Throttle>>) -> Option<Arc<Fill>> {
        let mut fills = lock(&self.inner.fills);
        if self.inner.tiers.disk.find(&file.sha256).is_some() {
            return None;
        }
        let fill = match fills.entry(file.sha256) {
            Entry::Occupied(fill) => fill.get().clone(),
            Entry::Vacant(place) => {
                let fill = match pace {
                    Some(pace) => Fill::new(file).at_pace(pace.clone()),
                    None => Fill::new(file),
                };
                let fill = place.insert(Arc::new(fill)).clone();
                self.begin(fill.clone(), file.clone());
                fill
            }
        };
        if pace.is_none() {
            fill.hurry(&self.inner.load);
        }
        Some(fill)
    }

    /// Asks an origin how long a blob is; `None` when it cannot say before it has given all.
    pub(super) async fn ask_len(&self, file: &ImageFile) -> Result<Option<u64>, BlobError> {
        Fetch::new(self.inner.origins.clone(), file).open().await
    }

    /// Copies what the disk has of a blob into RAM. `false` when it is not there, or RAM does not take it.
    pub(super) async fn lift(&self, file: &ImageFile) -> bool {
        let heat = self.inner.tiers.heat(&file.sha256);
        let Some(disk) = self.on_disk(file, heat) else { return false };
        self.clone().promote(disk).await;
        self.inner.tiers.ram().len_of(&file.sha256).is_some()
    }

    /// Takes a blob out of RAM, once the disk has it. `false` when somebody reads it.
    pub(super) async fn lower(&self, digest: Digest) -> Result<bool, BlobError> {
        let tiers = &self.inner.tiers;
        if tiers.disk.find(&digest).is_none() {
            self.write_down(digest).await?;
        }
        let mut ram = tiers.ram();
        let idle = !ram.is_read(&digest);
        if idle {
            ram.remove(&digest);
        }
        Ok(idle)
    }

    /// Writes what only RAM has of a blob to the disk.
    async fn write_down(&self, digest: Digest) -> Result<(), BlobError> {
        let tiers = &self.inner.tiers;
        let Some((held, len)) = tiers.ram().get(&digest) else { return Ok(()) };
        let Some(room) = tiers.promise(&digest, len) else { return Err(BlobError::NoRoom { digest, len }) };
        let disk = tiers.disk.clone();
        let written = move || {
            let (path, file) = disk.begin(&digest)?;
            let file = Arc::new(file);
            let cuts = copied(&held, &file, len).and_then(|cuts| file.sync_all().map(|()| cuts));
            let admitted = cuts.and_then(|cuts| disk.admit(&digest, &path, &file, &cuts, room));
            if !matches!(admitted, Ok(true)) {
                // What cannot be removed now is swept at the next start.
                drop(std::fs::remove_file(&path));
            }
            admitted
        };
        match blocking(written).await?.map_err(|error| BlobError::Disk(error.to_string()))? {
            true => Ok(()),
            false => Err(BlobError::NoRoom { digest, len }),
        }
    }
}

/// Copies memory to a file, and cuts it into chunks on the way. Blocks.
fn copied(memory: &File, file: &File, len: u64) -> io::Result<Vec<Cut>> {
    let mut cutter = Cutter::default();
    let mut at = 0;
    while at < len {
        // No more than a chunk, so it fits the index type.
        let bytes = read_at(memory, at, (len - at).min(CHUNK as u64) as usize)?;
        file.write_all_at(&bytes, at)?;
        cutter.push(&bytes);
        at += bytes.len() as u64;
    }
    Ok(cutter.end())
}
