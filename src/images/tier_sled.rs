//! The disk tier: bytes in content-addressed files, the index of them in `sled`. This module is the only user of `sled`.
//!
//! ```text
//!   <dir>/blobs/ab/abcdef…        the bytes
//!   <dir>/coming/abcdef….<n>      a fill under way; swept at the next start
//!   <dir>/index/                  sled: digest (32 bytes) -> length, verified, last use (JSON)
//! ```
//! Why not the bytes in sled: DESIGN measured 96 MiB/s, three times the space and 1.4 GB of memory for 1 GB of chunks.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use crate::model::Digest;

use super::BlobError;

/// What the index knows of one blob.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Its length.
    pub(super) len: u64,
    /// Whether the bytes were hashed since they were written or found.
    pub(super) verified: bool,
    /// When it was last read: seconds since 1970.
    used: u64,
}

pub(super) struct DiskTier {
    dir: PathBuf,
    room: u64,
    index: sled::Db,
    coming: AtomicU64,
}

impl DiskTier {
    /// Opens the tier. An index that does not open is set aside, and a new one made of the files that are there.
    pub(super) fn open(dir: &Path, room: u64) -> Result<(Self, Option<String>), BlobError> {
        let failed = |error: io::Error| BlobError::Disk(format!("{}: {error}", dir.display()));
        fs::create_dir_all(dir.join("blobs")).map_err(failed)?;
        // What a crash left half-written is of no use.
        drop(fs::remove_dir_all(dir.join("coming")));
        fs::create_dir_all(dir.join("coming")).map_err(failed)?;
        let (index, warning) = match open_index(dir) {
            Ok(index) => (index, None),
            Err(error) => {
                let aside = dir.join(format!("index.broken-{}", now()));
                fs::rename(dir.join("index"), &aside).map_err(failed)?;
                let index = open_index(dir).map_err(|error| BlobError::Disk(error.to_string()))?;
                let kept = aside.display();
                (index, Some(format!("the image cache's index did not open ({error}): kept as {kept}, rebuilt")))
            }
        };
        let tier = Self { dir: dir.to_owned(), room, index, coming: AtomicU64::new(0) };
        tier.reconcile().map_err(failed)?;
        Ok((tier, warning))
    }

    /// Brings index and files to agreement: an entry without its whole file goes; a file without entry comes in unverified.
    fn reconcile(&self) -> io::Result<()> {
        for (digest, entry) in self.entries() {
            let whole = fs::metadata(self.path(&digest)).is_ok_and(|file| file.len() == entry.len);
            if !whole {
                self.remove(&digest);
            }
        }
        for shelf in fs::read_dir(self.dir.join("blobs"))? {
            for file in fs::read_dir(shelf?.path())?.flatten() {
                let Ok(digest) = file.file_name().to_string_lossy().parse::<Digest>() else { continue };
                if self.find(&digest).is_none() {
                    let entry = Entry { len: file.metadata()?.len(), verified: false, used: 0 };
                    self.put(&digest, entry);
                }
            }
        }
        Ok(())
    }

    fn entries(&self) -> Vec<(Digest, Entry)> {
        let read = |pair: sled::Result<(sled::IVec, sled::IVec)>| {
            let (key, value) = pair.ok()?;
            Some((Digest::new(key.as_ref().try_into().ok()?), serde_json::from_slice(&value).ok()?))
        };
        self.index.iter().filter_map(read).collect()
    }

    pub(super) fn find(&self, digest: &Digest) -> Option<Entry> {
        serde_json::from_slice(&self.index.get(digest.bytes()).ok()??).ok()
    }

    fn put(&self, digest: &Digest, entry: Entry) {
        let json = serde_json::to_vec(&entry).expect("an entry is plain data");
        // The index can be rebuilt: a failure to write it costs a verification later, never a byte.
        if let Err(error) = self.index.insert(digest.bytes(), json) {
            tracing::warn!(%error, "the image cache's index could not be written");
        }
    }

    /// Where the bytes of a blob lie.
    pub(super) fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.dir.join("blobs").join(&name[..2]).join(name)
    }

    /// A new place for a fill to write to.
    pub(super) fn temporary(&self, digest: &Digest) -> PathBuf {
        let n = self.coming.fetch_add(1, Ordering::Relaxed);
        self.dir.join("coming").join(format!("{digest}.{n}"))
    }

    /// Opens a blob for reading, and remembers that it was used.
    pub(super) fn read(&self, digest: &Digest) -> Option<Arc<File>> {
        let entry = self.find(digest)?;
        let file = File::open(self.path(digest)).ok();
        match &file {
            Some(_) => self.put(digest, Entry { used: now(), ..entry }),
            None => self.remove(digest),
        }
        file.map(Arc::new)
    }

    /// Takes in a file that was verified and synced while it was written; the least recently used make room.
    pub(super) fn admit(&self, digest: &Digest, temporary: &Path, len: u64) -> io::Result<()> {
        self.make_room(len);
        let path = self.path(digest);
        fs::create_dir_all(path.parent().unwrap_or(&self.dir))?;
        fs::rename(temporary, &path)?;
        self.put(digest, Entry { len, verified: true, used: now() });
        Ok(())
    }

    /// Evicts until `len` more bytes fit. A blob that is being streamed stays readable: its readers hold the file open.
    fn make_room(&self, len: u64) {
        let mut entries = self.entries();
        entries.sort_by_key(|(_, entry)| entry.used);
        let mut held: u64 = entries.iter().map(|(_, entry)| entry.len).sum();
        for (digest, entry) in entries {
            if held + len <= self.room {
                return;
            }
            held -= entry.len;
            self.remove(&digest);
        }
    }

    pub(super) fn mark_verified(&self, digest: &Digest) {
        if let Some(entry) = self.find(digest) {
            self.put(digest, Entry { verified: true, ..entry });
        }
    }

    pub(super) fn remove(&self, digest: &Digest) {
        // Either may be gone already; that is what is wanted.
        drop(self.index.remove(digest.bytes()));
        drop(fs::remove_file(self.path(digest)));
    }

    pub(super) fn held(&self) -> u64 {
        self.entries().iter().map(|(_, entry)| entry.len).sum()
    }
}

fn open_index(dir: &Path) -> sled::Result<sled::Db> {
    // A few kilobytes an image: the default cache of 1 GiB would be RAM taken from the blobs.
    sled::Config::new().path(dir.join("index")).cache_capacity(16 << 20).flush_every_ms(Some(1000)).open()
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
