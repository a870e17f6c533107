//! The disk tier: bytes in content-addressed files, the index of them in `sled`. This module is the only user of `sled`.
//!
//! ```text
//!   <dir>/blobs/ab/abcdef…        the bytes; a file here was whole and synced before it got this name
//!   <dir>/coming/abcdef….<n>      a fill under way; swept at the next start
//!   <dir>/index/                  sled: digest (32 bytes) -> length, verified, last use (JSON)
//!   <dir>/lock                    held while the cache is open
//! ```
//! Why not the bytes in sled: DESIGN measured 96 MiB/s, three times the space and 1.4 GB of memory for 1 GB of chunks.
//!
//! The index has an entry for each image file, so it is read once, at the start, and written through: an ask touches no
//! page of sled, and a page that has gone bad shows at the start, where it can be set aside.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions, TryLockError},
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use nix::sys::statvfs::statvfs;
use serde::{Deserialize, Serialize};

use crate::{
    model::{Digest, image::Tier},
    stage::{Admission, Candidate, Policy},
};

use super::{OpenError, lock};

/// What the index knows of one blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Its length.
    pub(super) len: u64,
    /// Whether the bytes were hashed since they were written or found.
    pub(super) verified: bool,
    /// When it was last read: milliseconds since 1970.
    used: u64,
}

pub(super) struct DiskTier {
    dir: PathBuf,
    room: u64,
    index: sled::Db,
    names: AtomicU64,
    state: Mutex<State>,
    /// Held so long as the cache is open: two processes would evict each other's files.
    _lock: File,
}

#[derive(Default)]
struct State {
    entries: HashMap<Digest, Entry>,
    /// Files that are being read, one for all readers.
    open: HashMap<Digest, Weak<File>>,
    /// Bytes promised to fills under way.
    promised: u64,
}

/// Room on the disk for a fill; given back when dropped.
pub(super) struct Room {
    tier: Arc<DiskTier>,
    len: u64,
}

impl DiskTier {
    /// Opens the tier. An index that does not open is set aside, and a new one made of the files that are there.
    pub(super) fn open(dir: &Path, room: u64) -> Result<(Arc<Self>, Option<String>), OpenError> {
        let blobs = dir.join("blobs");
        fs::create_dir_all(&blobs).map_err(|error| OpenError::Folder { path: blobs.clone(), error })?;
        let lock = take_lock(dir)?;
        // What a crash left half-written is of no use.
        let coming = dir.join("coming");
        drop(fs::remove_dir_all(&coming));
        fs::create_dir_all(&coming).map_err(|error| OpenError::Folder { path: coming.clone(), error })?;
        let (Opened { index, entries }, warning) = open_or_replace(&dir.join("index"))?;
        let state = Mutex::new(State { entries, ..State::default() });
        let tier = Self { dir: dir.to_owned(), room, index, names: AtomicU64::new(0), state, _lock: lock };
        tier.reconcile().map_err(|error| OpenError::Folder { path: blobs, error })?;
        let mut state = super::lock(&tier.state);
        tier.make_room(&mut state, 0);
        drop(state);
        Ok((Arc::new(tier), warning))
    }

    /// Brings index and files to agreement: an entry without its whole file goes; a file without entry comes in unverified.
    fn reconcile(&self) -> io::Result<()> {
        let mut state = lock(&self.state);
        let entries: Vec<_> = state.entries.iter().map(|(digest, entry)| (*digest, entry.len)).collect();
        for (digest, len) in entries {
            if !fs::metadata(self.path(&digest)).is_ok_and(|file| file.is_file() && file.len() == len) {
                self.drop_entry(&mut state, &digest);
            }
        }
        for shelf in fs::read_dir(self.dir.join("blobs"))?.flatten() {
            // What is no folder is not ours.
            let Ok(files) = fs::read_dir(shelf.path()) else { continue };
            for file in files.flatten() {
                let Ok(digest) = file.file_name().to_string_lossy().parse::<Digest>() else { continue };
                if file.path() == self.path(&digest) && !state.entries.contains_key(&digest) {
                    let entry = Entry { len: file.metadata()?.len(), verified: false, used: 0 };
                    self.put(&mut state, digest, entry);
                }
            }
        }
        Ok(())
    }

