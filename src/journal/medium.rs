//! Where a journal lies: a file that appears whole or not at all, or any other [`StorageBackend`].

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::Path,
};

use redb::{Builder, Database, StorageBackend};

use super::JournalError;

/// How much of the file redb keeps in memory, in bytes. What is read often is in the World; by itself redb would keep a
/// gigabyte once somebody has looked through the past.
const CACHE: usize = 64 << 20;

/// Opens the file at `path`, or makes it.
pub(super) fn file(path: &Path) -> Result<Database, JournalError> {
    if !path.try_exists().map_err(|error| JournalError::from_redb(path, redb::Error::Io(error)))? {
        make(path).map_err(|error| JournalError::from_redb(path, error))?;
    }
    checked().open(path).map_err(|error| JournalError::from_redb(path, error))
}

/// Opens a medium that may be empty.
pub(super) fn backend(medium: impl StorageBackend, name: &Path) -> Result<Database, JournalError> {
    checked().create_with_backend(medium).map_err(|error| JournalError::from_redb(name, error))
}

/// Every page is checked against its checksum at each start, not only after a crash. A bit that flipped on the disk would
/// otherwise be read as somebody's lease, and redb says that it may panic on such a file. Measured: 0.3 s for the million
/// facts that are kept (270 MB), what an open after `kill -9` costs anyway.
fn checked() -> Builder {
    let mut builder = Database::builder();
    builder.set_check_integrity_on_open(true).set_cache_size(CACHE);
    builder
}

/// Makes an empty database and then gives it its name: a process killed while redb writes the first pages would otherwise
/// leave a file that no later start accepts. The folder is synced too, since a file whose name is lost in a power cut
/// takes every promise in it along.
fn make(path: &Path) -> Result<(), redb::Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    let new = Path::new(&name);
    // An older process of this number was killed right here; what it left holds nothing.
    absent_is_fine(fs::remove_file(new))?;
    Database::create(new)?.close()?;
    // A link, unlike a renaming, does not replace the journal that another process may have made in the meantime.
    let linked = fs::hard_link(new, path);
    fs::remove_file(new)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        linked => linked?,
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

fn absent_is_fine(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
