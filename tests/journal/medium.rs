//! A disk in memory that dies at a chosen operation, and forgets what was never synced.

use std::{
    io,
    sync::{Arc, Mutex},
};

use greenroom::journal::StorageBackend;

/// What disks write whole or not at all.
const SECTOR: usize = 512;

/// The disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Medium(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What a power cut leaves.
    synced: Vec<u8>,
    /// What readers see, and what `kill -9` leaves: the page cache.
    cached: Vec<u8>,
    /// What happened since the last sync.
    pending: Vec<Change>,
    /// How many operations succeed yet; all of them when not set.
    left: Option<u64>,
}

#[derive(Debug, Clone)]
enum Change {
    Resize(usize),
    Write(usize, Vec<u8>),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Resize(len) => bytes.resize(*len, 0),
            Self::Write(at, written) => {
                let end = at + written.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*at..end].copy_from_slice(written);
            }
        }
    }
}

impl State {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.cached);
        self.pending.push(change);
    }

    fn spend(&mut self) -> io::Result<()> {
        match &mut self.left {
            Some(0) => Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Medium {
    /// From now on, this many operations that change something succeed, and none after them. A write that fails gets half
    /// of its bytes down.
    pub(crate) fn fails_after(&self, operations: u64) {
        self.0.lock().unwrap().left = Some(operations);
    }

    /// A sound disk with what the system still had in memory: what the next process reads after `kill -9`.
    pub(crate) fn after_kill(&self) -> Self {
        Self::holding(self.0.lock().unwrap().cached.clone())
    }

    /// A sound disk with what was synced, and of the rest whatever `chance` says: each later write is there, or not, or
    /// half, in any order.
    pub(crate) fn after_power_cut(&self, mut chance: u64) -> Self {
        let state = self.0.lock().unwrap();
        let mut bytes = state.synced.clone();
        for change in &state.pending {
            // An LCG's upper bits are all the chance that is needed here.
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match (chance >> 62, change) {
                (0 | 1, change) => change.apply(&mut bytes),
                (2, Change::Write(at, written)) => {
                    let torn = written.len() / 2 / SECTOR * SECTOR;
                    Change::Write(*at, written[..torn].to_vec()).apply(&mut bytes);
                }
                _ => {}
            }
        }
        Self::holding(bytes)
    }

    fn holding(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State { synced: bytes.clone(), cached: bytes, ..State::default() })))
    }
}

impl StorageBackend for Medium {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.0.lock().unwrap();
        let at = usize::try_from(offset).unwrap();
        let bytes = state.cached.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.spend()?;
        state.change(Change::Resize(usize::try_from(len).unwrap()));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.spend()?;
        state.synced = state.cached.clone();
        state.pending.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let at = usize::try_from(offset).unwrap();
        if let Err(full) = state.spend() {
            state.change(Change::Write(at, data[..data.len() / 2].to_vec()));
            return Err(full);
        }
        state.change(Change::Write(at, data.to_vec()));
        Ok(())
    }
}
