//! Scripts and, for UEFI HTTP Boot, NBPs.

use std::convert::Infallible;

use axum::{
    body::Body,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use crate::{
    boot::plan,
    engine::Unavailable,
    model::{BootId, Firmware, Refusal, reply::Reply, request::Request, timeline::Step},
    wire::{
        hardware::parse_hardware,
        ipxe_script::{self, Links},
    },
};

use super::{
    Context,
    http::{Ends, not_found, text},
    net::peer_ip,
    staging,
    transfer::{Meter, content_type, metered},
};

/// How much of an NBP is handed over at once: a transfer that breaks off is seen to.
const PIECE: usize = 64 << 10;

pub(super) const SCRIPT: &str = "text/plain; charset=us-ascii";

/// The first script.
pub(super) fn start(context: &Context, ends: Ends, boot: BootId) -> Response {
    context.console.met(peer_ip(ends.peer), boot);
    let syslog = context.console.for_ipxe(ends.local.ip());
    text(SCRIPT, ipxe_script::start(&ends.server_url(), boot, syslog))
}

/// The second script: what the engine decided for this device.
pub(super) async fn script(context: &Context, ends: Ends, boot: BootId, uri: &Uri) -> Response {
    let hardware = parse_hardware(uri.query().unwrap_or_default());
    let peer = peer_ip(ends.peer);
    context.console.met(peer, boot);
    let server = ends.server_url();
    let asked = Request::Script { boot, hardware, peer, server: server.clone() };
    let plan = match context.engine.ask(asked).await {
        Ok(Reply::Script(plan)) => plan,
        Ok(_) => plan::refuse(Refusal::UnknownBoot, Firmware::IpxeEfi),
        Err(Unavailable::Busy) => return busy(),
        Err(Unavailable::Stopped) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    staging::note(context, boot, &plan, peer);
    tracing::info!(%boot, %peer, decision = ?plan.decision, "a boot script was sent");
    let syslog = context.console.address(ends.local.ip());
    let links = Links { server, boot, token: context.seed_key.token(boot), syslog };
    text(SCRIPT, ipxe_script::script(&plan, &links))
}

/// The headers of the second script.
pub(super) fn script_head() -> Response {
    ([(header::CONTENT_TYPE, SCRIPT)], Body::from_stream(stream::empty::<Result<Bytes, Infallible>>())).into_response()
}

/// An NBP. Firmware asks HEAD first; only a GET that was answered to its end delivers it.
pub(super) fn nbp(context: &Context, ends: Ends, boot: BootId, name: &str, deliver: bool) -> Response {
    let Some(bytes) = context.nbps.get(name).cloned() else { return not_found() };
    let length = bytes.len();
    let body = match deliver {
        true => {
            let (engine, name, peer) = (context.engine.clone(), name.to_owned(), peer_ip(ends.peer));
            let pieces = (0..length).step_by(PIECE).map(move |at| bytes.slice(at..length.min(at + PIECE)));
            let meter = Meter::new(length as u64, move |transfer| {
                engine.note(boot, Step::Nbp { name, transfer }, peer);
            });
            metered(stream::iter(pieces).boxed(), meter)
        }
        false => Body::empty(),
    };
    let headers = [(header::CONTENT_TYPE, content_type(name).to_owned()), (header::CONTENT_LENGTH, length.to_string())];
    (headers, body).into_response()
}

pub(super) fn busy() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], "too many requests at once: try again\n")
        .into_response()
}
