//! How webhooks fare, for people and programs; and the admin's door to them.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use crate::{
    model::{Millis, Moment},
    serve::{Context, admin::trouble},
    usage::event::EventKind,
};

use super::{
    Webhook, body,
    place::Place,
    post::{Try, Verdict},
};

/// How a webhook fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookView {
    /// What it is called.
    pub name: String,
    /// Whom it tells, without keys.
    pub url: String,
    /// What it tells of.
    pub events: Vec<EventKind>,
    /// Events that were delivered, ever.
    pub delivered: u64,
    /// When the latest one was.
    pub last_delivered: Option<Moment>,
    /// Events that wait to be delivered, of those that were read from the journal.
    pub waiting: usize,
    /// The journal was read up to this fact.
    pub read: u64,
    /// Events that were given up, ever.
    pub given_up: u64,
    /// Tries that failed, since the start.
    pub failures: u64,
    /// What fails, if something does.
    pub failing: Option<Failing>,
    /// Since when nothing is sent, as the receiver is gone.
    pub gone: Option<Moment>,
}

/// A webhook that fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// Since when.
    pub since: Moment,
    /// How often the most unlucky of the events that wait was tried.
    pub tries: u32,
    /// What was said last.
    pub why: String,
}

/// How a ping fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinged {
    /// Whether the receiver took it.
    pub ok: bool,
    /// What it answered, if it did.
    pub status: Option<u16>,
    /// How long that took.
    pub took: Millis,
    /// What went wrong, if something did.
    pub why: Option<String>,
}

impl WebhookView {
    pub(super) fn of(webhook: &Webhook, place: &Place) -> Self {
        let mut view = Self {
            name: webhook.name.clone(),
            url: webhook.shown_url(),
            events: webhook.events.clone(),
            delivered: 0,
            last_delivered: None,
            waiting: 0,
            read: 0,
            given_up: 0,
            failures: 0,
            failing: None,
            gone: None,
        };
        view.take(place, place.read, place.waiting.len(), None);
        view
    }

    /// Shows how it fares now.
    pub(super) fn take(&mut self, place: &Place, read: u64, waiting: usize, failing: Option<Failing>) {
        self.delivered = place.delivered;
        self.last_delivered = place.last_delivered;
        self.read = read;
        self.given_up = place.given_up;
        self.gone = place.gone.as_ref().map(|gone| gone.at);
        self.waiting = waiting;
        self.failing = failing;
    }
}

/// The admin's routes.
pub fn routes() -> Router<Context> {
    Router::new().route("/webhooks", get(list)).route("/webhooks/{name}/test", post(test))
}

async fn list(State(context): State<Context>) -> Json<Vec<WebhookView>> {
    Json(context.webhooks.views())
}

async fn test(State(context): State<Context>, Path(name): Path<String>) -> Response {
    let Some(line) = context.webhooks.lines.iter().find(|line| line.webhook.name == name) else {
        let names: Vec<&str> = context.webhooks.lines.iter().map(|line| line.webhook.name.as_str()).collect();
        let known = match names.is_empty() {
            true => "`webhooks` of the configuration names none".to_owned(),
            false => format!("there are {}", names.join(", ")),
        };
        return trouble(StatusCode::NOT_FOUND, format!("there is no webhook {name}: {known}"));
    };
    let (Try { verdict, status }, took) = body::ping(line, &context).await;
    let why = match verdict {
        Verdict::Delivered => None,
        Verdict::Failed { why, .. } | Verdict::Refused { why } => Some(why),
        Verdict::Gone => Some("it answers 410 Gone: an event that is answered so ends this webhook".to_owned()),
    };
    let took = Millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    Json(Pinged { ok: why.is_none(), status, took, why }).into_response()
}
