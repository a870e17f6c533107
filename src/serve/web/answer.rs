//! A page as HTML, or its twin as JSON.

use std::convert::Infallible;

use askama::Template;
use axum::{
    Json,
    extract::FromRequestParts,
    http::request::Parts,
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;

use super::Trouble;

/// What is asked for. The gate takes `.json` from the end of the path before routes are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// The page.
    Page,
    /// What it shows.
    Json,
}

impl Wants {
    /// Answers with this view, as it was asked for.
    pub(super) fn answer<T: Template>(
        self,
        view: &impl Serialize,
        page: impl FnOnce() -> T,
    ) -> Result<Response, Trouble> {
        match self {
            Self::Json => Ok(Json(view).into_response()),
            Self::Page => Ok(Html(page().render().map_err(Trouble::bug)?).into_response()),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Wants {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self::Page))
    }
}
