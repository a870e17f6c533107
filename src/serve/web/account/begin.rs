//! How an account begins: the first one, with the token that `serve` gave out, and those that somebody was invited to.

use std::time::Instant;

use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, State},
    http::{StatusCode, request::Parts},
    response::Response,
    routing::{get, post},
};
use serde::Serialize;

use crate::{
    model::{Account, AccountName, Role},
    serve::account::{CreateAsk, PasswordAsk, Refused, create, invited, prove},
};

use super::{
    super::{Wants, order::Fields},
    Frame, Trouble, Web, sentence,
    sign_in::{LARGEST, View as SignIn, entered, shown, slow},
};

/// What facts call whoever made the first account.
const FIRST: &str = "first-sign-in";

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/sign-in/first", post(first))
        .route("/invitation/{code}", get(invitation).post(accept))
        .layer(DefaultBodyLimit::max(LARGEST))
}

/// A new password, typed twice.
pub(super) fn twice(fields: &Fields) -> Result<String, &'static str> {
    let password = fields.get("password").unwrap_or_default();
    match fields.get("again").unwrap_or_default() == password {
        true => Ok(password.to_owned()),
        false => Err("The two passwords are not the same."),
    }
}

async fn first(
    State(web): State<Web>,
    wants: Wants,
    frame: Frame,
    parts: Parts,
    fields: Fields,
) -> Result<Response, Trouble> {
    let typed = fields.get("name").unwrap_or_default().trim().to_lowercase();
    let view = SignIn { next: "/".into(), name: typed.clone(), ..SignIn::default() };
    let address = web.door.address(&parts);
    let tried = match web.door.attempts().take(address, "", false, Instant::now()) {
        Ok(tried) => tried,
        Err(seconds) => return slow(&web, wants, frame, view, seconds),
    };
    // A token that opens is kept in the form: nobody types it twice because of a password.
    let wrong = |frame, error: String, token: Option<&str>, status| {
        let token = token.unwrap_or_default().trim().to_owned();
        let view = SignIn { error: Some(error), name: typed.clone(), token, ..SignIn::default() };
        shown(&web, wants, frame, view, status)
    };
    let token = fields.get("token");
    if !web.door.is_first_token(&web, token.unwrap_or_default()) {
        web.context.metrics.sign_in("bad");
        tracing::warn!(%address, "somebody showed a first token that is none");
        let error = "This is not the token that the server gave out when it was started last.".to_owned();
        return wrong(frame, error, None, StatusCode::UNAUTHORIZED);
    }
    web.door.attempts().was_good(&tried);
    let name: AccountName = match typed.parse() {
        Ok(name) => name,
        Err(bad) => return wrong(frame, sentence(&bad), token, StatusCode::UNPROCESSABLE_ENTITY),
    };
    let password = match twice(&fields) {
        Ok(password) => password,
        Err(words) => return wrong(frame, words.to_owned(), token, StatusCode::UNPROCESSABLE_ENTITY),
    };
    let ask = CreateAsk { name: name.clone(), role: Role::Admin, password: Some(password), by: FIRST.into() };
    match create(&web.context, &ask, true).await {
        Ok(_) => enter(&web, &parts, &name).await,
        Err(refused @ (Refused::Password(_) | Refused::Rejected(_))) => {
            wrong(frame, sentence(&refused), token, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(refused) => Err(refused.into()),
    }
}

/// Signs in whoever has just chosen a password.
async fn enter(web: &Web, parts: &Parts, name: &AccountName) -> Result<Response, Trouble> {
    // It may be gone already: somebody was quick.
    let (who, _) = web.account(name).ok_or(Trouble::SignIn)?;
    Ok(entered(web, parts, who, "/").await)
}

/// What somebody who is invited sees.
#[derive(Debug, Serialize)]
struct View {
    /// What the account is called.
    name: AccountName,
    /// What it may do.
    role: Role,
    /// Why what was typed will not do.
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "html/invitation.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
    code: &'a str,
}

fn welcome(
    wants: Wants,
    frame: Frame,
    account: &Account,
    code: &str,
    error: Option<String>,
) -> Result<Response, Trouble> {
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let view = View { name: account.name.clone(), role: account.role, error };
    let frame = Frame { title: "Choose a password".into(), ..frame };
    let mut response = wants.answer(&view, || Page { frame, view: &view, code })?;
    *response.status_mut() = status;
    Ok(response)
}

fn guest(web: &Web, code: &str) -> Result<Account, Trouble> {
    let gone = || {
        let why = "It was used, taken back, or is over.";
        Trouble::new(
            StatusCode::NOT_FOUND,
            "This invitation opens nothing",
            why,
            "Ask whoever sent it for another one. You have a password already? Then sign in with it.",
        )
        .leading("/sign-in", "Sign in")
    };
    invited(&web.context, code).ok_or_else(gone)
}

async fn invitation(
    State(web): State<Web>,
    wants: Wants,
    frame: Frame,
    Path(code): Path<String>,
) -> Result<Response, Trouble> {
    welcome(wants, frame, &guest(&web, &code)?, &code, None)
}

async fn accept(
    State(web): State<Web>,
    wants: Wants,
    frame: Frame,
    parts: Parts,
    Path(code): Path<String>,
    fields: Fields,
) -> Result<Response, Trouble> {
    let account = guest(&web, &code)?;
    let password = match twice(&fields) {
        Ok(password) => password,
        Err(words) => return welcome(wants, frame, &account, &code, Some(words.into())),
    };
    let by = format!("account:{}", account.name);
    let ask = PasswordAsk { name: account.name.clone(), password: Some(password), by };
    // An invitation is for one: a second who has the same code finds the account changed.
    match prove(&web.context, &ask, Some(account.changed)).await {
        Ok(_) => enter(&web, &parts, &account.name).await,
        Err(Refused::Password(bad)) => welcome(wants, frame, &account, &code, Some(sentence(&bad))),
        Err(refused) => Err(refused.into()),
    }
}
