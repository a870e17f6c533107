//! Who can go, what comes free then, and how a blob goes.
//!
//! ```text
//!   evict A ──nobody borrows of it──> its file and entry go
//!        └──B borrows of it─────────> a remnant: what B borrows stays in A's file, the rest becomes a hole
//!   evict B ──it borrows of A───────> A's remnant shrinks, and goes with its last borrower
//! ```

use std::collections::HashSet;

use crate::{
    images::{lock, now},
    model::{Digest, image::Tier},
    stage::{Candidate, Policy},
};

use super::{DiskTier, Held, State, map::Home};

impl State {
    /// What the policy may choose from, what is worth least first.
    ///
    /// What blobs share comes free with the last of them, so it counts for the one that would go last: the sum is what the
    /// tier holds, and the first so many come to what they free together.
    pub(super) fn candidates(&self, policy: &Policy) -> Vec<Candidate> {
        let now = now();
        let mut ranked: Vec<(bool, f64, u64, Digest)> = self
            .blobs
            .iter()
            .filter(|(_, held)| !held.entry.remnant)
            .map(|(digest, held)| {
                let fixed = !self.idle(digest) || policy.pinned(digest).is_some_and(|to| to <= Tier::Disk);
                (fixed, policy.worth(digest, now).per_byte, held.entry.used, *digest)
            })
            .collect();
        ranked.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        let mut counted = HashSet::new();
        let last_first = ranked.iter().rev().map(|(fixed, _, _, digest)| {
            let len = self.own(digest) + self.shared(digest, &mut counted);
            Candidate { digest: *digest, len, fixed: *fixed }
        });
        let mut candidates: Vec<Candidate> = last_first.collect();
        candidates.reverse();
        candidates
    }

    /// Bytes that its file takes and that nobody borrows.
    pub(super) fn own(&self, digest: &Digest) -> u64 {
        let Some(held) = self.blobs.get(digest) else { return 0 };
        let lent = held.map.iter().flat_map(|map| map.chunks.iter().zip(&held.lent)).filter(|(_, times)| **times > 0);
        held.takes - lent.map(|(chunk, _)| u64::from(chunk.len)).sum::<u64>()
    }

    /// Bytes that it lends or borrows, of those not `counted` yet.
    pub(super) fn shared(&self, digest: &Digest, counted: &mut HashSet<(Digest, usize)>) -> u64 {
        let Some(held) = self.blobs.get(digest) else { return 0 };
        let Some(map) = &held.map else { return 0 };
        let lends = (0..map.chunks.len()).filter(|nth| held.lent[*nth] > 0).map(|nth| (*digest, nth));
        let mut sum = 0;
        for (lender, nth) in lends.chain(map.borrowed()) {
            if counted.insert((lender, nth)) {
                let map = self.blobs.get(&lender).and_then(|held| held.map.as_ref());
                sum += map.map_or(0, |map| u64::from(map.chunks[nth].len));
            }
        }
        sum
    }

    /// The blob that is worth least, of those that can go.
    pub(super) fn least(&self, policy: &Policy) -> Option<Digest> {
        self.candidates(policy).first().filter(|least| !least.fixed).map(|least| least.digest)
    }
}

impl DiskTier {
    /// Evicts a blob that nobody reads; `false` when somebody does.
    pub(in crate::images) fn let_go(&self, digest: &Digest) -> bool {
        let mut state = lock(&self.state);
        let untouched = state.untouched(digest);
        if untouched {
            self.evict(&mut state, digest);
        }
        untouched
    }

    /// Evicts what is worth least until the tier is no larger than it may be. For the start: it may have been larger.
    pub(super) fn fit(&self) {
        let policy = lock(&self.policy);
        let mut state = lock(&self.state);
        while state.held() > self.room {
            let Some(least) = state.least(&policy) else { return };
            self.evict(&mut state, &least);
        }
    }

