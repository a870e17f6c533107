//! `/audit`: who did what.

use std::collections::BTreeMap;

use aide::axum::{ApiRouter, routing::get_with};
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    model::MacAddr,
    serve::audit::{self, Act},
};

use super::{
    Api,
    ask::Asked,
    caller::{AuditRead, Caller},
    page::{Cursor, Limit, Page},
    problem::{Kind, Problem},
    shape::{self, Time},
};

/// Something that somebody did.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Act")]
struct ActView {
    /// The number of its fact in the journal.
    seq: u64,
    /// When.
    at: Time,
    /// Who: an operator's login, or `token:NAME`.
    by: String,
    /// What: the fact's name.
    fact: String,
    /// All else that the fact says.
    details: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListAsk {
    /// Only what this person or token did: `ann`, `token:helpdesk`.
    by: Option<String>,
    /// Only what was done to the device with this port.
    #[schemars(with = "Option<shape::Mac>")]
    device: Option<MacAddr>,
    /// At most so many.
    #[serde(default)]
    limit: Limit,
    /// Where the page begins: the `next` of the page before.
    cursor: Option<Cursor>,
}

pub(super) fn routes() -> ApiRouter<Api> {
    let list = get_with(list, |op| {
        op.id("listActs").tag("audit").summary("See who did what").description(
            "The newest first, from the journal: its last million facts, at least. In the first seconds after a start a page \
             may be short, or empty, and have a `next`: then the search goes on there.",
        )
    });
    ApiRouter::new().api_route("/audit", list)
}

fn view(act: Act) -> ActView {
    let Act { seq, at, by, fact, details, .. } = act;
    ActView { seq, at: Time::of(at), by, fact, details: details.into_iter().collect() }
}

async fn list(
    _: Caller<AuditRead>,
    State(api): State<Api>,
    Asked(ask): Asked<ListAsk>,
) -> Result<Page<ActView>, Problem> {
    let before = ask.cursor.as_ref().map(Cursor::key).transpose()?;
    let asked =
        audit::Ask { by: ask.by, device: ask.device, before, limit: Some(ask.limit.0), ..audit::Ask::default() };
    let context = api.context.clone();
    let found = tokio::task::spawn_blocking(move || audit::acts(&context, &asked)).await;
    let broken = |error: String| {
        tracing::error!(error, "the journal cannot be searched");
        Problem::new(Kind::Unavailable, "the journal cannot be read now").retry_after(10)
    };
    let acts = found.map_err(|error| broken(error.to_string()))?.map_err(|error| broken(error.to_string()))?;
    Ok(Page::up_to(acts.acts.into_iter().map(view).collect(), acts.next.map(|next| next.to_string())))
}
