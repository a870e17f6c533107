//! When a device boots, from when it has booted: the same hour of days like this one, and the usual time between boots.
//!
//! Every past day is held against now: had the device booted within the horizon that began at this hour of it? Days count by
//! how recent they are, by how alike they are (the same day of the week; other days as far as the fleet was as busy on them as
//! it is on this one, which tells weekends and holidays in any time zone), and by whether the device had been booted by that
//! hour as it has been, or has not been, today. The fleet's own rate speaks with the weight of some days, so that little
//! history gives little certainty. Nothing is fitted: what comes out is a share of days, and shares are calibrated where habits
//! last.

use crate::model::{Device, Moment};

/// A day, in milliseconds.
pub(super) const DAY: u64 = 86_400_000;
/// So many days are looked at.
pub(super) const DAYS: usize = 35;
/// After how many days a day counts half.
const HALF_LIFE_DAYS: f64 = 10.0;
/// How many days the fleet's rate counts.
const PRIOR_DAYS: f64 = 1.0;
/// How much a day counts on which the device was up when it is not now, or the other way round.
const OTHERWISE: f64 = 0.1;
/// Who booted within so long is up: a working day.
const UP: u64 = 10 * 3_600_000;
/// How far beyond the edges of the window a boot still counts, in part: people are not punctual.
const BLUR: u64 = 10 * 60_000;
/// How much another day of the week counts that was just as busy.
const OTHER_WEEKDAY: f64 = 0.6;
/// How much it counts while nobody knows.
const UNKNOWN_WEEKDAY: f64 = 0.4;
/// A device boots again and again within a day when it is usual that it does so within this.
const OFTEN: f64 = 16.0 * 3_600_000.0;
/// So many times between boots make a rhythm.
const LEAST_GAPS: usize = 4;

/// What all devices together did: how alike past days are to this one, and how many devices boot at this hour.
#[derive(Debug, Clone)]
pub(super) struct Fleet {
    now: Moment,
    horizon: u64,
    /// How much each past day counts, from yesterday on.
    days: [f64; DAYS],
    /// The share of devices that booted within the horizon on such days.
    pub(super) rate: f64,
}

/// How probable a boot is, and from what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Habit {
    /// That it boots within the horizon.
    pub(super) probability: f64,
    /// On how many of the latest days like this one it did, and how many they are.
    pub(super) days: (u32, u32),
}

