//! Our own, on three time scales at once: counts of asks that halve in ten minutes, two hours and two days, each as asks per
//! hour, by length. What was asked for just now counts much and soon less; what is asked for each day outlives the night.
//!
//! The order changes as time goes by, so the victims are looked for anew each time, among 256 blobs, whose turn goes
//! round: among all, in a cache of images.

use super::{Asked, Shadow, Slots};

/// At most so many are compared for a victim.
const LOOK: usize = 256;
/// The half-lives, in milliseconds.
const HALF_LIVES: [f64; 3] = [600_000.0, 7_200_000.0, 172_800_000.0];

/// Ranked by asks per hour, on three time scales, and length.
#[derive(Debug, Clone)]
pub struct Blend {
    room: u64,
    held: u64,
    slots: Slots<Slot>,
    here: Vec<u32>,
    turn: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    counts: [f64; 3],
    millis: u64,
    len: u64,
    /// Its place in `here`, plus 1; 0 when it is not here.
    place: usize,
}

impl Slot {
    fn faded(&self, millis: u64) -> [f64; 3] {
        let gone = millis.saturating_sub(self.millis) as f64;
        let mut counts = self.counts;
        counts.iter_mut().zip(HALF_LIVES).for_each(|(count, half_life)| *count *= (-gone / half_life).exp2());
        counts
    }

    /// Asks per hour that may be expected, but for a factor that all have.
    fn rate(&self, millis: u64) -> f64 {
        self.faded(millis).iter().zip(HALF_LIVES).map(|(count, half_life)| count * 3_600_000.0 / half_life).sum()
    }
}

impl Blend {
    /// An empty one of `room` bytes.
    pub fn new(room: u64) -> Self {
        Self { room, held: 0, slots: Slots::default(), here: vec![], turn: 0 }
    }

    fn drop(&mut self, id: u32) {
        let mut slot = self.slots.get(id);
        if slot.place == 0 {
            return;
        }
        self.held -= slot.len;
        self.here.swap_remove(slot.place - 1);
        if let Some(moved) = self.here.get(slot.place - 1).copied() {
            let mut other = self.slots.get(moved);
            other.place = slot.place;
            self.slots.set(moved, other);
        }
        slot.place = 0;
        self.slots.set(id, slot);
    }

    /// Makes room for a blob, unless what would go is asked for more.
    fn make_room(&mut self, len: u64, rate: f64, millis: u64) -> bool {
        let count = self.here.len().min(LOOK);
        let turn = (0..count).filter_map(|n| self.here.get((self.turn + n) % self.here.len()));
        let mut looked: Vec<(f64, f64, u64, u32)> = turn
            .map(|id| {
                let slot = self.slots.get(*id);
                let rate = slot.rate(millis);
                (rate / slot.len.max(1) as f64, rate, slot.len, *id)
            })
            .collect();
        looked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.3.cmp(&b.3)));
        self.turn = (self.turn + count) % self.here.len().max(1);
        let (mut freed, mut lost, mut leaving) = (0, 0.0, vec![]);
        for (_, rate_of, len_of, id) in looked {
            if self.held - freed + len <= self.room {
                break;
            }
            freed += len_of;
            lost += rate_of;
            leaving.push(id);
        }
        if lost > rate || self.held - freed + len > self.room {
            return false;
        }
        leaving.into_iter().for_each(|id| self.drop(id));
        true
    }
}

impl Shadow for Blend {
    fn ask(&mut self, Asked { id, len, millis }: Asked) -> bool {
        let mut slot = self.slots.get(id);
        slot.counts = slot.faded(millis).map(|count| count + 1.0);
        slot.millis = millis;
        if slot.place > 0 {
            self.slots.set(id, slot);
            return true;
        }
        slot.len = len;
        self.slots.set(id, slot);
        let fits = self.held + len <= self.room;
        if len > self.room || !(fits || self.make_room(len, slot.rate(millis), millis)) {
            return false;
        }
        self.here.push(id);
        slot.place = self.here.len();
        self.held += len;
        self.slots.set(id, slot);
        false
    }

    fn holds(&self, id: u32) -> bool {
        self.slots.get(id).place > 0
    }

    fn forget(&mut self, id: u32) {
        self.drop(id);
        self.slots.set(id, Slot::default());
    }
}
