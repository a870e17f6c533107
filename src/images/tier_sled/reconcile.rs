//! What a start finds: brings index and files to agreement.
//!
//! | found | what becomes of it |
//! |---|---|
//! | an entry without its whole file | goes, with whatever borrows of it |
//! | a map that borrows what is not lent | all chunks are here, if the file has no hole; else it goes |
//! | a file without entry or map, without a hole | comes in unverified: hashed and cut when it is next asked for |
//! | the same with a hole | goes: nobody knows where the rest lies |
//! | a remnant of which nobody borrows | goes |
//! | a remnant without a hole | was fetched anew, and the index had not heard of it: comes in unverified |
//! | a file with more bytes than its map says | gets its holes |

use std::{
    collections::HashMap,
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use rustix::fs::{SeekFrom, seek};

use crate::{
    images::lock,
    model::{Digest, Moment},
    stage::Policy,
};

use super::{
    DiskTier, Held, State,
    index::Entry,
    map::{Home, Map},
};

impl DiskTier {
    /// Takes in what index and files agree on. A sentence about what was lost, if anything was.
    pub(super) fn reconcile(
        &self,
        entries: HashMap<Digest, Entry>,
        mut maps: HashMap<Digest, Map>,
    ) -> io::Result<Option<String>> {
        let mut policy = lock(&self.policy);
        let mut state = lock(&self.state);
        let files = self.files()?;
        let mut lost = 0;
        let mut known: HashMap<Digest, (Entry, Option<Map>)> = HashMap::new();
        for digest in entries.keys().chain(maps.keys()).filter(|digest| !files.contains_key(*digest)) {
            self.index.remove(digest);
        }
        for (digest, len) in files {
            let found = entries.get(&digest).filter(|entry| entry.len == len);
            let mut map = maps.remove(&digest).filter(|map| found.is_some() && map.len() == len);
            let entry = match (found, &map) {
                (Some(entry), Some(old)) => {
                    let remnant = entry.remnant || old.chunks.iter().any(|chunk| chunk.home == Home::Gone);
                    let whole = remnant && is_plain(&self.path(&digest));
                    if whole {
                        let mut here = old.with(|_, _| Home::Here);
                        here.lenders.clear();
                        self.index.put_map(&digest, &here);
                        map = Some(here);
                    }
                    let (verified, sought) = (entry.verified && !whole, entry.sought && !whole);
                    Entry { remnant: remnant && !whole, verified, sought, ..*entry }
                }
                // What nobody cut was hashed by an older Greenroom, if at all: it is cut when it is next asked for.
                _ => Entry { len, verified: false, used: 0, heat: 0.0, sought: false, remnant: false },
            };
            if map.is_none() && !is_plain(&self.path(&digest)) {
                self.forget(&mut state, &digest);
                lost += 1;
                continue;
            }
            known.insert(digest, (entry, map));
        }
        // Who borrows of whom is checked against what is there, before anything is taken out.
        let broken: Vec<Digest> = known
            .iter()
            .filter(|(_, (_, map))| map.as_ref().is_some_and(|map| !lent(map, &known)))
            .map(|(digest, _)| *digest)
            .collect();
        for digest in &broken {
            let plain = is_plain(&self.path(digest));
            if let Some((entry, Some(map))) = known.get_mut(digest) {
                let mut here = map.with(|_, chunk| match chunk.home {
                    Home::Here => Home::Here,
                    Home::In { .. } | Home::Gone if plain => Home::Here,
                    Home::In { .. } | Home::Gone => Home::Gone,
                });
                here.lenders.clear();
                self.index.put_map(digest, &here);
                *map = here;
                lost += u64::from(!plain && !entry.remnant);
                entry.remnant |= !plain;
                entry.sought = false;
            }
        }
        for (digest, (entry, map)) in known {
            self.index.put(&digest, &entry);
            state.blobs.insert(digest, Held::new(entry, map));
        }
        state.count();
        self.settle(&mut state);
        state.warm(&mut policy);
        Ok((lost > 0).then(|| {
            format!(
                "the image cache's index did not say where all chunks of {lost} of its files lie: they were dropped, and are \
                 fetched anew when they are next asked for"
            )
        }))
    }

    /// The files that are there, with their lengths.
    fn files(&self) -> io::Result<HashMap<Digest, u64>> {
        let mut found = HashMap::new();
        for folder in fs::read_dir(self.dir.join("blobs"))?.flatten() {
            // What is no folder is not ours.
            let Ok(files) = fs::read_dir(folder.path()) else { continue };
            for file in files.flatten() {
                let Ok(digest) = file.file_name().to_string_lossy().parse::<Digest>() else { continue };
                let metadata = file.metadata()?;
                if file.path() == self.path(&digest) && metadata.is_file() {
                    found.insert(digest, metadata.len());
                }
            }
        }
        Ok(found)
    }

    /// Lets remnants go that lend nothing, and makes the holes that a crash came before.
    fn settle(&self, state: &mut State) {
        let remnants: Vec<Digest> =
            state.blobs.iter().filter(|(_, held)| held.entry.remnant).map(|(digest, _)| *digest).collect();
        remnants.iter().for_each(|digest| self.shrink(state, digest));
        let holed =
            state.blobs.iter_mut().filter(|(_, held)| held.map.as_ref().is_some_and(|map| map.resident < map.len()));
        let holed: Vec<Digest> = holed
            .map(|(digest, held)| {
                (held.solid, held.takes) = (true, held.entry.len);
                *digest
            })
            .collect();
        for digest in holed {
            self.hollow(state, &digest);
        }
    }
}

impl State {
    /// Counts who lends what.
    fn count(&mut self) {
        // What a remnant borrowed is given back, also when the crash came before its map said so.
        let borrowers = self.blobs.values().filter(|held| !held.entry.remnant);
        let maps: Vec<_> = borrowers.filter_map(|held| held.map.clone()).collect();
        for (lender, nth) in maps.iter().flat_map(|map| map.borrowed()) {
            if let Some(times) = self.blobs.get_mut(&lender).and_then(|held| held.lent.get_mut(nth)) {
                *times += 1;
            }
        }
    }

    /// Tells the policy of the heat that the last process left.
    fn warm(&self, policy: &mut Policy) {
        let mut warm: Vec<_> = self.blobs.iter().filter(|(_, held)| !held.entry.remnant).collect();
        // In the order of time, as it is for the policy, and the same at each start.
        warm.sort_by_key(|(digest, held)| (held.entry.used, **digest));
        for (digest, held) in warm {
            let asks = held.entry.heat.clamp(0.0, MOST_ASKS).round() as u32;
            policy.met(*digest, held.entry.len);
            (0..asks).for_each(|_| policy.asked(*digest, Moment::from_millis(held.entry.used)));
        }
    }
}

/// A heat that is higher is no use: it cools by half each hour.
const MOST_ASKS: f64 = 10_000.0;

/// Whether all that a map borrows is lent: the lender has a map, and the same chunk in its own file.
fn lent(map: &Map, known: &HashMap<Digest, (Entry, Option<Map>)>) -> bool {
    map.chunks.iter().all(|chunk| match chunk.home {
        Home::Here | Home::Gone => true,
        Home::In { lender, nth } => {
            let lender = known.get(&map.lenders[lender as usize]).and_then(|(_, map)| map.as_ref());
            let its = lender.and_then(|map| map.chunks.get(nth as usize));
            its.is_some_and(|its| its.home == Home::Here && its.hash == chunk.hash && its.len == chunk.len)
        }
    })
}

/// Whether a file has all of its bytes: no hole before its end.
fn is_plain(path: &Path) -> bool {
    let end = || -> io::Result<bool> {
        let file = File::open(path)?;
        let len = file.metadata()?.size();
        Ok(len == 0 || seek(&file, SeekFrom::Hole(0))? == len)
    };
    end().unwrap_or(false)
}
