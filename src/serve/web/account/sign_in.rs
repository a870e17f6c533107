//! `/sign-in` and `/sign-out`.
//!
//! Whether an account is unknown, invited only, or its password is another one: the answer is the same, and takes as long.

use std::time::Instant;

use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Query, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use crate::model::{
    AccountName,
    account::{LONGEST_PASSWORD, Proof},
};

use super::{
    super::{
        Wants,
        door::{Session, Who, to_sign_in, way},
        order::Fields,
    },
    Frame, Notice, Trouble, Visitor, Web,
};

/// Whoever is not signed in sends no more than this.
pub(super) const LARGEST: usize = 16 << 10;

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/sign-in", get(page).post(sign_in))
        .route("/sign-out", post(sign_out))
        .layer(DefaultBodyLimit::max(LARGEST))
}

/// What the page shows.
#[derive(Debug, Default, Serialize)]
pub(super) struct View {
    /// Whether the first account is to be made.
    pub(super) first: bool,
    /// The issuer that people can sign in with.
    pub(super) issuer: Option<String>,
    /// Where to go then.
    pub(super) next: String,
    /// What was typed as the account's name.
    pub(super) name: String,
    /// The first token, when it was typed right and something else was not.
    #[serde(skip)]
    pub(super) token: String,
    /// Why that was not it.
    pub(super) error: Option<String>,
}

#[derive(Template)]
#[template(path = "html/sign_in.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

/// A page that goes on by itself.
#[derive(Template)]
#[template(path = "html/onward.html", config = ".askama.toml")]
struct Onward<'a> {
    frame: Frame,
    to: &'a str,
}

/// A page of ours that goes on to another one. Browsers send a strict cookie along only from there: not when somebody comes
/// from another site, by a link or from an issuer.
pub(in crate::serve::web) fn onward(frame: Frame, to: &str) -> Result<Response, Trouble> {
    let frame = Frame { title: "One moment".into(), ..frame };
    Ok(Html(Onward { frame, to }.render().map_err(Trouble::bug)?).into_response())
}

#[derive(Debug, Deserialize)]
struct Ask {
    next: Option<String>,
}

async fn page(
    State(web): State<Web>,
    wants: Wants,
    parts: Parts,
    frame: Frame,
    Query(ask): Query<Ask>,
) -> Result<Response, Trouble> {
    let next = way(ask.next.as_deref());
    if parts.extensions.get::<Visitor>().is_some() && wants == Wants::Page {
        return Ok(Redirect::to(next).into_response());
    }
    let site = parts.headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    if wants == Wants::Page && matches!(site, Some("cross-site" | "same-site")) {
        // Somebody followed a link from elsewhere, and may well be signed in: the cookie comes with the next request.
        return onward(frame, &to_sign_in(next));
    }
    shown(&web, wants, frame, View { next: next.to_owned(), ..View::default() }, StatusCode::OK)
}

/// The form, with what went wrong.
pub(super) fn shown(
    web: &Web,
    wants: Wants,
    frame: Frame,
    view: View,
    status: StatusCode,
) -> Result<Response, Trouble> {
    let first = web.door.is_first(&web.context.engine.world());
    let view = View { first, issuer: web.door.issuer(), ..view };
    let title = if first { "Make the first account" } else { "Sign in" };
    let mut response = wants.answer(&view, || Page { frame: Frame { title: title.into(), ..frame }, view: &view })?;
    *response.status_mut() = status;
    Ok(response)
}

/// What keeps somebody from trying.
pub(super) fn slow(web: &Web, wants: Wants, frame: Frame, view: View, seconds: u64) -> Result<Response, Trouble> {
    web.context.metrics.sign_in("held back");
    let error = format!("That was tried too often: try again in {seconds} seconds.");
    let view = View { error: Some(error), ..view };
    let mut response = shown(web, wants, frame, view, StatusCode::TOO_MANY_REQUESTS)?;
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    Ok(response)
}

async fn sign_in(
    State(web): State<Web>,
    wants: Wants,
    frame: Frame,
    parts: Parts,
    fields: Fields,
) -> Result<Response, Trouble> {
    let next = way(fields.get("next")).to_owned();
    let typed = fields.get("name").unwrap_or_default().trim().to_lowercase();
    let password = fields.get("password").unwrap_or_default();
    let view = View { next: next.clone(), name: typed.clone(), ..View::default() };
    let name: Option<AccountName> = typed.parse().ok();
    let known = name.and_then(|name| web.context.engine.world().accounts.get(&name).cloned());
    let (address, now) = (web.door.address(&parts), (web.context.clock)());
    let at_home = known.as_ref().is_some_and(|known| {
        let theirs = |session: &Session| session.address == address && session.who.is_account(&known.name);
        !web.door.sessions().list(now, theirs).is_empty()
    });
    let tried = match web.door.attempts().take(address, &typed, at_home, Instant::now()) {
        Ok(tried) => tried,
        Err(seconds) => return slow(&web, wants, frame, view, seconds),
    };
    let print = known.as_ref().and_then(|known| match &known.proof {
        Proof::Password { print } if password.len() <= LONGEST_PASSWORD => Some(print),
        _ => None,
    });
    let bounded = if password.len() <= LONGEST_PASSWORD { password } else { "" };
    let fits = match web.context.passwords.fits(&web.context.seed_key, bounded, print).await {
        Ok(fits) => fits,
        Err(busy) => {
            web.context.metrics.sign_in("busy");
            let view = View { error: Some(super::sentence(&busy)), ..view };
            return shown(&web, wants, frame, view, StatusCode::SERVICE_UNAVAILABLE);
        }
    };
    // What was typed may be a password in the wrong field: names that nobody has are not logged.
    let account = known.as_ref().map_or("(nobody's)", |known| known.name.as_str());
    let Some(known) = known.as_ref().filter(|_| fits) else {
        web.context.metrics.sign_in("bad");
        tracing::warn!(account, %address, "somebody failed to sign in");
        let error = Some("The name or the password is not right.".to_owned());
        return shown(&web, wants, frame, View { error, ..view }, StatusCode::UNAUTHORIZED);
    };
    web.door.attempts().was_good(&tried);
    // For the account as it was when its password was looked at.
    let who = Who::Account { name: known.name.clone(), changed: known.changed };
    Ok(entered(&web, &parts, who, &next).await)
}

/// Signs somebody in, and goes on.
pub(super) async fn entered(web: &Web, parts: &Parts, who: Who, next: &str) -> Response {
    web.context.metrics.sign_in("good");
    tracing::info!(account = who.name(), address = %web.door.address(parts), "somebody signed in");
    let cookie = web.door.admit(web, parts, who).await;
    let mut response = Redirect::to(next).into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

async fn sign_out(State(web): State<Web>, parts: Parts) -> Response {
    if let Some((this, session)) = web.door.session(&web, &parts.headers, false) {
        web.door.end(|id, _| *id == this).await;
        tracing::info!(account = session.who.name(), "somebody signed out");
    }
    let mut response = Notice::done("You are signed out.").on("/sign-in");
    response.headers_mut().append(header::SET_COOKIE, web.door.forget());
    response
}
