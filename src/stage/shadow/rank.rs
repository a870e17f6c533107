//! Our own: asks that count half after a while, by length, and no eviction for what is worth less than all that would go.
//!
//! What is forecast counts before all that was, when somebody tells it.
//!
//! With one half-life, all counts halve together: the order among blobs changes only by asks. So a blob's rank is a number
//! that stands still, the logarithm of its count plus the time of its last ask in half-lives.

use std::collections::BTreeSet;

use super::{Asked, Shadow, Slots};

/// What a [`Rank`] goes by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taste {
    /// After how many milliseconds an ask counts half.
    pub half_life: f64,
    /// The power of the length that a count is divided by: 1 makes hits many, 0 makes the bytes of hits many.
    pub size: f64,
    /// How much more a newcomer must be worth than all that goes for it.
    pub margin: f64,
}

impl Slot {
    /// What is forecast per byte: never negative, so that the bits sort as it does.
    fn foreseen(&self) -> u64 {
        (self.expected / self.len.max(1) as f64).to_bits()
    }
}

/// Ranked by decayed count and length.
#[derive(Debug, Clone)]
pub struct Rank {
    room: u64,
    held: u64,
    taste: Taste,
    /// Of everything that was ever asked for and not forgotten: also of what is not held.
    slots: Slots<Slot>,
    /// By what is forecast per byte, then by rank.
    order: BTreeSet<(u64, u64, u32)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// The logarithm of the count, as of the beginning of time; nothing was asked when it is 0 bits.
    heat: f64,
    len: u64,
    /// The place in the order; 0 when it is not held.
    rank: u64,
    /// Asks that are forecast.
    expected: f64,
    asked: bool,
}

impl Rank {
    /// An empty one of `room` bytes.
    pub fn new(room: u64, taste: Taste) -> Self {
        Self { room, held: 0, taste, slots: Slots::default(), order: BTreeSet::new() }
    }

    fn rank(&self, heat: f64, len: u64) -> u64 {
        sortable(heat - self.taste.size * (len.max(1) as f64).log2())
    }

    /// What a hit is worth beside others: its count, and by how much of its length.
    fn worth(&self, slot: &Slot, now: f64) -> f64 {
        (slot.heat - now + (1.0 - self.taste.size) * (slot.len.max(1) as f64).log2()).exp2()
    }

    fn drop(&mut self, id: u32) {
        let mut slot = self.slots.get(id);
        if slot.rank > 0 {
            self.order.remove(&(slot.foreseen(), slot.rank, id));
            self.held -= slot.len;
            slot.rank = 0;
            self.slots.set(id, slot);
        }
    }
}

/// The bits of a number, so that they sort as it does, and are never 0.
fn sortable(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

impl Shadow for Rank {
    fn ask(&mut self, Asked { id, len, millis }: Asked) -> bool {
        let now = millis as f64 / self.taste.half_life;
        let before = self.slots.get(id);
        let held = before.rank > 0;
        self.drop(id);
        let heat = match before.asked {
            true => now + (1.0 + (before.heat - now).exp2()).log2(),
            false => now,
        };
        let mut slot = Slot { heat, len, rank: 0, asked: true, ..before };
        self.slots.set(id, slot);
        if len > self.room {
            return false;
        }
        let (mut leaving, mut freed, mut lost, mut foregone) = (vec![], 0, 0.0, 0.0);
        if !held {
            let limit = self.worth(&slot, now) / (1.0 + self.taste.margin);
            for (_, _, other) in &self.order {
                if self.held - freed + len <= self.room {
                    break;
                }
                let going = self.slots.get(*other);
                freed += going.len;
                foregone += going.expected;
                lost += self.worth(&going, now);
                if foregone > slot.expected || (foregone == slot.expected && lost > limit) {
                    return false;
                }
                leaving.push(*other);
            }
        }
        leaving.into_iter().for_each(|other| self.drop(other));
        slot.rank = self.rank(heat, len);
        self.order.insert((slot.foreseen(), slot.rank, id));
        self.held += len;
        self.slots.set(id, slot);
        held
    }

    fn holds(&self, id: u32) -> bool {
        self.slots.get(id).rank > 0
    }

    fn expect(&mut self, id: u32, asks: f64) {
        let mut slot = self.slots.get(id);
        if slot.expected == asks || (!slot.asked && asks == 0.0) {
            return;
        }
        let before = (slot.foreseen(), slot.rank, id);
        slot.expected = if asks > 0.0 { asks } else { 0.0 };
        if slot.rank > 0 && self.order.remove(&before) {
            self.order.insert((slot.foreseen(), slot.rank, id));
        }
        self.slots.set(id, slot);
    }

    fn forget(&mut self, id: u32) {
        self.drop(id);
        self.slots.set(id, Slot::default());
    }
}
