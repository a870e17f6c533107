//! The index: two trees of `sled`.
//!
//! ```text
//!   the first tree   digest (32 bytes) -> what is known of the blob (JSON)
//!   maps             digest (32 bytes), n (u32, big-endian) -> the n-th piece of its map (see `map`)
//! ```
//! It is read once, at the start, and written through: an ask touches no page of sled, and a page that has gone bad shows at
//! the start, where it can be set aside. Where a chunk is lent is not written down: the maps say who borrows, and the
//! lookup from a chunk to its lender is made from them when a fill ends. A tree of its own would be 8,000 entries for each
//! GiB, and one more thing to disagree with the files.
//!
//! Why in pieces: sled 0.34 puts a value of more than a few KiB into a file of its own, and was measured to leave that file
//! behind when the value goes: 1,000 maps of 1 GiB that came and went left 1.1 GB. In pieces of 4,000 bytes the same ended
//! where it began. What 50 GiB of images cost (50 maps, 410,000 chunks, 18 MB of maps): 38 MiB of index after the fills and
//! 57 MiB after the thousand that came and went; 2 to 13 ms to write and sync the map of 1 GiB; 0.1 s to read all at a
//! start; 26 MiB of memory for the maps, and 24 MiB for sled itself.

use std::{
    collections::HashMap,
    fs::{self, File, TryLockError},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{
    images::{OpenError, now},
    model::Digest,
};

use super::map::Map;

/// The length of a piece of a map, in bytes: what sled keeps among other values.
const PIECE: usize = 4000;

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
        let bytes = map.encode();
        let mut batch = self.without(digest);
        bytes.chunks(PIECE).zip(0u32..).for_each(|(piece, n)| batch.insert(key(digest, n), piece));
        warn(self.maps.apply_batch(batch));
    }

    pub(super) fn remove(&self, digest: &Digest) {
        warn(self.db.remove(digest.bytes()));
        warn(self.maps.apply_batch(self.without(digest)));
    }

    /// What takes a map away: in one batch with what takes its place, as a crash leaves all of a batch or nothing.
    fn without(&self, digest: &Digest) -> sled::Batch {
        let mut batch = sled::Batch::default();
        self.maps.scan_prefix(digest.bytes()).keys().flatten().for_each(|key| batch.remove(key));
        batch
    }

    /// Waits until all of it is on the disk; whether it is.
    pub(super) fn flush(&self) -> bool {
        let flushed = self.db.flush();
        let good = flushed.is_ok();
        warn(flushed);
        good
    }
}

fn key(digest: &Digest, n: u32) -> Vec<u8> {
    [&digest.bytes()[..], &n.to_be_bytes()].concat()
}

fn warn<T>(result: sled::Result<T>) {
    if let Err(error) = result {
        tracing::warn!(%error, "the image cache's index could not be written");
    }
}

/// Opens the index, or sets it aside and makes a new one; with a warning then. One that is locked is not broken: whoever had
/// it open is not quite gone.
pub(super) fn open_or_replace(path: &Path) -> Result<(Opened, Option<String>), OpenError> {
    if is_locked(path) {
        return Err(OpenError::InUse(path.parent().unwrap_or(path).to_owned()));
    }
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

/// Whether somebody has the index open: sled locks this file of it, and its threads may outlive what they served.
fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(path.join("db")) else { return false };
    let locked = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
    // Said aloud, as a process that is just being forked off holds this file as well. What fails shows when sled opens it.
    drop(file.unlock());
    locked
}

/// Opens and reads the index. sled 0.34 panics over some broken files instead of saying so: both are one here.
fn open(path: &Path) -> Result<Opened, String> {
    let read = || -> sled::Result<Opened> {
        // The default cache of 1 GiB would be RAM taken from the blobs.
        let db = sled::Config::new().path(path).cache_capacity(16 << 20).flush_every_ms(Some(1000)).open()?;
        let maps = db.open_tree("maps")?;
        // What cannot be read is as good as absent: the file it spoke of comes in unverified.
        let mut entries = HashMap::new();
        for pair in db.iter() {
            let (key, value) = pair?;
            if let (Ok(key), Ok(entry)) = (<[u8; 32]>::try_from(key.as_ref()), serde_json::from_slice(&value)) {
                entries.insert(Digest::new(key), entry);
            }
        }
        let mut pieces: HashMap<Digest, Vec<u8>> = HashMap::new();
        for pair in maps.iter() {
            let (key, value) = pair?;
            if let Some((digest, _)) = key.split_first_chunk::<32>() {
                // They come in the order of their keys. A map with a piece missing has not the length that it says.
                pieces.entry(Digest::new(*digest)).or_default().extend_from_slice(&value);
            }
        }
        let read = pieces.into_iter().filter_map(|(digest, bytes)| Some((digest, Map::decode(&bytes)?)));
        let found = read.collect();
        Ok(Opened { index: Index { db, maps }, entries, maps: found })
    };
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("sled panicked over it".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::chunk::Cut;

    /// A map of so many chunks.
    fn map(seed: u8, chunks: u32) -> Map {
        let cut =
            |n: u32| Cut { len: 1 + n, hash: *blake3::hash(&[&n.to_le_bytes()[..], &[seed]].concat()).as_bytes() };
        Map::whole(&(0..chunks).map(cut).collect::<Vec<_>>())
    }

    fn size(dir: &Path) -> u64 {
        let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
        entries
            .map(|entry| if entry.path().is_dir() { size(&entry.path()) } else { entry.metadata().unwrap().len() })
            .sum()
    }

    #[test]
    fn an_index_that_is_open_elsewhere_is_in_use_and_not_broken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        let (opened, _) = open_or_replace(&path).unwrap();
        opened.index.put_map(&Digest::new([1; 32]), &map(1, 1));
        assert!(matches!(open_or_replace(&path), Err(OpenError::InUse(_))));
        drop(opened);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing was set aside");
    }

    #[test]
    fn maps_come_back_whole_and_leave_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        let (opened, warning) = open_or_replace(&path).unwrap();
        assert_eq!((warning, opened.maps.len()), (None, 0));
        let digest = |n: u8| Digest::new([n; 32]);
        opened.index.put_map(&digest(1), &map(1, 1000));
        opened.index.put_map(&digest(1), &map(2, 100));
        opened.index.put_map(&digest(2), &map(3, 1));
        assert!(opened.index.flush());
        drop(opened.index);
        let (opened, _) = open_or_replace(&path).unwrap();
        assert_eq!(opened.maps, HashMap::from([(digest(1), map(2, 100)), (digest(2), map(3, 1))]));
        // Each is 350 KB, and ten are there at a time.
        let mut sizes = Vec::new();
        for n in 0..=240 {
            opened.index.put_map(&digest(n), &map(n, 8000));
            opened.index.remove(&digest(n.wrapping_sub(10)));
            if n % 40 == 0 {
                opened.index.flush();
                sizes.push(size(&path) >> 20);
            }
        }
        // 84 MB went through it.
        assert!(sizes.iter().all(|size| *size < 60), "MiB of index as maps come and go: {sizes:?}");
    }
}
