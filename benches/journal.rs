//! How fast facts become durable, beside the least that any journal must do: append the same bytes to a file and sync it.
//! Runs alternate; the ratio of the medians is what counts.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a program for people")]

use std::{
    fs::File,
    io::Write,
    time::{Duration, Instant},
};

use greenroom::{
    journal::Journal,
    model::{DeviceId, Fact, MacAddr, Moment, Record},
};

const ROUNDS: usize = 7;
const BATCHES: u64 = 200;

fn records(from: u64, count: u64) -> Vec<Record> {
    let device = DeviceId::new(MacAddr::new([2, 0, 0, 0, 0, 1]).unwrap());
    let fact = || Fact::PersonaAssigned { device, persona: "workstation-debian".parse().unwrap(), by: "bench".into() };
    (from..from + count)
        .map(|seq| Record { seq, at: Moment::from_millis(1_795_520_000_000 + seq), fact: fact() })
        .collect()
}

fn journal(batch: u64) -> Duration {
    let folder = tempfile::tempdir_in(".").unwrap();
    let (mut journal, _) = Journal::open(&folder.path().join("journal.redb")).unwrap();
    let began = Instant::now();
    for n in 0..BATCHES {
        journal.append(&records(n * batch + 1, batch), true).unwrap();
    }
    began.elapsed()
}

fn plain_file(batch: u64) -> Duration {
    let folder = tempfile::tempdir_in(".").unwrap();
    let mut file = File::create(folder.path().join("plain")).unwrap();
    let began = Instant::now();
    for n in 0..BATCHES {
        for record in records(n * batch + 1, batch) {
            serde_json::to_writer(&mut file, &record).unwrap();
            file.write_all(b"\n").unwrap();
        }
        file.sync_data().unwrap();
    }
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

fn main() {
    println!("journal: {BATCHES} synced batches, medians of {ROUNDS} alternating runs");
    for batch in [1, 16, 128] {
        let (mut ours, mut theirs) = (vec![], vec![]);
        for _ in 0..ROUNDS {
            ours.push(journal(batch));
            theirs.push(plain_file(batch));
        }
        let (ours, theirs) = (median(ours), median(theirs));
        let rate = |seconds: f64| (BATCHES * batch) as f64 / seconds;
        println!(
            "  {batch:>3} facts a batch: redb {:>8.0} facts/s, plain file + fdatasync {:>8.0} facts/s, ratio {:.2}",
            rate(ours),
            rate(theirs),
            theirs / ours
        );
    }
}
