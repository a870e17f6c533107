//! A blob of the disk tier, open for reading: which bytes lie in which file, and which of them were hashed.
//!
//! A chunk is *sure* when it was hashed of late, and the kernel still holds what was hashed: a warm blob costs a look at the
//! page cache for each 64 KiB a few times a second, however many read it, and no hashing. What has to come from the disk again is hashed again. For that to be true,
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

/// How long a chunk that was seen in the page cache is taken to be there still, in milliseconds. A hundred machines that boot
/// the same image pass each chunk many times in that while: looking for it each time cost a tenth of the throughput.
const SEEN_MILLIS: u64 = 200;

/// Which chunks of one file were hashed of late, by their numbers.
pub(super) struct Checked {
    /// When each was last seen in the page cache since it was hashed, or one of the two below.
    seen: Vec<AtomicU64>,
    /// When all of them last began to count as not hashed.
    since: AtomicU64,
}

/// A chunk that has to be hashed.
const NOT_HASHED: u64 = 0;
/// A chunk that was hashed, and has to be looked for.
const HASHED: u64 = 1;

impl Checked {
    pub(super) fn new(chunks: usize) -> Self {
        let seen = (0..chunks).map(|_| AtomicU64::new(NOT_HASHED)).collect();
        Self { seen, since: AtomicU64::new(now().as_millis()) }
    }

    pub(super) fn set(&self, nth: usize) {
        self.seen[nth].store(HASHED, Ordering::Relaxed);
    }

    fn unset(&self, nth: usize) {
        self.seen[nth].store(NOT_HASHED, Ordering::Relaxed);
    }

    pub(super) fn set_all(&self) {
        self.seen.iter().for_each(|seen| seen.store(HASHED, Ordering::Relaxed));
    }

    /// When a chunk was last seen, if it was hashed.
    fn seen(&self, nth: usize, now: u64) -> Option<u64> {
        let since = self.since.load(Ordering::Relaxed);
        if now.saturating_sub(since) > FRESH_MILLIS {
            self.seen.iter().for_each(|seen| seen.store(NOT_HASHED, Ordering::Relaxed));
            self.since.store(now, Ordering::Relaxed);
        }
        Some(self.seen[nth].load(Ordering::Relaxed)).filter(|seen| *seen != NOT_HASHED)
    }

    /// A chunk was seen, and before that at `before`. `false` if it counts as not hashed since.
    fn see(&self, nth: usize, before: u64, now: u64) -> bool {
        // Whoever else saw it meanwhile has said so.
        let seen = self.seen[nth].compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed);
        seen.unwrap_or_else(|other| other) != NOT_HASHED
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
        let now = now().as_millis();
        self.prefix(run, run.len, |nth| {
            let (lying, its) = self.place(nth);
            is_sure(lying, its, now, SEEN_MILLIS)
        })
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
            is_sure(lying, nth, now().as_millis(), 0);
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
        is_sure(lying, its, now().as_millis(), 0)
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

/// Whether a chunk of a file was hashed, and is still held by the kernel, or was `within` so many milliseconds. If it is not
/// held, it counts as not hashed from now on: looking for it may have begun to bring it in.
fn is_sure(lying: &Lying, nth: usize, now: u64, within: u64) -> bool {
    let Some(seen) = lying.checked.seen(nth, now) else { return false };
    if now.saturating_sub(seen) < within {
        return true;
    }
    let chunk = &lying.map.chunks[nth];
    // Its last byte is next to the first of another chunk.
    let mut probes = (chunk.at..chunk.end()).step_by(page_cache::STRIDE as usize);
    // Where the file system does not tell, an hour is what counts.
    let held = probes.all(|at| page_cache::has(&lying.file, at) != Some(false));
    if !held {
        lying.checked.unset(nth);
    }
    held && lying.checked.see(nth, seen, now)
}

/// Opens a file to read of it what is asked for and no more: no reading ahead.
pub(super) fn open_exact(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    // Where the kernel does not take the hint, what it read ahead an hour ago is the limit.
    let _ = fadvise(&file, 0, None, Advice::Random);
    Ok(file)
}
