//! What the door costs among 100,000 devices: the requests of whole boots, one by one, decided and applied; a start with the
//! million facts that led there; and what the World's checkpoint costs once every device has a history.
//!
//! Devices are described, a fifth is assigned something, the others are predicted; they come through relays with option 82, from
//! subnets with reservations, past rules and quirks that mean others. Beside a decision stands what a foreign decoder
//! (`dhcproto`) takes for a packet like that, beside a start the plain reading of the same records from lines.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench shows its numbers, and stops at the first oddity"
)]

mod figure;
mod fleet;
mod place;

use std::{
    fs::{self, File},
    hint::black_box,
    io::{BufRead, BufReader, Write},
    path::Path,
};

use greenroom::{
    journal::{Checkpoint, Journal},
    model::{Device, Record, Seconds},
    predict::learn::{Experience, News},
    world::{World, demand},
};

use figure::timed;
use fleet::{Fleet, Written};

fn main() {
    let quick = std::env::var("GREENROOM_BENCH_QUICK").is_ok_and(|quick| !quick.is_empty());
    let (devices, facts) = if quick { (10_000, 100_000) } else { (100_000, 1_000_000) };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut fleet = Fleet::new(devices, folder.path());
    fleet.fill(facts);
    start(&fleet.world, folder.path(), fleet.written.take().unwrap());
    learn(folder.path());
    fleet.remember();
    fleet.boots();
    ahead(&fleet);
    checkpoint(&fleet.world, folder.path());
}

/// A start after all of it, without a checkpoint and with one that is as old as one gets.
fn start(world: &World, folder: &Path, mut written: Written) {
    written.flush();
    written.lines.flush().unwrap();
    drop(written);
    let path = folder.join("long.redb");
    let lines = || BufReader::new(File::open(folder.join("long.jsonl")).unwrap()).lines();
    let ((), read) = timed(|| {
        for line in lines() {
            black_box(serde_json::from_str::<Record>(&line.unwrap()).unwrap());
        }
    });
    let ((mut journal, folded), every) = timed(|| Journal::open(&path).unwrap());
    assert!(folded == *world);
    // The engine writes one every 50,000 records.
    let mut older = World::default();
    let behind = world.seq.saturating_sub(50_000);
    for line in lines().take(behind as usize) {
        older.apply(&serde_json::from_str(&line.unwrap()).unwrap());
    }
    let (made, making) = timed(|| Checkpoint::of(&older));
    let ((), written) = timed(|| journal.checkpoint(&made).unwrap());
    drop((journal, folded));
    let ((_, folded), usual) = timed(|| Journal::open(&path).unwrap());
    assert!(folded == *world);
    println!("start with {} facts", world.seq);
    println!(
        "  every fact folded      {every:>7.0} ms   the records read from lines {read:>7.0} ms   {:>5.2}x",
        every / read
    );
    println!("  checkpoint and 50,000  {usual:>7.0} ms                                         {:>5.2}x", usual / read);
    println!(
        "  writing the checkpoint {written:>7.0} ms, during which the engine answers nobody; {making:.0} ms to make it, beside it"
    );
}

/// What the trainer makes of them, off the packet path.
fn learn(folder: &Path) {
    let lines = BufReader::new(File::open(folder.join("long.jsonl")).unwrap()).lines();
    let (mut experience, mut took) = (Experience::default(), 0.0);
    for line in lines {
        let record = serde_json::from_str(&line.unwrap()).unwrap();
        took += timed(|| experience.apply(&record, &mut News::default())).1;
    }
    println!("  folded into {} examples in {took:.0} ms, by the trainer", experience.examples().len());
}

/// The same once every device has all the history that is remembered.
fn checkpoint(world: &World, folder: &Path) {
    let path = folder.join("full.redb");
    let (mut journal, _) = Journal::open(&path).unwrap();
    let (made, making) = timed(|| Checkpoint::of(world));
    let ((), written) = timed(|| journal.checkpoint(&made).unwrap());
    drop(journal);
    let bytes = fs::metadata(&path).unwrap().len() / 1_000_000;
    let (_, read) = timed(|| Journal::open(&path));
    println!("a checkpoint with {} visits a device", Device::MAX_VISITS_KEPT);
    println!(
        "  {making:.0} ms to make it, {written:.0} ms to write it (a file of {bytes} MB), {read:.0} ms to check and read it"
    );
}

/// What the whole fleet will ask for.
fn ahead(fleet: &Fleet) {
    let (demand, took) = timed(|| demand(&fleet.world, &fleet.ground, fleet.now, Seconds(3600)));
    println!("demand of {} devices: {took:.0} ms, {} files asked for", fleet.devices, demand.asks.len());
}
