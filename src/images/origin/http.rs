//! Web servers as origins.

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt, future, stream};
use reqwest::{ClientBuilder, RequestBuilder, Response, StatusCode, header, redirect::Policy};

use super::{Answer, choose_tls};

/// How long a server may take to be reached, and how long to be silent.
const CONNECT: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(30);

/// How many network reads that are already there are joined into one chunk.
const JOINED: usize = 16;

/// A web client.
pub(super) struct Web {
    client: reqwest::Client,
    /// Why no `https:` origin can be read, if so.
    no_https: Option<String>,
}

impl Web {
    pub(super) fn new() -> Result<Self, String> {
        Self::made(|builder| builder)
    }

    /// A client that leaves it to its caller to follow redirects.
    pub(super) fn without_redirects() -> Result<Self, String> {
        Self::made(|builder| builder.redirect(Policy::none()))
    }

    /// A server that only boots machines may have no CA certificates: that takes away `https:`, not the cache.
    fn made(with: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<Self, String> {
        choose_tls();
        let builder = || with(reqwest::Client::builder().connect_timeout(CONNECT).read_timeout(SILENCE));
        let why = match builder().build() {
            Ok(client) => return Ok(Self { client, no_https: None }),
            Err(error) => cause(&error),
        };
        let client = builder().tls_certs_only([]).build().map_err(|error| cause(&error))?;
        let no_https =
            format!("this machine has no CA certificates, install them (`apt-get install ca-certificates`): {why}");
        Ok(Self { client, no_https: Some(no_https) })
    }

    /// Opens a URL at `offset`, up to `end` if that is given.
    pub(super) async fn open(&self, url: &str, offset: u64, end: Option<u64>) -> Result<Answer, String> {
        let response = self.get(url, offset, end)?.send().await.map_err(|error| cause(&error))?;
        Self::answer(response, offset)
    }

    /// A request for what is at a URL, from `offset` on, up to `end` if that is given.
    pub(super) fn get(&self, url: &str, offset: u64, end: Option<u64>) -> Result<RequestBuilder, String> {
        if let Some(why) = self.no_https.as_ref().filter(|_| url.starts_with("https:")) {
            return Err(why.clone());
        }
        let mut request = self.client.get(url);
        if offset > 0 || end.is_some() {
            let last = end.map(|end| (end - 1).to_string()).unwrap_or_default();
            request = request.header(header::RANGE, format!("bytes={offset}-{last}"));
        }
        Ok(request)
    }

    /// What a server answered to a request from `offset` on.
    pub(super) fn answer(response: Response, offset: u64) -> Result<Answer, String> {
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let validator = text(header::ETAG).or_else(|| text(header::LAST_MODIFIED));
        let (len, skip) = match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let range = text(header::CONTENT_RANGE).unwrap_or_default();
                (total(&range, offset).ok_or_else(|| format!("asked for bytes {offset}-, it sends `{range}`"))?, 0)
            }
            // A server that knows no ranges sends the whole: what is there already is passed over.
            StatusCode::OK => (response.content_length(), offset),
            status => return Err(format!("the server answered {status}")),
        };
        let bytes = response.bytes_stream().map_err(|error| cause(&error));
        let joined = bytes.ready_chunks(JOINED).flat_map(|batch| stream::iter(join(batch)));
        Ok(Answer { len, validator, bytes: pass_over(joined, skip).boxed() })
    }
}

/// The length of the whole in a `Content-Range: bytes 500-999/1000` (RFC 9110, 14.4) that begins at `offset`;
/// `None` when it begins elsewhere or is nothing of the kind. A server may say `*` for a length that it does not know.
fn total(range: &str, offset: u64) -> Option<Option<u64>> {
    let (span, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = span.split_once('-')?;
    if first.trim().parse() != Ok(offset) {
        return None;
    }
    match total.trim() {
        "*" => Some(None),
        total => total.parse().ok().map(Some),
    }
}

/// A batch with the bytes before each error in one piece: one write and one hash step instead of sixteen.
fn join(batch: Vec<Result<Bytes, String>>) -> Vec<Result<Bytes, String>> {
    let mut joined: Vec<Result<Bytes, String>> = Vec::new();
    let mut pieces = batch.into_iter().peekable();
    while let Some(piece) = pieces.next() {
        let alone = !matches!(pieces.peek(), Some(Ok(_)));
        match piece {
            Ok(bytes) if !alone => {
                let mut whole = BytesMut::from(bytes);
                while let Some(Ok(more)) = pieces.next_if(Result::is_ok) {
                    whole.extend_from_slice(&more);
                }
                joined.push(Ok(whole.freeze()));
            }
            piece => joined.push(piece),
        }
    }
    joined
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
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_that_begins_elsewhere_is_not_taken() {
        assert_eq!(total("bytes 500-999/1000", 500), Some(Some(1000)));
        assert_eq!(total("bytes 500-999/*", 500), Some(None));
        for wrong in ["", "bytes", "bytes 0-999/1000", "bytes */1000", "bytes 500-999/many", "lines 500-999/1000"] {
            assert_eq!(total(wrong, 500), None, "{wrong}");
        }
    }

    #[test]
    fn a_batch_is_joined_up_to_its_errors() {
        let piece = |text: &'static str| Ok(Bytes::from_static(text.as_bytes()));
        let broken = || Err("broke off".to_owned());
        let joined = join(vec![piece("a"), piece("b"), broken(), piece("c"), piece("d"), piece("e")]);
        assert_eq!(joined, [piece("ab"), broken(), piece("cde")]);
        assert_eq!(join(vec![broken()]), [broken()]);
        assert_eq!(join(vec![piece("a")]), [piece("a")]);
    }
}
