//! `/boots`: attempts to boot, as they happen, and why one did not come to its end.
//!
//! `list` the latest, with filters · `page` one of them: `decision` why it becomes what it becomes, `packet` what was
//! said on the wire, `served` what it was given to read · `subject` whose it is, in the words of both pages.

mod decision;
mod list;
mod packet;
mod page;
mod served;
mod subject;

use axum::{Router, routing::get};

pub(super) use subject::tone;

use super::{Frame, Trouble, Visitor, Wants, Web};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/boots", get(list::page))
        .route("/boots/{boot}", get(page::page))
        .route("/boots/{boot}/packets.pcap", get(packet::file))
}
