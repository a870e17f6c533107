//! `/health`: how the daemon fares.

use std::collections::BTreeMap;

use aide::axum::{ApiRouter, routing::get_with};
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Api,
    caller::{Caller, Read},
    tag::Tagged,
};

/// How the daemon fares.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Health")]
struct HealthView {
    /// Whether everything is as it should be. A daemon that answers at all serves devices.
    ok: bool,
    /// The number of the latest fact.
    facts: u64,
    /// Documents of the library that are not served as written.
    library_errors: usize,
    /// The personas whose files are not good, with what serves in their place.
    broken: BTreeMap<String, String>,
    /// What fares badly, with its last words.
    troubles: BTreeMap<String, String>,
}

pub(super) fn routes() -> ApiRouter<Api> {
    let health = get_with(health, |op| {
        op.id("getHealth").tag("health").summary("See how the server fares").description(
            "For people and for dashboards. Load balancers ask `/healthz` of the boot port, which needs no token.",
        )
    });
    ApiRouter::new().api_route("/health", health)
}

async fn health(_: Caller<Read>, State(api): State<Api>) -> Tagged<HealthView> {
    let health = api.context.health();
    Tagged::new(HealthView {
        ok: health.ok,
        facts: health.facts,
        library_errors: health.library_errors,
        broken: health.broken,
        troubles: health.troubles,
    })
}
