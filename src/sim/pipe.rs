//! A link or a disk that several transfers share: each gets the same part of it, and none more than its own end takes.
//!
//! Every transfer under way gets the same number of bytes in the same time. So one counter tells how far all of them are, and
//! a transfer ends when the counter has come to where it stood at its beginning, and the length: adding, ending and asking who
//! is next take no walk over the others.

use std::collections::BTreeSet;

/// What a transfer is called by whoever began it.
pub(super) type Token = u64;

/// The link.
#[derive(Debug)]
pub(super) struct Pipe {
    /// Bytes per millisecond, for all together.
    capacity: f64,
    /// Bytes per millisecond that one transfer takes at most.
    each: f64,
    /// Bytes that each of those under way would have got, had it been here from the beginning.
    moved: f64,
    /// The moment up to which `moved` is counted, in milliseconds.
    at: u64,
    /// Where the counter stands when each ends (the bits of a positive number are in its order), and whose it is.
    ends: BTreeSet<(u64, Token)>,
    /// Counts changes: what was said of the next end before the last one does not hold.
    pub(super) version: u64,
}

impl Pipe {
    /// A link of so many bytes per second; one transfer takes no more than `each` of them.
    pub(super) fn new(capacity: u64, each: u64) -> Self {
        let [capacity, each] = [capacity, each].map(|rate| rate.max(1) as f64 / 1000.0);
        Self { capacity, each, moved: 0.0, at: 0, ends: BTreeSet::new(), version: 0 }
    }

    /// Begins a transfer of `len` bytes.
    pub(super) fn begin(&mut self, len: u64, token: Token, now: u64) {
        self.pass(now);
        self.ends.insert(((self.moved + len as f64).to_bits(), token));
        self.version += 1;
    }

    /// When the next transfer ends, if nothing changes.
    pub(super) fn next(&self) -> Option<u64> {
        let (end, _) = self.ends.first()?;
        let left = (f64::from_bits(*end) - self.moved).max(0.0);
        Some(self.at + (left / self.rate()).ceil() as u64)
    }

    /// The transfers that have ended by `now`.
    pub(super) fn ended(&mut self, now: u64) -> Vec<Token> {
        self.pass(now);
        let mut ended = vec![];
        // A byte more or less is the rounding of the counter.
        while let Some(&(end, token)) = self.ends.first().filter(|(end, _)| f64::from_bits(*end) <= self.moved + 1.0) {
            self.ends.remove(&(end, token));
            ended.push(token);
        }
        if self.ends.is_empty() {
            self.moved = 0.0;
        }
        self.version += 1;
        ended
    }

    /// Everything under way is cut off.
    pub(super) fn break_off(&mut self, now: u64) {
        self.pass(now);
        self.ends.clear();
        self.moved = 0.0;
        self.version += 1;
    }

    fn rate(&self) -> f64 {
        self.each.min(self.capacity / self.ends.len().max(1) as f64)
    }

    fn pass(&mut self, now: u64) {
        self.moved += now.saturating_sub(self.at) as f64 * if self.ends.is_empty() { 0.0 } else { self.rate() };
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfers_share_a_link_and_none_gets_more_than_its_own_end_takes() {
        let mut pipe = Pipe::new(1_000_000, 600_000);
        pipe.begin(600_000, 1, 0);
        assert_eq!(pipe.next(), Some(1000), "alone, it is as fast as its own end");
        pipe.begin(500_000, 2, 500);
        assert_eq!(pipe.next(), Some(1100), "300 kB are left of the first one, at half the link");
        assert_eq!(pipe.ended(1100), [1]);
        assert_eq!(pipe.next(), Some(1434), "the second one has 200 kB left, and its own end is the limit again");
        assert_eq!(pipe.ended(1434), [2]);
        assert_eq!((pipe.next(), pipe.ended(9000)), (None, vec![]));
    }
}
