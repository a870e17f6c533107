//! What is said of a file of an image that is not to be had: to the device's console, to its timeline, to the metrics.
//!
//! The log says all of it; out here it is told by what kind of trouble which server has, without paths and credentials.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{
    images::BlobError,
    model::{BootId, Digest, image::Role, request::Request, timeline::Step, trouble},
    wire::ipxe_script,
};

use super::{
    Context,
    boot::SCRIPT,
    http::{Ends, text},
    net::peer_ip,
};

/// Answers for a file that is not to be had. It is in the timeline before the device hears of it, as it will ask why.
pub(super) async fn refuse(
    context: &Context,
    ends: Ends,
    asker: Option<(BootId, Role)>,
    digest: Digest,
    error: &BlobError,
) -> Response {
    tracing::warn!(%digest, %error, "an image file is not to be had");
    let why = error.troubles();
    context.metrics.refused(&why);
    let said = format!("this file is not to be had now: {}\n", trouble::all(&why));
    if let Some((boot, role)) = asker {
        let step = Step::NoBlob { role, digest, why };
        // An engine that is too busy to note it has lost a note, and counted it.
        context.engine.ask(Request::Observe { boot, step, peer: peer_ip(ends.peer) }).await.ok();
    }
    (StatusCode::BAD_GATEWAY, said).into_response()
}

/// Notes that a file broke off on its way, after its first bytes were sent.
pub(super) fn broke_off(
    context: &Context,
    ends: Ends,
    asker: Option<(BootId, Role)>,
    digest: Digest,
    error: &BlobError,
) {
    let why = error.troubles();
    context.metrics.refused(&why);
    if let Some((boot, role)) = asker {
        context.engine.note(boot, Step::NoBlob { role, digest, why }, peer_ip(ends.peer));
    }
}

/// The script that says on the console why a file did not come.
pub(super) async fn script(context: &Context, boot: BootId) -> Response {
    // Behind this in the engine's inbox, what was noted before is in the World.
    context.engine.ask(Request::Tick).await.ok();
    told(context, boot)
}

/// The same, for a device that does not try again: it is noted.
pub(super) async fn gave_up(context: &Context, ends: Ends, boot: BootId) -> Response {
    context.engine.ask(Request::Observe { boot, step: Step::GaveUp, peer: peer_ip(ends.peer) }).await.ok();
    told(context, boot)
}

fn told(context: &Context, boot: BootId) -> Response {
    let world = context.engine.world();
    let steps = world.boots.get(&boot).map(|boot| &*boot.steps).unwrap_or_default();
    let latest = steps.iter().rev().find_map(|moved| match &moved.step {
        Step::NoBlob { role, why, .. } => Some((*role, &**why)),
        _ => None,
    });
    text(SCRIPT, ipxe_script::trouble(latest))
}
