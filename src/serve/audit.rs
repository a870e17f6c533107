//! Who did what: the facts of the journal that somebody is responsible for, the newest first.

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
    journal::{JournalError, Reader},
    model::{Fact, Moment, Record},
    usage::act,
};

use super::{Context, admin::trouble};

/// How many records are looked at in one go. The journal is read forwards: newest first means window by window.
const WINDOW: u64 = 2048;
/// After how many records a search pauses, with a word on where it goes on: most facts are nobody's doing.
pub(super) const MOST: u64 = 200_000;

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
    /// Only those about the device whose first port this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
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
}

/// Finds acts among so many records, at `most`. Reads the disk: not on a thread that others wait for.
pub(super) fn acts(journal: &Reader, newest: u64, ask: &Ask, most: u64) -> Result<Acts, JournalError> {
    let limit = ask.limit.unwrap_or(100);
    let start = ask.before.unwrap_or(u64::MAX).min(newest.saturating_add(1));
    let last = start.saturating_sub(most);
    let (mut found, mut end) = (vec![], start);
    while end > 1 && end > last {
        let from = end.saturating_sub(WINDOW).max(1);
        let (mut window, mut first) = (vec![], None);
        for record in journal.records_from(from)? {
            let record = record?;
            if record.seq >= end {
                break;
            }
            first = first.or(Some(record.at));
            window.extend(done(&record).filter(|act| fits(act, ask)));
        }
        for act in window.into_iter().rev() {
            if found.len() == limit {
                let next = found.last().map(|act: &Act| act.seq);
                return Ok(Acts { acts: found, next });
            }
            found.push(act);
        }
        end = from;
        // All that is older is too old.
        if first.zip(ask.since).is_some_and(|(first, since)| first < since) {
            return Ok(Acts { acts: found, next: None });
        }
    }
    Ok(Acts { acts: found, next: (end > 1).then_some(end) })
}

/// The act that a record is, if it is anybody's.
pub(super) fn act_at(journal: &Reader, seq: u64) -> Result<Option<Act>, JournalError> {
    let record = journal.records_from(seq)?.next().transpose()?;
    Ok(record.filter(|record| record.seq == seq).as_ref().and_then(done))
}

fn fits(act: &Act, ask: &Ask) -> bool {
    let about = |device: &String| act.details.get("device").and_then(Value::as_str) == Some(device);
    ask.by.as_ref().is_none_or(|by| act.by == *by)
        && ask.device.as_ref().is_none_or(about)
        && ask.fact.as_ref().is_none_or(|fact| act.fact == *fact)
        && ask.since.is_none_or(|since| act.at >= since)
        && ask.until.is_none_or(|until| act.at < until)
}

/// The act that a fact is, if it is anybody's.
fn done(record: &Record) -> Option<Act> {
    // Most facts are what devices do: they are not even looked at.
    let of_devices = matches!(
        record.fact,
        Fact::BootMoved { .. }
            | Fact::BootStarted { .. }
            | Fact::BootPlanned { .. }
            | Fact::DeviceSeen { .. }
            | Fact::DevicePlaced { .. }
            | Fact::HardwareReported { .. }
            | Fact::LeaseOffered { .. }
            | Fact::LeaseBound { .. }
    );
    if of_devices {
        return None;
    }
    let Ok(Value::Object(mut details)) = serde_json::to_value(&record.fact) else { return None };
    let mut take = |field: &str| match details.remove(field) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (by, fact) = (take("by")?, take("fact")?);
    // That a key was used is said beside what was done with it, and is nothing done.
    if matches!(record.fact, Fact::OrdersTaken { .. }) {
        return None;
    }
    // What tokens are recognised by is nobody's business.
    details.remove("print");
    // How an account is shown to be somebody's: whether by a password is said, and nothing else.
    if let Some(proof) = details.get_mut("proof") {
        *proof = proof.get("kind").cloned().unwrap_or_default();
    }
    let said = act::said(&record.fact).unwrap_or_else(|| plainly(&fact, &details));
    Some(Act { seq: record.seq, at: record.at, by, fact, said, details })
}

/// A fact that has no sentence of its own.
fn plainly(fact: &str, details: &Map<String, Value>) -> String {
    let one = |(name, value): (&String, &Value)| {
        format!("{name} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let details: Vec<String> = details.iter().map(one).collect();
    match details.is_empty() {
        true => fact.to_owned(),
        false => format!("{fact}: {}", details.join(", ")),
    }
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/audit", get(list))
}

async fn list(State(context): State<Context>, Query(ask): Query<Ask>) -> Response {
    let newest = context.engine.world().seq;
    match tokio::task::spawn_blocking(move || acts(&context.journal, newest, &ask, MOST)).await {
        Ok(Ok(acts)) => Json(acts).into_response(),
        Ok(Err(error)) => trouble(StatusCode::INTERNAL_SERVER_ERROR, error),
        Err(_) => trouble(StatusCode::INTERNAL_SERVER_ERROR, "the search broke off: look into the log"),
    }
}
