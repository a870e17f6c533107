//! Who looks at a page.

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::Serialize;

use crate::model::Role;

use super::{Trouble, Web};

/// Somebody who is signed in. A handler that takes one is for those who are; others are shown the way to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Visitor {
    /// What the account is called.
    pub(super) name: String,
    /// What it may do.
    pub(super) role: Role,
}

impl Visitor {
    /// What facts call them: no operator's login has a colon.
    pub(super) fn voice(&self) -> String {
        format!("account:{}", self.name)
    }

    /// Refuses those who may not do what this role may.
    pub(super) fn must(&self, role: Role) -> Result<(), Trouble> {
        if self.role >= role { Ok(()) } else { Err(Trouble::not_allowed(self, role)) }
    }
}

impl FromRequestParts<Web> for Visitor {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Trouble> {
        parts.extensions.get().cloned().ok_or(Trouble::SignIn)
    }
}
