//! Who did what: the facts of the journal that somebody is responsible for, the newest first. `index` knows where they are.

mod index;

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    journal::JournalError,
    model::{DeviceId, MacAddr, Moment, Record},
    usage::act,
};

use super::{Context, admin::trouble};

use index::Found;

pub use index::Index;

/// How many acts are told when nobody says how many.
const LIMIT: usize = 100;

/// An act of somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// The number of its fact.
    pub seq: u64,
    /// When.
    pub at: Moment,
    /// Who: an operator's login, or `token:NAME`.
    pub by: String,
    /// What: the fact's name.
    pub fact: String,
    /// The same in words, which go on after who did it.
    #[serde(default)]
    pub said: String,
    /// All else that the fact says.
    pub details: Map<String, Value>,
}

/// Which acts are wanted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ask {
    /// Only those of this person or token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Only those about the device with this port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<MacAddr>,
    /// Only facts of this name: `persona-assigned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<String>,
    /// Only those from then on, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// Only those before then, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// Only those before the fact with this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Some acts, and where the next ones are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Acts {
    /// The acts, the newest first.
    pub acts: Vec<Act>,
    /// What to ask for next, as `before`; `None` when there are no more.
    pub next: Option<u64>,
    /// How far back was looked, when that is not all the way: the journal is looked through once after each start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_to: Option<Moment>,
}

/// Finds acts. Reads the disk: not on a thread that others wait for.
pub(super) fn acts(context: &Context, ask: &Ask) -> Result<Acts, JournalError> {
    found(context, ask, None)
}

/// Finds the acts about a device, in words that leave out which one. Reads the disk.
pub(super) fn acts_here(context: &Context, device: DeviceId, limit: usize) -> Result<Vec<Act>, JournalError> {
    let ask = Ask { device: Some(device.mac()), limit: Some(limit), ..Ask::default() };
    Ok(found(context, &ask, Some(device))?.acts)
}

fn found(context: &Context, ask: &Ask, here: Option<DeviceId>) -> Result<Acts, JournalError> {
    let world = context.engine.world();
    let device = ask.device.map(|mac| world.device_of(mac).map_or_else(|| DeviceId::new(mac), |device| device.id));
    let Found { numbers, next, back_to } = context.acts.find(&context.journal, world.seq, ask, device)?;
    let records = context.journal.records_of(numbers)?;
    Ok(Acts { acts: records.iter().filter_map(|record| done(record, here)).collect(), next, back_to })
}

/// The act that a record is, if it is anybody's; in words for the page of a device, or for everywhere.
fn done(record: &Record, here: Option<DeviceId>) -> Option<Act> {
    let said = act::said(&record.fact, here)?;
    let by = record.fact.by()?.to_owned();
    let Ok(Value::Object(mut details)) = serde_json::to_value(&record.fact) else { return None };
    details.remove("by");
    let Some(Value::String(fact)) = details.remove("fact") else { return None };
    // What tokens are recognised by is nobody's business.
    details.remove("print");
    // How an account is shown to be somebody's: whether by a password is said, and nothing else.
    if let Some(proof) = details.get_mut("proof") {
        *proof = proof.get("kind").cloned().unwrap_or_default();
    }
    Some(Act { seq: record.seq, at: record.at, by, fact, said, details })
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/audit", get(list))
}

async fn list(State(context): State<Context>, Query(ask): Query<Ask>) -> Response {
    match tokio::task::spawn_blocking(move || acts(&context, &ask)).await {
        Ok(Ok(acts)) => Json(acts).into_response(),
        Ok(Err(error)) => trouble(StatusCode::INTERNAL_SERVER_ERROR, error),
        Err(_) => trouble(StatusCode::INTERNAL_SERVER_ERROR, "the search broke off: look into the log"),
    }
}
