//! The folder that outlives the process: the journal, the image cache, the key of the seeds' tokens.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use crate::serve::seed::SeedKey;

/// Makes the folder when it is not there, for its owner only, and reads or makes the key.
pub(super) fn prepare(dir: &Path) -> io::Result<SeedKey> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let path = dir.join("seed.key");
    match fs::read(&path) {
        Ok(bytes) => bytes.try_into().map(SeedKey::new).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{} is no key: remove it", path.display()))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).map_err(io::Error::other)?;
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            Ok(SeedKey::new(bytes))
        }
        Err(error) => Err(error),
    }
}
