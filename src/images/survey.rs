//! The digest and length of something that is to become an image file.

use futures_util::StreamExt;
use sha2::{Digest as _, Sha256};

use crate::model::{Bytes, Digest, image::Origin};

use super::origin::{Client, OriginSettings, S3Settings};

/// Reads all of an origin, without keeping it. `progress` hears how many bytes of how many were read.
pub async fn survey(origin: &Origin, progress: impl FnMut(u64, Option<u64>)) -> Result<(Digest, Bytes), String> {
    survey_with(&S3Settings::default(), origin, progress).await
}

/// The same, with objects of this store.
pub async fn survey_with(
    s3: &S3Settings,
    origin: &Origin,
    mut progress: impl FnMut(u64, Option<u64>),
) -> Result<(Digest, Bytes), String> {
    let client = Client::new(OriginSettings::PATIENCE, s3)?;
    let mut answer = client.open(origin, 0).await.map_err(|error| error.to_string())?;
    let mut hash = Sha256::new();
    let mut read = 0;
    while let Some(chunk) = answer.bytes.next().await {
        let chunk = chunk.map_err(|why| format!("{origin}: {why}"))?;
        hash.update(&chunk);
        read += chunk.len() as u64;
        progress(read, answer.len);
    }
    match answer.len {
        Some(len) if len != read => Err(format!("{origin}: it broke off after {read} of {len} bytes")),
        _ => Ok((Digest::new(hash.finalize().into()), Bytes(read))),
    }
}
