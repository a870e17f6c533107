//! Files of the folder, exchanged in one step, and put back.
//!
//! ```text
//!   .kiosk.yaml.saving (new text, on disk)  <── exchanged ──>  kiosk.yaml        then .kiosk.yaml.saving has what was there
//!                                                                                is it what was to be replaced? no: back
//! ```
//! Between the last look at a file and its replacement somebody may write it. So it is looked at again once it is out of the
//! way; the old bytes stay beside until the commit is made. What a crash leaves is the old file or the new one, and a hidden
//! file with the other.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

use rustix::{
    fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with},
    io::Errno,
};

use super::{
    super::owner::give,
    Base, NotSaved,
    commit::{LOCKED, STEP},
};

/// A change of one file, done, and not yet final. It is put back unless it is [kept](Written::keep).
#[derive(Debug)]
pub(super) struct Written {
    path: PathBuf,
    /// Where the old bytes are; nothing when there was no file.
    aside: Option<PathBuf>,
    /// What was written; nothing when the file was removed.
    now: Base,
    kept: bool,
}

/// Waits until no other process of ours writes in this folder; none does as long as the result lives. A file system that
/// knows no such locks leaves it to git's.
pub(super) fn alone(dir: &Path) -> Result<Option<File>, NotSaved> {
    let folder = File::open(dir).map_err(|error| disk(dir, &error))?;
    let end = Instant::now() + LOCKED;
    loop {
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Some(folder)),
            Err(Errno::WOULDBLOCK) if Instant::now() > end => {
                return Err(NotSaved::Busy("Another Greenroom writes there".into()));
            }
            Err(Errno::WOULDBLOCK) => thread::sleep(STEP),
            Err(_) => return Ok(None),
        }
    }
}

/// The bytes of a file of the library; nothing when there is none.
pub(super) fn bytes(path: &Path) -> Result<Option<Vec<u8>>, NotSaved> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(disk(path, &error)),
        Ok(metadata) if !metadata.is_file() => {
            return Err(NotSaved::Disk {
                path: path.display().to_string(),
                error: "this is no plain file; what git has must be all there is: put the file itself here".into(),
            });
        }
        Ok(_) => {}
    }
    fs::read(path).map(Some).map_err(|error| disk(path, &error))
}

/// What the system says of a file, with what to do.
pub(super) fn disk(path: &Path, error: &io::Error) -> NotSaved {
    let help = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            ": the user that Greenroom runs as may not write there; give the folder to it, or edit the library in git"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            ": the file system is read-only; edit the library in git, where it comes from"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ": make room, and save again",
        _ => "",
    };
    NotSaved::Disk { path: path.display().to_string(), error: format!("{error}{help}") }
}

/// Puts `text` in the place of the file that is still `base`; without a text, removes that file. Returns nothing when the file
/// was changed at this very moment: it is as somebody else wrote it then.
pub(super) fn replace(path: &Path, base: &Base, text: Option<&str>) -> Result<Option<Written>, NotSaved> {
    let failed = |error: io::Error| disk(path, &error);
    let aside = aside(path);
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let now = text.map_or(Base::Absent, |text| Base::of(text.as_bytes()));
    let done = match (text, base) {
        (Some(text), Base::Absent) => {
            unready(&aside, path, text).map_err(failed)?;
            // A second name fails when the first is there.
            match fs::hard_link(&aside, path).and_then(|()| fs::remove_file(&aside)) {
                Ok(()) => Some(Written { path: path.to_owned(), aside: None, now, kept: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
                Err(error) => return Err(undone(&aside, path, error)),
            }
        }
        (Some(text), Base::Blob(_)) => {
            unready(&aside, path, text).map_err(failed)?;
            match exchange(&aside, path) {
                Ok(()) => Some(Written { path: path.to_owned(), aside: Some(aside.clone()), now, kept: false }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(undone(&aside, path, error)),
            }
        }
        (None, Base::Absent) => None,
        (None, Base::Blob(_)) => match fs::rename(path, &aside) {
            Ok(()) => Some(Written { path: path.to_owned(), aside: Some(aside.clone()), now, kept: false }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        },
    };
    let Some(written) = done else {
        drop(fs::remove_file(&aside));
        return Ok(None);
    };
    // What is out of the way cannot be written by its name any more: this look is the last that is needed.
    let was = match &written.aside {
        Some(aside) => bytes(aside)?.map_or(Base::Absent, |bytes| Base::of(&bytes)),
        None => Base::Absent,
    };
    if was != *base {
        return Ok(None);
    }
    sync(path).map_err(failed)?;
    Ok(Some(written))
}

/// Has two files change their names. File systems that cannot (NFS) have a moment more in which somebody's edit is not seen.
fn exchange(aside: &Path, path: &Path) -> io::Result<()> {
    match renameat_with(CWD, aside, CWD, path, RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            let old = aside.with_extension("old");
            drop(fs::remove_file(&old));
            fs::hard_link(path, &old)?;
            fs::rename(aside, path)?;
            fs::rename(&old, aside)
        }
        done => Ok(done?),
    }
}

/// The new text in a file beside, with the mode and the owner of the old one.
fn unready(aside: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mode = fs::metadata(path).map_or(0o644, |metadata| metadata.mode() & 0o777);
    let written = OpenOptions::new().write(true).create_new(true).open(aside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.set_permissions(Permissions::from_mode(mode))?;
        give(&file, if path.exists() { path } else { path.parent().unwrap_or(path) })?;
        file.sync_all()
    });
    if written.is_err() {
        drop(fs::remove_file(aside));
    }
    written
}

fn undone(aside: &Path, path: &Path, error: io::Error) -> NotSaved {
    drop(fs::remove_file(aside));
    disk(path, &error)
}

fn sync(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// A hidden file is no document, whatever it is called.
fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.saving"))
}

impl Written {
    /// It stays so.
    pub(super) fn keep(mut self) {
        self.kept = true;
        if let Some(aside) = &self.aside {
            drop(fs::remove_file(aside));
        }
    }

    /// Whether the file still is what was written: if not, somebody has taken it over, and what they wrote stays.
    fn is_ours(&self) -> bool {
        bytes(&self.path).is_ok_and(|bytes| bytes.map_or(Base::Absent, |bytes| Base::of(&bytes)) == self.now)
    }
}

impl Drop for Written {
    /// Whatever went wrong, a panic included: the file is as it was.
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let back = match &self.aside {
            _ if !self.is_ours() => Ok(()),
            Some(aside) => fs::rename(aside, &self.path),
            None => fs::remove_file(&self.path),
        };
        if let Err(error) = back.and_then(|()| sync(&self.path)) {
            tracing::error!(path = %self.path.display(), %error, "a file of the library could not be put back");
        }
    }
}
