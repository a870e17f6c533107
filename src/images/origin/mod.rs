//! Where bytes come from when no tier has them. A file for each kind of origin; beside them, how long each is waited for
//! (`patience`), how fast it must be (`pace`), and what is remembered of servers that failed (`standing`).

mod file;
mod http;
mod iso;
mod oci;
pub(super) mod pace;
pub(super) mod patience;
mod s3;
pub(super) mod standing;

use std::{error::Error, ops::Range, sync::Once, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{StreamExt, stream::BoxStream};

use crate::model::{image::Origin, trouble::TroubleKind};

use http::Web;
use oci::Registry;
use patience::Patience;
use s3::Buckets;

pub use http::web_client;
pub use oci::{Artifact, OciFile};
pub use s3::{Keys, S3Settings};

/// How origins are read.
#[derive(Debug, Clone)]
pub struct OriginSettings {
    /// How long a blob may make no progress before it is refused; every other time-out is a part of it (5 s of 60 s to
    /// reach a server, 20 s of silence, ...).
    pub patience: Duration,
    /// Where random bits come from: they spread the pauses.
    pub dice: fn() -> u64,
    /// Where `s3:` origins are.
    pub s3: S3Settings,
}

impl OriginSettings {
    /// How long is waited when nobody says otherwise.
    pub const PATIENCE: Duration = Duration::from_secs(60);

    /// What holds when nothing is configured.
    pub fn new(dice: fn() -> u64) -> Self {
        Self { patience: Self::PATIENCE, dice, s3: S3Settings::default() }
    }
}

/// What an origin answered.
pub(super) struct Answer {
    /// The length of the whole, when it says.
    pub(super) len: Option<u64>,
    /// What changes when the bytes do, when it says: an entity tag, a date, a file's times.
    pub(super) validator: Option<String>,
    /// How many of the bytes come before the offset that was asked for: a server that knows no ranges sends the whole.
    pub(super) before: u64,
    /// The bytes.
    pub(super) bytes: BoxStream<'static, Result<Bytes, String>>,
}

/// Why an origin does not give what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub(super) struct OriginError {
    /// What kind of trouble it is.
    pub(super) kind: TroubleKind,
    /// A sentence for the log and the admin.
    pub(super) why: String,
    /// How long it asks to be left alone.
    pub(super) again: Option<Duration>,
}

impl OriginError {
    pub(super) fn new(kind: TroubleKind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into(), again: None }
    }

    /// The same, with the name of the origin before it.
    pub(super) fn of(self, origin: &Origin) -> Self {
        Self { why: format!("{}: {}", origin.loggable(), self.why), ..self }
    }
}

impl From<String> for OriginError {
    fn from(why: String) -> Self {
        Self::new(TroubleKind::Broken, why)
    }
}

/// Chooses the process' TLS implementation, ring, for every web client in it; reqwest is built without one of its own.
pub fn choose_tls() {
    static CHOSEN: Once = Once::new();
    // Another part of the process may have chosen one: that one is fine too.
    CHOSEN.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// The innermost reason: the web clients' own words say little more than that it failed.
pub fn cause(mut error: &(dyn Error + 'static)) -> String {
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// A reader of origins.
pub(super) struct Client {
    web: Web,
    registry: Registry,
    buckets: Buckets,
    pub(super) patience: Patience,
}

impl Client {
    pub(super) fn new(patience: Duration, s3: &S3Settings) -> Result<Self, String> {
        let patience = Patience(patience);
        Ok(Self {
            web: Web::new(patience)?,
            registry: Registry::new(patience)?,
            buckets: Buckets::new(s3.clone(), patience),
            patience,
        })
    }

    /// Opens an origin at `offset`. The error's sentence names the origin.
    pub(super) async fn open(&self, origin: &Origin, offset: u64) -> Result<Answer, OriginError> {
        self.open_until(origin, offset, None).await
    }

    /// The same, asking for no more than up to `end` where the origin can be told.
    async fn open_until(&self, origin: &Origin, offset: u64, end: Option<u64>) -> Result<Answer, OriginError> {
        let opening = async {
            match origin {
                Origin::File(path) => file::open(path, offset).await,
                Origin::Iso { image, path } => iso::open(image, path, offset).await.map_err(OriginError::from),
                Origin::Oci(blob) => self.registry.open(blob, offset, end).await,
                Origin::Http(url) => self.web.open(url, offset, end).await,
                Origin::S3(url) => self.buckets.open(url, offset, end).await,
            }
        };
        let answer = self.patience.answer();
        let opened = match tokio::time::timeout(answer, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(OriginError::new(TroubleKind::Silent, format!("it did not answer within {answer:?}"))),
        };
        opened.map_err(|error| error.of(origin))
    }

    /// Exactly the bytes of a range.
    pub(super) async fn part(&self, origin: &Origin, range: Range<u64>) -> Result<Bytes, OriginError> {
        let broke_off = |why| OriginError::new(TroubleKind::BrokeOff, why).of(origin);
        let mut answer = self.open_until(origin, range.start, Some(range.end)).await?;
        let len = range.end - range.start;
        let mut part = BytesMut::new();
        while (part.len() as u64) < len {
            let heard = tokio::time::timeout(self.patience.silence(), answer.bytes.next()).await;
            let heard = heard.map_err(|_| OriginError::new(TroubleKind::Silent, "it fell silent").of(origin))?;
            let mut bytes = heard.ok_or_else(|| broke_off("it broke off".to_owned()))?.map_err(broke_off)?;
            // No more than a chunk at most, so both fit the index type.
            let before = answer.before.min(bytes.len() as u64);
            answer.before -= before;
            bytes.advance(before as usize);
            bytes.truncate((len - part.len() as u64).min(bytes.len() as u64) as usize);
            part.extend_from_slice(&bytes);
        }
        Ok(part.freeze())
    }
}
