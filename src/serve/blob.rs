//! Blobs: the files of images, by digest.

use std::ops::Range;

use axum::{
    body::Body,
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};

use crate::{
    images::BlobError,
    model::{BootId, Digest, image::Role, timeline::Step},
};

use super::{
    Context,
    http::{Ends, not_found},
    net::peer_ip,
    transfer::{content_type, metered},
    trouble,
};

/// Serves a blob or one range of it. Only blobs that a manifest names: the cache is nobody's file server.
pub(super) async fn serve(
    context: &Context,
    ends: Ends,
    digest: Digest,
    asker: Option<(BootId, &str)>,
    request: &Parts,
) -> Response {
    let Some(file) = context.engine.ground().catalog.file(&digest).cloned() else { return not_found() };
    let blob = match context.images.blob(&file).await {
        Ok(blob) => blob,
        Err(error) => {
            let boot = asker.and_then(|(boot, _)| Some((boot, role_of(context, boot, digest)?)));
            return trouble::refuse(context, ends, boot, digest, &error).await;
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
        .header(header::CONTENT_TYPE, content_type(asker.map_or("", |(_, name)| name)))
        .header(header::CONTENT_LENGTH, length)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, etag);
    if status == StatusCode::PARTIAL_CONTENT {
        let part = format!("bytes {}-{}/{}", range.start, range.end - 1, blob.len);
        response = response.header(header::CONTENT_RANGE, part);
    }
    let body = match request.method {
        Method::HEAD => Body::empty(),
        _ => {
            let (tier, boot, peer) = (blob.tier, asker.map(|(boot, _)| boot), peer_ip(ends.peer));
            let context = context.clone();
            metered(told(context.clone(), ends, boot, digest, blob.stream(range)), length, move |transfer| {
                context.metrics.blob(tier, transfer.bytes.0);
                let Some((boot, role)) = boot.and_then(|boot| Some((boot, role_of(&context, boot, digest)?))) else {
                    return;
                };
                context.engine.note(boot, Step::Blob { role, digest, tier, transfer }, peer);
            })
        }
    };
    response.body(body).expect("every header here is plain ASCII")
}

/// The same bytes; when they break off, it is noted why.
fn told(
    context: Context,
    ends: Ends,
    boot: Option<BootId>,
    digest: Digest,
    bytes: BoxStream<'static, Result<Bytes, BlobError>>,
) -> BoxStream<'static, Result<Bytes, BlobError>> {
    let told = move |error: &BlobError| {
        let asker = boot.and_then(|boot| Some((boot, role_of(&context, boot, digest)?)));
        trouble::broke_off(&context, ends, asker, digest, error);
    };
    bytes.inspect_err(told).boxed()
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

/// What a blob is in an attempt's plan. A blob that the plan does not hold is no step of the attempt.
fn role_of(context: &Context, boot: BootId, digest: Digest) -> Option<Role> {
    let world = context.engine.world();
    let kernel = world.boots.get(&boot)?.kernel.as_ref()?;
    kernel.files.iter().find(|file| file.digest == digest).map(|file| file.role)
}

/// Whether a blob has this name in an attempt's plan.
pub(super) fn is_called(context: &Context, boot: BootId, digest: Digest, name: &str) -> bool {
    let world = context.engine.world();
    let kernel = world.boots.get(&boot).and_then(|boot| boot.kernel.as_ref());
    kernel.is_some_and(|kernel| kernel.files.iter().any(|file| file.digest == digest && file.name == name))
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
