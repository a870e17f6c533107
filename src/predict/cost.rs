//! When a prediction is worth acting on: what it costs to be wrong, against what it gives to be right.

use serde::{Deserialize, Serialize};

/// What acting on a prediction gives and costs, in any one unit (seconds, MiB, money).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// What is won when it is right.
    pub gain: f64,
    /// What is lost when it is wrong.
    pub wrong: f64,
}

impl Default for Costs {
    /// Being wrong costs four times what being right gives: act from 0.8 on.
    fn default() -> Self {
        Self { gain: 1.0, wrong: 4.0 }
    }
}

impl Costs {
    /// The probability from which acting pays: below it, abstain.
    ///
    /// Acting gives `p · gain − (1 − p) · wrong`, which is not negative from `wrong / (wrong + gain)` on. Costs that are not
    /// numbers, or less than nothing, never pay.
    pub fn threshold(&self) -> f64 {
        let valid = self.gain.is_finite() && self.wrong.is_finite() && self.gain > 0.0 && self.wrong >= 0.0;
        if valid { self.wrong / (self.wrong + self.gain) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acting_begins_where_it_gives_as_much_as_it_costs() {
        assert!((Costs::default().threshold() - 0.8).abs() < 1e-12);
        assert_eq!(Costs { gain: 1.0, wrong: 0.0 }.threshold(), 0.0);
        assert_eq!(Costs { gain: 0.0, wrong: 1.0 }.threshold(), 1.0);
        assert_eq!(Costs { gain: f64::NAN, wrong: 1.0 }.threshold(), 1.0);
    }
}
