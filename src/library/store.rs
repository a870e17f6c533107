//! The versions that were served: what git cannot give back when a boot was served an edit that was never committed, or a
//! library that is in no git.
//!
//! ```text
//!   <state_dir>/personas/<version>.yaml    the composed text of one version; its name is its git blob id
//! ```
//! **A version is here before any boot can be planned with it**, or a warning says that it is not: the disk is full, say,
//! and devices boot all the same. A file appears under its name only when it is whole and on disk; what a crash leaves
//! behind is swept away at the next start. Nothing is ever removed: a version is a few kilobytes, and each is there once.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    document::{Document, yaml},
    model::Version,
    persona::{Persona, catalog::Entry},
};

/// What files are called until they are whole.
const UNREADY: &str = "new";

/// Why a version is not stored, or cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk.
    #[error("{path}: {error}")]
    Disk {
        /// Which file or folder.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// What is there is not what its name says.
    #[error("{path} is damaged: it does not hold the version that it is called")]
    Damaged {
        /// Which file.
        path: String,
    },
    /// It was never stored.
    #[error("version {version} was never stored in {folder}")]
    Unknown {
        /// Which.
        version: String,
        /// Where it would be.
        folder: String,
    },
}

/// A folder of versions. All clones are one.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
    held: Arc<Mutex<BTreeSet<Version>>>,
}

impl Store {
    /// Opens the store, and sweeps away what a crash left unfinished. The folder is for its owner only: personas hold
    /// password hashes.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let disk = |error| at(dir, error);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(disk)?;
        let mut held = BTreeSet::new();
        for entry in fs::read_dir(dir).map_err(disk)? {
            let path = entry.map_err(disk)?.path();
            match (path.extension().and_then(OsStr::to_str), path.file_stem().and_then(OsStr::to_str)) {
                (Some(UNREADY), _) => fs::remove_file(&path).map_err(|error| at(&path, error))?,
                (Some("yaml"), Some(version)) => drop(held.insert(Version::new(version))),
                _ => {}
            }
        }
        Ok(Self { dir: dir.to_owned(), held: Arc::new(Mutex::new(held)) })
    }

    fn held(&self) -> MutexGuard<'_, BTreeSet<Version>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this version is here.
    pub fn holds(&self, version: &Version) -> bool {
        self.held().contains(version)
    }

    /// Stores what is not here yet. All of it is written first, then brought to the disk in one go, and only then named.
    pub fn keep<'a>(&mut self, entries: impl IntoIterator<Item = &'a Entry>) -> Result<usize, StoreError> {
        let new = entries.into_iter().filter(|entry| !self.holds(&entry.reference.version));
        // Two names may say the same.
        let new: BTreeMap<&Version, &Entry> = new.map(|entry| (&entry.reference.version, entry)).collect();
        let mut written = vec![];
        for entry in new.into_values() {
            match self.write(entry) {
                Ok(paths) => written.push((entry.reference.version.clone(), paths)),
                Err(error) => {
                    // Half of a version is none; and on a full disk, room is what is needed.
                    written.iter().for_each(|(_, (unready, _))| drop(fs::remove_file(unready)));
                    return Err(error);
                }
            }
        }
        if written.is_empty() {
            return Ok(0);
        }
        let folder = File::open(&self.dir).map_err(|error| at(&self.dir, error))?;
        nix::unistd::syncfs(&folder).map_err(|error| at(&self.dir, error.into()))?;
        let count = written.len();
        for (version, (unready, path)) in written {
            fs::rename(&unready, &path).map_err(|error| at(&path, error))?;
            self.held().insert(version);
        }
        folder.sync_all().map_err(|error| at(&self.dir, error))?;
        Ok(count)
    }

    fn write(&self, entry: &Entry) -> Result<(PathBuf, PathBuf), StoreError> {
        let path = self.path(&entry.reference.version);
        let unready = path.with_extension(UNREADY);
        let failed = |error| {
            drop(fs::remove_file(&unready));
            at(&unready, error)
        };
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unready).map_err(failed)?;
        file.write_all(yaml::to_string(&*entry.persona).as_bytes()).map_err(failed)?;
        Ok((unready, path))
    }

    /// The persona of a version that was served once.
    pub fn read(&self, version: &Version) -> Result<Arc<Persona>, StoreError> {
        let folder = self.dir.display().to_string();
        let unknown = || StoreError::Unknown { version: version.as_str().to_owned(), folder };
        // A version comes from the journal; as a file name it must be nothing else.
        if !self.holds(version) {
            return Err(unknown());
        }
        let path = self.path(version);
        let bytes = fs::read(&path).map_err(|error| at(&path, error))?;
        let damaged = || StoreError::Damaged { path: path.display().to_string() };
        if super::load::git_blob_id(&bytes) != version.as_str() {
            return Err(damaged());
        }
        let document = Document::read(path.display().to_string(), bytes).map_err(|_| damaged())?;
        document.parse().map(Arc::new).map_err(|_| damaged())
    }

    fn path(&self, version: &Version) -> PathBuf {
        self.dir.join(format!("{}.yaml", version.as_str()))
    }
}

/// A version that was served once, when there is a store.
pub(super) fn read(store: Option<&Store>, version: &Version) -> Result<Arc<Persona>, StoreError> {
    let unknown = || StoreError::Unknown { version: version.as_str().to_owned(), folder: "(no store)".into() };
    store.ok_or_else(unknown)?.read(version)
}

fn at(path: &Path, error: io::Error) -> StoreError {
    StoreError::Disk { path: path.display().to_string(), error }
}
