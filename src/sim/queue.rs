//! Virtual time: what will happen, the earliest first, and what comes at the same moment in the order in which it was said.

use std::{cmp::Reverse, collections::BinaryHeap};

/// One thing that will happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// What the organisation says of a device changes: the place in the plan's list.
    Change(u32),
    /// An image has a new version: the place in the plan's list.
    Release(u32),
    /// Somebody switches a device on: the place in the plan's list.
    Want(u32),
    /// It is a device's turn. The number tells whether it was started again meanwhile.
    Turn(u32, u32),
    /// A packet that was duplicated on its way comes again.
    Late(u32),
    /// A transfer ends on a link, if nothing has changed on it since.
    Moved(Link, u64),
    /// The keeper looks after the cache.
    Look,
    /// Attempts that went silent are given up.
    Tick,
    /// The forecast is made anew.
    Forecast,
    /// The model is trained anew.
    Train,
    /// The daemon is killed.
    Kill,
    /// It is back.
    Back,
    /// A day is over.
    Midnight,
}

/// What transfers go over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Link {
    /// To the origin.
    Origin,
    /// From the disk tier, to the devices.
    Disk,
    /// From RAM, to the devices.
    Lan,
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<(u64, u64, Event)>>,
    said: u64,
}

impl Queue {
    /// `event` will happen at `at`, in milliseconds.
    pub(super) fn at(&mut self, at: u64, event: Event) {
        self.said += 1;
        self.heap.push(Reverse((at, self.said, event)));
    }

    /// What happens next, and when.
    pub(super) fn next(&mut self) -> Option<(u64, Event)> {
        self.heap.pop().map(|Reverse((at, _, event))| (at, event))
    }
}
