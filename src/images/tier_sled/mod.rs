//! The disk tier: bytes in content-addressed files, the index of them in `sled`, which only this module names.
//!
//! ```text
//!   <dir>/blobs/ab/abcdef…        the bytes; a file here was whole and synced before it got this name
//!   <dir>/coming/abcdef….<n>      a fill under way; swept at the next start
//!   <dir>/index/                  sled: what is known of each blob, and its chunks (`index`, `map`)
//!   <dir>/lock                    held while the cache is open
//! ```
//! **What two blobs share lies on the disk once**, and no byte is moved for it: each byte of a file has its own offset, and
//! where another file holds the same chunk there is a hole, and the map says whose it is (`dedup`). A blob that shares
//! nothing is a plain file that hashes to its name.
//!
//! **Every byte that is handed out was hashed since it came from the disk** (`shelf`): the index may be wrong, late or lost,
//! and a sector may rot, and what comes of it is a fetch.
//!
//! The order for crashes: the map first, synced; the hole after (`dedup`). What a start finds is brought to agreement in
//! `reconcile`.
//!
//! Why not the bytes in sled: DESIGN measured 96 MiB/s, three times the space and 1.4 GB of memory for 1 GB of chunks.

mod absent;
mod dedup;
mod evict;
mod index;
mod map;
mod reconcile;
mod shelf;
mod usage;
mod verify;

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions, TryLockError},
    io, mem,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use nix::sys::statvfs::statvfs;

use crate::{
    model::{Digest, image::Tier},
    stage::{Admission, Candidate, Policy, Turned},
};

use super::{OpenError, chunk::Cut, lock, now};

use index::{Entry, Index};
use map::{Home, Map};
use shelf::Checked;

pub(super) use shelf::{Run, Shelf};

/// The disk tier. What its index costs stands in `index`.
pub(super) struct DiskTier {
    dir: PathBuf,
    room: u64,
    index: Index,
    names: AtomicU64,
    /// Who is let in, and who goes. Locked before the state, never after it.
    policy: Arc<Mutex<Policy>>,
    state: Mutex<State>,
    /// Held while chunks are compared and holes made: one at a time.
    tidying: Mutex<()>,
    /// The file system makes holes.
    holes: AtomicBool,
    /// Held so long as the cache is open: two processes would evict each other's files.
    _lock: File,
}

#[derive(Default)]
struct State {
    blobs: HashMap<Digest, Held>,
    /// Files that are being read, one for all readers.
    open: HashMap<Digest, Weak<File>>,
    /// Blobs that are being read, one for all readers.
    shelves: HashMap<Digest, Weak<Shelf>>,
    /// Bytes promised to fills under way.
    promised: u64,
}

/// A blob, or a remnant of one, and its file.
struct Held {
    entry: Entry,
    /// Its chunks; a file that was found without them has none until it is verified.
    map: Option<Arc<Map>>,
    /// How often each of its chunks is borrowed; as long as the map.
    lent: Vec<u32>,
    /// Which of the chunks in its file were hashed since the start.
    checked: Arc<Checked>,
    /// The file may hold bytes where it could have holes.
    solid: bool,
    /// Bytes that its file takes: holes count once they are made.
    takes: u64,
    /// The file as its fill has it: who follows that reads it past the map.
    filled: Weak<File>,
}

/// Room on the disk for a fill; given back when dropped.
pub(super) struct Room {
    tier: Arc<DiskTier>,
    len: u64,
}

impl Held {
    fn new(entry: Entry, map: Option<Map>) -> Self {
        let chunks = map.as_ref().map_or(0, |map| map.chunks.len());
        let checked = Arc::new(Checked::new(chunks));
        let takes = map.as_ref().map_or(entry.len, |map| map.resident);
        Self { entry, map: map.map(Arc::new), lent: vec![0; chunks], checked, solid: false, takes, filled: Weak::new() }
    }

    fn lends(&self) -> bool {
        self.lent.iter().any(|times| *times > 0)
    }
}

