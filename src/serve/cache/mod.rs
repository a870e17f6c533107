//! The admin's door to the image cache: what is where and why, and what shall be where.

mod find;
mod view;
mod word;

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{
    images::keeper::{Account, Carried},
    model::{
        Bytes, Digest,
        command::PinImage,
        image::{ImageFile, Tier},
        request::Request,
    },
};

use super::{
    Context,
    admin::{STEP, WAITING, answered, as_lines, trouble},
};

pub use find::name;
pub use view::{CacheStatus, ComingView, KeeperView, OriginView, PlanView, StepView, TierView, WaitingView};
pub use word::told;

/// Blobs by digest, by the beginning of one, or by the image that names them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subject {
    /// `DIGEST`, `IMAGE` or `IMAGE/ROLE`.
    pub of: String,
}

/// What shall leave the cache.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EvictAsk {
    /// `DIGEST`, `IMAGE` or `IMAGE/ROLE`.
    pub of: String,
    /// Out of RAM only: the disk keeps it.
    pub only_ram: bool,
    /// Who says so: a user name, for the journal.
    #[serde(default = "somebody")]
    pub by: String,
}

/// A command line from before this was said.
fn somebody() -> String {
    "operator".to_owned()
}

/// What became of one blob that should leave.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evicted {
    /// Which.
    pub digest: Digest,
    /// What it is called.
    pub name: String,
    /// The bytes that came free.
    pub freed: Bytes,
    /// Why it stays, if it does.
    pub kept: Option<String>,
}

/// Why a blob is where it is, with names.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Explained {
    /// All files of images that have these bytes: `IMAGE/ROLE`.
    pub names: Vec<String>,
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// The step that the keeper would take with it now.
    pub step: Option<StepView>,
    /// What the other blobs are called that the account names.
    pub others: BTreeMap<Digest, String>,
}

/// How the carrying out of a plan goes: one JSON line each.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "progress")]
pub enum Stepped {
    /// A step begins.
    Begins {
        /// Which.
        step: StepView,
    },
    /// So much of its blob is there.
    Moved {
        /// Which blob.
        digest: Digest,
        /// Bytes done.
        done: Bytes,
        /// Of so many.
        of: Bytes,
    },
    /// It is over.
    Ended {
        /// Which.
        step: StepView,
        /// Why it failed, if it did.
        failed: Option<String>,
    },
}

pub(super) fn routes() -> Router<Context> {
    Router::new()
        .route("/cache", get(status))
        .route("/cache/explain", post(explain))
        .route("/cache/evict", post(evict))
        .route("/cache/plan", get(plan).post(carry_out))
        .route("/pins", post(pin))
}

/// Tells the keeper what the library has and what is pinned. Costs little: whoever wants a true answer does it first.
pub fn tell_keeper(context: &Context) {
    let (world, ground) = (context.engine.world(), context.engine.ground());
    let files: Vec<ImageFile> = ground.catalog.images().flat_map(|image| image.files.values()).cloned().collect();
    let mut pins: BTreeMap<Digest, Tier> = BTreeMap::new();
    for (image, tier) in &world.pins {
        let files = ground.catalog.image(image).map(|image| &image.files);
        for file in files.into_iter().flat_map(BTreeMap::values) {
            // Two images may share a file: the nearer tier is the one that serves both.
            pins.entry(file.sha256).and_modify(|to| *to = (*to).min(*tier)).or_insert(*tier);
        }
    }
    context.keeper.tell(files, pins);
}

async fn status(State(context): State<Context>) -> Json<CacheStatus> {
    Json(status_now(&context))
}

/// What the cache holds and does.
pub(super) fn status_now(context: &Context) -> CacheStatus {
    tell_keeper(context);
    view::status(context)
}

/// What the keeper would do now.
pub(super) fn plan_now(context: &Context) -> PlanView {
    tell_keeper(context);
    view::plan(context)
}

/// Why a blob is where it is; `None` when neither the library nor a tier knows it.
pub(super) fn explained(context: &Context, digest: &Digest) -> Option<Explained> {
    tell_keeper(context);
    context.keeper.account(digest).map(|account| view::explained(context, account))
}

