//! Hashing a blob as a whole, from wherever its chunks lie.

use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

use sha2::{Digest as _, Sha256};

use crate::{
    images::{CHUNK, chunk, lock},
    model::Digest,
};

use super::{DiskTier, Held, Shelf, map::Map};

/// How much is read at once, in bytes.
const STEP: u64 = 4 * CHUNK as u64;

impl DiskTier {
    /// Whether what the tier holds of a blob hashes to its name. If so, it counts as verified from now on; a file that was
    /// found without its chunks is cut. `false` as well when it is not held, or cannot be read. Blocks.
    pub(in crate::images) fn verify(&self, digest: &Digest) -> bool {
        // Open while it is hashed, so that it is not evicted and fetched anew meanwhile.
        let (shelf, plain) = {
            let mut state = lock(&self.state);
            let cut = state.blobs.get(digest).is_some_and(|held| held.map.is_some());
            match cut {
                true => (self.open_shelf(&mut state, digest), None),
                false => (None, state.file(digest, &self.path(digest)).ok()),
            }
        };
        let map = match (shelf, plain) {
            (Some(shelf), _) => {
                let right = hash_shelf(&shelf).is_ok_and(|found| found == *digest);
                right.then(|| shelf.set_checked()).map(|()| None)
            }
            (None, Some(file)) => cut_file(&file).ok().filter(|(found, _)| found == digest).map(|(_, map)| Some(map)),
            (None, None) => None,
        };
        let Some(map) = map else { return false };
        let mut state = lock(&self.state);
        let Some(held) = state.blobs.get_mut(digest).filter(|held| !held.entry.remnant) else { return false };
        held.entry.verified = true;
        if let Some(map) = map.filter(|_| held.map.is_none()) {
            self.index.put_map(digest, &map);
            *held = Held::new(held.entry, Some(map));
            held.checked.set_all();
        }
        self.index.put(digest, &held.entry);
        true
    }
}

fn hash_shelf(shelf: &Arc<Shelf>) -> io::Result<Digest> {
    let (mut hash, mut buffer, mut at) = (Sha256::new(), vec![0; STEP as usize], 0);
    while at < shelf.len() {
        let run = shelf.run(at, STEP);
        let part = &mut buffer[..run.len as usize];
        run.file.read_exact_at(part, run.at)?;
        hash.update(part);
        at += run.len;
    }
    Ok(Digest::new(hash.finalize().into()))
}

fn cut_file(file: &File) -> io::Result<(Digest, Map)> {
    let mut hash = Sha256::new();
    let cuts = chunk::cut(file, |bytes| hash.update(bytes))?;
    Ok((Digest::new(hash.finalize().into()), Map::whole(&cuts)))
}
