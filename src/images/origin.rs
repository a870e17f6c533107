//! Where bytes come from when no tier has them: files and web servers.

use std::{io::SeekFrom, sync::Once, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, future, stream::BoxStream};
use tokio::io::AsyncSeekExt;
use tokio_util::io::ReaderStream;

use crate::model::image::Origin;

/// How long a server may take to be reached, and how long to be silent.
const CONNECT: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(30);

/// How much is read from a file at once.
const CHUNK: usize = 256 << 10;

/// What an origin answered: the length of the whole, when it says, and the bytes from the offset asked for.
pub(super) struct Answer {
    pub(super) len: Option<u64>,
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
    web: reqwest::Client,
}

impl Client {
    pub(super) fn new() -> Result<Self, String> {
        choose_tls();
        let web = reqwest::Client::builder().connect_timeout(CONNECT).read_timeout(SILENCE).build();
        Ok(Self { web: web.map_err(|error| error.to_string())? })
    }

    /// Opens an origin at `offset`.
    pub(super) async fn open(&self, origin: &Origin, offset: u64) -> Result<Answer, String> {
        match origin {
            Origin::File(path) => open_file(path, offset).await.map_err(|error| format!("{path}: {error}")),
            Origin::Http(url) => self.open_url(url, offset).await.map_err(|why| format!("{url}: {why}")),
        }
    }

    async fn open_url(&self, url: &str, offset: u64) -> Result<Answer, String> {
        let mut request = self.web.get(url);
        if offset > 0 {
            request = request.header("Range", format!("bytes={offset}-"));
        }
        let response = request.send().await.map_err(|error| cause(&error))?;
        let status = response.status();
        let partial = status.as_u16() == 206;
        if !status.is_success() {
            return Err(format!("the server answered {status}"));
        }
        let rest = response.content_length();
        let bytes = response.bytes_stream().map_err(|error| cause(&error));
        // A server that knows no ranges sends the whole: what is there already is passed over.
        let skip = if partial { 0 } else { offset };
        let len = rest.map(|rest| if partial { rest + offset } else { rest });
        Ok(Answer { len, bytes: pass_over(bytes, skip).boxed() })
    }
}

async fn open_file(path: &str, offset: u64) -> std::io::Result<Answer> {
    let mut file = tokio::fs::File::open(path).await?;
    let len = file.metadata().await?.len();
    file.seek(SeekFrom::Start(offset)).await?;
    let bytes = ReaderStream::with_capacity(file, CHUNK).map_err(|error| error.to_string());
    Ok(Answer { len: Some(len), bytes: bytes.boxed() })
}

/// The stream without its first `skip` bytes.
fn pass_over(
    bytes: impl Stream<Item = Result<Bytes, String>> + Send + 'static,
    mut skip: u64,
) -> impl Stream<Item = Result<Bytes, String>> + Send + 'static {
    bytes.try_filter_map(move |mut chunk| {
        let passed = skip.min(chunk.len() as u64);
        skip -= passed;
        let rest = chunk.split_off(passed as usize);
        future::ready(Ok((!rest.is_empty()).then_some(rest)))
    })
}

/// The innermost reason: reqwest's own words say little more than that it failed.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
