//! Blobs: the files of images, by digest. Their bytes go from the tier to the client by the kernel.

use std::ops::Range;

use axum::{
    body::Body,
    http::{HeaderMap, Method, StatusCode, Version, header, request::Parts},
    response::Response,
};
use bytes::Bytes;

use crate::{
    boot::matching,
    images::{Blob, BlobError},
    model::{self, BootId, Digest, image::Role, timeline::Step},
};

use super::{
    Context,
    http::{Line, not_found},
    net::peer_ip,
    parcel::{Parcel, Part},
    range::{Wanted, wanted},
    transfer::{Meter, content_type},
    trouble,
};

/// Serves a blob or ranges of it. Only blobs that a manifest names: the cache is nobody's file server.
pub(super) async fn serve(
    context: &Context,
    line: &Line,
    digest: Digest,
    asker: Option<(BootId, &str)>,
    request: &Parts,
) -> Response {
    let Some(file) = context.engine.ground().catalog.file(&digest).cloned() else { return not_found() };
    let blob = match context.images.blob(&file).await {
        Ok(blob) => blob,
        Err(error) => {
            let boot = asker.and_then(|(boot, _)| Some((boot, role_of(context, boot, digest)?)));
            return trouble::refuse(context, line.ends, boot, digest, &error).await;
        }
    };
    let kind = content_type(asker.map_or("", |(_, name)| name));
    let etag = format!("\"{digest}\"");
    let wanted = wanted(&request.method, &request.headers, &etag, blob.len);
    let response = Response::builder().header(header::ETAG, etag).header(header::ACCEPT_RANGES, "bytes");
    let (response, parts) = match wanted {
        Wanted::Whole => {
            (response.status(StatusCode::OK).header(header::CONTENT_TYPE, kind), vec![Part::Range(0..blob.len)])
        }
        Wanted::Parts(ranges) => match <[_; 1]>::try_from(ranges) {
            Ok([range]) => {
                let response = response.header(header::CONTENT_RANGE, content_range(&range, blob.len));
                let response = response.status(StatusCode::PARTIAL_CONTENT).header(header::CONTENT_TYPE, kind);
                (response, vec![Part::Range(range)])
            }
            Err(ranges) => {
                let boundary = boundary();
                let multipart = format!("multipart/byteranges; boundary={boundary}");
                let response = response.status(StatusCode::PARTIAL_CONTENT).header(header::CONTENT_TYPE, multipart);
                (response, multipart_body(ranges, &boundary, kind, blob.len))
            }
        },
        Wanted::Unchanged => (response.status(StatusCode::NOT_MODIFIED), vec![]),
        Wanted::Other => (response.status(StatusCode::PRECONDITION_FAILED), vec![]),
        Wanted::Beyond => {
            let whole = format!("bytes */{}", blob.len);
            (response.status(StatusCode::RANGE_NOT_SATISFIABLE).header(header::CONTENT_RANGE, whole), vec![])
        }
    };
    let length: u64 = parts.iter().map(Part::len).sum();
    let response = match parts.is_empty() {
        true => response,
        false => response.header(header::CONTENT_LENGTH, length),
    };
    let (body, lasts) = match request.method {
        Method::HEAD => (Body::empty(), true),
        _ if parts.is_empty() => (Body::empty(), true),
        _ => {
            let lasts = lasts(request.version, &request.headers);
            let boot = asker.map(|(boot, _)| boot);
            let meter = meter(context, line, &blob, boot, length);
            let rate = boot.and_then(|boot| rate_of(context, boot));
            let turn = context.pacer.enter(peer_ip(line.ends.peer), rate);
            let broke = broke(context, line, digest, boot);
            (line.exit.body(Parcel { blob, parts, meter, turn, broke, lasts }), lasts)
        }
    };
    // hyper says it by itself where the client asked for it.
    let response = if lasts { response } else { response.header(header::CONNECTION, "close") };
    response.body(body).expect("every header here is plain ASCII")
}

/// Tells why the blob broke off in the middle, if it does.
fn broke(context: &Context, line: &Line, digest: Digest, boot: Option<BootId>) -> Box<dyn FnOnce(&BlobError) + Send> {
    let (context, ends) = (context.clone(), line.ends);
    Box::new(move |error| {
        let asker = boot.and_then(|boot| Some((boot, role_of(&context, boot, digest)?)));
        trouble::broke_off(&context, ends, asker, digest, error);
    })
}

/// Tells what became of the transfer, once, when it is over.
fn meter(context: &Context, line: &Line, blob: &Blob, boot: Option<BootId>, length: u64) -> Meter {
    let (digest, tier, peer) = (blob.digest, blob.tier, peer_ip(line.ends.peer));
    let context = context.clone();
    Meter::new(length, move |transfer| {
        context.metrics.blob(tier, transfer.bytes.0);
        let Some((boot, role)) = boot.and_then(|boot| Some((boot, role_of(&context, boot, digest)?))) else {
            return;
        };
        context.engine.note(boot, Step::Blob { role, digest, tier, transfer }, peer);
    })
}

/// Whether the connection carries another request after this one. A body of the request, which nobody reads, would stand
/// before the next one.
fn lasts(version: Version, headers: &HeaderMap) -> bool {
    let says = |token: &str| {
        let values = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case(token))
    };
    let has_body = headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    !has_body && !says("close") && (version >= Version::HTTP_11 || says("keep-alive"))
}

fn content_range(range: &Range<u64>, len: u64) -> String {
    format!("bytes {}-{}/{len}", range.start, range.end - 1)
}

/// What stands between the parts: random, as it must not occur in them.
fn boundary() -> String {
    let dice = || getrandom::u64().expect("the kernel's random numbers are always to be had on Linux");
    format!("{:016x}{:016x}", dice(), dice())
}

/// RFC 9110 section 14.6. Each boundary begins a line, the first one too: some readers look for it so.
fn multipart_body(ranges: Vec<Range<u64>>, boundary: &str, kind: &str, len: u64) -> Vec<Part> {
    let mut parts = vec![];
    for range in ranges {
        let range_of = content_range(&range, len);
        let head = format!("\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: {range_of}\r\n\r\n");
        parts.extend([Part::Text(Bytes::from(head)), Part::Range(range)]);
    }
    parts.push(Part::Text(Bytes::from(format!("\r\n--{boundary}--\r\n"))));
    parts
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

/// The rate that the attempt's device needs, when its model is one with a quirk.
fn rate_of(context: &Context, boot: BootId) -> Option<model::Bytes> {
    let ground = context.engine.ground();
    if ground.site.boot.quirks.iter().all(|quirk| quirk.rate.is_none()) {
        return None;
    }
    let world = context.engine.world();
    let device = world.devices.get(&world.boots.get(&boot)?.device)?;
    matching::quirk(&ground.site.boot, &world.whole(device), |quirk| quirk.rate)
}
