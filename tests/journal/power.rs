//! What was synced is there after a power cut, in whole batches, at whatever operation the disk dies.

use greenroom::{
    journal::{Checkpoint, Journal},
    world::World,
};
use proptest::prelude::*;

use super::{armed, fold, medium::Medium, next, records_of};

#[derive(Debug, Clone, Copy)]
enum Act {
    Promise(u8),
    Note(u8),
    Sync,
    Checkpoint,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1u8..30).prop_map(Act::Promise),
        4 => (1u8..30).prop_map(Act::Note),
        1 => Just(Act::Sync),
        1 => Just(Act::Checkpoint),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_disk_that_dies_at_any_operation_keeps_what_was_synced(
        acts in prop::collection::vec(act(), 1..24), operations in 0u64..150, chance: u64,
    ) {
        let medium = Medium::default();
        let (mut journal, mut world) = Journal::on(medium.clone()).unwrap();
        medium.fails_after(operations);
        let mut all = vec![];
        // Where batches end, and how much of it a sync has confirmed.
        let (mut ends, mut confirmed) = (vec![0], 0);
        for act in acts {
            let written = match act {
                Act::Promise(facts) | Act::Note(facts) => {
                    let records = next(&mut world, (0..facts).map(armed));
                    all.extend_from_slice(&records);
                    ends.push(world.seq);
                    journal.append(&records, matches!(act, Act::Promise(_)))
                }
                Act::Sync => journal.sync(),
                Act::Checkpoint => journal.checkpoint(&Checkpoint::of(&world)),
            };
            match (written, act) {
                (Err(_), _) => break,
                (Ok(()), Act::Note(_)) => {}
                (Ok(()), _) => confirmed = world.seq,
            }
        }
        // The power goes before the process ends, so nothing is tidied up on the way out.
        let (killed, cut) = (medium.after_kill(), medium.after_power_cut(chance));
        drop(journal);
        for (name, disk) in [("kill", killed), ("power cut", cut)] {
            let (journal, found) = Journal::on(disk).unwrap_or_else(|error| panic!("after the {name}: {error}"));
            prop_assert!(found.seq >= confirmed, "the {} lost {} of {confirmed}", name, found.seq);
            prop_assert!(ends.contains(&found.seq), "the {} left part of a batch", name);
            let kept = records_of(&journal);
            prop_assert_eq!(&kept[..], &all[..kept.len()]);
            prop_assert_eq!(fold(&kept), found);
        }
    }
}

#[test]
fn what_was_never_synced_is_lost_as_a_whole_and_missed_by_nobody() {
    let medium = Medium::default();
    let (mut journal, mut world) = Journal::on(medium.clone()).unwrap();
    let promised = next(&mut world, [armed(1)]);
    journal.append(&promised, true).unwrap();
    let noted = next(&mut world, [armed(2), armed(3)]);
    journal.append(&noted, false).unwrap();
    let (after, found) = Journal::on(medium.after_kill()).unwrap();
    assert_eq!(found, fold(&promised));
    assert_eq!(records_of(&after), promised);
    assert_ne!(found, World::default());
}