/// The blobs that a text means, or why it means none.
pub(super) async fn meant(context: &Context, text: &str) -> Result<Vec<Digest>, (StatusCode, String)> {
    context.catch_up().await;
    tell_keeper(context);
    find::blobs(context, text).map_err(|Refusal(status, words)| (status, words))
}

async fn explain(State(context): State<Context>, Json(subject): Json<Subject>) -> Response {
    context.catch_up().await;
    tell_keeper(&context);
    let found = match find::blobs(&context, &subject.of) {
        Ok(found) => found,
        Err(refusal) => return refusal.into_response(),
    };
    let explained: Vec<Explained> = found
        .iter()
        .filter_map(|digest| context.keeper.account(digest))
        .map(|one| view::explained(&context, one))
        .collect();
    Json(explained).into_response()
}

async fn evict(State(context): State<Context>, Json(ask): Json<EvictAsk>) -> Response {
    context.catch_up().await;
    tell_keeper(&context);
    let found = match find::blobs(&context, &ask.of) {
        Ok(found) => found,
        Err(refusal) => return refusal.into_response(),
    };
    Json(evicted(&context, &found, ask.only_ram, &ask.by).await).into_response()
}

/// Has these leave the cache, and the journal know who said so.
pub(super) async fn evicted(context: &Context, found: &[Digest], only_ram: bool, by: &str) -> Vec<Evicted> {
    let mut all = vec![];
    for digest in found {
        let evicted = context.keeper.evict(digest, only_ram);
        let name = name(context, digest);
        if let Ok(freed) = evicted {
            tracing::info!(%digest, name, %freed, only_ram, by, "an image file was evicted");
            let (digest, name, by) = (*digest, name.clone(), by.to_owned());
            let told = context.engine.ask(Request::Evicted { digest, name, freed, only_ram, by }).await;
            if let Err(error) = told {
                tracing::warn!(%digest, %error, "the journal was not told of an eviction");
            }
        }
        all.push(Evicted {
            digest: *digest,
            name,
            freed: evicted.unwrap_or_default(),
            kept: evicted.err().map(|kept| kept.to_string()),
        });
    }
    all
}

async fn pin(State(context): State<Context>, Json(order): Json<PinImage>) -> Response {
    context.catch_up().await;
    let reply = context.engine.ask(Request::Pin(order)).await;
    tell_keeper(&context);
    context.keeper.wake();
    answered(reply)
}

async fn plan(State(context): State<Context>) -> Json<PlanView> {
    tell_keeper(&context);
    Json(view::plan(&context))
}

/// Has the keeper do now what it has planned. It goes on when the reader leaves.
async fn carry_out(State(context): State<Context>) -> Response {
    tell_keeper(&context);
    let (lines, received) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let mut last = 0;
        // What must be told waits for a slow reader here, and not the keeper for it. The keeper drops the sender when it is
        // done.
        let (ends, mut ended) = mpsc::unbounded_channel();
        let names = context.clone();
        let each = move |carried: Carried| match carried {
            Carried::Begins(step) => {
                last = 0;
                // The receiver lives until the sender is gone.
                ends.send(Stepped::Begins { step: view::step(&names, &step) }).unwrap_or_default();
            }
            Carried::Moved(digest, done, of) if done >= last + STEP || done == of => {
                last = done;
                ends.send(Stepped::Moved { digest, done: Bytes(done), of: Bytes(of) }).unwrap_or_default();
            }
            Carried::Moved(..) => {}
            Carried::Ended(step, result) => {
                let step = view::step(&names, &step);
                ends.send(Stepped::Ended { step, failed: result.err() }).unwrap_or_default();
            }
        };
        let tell = async {
            while let Some(line) = ended.recv().await {
                // A reader that went away need not be told.
                lines.send(line).await.unwrap_or_default();
            }
        };
        tokio::join!(context.keeper.carry_out(each), tell);
    });
    as_lines(received)
}

/// Why a question cannot be answered.
pub(super) struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        trouble(self.0, self.1)
    }
}
