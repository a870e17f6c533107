//! Floor 3: the durable facts, in one `redb` file. This module is the only user of `redb`.
//!
//! ```text
//!   table "facts"       u64 number      -> one record, JSON        append only; trimmed from the front, never past the checkpoint
//!   table "checkpoint"  "world"         -> the World at some number, JSON
//!   table "about"       "format"        -> 1
//! ```
//! Records are JSON because they must be readable by every later version and by people (`greenroom journal export`);
//! unknown facts stop the start rather than get lost.
//!
//! **A batch is one transaction.** With a promise in it, it is synced before [`Journal::append`] returns; without one, it is
//! committed to memory and reaches the disk with the next synced batch, at the latest with [`Journal::sync`].

use std::path::{Path, PathBuf};

use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use crate::{model::Record, world::World};

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
    database: Database,
    path: PathBuf,
    unsynced: bool,
}

/// Why the journal cannot be used. Each message says which file, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has it open.
    #[error("the journal {0} is in use by another greenroom: stop that one first")]
    InUse(PathBuf),
    /// It was written by a newer version.
    #[error("the journal {path} has format {found}, and this version reads {FORMAT}: run the newer greenroom")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// A record does not read.
    #[error(
        "record {seq} of the journal {path} does not read ({why}): move the file away to start without leases and \
         assignments, or restore a copy"
    )]
    Record {
        /// The file.
        path: PathBuf,
        /// The record's number; 0 for the checkpoint.
        seq: u64,
        /// What is wrong.
        why: String,
    },
    /// The file system or the file failed.
    #[error("the journal {path} failed: {why}; check the disk, or move the file away to start empty")]
    Storage {
        /// The file.
        path: PathBuf,
        /// What redb says.
        why: String,
    },
}

impl Journal {
    /// Opens or makes the journal at `path`, and folds it: the World as it was when the last synced batch was written.
    pub fn open(path: &Path) -> Result<(Self, World), JournalError> {
        let opened = Database::create(path);
        Self::start(opened.map_err(|error| open_error(path, &error))?, path)
    }

    /// The same, on another medium: memory, or one that fails on purpose.
    pub fn on(medium: impl StorageBackend) -> Result<(Self, World), JournalError> {
        let path = Path::new("(memory)");
        let opened = Database::builder().create_with_backend(medium);
        Self::start(opened.map_err(|error| open_error(path, &error))?, path)
    }

    fn start(database: Database, path: &Path) -> Result<(Self, World), JournalError> {
        let journal = Self { database, path: path.to_owned(), unsynced: false };
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

    /// The checkpoint, and every record after it folded in.
    fn replay(&self) -> Result<World, JournalError> {
        let read = self.database.begin_read().map_err(|error| self.failed(error))?;
        let checkpoint = read.open_table(CHECKPOINT).map_err(|error| self.failed(error))?;
        let mut world = match checkpoint.get("world").map_err(|error| self.failed(error))? {
            Some(json) => serde_json::from_slice(json.value()).map_err(|error| self.unreadable(0, &error))?,
            None => World::default(),
        };
        let facts = read.open_table(FACTS).map_err(|error| self.failed(error))?;
        for entry in facts.range(world.seq + 1..).map_err(|error| self.failed(error))? {
            let (seq, json) = entry.map_err(|error| self.failed(error))?;
            let record = serde_json::from_slice(json.value()).map_err(|error| self.unreadable(seq.value(), &error))?;
            world.apply(&record);
        }
        Ok(world)
    }

    /// Appends a batch. When it returns `Ok` and `durable` was asked for, the batch survives `kill -9` and power loss.
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
    /// than it and beyond what is kept for people.
    pub fn checkpoint(&mut self, world: &World) -> Result<(), JournalError> {
        let json = serde_json::to_vec(world).expect("the World is plain data with text keys");
        let write = self.write(Durability::Immediate)?;
        {
            let mut checkpoint = write.open_table(CHECKPOINT).map_err(|error| self.failed(error))?;
            checkpoint.insert("world", json.as_slice()).map_err(|error| self.failed(error))?;
            let mut facts = write.open_table(FACTS).map_err(|error| self.failed(error))?;
            let oldest_kept = world.seq.saturating_sub(KEPT);
            facts.retain_in(..oldest_kept, |_, _| false).map_err(|error| self.failed(error))?;
        }
        write.commit().map_err(|error| self.failed(error))?;
        self.unsynced = false;
        Ok(())
    }

    /// Every record that is kept, in order.
    pub fn records(&self) -> Result<Vec<Record>, JournalError> {
        let read = self.database.begin_read().map_err(|error| self.failed(error))?;
        let facts = read.open_table(FACTS).map_err(|error| self.failed(error))?;
        let entries = facts.iter().map_err(|error| self.failed(error))?;
        let record = |entry: Result<(redb::AccessGuard<'_, u64>, redb::AccessGuard<'_, &[u8]>), redb::StorageError>| {
            let (seq, json) = entry.map_err(|error| self.failed(error))?;
            serde_json::from_slice(json.value()).map_err(|error| self.unreadable(seq.value(), &error))
        };
        entries.map(record).collect()
    }

    fn write(&self, durability: Durability) -> Result<WriteTransaction, JournalError> {
        let mut write = self.database.begin_write().map_err(|error| self.failed(error))?;
        write.set_durability(durability).map_err(|error| self.failed(error))?;
        Ok(write)
    }

    fn failed(&self, error: impl std::fmt::Display) -> JournalError {
        JournalError::Storage { path: self.path.clone(), why: error.to_string() }
    }

    fn unreadable(&self, seq: u64, error: &serde_json::Error) -> JournalError {
        JournalError::Record { path: self.path.clone(), seq, why: error.to_string() }
    }
}

fn open_error(path: &Path, error: &redb::DatabaseError) -> JournalError {
    match error {
        redb::DatabaseError::DatabaseAlreadyOpen => JournalError::InUse(path.to_owned()),
        error => JournalError::Storage { path: path.to_owned(), why: error.to_string() },
    }
}
