//! The digest and length of something that is to become an image file.

use futures_util::StreamExt;
use sha2::{Digest as _, Sha256};

use crate::model::{Bytes, Digest, image::Origin};

use super::origin::{Client, OriginSettings, S3Settings};

/// What is no longer small, in bytes.
const LARGEST_SMALL: usize = 16 << 20;

/// Reads all of an origin, an object of the store `s3` among them, without keeping it. `progress` hears how many bytes of how
/// many were read.
pub async fn survey(
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

/// Reads something small whole: a list, a signature.
pub async fn small(s3: &S3Settings, origin: &Origin) -> Result<Vec<u8>, String> {
    let client = Client::new(OriginSettings::PATIENCE, s3)?;
    let mut answer = client.open(origin, 0).await.map_err(|error| error.to_string())?;
    let mut bytes = vec![];
    while let Some(chunk) = answer.bytes.next().await {
        bytes.extend_from_slice(&chunk.map_err(|why| format!("{origin}: {why}"))?);
        if bytes.len() > LARGEST_SMALL {
            return Err(format!("{origin}: it is larger than any list of checksums or signature is"));
        }
    }
    match answer.len {
        Some(len) if len != bytes.len() as u64 => Err(format!("{origin}: it broke off after {} bytes", bytes.len())),
        _ => Ok(bytes),
    }
}
