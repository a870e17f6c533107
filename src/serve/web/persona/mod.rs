//! The pages of personas and of the fragments that they are composed of.

mod draft;
mod editor;
mod impact;
mod preview;

use axum::Router;

use super::Web;

pub(super) use draft::Checks;

/// The routes.
pub(super) fn routes() -> Router<Web> {
    editor::routes().merge(draft::routes())
}
