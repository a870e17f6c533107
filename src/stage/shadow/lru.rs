//! LRU by bytes: who was not asked for the longest goes.

use std::collections::BTreeMap;

use super::{Asked, Shadow, Slots};

/// Least recently used.
#[derive(Debug, Clone)]
pub struct Lru {
    room: u64,
    held: u64,
    tick: u64,
    /// When each was last asked for, and its length; 0 when it is not here.
    slots: Slots<(u64, u64)>,
    order: BTreeMap<u64, u32>,
}

impl Lru {
    /// An empty one of `room` bytes.
    pub fn new(room: u64) -> Self {
        Self { room, held: 0, tick: 0, slots: Slots::default(), order: BTreeMap::new() }
    }
}

impl Shadow for Lru {
    fn ask(&mut self, Asked { id, len, .. }: Asked) -> bool {
        let held = self.holds(id);
        self.forget(id);
        if len > self.room {
            return false;
        }
        while self.held + len > self.room {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            self.forget(oldest);
        }
        self.tick += 1;
        self.order.insert(self.tick, id);
        self.slots.set(id, (self.tick, len));
        self.held += len;
        held
    }

    fn holds(&self, id: u32) -> bool {
        self.slots.get(id).0 > 0
    }

    fn forget(&mut self, id: u32) {
        let (tick, len) = self.slots.get(id);
        if tick > 0 {
            self.order.remove(&tick);
            self.held -= len;
            self.slots.set(id, (0, 0));
        }
    }
}
