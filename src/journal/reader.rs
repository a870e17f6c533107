//! Reading the journal while the engine appends to it: for whoever learns from all that happened, or tells others of it.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable};
use serde::Deserialize;

use crate::model::{DeviceId, Moment, Record};

use super::{FACTS, JournalError};

/// A way to read the journal. It does not keep it open: when the engine has ended, nothing is read any more.
#[derive(Debug, Clone)]
pub struct Reader {
    database: Weak<Database>,
    path: PathBuf,
}

impl Reader {
    pub(super) fn new(database: &Arc<Database>, path: &Path) -> Self {
        Self { database: Arc::downgrade(database), path: path.to_owned() }
    }

    /// Every record from the number `seq` on that is kept, in order, as of now; read as they are asked for.
    pub fn records_from(
        &self,
        seq: u64,
    ) -> Result<impl Iterator<Item = Result<Record, JournalError>> + use<>, JournalError> {
        records(&*self.database()?, &self.path, seq)
    }

    /// The number of the first record that is kept; `None` in an empty journal.
    pub fn first(&self) -> Result<Option<u64>, JournalError> {
        let facts = facts(&*self.database()?, &self.path)?;
        let first = facts.first().map_err(|error| JournalError::from_redb(&self.path, error))?;
        Ok(first.map(|(seq, _)| seq.value()))
    }

    /// The records with these numbers, as far as they are kept.
    pub fn records_of(&self, numbers: impl IntoIterator<Item = u64>) -> Result<Vec<Record>, JournalError> {
        let facts = facts(&*self.database()?, &self.path)?;
        let mut found = vec![];
        for seq in numbers {
            if let Some(json) = facts.get(seq).map_err(|error| JournalError::from_redb(&self.path, error))? {
                found.push(record(&self.path, seq, json.value())?);
            }
        }
        Ok(found)
    }

    /// What somebody put their name to, among the records with these numbers; and when the first of them was written. Nothing
    /// but the top of each is made sense of, which takes a fraction of the time.
    pub fn signed(&self, numbers: Range<u64>) -> Result<(Vec<Signed>, Option<Moment>), JournalError> {
        let facts = facts(&*self.database()?, &self.path)?;
        let (mut signed, mut began) = (vec![], None);
        for entry in facts.range(numbers).map_err(|error| JournalError::from_redb(&self.path, error))? {
            let (seq, json) = entry.map_err(|error| JournalError::from_redb(&self.path, error))?;
            let seq = seq.value();
            let top: Top<'_> = serde_json::from_slice(json.value()).map_err(|error| JournalError::Record {
                path: self.path.clone(),
                seq,
                why: error.to_string(),
            })?;
            began = began.or(Some(top.at));
            if let Some(by) = top.by {
                signed.push(Signed { seq, at: top.at, fact: top.fact.into(), by, device: top.device });
            }
        }
        Ok((signed, began))
    }

    fn database(&self) -> Result<Arc<Database>, JournalError> {
        self.database.upgrade().ok_or_else(|| JournalError::Closed { path: self.path.clone() })
    }
}

/// The top of a record that somebody put their name to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Its number.
    pub seq: u64,
    /// When it was written.
    pub at: Moment,
    /// What the fact is called: `persona-assigned`.
    pub fact: String,
    /// Who.
    pub by: String,
    /// The device that it is about.
    pub device: Option<DeviceId>,
}

/// The same of any record, while it is read.
#[derive(Deserialize)]
struct Top<'a> {
    at: Moment,
    fact: &'a str,
    by: Option<String>,
    device: Option<DeviceId>,
}

/// The records from a number on.
pub(super) fn records(
    database: &Database,
    path: &Path,
    seq: u64,
) -> Result<impl Iterator<Item = Result<Record, JournalError>> + use<>, JournalError> {
    let entries = facts(database, path)?.range(seq..).map_err(|error| JournalError::from_redb(path, error))?;
    let path = path.to_owned();
    Ok(entries.map(move |entry| {
        let (seq, json) = entry.map_err(|error| JournalError::from_redb(&path, error))?;
        record(&path, seq.value(), json.value())
    }))
}

/// The table of the records, as it is now.
pub(super) fn facts(database: &Database, path: &Path) -> Result<ReadOnlyTable<u64, &'static [u8]>, JournalError> {
    let read = database.begin_read().map_err(|error| JournalError::from_redb(path, error))?;
    read.open_table(FACTS).map_err(|error| JournalError::from_redb(path, error))
}

/// One record. It knows its own number.
pub(super) fn record(path: &Path, seq: u64, json: &[u8]) -> Result<Record, JournalError> {
    let unreadable = |why| JournalError::Record { path: path.to_owned(), seq, why };
    let record: Record = serde_json::from_slice(json).map_err(|error| unreadable(error.to_string()))?;
    if record.seq != seq {
        return Err(unreadable(format!("it calls itself {}", record.seq)));
    }
    Ok(record)
}
