//! `/sign-in/oidc`: to the issuer, and back.

use std::time::Instant;

use axum::{
    Router,
    extract::{Query, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use serde::Deserialize;

use super::{
    super::{
        door::{Back, CALLBACK, Fault, Oidc, Who, to_sign_in, way},
        notice::cookie,
    },
    Frame, Notice, Trouble, Web,
    sign_in::onward,
};

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/sign-in/oidc", get(begin)).route(CALLBACK, get(end))
}

#[derive(Debug, Deserialize)]
struct Ask {
    next: Option<String>,
}

fn issuer(web: &Web) -> Result<&Oidc, Trouble> {
    web.door.oidc().ok_or_else(|| Trouble::not_found("page", "/sign-in/oidc"))
}

async fn begin(State(web): State<Web>, parts: Parts, Query(ask): Query<Ask>) -> Result<Response, Trouble> {
    let oidc = issuer(&web)?;
    patient(&web, &parts)?;
    let next = way(ask.next.as_deref());
    let (to, cookie) = match oidc.begin(next, (web.context.clock)()).await {
        Ok(begun) => begun,
        Err(fault) => return said(&web, &fault, next),
    };
    let mut response = Redirect::to(&to).into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Whoever begins again and again has the issuer asked again and again: that waits as wrong passwords do.
fn patient(web: &Web, parts: &Parts) -> Result<(), Trouble> {
    web.door.attempts().ask(web.door.address(parts), Instant::now()).map_err(|seconds| {
        web.context.metrics.sign_in("held back");
        let help = format!("Try again in {seconds} seconds.");
        Trouble::new(
            StatusCode::TOO_MANY_REQUESTS,
            "That was tried too often",
            "Somebody at this address signs in again and again.",
            help,
        )
    })
}

async fn end(
    State(web): State<Web>,
    parts: Parts,
    frame: Frame,
    Query(back): Query<Back>,
) -> Result<Response, Trouble> {
    let oidc = issuer(&web)?;
    let carried = cookie(&parts.headers, &oidc.cookie());
    let now = (web.context.clock)();
    let (person, next) = match oidc.end(&back, carried, now).await {
        Ok(ended) => ended,
        Err(fault) => return said(&web, &fault, oidc.next(carried, now).as_deref().unwrap_or("/")),
    };
    let address = web.door.address(&parts);
    let Some(role) = person.role else {
        web.context.metrics.sign_in("bad");
        tracing::warn!(account = %person.name, %address, "somebody signed in with the issuer, and may do nothing here");
        let says = if person.says.is_empty() { "nothing".into() } else { person.says.join(", ") };
        let why = format!("You are {} at {}, and nobody has said what you may do here.", person.name, person.host);
        let help = format!("An admin can change that. What the issuer says that would count: {says}.");
        let trouble = Trouble::new(StatusCode::FORBIDDEN, "You may not come in", why, help);
        return Err(trouble.leading("/sign-in", "Sign in another way"));
    };
    let who = Who::Issuer { name: person.name, issuer: oidc.address().into(), host: person.host, role };
    web.context.metrics.sign_in("good");
    tracing::info!(account = who.name(), %role, %address, "somebody signed in with the issuer");
    web.door.attempts().was_known(address);
    let session = web.door.admit(&web, &parts, who).await;
    // From the issuer's site the new cookie would not come along: a page of ours goes on.
    let mut response = onward(frame, &next)?;
    response.headers_mut().append(header::SET_COOKIE, session);
    response.headers_mut().append(header::SET_COOKIE, oidc.forget());
    Ok(response)
}

/// Whoever cannot come in as the issuer is away is back where there is another way in, and can try again. A proxy before this
/// server would show a page of its own for an answer of 502.
fn said(web: &Web, fault: &Fault, next: &str) -> Result<Response, Trouble> {
    web.context.metrics.sign_in("bad");
    let more = if let Fault::Away { more, .. } = fault { more.as_str() } else { "" };
    tracing::warn!(more, "nobody is signed in with the issuer: {fault}");
    let (status, title) = match fault {
        Fault::Away { .. } => {
            let help = "Try again in a moment, or sign in with a password if you have an account of this server's own.";
            return Ok(Notice::refused(format!("{} {help}", super::sentence(fault))).on(&to_sign_in(next)));
        }
        Fault::Stranger => (StatusCode::BAD_REQUEST, "That did not work out"),
        Fault::Refused(_) => (StatusCode::FORBIDDEN, "The issuer says no"),
        Fault::Unbelievable(_) => (StatusCode::UNAUTHORIZED, "That cannot be believed"),
    };
    Err(Trouble::new(status, title, super::sentence(fault), "Begin again.").leading("/sign-in", "Sign in"))
}
