//! Files of this server as origins.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    sync::Arc,
};

use futures_util::{StreamExt, stream};

use crate::{
    images::{CHUNK, arrival::read_at},
    model::trouble::TroubleKind,
};

use super::{Answer, OriginError};

/// How much of a file is read at once: each step costs a change of threads for reading, hashing and writing.
const FILE_CHUNK: usize = 4 * CHUNK;

/// Opens a file at `offset`. Regular files only: a pipe would hold its reader for ever, a device would never end.
pub(super) async fn open(path: &str, offset: u64) -> Result<Answer, OriginError> {
    let path = PathBuf::from(path);
    let opened = tokio::task::spawn_blocking(move || {
        if !fs::metadata(&path)?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let file = File::open(&path)?;
        let known = file.metadata()?;
        Ok((Arc::new(file), known))
    });
    let (file, known) = opened.await.map_err(|error| error.to_string())?.map_err(|error| told(&error))?;
    let validator = format!("{} {} {}", known.ino(), known.mtime(), known.mtime_nsec());
    let len = known.len();
    let bytes = stream::try_unfold(offset, move |at| {
        let file = file.clone();
        async move {
            if at >= len {
                return Ok(None);
            }
            let part = FILE_CHUNK.min(usize::try_from(len - at).unwrap_or(FILE_CHUNK));
            let read = tokio::task::spawn_blocking(move || read_at(&file, at, part)).await;
            let chunk = read.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
            Ok(Some((chunk, at + part as u64)))
        }
    });
    Ok(Answer { len: Some(len), validator: Some(validator), before: 0, bytes: bytes.boxed() })
}

fn told(error: &io::Error) -> OriginError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => TroubleKind::Missing,
        io::ErrorKind::PermissionDenied => TroubleKind::Forbidden,
        _ => TroubleKind::Broken,
    };
    OriginError::new(kind, error.to_string())
}
