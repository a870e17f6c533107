//! `/predictions`: what was learned, how good it is, and what is proposed.

mod figure;
mod proposal;
mod status;

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};

use crate::model::Role;

use super::{Frame, Trouble, Visitor, Wants, Web, frame::Section, notice::Notice};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/predictions", get(status::page))
        .route("/predictions/learn", post(learn))
        .route("/predictions/proposals", get(proposal::page))
        .route("/predictions/proposals/answer", get(proposal::confirm).post(proposal::answer))
}

/// `POST /predictions/learn`: a lesson now.
async fn learn(State(web): State<Web>, visitor: Visitor) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    web.context.trainer.ring();
    Ok(Notice::done("A lesson begins. What it comes to shows here when it is over.").on("/predictions"))
}
