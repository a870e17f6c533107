//! How long is waited for an origin, and how long between two tries. One number says it; all others follow from it.
//!
//! | with 60 s | what |
//! |---|---|
//! | 5 s | to be reached |
//! | 10 s | from the question to the first word of an answer |
//! | 20 s | of silence in the middle; and the span over which a rate is measured |
//! | 0.5 s, 1 s | between rounds, give or take a half |
//! | 15 s, 30 s, ... 5 min | that a server which failed three times in a row is left alone |
//! | 12 s, give or take one | the same, by who has nobody else to ask |
//! | 60 s | in all, without a megabyte of progress: then the blob is refused |
//!
//! So nobody waits for ever: a blob is refused a minute after its last progress, or comes at `DRIP` at least.

use std::time::Duration;

use crate::model::{Backoff, Millis};

/// Bytes a second below which another origin is tried, when there is one that is not as slow.
pub(in crate::images) const WALK: u64 = 64 << 10;
/// Bytes a second below which no origin is read any further: not even a kernel would ever be whole.
pub(in crate::images) const DRIP: u64 = 4 << 10;

/// What is waited for a blob without progress, and what follows from it.
#[derive(Debug, Clone, Copy)]
pub(in crate::images) struct Patience(pub(in crate::images) Duration);

impl Patience {
    /// Without progress, in all.
    pub(in crate::images) fn whole(self) -> Duration {
        self.0
    }

    /// To reach a server.
    pub(in crate::images) fn connect(self) -> Duration {
        self.0 / 12
    }

    /// From the question to the first word of the answer. No pause between tries is longer, either.
    pub(in crate::images) fn answer(self) -> Duration {
        self.0 / 6
    }

    /// Of silence in the middle; the span of a rate as well.
    pub(in crate::images) fn silence(self) -> Duration {
        self.0 / 3
    }

    /// The pause after this many rounds in vain: it doubles, and `dice` spreads it from a half to one and a half, so that
    /// servers which failed together do not come back together.
    pub(in crate::images) fn pause(self, rounds: u32, dice: u64) -> Duration {
        let first = self.0 / 120;
        paused(Backoff { first: millis(first), longest: millis(first * 64) }.pause(rounds, dice))
    }

    /// How long a server is left alone after `failures` beyond the first three.
    pub(in crate::images) fn rest(self, failures: u32, dice: u64) -> Duration {
        let backoff = Backoff { first: millis(self.0 / 4), longest: millis(self.longest_rest()) };
        paused(backoff.pause(failures.saturating_add(1), dice))
    }

    /// How long it is left alone at most by who has nobody else to ask. A device tries again 10 s after it was refused: by
    /// then it waits for less than `answer`, so each of its tries asks the server in truth. Longer than that,
    /// though, so that who has just failed is refused at once.
    pub(in crate::images) fn short_rest(self, dice: u64) -> Duration {
        self.answer() + paused(Backoff::spread(millis(self.answer() / 4), dice))
    }

    /// How long a server is left alone at most, also when it asks for more.
    pub(in crate::images) fn longest_rest(self) -> Duration {
        self.0 * 5
    }
}

fn millis(span: Duration) -> Millis {
    Millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

fn paused(pause: Millis) -> Duration {
    Duration::from_millis(pause.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_are_spread_and_end() {
        let patience = Patience(Duration::from_secs(60));
        let millis = |pause: Duration| pause.as_millis();
        assert_eq!((millis(patience.pause(1, 512)), millis(patience.pause(2, 512))), (500, 1000));
        assert_eq!((millis(patience.pause(1, 0)), millis(patience.pause(1, 1024))), (250, 250));
        assert!(millis(patience.pause(1, 1023)) < 750 && patience.pause(999, 0) <= patience.whole());
        assert_eq!((millis(patience.rest(0, 512)), millis(patience.rest(1, 512))), (15_000, 30_000));
        assert_eq!(millis(patience.rest(u32::MAX, 512)), 300_000);
        assert!(patience.short_rest(0) > patience.answer() && patience.short_rest(1023) < patience.answer() * 3 / 2);
    }
}
