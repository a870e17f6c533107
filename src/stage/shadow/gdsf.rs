//! GDSF (Cherkasova 1998): greedy dual, by size and frequency. Each blob's rank is its count of asks over its length, plus
//! the rank that the last one had that was evicted: so what was hot once grows old.

use std::collections::BTreeSet;

use super::{Asked, Shadow, Slots};

/// Greedy dual, size, frequency.
#[derive(Debug, Clone)]
pub struct Gdsf {
    room: u64,
    held: u64,
    /// The rank of the last that was evicted.
    age: f64,
    slots: Slots<Slot>,
    /// Ranks are never negative, so that their bits sort as they do.
    order: BTreeSet<(u64, u32)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    count: u64,
    rank: u64,
    len: u64,
}

impl Gdsf {
    /// An empty one of `room` bytes.
    pub fn new(room: u64) -> Self {
        Self { room, held: 0, age: 0.0, slots: Slots::default(), order: BTreeSet::new() }
    }
}

impl Shadow for Gdsf {
    fn ask(&mut self, Asked { id, len, .. }: Asked) -> bool {
        let before = self.slots.get(id);
        self.forget(id);
        if len > self.room {
            return false;
        }
        while self.held + len > self.room {
            let Some((rank, least)) = self.order.first().copied() else { break };
            self.age = f64::from_bits(rank);
            self.forget(least);
        }
        let count = before.count + 1;
        let rank = (self.age + count as f64 / len.max(1) as f64).to_bits();
        self.order.insert((rank, id));
        self.slots.set(id, Slot { count, rank, len });
        self.held += len;
        before.count > 0
    }

    fn holds(&self, id: u32) -> bool {
        self.slots.get(id).count > 0
    }

    fn forget(&mut self, id: u32) {
        let slot = self.slots.get(id);
        if slot.count > 0 {
            self.order.remove(&(slot.rank, id));
            self.held -= slot.len;
            self.slots.set(id, Slot::default());
        }
    }
}
