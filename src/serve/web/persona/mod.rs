//! The pages of personas: which there are and how they stand, what one says and who has it, how it came to be so, and how it
//! becomes another.
//!
//! ```text
//!   /personas            /personas/new            begin one: from a sample, another, or nothing
//!     └─ /personas/NAME ─┬─ /history ── /at/REV   as it was
//!                        ├─ /diff                 between any two versions
//!                        ├─ /edit                 the editor
//!                        └─ /revert /duplicate /delete
//!     └─ /personas/fragments/NAME                 a part of personas
//! ```
//! What a list shows is in memory. Git is run for one persona at a time, never in an async task, and what it said of a commit
//! is kept: commits do not change.

mod act;
mod begin;
mod compare;
mod conflict;
mod draft;
mod editor;
mod fragment;
mod history;
mod impact;
mod list;
mod page;
mod past;
mod preview;
mod told;
mod used;

use axum::Router;

use super::Web;

pub(super) use draft::Checks;
pub(super) use past::Kept;

/// The routes.
pub(super) fn routes() -> Router<Web> {
    list::routes()
        .merge(begin::routes())
        .merge(page::routes())
        .merge(fragment::routes())
        .merge(history::routes())
        .merge(compare::routes())
        .merge(act::routes())
        .merge(editor::routes())
        .merge(draft::routes())
}
