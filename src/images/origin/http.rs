//! Web servers as origins.

use std::{error::Error, io, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{ClientBuilder, RequestBuilder, Response, StatusCode, header, redirect::Policy};
use rustls::CertificateError;

use crate::model::trouble::TroubleKind;

use super::{Answer, OriginError, cause, choose_tls, patience::Patience};

/// How many network reads that are already there are joined into one chunk.
const JOINED: usize = 16;

/// A web client, and why it cannot ask for `https:`, if so: a server that only boots machines may have no CA certificates,
/// which takes away that, and nothing else.
pub fn web_client(with: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<(reqwest::Client, Option<String>), String> {
    choose_tls();
    let why = match with(reqwest::Client::builder()).build() {
        Ok(client) => return Ok((client, None)),
        Err(error) => cause(&error),
    };
    let client = with(reqwest::Client::builder()).tls_certs_only([]).build().map_err(|error| cause(&error))?;
    let no_https =
        format!("this machine has no CA certificates, install them (`apt-get install ca-certificates`): {why}");
    Ok((client, Some(no_https)))
}

/// A web client that reads origins.
pub(super) struct Web {
    client: reqwest::Client,
    patience: Patience,
    /// Why no `https:` origin can be read, if so.
    no_https: Option<String>,
}

impl Web {
    pub(super) fn new(patience: Patience) -> Result<Self, String> {
        Self::made(patience, |builder| builder)
    }

    /// A client that leaves it to its caller to follow redirects.
    pub(super) fn without_redirects(patience: Patience) -> Result<Self, String> {
        Self::made(patience, |builder| builder.redirect(Policy::none()))
    }

    fn made(patience: Patience, with: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<Self, String> {
        let (connect, silence) = (patience.connect(), patience.silence() * 2);
        let timed = |builder: ClientBuilder| with(builder.connect_timeout(connect).read_timeout(silence));
        let (client, no_https) = web_client(timed)?;
        Ok(Self { client, patience, no_https })
    }

    /// Opens a URL at `offset`, up to `end` if that is given.
    pub(super) async fn open(&self, url: &str, offset: u64, end: Option<u64>) -> Result<Answer, OriginError> {
        Self::answer(self.send(self.get(url, offset, end)?).await?, offset)
    }

    /// Sends a request.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, OriginError> {
        request.send().await.map_err(|error| told(&error, self.patience))
    }

    /// A request for what is at a URL, from `offset` on, up to `end` if that is given.
    pub(super) fn get(&self, url: &str, offset: u64, end: Option<u64>) -> Result<RequestBuilder, OriginError> {
        if let Some(why) = self.no_https.as_ref().filter(|_| url.starts_with("https:")) {
            return Err(OriginError::new(TroubleKind::NotSetUp, why.clone()));
        }
        let mut request = self.client.get(url);
        if offset > 0 || end.is_some() {
            let last = end.map(|end| end.saturating_sub(1).to_string()).unwrap_or_default();
            request = request.header(header::RANGE, format!("bytes={offset}-{last}"));
        }
        Ok(request)
    }

    /// What a server answered to a request from `offset` on.
    pub(super) fn answer(response: Response, offset: u64) -> Result<Answer, OriginError> {
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let validator = text(header::ETAG).or_else(|| text(header::LAST_MODIFIED));
        let (len, before) = match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let range = text(header::CONTENT_RANGE).unwrap_or_default();
                let total = total(&range, offset);
                (total.ok_or_else(|| format!("asked for bytes {offset}-, it sends `{range}`"))?, 0)
            }
            StatusCode::OK => (response.content_length(), offset),
            _ => return Err(refused(&response)),
        };
        let bytes = response.bytes_stream().map_err(|error| cause(&error));
        let joined = bytes.ready_chunks(JOINED).flat_map(|batch| stream::iter(join(batch)));
        Ok(Answer { len, validator, before, bytes: joined.boxed() })
    }
}

/// What an answer means that brings no bytes.
/// What an answer means that gives no bytes.
pub(super) fn refused(response: &Response) -> OriginError {
    let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    refusal(response.status(), retry_after)
}

