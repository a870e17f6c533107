//! Where a library's documents lie: in its folder, or in a commit that was read into memory. Reading them is one code.
//!
//! In a folder lies what people put there: links, pipes, a hundred megabytes. Only a file of the library is ever opened,
//! never waited for, and never read beyond what a document may hold.

use std::{
    collections::BTreeMap,
    fs::{self, File, FileType, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use nix::fcntl::OFlag;

use crate::document::{Problem, Source, source::MAX_BYTES};

/// A file that was written less than this before it was looked at may be written again without looking otherwise: clocks of
/// file systems tick slowly.
const TICK: Duration = Duration::from_secs(2);

/// The files of a library.
#[derive(Debug, Clone)]
pub(super) enum Files {
    /// Those of a folder, as they are now.
    Folder(PathBuf),
    /// Those of a commit: their bytes, by their paths from the library's folder, and that folder for people and for what is
    /// named relative to it.
    Commit {
        /// The library's folder.
        dir: PathBuf,
        /// What the commit holds there.
        files: BTreeMap<PathBuf, Vec<u8>>,
    },
    /// Those of a folder as they would be after a change.
    Drafted {
        /// The library's folder.
        dir: PathBuf,
        /// What is otherwise than in the folder, by whole paths; without bytes, it is gone.
        changed: BTreeMap<PathBuf, Option<Vec<u8>>>,
    },
}

impl Files {
    /// The library's folder.
    pub(super) fn dir(&self) -> &Path {
        match self {
            Self::Folder(dir) | Self::Commit { dir, .. } | Self::Drafted { dir, .. } => dir,
        }
    }

    /// Whether there is a library at all.
    pub(super) fn exist(&self) -> bool {
        match self {
            Self::Folder(dir) => dir.is_dir(),
            Self::Commit { .. } | Self::Drafted { .. } => true,
        }
    }

    /// The YAML files of one of the library's folders (`""` is its own), in order, with what is called as one and is none.
    /// Hidden ones and those that editors leave behind are not documents.
    pub(super) fn documents(&self, folder: &str) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = match self {
            Self::Folder(dir) => in_folder(&dir.join(folder)).collect(),
            Self::Drafted { dir, changed } => {
                let folder = dir.join(folder);
                let new = changed.iter().filter(|(_, bytes)| bytes.is_some()).map(|(path, _)| path.clone());
                let new = new.filter(|path| path.parent() == Some(folder.as_path()));
                in_folder(&folder).filter(|path| !changed.contains_key(path)).chain(new).collect()
            }
            Self::Commit { dir, files } => {
                let inside = files.keys().filter(|path| path.parent() == Some(Path::new(folder)));
                inside.filter(|path| is_document(path)).map(|path| dir.join(path)).collect()
            }
        };
        paths.sort();
        paths
    }

    /// The text of one file, named as [`Self::documents`] does.
    pub(super) fn read(&self, path: &Path) -> Result<Source, Problem> {
        let shown = path.display().to_string();
        let bytes = match self {
            Self::Folder(dir) => read(path, dir)?,
            Self::Drafted { dir, changed } => match changed.get(path) {
                Some(bytes) => bytes.clone().unwrap_or_default(),
                None => read(path, dir)?,
            },
            Self::Commit { dir, files } => {
                let found = path.strip_prefix(dir).ok().and_then(|path| files.get(path));
                let missing = || Problem::of_file(&shown, "GR005", "the file is not in this commit", "");
                found.cloned().ok_or_else(missing)?
            }
        };
        Source::new(shown, bytes)
    }

    /// What can be seen of one file without reading it.
    pub(super) fn stamp(&self, path: &Path) -> Option<Stamp> {
        match self {
            Self::Folder(_) => fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata)),
            Self::Commit { .. } => None,
            // A draft that was is no file, and may be another one now.
            Self::Drafted { changed, .. } if changed.contains_key(path) => None,
            Self::Drafted { .. } => fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata)),
        }
    }
}

fn in_folder(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| is_document(path))
}

/// What can be seen of a file without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: (u64, u64),
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    /// Whether it was written so lately that it may change unseen.
    is_fresh: bool,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let age = metadata.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        Self {
            inode: (metadata.dev(), metadata.ino()),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            is_fresh: age.is_none_or(|age| age < TICK),
        }
    }

    /// Whether the file is surely as it was when it had this stamp.
    pub(super) fn vouches_for(&self, now: &Self) -> bool {
        !self.is_fresh && self.looks_as(now)
    }

    /// Whether both look the same.
    pub(super) fn looks_as(&self, other: &Self) -> bool {
        (self.inode, self.len, self.modified, self.changed) == (other.inode, other.len, other.modified, other.changed)
    }
}

fn is_document(path: &Path) -> bool {
    let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    yaml && !stem(path).starts_with(['.', '#'])
}

/// What a document is called.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The bytes of a file that lies in `dir`.
fn read(path: &Path, dir: &Path) -> Result<Vec<u8>, Problem> {
    let shown = path.display().to_string();
    let failed = |error: io::Error| {
        let help = match error.kind() {
            _ if path.is_symlink() => "it is a link that leads nowhere",
            io::ErrorKind::NotFound => "it went away while the library was read",
            _ => "check its permissions",
        };
        Problem::of_file(&shown, "GR005", format!("the file cannot be read: {error}"), help)
    };
    let real = path.canonicalize().map_err(failed)?;
    let within = dir.canonicalize().map_err(failed)?;
    if !real.starts_with(&within) {
        let message = format!("this leads out of the library, to {}", real.display());
        return Err(Problem::of_file(
            &shown,
            "GR005",
            message,
            "put the file itself here: what git has must be all there is",
        ));
    }
    let no_file = |kind: FileType| {
        let what = match kind {
            kind if kind.is_dir() => "a folder",
            kind if kind.is_fifo() => "a pipe",
            kind if kind.is_socket() => "a socket",
            _ => "a device",
        };
        let help = "rename it, or move it out of the library";
        Problem::of_file(&shown, "GR005", format!("this is {what}, and is called as a document is"), help)
    };
    let kind = fs::metadata(&real).map_err(failed)?.file_type();
    if !kind.is_file() {
        return Err(no_file(kind));
    }
    // It may have become something else by now: a pipe would be waited for, a link followed.
    let flags = (OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW).bits();
    let file: File = OpenOptions::new().read(true).custom_flags(flags).open(&real).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(no_file(metadata.file_type()));
    }
    if metadata.len() > MAX_BYTES as u64 {
        return Err(Source::too_large(&shown));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
