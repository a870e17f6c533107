//! What the image cache holds for nobody, and its removal.
//!
//! **Named is what a manifest of the library names, and what a boot under way was planned with.** A library that does not read
//! as a whole names what nobody can tell: nothing is removed then.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{document::Problem, images::Unnamed, model::Digest};

use super::{Context, admin::trouble};

/// What could be removed.
pub(super) async fn list(State(context): State<Context>) -> Json<Vec<Unnamed>> {
    Json(unnamed(&context))
}

/// What could be removed now.
pub(super) fn unnamed(context: &Context) -> Vec<Unnamed> {
    context.images.unnamed(&named(context))
}

/// Removes it; what went.
pub(super) async fn remove(State(context): State<Context>) -> Response {
    if let Some(problem) = context.problems().iter().find(|problem| problem.is_error()) {
        return trouble(StatusCode::CONFLICT, refusal(problem));
    }
    let removed = tokio::task::spawn_blocking(move || {
        let removed = context.images.remove(&context.images.unnamed(&named(&context)));
        for one in &removed {
            tracing::info!(digest = %one.digest, len = one.disk.0.max(one.ram.0), "removed an image file that nothing names");
        }
        removed
    });
    match removed.await {
        Ok(removed) => Json(removed).into_response(),
        Err(_) => trouble(StatusCode::INTERNAL_SERVER_ERROR, "the removal broke off: look into the log"),
    }
}

pub(super) fn refusal(problem: &Problem) -> String {
    format!(
        "the library does not read as a whole ({}: {}), so nobody can tell what it names: mend that first, `greenroom persona \
         check` shows it",
        problem.path, problem.message
    )
}

/// The blobs that something names.
fn named(context: &Context) -> BTreeSet<Digest> {
    let (world, ground) = (context.engine.world(), context.engine.ground());
    let of_library = ground.catalog.images().flat_map(|image| image.files.values().map(|file| file.sha256));
    let mut named: BTreeSet<Digest> = of_library.collect();
    let under_way = world.boots.values().filter(|boot| boot.outcome.is_none());
    for kernel in under_way.filter_map(|boot| boot.kernel.as_ref()) {
        named.extend(kernel.files.iter().map(|file| file.digest));
    }
    named
}
