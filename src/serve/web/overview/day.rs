//! The last day, from the attempts that the World keeps.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    model::{
        Bytes, Moment,
        image::Tier,
        timeline::{Boot, Outcome, Step},
    },
    serve::web::{
        census::DAY,
        chart::{About, Bars, Chart, Part, Series, Slot, Stack},
    },
    usage::staging::{Score, report},
    world::World,
};

use super::tier_class;

const HOUR: u64 = 3_600_000;

/// What happened within the last day.
pub(in crate::serve::web) struct Day {
    /// When it began.
    pub(super) since: Moment,
    /// When the oldest attempt began that is kept, when the day is longer than what is kept.
    pub(super) cut: Option<Moment>,
    /// Attempts that are under way, however old.
    pub(super) under_way: usize,
    /// Those that began within the day, by how they ended.
    pub(super) ended: BTreeMap<&'static str, u64>,
    /// Bytes that were sent in them, by where they came from.
    served: BTreeMap<Tier, Bytes>,
    /// How they found their files.
    pub(in crate::serve::web) staged: Score,
    /// How many began in each hour of the clock: well, badly, under way or given up for another.
    hours: BTreeMap<u64, [u64; 3]>,
    now: Moment,
}

impl Day {
    pub(in crate::serve::web) fn of(world: &World, now: Moment) -> Self {
        let since = Moment::from_millis(now.as_millis().saturating_sub(u64::from(DAY.0) * 1000));
        let boots: Vec<&Boot> = world.recent_boots().take_while(|boot| boot.began >= since).collect();
        let full = world.boots.size() >= World::MAX_BOOTS && boots.len() == world.boots.size();
        let mut day = Self {
            since,
            cut: boots.last().filter(|_| full).map(|boot| boot.began),
            under_way: world.under_way.size(),
            ended: BTreeMap::new(),
            served: [Tier::Ram, Tier::Disk, Tier::Origin].map(|tier| (tier, Bytes(0))).into(),
            staged: report(boots.iter().copied()).all,
            hours: (since.as_millis() / HOUR..=now.as_millis() / HOUR).map(|hour| (hour, [0; 3])).collect(),
            now,
        };
        for boot in boots {
            if let Some(outcome) = boot.outcome {
                *day.ended.entry(outcome.name()).or_default() += 1;
            }
            let part = match boot.outcome {
                Some(Outcome::Ready | Outcome::Installed | Outcome::LocalDisk) => 0,
                Some(Outcome::Failed | Outcome::Stuck | Outcome::Refused) => 1,
                Some(Outcome::Restarted) | None => 2,
            };
            if let Some(hour) = day.hours.get_mut(&(boot.began.as_millis() / HOUR)) {
                hour[part] += 1;
            }
            for moved in &boot.steps {
                if let Step::Blob { tier, transfer, .. } = &moved.step {
                    day.served.entry(*tier).or_default().0 += transfer.bytes.0;
                }
            }
        }
        day
    }

    /// How many ended so.
    pub(super) fn count(&self, outcome: Outcome) -> u64 {
        self.ended.get(outcome.name()).copied().unwrap_or_default()
    }

    /// The hours as bars, by the clock of the daemon.
    pub(super) fn chart(&self) -> Chart {
        let zone = TimeZone::system();
        let slot = |(hour, values): (&u64, &[u64; 3])| {
            let begins =
                Timestamp::from_millisecond(i64::try_from(hour * HOUR).unwrap_or_default()).unwrap_or_default();
            let name = begins.to_zoned(zone.clone()).strftime("%H:%M").to_string();
            let tick =
                if name.get(..2).and_then(|hour| hour.parse().ok()).is_some_and(|hour: u8| hour.is_multiple_of(3)) {
                    name.clone()
                } else {
                    String::new()
                };
            Slot { name, tick, values: values.to_vec() }
        };
        let [well, badly, open] = [0, 1, 2].map(|part| self.hours.values().map(|values| values[part]).sum::<u64>());
        let whole = well + badly + open;
        let offset = Timestamp::from_millisecond(i64::try_from(self.now.as_millis()).unwrap_or_default());
        let offset = offset.unwrap_or_default().to_zoned(zone.clone()).strftime("UTC%:z").to_string();
        let said = match whole {
            0 => "No device booted in the last 24 hours.".to_owned(),
            _ => format!(
                "{whole} boots began: {well} ended well, {badly} badly. Hours of this server's clock, {offset}."
            ),
        };
        let series = vec![
            Series::new("bar", "ended well"),
            Series::new("bar-bad", "failed, stuck or refused"),
            Series::new("bar-3", "under way or begun anew"),
        ];
        Bars {
            about: About { id: "hours", title: "Boots by hour".into(), said },
            slot: "hour",
            series,
            slots: self.hours.iter().map(slot).collect(),
        }
        .draw()
    }

    /// The bytes that were sent, by where they were.
    pub(in crate::serve::web) fn served(&self) -> Chart {
        let whole: u64 = self.served.values().map(|bytes| bytes.0).sum();
        let part = |(tier, bytes): (&Tier, &Bytes)| Part {
            series: Series::new(tier_class(*tier), tier.word()),
            value: bytes.0 as f64,
            told: format!("{} {bytes}", tier.word()),
        };
        let said = match whole {
            0 => "No image file was sent in the last 24 hours.",
            _ => "Image files that were sent in the last 24 hours, by where they were when they were asked for.",
        };
        Stack {
            about: About { id: "served", title: "Bytes served".into(), said: said.into() },
            columns: ["", "from", "bytes"],
            bars: vec![(Bytes(whole).to_string(), whole as f64, self.served.iter().map(part).collect())],
        }
        .draw()
    }
}
