//! The API's tokens on `/accounts`: one is shown once, to whoever had it made.

use std::collections::BTreeSet;

use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::post,
};

use crate::{
    model::{
        Scope, Seconds, TokenName,
        reply::Reply,
        request::Request,
        token::{BadTokenName, TokenOrder},
    },
    serve::token::{CreateAsk, make},
};

use super::{
    super::{frame::Section, order::Fields},
    ALL, Frame, Notice, Shown, Trouble, Visitor, Web, admin, rejected, sentence,
};

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/accounts/tokens", post(create)).route("/accounts/tokens/{name}/revoke", post(revoke))
}

async fn create(State(web): State<Web>, visitor: Visitor, frame: Frame, fields: Fields) -> Result<Response, Trouble> {
    admin(&visitor)?;
    let refused = |words: String| Ok(Notice::refused(words).on(ALL));
    let name: TokenName = match fields.need("name")?.trim().to_lowercase().parse() {
        Ok(name) => name,
        Err(bad) => {
            let bad: BadTokenName = bad;
            return refused(sentence(&bad));
        }
    };
    let scopes: Result<BTreeSet<Scope>, _> = fields.all("scope").map(str::parse).collect();
    let scopes = scopes.map_err(|error| Trouble::bad(error, "Go back and tick what it shall allow."))?;
    if scopes.is_empty() {
        return refused("A token that allows nothing would open nothing: tick what it shall allow.".into());
    }
    let lasts: Option<Seconds> = match fields.get("lasts") {
        None | Some("never") => None,
        Some(span) => Some(span.parse().map_err(|error: String| Trouble::bad(error, "Go back and choose a time."))?),
    };
    let created = match make(&web.context, CreateAsk { name, scopes, lasts, by: visitor.voice() }).await? {
        Ok(created) => created,
        Err(rejection) => return Ok(rejected(&rejection, ALL)),
    };
    let what = format!("The token {}", created.name);
    let help =
        "Programs send it as `Authorization: Bearer TOKEN`. It is not shown again: keep it where secrets are kept.";
    let frame = frame.titled(Section::Accounts, &what);
    Shown { frame, what: &what, secret: &created.token, help, until: created.expires }.answer()
}

async fn revoke(State(web): State<Web>, visitor: Visitor, Path(name): Path<TokenName>) -> Result<Response, Trouble> {
    admin(&visitor)?;
    let words = format!("{name} opens nothing any more.");
    let order = TokenOrder::Revoke { name, by: visitor.voice() };
    Ok(match web.context.engine.ask(Request::Token(order)).await? {
        Reply::Rejected(rejection) => rejected(&rejection, ALL),
        _ => Notice::done(words).on(ALL),
    })
}
