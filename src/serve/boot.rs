//! Scripts and, for UEFI HTTP Boot, NBPs.

use axum::{
    body::Body,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use crate::{
    boot::plan,
    engine::Unavailable,
    model::{
        BootId, Firmware, Millis, Refusal,
        reply::Reply,
        request::Request,
        timeline::{Step, Transfer},
        units::Bytes,
    },
    wire::{
        hardware::parse_hardware,
        ipxe_script::{self, Links},
    },
};

use super::{
    Context,
    http::{Ends, not_found, text},
    net::peer_ip,
};

const SCRIPT: &str = "text/plain; charset=us-ascii";

/// The first script.
pub(super) fn start(ends: Ends, boot: BootId) -> Response {
    text(SCRIPT, ipxe_script::start(&ends.server_url(), boot))
}

/// The second script: what the engine decided for this device.
pub(super) async fn script(context: &Context, ends: Ends, boot: BootId, uri: &Uri) -> Response {
    let hardware = parse_hardware(uri.query().unwrap_or_default());
    let peer = peer_ip(ends.peer);
    let plan = match context.engine.ask(Request::Script { boot, hardware, peer }).await {
        Ok(Reply::Script(plan)) => plan,
        Ok(_) => plan::refuse(Refusal::UnknownBoot, Firmware::IpxeEfi),
        Err(Unavailable::Busy) => return busy(),
        Err(Unavailable::Stopped) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    tracing::info!(%boot, %peer, decision = ?plan.decision, "a boot script was sent");
    let links = Links { server: ends.server_url(), boot, token: context.seed_key.token(boot) };
    text(SCRIPT, ipxe_script::script(&plan, &links))
}

/// An NBP. Firmware asks HEAD first; only a GET delivers it.
pub(super) fn nbp(context: &Context, ends: Ends, boot: BootId, name: &str, deliver: bool) -> Response {
    let Some(bytes) = context.nbps.get(name).cloned() else { return not_found() };
    let length = Bytes(bytes.len() as u64);
    if deliver {
        // It counts as delivered when it is handed to the kernel, which takes no time worth telling.
        let transfer = Transfer { bytes: length, of: length, took: Millis(0) };
        context.engine.note(boot, Step::Nbp { name: name.to_owned(), transfer }, peer_ip(ends.peer));
    }
    // EDK2 takes `.efi` by its name or by this type (QUIRKS row 32).
    ([(header::CONTENT_TYPE, "application/efi")], Body::from(bytes)).into_response()
}

fn busy() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], "too many requests at once: try again\n")
        .into_response()
}