    pub(super) fn find(&self, digest: &Digest) -> Option<Entry> {
        lock(&self.state).entries.get(digest).copied()
    }

    pub(super) fn held(&self) -> u64 {
        lock(&self.state).held()
    }

    /// Where the bytes of a blob lie.
    pub(super) fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.dir.join("blobs").join(&name[..2]).join(name)
    }

    /// Opens a blob for reading, and remembers that it was used. A file that is gone or has another length is dropped.
    pub(super) fn read(&self, digest: &Digest) -> Option<Arc<File>> {
        let mut state = lock(&self.state);
        let entry = *state.entries.get(digest)?;
        let shared = state.open.get(digest).and_then(Weak::upgrade);
        let file = shared.or_else(|| File::open(self.path(digest)).ok().map(Arc::new));
        let whole = file.filter(|file| file.metadata().is_ok_and(|found| found.len() == entry.len));
        match &whole {
            Some(file) => {
                state.open.insert(*digest, Arc::downgrade(file));
                self.put(&mut state, *digest, Entry { used: super::now().as_millis(), ..entry });
            }
            None => self.drop_blob(&mut state, digest),
        }
        whole
    }

    /// Promises room for a fill of `len` bytes of `digest`, evicting whom the policy says; `None` when there is none to be
    /// had.
    pub(super) fn promise(self: &Arc<Self>, policy: &Policy, digest: &Digest, len: u64) -> Option<Room> {
        let mut state = lock(&self.state);
        let Admission::Admit { evict } =
            policy.admit(Tier::Disk, digest, len + state.promised, self.room, &state.candidates(), super::now())
        else {
            return None;
        };
        evict.iter().for_each(|digest| self.drop_blob(&mut state, digest));
        while free_bytes(&self.dir).is_some_and(|free| free < len) {
            let oldest = state.oldest_idle()?;
            self.drop_blob(&mut state, &oldest);
        }
        state.promised += len;
        Some(Room { tier: self.clone(), len })
    }

    /// Evicts one blob, because the disk is full before its time; `false` when there is none.
    pub(super) fn squeeze(&self) -> bool {
        let mut state = lock(&self.state);
        let Some(oldest) = state.oldest_idle() else { return false };
        self.drop_blob(&mut state, &oldest);
        true
    }

    /// A new file for a fill to write to.
    pub(super) fn begin(&self, digest: &Digest) -> io::Result<(PathBuf, File)> {
        let n = self.names.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join("coming").join(format!("{digest}.{n}"));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        Ok((path, file))
    }

    /// Takes in a file that was verified and synced. `false` when it does not fit after all.
    pub(super) fn admit(&self, digest: &Digest, coming: &Path, len: u64, room: Room) -> io::Result<bool> {
        let path = self.path(digest);
        fs::create_dir_all(path.parent().unwrap_or(&self.dir))?;
        let mut state = lock(&self.state);
        room.give_back(&mut state);
        if !self.make_room(&mut state, len) {
            return Ok(false);
        }
        fs::rename(coming, &path)?;
        self.put(&mut state, *digest, Entry { len, verified: true, used: super::now().as_millis() });
        Ok(true)
    }

    /// Says whether the bytes of a blob were found to be right, or have become doubtful: the next ask hashes them then.
    pub(super) fn mark(&self, digest: &Digest, verified: bool) {
        let mut state = lock(&self.state);
        if let Some(entry) = state.entries.get(digest).copied() {
            self.put(&mut state, *digest, Entry { verified, ..entry });
        }
    }

    pub(super) fn remove(&self, digest: &Digest) {
        self.drop_blob(&mut lock(&self.state), digest);
    }

    /// Evicts the least recently used until `len` more bytes fit. Blobs that are being read stay: their space would not
    /// come back before the last reader is done. `false` when it does not fit; nothing is evicted for what can never fit.
    fn make_room(&self, state: &mut State, len: u64) -> bool {
        if len > self.room {
            return false;
        }
        while state.held() + state.promised + len > self.room {
            let Some(oldest) = state.oldest_idle() else { return false };
            self.drop_blob(state, &oldest);
        }
        true
    }

    fn put(&self, state: &mut State, digest: Digest, entry: Entry) {
        state.entries.insert(digest, entry);
        let json = serde_json::to_vec(&entry).expect("an entry is plain data");
        // The index can be rebuilt: a failure to write it costs a verification later, never a byte.
        if let Err(error) = self.index.insert(digest.bytes(), json) {
            tracing::warn!(%error, "the image cache's index could not be written");
        }
    }

    fn drop_blob(&self, state: &mut State, digest: &Digest) {
        self.drop_entry(state, digest);
        // It may be gone already; that is what is wanted.
        drop(fs::remove_file(self.path(digest)));
    }

    fn drop_entry(&self, state: &mut State, digest: &Digest) {
        state.entries.remove(digest);
        state.open.remove(digest);
        if let Err(error) = self.index.remove(digest.bytes()) {
            tracing::warn!(%error, "the image cache's index could not be written");
        }
    }
}

