//! The API: REST with JSON for user-management and service-desk systems, under `/api/v1` of a listener of its own.
//!
//! ```text
//!   port (TLS, slow clients) -> guard (rates, Accept, words of errors) -> caller (token, scope) -> a resource's file
//!     reads: the World as published                 writes: orders for the engine, all or none, by `token:NAME`
//! ```
//! One file a resource; each declares its routes with their part of the document, so that neither can be without the other.
//! What is sent is read into the nouns of floor 0 at once (`ask`), and what is answered has types of its own, which are
//! the document's schemas: what the journal holds may change, what was promised to others may not.
//!
//! It needs tokens, which an operator makes at the admin's door, and takes no cookies: a browser that is logged in somewhere
//! can be made to ask, but has nothing to show.

mod arming;
mod ask;
mod assignment;
mod audit;
mod boot;
mod cache;
mod caller;
mod decision;
mod device;
mod document;
mod guard;
mod health;
mod manual;
mod order;
mod page;
mod persona;
mod port;
mod prediction;
mod problem;
mod rule;
mod shape;
mod tag;
mod user;

use std::sync::Arc;

use aide::{axum::ApiRouter, openapi::OpenApi};
use axum::{Router, middleware, routing::get};

use super::Context;

pub(super) use caller::{Peer, peer};
pub use port::{Listener, Tls, TlsError, bind, serve};

/// Where the API begins.
const PREFIX: &str = "/api/v1";

/// How many requests there may be, a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Of one token.
    pub token: u32,
    /// Of one address, whatever it shows.
    pub address: u32,
}

/// What every handler needs.
#[derive(Clone)]
struct Api {
    context: Context,
    rates: Rates,
    /// The document and its page, made once.
    manual: Arc<manual::Manual>,
}

/// The routes of the API, under their prefix. Others may stand beside them on the same listener.
pub fn router(context: Context, rates: Rates) -> Router {
    let (routes, document) = document::of(resources);
    let api = Api { context, rates, manual: Arc::new(manual::Manual::new(&document)) };
    let inside = routes.merge(manual::routes()).fallback(guard::stranger);
    // The root of a nested router is its prefix without the slash: the other one is beside it.
    let root = Router::new().route(&format!("{PREFIX}/"), get(manual::start));
    let guarded = |routes: Router<Api>| routes.layer(middleware::from_fn_with_state(api.clone(), guard::guard));
    Router::new().nest(PREFIX, guarded(inside)).merge(guarded(root)).with_state(api.clone())
}

/// The document, as `greenroom api openapi` prints it.
pub fn document() -> OpenApi {
    document::of(resources).1
}

fn resources() -> ApiRouter<Api> {
    ApiRouter::new()
        .merge(device::routes())
        .merge(user::routes())
        .merge(assignment::routes())
        .merge(arming::routes())
        .merge(rule::routes())
        .merge(boot::routes())
        .merge(persona::routes())
        .merge(cache::routes())
        .merge(prediction::routes())
        .merge(decision::routes())
        .merge(audit::routes())
        .merge(health::routes())
}
