//! Reading the journal while the engine appends to it: for whoever learns from all that happened, or tells others of it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use redb::{Database, ReadOnlyTable, ReadableDatabase};

use crate::model::Record;

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
        let database = self.database.upgrade().ok_or_else(|| JournalError::Closed { path: self.path.clone() })?;
        records(&database, &self.path, seq)
    }
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
