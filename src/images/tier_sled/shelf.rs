//! A blob of the disk tier, open for reading: which bytes lie in which file, and which of them were hashed.
//!
//! A chunk is *sure* when it was hashed of late, and the kernel still holds what was hashed: a warm blob costs a look at the
//! page cache for each 64 KiB, and no hashing. What has to come from the disk again is hashed again. For that to be true,
//! nothing may come from the disk without being asked for: the files are read without the kernel's own reading ahead, and
//! before a stretch is asked for, its chunks count as not hashed. Another process that reads the files can bring bytes in
//! past this, so nothing counts as hashed for more than an hour.

use std::{
    fs::File,
    io,
    num::NonZeroU64,
    os::unix::fs::FileExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use rustix::fs::{Advice, fadvise};

use crate::{
    images::{arrival::read_at, chunk, lock, now, page_cache},
    model::Digest,
};

use super::{
    DiskTier, State,
    map::{Home, Map},
};

/// How long a chunk counts as hashed, in milliseconds.
const FRESH_MILLIS: u64 = 3_600_000;

/// How far the disk is asked to read beyond what is hashed, in bytes.
const AHEAD: u64 = 4 << 20;

/// Which chunks of one file were hashed of late, by their numbers.
pub(super) struct Checked {
    bits: Vec<AtomicU64>,
    /// When all of them last began to count as not hashed.
    since: AtomicU64,
}

impl Checked {
    pub(super) fn new(chunks: usize) -> Self {
        let bits = (0..chunks.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Self { bits, since: AtomicU64::new(now().as_millis()) }
    }

    pub(super) fn set(&self, nth: usize) {
        self.bits[nth / 64].fetch_or(1 << (nth % 64), Ordering::Relaxed);
    }

    fn unset(&self, nth: usize) {
        self.bits[nth / 64].fetch_and(!(1 << (nth % 64)), Ordering::Relaxed);
    }

    pub(super) fn set_all(&self) {
        self.bits.iter().for_each(|word| word.store(u64::MAX, Ordering::Relaxed));
    }

    fn has(&self, nth: usize) -> bool {
        let now = now().as_millis();
        let since = self.since.load(Ordering::Relaxed);
        if now.saturating_sub(since) > FRESH_MILLIS {
            self.bits.iter().for_each(|word| word.store(0, Ordering::Relaxed));
            self.since.store(now, Ordering::Relaxed);
        }
        self.bits[nth / 64].load(Ordering::Relaxed) & (1 << (nth % 64)) != 0
    }
}

/// A blob, open. While it is, no chunk of it changes its place.
pub(in crate::images) struct Shelf {
    map: Arc<Map>,
    /// Its own file, then those of its lenders.
    files: Vec<Lying>,
    /// Held while a chunk is fetched again, so that a hundred readers fetch it once.
    pub(in crate::images) mending: tokio::sync::Mutex<()>,
    /// A chunk could not be had from anywhere.
    pub(in crate::images) broken: AtomicBool,
}

/// A file, and what is known of the chunks in it.
struct Lying {
    digest: Digest,
    file: Arc<File>,
    map: Arc<Map>,
    checked: Arc<super::Checked>,
}

/// Bytes that follow one another in one file, of one or more chunks.
pub(in crate::images) struct Run {
    pub(in crate::images) file: Arc<File>,
    /// Where they begin in the file.
    pub(in crate::images) at: u64,
    pub(in crate::images) len: u64,
    /// The chunk that has the first of them.
    pub(in crate::images) first: usize,
}

impl DiskTier {
    /// Opens a verified blob for reading, and remembers that it was used, and how hot it was. A blob whose file, or that of a
    /// lender, is gone or has another length is dropped.
    pub(in crate::images) fn read(&self, digest: &Digest, heat: f64) -> Option<Arc<Shelf>> {
        let mut state = lock(&self.state);
        let shelf = self.open_shelf(&mut state, digest)?;
        if let Some(held) = state.blobs.get_mut(digest) {
            (held.entry.used, held.entry.heat) = (now().as_millis(), heat);
            self.index.put(digest, &held.entry);
        }
        Some(shelf)
    }

    /// The same, without remembering.
    pub(super) fn open_shelf(&self, state: &mut State, digest: &Digest) -> Option<Arc<Shelf>> {
        let map = state.blobs.get(digest).filter(|held| !held.entry.remnant)?.map.clone()?;
        let known = state.shelves.get(digest).and_then(std::sync::Weak::upgrade);
        // A chunk that could not be had may be there again.
        let known = known.filter(|shelf| !shelf.broken.load(Ordering::Relaxed));
        let mut files = Vec::with_capacity(1 + map.lenders.len());
        for lying in std::iter::once(digest).chain(&map.lenders) {
            // Also for a shelf that is known: a file may be cut short under it.
            match self.lying(state, lying) {
                Some(lying) => files.push(lying),
                None => {
                    self.lose(state, lying);
                    return None;
                }
            }
        }
        if known.is_some() {
            return known;
        }
        let shelf = Shelf { map, files, mending: tokio::sync::Mutex::default(), broken: AtomicBool::new(false) };
        let shelf = Arc::new(shelf);
        state.shelves.insert(*digest, Arc::downgrade(&shelf));
        Some(shelf)
    }

    fn lying(&self, state: &mut State, digest: &Digest) -> Option<Lying> {
        let held = state.blobs.get(digest)?;
        let (map, checked, len) = (held.map.clone()?, held.checked.clone(), held.entry.len);
        let file = state.file(digest, &self.path(digest)).ok()?;
        let whole = file.metadata().is_ok_and(|found| found.len() == len);
        whole.then_some(Lying { digest: *digest, file, map, checked })
    }

    /// Writes a chunk where it lies, in whichever file that is. Blocks.
    pub(in crate::images) fn rewrite(&self, shelf: &Shelf, nth: usize, bytes: &[u8]) -> io::Result<()> {
        let (lying, its) = shelf.place(nth);
        let file = File::options().write(true).open(self.path(&lying.digest))?;
        file.write_all_at(bytes, lying.map.chunks[its].at)?;
        file.sync_data()?;
        lying.checked.set(its);
        Ok(())
    }
}

impl Shelf {
    /// The length of the blob.
    pub(in crate::images) fn len(&self) -> u64 {
        self.map.len()
    }

    /// How many chunks it has.
    pub(in crate::images) fn chunks(&self) -> usize {
        self.map.chunks.len()
    }

    /// Where a chunk begins in the blob, its length, and its BLAKE3.
    pub(in crate::images) fn chunk(&self, nth: usize) -> (u64, u64, chunk::Hash) {
        let chunk = &self.map.chunks[nth];
        (chunk.at, u64::from(chunk.len), chunk.hash)
    }

    /// The file that holds a chunk, and which of that file's chunks it is.
    fn place(&self, nth: usize) -> (&Lying, usize) {
        match self.map.chunks[nth].home {
            Home::In { lender, nth } => (&self.files[1 + lender as usize], nth as usize),
            // What is gone is served to nobody: a remnant is not opened.
            Home::Here | Home::Gone => (&self.files[0], nth),
        }
    }

    /// The bytes from `at` on, at most `most`, that lie in one piece. `at` is a place in the blob.
    pub(in crate::images) fn run(&self, at: u64, most: u64) -> Run {
        let first = self.map.find(at);
        let (lying, its) = self.place(first);
        let begin = lying.map.chunks[its].at + (at - self.map.chunks[first].at);
        let mut end = lying.map.chunks[its].end();
        for nth in first + 1..self.map.chunks.len() {
            let (next, its) = self.place(nth);
            let chunk = &next.map.chunks[its];
            if end - begin >= most || !Arc::ptr_eq(&next.file, &lying.file) || chunk.at != end {
                break;
            }
            end = chunk.end();
        }
        Run { file: lying.file.clone(), at: begin, len: most.min(end - begin), first }
    }

    /// How many bytes of a run are sure, from its beginning. Does not wait for the disk.
    pub(in crate::images) fn sure(&self, run: &Run) -> u64 {
        self.prefix(run, run.len, |nth| self.is_sure(nth))
    }

    /// Hashes chunks of a run from its beginning, up to `most` bytes or one that is wrong; how many bytes of the run are
    /// right. Blocks.
    pub(in crate::images) fn check(&self, run: &Run, most: u64) -> u64 {
        self.ahead(run.first);
        self.prefix(run, most.min(run.len), |nth| self.is_sure(nth) || self.is_right(nth))
    }

    /// Has the disk read what follows the beginning of a chunk in the same file, none of which counts as hashed then. What
    /// the kernel holds already stays.
    fn ahead(&self, first: usize) {
        let (lying, its) = self.place(first);
        let begin = lying.map.chunks[its].at;
        let mut end = begin;
        for nth in its..lying.map.chunks.len() {
            if end >= begin + AHEAD || lying.map.chunks[nth].home != Home::Here {
                break;
            }
            end = lying.map.chunks[nth].end();
            is_sure(lying, nth);
        }
        // It is a hint: without it the disk is slower.
        let _ = fadvise(&lying.file, begin, NonZeroU64::new(end - begin), Advice::WillNeed);
    }

    /// The bytes of a run in front of the first chunk that is not `good`, once `enough` were looked at.
    fn prefix(&self, run: &Run, enough: u64, good: impl Fn(usize) -> bool) -> u64 {
        let mut found = 0;
        let mut nth = run.first;
        while found < enough && good(nth) {
            let (lying, its) = self.place(nth);
            found = (lying.map.chunks[its].end() - run.at).min(run.len);
            nth += 1;
        }
        found
    }

    /// Whether a chunk was hashed, and is still held by the kernel.
    pub(in crate::images) fn is_sure(&self, nth: usize) -> bool {
        let (lying, its) = self.place(nth);
        is_sure(lying, its)
    }

    /// Reads and hashes a chunk; its bytes, if they are right. What cannot be read is as good as wrong. Blocks.
    pub(in crate::images) fn bytes(&self, nth: usize) -> Option<Bytes> {
        let (lying, its) = self.place(nth);
        let chunk = &lying.map.chunks[its];
        let bytes = read_at(&lying.file, chunk.at, chunk.len as usize).ok()?;
        (chunk::hash(&bytes) == chunk.hash).then(|| {
            lying.checked.set(its);
            bytes
        })
    }

    /// Whether the bytes of a chunk are right. Blocks.
    pub(in crate::images) fn is_right(&self, nth: usize) -> bool {
        self.bytes(nth).is_some()
    }

    /// Counts all chunks as hashed: the whole was.
    pub(super) fn set_checked(&self) {
        for nth in 0..self.chunks() {
            let (lying, its) = self.place(nth);
            lying.checked.set(its);
        }
    }
}

/// Whether a chunk of a file was hashed, and is still held by the kernel. If it is not held, it counts as not hashed from now
/// on: looking for it may have begun to bring it in.
fn is_sure(lying: &Lying, nth: usize) -> bool {
    if !lying.checked.has(nth) {
        return false;
    }
    let chunk = &lying.map.chunks[nth];
    let mut probes = (chunk.at..chunk.end()).step_by(page_cache::STRIDE as usize).chain([chunk.end() - 1]);
    // Where the file system does not tell, an hour is what counts.
    let held = probes.all(|at| page_cache::has(&lying.file, at) != Some(false));
    if !held {
        lying.checked.unset(nth);
    }
    held && lying.checked.has(nth)
}

/// Opens a file to read of it what is asked for and no more: no reading ahead.
pub(super) fn open_exact(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    // Where the kernel does not take the hint, what it read ahead an hour ago is the limit.
    let _ = fadvise(&file, 0, None, Advice::Random);
    Ok(file)
}