    /// Evicts a blob. Readers that have it open read on.
    ///
    /// It goes before its lenders do: if the index on the disk still says that it borrows when a crash comes, then what it
    /// borrows is there, or its own file is not.
    pub(super) fn evict(&self, state: &mut State, digest: &Digest) {
        if state.blobs.get(digest).is_none_or(|held| held.entry.remnant) {
            return;
        }
        let lenders = state.give_back(digest);
        if let Some(held) = state.blobs.get_mut(digest) {
            held.entry.remnant = true;
            self.index.put(digest, &held.entry);
        }
        self.shrink(state, digest);
        // A remnant has holes where it borrowed. An index that cannot be written costs the next start a warning.
        if !lenders.is_empty() && state.blobs.contains_key(digest) {
            self.index.flush();
        }
        lenders.iter().for_each(|lender| self.shrink(state, lender));
    }

    /// Takes from a remnant what nobody borrows any more.
    pub(super) fn shrink(&self, state: &mut State, digest: &Digest) {
        let Some(held) = state.blobs.get(digest).filter(|held| held.entry.remnant) else { return };
        let Some(map) = held.map.as_ref().filter(|_| held.lends()) else {
            self.forget(state, digest);
            return;
        };
        let mut left = map.with(|nth, _| if held.lent[nth] > 0 { Home::Here } else { Home::Gone });
        left.lenders.clear();
        state.rehome(&self.index, digest, left);
        self.hollow(state, digest);
    }

    /// Drops a blob and its file: the file first, as one with holes is of no use without its entry.
    pub(super) fn forget(&self, state: &mut State, digest: &Digest) {
        state.blobs.remove(digest);
        state.open.remove(digest);
        state.shelves.remove(digest);
        // It may be gone already; that is what is wanted.
        drop(std::fs::remove_file(self.path(digest)));
        self.index.remove(digest);
    }

    /// Drops a blob whose file is gone or cut short, and with it whatever borrows of it.
    pub(super) fn lose(&self, state: &mut State, digest: &Digest) {
        let borrows =
            |held: &Held| held.map.as_ref().is_some_and(|map| map.borrowed().any(|(lender, _)| lender == *digest));
        let borrowers: Vec<Digest> =
            state.blobs.iter().filter(|(_, held)| borrows(held)).map(|(digest, _)| *digest).collect();
        for borrower in borrowers {
            self.evict(state, &borrower);
        }
        self.evict(state, digest);
        self.forget(state, digest);
    }
}

impl State {
    /// Gives back all that a blob borrows; who lent it.
    fn give_back(&mut self, digest: &Digest) -> HashSet<Digest> {
        let Some(map) = self.blobs.get(digest).and_then(|held| held.map.clone()) else { return HashSet::new() };
        let mut lenders = HashSet::new();
        for (lender, nth) in map.borrowed() {
            if let Some(times) = self.blobs.get_mut(&lender).and_then(|held| held.lent.get_mut(nth)) {
                *times = times.saturating_sub(1);
                lenders.insert(lender);
            }
        }
        lenders.remove(digest);
        lenders
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::Path,
        sync::{
            Arc, Barrier,
            atomic::{AtomicBool, Ordering},
        },
        thread,
    };

    use super::*;
    use crate::images::chunk::{Cut, hash};

    const LEN: usize = 64 << 10;

    fn digest(n: u8) -> Digest {
        Digest::new([n; 32])
    }

    fn tier(dir: &Path) -> Arc<DiskTier> {
        let (tier, warning) = DiskTier::open(dir, 1 << 30, Arc::default()).unwrap();
        assert_eq!(warning, None);
        tier
    }

    /// Brings a blob of these chunks in, each filled with its number; it borrows what it can.
    fn bring(tier: &Arc<DiskTier>, name: u8, chunks: [u8; 2]) {
        let bytes: Vec<u8> = chunks.iter().flat_map(|n| [*n; LEN]).collect();
        let cuts = bytes.chunks(LEN).map(|chunk| Cut { len: LEN as u32, hash: hash(chunk) });
        let room = tier.promise(&digest(name), bytes.len() as u64).unwrap();
        let (path, file) = tier.begin(&digest(name)).unwrap();
        fs::write(&path, &bytes).unwrap();
        assert!(tier.admit(&digest(name), &path, &Arc::new(file), &cuts.collect::<Vec<_>>(), room).unwrap());
        assert_eq!(tier.dedup(), 0);
    }

