//! How much a blob was asked for of late: a count that halves.

use crate::model::Moment;

/// After how long an ask counts half.
const HALF_LIFE_MILLIS: f64 = 3_600_000.0;

/// A count of asks, each of which halves every hour.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Heat {
    count: f64,
    at: Moment,
}

impl Heat {
    /// One more ask.
    pub(super) fn ask(&mut self, now: Moment) {
        self.count = self.at(now) + 1.0;
        self.at = self.at.max(now);
    }

    /// When the last ask was; `None` when there was none.
    pub(super) fn last(self) -> Option<Moment> {
        (self.count > 0.0).then_some(self.at)
    }

    /// What it has come to by `now`. A clock that jumped back cools nothing.
    pub(super) fn at(self, now: Moment) -> f64 {
        self.count * (-(now.since(self.at).0 as f64) / HALF_LIFE_MILLIS).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Seconds;

    #[test]
    fn an_ask_counts_half_after_an_hour_and_a_clock_that_jumps_back_cools_nothing() {
        let (began, mut heat) = (Moment::from_millis(10_000_000), Heat::default());
        heat.ask(began);
        heat.ask(began);
        assert_eq!(heat.at(began.plus(Seconds(3600))), 1.0);
        assert_eq!(heat.at(Moment::from_millis(5)), 2.0);
    }
}