impl Fleet {
    /// What these devices did until `now`; boots within `horizon` milliseconds are asked for.
    pub(super) fn new<'a>(devices: impl Iterator<Item = &'a Device> + Clone, now: Moment, horizon: u64) -> Self {
        let mut busy = [(0.0, 0.0); DAYS + 1];
        for device in devices.clone() {
            for lag in busy.iter_mut().take(observed(device, now) + 1) {
                lag.1 += 1.0;
            }
            for visit in &device.visits {
                // The day around the window of each lag: from twelve hours before it to twelve after.
                let ago = now.since(visit.at).0 + DAY / 2 + horizon / 2;
                if let Some(lag) = busy.get_mut((ago / DAY) as usize) {
                    lag.0 += 1.0;
                }
            }
        }
        let rate = |lag: usize| busy.get(lag).filter(|lag| lag.1 > 0.0).map(|lag| lag.0 / lag.1);
        let alike: Vec<f64> = [7, 14, 21].into_iter().filter_map(rate).collect();
        let this = (!alike.is_empty()).then(|| alike.iter().sum::<f64>() / alike.len() as f64);
        let mut fleet = Self { now, horizon, days: [0.0; DAYS], rate: 0.0 };
        for (at, weight) in fleet.days.iter_mut().enumerate() {
            let lag = at + 1;
            let kind = match (lag % 7, this, rate(lag)) {
                (0, ..) => 1.0,
                (_, Some(this), Some(then)) => {
                    let alike = (this.min(then) + 0.01) / (this.max(then) + 0.01);
                    OTHER_WEEKDAY * alike * alike
                }
                _ => UNKNOWN_WEEKDAY,
            };
            *weight = kind * (-(lag as f64) / HALF_LIFE_DAYS).exp2();
        }
        let (mut booted, mut days) = (0.0, 0.0);
        for device in devices {
            for (lag, weight) in fleet.days.iter().enumerate().take(observed(device, now)) {
                days += weight;
                booted += weight * fleet.share(device, lag + 1);
            }
        }
        fleet.rate = if days > 0.0 { booted / days } else { 0.0 };
        fleet
    }

    /// How probable it is that a device boots within the horizon, as far as its history tells.
    pub(super) fn habit(&self, device: &Device) -> Habit {
        let up = self.is_up(device, 0);
        let (mut booted, mut days) = (PRIOR_DAYS * self.rate, PRIOR_DAYS);
        let mut told = (0, 0);
        for (at, weight) in self.days.iter().enumerate().take(observed(device, self.now)) {
            let lag = at + 1;
            let same = self.is_up(device, lag) == up;
            let share = self.share(device, lag);
            let weight = weight * if same { 1.0 } else { OTHERWISE };
            booted += weight * share;
            days += weight;
            if *self.days.get(at).unwrap_or(&0.0) > 0.1 && told.1 < 10 {
                told = (told.0 + u32::from(share > 0.5), told.1 + 1);
            }
        }
        let by_day = booted / days;
        Habit { probability: self.by_gap(device, by_day).unwrap_or(by_day).clamp(0.0, 1.0), days: told }
    }

    /// By how much a device booted within the horizon that began at this hour so many days ago: 0 or 1, and between the two
    /// near the edges.
    fn share(&self, device: &Device, lag: usize) -> f64 {
        let begins = self.now.as_millis().saturating_sub(lag as u64 * DAY);
        let ends = begins + self.horizon;
        let near = device.visits.iter().rev().map(|visit| visit.at.as_millis());
        let near = near.skip_while(|at| *at > ends + BLUR).take_while(|at| *at + BLUR >= begins);
        near.map(|at| {
            let inside = at.saturating_add(BLUR).saturating_sub(begins).min((ends + BLUR).saturating_sub(at));
            (inside as f64 / (2 * BLUR) as f64).min(1.0)
        })
        .fold(0.0, f64::max)
    }

    /// Whether a device was booted within the working day before this hour so many days ago.
    fn is_up(&self, device: &Device, lag: usize) -> bool {
        let then = self.now.as_millis().saturating_sub(lag as u64 * DAY);
        let before = device.visits.iter().rev().map(|visit| visit.at.as_millis()).find(|at| *at <= then);
        before.is_some_and(|at| then - at < UP)
    }

    /// The same by the times between boots, for a device that boots several times a day: of those times that were as long as
    /// it is now, how many ended within the horizon. Both views count the same.
    fn by_gap(&self, device: &Device, by_day: f64) -> Option<f64> {
        let gaps: Vec<u64> = device.visits.windows(2).map(|pair| pair[1].at.since(pair[0].at).0).collect();
        let mean = gaps.iter().sum::<u64>() as f64 / gaps.len().max(1) as f64;
        if gaps.len() < LEAST_GAPS || mean > OFTEN {
            return None;
        }
        let since = self.now.since(device.visits.last()?.at).0;
        let (mut ended, mut lasted) = (by_day, 1.0);
        for gap in gaps {
            if gap > since {
                lasted += 1.0;
                ended += if gap <= since + self.horizon { 1.0 } else { 0.0 };
            }
        }
        Some((by_day + ended / lasted) / 2.0)
    }
}

/// On how many whole days before now a boot of the device would be known.
fn observed(device: &Device, now: Moment) -> usize {
    let first = device.visits.first().map(|visit| visit.at);
    let since = match device.visits.len() >= Device::MAX_VISITS_KEPT {
        true => first,
        false => device.seen.map(|seen| seen.first).into_iter().chain(first).min(),
    };
    since.map_or(0, |since| ((now.since(since).0 / DAY) as usize).min(DAYS))
}
