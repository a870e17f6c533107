//! What is kept of each device in memory: the latest so many, and of all devices together no more than so many bytes. The
//! oldest goes first, whoever it is of, and is counted.
//!
//! A device that is loud pushes out its own past. Many made-up devices push out that of others: what is kept here is to look
//! at, and decides nothing.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::model::MacAddr;

/// What one entry costs beside its bytes: itself, its place in two maps.
const OVERHEAD: usize = 256;

/// The latest of each device.
#[derive(Debug)]
pub(super) struct Rings<T> {
    rings: HashMap<MacAddr, VecDeque<(u64, usize, T)>>,
    /// All entries, the oldest first.
    order: BTreeMap<u64, MacAddr>,
    next: u64,
    bytes: usize,
    dropped: u64,
    each: usize,
    most: usize,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Entries.
    pub entries: usize,
    /// What they cost, in bytes.
    pub bytes: usize,
    /// How many are kept no longer.
    pub dropped: u64,
}

impl<T> Rings<T> {
    /// Keeps `each` entries of a device, and `most` bytes of all.
    pub(super) fn new(each: usize, most: usize) -> Self {
        Self { rings: HashMap::new(), order: BTreeMap::new(), next: 0, bytes: 0, dropped: 0, each, most }
    }

    /// Keeps an entry of so many bytes.
    pub(super) fn add(&mut self, of: MacAddr, bytes: usize, entry: T) {
        let cost = bytes + OVERHEAD;
        self.rings.entry(of).or_default().push_back((self.next, cost, entry));
        self.order.insert(self.next, of);
        self.next += 1;
        self.bytes += cost;
        if self.rings.get(&of).is_some_and(|ring| ring.len() > self.each) {
            self.drop_oldest(of);
        }
        while self.bytes > self.most {
            let Some(oldest) = self.order.values().next().copied() else { break };
            self.drop_oldest(oldest);
        }
    }

    fn drop_oldest(&mut self, of: MacAddr) {
        let Some(ring) = self.rings.get_mut(&of) else { return };
        if let Some((number, cost, _)) = ring.pop_front() {
            self.order.remove(&number);
            self.bytes -= cost;
            self.dropped += 1;
        }
        if ring.is_empty() {
            self.rings.remove(&of);
        }
    }

    /// What is kept of a device, the oldest first.
    pub(super) fn of(&self, device: MacAddr) -> impl Iterator<Item = &T> {
        self.rings.get(&device).into_iter().flatten().map(|(_, _, entry)| entry)
    }

    /// How much is kept.
    pub(super) fn kept(&self) -> Kept {
        Kept { entries: self.order.len(), bytes: self.bytes, dropped: self.dropped }
    }
}
