//! Files within ISO media of this server as origins: read where they lie, so that no second copy is needed.

use std::{fs::File, io, os::unix::fs::MetadataExt, sync::Arc};

use futures_util::{StreamExt, stream};

use crate::images::{
    CHUNK,
    arrival::read_at,
    media::{self, Extent},
};

use super::Answer;

/// How much is read at once, as for files.
const ISO_CHUNK: u64 = 4 * CHUNK as u64;

/// Opens the file at `path` within the medium `image`, at `offset`.
pub(super) async fn open(image: &str, path: &str, offset: u64) -> Result<Answer, String> {
    let (image, path) = (image.to_owned(), path.to_owned());
    let opened = tokio::task::spawn_blocking(move || {
        let text = |error: io::Error| error.to_string();
        let file = Arc::new(media::open_regular(image.as_ref()).map_err(text)?);
        let known = file.metadata().map_err(text)?;
        let extents = media::extents(file.clone(), &path)?;
        let validator = format!("{} {} {}", known.ino(), known.mtime(), known.mtime_nsec());
        Ok::<_, String>((file, extents, validator))
    });
    let (file, extents, validator) = opened.await.map_err(|error| error.to_string())??;
    let len = extents.iter().map(|extent| extent.len).sum();
    let bytes = stream::try_unfold(offset, move |at| {
        let (file, place) = (file.clone(), place(&extents, at));
        async move {
            let Some(place) = place else { return Ok(None) };
            let read = tokio::task::spawn_blocking(move || read(&file, place)).await;
            let chunk = read.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
            let next = at + chunk.len() as u64;
            Ok(Some((chunk, next)))
        }
    });
    Ok(Answer { len: Some(len), validator: Some(validator), before: 0, bytes: bytes.boxed() })
}

fn read(file: &File, place: Extent) -> io::Result<bytes::Bytes> {
    read_at(file, place.at, usize::try_from(place.len).map_err(io::Error::other)?)
}

/// Where the next bytes of a file lie, `at` bytes into it; `None` at its end.
fn place(extents: &[Extent], mut at: u64) -> Option<Extent> {
    for extent in extents {
        if at < extent.len {
            return Some(Extent { at: extent.at + at, len: (extent.len - at).min(ISO_CHUNK) });
        }
        at -= extent.len;
    }
    None
}
