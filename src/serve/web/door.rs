//! Who a request is from.

use axum::http::request::Parts;

use crate::model::Role;

use super::{Visitor, Web};

/// Who is signed in with this request.
pub(super) fn visitor(_web: &Web, _parts: &Parts) -> Option<Visitor> {
    // The branch `door` replaces this.
    Some(Visitor { name: "nobody".into(), role: Role::Admin })
}
