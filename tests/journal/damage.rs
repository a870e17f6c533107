//! A journal that cannot be trusted stops the start, with a sentence that names the file and the way out.

use std::{fs, path::Path};

use greenroom::journal::{Checkpoint, Journal};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::{armed, next, records_of};

const FACTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("facts");
const CHECKPOINT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("checkpoint");
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");

/// A journal of twenty facts with a checkpoint after the tenth.
fn written(path: &Path) {
    let (mut journal, mut world) = Journal::open(path).unwrap();
    journal.append(&next(&mut world, (0..10).map(armed)), true).unwrap();
    journal.checkpoint(&Checkpoint::of(&world)).unwrap();
    journal.append(&next(&mut world, (0..10).map(armed)), true).unwrap();
}

fn refusal(path: &Path) -> String {
    Journal::open(path).map(|(_, world)| world.seq).unwrap_err().to_string()
}

/// Changes a journal behind its back, with checksums that fit: what a bug or another version could do.
fn meddle(path: &Path, change: impl FnOnce(&redb::WriteTransaction)) {
    let database = Database::open(path).unwrap();
    let write = database.begin_write().unwrap();
    change(&write);
    write.commit().unwrap();
}

fn raw_facts(path: &Path) -> Vec<(u64, Vec<u8>)> {
    let database = Database::open(path).unwrap();
    let facts = database.begin_read().unwrap().open_table(FACTS).unwrap();
    facts.iter().unwrap().map(Result::unwrap).map(|(seq, json)| (seq.value(), json.value().to_vec())).collect()
}

#[test]
fn what_does_not_read_or_is_not_there_stops_the_start_and_says_what_to_do() {
    type Change = fn(&redb::WriteTransaction);
    let cases: [(&str, Change, &str); 7] = [
        ("a record is gone", |write| drop(write.open_table(FACTS).unwrap().remove(15).unwrap()), "record 15 of the"),
        (
            "the newest records are gone, and the checkpoint knows of them",
            |write| write.open_table(FACTS).unwrap().retain_in(5.., |_, _| false).unwrap(),
            "record 10 of the",
        ),
        (
            "a record is of a kind that this version does not know",
            |write| {
                let json = br#"{"seq":15,"at":15000,"fact":"device-sold","device":"02:00:00:00:00:01"}"#;
                write.open_table(FACTS).unwrap().insert(15, json.as_slice()).unwrap();
            },
            "unknown variant `device-sold`",
        ),
        (
            "a record is cut short",
            |write| drop(write.open_table(FACTS).unwrap().insert(20, b"{\"seq\":20,".as_slice()).unwrap()),
            "record 20 of the",
        ),
        (
            "a record stands in another's place",
            |write| {
                let json = br#"{"seq":3,"at":3000,"fact":"device-armed","device":"02:00:00:00:00:01","by":"ann"}"#;
                write.open_table(FACTS).unwrap().insert(15, json.as_slice()).unwrap();
            },
            "it calls itself 3",
        ),
        (
            "the checkpoint does not read, and the first records were trimmed",
            |write| {
                write.open_table(FACTS).unwrap().retain_in(..5, |_, _| false).unwrap();
                write.open_table(CHECKPOINT).unwrap().insert("world", b"{}".as_slice()).unwrap();
            },
            "the checkpoint in the journal",
        ),
        (
            "the format is a later one",
            |write| drop(write.open_table(ABOUT).unwrap().insert("format", 2).unwrap()),
            "has format 2",
        ),
    ];
    for (case, change, says) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.redb");
        written(&path);
        meddle(&path, change);
        let before = raw_facts(&path);
        let refusal = refusal(&path);
        assert!(refusal.contains(says), "{case}: {refusal}");
        assert!(refusal.contains(&path.display().to_string()), "{case}: {refusal}");
        let remedies = ["set it aside (mv ", "run the newer one"];
        assert!(remedies.iter().any(|remedy| refusal.contains(remedy)), "{case}: {refusal}");
        assert!(refusal.lines().count() == 1, "{case}: {refusal}");
        // Nothing of it was thrown away: the newer version, or a person, can still read all that is there.
        assert_eq!(raw_facts(&path), before, "{case}");
    }
}

#[test]
fn a_checkpoint_that_does_not_read_is_passed_over_while_every_record_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    written(&path);
    let (journal, whole) = Journal::open(&path).unwrap();
    drop(journal);
    meddle(&path, |write| {
        // As a version would have left it whose World had other fields.
        drop(write.open_table(CHECKPOINT).unwrap().insert("world", br#"{"seq":10}"#.as_slice()).unwrap());
    });
    let (_, folded) = Journal::open(&path).unwrap();
    assert_eq!(folded, whole);
}

/// Redb trusts a file that was closed in order, and may read nonsense or panic when a bit of it has flipped since.
#[test]
fn a_file_with_a_flipped_bit_or_a_missing_end_is_refused_or_read_in_full_but_never_misread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    written(&path);
    let (journal, _) = Journal::open(&path).unwrap();
    let whole = records_of(&journal);
    drop(journal);
    let sound = fs::read(&path).unwrap();
    let used: Vec<usize> = (0..sound.len()).filter(|at| sound[*at] != 0).collect();
    let flips = used.iter().step_by(used.len() / 120).map(|at| {
        let mut bytes = sound.clone();
        bytes[*at] ^= 1 << (at % 8);
        (format!("bit {} of byte {at}", at % 8), bytes)
    });
    let cuts = (1..16).map(|part| {
        let len = sound.len() * part / 16;
        (format!("cut to {len} bytes"), sound[..len].to_vec())
    });
    let mut refused = 0;
    for (case, bytes) in flips.chain(cuts) {
        fs::write(&path, bytes).unwrap();
        match Journal::open(&path) {
            Ok((journal, _)) => assert_eq!(records_of(&journal), whole, "{case}"),
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains("journal.redb"), "{case}: {error}");
            }
        }
    }
    assert!(refused > 30, "most of these were damage: {refused} refused");
}

#[test]
fn a_file_that_is_no_journal_or_is_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let open = Journal::open(&path).unwrap();
    let taken = refusal(&path);
    assert!(taken.contains("in use by another greenroom"), "{taken}");
    drop(open);
    for other in [&b"this is no journal, and was none for a long time"[..], &[], &[0; 80_000]] {
        fs::write(&path, other).unwrap();
        let refusal = refusal(&path);
        assert!(refusal.contains("journal.redb") && refusal.contains("set it aside (mv "), "{refusal}");
        assert_eq!(fs::read(&path).unwrap(), other, "it is left as it was");
    }
    let nowhere = refusal(&folder.path().join("absent/journal.redb"));
    assert!(nowhere.contains("No such file or directory") && !nowhere.contains("set it aside"), "{nowhere}");
}

#[test]
fn a_new_journal_appears_whole_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    // What a process of the same number left that was killed while it made a journal.
    let left = folder.path().join(format!("journal.redb.new-{}", std::process::id()));
    fs::write(left, [0; 5000]).unwrap();
    drop(Journal::open(&path).unwrap());
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["journal.redb"]);
}
