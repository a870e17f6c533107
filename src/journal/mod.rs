//! Floor 3: the durable facts, in one `redb` file. This module is the only user of `redb`.
//!
//! ```text
//!   table "facts"       u64 number      -> one record, JSON        append only; trimmed up to the checkpoint at most
//!   table "checkpoint"  "world"         -> the World at some number, JSON in an LZ4 frame
//!   table "about"       "format"        -> 1
//! ```
//! Records are JSON because they must be readable by every later version and by people (`greenroom journal export`); a
//! record that does not read, or is not there, stops the start rather than get lost.
//!
//! **A batch is one transaction.** With a promise in it, it is synced before [`Journal::append`] returns; without one, it is
//! committed to memory and reaches the disk with the next synced batch, at the latest with [`Journal::sync`].
//!
//! The checkpoint is only a shortcut. One that does not read (a later version's World has other fields) is passed over
//! with a warning, as long as the records go back to the first.

mod checkpoint;
mod error;
mod medium;
mod reader;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::{Database, Durability, ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use crate::{
    model::{Moment, Record},
    world::World,
};

pub use checkpoint::Checkpoint;
pub use error::JournalError;
pub use reader::{Reader, Signed};
pub use redb::StorageBackend;

const FACTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("facts");
const CHECKPOINT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("checkpoint");
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");

/// What this version writes.
const FORMAT: u64 = 1;

/// How many records are kept for people to look back at, at least.
const KEPT: u64 = 1_000_000;

/// The journal, open for appending.
#[derive(Debug)]
pub struct Journal {
    database: Arc<Database>,
    path: PathBuf,
    latest: Moment,
    checkpointed: u64,
    unsynced: bool,
}

impl Journal {
    /// Opens or makes the journal at `path`, and folds it: the World as it was when the last synced batch was written.
    pub fn open(path: &Path) -> Result<(Self, World), JournalError> {
        Self::start(medium::file(path)?, path)
    }

    /// The same, on another medium: memory, or one that fails on purpose.
    pub fn on(medium: impl StorageBackend) -> Result<(Self, World), JournalError> {
        let path = Path::new("(memory)");
        Self::start(medium::backend(medium, path)?, path)
    }

    fn start(database: Database, path: &Path) -> Result<(Self, World), JournalError> {
        let mut journal = Self {
            database: Arc::new(database),
            path: path.to_owned(),
            latest: Moment::default(),
            checkpointed: 0,
            unsynced: false,
        };
        journal.prepare()?;
        let world = journal.replay()?;
        Ok((journal, world))
    }

    /// Makes the tables and checks the format.
    fn prepare(&self) -> Result<(), JournalError> {
        let write = self.write(Durability::Immediate)?;
        let found = {
            let mut about = write.open_table(ABOUT).map_err(|error| self.failed(error))?;
            let found = about.get("format").map_err(|error| self.failed(error))?.map(|format| format.value());
            if found.is_none() {
                about.insert("format", FORMAT).map_err(|error| self.failed(error))?;
            }
            write.open_table(FACTS).map_err(|error| self.failed(error))?;
            write.open_table(CHECKPOINT).map_err(|error| self.failed(error))?;
            found.unwrap_or(FORMAT)
        };
        if found > FORMAT {
            return Err(JournalError::Newer { path: self.path.clone(), found });
        }
        write.commit().map_err(|error| self.failed(error))
    }

    /// The checkpoint, and every record after it folded in. None of them may be missing.
    fn replay(&mut self) -> Result<World, JournalError> {
        let facts = self.facts()?;
        let mut world = self.checkpoint_of(&facts)?;
        self.checkpointed = world.seq;
        let newest = facts.last().map_err(|error| self.failed(error))?;
        let newest = newest.map(|(seq, json)| reader::record(&self.path, seq.value(), json.value())).transpose()?;
        if newest.as_ref().map_or(0, |record| record.seq) < world.seq {
            return Err(self.missing(world.seq));
        }
        for entry in facts.range(world.seq + 1..).map_err(|error| self.failed(error))? {
            let (seq, json) = entry.map_err(|error| self.failed(error))?;
            if seq.value() != world.seq + 1 {
                return Err(self.missing(world.seq + 1));
            }
            world.apply(&reader::record(&self.path, seq.value(), json.value())?);
        }
        self.latest = newest.map_or(Moment::default(), |record| record.at);
        Ok(world)
    }