impl State {
    fn held(&self) -> u64 {
        self.entries.values().map(|entry| entry.len).sum()
    }

    fn idle(&self, digest: &Digest) -> bool {
        self.open.get(digest).is_none_or(|file| file.strong_count() == 0)
    }

    /// The least recently used blob that nobody is reading.
    fn oldest_idle(&self) -> Option<Digest> {
        let idle = self.entries.keys().filter(|digest| self.idle(digest));
        idle.min_by_key(|digest| self.entries[*digest].used).copied()
    }

    /// What the policy may choose from.
    fn candidates(&self) -> Vec<Candidate> {
        let candidate = |(digest, entry): (&Digest, &Entry)| Candidate {
            digest: *digest,
            len: entry.len,
            fixed: !self.idle(digest),
        };
        self.entries.iter().map(candidate).collect()
    }
}

impl Room {
    /// Gives the room back while the caller has the state locked already.
    fn give_back(mut self, state: &mut State) {
        state.promised -= mem::take(&mut self.len);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // Nothing is left of a room that was given back, and its state is locked: see `give_back`.
        if self.len > 0 {
            lock(&self.tier.state).promised -= self.len;
        }
    }
}

fn take_lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join("lock");
    let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = opened.map_err(|error| OpenError::Folder { path: path.clone(), error })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(OpenError::Folder { path, error }),
    }
}

/// An index, and all that it says.
struct Opened {
    index: sled::Db,
    entries: HashMap<Digest, Entry>,
}

/// Opens the index, or sets it aside and makes a new one; with a warning then.
fn open_or_replace(path: &Path) -> Result<(Opened, Option<String>), OpenError> {
    let error = match open_index(path) {
        Ok(opened) => return Ok((opened, None)),
        Err(error) => error,
    };
    let aside = path.with_file_name(format!("index.broken-{}", super::now().as_millis()));
    fs::rename(path, &aside).map_err(|error| OpenError::Folder { path: path.to_owned(), error })?;
    let opened = open_index(path).map_err(OpenError::Index)?;
    let warning = format!(
        "the image cache's index did not open ({error}): it was set aside as {} and made anew from the files, each of \
         which is verified when it is next asked for",
        aside.display()
    );
    Ok((opened, Some(warning)))
}

/// Opens and reads the index. sled 0.34 panics over some broken files instead of saying so: both are one here.
fn open_index(path: &Path) -> Result<Opened, String> {
    let read = || -> sled::Result<Opened> {
        // A few kilobytes in all: the default cache of 1 GiB would be RAM taken from the blobs.
        let index = sled::Config::new().path(path).cache_capacity(16 << 20).flush_every_ms(Some(1000)).open()?;
        let mut entries = HashMap::new();
        for pair in index.iter() {
            let (key, value) = pair?;
            // What cannot be read is as good as absent: the file it spoke of comes in unverified.
            if let (Ok(key), Ok(entry)) = (<[u8; 32]>::try_from(key.as_ref()), serde_json::from_slice(&value)) {
                entries.insert(Digest::new(key), entry);
            }
        }
        Ok(Opened { index, entries })
    };
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("sled panicked over it".into()),
    }
}

/// How many bytes the file system of `dir` has left for this process, when it says.
fn free_bytes(dir: &Path) -> Option<u64> {
    let found = statvfs(dir).ok()?;
    Some(found.blocks_available() * found.fragment_size())
}
