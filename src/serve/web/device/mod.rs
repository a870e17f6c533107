//! `/devices` and what belongs to it.
//!
//! ```text
//!   list ──> one device (page) ──> an act on it, said before it is done (one)
//!     └────> many at once: what would change (many) ──> done in pieces (work), with a page that says how far (progress)
//!   a file ──> what it would change (import) ──> the same work
//! ```
//! What would come of an act is not guessed: `act` tries it on a copy of the World with the code that does it.

mod act;
mod facet;
mod find;
mod history;
mod import;
mod ladder;
mod list;
mod many;
mod one;
mod page;
mod progress;
mod row;
pub(super) mod state;
mod upload;
mod work;

use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::{get, post},
};

use crate::model::{
    MacAddr, PersonaName, Role,
    command::{Line, Order},
};

use super::{Fields, Trouble, Visitor, Web, notice::Notice};

/// What is kept between requests: all of it may be lost.
#[derive(Clone, Default)]
pub(super) struct Kept {
    works: work::Works,
    drafts: import::Drafts,
}

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/devices", get(list::page))
        .route("/devices/many", get(many::page).post(many::begin))
        .route("/devices/work", get(progress::all))
        .route("/devices/work/{id}", get(progress::page))
        .route("/devices/import", get(import::page).post(import::upload))
        .route("/devices/import/template", get(import::template))
        .route("/devices/import/{id}", get(import::draft).post(import::begin))
        .route("/devices/{mac}", get(page::page))
        .route("/devices/{mac}/decline", post(decline))
        .route("/devices/{mac}/{act}", get(one::page).post(one::carry_out))
}

/// The port that an address names.
fn named(mac: &str) -> Result<MacAddr, Trouble> {
    mac.parse().map_err(|bad| Trouble::not_found("device", format!("{mac} ({bad})")))
}

/// `POST /devices/MAC/decline`: what is proposed is not wanted.
async fn decline(
    State(web): State<Web>,
    visitor: Visitor,
    Path(mac): Path<String>,
    fields: Fields,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let mac = named(&mac)?;
    let persona: PersonaName = fields.read("persona")?.ok_or_else(|| Trouble::bad("persona is missing", "Go back."))?;
    let order = Order::DeclineProposal { persona: persona.clone() };
    web.order(&visitor, vec![Line::Device { mac, order, expects: None }]).await?;
    Ok(Notice::done(format!("{persona} is not proposed for {mac} any more")).on(&format!("/devices/{mac}")))
}
