//! What waits to be told: a line for each device, of which only the first may be on its way.
//!
//! It holds numbers of facts, and not many: when it is full, the rest waits in the journal. A device that keeps failing is
//! not let fill it: the oldest of a line that is too long is given up.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use crate::model::{DeviceId, Moment};

use super::place::Waiting;

/// How many events wait here at the most.
pub(super) const ROOM: usize = 1024;
/// How many of one device: more than it has in a week, unless it goes round in circles.
pub(super) const LONGEST_LINE: usize = 64;

/// An event in its line.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// What is remembered of it.
    pub(super) waiting: Waiting,
    /// When it is tried next.
    due: Instant,
    /// Since when it has been waiting, by a clock that does not jump.
    born: Instant,
}

/// The lines.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lines: BTreeMap<DeviceId, Line>,
    len: usize,
}

#[derive(Debug, Default)]
struct Line {
    entries: VecDeque<Entry>,
    /// Whether its first is on its way.
    flying: bool,
}

impl Queue {
    /// What was remembered. Everything is tried at once; its age is told by the other clock, as this one began anew.
    pub(super) fn of(waiting: &[Waiting], now: Instant, today: Moment) -> Self {
        let mut queue = Self::default();
        for waiting in waiting {
            let age = Duration::from_millis(today.since(waiting.since).0);
            let born = now.checked_sub(age).unwrap_or(now);
            queue.put(Entry { waiting: waiting.clone(), due: now, born });
        }
        queue
    }

    fn put(&mut self, entry: Entry) {
        self.lines.entry(entry.waiting.device).or_default().entries.push_back(entry);
        self.len += 1;
    }

    /// Puts an event last in its line. Returns the one that had to go for it, if any.
    pub(super) fn push(&mut self, seq: u64, device: DeviceId, now: Instant, today: Moment) -> Option<Waiting> {
        let waiting = Waiting { seq, device, since: today, tries: 0, failed: None };
        self.put(Entry { waiting, due: now, born: now });
        let line = self.lines.get_mut(&device)?;
        // The one on its way is not taken back.
        let oldest = usize::from(line.flying);
        let gone = (line.entries.len() > LONGEST_LINE).then(|| line.entries.remove(oldest)).flatten()?;
        self.len -= 1;
        Some(gone.waiting)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn has_room(&self) -> bool {
        self.len < ROOM
    }

    /// Takes the first that is due, the one that has waited longest for its turn; it is on its way from now on.
    pub(super) fn take_off(&mut self, now: Instant) -> Option<Waiting> {
        let ready = self.lines.iter().filter(|(_, line)| !line.flying).filter_map(|(device, line)| {
            let first = line.entries.front().filter(|first| first.due <= now)?;
            Some(((first.due, first.waiting.seq), *device))
        });
        let (_, device) = ready.min()?;
        let line = self.lines.get_mut(&device)?;
        line.flying = true;
        line.entries.front().map(|first| first.waiting.clone())
    }

    /// When the next of those that are not on their way is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.lines.values().filter(|line| !line.flying).filter_map(|line| Some(line.entries.front()?.due)).min()
    }

    /// The event that was on its way is told, or given up: the line goes on.
    pub(super) fn settle(&mut self, device: DeviceId) {
        let Some(line) = self.lines.get_mut(&device) else { return };
        line.flying = false;
        let entry = line.entries.pop_front();
        self.len -= usize::from(entry.is_some());
        if line.entries.is_empty() {
            self.lines.remove(&device);
        }
    }

    /// The event that was on its way did not arrive: it is tried again after what `pause` makes of the number of tries.
    /// Returns it, and how old it is.
    pub(super) fn put_back(
        &mut self,
        device: DeviceId,
        now: Instant,
        today: Moment,
        pause: impl FnOnce(u32) -> Duration,
    ) -> Option<(Waiting, Duration)> {
        let line = self.lines.get_mut(&device)?;
        line.flying = false;
        let first = line.entries.front_mut()?;
        first.waiting.tries = first.waiting.tries.saturating_add(1);
        first.waiting.failed.get_or_insert(today);
        first.due = now + pause(first.waiting.tries);
        Some((first.waiting.clone(), now.saturating_duration_since(first.born)))
    }

    /// Everything that waits, in the order of the journal.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let mut all: Vec<Waiting> =
            self.lines.values().flat_map(|line| line.entries.iter().map(|entry| entry.waiting.clone())).collect();
        all.sort_by_key(|waiting| waiting.seq);
        all
    }

    /// Of what was tried in vain: since when, and how often the most unlucky one.
    pub(super) fn failing(&self) -> Option<(Moment, u32)> {
        let first = |line: &Line| line.entries.front().map(|entry| (entry.waiting.failed, entry.waiting.tries));
        let failed = self.lines.values().filter_map(first).filter_map(|(failed, tries)| Some((failed?, tries)));
        failed.reduce(|(since, most), (failed, tries)| (since.min(failed), most.max(tries)))
    }
}
