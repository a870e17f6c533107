//! The journal and the engine over it: the World is exactly the fold of what was written, whatever was checkpointed, lost
//! or broken in between, and nothing is acknowledged that a dying disk could still take back.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests say what they mean by panicking")]

mod damage;
mod engine;
mod fold;
mod medium;
mod power;

use greenroom::{
    journal::Journal,
    model::{DeviceId, Fact, MacAddr, Moment, Record},
    world::World,
};

fn mac(n: u8) -> MacAddr {
    MacAddr::new([2, 0, 0, 0, 0, n]).unwrap()
}

fn armed(n: u8) -> Fact {
    Fact::DeviceArmed { device: DeviceId::new(mac(n)), by: "ann".into() }
}

/// The facts as the next records of a World, folded in.
fn next(world: &mut World, facts: impl IntoIterator<Item = Fact>) -> Vec<Record> {
    let first = world.seq + 1;
    let number = |(fact, seq): (Fact, u64)| Record { seq, at: Moment::from_millis(seq * 1000), fact };
    let records: Vec<Record> = facts.into_iter().zip(first..).map(number).collect();
    records.iter().for_each(|record| world.apply(record));
    records
}

fn fold(records: &[Record]) -> World {
    let mut world = World::default();
    records.iter().for_each(|record| world.apply(record));
    world
}

fn records_of(journal: &Journal) -> Vec<Record> {
    journal.records().unwrap().map(Result::unwrap).collect()
}
