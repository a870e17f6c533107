//! `/account`: who one is here, where one is signed in, and another password.

use std::time::Instant;

use askama::Template;
use axum::{
    Router,
    extract::State,
    http::{header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;

use crate::{
    model::{AccountName, Role, account::Proof},
    serve::account::{PasswordAsk, prove},
};

use super::{
    super::{
        Wants,
        door::{Id, Session, Who},
        order::Fields,
    },
    Frame, MINE, Notice, SessionView, Trouble, Visitor, Web, back,
    begin::twice,
    sessions,
};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/account", get(page))
        .route("/account/password", post(password))
        .route("/account/sessions/end", post(end))
        .route("/account/sessions/end-others", post(end_others))
}

/// What the page shows.
#[derive(Debug, Serialize)]
struct View {
    /// What the account is called.
    name: String,
    /// What it may do.
    role: Role,
    /// In a sentence.
    may: &'static str,
    /// Whether it has a password here.
    local: bool,
    /// Where it is signed in.
    sessions: Vec<SessionView>,
}

#[derive(Template)]
#[template(path = "html/account.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

/// The session that asks. Whoever comes this far has one.
fn this(web: &Web, parts: &Parts) -> Result<(Id, Session), Trouble> {
    web.door.session(web, &parts.headers, false).ok_or(Trouble::SignIn)
}

/// The account that was made here and is signed in with.
fn local(session: &Session) -> Option<AccountName> {
    match &session.who {
        Who::Account { name, .. } => Some(name.clone()),
        Who::Issuer { .. } => None,
    }
}

async fn page(
    State(web): State<Web>,
    wants: Wants,
    visitor: Visitor,
    parts: Parts,
    frame: Frame,
) -> Result<Response, Trouble> {
    let (id, session) = this(&web, &parts)?;
    let view = View {
        role: visitor.role,
        may: visitor.role.about(),
        local: local(&session).is_some(),
        sessions: sessions(&web, Some(id), |other| other.who.is_same(&session.who)),
        name: visitor.name,
    };
    wants.answer(&view, || Page { frame: Frame { title: "Your account".into(), ..frame }, view: &view })
}

async fn password(State(web): State<Web>, visitor: Visitor, parts: Parts, fields: Fields) -> Result<Response, Trouble> {
    let (_, session) = this(&web, &parts)?;
    let Some(name) = local(&session) else {
        return Ok(Notice::refused("Your password is your issuer's: change it there.").on(MINE));
    };
    let current = fields.get("current").unwrap_or_default();
    let address = web.door.address(&parts);
    let tried = match web.door.attempts().take(address, name.as_str(), true, Instant::now()) {
        Ok(tried) => tried,
        Err(seconds) => {
            let words = format!("That was tried too often: try again in {seconds} seconds.");
            return Ok(Notice::refused(words).on(MINE));
        }
    };
    let account = web.context.engine.world().accounts.get(&name).cloned().ok_or(Trouble::SignIn)?;
    let Proof::Password { print } = &account.proof else { return Err(Trouble::SignIn) };
    let fits = web.context.passwords.fits(&web.context.seed_key, current, Some(print)).await;
    if !fits.map_err(|busy| Trouble::from(crate::serve::account::Refused::from(busy)))? {
        tracing::warn!(account = %name, %address, "somebody failed to change a password");
        return Ok(Notice::refused("The current password is not right.").on(MINE));
    }
    web.door.attempts().was_good(&tried);
    let password = match twice(&fields) {
        Ok(password) => password,
        Err(words) => return Ok(Notice::refused(words).on(MINE)),
    };
    let ask = PasswordAsk { name: name.clone(), password: Some(password), by: visitor.voice() };
    let changed = prove(&web.context, &ask, Some(account.changed)).await;
    let good = changed.is_ok();
    let mut response = back(changed, "Your password is changed, and you are signed out everywhere else.", MINE)?;
    if let (true, Some((who, _))) = (good, web.account(&name)) {
        // The change ended every session of the account, this one too.
        response.headers_mut().append(header::SET_COOKIE, web.door.admit(&web, &parts, who).await);
    }
    Ok(response)
}

async fn end(State(web): State<Web>, _visitor: Visitor, parts: Parts, fields: Fields) -> Result<Response, Trouble> {
    let (this, session) = this(&web, &parts)?;
    let wanted = fields.need("session")?;
    let ended = web.door.end(|id, other| id.name() == wanted && other.who.is_same(&session.who)).await;
    if this.name() == wanted {
        let mut response = Notice::done("You are signed out.").on("/sign-in").into_response();
        response.headers_mut().append(header::SET_COOKIE, web.door.forget());
        return Ok(response);
    }
    Ok(match ended {
        0 => Notice::refused("That session has ended already.").on(MINE),
        _ => Notice::done("That browser is signed out.").on(MINE),
    })
}

async fn end_others(State(web): State<Web>, _visitor: Visitor, parts: Parts) -> Result<Response, Trouble> {
    let (this, session) = this(&web, &parts)?;
    let ended = web.door.end(|id, other| *id != this && other.who.is_same(&session.who)).await;
    let words = if ended == 1 {
        "Another browser is signed out.".into()
    } else {
        format!("{ended} other browsers are signed out.")
    };
    Ok(Notice::done(words).on(MINE))
}
