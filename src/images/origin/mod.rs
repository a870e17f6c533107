//! Where bytes come from when no tier has them. A file for each kind of origin.

mod file;
mod http;
mod iso;
mod oci;

use std::{ops::Range, sync::Once};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream::BoxStream};

use crate::model::image::Origin;

use http::Web;
use oci::Registry;

pub use oci::{Artifact, OciFile};

/// What an origin answered.
pub(super) struct Answer {
    /// The length of the whole, when it says.
    pub(super) len: Option<u64>,
    /// What changes when the bytes do, when it says: an entity tag, a date, a file's times.
    pub(super) validator: Option<String>,
    /// The bytes from the offset that was asked for.
    pub(super) bytes: BoxStream<'static, Result<Bytes, String>>,
}

/// Chooses the process' TLS implementation, ring, for every web client in it; reqwest is built without one of its own.
pub fn choose_tls() {
    static CHOSEN: Once = Once::new();
    // Another part of the process may have chosen one: that one is fine too.
    CHOSEN.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// A reader of origins.
pub(super) struct Client {
    web: Web,
    registry: Registry,
}

impl Client {
    pub(super) fn new() -> Result<Self, String> {
        Ok(Self { web: Web::new()?, registry: Registry::new()? })
    }

    /// Opens an origin at `offset`. The error is a sentence that names the origin.
    pub(super) async fn open(&self, origin: &Origin, offset: u64) -> Result<Answer, String> {
        let opened = match origin {
            Origin::File(path) => file::open(path, offset).await,
            Origin::Iso { image, path } => iso::open(image, path, offset).await,
            Origin::Oci(blob) => self.registry.open(blob, offset).await,
            Origin::Http(url) => self.web.open(url, offset, None).await,
        };
        opened.map_err(|why| format!("{origin}: {why}"))
    }

    /// Exactly the bytes of a range, asking for no more where the origin can be told.
    pub(super) async fn part(&self, origin: &Origin, range: Range<u64>) -> Result<Bytes, String> {
        let mut answer = match origin {
            Origin::Http(url) => {
                let opened = self.web.open(url, range.start, Some(range.end)).await;
                opened.map_err(|why| format!("{origin}: {why}"))?
            }
            Origin::File(_) | Origin::Iso { .. } | Origin::Oci(_) => self.open(origin, range.start).await?,
        };
        let len = usize::try_from(range.end - range.start).map_err(|error| format!("{origin}: {error}"))?;
        let mut part = BytesMut::with_capacity(len);
        while part.len() < len {
            let Some(bytes) = answer.bytes.next().await else { return Err(format!("{origin}: it broke off")) };
            let bytes = bytes.map_err(|why| format!("{origin}: {why}"))?;
            part.extend_from_slice(&bytes[..bytes.len().min(len - part.len())]);
        }
        Ok(part.freeze())
    }
}
