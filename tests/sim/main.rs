//! Fleets in virtual time: what always holds, what the figures are worth, and the command as people meet it.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests say what they mean by panicking")]

mod command;
mod figures;
mod foresight;
mod recount;
mod rules;

use greenroom::{
    model::{Record, Seconds},
    sim::{Options, Report, Scenario, simulate},
    stage::Rooms,
};

fn options(scenario: Scenario, devices: u32, days: u32, seed: u64) -> Options {
    let rooms = Rooms { ram: 8 << 30, disk: 40 << 30 };
    Options { devices, days, scenario, seed, rooms, origin: 12_500_000, desk: Seconds(60), loss: 0.0, kills: 0 }
}

/// A run, and the lines of its journal.
fn run(options: &Options) -> (Report, Vec<String>) {
    let mut lines = vec![];
    let sink = Box::new(|record: &Record| lines.push(serde_json::to_string(record).unwrap()));
    let report = simulate(options, None, &|| {}, Some(sink)).unwrap();
    (report, lines)
}
