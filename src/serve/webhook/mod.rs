//! Webhooks: other systems are told of what happened, by signed POSTs after the Standard Webhooks specification
//! (<https://www.standardwebhooks.com>), so that its public libraries verify them. What is told, [`usage::event`](crate::usage::event) says.
//!
//! **Every event of interest is delivered at least once, or given up, counted and logged; and the events of one device are
//! delivered in their order.** The journal is the queue: a webhook remembers how far it has come, and which facts before that
//! are still to be told (`place`), and reads the events anew whenever it sends them. A receiver that is slow or dead costs a
//! thousand numbers of memory, whatever waits.
//!
//! ```text
//!   facts on the disk ──of interest──> queue: a line for each device ──first in its line, and due──> POST
//!                                        ^                                                            │
//!        pause, doubled each time ───────┴── no answer, 408 425 429 5xx 3xx: up to a day              │
//!                                        └── other 4xx: five tries in all <───────────────────────────┤
//!        the line goes on <───────────────── 2xx, or given up <───────────────────────────────────────┤
//!        nothing is sent until the configuration of this webhook changes <── 410 ─────────────────────┘
//! ```
//! What surprises: only facts that are on the disk are told, so a boot's end is told up to a second late; else a crash could
//! undo what others were told, and give its number to another fact. After a crash, what was delivered within the last moment
//! is delivered again, with the same `webhook-id`. A webhook that is new begins with what happens next.

mod body;
mod courier;
mod place;
mod post;
mod queue;
mod view;

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::{
    images::web_client,
    model::{Backoff, Millis, Moment},
    usage::event::EventKind,
};

use super::{Context, context::lock};

use courier::Courier;
use place::{Place, PlaceFile};
pub use view::{Failing, Pinged, WebhookView, routes};

/// The most webhooks that can be configured.
pub const MOST: usize = 16;

/// Where events are sent, and which.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// What it is called, in commands, in the log, and as a file of the state.
    pub name: String,
    /// Whom to tell.
    pub url: String,
    /// The name of the secret that its posts are signed with.
    pub secret: String,
    /// What it is told of.
    pub events: Vec<EventKind>,
}

impl Webhook {
    /// The URL without what may be a key: its query.
    pub fn shown_url(&self) -> String {
        match self.url.split_once('?') {
            Some((url, _)) => format!("{url}?..."),
            None => self.url.clone(),
        }
    }

    /// What tells this configuration from another one of the same webhook.
    fn print(&self) -> String {
        let text = format!("{}\n{}\n{:?}", self.url, self.secret, self.events);
        Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What it shows has no keys: it ends up in logs.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("name", &self.name)
            .field("url", &self.shown_url())
            .field("secret", &self.secret)
            .field("events", &self.events)
            .finish()
    }
}

/// How patient webhooks are.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long a receiver has for its answer.
    pub answer: Duration,
    /// The pauses between the tries of one event.
    pub between: Backoff,
    /// How long an event is tried.
    pub day: Duration,
    /// How often an event is tried that the receiver says is wrong (4xx).
    pub refused: u32,
    /// The pauses of a whole webhook while its receiver fails whatever it is told.
    pub down: Backoff,
    /// How long a receiver may ask to be left alone.
    pub longest_rest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(20),
            between: Backoff { first: Millis(1000), longest: Millis(3_600_000) },
            day: Duration::from_secs(24 * 3600),
            refused: 5,
            down: Backoff { first: Millis(1000), longest: Millis(60_000) },
            longest_rest: Duration::from_secs(3600),
        }
    }
}

/// A webhook, and how far it has come.
struct Line {
    webhook: Webhook,
    file: PlaceFile,
    place: Mutex<Place>,
    view: Mutex<WebhookView>,
    client: Result<(reqwest::Client, Option<String>), String>,
    pace: Pace,
    dice: fn() -> u64,
}

/// All webhooks of the configuration.
#[derive(Default)]
pub struct Webhooks {
    lines: Vec<Arc<Line>>,
}

impl Webhooks {
    /// Opens what is remembered of these webhooks in the state directory. `newest` is the number of the newest fact: one that
    /// was not here before begins behind it. What is remembered of others is dropped: should they come back, they begin anew.
    pub fn open(webhooks: &[Webhook], state_dir: &Path, newest: u64, pace: Pace, dice: fn() -> u64) -> Self {
        let folder = state_dir.join("webhooks");
        place::sweep(&folder, |name| webhooks.iter().any(|webhook| webhook.name == name));
        let open = |webhook: &Webhook| {
            let file = PlaceFile::new(&folder, &webhook.name);
            let place = file.open(&webhook.print(), newest, dice);
            Arc::new(Line {
                webhook: webhook.clone(),
                file,
                view: Mutex::new(WebhookView::of(webhook, &place)),
                place: Mutex::new(place),
                client: web_client(|builder| {
                    builder
                        .redirect(reqwest::redirect::Policy::none())
                        .connect_timeout(pace.answer)
                        .timeout(pace.answer)
                }),
                pace,
                dice,
            })
        };
        Self { lines: webhooks.iter().map(open).collect() }
    }

    /// How each of them fares.
    pub fn views(&self) -> Vec<WebhookView> {
        self.lines.iter().map(|line| lock(&line.view).clone()).collect()
    }

    /// Sends events until `stop`; then lets what is on its way arrive, for a moment.
    pub async fn run(self: Arc<Self>, context: Context, stop: CancellationToken) {
        let couriers = self.lines.iter().map(|line| tend(line.clone(), context.clone(), stop.clone()));
        futures_util::future::join_all(couriers).await;
    }
}

/// Runs one courier, and another one when a bug ends it.
async fn tend(line: Arc<Line>, context: Context, stop: CancellationToken) {
    let mut failures = 0;
    loop {
        let courier = Courier::new(line.clone(), context.clone());
        let Err(bug) = tokio::spawn(courier.run(stop.clone())).await else { return };
        failures += 1;
        let name = line.trouble_name();
        tracing::error!(%bug, "{name} stumbled");
        context.trouble(&name, format!("it stumbled: {bug}"));
        let rest = line.pace.down.pause(failures, (line.dice)());
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_millis(rest.0)) => {}
        }
    }
}

impl Line {
    /// What `/healthz` calls it.
    fn trouble_name(&self) -> String {
        format!("webhook {}", self.webhook.name)
    }

    /// The `webhook-id` of an event: stable, and told from that of any other journal.
    fn id(&self, of: impl fmt::Display) -> String {
        format!("{}_{of}", lock(&self.place).origin)
    }
}

/// The time in whole seconds since 1970, as the specification wants it.
fn unix_seconds(now: Moment) -> u64 {
    now.as_millis() / 1000
}