impl DiskTier {
    /// Opens the tier. An index that does not open is set aside, and a new one made of the files that are there.
    pub(super) fn open(
        dir: &Path,
        room: u64,
        policy: Arc<Mutex<Policy>>,
    ) -> Result<(Arc<Self>, Option<String>), OpenError> {
        let blobs = dir.join("blobs");
        fs::create_dir_all(&blobs).map_err(|error| OpenError::Folder { path: blobs.clone(), error })?;
        let lock = take_lock(dir)?;
        // What a crash left half-written is of no use.
        let coming = dir.join("coming");
        drop(fs::remove_dir_all(&coming));
        fs::create_dir_all(&coming).map_err(|error| OpenError::Folder { path: coming.clone(), error })?;
        let (opened, warning) = index::open_or_replace(&dir.join("index"))?;
        let tier = Self {
            dir: dir.to_owned(),
            room,
            index: opened.index,
            names: AtomicU64::new(0),
            policy,
            state: Mutex::default(),
            tidying: Mutex::default(),
            holes: AtomicBool::new(dedup::makes_holes(&coming)),
            _lock: lock,
        };
        let lost = tier.reconcile(opened.entries, opened.maps);
        let lost = lost.map_err(|error| OpenError::Folder { path: blobs, error })?;
        tier.fit();
        let warnings: Vec<String> = warning.into_iter().chain(lost).collect();
        Ok((Arc::new(tier), (!warnings.is_empty()).then(|| warnings.join("; "))))
    }

    /// What is known of a blob that the tier holds.
    pub(super) fn find(&self, digest: &Digest) -> Option<Entry> {
        let state = lock(&self.state);
        state.blobs.get(digest).map(|held| held.entry).filter(|entry| !entry.remnant)
    }

    /// Bytes on the disk: what blobs share counts once.
    pub(super) fn held(&self) -> u64 {
        lock(&self.state).held()
    }

    /// The policy that says who is let in, and who goes.
    pub(super) fn policy(&self) -> &Arc<Mutex<Policy>> {
        &self.policy
    }

