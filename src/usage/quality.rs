//! How often predictions were right: those that acted, and those that could have.
//!
//! One that acted is right when its boot ended well and nobody wanted something else for a day; it is wrong when somebody did.
//! One that could have acted is held against what people gave the device instead: an assignment, or a rule.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Fact, Moment, PersonaName, Probability};

/// How many days are kept apart; older ones are dropped.
const MOST_DAYS: usize = 90;

/// Milliseconds in a day.
const DAY: u64 = 86_400_000;

/// How often predictions were right, by day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quality {
    /// By days since 1970.
    days: BTreeMap<u64, Day>,
}

/// One day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Day {
    #[serde(flatten)]
    tally: Tally,
    #[serde(default)]
    cells: [Cell; CELLS],
}

/// Into how many parts of equal width probabilities go.
pub const CELLS: usize = 10;

/// What was told with about the same probability, and how often it was so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// How many there were.
    pub rows: u64,
    /// Their probabilities added up, in millionths.
    pub sure: u64,
    /// How many of them were right.
    pub right: u64,
}

/// How often predictions were right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// They acted, and were right.
    pub acted_right: u64,
    /// They acted, and were wrong.
    pub acted_wrong: u64,
    /// They were sure enough to act, somebody spoke first, and they would have been right.
    pub could_right: u64,
    /// They were sure enough to act, somebody spoke first, and they would have been wrong.
    pub could_wrong: u64,
    /// They were not sure enough to act, and the likeliest persona was right.
    pub unsure_right: u64,
    /// They were not sure enough to act, and it was wrong.
    pub unsure_wrong: u64,
    /// Operators accepted what was proposed.
    pub accepted: u64,
    /// Operators declined it.
    pub declined: u64,
}

/// How the reason of an assignment begins that accepts a proposal: now, and in what was written before it was in percent.
const PROPOSAL: [&str; 2] = ["proposal of ", "proposal p="];

/// Why an operator who accepts a proposal assigns what it says.
pub fn accepted_why(probability: Probability) -> String {
    format!("{}{probability} accepted", PROPOSAL[0])
}

impl Quality {
    /// Folds one fact in.
    pub fn apply(&mut self, at: Moment, fact: &Fact) {
        match fact {
            Fact::PersonaAssigned { why: Some(why), .. } if PROPOSAL.iter().any(|begin| why.starts_with(begin)) => {
                self.day(at).accepted += 1
            }
            Fact::ProposalDeclined { .. } => self.day(at).declined += 1,
            _ => {}
        }
    }

    /// Of what was told with this probability it is known whether it was so.
    pub fn held(&mut self, at: Moment, sure: Probability, right: bool) {
        // Closed above, as usual: 0.2 is in the part that ends there.
        let part = ((sure.get() * CELLS as f64).ceil() as usize).clamp(1, CELLS) - 1;
        let cell = &mut self.whole_day(at).cells[part];
        cell.rows += 1;
        cell.sure += (sure.get() * 1e6).round() as u64;
        cell.right += u64::from(right);
    }

    /// A prediction that acted turned out so.
    pub fn acted(&mut self, at: Moment, right: bool) {
        let day = self.day(at);
        *(if right { &mut day.acted_right } else { &mut day.acted_wrong }) += 1;
    }

    /// People gave a device `persona`, for which `best` had been predicted; a prediction acts from `act` on.
    pub fn given(&mut self, at: Moment, best: (&PersonaName, Probability), act: Probability, persona: &PersonaName) {
        let (sure, right) = (best.1 >= act, best.0 == persona);
        let day = self.day(at);
        *(match (sure, right) {
            (true, true) => &mut day.could_right,
            (true, false) => &mut day.could_wrong,
            (false, true) => &mut day.unsure_right,
            (false, false) => &mut day.unsure_wrong,
        }) += 1;
    }

    /// What the days since `from` add up to.
    pub fn since(&self, from: Moment) -> Tally {
        self.by_day(from).fold(Tally::default(), |sum, (_, day)| sum.plus(&day))
    }

    /// The days since `from`, the oldest first, as days since 1970; those on which nothing was judged are left out.
    pub fn by_day(&self, from: Moment) -> impl Iterator<Item = (u64, Tally)> {
        self.days.range(from.as_millis() / DAY..).map(|(day, of)| (*day, of.tally))
    }

    /// How far what was told in the days since `from` held, by probability.
    pub fn cells(&self, from: Moment) -> [Cell; CELLS] {
        let mut cells = [Cell::default(); CELLS];
        for (_, day) in self.days.range(from.as_millis() / DAY..) {
            for (sum, cell) in cells.iter_mut().zip(&day.cells) {
                *sum = Cell { rows: sum.rows + cell.rows, sure: sum.sure + cell.sure, right: sum.right + cell.right };
            }
        }
        cells
    }

    fn day(&mut self, at: Moment) -> &mut Tally {
        &mut self.whole_day(at).tally
    }

    fn whole_day(&mut self, at: Moment) -> &mut Day {
        let day = at.as_millis() / DAY;
        while self.days.len() >= MOST_DAYS && !self.days.contains_key(&day) {
            self.days.pop_first();
        }
        self.days.entry(day).or_default()
    }
}

impl Tally {
    fn plus(self, other: &Self) -> Self {
        Self {
            acted_right: self.acted_right + other.acted_right,
            acted_wrong: self.acted_wrong + other.acted_wrong,
            could_right: self.could_right + other.could_right,
            could_wrong: self.could_wrong + other.could_wrong,
            unsure_right: self.unsure_right + other.unsure_right,
            unsure_wrong: self.unsure_wrong + other.unsure_wrong,
            accepted: self.accepted + other.accepted,
            declined: self.declined + other.declined,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acted_and_what_could_have_are_counted_apart_and_old_days_are_dropped() {
        let (live, other): (PersonaName, PersonaName) =
            ("live".parse().expect("a name"), "other".parse().expect("a name"));
        let (act, sure, unsure) = (Probability::near(0.8), Probability::near(0.9), Probability::near(0.6));
        let mut quality = Quality::default();
        for day in 0..200 {
            let at = Moment::from_millis(day * DAY + 5);
            quality.acted(at, true);
            quality.given(at, (&live, sure), act, &other);
            quality.given(at, (&live, unsure), act, &live);
        }
        let all = quality.since(Moment::default());
        assert_eq!((all.acted_right, all.could_wrong, all.unsure_right, all.could_right), (90, 90, 90, 0));
        assert_eq!(quality.since(Moment::from_millis(193 * DAY)).acted_right, 7);
    }
    #[test]
    fn what_was_told_is_held_against_what_came_and_days_from_before_that_read() {
        let mut quality: Quality = serde_json::from_str(
            r#"{"3": {"acted_right": 2, "acted_wrong": 0, "could_right": 0, "could_wrong": 0,
                "unsure_right": 0, "unsure_wrong": 0, "accepted": 1, "declined": 0}}"#,
        )
        .expect("as it was written before");
        let at = Moment::from_millis(4 * DAY);
        for (sure, right) in [(0.2, false), (0.15, true), (0.95, true), (1.0, true)] {
            quality.held(at, Probability::near(sure), right);
        }
        let cells = quality.cells(Moment::default());
        assert_eq!(cells[1], Cell { rows: 2, sure: 350_000, right: 1 });
        assert_eq!(cells[9], Cell { rows: 2, sure: 1_950_000, right: 2 });
        assert_eq!(quality.since(Moment::default()).acted_right, 2);
        let again = serde_json::to_string(&quality).expect("plain data");
        assert_eq!(serde_json::from_str::<Quality>(&again).expect("what was written"), quality);
    }
}
