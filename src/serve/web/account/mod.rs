//! The pages of accounts: signing in and out (`sign_in`), with an issuer (`oidc`), the first account and invitations (`begin`), one's own account
//! (`mine`), everybody's (`all`), and the tokens of the API (`token`).

mod all;
mod begin;
mod mine;
mod oidc;
mod sign_in;
mod token;

use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    model::{Moment, Role, command::Rejection},
    serve::account::Refused,
};

use super::{
    Frame, Trouble, Visitor, Web,
    door::{Id, Session, browser},
    notice::Notice,
};

pub(super) fn routes() -> Router<Web> {
    sign_in::routes()
        .merge(oidc::routes())
        .merge(begin::routes())
        .merge(mine::routes())
        .merge(all::routes())
        .merge(token::routes())
}

/// A session, as it may be shown.
#[derive(Debug, Serialize)]
struct SessionView {
    /// What it is called where it is ended.
    id: String,
    /// Who is signed in.
    who: String,
    /// What they may do.
    role: Role,
    /// From where.
    address: String,
    /// With what.
    browser: String,
    /// Since when.
    began: Moment,
    /// When they were there last.
    seen: Moment,
    /// Whether it is the one that looks at this page.
    this: bool,
}

/// The sessions of those of whom this holds, as far as they open anything.
fn sessions(web: &Web, this: Option<Id>, which: impl Fn(&Session) -> bool) -> Vec<SessionView> {
    let (world, now) = (web.context.engine.world(), (web.context.clock)());
    let held = web.door.sessions().list(now, which);
    let view = |(id, session): (Id, Session)| {
        let visitor = web.door.stands_for(&session, &world)?;
        Some(SessionView {
            id: id.name(),
            who: visitor.name,
            role: visitor.role,
            address: session.address.to_canonical().to_string(),
            browser: browser(&session.agent),
            began: session.began,
            seen: session.seen,
            this: this == Some(id),
        })
    };
    held.into_iter().filter_map(view).collect()
}

/// A page with something that is shown once.
#[derive(askama::Template)]
#[template(path = "html/account_shown.html", config = ".askama.toml")]
struct Shown<'a> {
    frame: Frame,
    what: &'a str,
    secret: &'a str,
    help: &'a str,
    until: Option<Moment>,
}

impl Shown<'_> {
    fn answer(&self) -> Result<Response, Trouble> {
        let page = askama::Template::render(self).map_err(Trouble::bug)?;
        Ok((StatusCode::OK, axum::response::Html(page)).into_response())
    }
}

impl From<Refused> for Trouble {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unavailable(unavailable) => unavailable.into(),
            Refused::Busy(busy) => {
                let help = "Try again in a few seconds.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "The server is busy", busy.to_string(), help)
            }
            Refused::Rejected(ref rejection) => rejection.into(),
            Refused::Password(bad) => Self::bad(bad, "Go back and choose another one."),
        }
    }
}

/// Back to a page that says what was done, or why it was not.
fn back<T>(done: Result<T, Refused>, words: impl Into<String>, path: &str) -> Result<Response, Trouble> {
    match done {
        Ok(_) => Ok(Notice::done(words).on(path)),
        Err(Refused::Rejected(rejection)) => Ok(rejected(&rejection, path)),
        Err(Refused::Password(bad)) => Ok(Notice::refused(sentence(&bad)).on(path)),
        Err(refused) => Err(refused.into()),
    }
}

fn rejected(rejection: &Rejection, path: &str) -> Response {
    Notice::refused(sentence(rejection)).on(path)
}

/// An error as a sentence by itself.
fn sentence(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// The way back to one's own account, or to everybody's.
const MINE: &str = "/account";
const ALL: &str = "/accounts";

/// Everything about accounts is for admins.
fn admin(visitor: &Visitor) -> Result<(), Trouble> {
    visitor.must(Role::Admin)
}
