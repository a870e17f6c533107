//! When a device boots, from when it has booted: the same hour of days like this one, and the usual time between boots.
//!
//! Every past day is held against now: had the device booted within the horizon that began at this hour of it? Days count by
//! how recent they are, by how alike they are (the same day of the week; other days as far as the fleet was as busy on them as
//! it is on this one, which tells weekends and holidays in any time zone), and by whether the device had been booted by that
//! hour as it has been, or has not been, today.
//!
//! Against that stands how often the device boots at all, whatever the hour: it counts as much as some days, more of them the
//! less the device keeps to hours, and is itself drawn to the rate of the fleet while little is known. Where the time between
//! boots is regular, that speaks instead. Nothing is fitted: what comes out is a share of days or of times between boots, and
//! shares are calibrated where habits last (`tests/staging/foresight.rs` shows how well).

use crate::model::{Device, Moment};

/// A day, in milliseconds.
pub(super) const DAY: u64 = 86_400_000;
/// So many days are looked at.
pub(super) const DAYS: usize = 35;
/// After how many days a day counts half.
const HALF_LIFE_DAYS: f64 = 10.0;
/// How many days the rate counts for a device that keeps to its hours; and how many more for one that keeps to none.
const PRIOR_DAYS: f64 = 0.15;
const PRIOR_DAYS_AT_RANDOM: f64 = 16.0;
/// The fleet's rate counts as so many boots of a device.
const PRIOR_BOOTS: f64 = 2.0;
/// How much a day counts on which the device was up when it is not now, or the other way round.
const OTHERWISE: f64 = 0.05;
/// Who booted within so long is up: a working day.
const UP: u64 = 10 * 3_600_000;
/// How far beyond the edges of the window a boot still counts, in part: people are not punctual.
const BLUR: u64 = 10 * 60_000;
/// How much another day of the week counts that was just as busy.
const OTHER_WEEKDAY: f64 = 0.4;
/// How much it counts while nobody knows.
const UNKNOWN_WEEKDAY: f64 = 0.4;
/// The days that people are told of: those that count at least so much, and no more than so many.
const TOLD: f64 = 0.1;
const MOST_TOLD: u32 = 10;
/// A device boots again and again within a day when it is usual that it does so within this.
const OFTEN: f64 = 16.0 * 3_600_000.0;
/// So many times between boots make a rhythm.
const LEAST_GAPS: usize = 4;
/// Times between boots that vary by this share of their mean are no rhythm.
const LOOSE: f64 = 0.35;
/// Who boots at the same hour, every twelve, eight or six hours keeps to hours.
const HARMONICS: usize = 4;

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
            let known = observed(device, now) + 1;
            for lag in busy.iter_mut().take(known) {
                lag.1 += 1.0;
            }
            for visit in &device.visits {
                // The day around the window of each lag: from twelve hours before it to twelve after.
                let ago = now.since(visit.at).0 + DAY / 2 + horizon / 2;
                if let Some(lag) = busy[..known].get_mut((ago / DAY) as usize) {
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
            let past = Past::of(device, now, horizon);
            for (weight, share) in fleet.days.iter().zip(past.shares).take(observed(device, now)) {
                days += weight;
                booted += weight * share;
            }
        }
        fleet.rate = if days > 0.0 { booted / days } else { 0.0 };
        fleet
    }

    /// How probable it is that a device boots within the horizon, as far as its history tells.
    pub(super) fn habit(&self, device: &Device) -> Habit {
        let past = Past::of(device, self.now, self.horizon);
        let loose = 1.0 - punctuality(device);
        let prior = PRIOR_DAYS + PRIOR_DAYS_AT_RANDOM * loose.powi(3);
        let (mut booted, mut days) = (prior * self.own_rate(device), prior);
        let mut told = (0, 0);
        for (at, (day, share)) in self.days.iter().zip(past.shares).enumerate().take(observed(device, self.now)) {
            let weight = day * if past.up[at + 1] == past.up[0] { 1.0 } else { OTHERWISE };
            booted += weight * share;
            days += weight;
            if *day > TOLD && told.1 < MOST_TOLD {
                told = (told.0 + u32::from(share >= 0.5), told.1 + 1);
            }
        }
        let by_day = booted / days;
        let probability = match self.by_gap(device, by_day) {
            Some((by_gap, weight)) => by_day + weight * (by_gap - by_day),
            None => by_day,
        };
        Habit { probability: probability.clamp(0.0, 1.0), days: told }
    }

    /// How probable a boot is within any such time, by how often the device boots.
    fn own_rate(&self, device: &Device) -> f64 {
        let boots = device.visits.len() as f64;
        let span = since(device).map_or(0, |since| self.now.since(since).0).max(DAY) as f64;
        let own = 1.0 - (-boots * self.horizon as f64 / span).exp();
        (PRIOR_BOOTS * self.rate + boots * own) / (PRIOR_BOOTS + boots)
    }

    /// The same by the times between boots, for a device that boots several times a day: of those times that were as long as
    /// it is now, how many ended within the horizon; and how much that is to be believed, by how regular they are.
    fn by_gap(&self, device: &Device, by_day: f64) -> Option<(f64, f64)> {
        let visits = &device.visits;
        let count = visits.len().saturating_sub(1) as f64;
        let gaps = || visits.windows(2).map(|pair| pair[1].at.since(pair[0].at).0 as f64);
        let mean = gaps().sum::<f64>() / count;
        if visits.len() <= LEAST_GAPS || mean > OFTEN || mean <= 0.0 {
            return None;
        }
        let variance = gaps().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count;
        let weight = (-variance / (mean * LOOSE).powi(2)).exp();
        let since = self.now.since(visits.last()?.at).0 as f64;
        let (mut ended, mut lasted) = (by_day, 1.0);
        for gap in gaps().filter(|gap| *gap > since) {
            lasted += 1.0;
            ended += if gap <= since + self.horizon as f64 { 1.0 } else { 0.0 };
        }
        Some((ended / lasted, weight))
    }
}

