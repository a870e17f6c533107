//! Why a device is likely to boot soon: its habit, or something that is no habit.
//!
//! Of several causes the strongest speaks. A habit is measured; the other numbers are what somebody chose, each with its
//! reason beside it: they are of the right size, and no more.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{
    Armed, Device, Millis, Moment,
    timeline::{Boot, Outcome, Stage},
};

use super::{Subject, habit::Fleet};

/// Who has begun to boot goes on, unless its firmware gives up.
const UNDER_WAY: f64 = 0.95;
/// The kernel runs: what it has not loaded yet, it may not want.
const LOADING: f64 = 0.5;
/// Who failed tries again, by itself or by somebody's hand.
const RETRY: f64 = 0.6;
/// Whoever arms a device means to install it now.
const ARMED: f64 = 0.7;
/// An assignment is often made just before the device is switched on, and often long before.
const ASSIGNED: f64 = 0.4;
/// It says itself from when on it is wanted.
const BEGINS: f64 = 0.5;
/// After how long these count half: who has not come by then comes later.
const ARMED_HALF_LIFE: f64 = 6.0 * HOUR;
const ASSIGNED_HALF_LIFE: f64 = 12.0 * HOUR;
const RETRY_HALF_LIFE: f64 = HOUR / 2.0;
const HOUR: f64 = 3_600_000.0;

/// What makes a device likely to boot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "cause")]
pub enum Cause {
    /// An attempt of it has begun.
    UnderWay,
    /// Its last attempt did not end well.
    Retry {
        /// How it ended.
        outcome: Outcome,
        /// How long ago.
        ago: Millis,
    },
    /// Somebody assigned it a persona, and it was not booted since.
    Assigned {
        /// Who.
        by: String,
        /// How long ago.
        ago: Millis,
    },
    /// An assignment of it begins within the horizon.
    Begins {
        /// Who made it.
        by: String,
        /// When.
        at: Moment,
    },
    /// Somebody armed it, and it was not booted since.
    Armed {
        /// Who.
        by: String,
        /// How long ago.
        ago: Millis,
    },
    /// It booted at this hour before.
    Habit {
        /// On so many days.
        on: u32,
        /// Of so many that are like this one.
        of: u32,
    },
    /// Little is known of it: other devices boot at this hour.
    Fleet,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnderWay => f.write_str("it is booting"),
            Self::Retry { outcome, ago } => write!(f, "its last boot ended {ago} ago: {outcome}"),
            Self::Assigned { by, ago } => write!(f, "assigned by {by} {ago} ago, not booted since"),
            Self::Begins { by, at } => write!(f, "its assignment by {by} begins at {at}"),
            Self::Armed { by, ago } => write!(f, "armed by {by} {ago} ago, not booted since"),
            Self::Habit { on, of } => write!(f, "booted at this hour on {on} of {of} such days"),
            Self::Fleet => f.write_str("others boot at this hour; little is known of it"),
        }
    }
}

/// How probable it is that a device boots within the horizon, and why.
pub(super) fn strongest(subject: &Subject<'_>, fleet: &Fleet, now: Moment, until: Moment) -> (f64, Cause) {
    let habit = fleet.habit(subject.device);
    let cause = match habit.days {
        (_, 0) => Cause::Fleet,
        (0, _) => Cause::Fleet,
        (on, of) => Cause::Habit { on, of },
    };
    // Who boots now does not boot a second time because it usually does at this hour.
    if let Some(found) = subject.boot.and_then(under_way) {
        return found;
    }
    let others = [
        subject.boot.and_then(|boot| retry(boot, now)),
        assigned(subject.device, now, until),
        armed(subject.device, now),
    ];
    let found = others.into_iter().flatten().max_by(|a, b| a.0.total_cmp(&b.0));
    found.filter(|(probability, _)| *probability > habit.probability).unwrap_or((habit.probability, cause))
}

fn under_way(boot: &Boot) -> Option<(f64, Cause)> {
    match boot.stage {
        Stage::Firmware | Stage::Chainloaded | Stage::Scripted => Some((UNDER_WAY, Cause::UnderWay)),
        Stage::Loading => Some((LOADING, Cause::UnderWay)),
        Stage::Ended => None,
    }
}

fn retry(boot: &Boot, now: Moment) -> Option<(f64, Cause)> {
    let outcome = boot.outcome.filter(|outcome| matches!(outcome, Outcome::Failed | Outcome::Stuck))?;
    let ago = now.since(boot.last);
    Some((RETRY * fading(ago, RETRY_HALF_LIFE), Cause::Retry { outcome, ago }))
}

fn assigned(device: &Device, now: Moment, until: Moment) -> Option<(f64, Cause)> {
    let assignment = device.assigned.as_ref()?;
    if assignment.expires.is_some_and(|expires| expires <= now) {
        return None;
    }
    let by = assignment.by.clone();
    match assignment.not_before.filter(|from| *from > now) {
        Some(at) => (at < until).then_some((BEGINS, Cause::Begins { by, at })),
        None => {
            let since = assignment.since();
            let ago = now.since(since);
            let waits = !booted_since(device, since);
            waits.then(|| (ASSIGNED * fading(ago, ASSIGNED_HALF_LIFE), Cause::Assigned { by, ago }))
        }
    }
}

fn armed(device: &Device, now: Moment) -> Option<(f64, Cause)> {
    let Some(Armed::Operator { name, at }) = &device.armed else { return None };
    let ago = now.since(*at);
    let waits = !booted_since(device, *at);
    waits.then(|| (ARMED * fading(ago, ARMED_HALF_LIFE), Cause::Armed { by: name.clone(), ago }))
}

fn booted_since(device: &Device, since: Moment) -> bool {
    device.seen.is_some_and(|seen| seen.last > since) || device.visits.last().is_some_and(|visit| visit.at > since)
}

fn fading(ago: Millis, half_life: f64) -> f64 {
    (-(ago.0 as f64) / half_life).exp2()
}
