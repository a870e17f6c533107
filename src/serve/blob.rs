//! Blobs: the files of images, by digest.

use std::{
    net::IpAddr,
    ops::Range,
    pin::Pin,
    task::{Context as Polling, Poll},
    time::Instant,
};

use axum::{
    body::Body,
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, stream::BoxStream};

use crate::{
    images::BlobError,
    model::{
        BootId, Digest, Millis,
        image::{Role, Tier},
        timeline::{Step, Transfer},
        units,
    },
};

use super::{
    Context,
    http::{Ends, not_found},
    net::peer_ip,
};

/// Serves a blob or one range of it. Only blobs that a manifest names: the cache is nobody's file server.
pub(super) async fn serve(
    context: &Context,
    ends: Ends,
    digest: Digest,
    boot: Option<BootId>,
    request: &Parts,
) -> Response {
    let Some(file) = context.engine.ground().catalog.file(&digest).cloned() else { return not_found() };
    let blob = match context.images.blob(&file).await {
        Ok(blob) => blob,
        Err(error) => {
            tracing::warn!(%digest, %error, "an image file is not to be had");
            return (StatusCode::BAD_GATEWAY, format!("{error}\n")).into_response();
        }
    };
    let etag = format!("\"{digest}\"");
    let (status, range) = match wanted(&request.headers, &etag, blob.len) {
        Wanted::Whole => (StatusCode::OK, 0..blob.len),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Nothing => {
            let whole = format!("bytes */{}", blob.len);
            return (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, whole)]).into_response();
        }
    };
    let length = range.end - range.start;
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, length)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, etag);
    if status == StatusCode::PARTIAL_CONTENT {
        let part = format!("bytes {}-{}/{}", range.start, range.end - 1, blob.len);
        response = response.header(header::CONTENT_RANGE, part);
    }
    let body = match request.method {
        Method::HEAD => Body::empty(),
        _ => Body::from_stream(Metered {
            tier: blob.tier,
            bytes: blob.stream(range),
            digest,
            sent: 0,
            of: length,
            boot,
            peer: peer_ip(ends.peer),
            began: Instant::now(),
            context: context.clone(),
        }),
    };
    response.body(body).expect("every header here is plain ASCII")
}

/// What a request wants of a blob.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part(Range<u64>),
    Nothing,
}

/// RFC 9110 section 14: one range is served; several, or what is no range, get the whole; a range beyond the end gets 416.
fn wanted(headers: &HeaderMap, etag: &str, len: u64) -> Wanted {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let stale = text(header::IF_RANGE).is_some_and(|condition| condition != etag);
    let spec = text(header::RANGE).and_then(|range| range.strip_prefix("bytes="));
    let Some((first, last)) = spec.filter(|spec| !stale && !spec.contains(',')).and_then(|spec| spec.split_once('-'))
    else {
        return Wanted::Whole;
    };
    let range = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(len),
        (Ok(first), Err(_)) if last.trim().is_empty() => first..len,
        // The last so many bytes.
        (Err(_), Ok(suffix)) if first.trim().is_empty() => len.saturating_sub(suffix)..len,
        _ => return Wanted::Whole,
    };
    if range.start < range.end { Wanted::Part(range) } else { Wanted::Nothing }
}

/// A body that counts what it sends. It is dropped when the transfer is over, well or badly, and tells the attempt then.
struct Metered {
    bytes: BoxStream<'static, Result<bytes::Bytes, BlobError>>,
    digest: Digest,
    tier: Tier,
    sent: u64,
    of: u64,
    boot: Option<BootId>,
    peer: IpAddr,
    began: Instant,
    context: Context,
}

impl Stream for Metered {
    type Item = Result<bytes::Bytes, BlobError>;

    fn poll_next(mut self: Pin<&mut Self>, polling: &mut Polling<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.bytes.as_mut().poll_next(polling);
        if let Poll::Ready(Some(Ok(chunk))) = &polled {
            self.sent += chunk.len() as u64;
        }
        polled
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        self.context.metrics.blob(self.tier, self.sent);
        let Some(boot) = self.boot else { return };
        let role = role_of(&self.context, boot, self.digest);
        let Some(role) = role else { return };
        let transfer = Transfer {
            bytes: units::Bytes(self.sent),
            of: units::Bytes(self.of),
            took: Millis(self.began.elapsed().as_millis() as u64),
        };
        let step = Step::Blob { role, digest: self.digest, tier: self.tier, transfer };
        self.context.engine.note(boot, step, self.peer);
    }
}

/// What a blob is in an attempt's plan. A blob that the plan does not hold is no step of the attempt.
fn role_of(context: &Context, boot: BootId, digest: Digest) -> Option<Role> {
    let world = context.engine.world();
    let kernel = world.boots.get(&boot)?.kernel.as_ref()?;
    kernel.files.iter().find(|file| file.digest == digest).map(|file| file.role)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(range: &str, if_range: Option<&str>) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, range.parse().expect("a header"));
        if let Some(condition) = if_range {
            headers.insert(header::IF_RANGE, condition.parse().expect("a header"));
        }
        wanted(&headers, "\"x\"", 100)
    }

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        assert_eq!(ask("bytes=0-9", None), Wanted::Part(0..10));
        assert_eq!(ask("bytes=90-", None), Wanted::Part(90..100));
        assert_eq!(ask("bytes=-10", None), Wanted::Part(90..100));
        assert_eq!(ask("bytes=-1000", None), Wanted::Part(0..100));
        assert_eq!(ask("bytes=90-18446744073709551615", None), Wanted::Part(90..100));
        assert_eq!(ask("bytes=100-", None), Wanted::Nothing);
        assert_eq!(ask("bytes=-0", None), Wanted::Nothing);
        for whole in ["bytes=9-0", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes=-", "bytes"] {
            assert_eq!(ask(whole, None), Wanted::Whole, "{whole}");
        }
        assert_eq!(ask("bytes=0-9", Some("\"x\"")), Wanted::Part(0..10));
        assert_eq!(ask("bytes=0-9", Some("\"old\"")), Wanted::Whole);
    }
}