    /// The World at the checkpoint; at the beginning of time when there is none, or none that can be used.
    fn checkpoint_of(&self, facts: &ReadOnlyTable<u64, &[u8]>) -> Result<World, JournalError> {
        let read = self.database.begin_read().map_err(|error| self.failed(error))?;
        let checkpoint = read.open_table(CHECKPOINT).map_err(|error| self.failed(error))?;
        let Some(bytes) = checkpoint.get("world").map_err(|error| self.failed(error))? else {
            return Ok(World::default());
        };
        let why = match checkpoint::world(bytes.value()) {
            Ok(world) => return Ok(world),
            Err(why) => why,
        };
        let first = facts.first().map_err(|error| self.failed(error))?.map(|(seq, _)| seq.value());
        if first != Some(1) {
            return Err(JournalError::Checkpoint { path: self.path.clone(), why });
        }
        tracing::warn!(
            why,
            "the checkpoint in the journal does not read: folding every fact instead, which gives the same World"
        );
        Ok(World::default())
    }

    /// Appends a batch. When it returns `Ok` and `durable` was asked for, the batch survives `kill -9` and power loss. When
    /// it fails, whether the batch is on the disk is unknown: drop the journal, and let the next start find out.
    pub fn append(&mut self, records: &[Record], durable: bool) -> Result<(), JournalError> {
        let write = self.write(if durable { Durability::Immediate } else { Durability::None })?;
        {
            let mut facts = write.open_table(FACTS).map_err(|error| self.failed(error))?;
            for record in records {
                let json = serde_json::to_vec(record).expect("facts are plain data with text keys");
                facts.insert(record.seq, json.as_slice()).map_err(|error| self.failed(error))?;
            }
        }
        write.commit().map_err(|error| self.failed(error))?;
        self.latest = records.last().map_or(self.latest, |record| record.at);
        self.unsynced = !durable;
        Ok(())
    }

    /// Brings everything appended so far to the disk.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        if self.unsynced {
            self.write(Durability::Immediate)?.commit().map_err(|error| self.failed(error))?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// Writes the World down, so that the next start need not fold what is in it; and drops records that are both older
    /// than it and beyond what is kept for people. It may be one that was: records after it are folded as ever.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), JournalError> {
        let write = self.write(Durability::Immediate)?;
        {
            let mut table = write.open_table(CHECKPOINT).map_err(|error| self.failed(error))?;
            table.insert("world", checkpoint.bytes()).map_err(|error| self.failed(error))?;
            let mut facts = write.open_table(FACTS).map_err(|error| self.failed(error))?;
            let oldest_kept = checkpoint.seq().saturating_sub(KEPT);
            facts.retain_in(..oldest_kept, |_, _| false).map_err(|error| self.failed(error))?;
        }
        write.commit().map_err(|error| self.failed(error))?;
        self.checkpointed = checkpoint.seq();
        self.unsynced = false;
        Ok(())
    }

    /// The number of the last record that the checkpoint has folded in: 0 without one.
    pub fn checkpointed(&self) -> u64 {
        self.checkpointed
    }

    /// When the newest record was written; 1970 in an empty journal.
    pub fn latest(&self) -> Moment {
        self.latest
    }

    /// Every record that is kept, in order, read as they are asked for: a million of them need no room.
    pub fn records(&self) -> Result<impl Iterator<Item = Result<Record, JournalError>>, JournalError> {
        reader::records(&self.database, &self.path, 0)
    }

    /// A way to read records while the journal is appended to.
    pub fn reader(&self) -> Reader {
        Reader::new(&self.database, &self.path)
    }

    fn facts(&self) -> Result<ReadOnlyTable<u64, &'static [u8]>, JournalError> {
        reader::facts(&self.database, &self.path)
    }

    fn write(&self, durability: Durability) -> Result<WriteTransaction, JournalError> {
        let mut write = self.database.begin_write().map_err(|error| self.failed(error))?;
        write.set_durability(durability).map_err(|error| self.failed(error))?;
        Ok(write)
    }

    fn missing(&self, seq: u64) -> JournalError {
        JournalError::Missing { path: self.path.clone(), seq }
    }

    fn failed(&self, error: impl Into<redb::Error>) -> JournalError {
        JournalError::from_redb(&self.path, error)
    }
}
