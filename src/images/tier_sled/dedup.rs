//! What another file holds already becomes a hole.
//!
//! ```text
//!   for each blob that was not looked through:
//!     find      chunks with the same BLAKE3 that are `Here` in another file, or earlier in this one
//!     compare   the bytes of both: a hash is a hint, and the lender may have rotted
//!     borrow    under the lock, if both are still there: the map says `In`, the lender counts it
//!     sync      the index
//!     hollow    once nobody reads the file: punch the holes
//! ```
//! A crash before the sync leaves a file with all of its bytes, one after it a file that takes more room than it must; the
//! next start makes the holes. Nothing is moved and nothing is copied, so a fill is not slower for it, and while a file is
//! being read its bytes stay where the reader finds them.
//!
//! Who lends is found by going through all maps, once for each fill: 410,000 chunks (50 GiB) took 25 to 60 ms, and a
//! table that answers at once would be 20 MiB of memory for ever.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use rustix::{
    fs::{FallocateFlags, fallocate},
    io::Errno,
};

use crate::{
    images::{chunk::Hash, lock},
    model::Digest,
};

use super::{
    DiskTier, State,
    map::{Home, Map},
    shelf::open_exact,
};

/// How many lenders are kept in mind for a chunk: the one that lends its neighbour as well is the best.
const OFFERS: usize = 4;

/// A chunk that may be borrowed, and of whom.
#[derive(Clone, Copy)]
struct Loan {
    /// Which chunk of the blob.
    nth: usize,
    lender: Digest,
    /// Which chunk of the lender.
    its: usize,
}

impl DiskTier {
    /// Looks every blob through that was not, and makes the holes that can be made now. How many files have to wait, as they
    /// are being read. Blocks, for as long as reading what is shared takes.
    pub(in crate::images) fn dedup(&self) -> usize {
        let _alone = lock(&self.tidying);
        if !self.holes.load(Ordering::Relaxed) {
            return 0;
        }
        for digest in self.unsought() {
            self.seek(&digest);
        }
        let solid: Vec<(Digest, Arc<Map>)> = {
            let state = lock(&self.state);
            let solid = state.blobs.iter().filter(|(_, held)| held.solid);
            solid.filter_map(|(digest, held)| Some((*digest, held.map.clone()?))).collect()
        };
        if solid.is_empty() {
            return 0;
        }
        if !self.index.flush() {
            return solid.len();
        }
        let mut state = lock(&self.state);
        for (digest, synced) in &solid {
            let now = state.blobs.get(digest).and_then(|held| held.map.as_ref());
            if now.is_some_and(|now| Arc::ptr_eq(now, synced)) && state.untouched(digest) {
                self.punch(&mut state, digest);
            }
        }
        state.blobs.values().filter(|held| held.solid).count()
    }

    fn unsought(&self) -> Vec<Digest> {
        let state = lock(&self.state);
        let blobs = state.blobs.iter();
        let unsought = blobs.filter(|(_, held)| held.map.is_some() && held.entry.verified && !held.entry.sought);
        unsought.map(|(digest, _)| *digest).collect()
    }

    /// Finds and borrows what others hold of a blob.
    fn seek(&self, digest: &Digest) {
        let maps: Vec<(Digest, Arc<Map>)> = {
            let state = lock(&self.state);
            state.blobs.iter().filter_map(|(digest, held)| Some((*digest, held.map.clone()?))).collect()
        };
        let Some((_, map)) = maps.iter().find(|(found, _)| found == digest) else { return };
        let loans = find(digest, map, &maps);
        let loans = self.compare(digest, map, loans, &maps);
        let mut state = lock(&self.state);
        let homes = state.lend(digest, map, &loans);
        if let Some(homes) = homes {
            state.rehome(&self.index, digest, homes);
        }
        if let Some(held) = state.blobs.get_mut(digest) {
            held.entry.sought = true;
            self.index.put(digest, &held.entry);
        }
    }

    /// Those of the loans whose bytes are the same in both files. Looks at the files by itself, as it reads nothing for
    /// anybody: whoever evicts need not wait for it.
    fn compare(&self, digest: &Digest, map: &Map, loans: Vec<Loan>, maps: &[(Digest, Arc<Map>)]) -> Vec<Loan> {
        let Ok(own) = open_exact(&self.path(digest)) else { return Vec::new() };
        let maps: HashMap<&Digest, &Arc<Map>> = maps.iter().map(|(digest, map)| (digest, map)).collect();
        let mut files: HashMap<Digest, Option<File>> = HashMap::new();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut same = |loan: &Loan| {
            let chunk = map.chunks[loan.nth];
            let file = files.entry(loan.lender).or_insert_with(|| open_exact(&self.path(&loan.lender)).ok());
            let (Some(file), Some(lender)) = (file, maps.get(&loan.lender)) else { return false };
            ours.resize(chunk.len as usize, 0);
            theirs.resize(chunk.len as usize, 0);
            let read = own.read_exact_at(&mut ours, chunk.at);
            read.and_then(|()| file.read_exact_at(&mut theirs, lender.chunks[loan.its].at)).is_ok() && ours == theirs
        };
        loans.into_iter().filter(|loan| same(loan)).collect()
    }

