//! `POST /hooks/library`: a git host says that there is something to pull. It is signed as GitHub, Gitea and Forgejo sign:
//! `X-Hub-Signature-256: sha256=` and the HMAC-SHA256 of the body in hexadecimal digits.
//!
//! What the body says is not read: whatever it is, the library is pulled from where the configuration says, and nothing else
//! happens. The answer comes at once, the pull follows; any number of calls while one waits are one.

use std::{collections::VecDeque, sync::Mutex};

use axum::{
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::mpsc;

use crate::model::{Moment, Seconds};

use super::{Context, context::lock, http::not_found};

/// A push of many commits is described in less.
const MAX_BODY: usize = 1 << 20;

/// So many calls within a minute are heard. Anybody can make them until the signature is read: reading costs something.
const MAX_CALLS: usize = 30;
const MINUTE: Seconds = Seconds(60);

const SIGNATURE: &str = "x-hub-signature-256";

/// The door for git hosts.
#[derive(Debug)]
pub struct Hook {
    secret: Vec<u8>,
    pull: mpsc::Sender<()>,
    calls: Mutex<VecDeque<Moment>>,
}

impl Hook {
    /// A door that this secret opens, and what rings behind it.
    pub fn new(secret: impl Into<Vec<u8>>) -> (Self, mpsc::Receiver<()>) {
        let (pull, rings) = mpsc::channel(1);
        (Self { secret: secret.into(), pull, calls: Mutex::default() }, rings)
    }

    /// Whether one more call within a minute is not one too many.
    fn hears(&self, now: Moment) -> bool {
        let mut calls = lock(&self.calls);
        while calls.front().is_some_and(|at| now >= at.plus(MINUTE)) {
            calls.pop_front();
        }
        let heard = calls.len() < MAX_CALLS;
        if heard {
            calls.push_back(now);
        }
        heard
    }

    /// Whether the headers sign the body, in the same time whatever the signature is.
    fn signed(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let given = headers.get(SIGNATURE).and_then(|value| value.to_str().ok()?.strip_prefix("sha256="));
        let digits: Option<Vec<u8>> = given
            .map(str::chars)
            .and_then(|digits| digits.map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect());
        let Some(digits) = digits.filter(|digits| digits.len() == 64) else { return false };
        let given: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        let code = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes a key of any length");
        code.chain_update(body).verify_slice(&given).is_ok()
    }
}

/// `POST /hooks/library`.
pub(super) async fn library(State(context): State<Context>, request: Request) -> Response {
    let Some(hook) = &context.hook else { return not_found() };
    if !hook.hears((context.clock)()) {
        return (
            StatusCode::TOO_MANY_REQUESTS,
            [(header::RETRY_AFTER, "60")],
            "too many calls: the library is pulled by and by\n",
        )
            .into_response();
    }
    let (request, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "1 MiB at most\n").into_response();
    };
    if !hook.signed(&request.headers, &body) {
        tracing::warn!("a call of the library's webhook was not signed with its secret");
        return (StatusCode::FORBIDDEN, "this is not signed with the secret of the library's webhook\n")
            .into_response();
    }
    // One that waits already will see what this one is about.
    hook.pull.try_send(()).unwrap_or_default();
    (StatusCode::ACCEPTED, "the library will be pulled\n").into_response()
}
