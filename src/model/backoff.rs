//! How long is waited between tries of what fails: each pause twice the one before, up to a limit, and no two senders in step.

use super::Millis;

/// Pauses that double.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure.
    pub first: Millis,
    /// At most.
    pub longest: Millis,
}

impl Backoff {
    /// The pause after this many failures in a row, the first being 1. `dice` spreads it.
    pub fn pause(self, failures: u32, dice: u64) -> Millis {
        let doubled = self.first.0.saturating_mul(1 << failures.saturating_sub(1).min(32));
        Self::spread(Millis(doubled.min(self.longest.0)), dice)
    }

    /// From a half to one and a half of `pause`: who failed together does not come back together.
    pub fn spread(pause: Millis, dice: u64) -> Millis {
        Millis((pause.0 / 2).saturating_add(pause.0.saturating_mul(dice % 1024) / 1024))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_are_spread_and_end() {
        let backoff = Backoff { first: Millis(1000), longest: Millis(3_600_000) };
        let pauses: Vec<u64> = [1, 2, 3, 12, 13, u32::MAX].map(|failures| backoff.pause(failures, 512).0).into();
        assert_eq!(pauses, [1000, 2000, 4000, 2_048_000, 3_600_000, 3_600_000]);
        assert_eq!((backoff.pause(1, 0), backoff.pause(1, 1024)), (Millis(500), Millis(500)));
        assert!(backoff.pause(1, 1023) < Millis(1500));
    }
}
