//! Everything that keeps a page from being shown, or a form from being carried out, as a page that says what to do.

use std::fmt::Display;

use askama::Template;
use axum::{
    Json,
    http::{StatusCode, Uri},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Serialize;

use crate::{
    engine::Unavailable,
    model::{Role, command::Rejection},
};

use super::{Frame, Visitor, Wants, door};

/// What went wrong.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// Nobody is signed in.
    SignIn,
    /// Something else: what it is, and what to do.
    Said(Said),
}

/// What went wrong, in words.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Said {
    #[serde(skip)]
    status: StatusCode,
    /// In a few words.
    title: String,
    /// In a sentence.
    why: String,
    /// What to do.
    help: String,
    /// Where that is done.
    way: Option<Way>,
}

/// A page of ours, and what the link to it says.
#[derive(Debug, Clone, Copy, Serialize)]
struct Way {
    path: &'static str,
    name: &'static str,
}

#[derive(Template)]
#[template(path = "html/trouble.html", config = ".askama.toml")]
struct TroublePage<'a> {
    frame: Frame,
    said: &'a Said,
}

impl Trouble {
    /// With these words.
    pub(super) fn new(
        status: StatusCode,
        title: impl Into<String>,
        why: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::Said(Said { status, title: title.into(), why: why.into(), help: help.into(), way: None })
    }

    /// With a link to where one goes on.
    pub(super) fn leading(self, path: &'static str, name: &'static str) -> Self {
        match self {
            Self::Said(said) => Self::Said(Said { way: Some(Way { path, name }), ..said }),
            Self::SignIn => Self::SignIn,
        }
    }

    /// There is no such thing.
    pub(super) fn not_found(what: &str, name: impl Display) -> Self {
        let help = "It may have been forgotten or renamed; the lists have what is there.";
        Self::new(StatusCode::NOT_FOUND, format!("There is no such {what}"), format!("{name} is not known here."), help)
    }

    /// What was sent cannot be understood.
    pub(super) fn bad(why: impl Display, help: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be done", why.to_string(), help)
    }

    /// The account may not do that.
    pub(super) fn not_allowed(visitor: &Visitor, needs: Role) -> Self {
        let why = format!("{} is signed in as {}, and this takes the role {needs}.", visitor.name, visitor.role);
        Self::new(StatusCode::FORBIDDEN, "You may not do that", why, "An admin can give you another role.")
    }

    /// Something that should not have happened.
    pub(super) fn bug(error: impl Display) -> Self {
        tracing::error!(%error, "a page could not be made");
        let help = "Please look into the log, and report it.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here", error.to_string(), help)
    }

    /// As a page, or as JSON.
    pub(super) fn shown(&self, wants: Wants, frame: impl FnOnce(String) -> Frame, path: &str) -> Response {
        match self {
            Self::SignIn => match wants {
                Wants::Json => StatusCode::UNAUTHORIZED.into_response(),
                Wants::Page => Redirect::to(&door::to_sign_in(path)).into_response(),
            },
            Self::Said(said) => match wants {
                Wants::Json => (said.status, Json(said)).into_response(),
                Wants::Page => match (TroublePage { frame: frame(said.title.clone()), said }).render() {
                    Ok(page) => (said.status, Html(page)).into_response(),
                    Err(error) => (said.status, error.to_string()).into_response(),
                },
            },
        }
    }
}

/// What no route leads to.
pub(super) async fn nowhere(uri: Uri) -> Trouble {
    Trouble::not_found("page", uri.path())
}

impl From<Unavailable> for Trouble {
    fn from(unavailable: Unavailable) -> Self {
        let help = "Try again in a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The server is busy", unavailable.to_string(), help)
    }
}

impl From<&Rejection> for Trouble {
    fn from(rejection: &Rejection) -> Self {
        Self::bad(rejection, "Nothing was changed.")
    }
}

impl IntoResponse for Trouble {
    /// The gate makes a page of it: it knows what was asked for, and by whom.
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
