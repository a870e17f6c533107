//! How fast an origin gives its bytes. Only the time that was spent waiting for it counts: a slow disk or a slow device is
//! no fault of the origin's.

use std::time::Duration;

use super::patience::{DRIP, WALK};

/// What was waited and what came, since the last verdict.
#[derive(Debug, Default)]
pub(in crate::images) struct Pace {
    waited: Duration,
    bytes: u64,
}

/// What is to be thought of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::images) enum Rate {
    /// It will do.
    Fine,
    /// Any other origin would be better; without one it is better than nothing.
    Slow,
    /// It would never end.
    Hopeless,
}

impl Pace {
    /// Hears of bytes and how long they were waited for. A verdict needs a whole `span` of waiting.
    pub(in crate::images) fn heard(&mut self, waited: Duration, bytes: usize, span: Duration) -> Rate {
        self.waited += waited;
        self.bytes += bytes as u64;
        if self.waited < span {
            return Rate::Fine;
        }
        let rate = self.bytes as f64 / self.waited.as_secs_f64();
        *self = Self::default();
        match rate {
            rate if rate < DRIP as f64 => Rate::Hopeless,
            rate if rate < WALK as f64 => Rate::Slow,
            _ => Rate::Fine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_judged_once_a_span() {
        let second = Duration::from_secs(1);
        let over = |bytes: usize| {
            let mut pace = Pace::default();
            let early = (0..19).map(|_| pace.heard(second, bytes, 20 * second)).all(|rate| rate == Rate::Fine);
            assert!(early, "not before the span is over");
            pace.heard(second, bytes, 20 * second)
        };
        assert_eq!([over(1), over(20 << 10), over(1 << 20)], [Rate::Hopeless, Rate::Slow, Rate::Fine]);
        let mut busy = Pace::default();
        assert_eq!(busy.heard(Duration::ZERO, 1, 20 * second), Rate::Fine, "nobody waited");
    }
}