/// What a device did at this hour of past days.
struct Past {
    /// By how much it booted within the horizon that began at this hour, from yesterday on: 0 or 1, and between the two near
    /// the edges.
    shares: [f64; DAYS],
    /// Whether it was up at this hour, from today on.
    up: [bool; DAYS + 1],
}

impl Past {
    fn of(device: &Device, now: Moment, horizon: u64) -> Self {
        let mut past = Self { shares: [0.0; DAYS], up: [false; DAYS + 1] };
        for visit in &device.visits {
            let ago = now.since(visit.at).0;
            if let Some(up) = past.up.get_mut((ago / DAY) as usize).filter(|_| ago % DAY < UP) {
                *up = true;
            }
            // The windows that it lies in: those of the days whose hour came just before it, or is about to.
            let mut lag = ago.saturating_sub(BLUR).div_ceil(DAY).max(1);
            while lag * DAY + BLUR >= ago && lag * DAY <= ago + horizon + BLUR {
                let (after, before) = (lag * DAY + BLUR - ago, ago + horizon + BLUR - lag * DAY);
                if let Some(share) = past.shares.get_mut(lag as usize - 1) {
                    *share = share.max((after.min(before) as f64 / (2 * BLUR) as f64).min(1.0));
                }
                lag += 1;
            }
        }
        past
    }
}

/// How much a device keeps to hours, from 0 to 1: how far its boots lie together on the dial of a day, or of a part of one.
fn punctuality(device: &Device) -> f64 {
    let mut sums = [(0.0_f64, 0.0_f64); HARMONICS];
    for visit in &device.visits {
        let (sin, cos) = (std::f64::consts::TAU * (visit.at.as_millis() % DAY) as f64 / DAY as f64).sin_cos();
        let (mut x, mut y) = (cos, sin);
        for sum in &mut sums {
            *sum = (sum.0 + x, sum.1 + y);
            (x, y) = (x * cos - y * sin, x * sin + y * cos);
        }
    }
    let count = device.visits.len().max(1) as f64;
    sums.into_iter().map(|(x, y)| x.hypot(y) / count).fold(0.0, f64::max)
}

/// Since when a boot of the device would be known.
fn since(device: &Device) -> Option<Moment> {
    let first = device.visits.first().map(|visit| visit.at);
    match device.visits.len() >= Device::MAX_VISITS_KEPT {
        true => first,
        false => device.seen.map(|seen| seen.first).into_iter().chain(first).min(),
    }
}

/// On how many whole days before now a boot of the device would be known.
fn observed(device: &Device, now: Moment) -> usize {
    since(device).map_or(0, |since| ((now.since(since).0 / DAY) as usize).min(DAYS))
}
