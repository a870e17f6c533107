//! `/users`: the people of the organisation, as far as they matter: their devices take what is said of them.

mod list;
mod page;

use axum::{
    Router,
    routing::{get, post},
};

use super::Web;

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/users", get(list::page).post(list::add))
        .route("/users/{name}", get(page::page).post(page::describe))
        .route("/users/{name}/forget", get(page::forgetting))
        .route("/users/{name}/forget", post(page::forget))
}
