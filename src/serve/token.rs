//! Tokens of the API: making them, recognising them, and the admin's door to them.
//!
//! A token is 32 random bytes; what is kept is an HMAC of it, under a key that is derived from the daemon's own. It is shown
//! once, to whoever had it made, and never reaches the journal or the log.

use std::collections::BTreeSet;

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{
    engine::Unavailable,
    model::{
        Moment, Scope, Seconds, Token, TokenName,
        command::Rejection,
        reply::Reply,
        request::Request,
        token::{TokenOrder, TokenPrint},
    },
};

use super::{Context, admin::answered, seed::SeedKey};

/// What every token begins with, so that people and scanners of leaked secrets know one when they see it.
const BEGINNING: &str = "greenroom_";

/// Which token shall be made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateAsk {
    /// What it is called.
    pub name: TokenName,
    /// What it allows.
    pub scopes: BTreeSet<Scope>,
    /// For how long; for ever when not given.
    pub lasts: Option<Seconds>,
    /// Who asks.
    pub by: String,
}

/// A token that was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Created {
    /// What it is called.
    pub name: TokenName,
    /// The token itself. It is shown here, and never again.
    pub token: String,
    /// Until when it opens anything.
    pub expires: Option<Moment>,
}

/// Which token shall open nothing any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RevokeAsk {
    /// What it is called.
    pub name: TokenName,
    /// Who asks.
    pub by: String,
}

/// A token, as it may be shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenView {
    /// What it is called.
    pub name: TokenName,
    /// What it allows.
    pub scopes: BTreeSet<Scope>,
    /// When it was made.
    pub created: Moment,
    /// By whom.
    pub by: String,
    /// Until when it opens anything.
    pub expires: Option<Moment>,
    /// Whether it has expired.
    pub expired: bool,
    /// When it was last used, since the daemon was started.
    pub used: Option<Moment>,
}

/// What is kept of this token.
pub(super) fn print(key: &SeedKey, token: &str) -> TokenPrint {
    TokenPrint::new(mac(&key.derived("tokens of the API"), token.as_bytes()))
}

pub(super) fn mac(key: &[u8], said: &[u8]) -> [u8; 32] {
    let code = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    code.chain_update(said).finalize().into_bytes().into()
}

/// The live token that somebody shows. Each is compared, so that the time tells nothing of which are there.
pub(super) fn recognise(context: &Context, shown: &str) -> Option<Token> {
    let (print, now) = (print(&context.seed_key, shown), (context.clock)());
    let world = context.engine.world();
    let mut found = None;
    for token in world.tokens.values() {
        if token.print == print {
            found = Some(token.clone());
        }
    }
    found.filter(|token| token.is_live(now))
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/tokens", get(list).post(create)).route("/tokens/revoke", post(revoke))
}

async fn list(State(context): State<Context>) -> Json<Vec<TokenView>> {
    Json(views(&context))
}

/// All tokens, as they may be shown.
pub(super) fn views(context: &Context) -> Vec<TokenView> {
    let (world, now) = (context.engine.world(), (context.clock)());
    let view = |token: &Token| TokenView {
        name: token.name.clone(),
        scopes: token.scopes.clone(),
        created: token.created,
        by: token.by.clone(),
        expires: token.expires,
        expired: !token.is_live(now),
        used: context.callers.used(&token.name),
    };
    world.tokens.values().map(view).collect()
}

async fn create(State(context): State<Context>, Json(ask): Json<CreateAsk>) -> Response {
    match make(&context, ask).await {
        Ok(Ok(created)) => Json(created).into_response(),
        Ok(Err(rejection)) => answered(Ok(Reply::Rejected(rejection))),
        Err(unavailable) => answered(Err(unavailable)),
    }
}

/// Makes a token, unless that is rejected.
pub(super) async fn make(context: &Context, ask: CreateAsk) -> Result<Result<Created, Rejection>, Unavailable> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the kernel's random numbers are always to be had on Linux");
    let token = format!("{BEGINNING}{}", URL_SAFE_NO_PAD.encode(bytes));
    let expires = ask.lasts.map(|lasts| (context.clock)().plus(lasts));
    let print = print(&context.seed_key, &token);
    let CreateAsk { name, scopes, by, .. } = ask;
    let order = TokenOrder::Create { name: name.clone(), scopes, print, expires, by };
    match context.engine.ask(Request::Token(order)).await? {
        Reply::Rejected(rejection) => Ok(Err(rejection)),
        _ => Ok(Ok(Created { name, token, expires })),
    }
}

async fn revoke(State(context): State<Context>, Json(ask): Json<RevokeAsk>) -> Response {
    let RevokeAsk { name, by } = ask;
    answered(context.engine.ask(Request::Token(TokenOrder::Revoke { name, by })).await)
}