    /// Where the bytes of a blob lie.
    fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        self.dir.join("blobs").join(&name[..2]).join(name)
    }

    /// Promises room for a fill of `len` bytes of `digest`, evicting whom the policy says; `None` when there is none to be
    /// had. The whole length: which chunks are here already shows when they have come.
    ///
    /// What the policy does not want to keep passes by: its file lies beside the tier while it comes, if the file system has
    /// room, so that all who ask for it follow one fill; [`admit`](Self::admit) asks the policy again at the end, when it has
    /// heard of all of them.
    pub(super) fn promise(self: &Arc<Self>, digest: &Digest, len: u64) -> Option<Room> {
        let policy = lock(&self.policy);
        let mut state = lock(&self.state);
        match self.clear(&mut state, &policy, digest, len) {
            Ok(()) => {}
            Err(Turned::TooLarge) => return None,
            Err(Turned::InUse | Turned::WorthLess) => {
                let passes = len <= self.room && free_bytes(&self.dir).is_some_and(|free| free > len);
                return passes.then(|| Room { tier: self.clone(), len: 0 });
            }
        }
        while free_bytes(&self.dir).is_some_and(|free| free < len) {
            let least = state.least(&policy)?;
            self.evict(&mut state, &least);
        }
        state.promised += len;
        Some(Room { tier: self.clone(), len })
    }

    /// Makes room in the tier by evicting whom the policy says, if it lets the blob in.
    fn clear(&self, state: &mut State, policy: &Policy, digest: &Digest, len: u64) -> Result<(), Turned> {
        loop {
            let mut held = state.candidates(policy);
            // Of what went, that which others still read comes free later: it may take another one.
            let late = state.held().saturating_sub(held.iter().map(|one| one.len).sum());
            held.push(Candidate { digest: *digest, len: state.promised + late, fixed: true });
            match policy.admit(Tier::Disk, digest, len, self.room, &held, now()) {
                Admission::Admit { evict } if evict.is_empty() => return Ok(()),
                Admission::Admit { evict } => evict.iter().for_each(|digest| self.evict(state, digest)),
                Admission::Refuse(why) => return Err(why),
            }
        }
    }

    /// Evicts the blob that is worth least, because the disk is full before its time; `false` when there is none.
    pub(super) fn squeeze(&self) -> bool {
        let policy = lock(&self.policy);
        let mut state = lock(&self.state);
        let Some(least) = state.least(&policy) else { return false };
        self.evict(&mut state, &least);
        true
    }

    /// A new file for a fill to write to.
    pub(super) fn begin(&self, digest: &Digest) -> io::Result<(PathBuf, File)> {
        let n = self.names.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join("coming").join(format!("{digest}.{n}"));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        Ok((path, file))
    }

    /// Takes in a file that was verified and synced, with its chunks. `false` when it does not fit after all.
    pub(super) fn admit(
        &self,
        digest: &Digest,
        coming: &Path,
        file: &Arc<File>,
        cuts: &[Cut],
        room: Room,
    ) -> io::Result<bool> {
        let map = Map::whole(cuts);
        let path = self.path(digest);
        fs::create_dir_all(path.parent().unwrap_or(&self.dir))?;
        let policy = lock(&self.policy);
        let mut state = lock(&self.state);
        room.give_back(&mut state);
        // One that is here all the same is doubtful: it goes, and gives back what it borrows.
        self.evict(&mut state, digest);
        if self.clear(&mut state, &policy, digest, map.len()).is_err() {
            return Ok(false);
        }
        // A remnant of the blob has the same bytes at the same offsets: who borrows of it finds them in the new file.
        let remnant = state.blobs.get(digest);
        let lent = remnant.filter(|held| held.lends()).map(|held| (held.map.clone(), held.lent.clone()));
        if lent.as_ref().is_some_and(|(old, _)| !old.as_ref().is_some_and(|old| old.same_cuts(&map))) {
            return Ok(false);
        }
        fs::rename(coming, &path)?;
        let entry = Entry {
            len: map.len(),
            verified: true,
            used: now().as_millis(),
            heat: policy.worth(digest, now()).heat,
            sought: false,
            remnant: false,
        };
        self.index.put_map(digest, &map);
        self.index.put(digest, &entry);
        let mut held = Held::new(entry, Some(map));
        held.lent = lent.map_or(held.lent, |(_, lent)| lent);
        // They were hashed on their way here.
        held.checked.set_all();
        held.filled = Arc::downgrade(file);
        state.blobs.insert(*digest, held);
        // Whoever has the remnant open reads on in its file, which has no name any more.
        state.open.remove(digest);
        state.shelves.remove(digest);
        Ok(true)
    }

    /// Says whether the bytes of a blob were found to be right, or have become doubtful: the next ask hashes them then.
    pub(super) fn mark(&self, digest: &Digest, verified: bool) {
        let mut state = lock(&self.state);
        if let Some(held) = state.blobs.get_mut(digest) {
            held.entry.verified = verified;
            self.index.put(digest, &held.entry);
        }
    }

    /// Evicts a blob, whatever it is worth.
    pub(super) fn remove(&self, digest: &Digest) {
        self.evict(&mut lock(&self.state), digest);
    }
}

impl State {
    fn held(&self) -> u64 {
        self.blobs.values().map(|held| held.takes).sum()
    }

    /// Whether nobody reads the blob, or borrows of it and is read: its space would come back if it went.
    fn idle(&self, digest: &Digest) -> bool {
        self.open.get(digest).is_none_or(|file| file.strong_count() == 0)
    }

    /// Whether nobody has the file open at all: it can be changed.
    fn untouched(&self, digest: &Digest) -> bool {
        self.idle(digest) && self.blobs.get(digest).is_none_or(|held| held.filled.strong_count() == 0)
    }

    /// The file, open: one for all of its readers.
    fn file(&mut self, digest: &Digest, path: &Path) -> io::Result<Arc<File>> {
        if let Some(file) = self.open.get(digest).and_then(Weak::upgrade) {
            return Ok(file);
        }
        let file = Arc::new(shelf::open_exact(path)?);
        self.open.insert(*digest, Arc::downgrade(&file));
        Ok(file)
    }

    /// Gives a blob other homes for its chunks, in the index as well. The caller has seen to who lends what.
    fn rehome(&mut self, index: &Index, digest: &Digest, map: Map) {
        let Some(held) = self.blobs.get_mut(digest) else { return };
        index.put_map(digest, &map);
        held.solid = held.solid || map.chunks.iter().any(|chunk| chunk.home != Home::Here);
        held.map = Some(Arc::new(map));
        self.shelves.remove(digest);
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

/// How many bytes the file system of `dir` has left for this process, when it says.
fn free_bytes(dir: &Path) -> Option<u64> {
    let found = statvfs(dir).ok()?;
    Some(found.blocks_available() * found.fragment_size())
}
