//! What came of the four runs, in figures.

use serde::Serialize;

use crate::model::Bytes;

use super::{
    Checked, Options, Scenario, Strategy,
    plan::Plan,
    run::Ran,
    shelf::Shelf,
    tally::{Sum, Tally, mean_and_p95},
};

/// All of it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What was simulated.
    pub fleet: Fleet,
    /// A row for each strategy, from the one that knows least.
    pub rows: Vec<Row>,
}

/// What was simulated.
#[derive(Debug, Clone, Serialize)]
pub struct Fleet {
    /// What kind of place.
    pub scenario: Scenario,
    /// How many devices.
    pub devices: u32,
    /// How many days.
    pub days: u32,
    /// What chance went by.
    pub seed: u64,
    /// How often somebody switched a device on.
    pub wants: u64,
    /// How many personas they want.
    pub personas: u64,
    /// The bytes of all their images.
    pub image_bytes: u64,
    /// How many new versions of images came.
    pub releases: u64,
    /// RAM and disk, in bytes.
    pub ram: u64,
    /// The disk tier, in bytes.
    pub disk: u64,
    /// The origin, in bytes per second.
    pub origin: u64,
    /// How long a choice by hand takes, in seconds.
    pub desk_seconds: u32,
    /// The share of packets that was lost.
    pub loss: f64,
    /// How often the daemon was killed.
    pub kills: u32,
}

/// What came of one strategy. Times are in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Which.
    pub strategy: Strategy,
    /// Boots that gave their person what they wanted, and left the disk alone.
    pub boots: u64,
    /// Those that found every file in RAM or on disk when they asked for it.
    pub staged: u64,
    /// Those that found every file in RAM.
    pub in_ram: u64,
    /// From the first DISCOVER to the last byte of what was wanted: the mean.
    pub wait_mean: u64,
    /// What 95 of 100 waits do not exceed.
    pub wait_p95: u64,
    /// What of that was waiting for files: the mean.
    pub loading_mean: u64,
    /// What 95 of 100 do not exceed.
    pub loading_p95: u64,
    /// All waits together, beside those of no prediction: what was saved. Less than nothing when it got worse.
    pub saved: i64,
    /// Predictions that acted.
    pub acted: u64,
    /// Those that were right.
    pub right: u64,
    /// Devices that became something else than was wanted.
    pub wrong: u64,
    /// Boots for which no prediction was sure enough: somebody had to choose.
    pub abstained: u64,
    /// Boots that somebody had to choose for, those that went wrong first among them.
    pub by_hand: u64,
    /// Boots from the disk, as they should be.
    pub disk_boots: u64,
    /// Installations.
    pub installs: u64,
    /// What was refused, given up, or cut short by the next start.
    pub not_served: u64,
    /// Bytes from the origin.
    pub origin_bytes: u64,
    /// Those that were fetched before anybody asked.
    pub ahead_bytes: u64,
    /// Those of them that nobody asked for in the end.
    pub wasted_bytes: u64,
    /// DHCP packets that the network lost, and those that it carried twice.
    pub lost: u64,
    /// Those that came twice.
    pub doubled: u64,
    /// How often the model was trained.
    pub lessons: u32,
    /// What predicts at the end.
    pub model: Option<String>,
    /// By hour of the day (UTC), from 0.
    pub hours: Vec<Bin>,
    /// By day.
    pub days: Vec<Bin>,
    /// What the watch found.
    pub checked: Checked,
}

/// The boots of an hour or a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Bin {
    /// How many.
    pub boots: u64,
    /// Those that found their files staged.
    pub staged: u64,
    /// The mean wait, in milliseconds.
    pub wait_mean: u64,
}

impl Bin {
    fn of(sum: &Sum) -> Self {
        let wait_mean = sum.wait.checked_div(sum.boots).unwrap_or(0);
        Self { boots: sum.boots, staged: sum.staged, wait_mean }
    }
}

impl Row {
    /// The share of boots that found their files staged, in percent.
    pub fn staged_percent(&self) -> f64 {
        percent(self.staged, self.boots)
    }

    /// The share of predictions that acted and were right, in percent.
    pub fn right_percent(&self) -> f64 {
        percent(self.right, self.acted)
    }
}

/// So many of so many, in percent; 0 of nothing.
pub(super) fn percent(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 * 100.0 / of as f64 }
}

impl Report {
    /// The row of a strategy.
    pub fn row(&self, strategy: Strategy) -> &Row {
        // There is one for each.
        self.rows.iter().find(|row| row.strategy == strategy).unwrap_or(&self.rows[0])
    }

    /// Whether all that must hold held, in all runs.
    pub fn is_sound(&self) -> bool {
        self.rows.iter().all(|row| row.checked.broken.is_empty())
    }
}

pub(super) fn report(options: &Options, plan: &Plan, shelf: &Shelf, ran: [Ran; 4]) -> Report {
    let fleet = Fleet {
        scenario: options.scenario,
        devices: options.devices,
        days: options.days,
        seed: options.seed,
        wants: plan.wants.len() as u64,
        personas: u64::from(shelf.len()),
        image_bytes: shelf.bytes(),
        releases: plan.releases.len() as u64,
        ram: options.rooms.ram,
        disk: options.rooms.disk,
        origin: options.origin,
        desk_seconds: options.desk.0,
        loss: options.loss,
        kills: options.kills,
    };
    let mut rows: Vec<Row> = ran.into_iter().map(row).collect();
    // The same boots happen under each; where some were cut short, the mean is what is compared.
    let unaided = rows.first().map_or(0, |row| row.wait_mean);
    for row in &mut rows {
        row.saved = (unaided as i64 - row.wait_mean as i64) * row.boots as i64;
    }
    Report { fleet, rows }
}

fn row(ran: Ran) -> Row {
    let Ran { strategy, tally, bought, checked, lessons, model } = ran;
    let Tally { mut waits, mut loadings, .. } = tally;
    let (wait_mean, wait_p95) = mean_and_p95(&mut waits);
    let (loading_mean, loading_p95) = mean_and_p95(&mut loadings);
    let wrong = tally.acted - tally.right;
    Row {
        strategy,
        boots: waits.len() as u64,
        staged: tally.staged,
        in_ram: tally.in_ram,
        wait_mean,
        wait_p95,
        loading_mean,
        loading_p95,
        saved: 0,
        acted: tally.acted,
        right: tally.right,
        wrong,
        abstained: tally.abstained,
        by_hand: tally.by_hand,
        disk_boots: tally.disk_boots,
        installs: tally.installs,
        not_served: tally.refused + tally.gave_up + tally.cut_short,
        origin_bytes: bought.bytes,
        ahead_bytes: bought.ahead,
        wasted_bytes: bought.ahead - bought.used.min(bought.ahead),
        lost: tally.lost,
        doubled: tally.doubled,
        lessons,
        model,
        hours: tally.hours.iter().map(Bin::of).collect(),
        days: tally.days.iter().map(Bin::of).collect(),
        checked,
    }
}

impl Fleet {
    /// The fleet in a sentence.
    pub fn told(&self) -> String {
        let Self { devices, days, scenario, wants, personas, .. } = self;
        format!(
            "{devices} devices, {days} days, {scenario} (seed {}): {wants} boots of {personas} personas, {} of images, \
             {} new versions on the way.",
            self.seed,
            Bytes(self.image_bytes),
            self.releases,
        )
    }
}
