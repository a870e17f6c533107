//! When a row may be known to another one: not before its label was, and in counts not before the lesson that followed.
//!
//! Whoever predicts in use has counts that are as old as the last lesson. Thirty devices that become something new within two
//! minutes are all foretold without one another; taught that each knew the one before it, a model would believe itself.

use crate::predict::Sample;

/// In which order the rows of a history are revealed, and how many of them before each is predicted.
#[derive(Debug, Default)]
pub(super) struct Reveal {
    order: Vec<usize>,
    before: Vec<usize>,
}

impl Reveal {
    /// Every `every`th row of a sample, each revealed so many milliseconds after its label was known. The rows come oldest
    /// first; none is revealed to itself, nor to one that came before it.
    pub(super) fn of(sample: &Sample, every: usize, after: i64) -> Self {
        let at = |row: usize| sample.at[row].unwrap_or_default();
        let known = |row: usize| at(row).max(sample.known[row].unwrap_or(i64::MIN)).saturating_add(after);
        let rows: Vec<usize> = (0..sample.len()).step_by(every).collect();
        let mut order: Vec<usize> = (0..rows.len()).filter(|nth| sample.is_known(rows[*nth])).collect();
        order.sort_by_key(|nth| (known(rows[*nth]), *nth));
        let mut next = 0;
        let before = rows.iter().enumerate().map(|(nth, row)| {
            let is_due = |other: &usize| *other < nth && known(rows[*other]) <= at(*row);
            next += order[next..].iter().take_while(|other| is_due(other)).count();
            next
        });
        let before = before.collect();
        Self { order, before }
    }

    /// The rows that are revealed before this one is predicted, and were not before the one before it.
    pub(super) fn now(&self, row: usize) -> &[usize] {
        let from = row.checked_sub(1).map_or(0, |last| self.before[last]);
        &self.order[from..self.before[row]]
    }

    /// The rows that are revealed after all were predicted.
    pub(super) fn at_last(&self) -> &[usize] {
        &self.order[self.before.last().copied().unwrap_or(0)..]
    }
}
