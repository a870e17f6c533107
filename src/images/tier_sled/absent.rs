//! A disk that takes nothing, and one that is full: what the cache does without.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64},
    },
};

use crate::{images::OpenError, stage::Policy};

use super::{DiskTier, free_bytes, index::Index};

impl DiskTier {
    /// A tier without room, for a disk that takes nothing: what is asked of it is answered with no. Its index is a temporary
    /// one, in memory.
    pub(in crate::images) fn absent(dir: &Path, policy: Arc<Mutex<Policy>>) -> Result<Arc<Self>, OpenError> {
        let null = PathBuf::from("/dev/null");
        let lock = File::open(&null).map_err(|error| OpenError::Folder { path: null, error })?;
        Ok(Arc::new(Self {
            dir: dir.to_owned(),
            room: 0,
            index: Index::temporary()?,
            names: AtomicU64::new(0),
            policy,
            state: Mutex::default(),
            tidying: Mutex::default(),
            holes: AtomicBool::new(false),
            _lock: lock,
        }))
    }

    /// Whether the file system has less than `len` bytes left, whatever the tier may take of it.
    pub(in crate::images) fn is_short(&self, len: u64) -> bool {
        free_bytes(&self.dir).is_some_and(|free| free < len)
    }
}
