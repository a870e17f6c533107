//! `greenroom predict eval --journal`.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use crate::{
    journal::Journal,
    model::{Record, Seconds},
    predict::learn::{Experience, News, review},
};

use super::{Done, Global, say, say_json, status::say_report};

/// The longest line of an export that is read, in bytes: facts are far shorter.
const LONGEST: u64 = 1 << 20;

/// How often there are lessons, as in a configuration that says nothing of it.
const EVERY: Seconds = Seconds(900);

/// How every file of the journal begins: redb's magic number.
const REDB: &[u8] = b"redb";

pub(super) fn run(file: Option<PathBuf>, global: &Global) -> Done {
    let path = match file {
        Some(path) => path,
        None => global.config()?.state_dir.join("journal.redb"),
    };
    let mut experience = Experience::default();
    // What is made of the news is nothing to this command; it is emptied so that it does not grow.
    let mut fold = |record: &Record| experience.apply(record, &mut News::default());
    match is_journal(&path)? {
        true => {
            let (journal, _) = Journal::open(&path).map_err(|error| error.to_string())?;
            for record in journal.records().map_err(|error| error.to_string())? {
                fold(&record.map_err(|error| error.to_string())?);
            }
        }
        false => export(&path, fold)?,
    }
    let facts = experience.seq();
    let examples = experience.examples().cloned().collect();
    let report = review(examples, EVERY, &mut |_| ControlFlow::Continue(())).map_err(|error| error.to_string())?;
    if global.json {
        return say_json(&report);
    }
    say(&format!("{facts} facts taught {} examples.", experience.examples().len()));
    say_report(&report);
    say(&report.why);
    Ok(())
}

fn is_journal(path: &Path) -> Result<bool, String> {
    let mut start = vec![];
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    file.take(REDB.len() as u64).read_to_end(&mut start).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(start == REDB)
}

/// Reads what `greenroom journal export` printed.
fn export(path: &Path, mut fold: impl FnMut(&Record)) -> Result<(), String> {
    let told = |line: usize, why: &dyn std::fmt::Display| format!("{}:{line}: {why}", path.display());
    let mut reader = BufReader::new(File::open(path).map_err(|error| format!("{}: {error}", path.display()))?);
    let mut last = 0;
    for line in 1.. {
        let mut text = vec![];
        let read = reader.by_ref().take(LONGEST).read_until(b'\n', &mut text).map_err(|error| told(line, &error))?;
        if read == 0 {
            break;
        }
        if read as u64 == LONGEST {
            return Err(told(line, &"this line is too long for a fact: is this an export of a journal?"));
        }
        let record: Record = serde_json::from_slice(&text)
            .map_err(|error| told(line, &format!("no fact ({error}): `greenroom journal export` prints them")))?;
        if record.seq <= last {
            return Err(told(line, &format!("fact {} comes after fact {last}: the oldest come first", record.seq)));
        }
        last = record.seq;
        fold(&record);
    }
    Ok(())
}