fn refusal(status: StatusCode, retry_after: Option<&str>) -> OriginError {
    let (kind, hint) = match status.as_u16() {
        404 | 410 => (TroubleKind::Missing, ""),
        401 | 403 | 407 => (TroubleKind::Forbidden, ": it wants credentials that this server does not give"),
        416 => (TroubleKind::WrongLength, ": it ends before the byte that is asked for"),
        429 => (TroubleKind::Busy, ""),
        503 if retry_after.is_some() => (TroubleKind::Busy, ""),
        300..=399 => (TroubleKind::Redirects, ", and not where to go"),
        _ => (TroubleKind::Broken, ""),
    };
    let again = retry_after.filter(|_| kind == TroubleKind::Busy).and_then(pause);
    let wait = again.map(|again| format!(" and asks to be left alone for {} s", again.as_secs())).unwrap_or_default();
    OriginError { again, ..OriginError::new(kind, format!("the server answered {status}{hint}{wait}")) }
}

/// A `Retry-After` (RFC 9110, 10.2.3): seconds, or a date. A date is held against this server's clock: one that jumped
/// gives a wrong pause, which is cut to what is reasonable where it is used.
fn pause(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(until.duration_since(jiff::Timestamp::now()).try_into().unwrap_or_default())
}

/// What a failed request means.
pub(super) fn told(error: &reqwest::Error, patience: Patience) -> OriginError {
    let why = cause(error);
    let causes = || std::iter::successors(Some(error as &(dyn Error + 'static)), |error| inner(*error));
    let io = causes().find_map(|cause| cause.downcast_ref::<io::Error>());
    if let Some(tls) = causes().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return OriginError::new(TroubleKind::Untrusted, certificate(tls));
    }
    let (kind, why) = match io.map(io::Error::kind) {
        _ if error.is_redirect() => (TroubleKind::Redirects, format!("it redirects without end: {why}")),
        _ if causes().any(|cause| cause.to_string() == "dns error") => {
            (TroubleKind::NoAddress, format!("its name leads to no address: {why}"))
        }
        Some(io::ErrorKind::ConnectionRefused) => {
            (TroubleKind::Refused, format!("it refuses connections, is a server running there? {why}"))
        }
        _ if error.is_connect() && error.is_timeout() => {
            (TroubleKind::Unreachable, format!("it could not be reached within {:?}", patience.connect()))
        }
        _ if error.is_connect() => (TroubleKind::Unreachable, format!("it cannot be reached: {why}")),
        _ if error.is_timeout() => (TroubleKind::Silent, "it was reached and did not answer".into()),
        Some(_) => (TroubleKind::BrokeOff, format!("it broke off before it answered: {why}")),
        None => (TroubleKind::Broken, format!("it gave no answer: {why}")),
    };
    OriginError::new(kind, why)
}

/// The cause of an error. An I/O error that wraps another would give away only its cause's cause.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// What is wrong with the other side's TLS, and what helps.
fn certificate(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(wrong) = error else { return format!("TLS with it fails: {error}") };
    match wrong {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired, or this server's clock is wrong: see `date`".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet, or this server's clock is wrong: see `date`".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name".into()
        }
        CertificateError::UnknownIssuer => "its certificate is from an authority that this server does not know: put             the authority's into /usr/local/share/ca-certificates and run `update-ca-certificates`"
            .into(),
        wrong => format!("its certificate does not hold: {wrong}"),
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
    fn a_pause_is_seconds_or_a_date() {
        assert_eq!(pause(" 120 "), Some(Duration::from_secs(120)));
        assert_eq!(pause("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO), "long ago");
        assert!(pause("Fri, 31 Dec 2100 23:59:59 GMT").is_some_and(|pause| pause > Duration::from_secs(1 << 30)));
        assert_eq!(pause("soon"), None);
        assert_eq!(refusal(StatusCode::SERVICE_UNAVAILABLE, None).kind, TroubleKind::Broken);
        assert_eq!(refusal(StatusCode::SERVICE_UNAVAILABLE, Some("5")).again, Some(Duration::from_secs(5)));
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