    /// Makes the holes of a remnant at once, if nobody reads it: the space is wanted now. Waits for the index to be synced.
    pub(super) fn hollow(&self, state: &mut State, digest: &Digest) {
        if self.holes.load(Ordering::Relaxed) && state.untouched(digest) && self.index.flush() {
            self.punch(state, digest);
        }
    }

    /// Makes the holes that the map of a blob has. Nobody reads the file, and the map is synced.
    pub(super) fn punch(&self, state: &mut State, digest: &Digest) {
        let Some(held) = state.blobs.get_mut(digest) else { return };
        let Some(map) = &held.map else { return };
        let punched = OpenOptions::new().write(true).open(self.path(digest)).and_then(|file| {
            for (at, len) in map.holes() {
                fallocate(&file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, at, len)?;
            }
            Ok(())
        });
        match punched {
            Ok(()) => (held.solid, held.takes) = (false, map.resident),
            // It takes more room than it must; the next round tries again.
            Err(error) => tracing::warn!(%digest, %error, "what an image file shares could not be freed"),
        }
    }
}

/// What may be borrowed for the chunks of a blob that are here.
fn find(digest: &Digest, map: &Map, maps: &[(Digest, Arc<Map>)]) -> Vec<Loan> {
    let here = map.chunks.iter().filter(|chunk| chunk.home == Home::Here);
    let mut offers: HashMap<Hash, Vec<(Digest, usize)>> = here.map(|chunk| (chunk.hash, Vec::new())).collect();
    for (lender, found) in maps.iter().filter(|(found, _)| found != digest) {
        for (its, chunk) in found.chunks.iter().enumerate().filter(|(_, chunk)| chunk.home == Home::Here) {
            if let Some(offers) = offers.get_mut(&chunk.hash).filter(|offers| offers.len() < OFFERS) {
                offers.push((*lender, its));
            }
        }
    }
    // What nobody else has it can borrow of itself: the first of its kind, which then stays.
    for (nth, chunk) in map.chunks.iter().enumerate().filter(|(_, chunk)| chunk.home == Home::Here) {
        if let Some(offers) = offers.get_mut(&chunk.hash).filter(|offers| offers.is_empty()) {
            offers.push((*digest, nth));
        }
    }
    let mut loans: Vec<Loan> = Vec::new();
    for (nth, chunk) in map.chunks.iter().enumerate().filter(|(_, chunk)| chunk.home == Home::Here) {
        let good = offers[&chunk.hash].iter().filter(|(lender, its)| lender != digest || *its < nth);
        let next = |last: &Loan| (last.nth + 1 == nth).then_some((last.lender, last.its + 1));
        let wanted = loans.last().and_then(next);
        let best = good.clone().find(|offer| Some(**offer) == wanted).or_else(|| good.clone().next());
        if let Some((lender, its)) = best {
            loans.push(Loan { nth, lender: *lender, its: *its });
        }
    }
    loans
}

impl State {
    /// The map of a blob with all the loans that are still good; each is counted with its lender. `None` when none is.
    fn lend(&mut self, digest: &Digest, map: &Arc<Map>, loans: &[Loan]) -> Option<Map> {
        let unchanged = |held: &super::Held| held.map.as_ref().is_some_and(|now| Arc::ptr_eq(now, map));
        if !self.blobs.get(digest).is_some_and(unchanged) {
            return None;
        }
        let mut homes = Map::clone(map);
        let mut places: HashMap<Digest, u32> = HashMap::new();
        for loan in loans {
            // What others borrow of it stays: nothing is two steps away.
            let lent = self.blobs.get(digest).is_some_and(|held| held.lent[loan.nth] > 0);
            let (chunk, own) = (homes.chunks[loan.nth], loan.lender == *digest);
            let Some(lender) = self.blobs.get_mut(&loan.lender) else { continue };
            let its = match own {
                true => homes.chunks.get(loan.its),
                false => lender.map.as_ref().and_then(|map| map.chunks.get(loan.its)),
            };
            if lent || !its.is_some_and(|its| its.home == Home::Here && its.hash == chunk.hash) {
                continue;
            }
            lender.lent[loan.its] += 1;
            let place = *places.entry(loan.lender).or_insert_with(|| {
                homes.lenders.push(loan.lender);
                homes.lenders.len() as u32 - 1
            });
            homes.chunks[loan.nth].home = Home::In { lender: place, nth: loan.its as u32 };
        }
        (!places.is_empty()).then(|| Map::new(homes.lenders, homes.chunks))
    }
}

/// Whether the file system of a folder makes holes. Where it does not, each blob takes all of its length, as a plain file.
pub(super) fn makes_holes(dir: &Path) -> bool {
    let path = dir.join("hole");
    let tried = File::create(&path).and_then(|file| {
        file.write_all_at(&[1; 8192], 0)?;
        Ok(fallocate(&file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, 4096))
    });
    drop(fs::remove_file(&path));
    match tried {
        Ok(Err(error)) if error == Errno::OPNOTSUPP || error == Errno::NOSYS => {
            tracing::warn!(
                "the file system of the image cache makes no holes: what images share is kept for each of them"
            );
            false
        }
        // A disk that is full or failing now may do it later.
        _ => true,
    }
}