    fn assert_whole(tier: &DiskTier, name: u8, chunks: [u8; 2]) {
        let shelf = tier.read(&digest(name), 0.0).unwrap();
        chunks.iter().enumerate().for_each(|(nth, n)| assert_eq!(shelf.bytes(nth).unwrap(), vec![*n; LEN]));
    }

    fn copy_index(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for path in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
            let to = to.join(path.file_name().unwrap());
            match path.is_dir() {
                true => copy_index(&path, &to),
                false => drop(fs::copy(&path, &to).unwrap()),
            }
        }
    }

    /// What a process that is killed now leaves: its files, and an index that may be older.
    fn killed(dir: &Path, index: &Path) -> tempfile::TempDir {
        let left = tempfile::tempdir().unwrap();
        copy_index(index, &left.path().join("index"));
        for folder in fs::read_dir(dir.join("blobs")).unwrap().map(|entry| entry.unwrap().path()) {
            let to = left.path().join("blobs").join(folder.file_name().unwrap());
            fs::create_dir_all(&to).unwrap();
            for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                fs::hard_link(&file, to.join(file.file_name().unwrap())).unwrap();
            }
        }
        left
    }

    #[test]
    fn a_kill_just_when_a_lender_goes_finds_an_index_that_knows_why() {
        // With the lender in front, one in seven was caught.
        (0..25).for_each(|_| kill_when_a_lender_goes());
    }

    fn kill_when_a_lender_goes() {
        let dir = tempfile::tempdir().unwrap();
        let old = tier(dir.path());
        [(1, [1, 2]), (2, [1, 3]), (3, [3, 4])].into_iter().for_each(|(name, chunks)| bring(&old, name, chunks));
        old.remove(&digest(1));
        // What the eviction writes is all that is new. While the blob is read its holes have to wait, and so has what syncs
        // the index for them.
        assert!(old.index.flush());
        let reader = old.read(&digest(2), 0.0).unwrap();
        let (lender, over, ready) = (old.path(&digest(1)), AtomicBool::new(false), Barrier::new(2));
        let left = thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                ready.wait();
                while lender.exists() && !over.load(Ordering::Relaxed) {}
                killed(dir.path(), &dir.path().join("index"))
            });
            ready.wait();
            old.remove(&digest(2));
            over.store(true, Ordering::Relaxed);
            watcher.join().unwrap()
        });
        assert!(!lender.exists(), "nobody borrows of it any more");
        let new = tier(left.path());
        assert_whole(&new, 3, [3, 4]);
        assert_eq!((new.find(&digest(2)), new.held()), (None, 2 * LEN as u64));
        drop(reader);
    }

    #[test]
    fn a_lender_that_came_back_is_there_after_a_kill_that_the_index_slept_through() {
        let (dir, index) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let old = tier(dir.path());
        [(1, [1, 2]), (2, [1, 3])].into_iter().for_each(|(name, chunks)| bring(&old, name, chunks));
        old.remove(&digest(1));
        copy_index(&dir.path().join("index"), index.path());
        bring(&old, 1, [1, 2]);
        let left = killed(dir.path(), index.path());
        let new = tier(left.path());
        assert!(new.find(&digest(1)).is_some_and(|entry| !entry.verified), "it is hashed when it is next asked for");
        [(1, [1, 2]), (2, [1, 3])].into_iter().for_each(|(name, chunks)| assert_whole(&new, name, chunks));
    }

    #[test]
    fn a_blob_that_comes_twice_gives_back_what_it_borrowed_before() {
        let dir = tempfile::tempdir().unwrap();
        let tier = tier(dir.path());
        [(1, [1, 2]), (2, [1, 3]), (2, [1, 3])].into_iter().for_each(|(name, chunks)| bring(&tier, name, chunks));
        assert_whole(&tier, 2, [1, 3]);
        [2, 1].iter().for_each(|name| tier.remove(&digest(*name)));
        assert_eq!((tier.held(), tier.path(&digest(1)).exists()), (0, false));
    }
}
