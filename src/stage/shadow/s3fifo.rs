//! S3-FIFO (Yang et al., SOSP 2023) by bytes: a small queue that most blobs leave after one ask, a main queue, and a list of
//! the names that left the small one.
//!
//! ```text
//!   new ──> small (10 %) ──asked twice or more──> main ──asked since? once more around : gone
//!              └── else gone, its name kept ──asked again──> main
//! ```

use std::collections::VecDeque;

use super::{Asked, Shadow, Slots};

/// How many asks are counted.
const MOST: u8 = 3;
/// So many asks since it came bring a blob from the small queue to the main one.
const PROVEN: u8 = 2;

/// Small, main and ghost queue.
#[derive(Debug, Clone)]
pub struct S3Fifo {
    room: u64,
    small: Queue,
    main: Queue,
    ghost: Queue,
    slots: Slots<Slot>,
    tick: u32,
}

#[derive(Debug, Clone, Default)]
struct Queue {
    room: u64,
    held: u64,
    /// Numbers, and when each came: one that came again is not the one that stands here.
    order: VecDeque<(u32, u32)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Nowhere,
    Small,
    Main,
    Ghost,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    place: Place,
    asks: u8,
    len: u64,
    came: u32,
}

impl S3Fifo {
    /// An empty one of `room` bytes.
    pub fn new(room: u64) -> Self {
        let queue = |room| Queue { room, ..Queue::default() };
        let small = room / 10;
        let (small, main) = (queue(small), queue(room - small));
        Self { room, ghost: queue(main.room), small, main, slots: Slots::default(), tick: 0 }
    }

    fn queue(&mut self, place: Place) -> &mut Queue {
        match place {
            Place::Small => &mut self.small,
            Place::Main => &mut self.main,
            Place::Ghost | Place::Nowhere => &mut self.ghost,
        }
    }

    fn put(&mut self, place: Place, id: u32, asks: u8, len: u64) {
        self.tick = self.tick.wrapping_add(1);
        let came = self.tick;
        self.slots.set(id, Slot { place, asks, len, came });
        let queue = self.queue(place);
        queue.order.push_back((id, came));
        queue.held += len;
    }

    /// The first of a queue, taken out of it.
    fn pop(&mut self, place: Place) -> Option<(u32, Slot)> {
        loop {
            let (id, came) = self.queue(place).order.pop_front()?;
            let slot = self.slots.get(id);
            if slot.place == place && slot.came == came {
                self.queue(place).held -= slot.len;
                self.slots.set(id, Slot::default());
                return Some((id, slot));
            }
        }
    }

    fn evict(&mut self) {
        let small = self.small.held > self.small.room || self.main.held == 0;
        if small {
            let Some((id, slot)) = self.pop(Place::Small) else { return };
            if slot.asks >= PROVEN {
                self.put(Place::Main, id, 0, slot.len);
                return;
            }
            self.put(Place::Ghost, id, 0, slot.len);
            while self.ghost.held > self.ghost.room && self.pop(Place::Ghost).is_some() {}
            return;
        }
        while let Some((id, slot)) = self.pop(Place::Main) {
            if slot.asks == 0 {
                return;
            }
            self.put(Place::Main, id, slot.asks - 1, slot.len);
        }
    }
}

impl Shadow for S3Fifo {
    fn ask(&mut self, Asked { id, len, .. }: Asked) -> bool {
        let mut slot = self.slots.get(id);
        if matches!(slot.place, Place::Small | Place::Main) {
            slot.asks = (slot.asks + 1).min(MOST);
            self.slots.set(id, slot);
            return true;
        }
        self.forget(id);
        if len > self.room {
            return false;
        }
        while self.small.held + self.main.held + len > self.room {
            self.evict();
        }
        let place = if slot.place == Place::Ghost { Place::Main } else { Place::Small };
        self.put(place, id, 0, len);
        false
    }

    fn holds(&self, id: u32) -> bool {
        matches!(self.slots.get(id).place, Place::Small | Place::Main)
    }

    fn forget(&mut self, id: u32) {
        let slot = self.slots.get(id);
        if slot.place != Place::Nowhere {
            self.queue(slot.place).held -= slot.len;
            self.slots.set(id, Slot::default());
        }
    }
}
