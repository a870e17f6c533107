//! The index: two trees of `sled`.
//!
//! ```text
//!   the first tree   digest (32 bytes) -> what is known of the blob (JSON)
//!   maps             digest (32 bytes) -> its chunks (see `map`)
//! ```
//! It is read once, at the start, and written through: an ask touches no page of sled, and a page that has gone bad shows at
//! the start, where it can be set aside. Where a chunk is lent is not written down: the maps say who borrows, and the
//! lookup from a chunk to its lender is made from them when a fill ends. A tree of its own would be 8,000 entries for each
//! GiB, and one more thing to disagree with the files.
//!
//! What it costs: see [`DiskTier`](super::DiskTier).

use std::{
    collections::HashMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{
    images::{OpenError, now},
    model::Digest,
};

use super::map::Map;

/// What the index knows of one blob, beside its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(in crate::images) struct Entry {
    /// Its length.
    pub(in crate::images) len: u64,
    /// Whether the bytes were hashed since they were written or found.
    pub(in crate::images) verified: bool,
    /// When it was last read: milliseconds since 1970.
    pub(super) used: u64,
    /// Its heat at that time: asks of late, for the policy of the next start.
    #[serde(default)]
    pub(super) heat: f64,
    /// It was looked through for chunks that other files hold.
    #[serde(default)]
    pub(super) sought: bool,
    /// It was evicted: its file is kept for what others borrow of it.
    #[serde(default)]
    pub(super) remnant: bool,
}

/// The index, open.
pub(super) struct Index {
    db: sled::Db,
    maps: sled::Tree,
}

/// An index, and all that it says.
pub(super) struct Opened {
    pub(super) index: Index,
    pub(super) entries: HashMap<Digest, Entry>,
    pub(super) maps: HashMap<Digest, Map>,
}

impl Index {
    /// One that holds nothing and is gone when it is closed.
    pub(super) fn temporary() -> Result<Self, OpenError> {
        let open = || -> sled::Result<Self> {
            let db = sled::Config::new().temporary(true).cache_capacity(1 << 20).open()?;
            Ok(Self { maps: db.open_tree("maps")?, db })
        };
        open().map_err(|error| OpenError::Index(error.to_string()))
    }

    // The index can be rebuilt: a failure to write it costs a verification or a fetch later, never a byte.

    pub(super) fn put(&self, digest: &Digest, entry: &Entry) {
        let json = serde_json::to_vec(entry).expect("an entry is plain data");
        warn(self.db.insert(digest.bytes(), json));
    }

    pub(super) fn put_map(&self, digest: &Digest, map: &Map) {
        warn(self.maps.insert(digest.bytes(), map.encode()));
    }

    pub(super) fn remove(&self, digest: &Digest) {
        warn(self.db.remove(digest.bytes()));
        warn(self.maps.remove(digest.bytes()));
    }

    /// Waits until all of it is on the disk; whether it is.
    pub(super) fn flush(&self) -> bool {
        let flushed = self.db.flush();
        let good = flushed.is_ok();
        warn(flushed);
        good
    }
}

fn warn<T>(result: sled::Result<T>) {
    if let Err(error) = result {
        tracing::warn!(%error, "the image cache's index could not be written");
    }
}

/// Opens the index, or sets it aside and makes a new one; with a warning then.
pub(super) fn open_or_replace(path: &Path) -> Result<(Opened, Option<String>), OpenError> {
    let error = match open(path) {
        Ok(opened) => return Ok((opened, None)),
        Err(error) => error,
    };
    let aside = path.with_file_name(format!("index.broken-{}", now().as_millis()));
    fs::rename(path, &aside).map_err(|error| OpenError::Folder { path: path.to_owned(), error })?;
    let opened = open(path).map_err(OpenError::Index)?;
    let warning = format!(
        "the image cache's index did not open ({error}): it was set aside as {} and made anew from the files, each of \
         which is verified when it is next asked for",
        aside.display()
    );
    Ok((opened, Some(warning)))
}

/// Opens and reads the index. sled 0.34 panics over some broken files instead of saying so: both are one here.
fn open(path: &Path) -> Result<Opened, String> {
    let read = || -> sled::Result<Opened> {
        // The default cache of 1 GiB would be RAM taken from the blobs.
        let db = sled::Config::new().path(path).cache_capacity(16 << 20).flush_every_ms(Some(1000)).open()?;
        let maps = db.open_tree("maps")?;
        // What cannot be read is as good as absent: the file it spoke of comes in unverified.
        let entries = all(&db, |value| serde_json::from_slice(value).ok())?;
        let found = all(&maps, Map::decode)?;
        Ok(Opened { index: Index { db, maps }, entries, maps: found })
    };
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("sled panicked over it".into()),
    }
}

fn all<T>(tree: &sled::Tree, read: impl Fn(&[u8]) -> Option<T>) -> sled::Result<HashMap<Digest, T>> {
    let mut found = HashMap::new();
    for pair in tree.iter() {
        let (key, value) = pair?;
        if let (Ok(key), Some(value)) = (<[u8; 32]>::try_from(key.as_ref()), read(&value)) {
            found.insert(Digest::new(key), value);
        }
    }
    Ok(found)
}
