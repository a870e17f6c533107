//! Why a journal cannot be used. What is in it was promised to somebody, so none of these is ever passed over in silence:
//! each stops the daemon, and says which file is meant and what an operator can do.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has it open.
    #[error("the journal {} is in use by another greenroom: stop that one first", .0.display())]
    InUse(PathBuf),
    /// It was written by a newer version.
    #[error("the journal {} has format {found}, newer than this greenroom reads: run the newer one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// A record does not read.
    #[error(
        "record {seq} of the journal {} does not read ({why}): if a newer greenroom wrote it, run that one; else {}",
        path.display(), remedy(path)
    )]
    Record {
        /// The file.
        path: PathBuf,
        /// The record's number.
        seq: u64,
        /// What is wrong.
        why: String,
    },
    /// A record is not there.
    #[error("record {seq} of the journal {} is missing: {}", path.display(), remedy(path))]
    Missing {
        /// The file.
        path: PathBuf,
        /// The first number that is missing.
        seq: u64,
    },
    /// The checkpoint does not read, and the records before it are no longer all there to do without it.
    #[error(
        "the checkpoint in the journal {} does not read ({why}): if a newer greenroom wrote it, run that one; else {}",
        path.display(), remedy(path)
    )]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The file is not what was written: a checksum fails, or it is no journal at all.
    #[error("the journal {} is damaged ({why}): {}", path.display(), remedy(path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What redb says.
        why: String,
    },
    /// The engine that appends to it has ended.
    #[error("the journal {} is closed: the engine has ended", path.display())]
    Closed {
        /// The file.
        path: PathBuf,
    },
    /// The system would not read or write it. The file itself may be sound: freeing space or mending the disk is enough.
    #[error(
        "the journal {} cannot be read or written ({why}): check the space on the disk, its health, and the file's \
         permissions",
        path.display()
    )]
    Storage {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
}

fn remedy(path: &Path) -> String {
    let path = path.display();
    format!(
        "restore a copy, or set it aside (mv {path} {path}.aside) to start without the leases, assignments and \
         installations that it holds"
    )
}

impl JournalError {
    /// What redb could not do, sorted by what an operator can do about it.
    pub(super) fn from_redb(path: &Path, error: impl Into<redb::Error>) -> Self {
        let path = path.to_owned();
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::InUse(path),
            redb::Error::Corrupted(why) => Self::Damaged { path, why },
            // How redb says that a file is too short or does not begin as one of its own.
            redb::Error::Io(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
                Self::Damaged { path, why: error.to_string() }
            }
            redb::Error::Io(error) => Self::Storage { path, why: error.to_string() },
            error @ (redb::Error::TableTypeMismatch { .. } | redb::Error::UpgradeRequired(_)) => {
                Self::Damaged { path, why: error.to_string() }
            }
            error => Self::Storage { path, why: error.to_string() },
        }
    }
}
