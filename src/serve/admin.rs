//! The admin's door: JSON over a local socket that only its owner may open. The command line is its user.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Path as UrlPath, Query, State},
    http::{StatusCode, header},
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::{
    net::UnixListener,
    sync::{broadcast::error::RecvError, mpsc},
};

use crate::{
    document::Problem,
    engine::Unavailable,
    library::Status,
    model::{
        Arch, BootId, Device, Firmware, MacAddr, attribute::Attributes, command::Command, lease::Lease, reply::Reply,
        request::Request, timeline::Boot,
    },
};

use super::{
    Context, audit, cache,
    context::Health,
    explain, gc, image, predict,
    replay::{self, NoReplay},
    roster, staging, token, webhook,
};

/// A device with what depends on the time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeviceView {
    /// What is remembered of it.
    #[serde(flatten)]
    pub device: Device,
    /// The addresses that it holds.
    pub leases: Vec<Lease>,
    /// Its latest attempt.
    pub latest: Option<Boot>,
    /// What is said of its user.
    #[serde(default)]
    pub of_user: Attributes,
}

/// Which device shall be explained, and what it is taken for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExplainAsk {
    /// The port.
    pub mac: MacAddr,
    /// The instruction set, when not as last seen.
    pub arch: Option<Arch>,
    /// The firmware, when not as last seen.
    pub firmware: Option<Firmware>,
}

/// Which attempts are wanted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct BootsAsk {
    /// Only those of the device with this port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddr>,
    /// At most so many, the latest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// An error, for people.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trouble {
    /// What is wrong.
    pub error: String,
}

pub(super) fn trouble(status: StatusCode, error: impl ToString) -> Response {
    (status, Json(Trouble { error: error.to_string() })).into_response()
}

/// The longest error of the router that is passed on.
const LONGEST_ERROR: usize = 4096;

/// How many lines may wait for a slow reader.
pub(super) const WAITING: usize = 64;

/// How often an unchanged progress is said again at the most.
pub(super) const STEP: u64 = 1 << 20;

/// Binds the socket; one that a crash left behind is replaced, one that answers is not. It appears under its name only
/// when its permissions are set.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another greenroom answers there"));
    }
    let mut unready = path.as_os_str().to_owned();
    unready.push(".new");
    match fs::remove_file(&unready) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&unready)?;
    fs::set_permissions(&unready, fs::Permissions::from_mode(0o600))?;
    fs::rename(&unready, path)?;
    Ok(listener)
}

/// The routes of the admin's door.
pub fn router(context: Context) -> Router {
    Router::new()
        .route("/devices", get(devices))
        .route("/devices/{mac}", get(device))
        .route("/commands", post(command))
        .route("/boots", get(boots))
        .route("/boots/{id}", get(boot))
        .route("/replay/{id}", get(replayed))
        .route("/follow", get(follow))
        .route("/explain", post(explain_device))
        .route("/images/gc", get(gc::list).post(gc::remove))
        .merge(image::routes())
        .merge(cache::routes())
        .merge(webhook::routes())
        .merge(predict::routes())
        .merge(staging::routes())
        .merge(token::routes())
        .merge(audit::routes())
        .merge(roster::routes())
        .route("/library", get(library))
        .route("/library/personas", get(personas))
        .route("/library/reload", post(reload))
        .route("/health", get(health))
        .layer(map_response(in_our_words))
        .with_state(context)
}

/// The router's and the extractors' own errors (no such route, what does not parse), in the form of all others.
async fn in_our_words(response: Response) -> Response {
    let status = response.status();
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let said = to_bytes(response.into_body(), LONGEST_ERROR).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    match said.trim() {
        "" => trouble(status, status.canonical_reason().unwrap_or("error").to_lowercase()),
        said => trouble(status, said),
    }
}

pub(super) fn view(context: &Context, device: &Device) -> DeviceView {
    let (world, now) = (context.engine.world(), (context.clock)());
    let leases = device.macs.iter().flat_map(|mac| world.leases.of(*mac)).filter(|lease| lease.holds(now)).cloned();
    DeviceView {
        leases: leases.collect(),
        latest: device.boot.and_then(|boot| world.boots.get(&boot)).cloned(),
        of_user: world.user_of(device).map(|user| user.attributes.clone()).unwrap_or_default(),
        device: device.clone(),
    }
}

async fn devices(State(context): State<Context>) -> Json<Vec<DeviceView>> {
    Json(context.engine.world().devices.values().map(|device| view(&context, device)).collect())
}

async fn device(State(context): State<Context>, UrlPath(mac): UrlPath<MacAddr>) -> Response {
    match context.engine.world().device_of(mac) {
        Some(device) => Json(view(&context, device)).into_response(),
        None => trouble(StatusCode::NOT_FOUND, format!("no device with port {mac} is known")),
    }
}

async fn command(State(context): State<Context>, Json(command): Json<Command>) -> Response {
    answered(context.engine.ask(Request::Command(command)).await)
}

/// What became of an order.
pub(super) fn answered(reply: Result<Reply, Unavailable>) -> Response {
    match reply {
        Ok(Reply::Rejected(rejection)) => trouble(StatusCode::UNPROCESSABLE_ENTITY, rejection),
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error @ (Unavailable::Busy | Unavailable::Stopped)) => trouble(StatusCode::SERVICE_UNAVAILABLE, error),
    }
}

async fn boots(State(context): State<Context>, Query(ask): Query<BootsAsk>) -> Json<Vec<Boot>> {
    let world = context.engine.world();
    let device = ask.mac.map(|mac| world.device_of(mac).map(|device| device.id));
    let wanted = world.recent_boots().filter(|boot| device.is_none_or(|device| device == Some(boot.device)));
    Json(wanted.take(ask.limit.unwrap_or(usize::MAX)).cloned().collect())
}

async fn boot(State(context): State<Context>, UrlPath(id): UrlPath<BootId>) -> Response {
    match context.engine.world().boots.get(&id) {
        Some(boot) => Json(boot).into_response(),
        None => trouble(StatusCode::NOT_FOUND, format!("no boot {id} is known")),
    }
}

async fn replayed(State(context): State<Context>, UrlPath(id): UrlPath<BootId>) -> Response {
    let replayed = tokio::task::spawn_blocking(move || replay::replay(&context, id)).await;
    let Ok(replayed) = replayed else { return trouble(StatusCode::INTERNAL_SERVER_ERROR, "the replay broke off") };
    match replayed {
        Ok(replay) => Json(replay).into_response(),
        Err(none @ NoReplay::Unknown(_)) => trouble(StatusCode::NOT_FOUND, none),
        Err(none) => trouble(StatusCode::CONFLICT, none),
    }
}

/// Facts as they happen, one JSON line each.
async fn follow(State(context): State<Context>) -> Response {
    let lines = stream::unfold(context.engine.records(), |mut records| async move {
        loop {
            match records.recv().await {
                Ok(batch) => {
                    let lines: String = batch.iter().filter_map(json_line).collect();
                    return Some((Ok::<_, io::Error>(lines), records));
                }
                // Too slow to read everything: what was missed is in the journal.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    Body::from_stream(lines).into_response()
}

fn json_line<T: Serialize>(value: &T) -> Option<String> {
    serde_json::to_string(value).ok().map(|json| json + "\n")
}

async fn explain_device(State(context): State<Context>, Json(ask): Json<ExplainAsk>) -> Response {
    match explain::explained(&context, &ask) {
        Some(explanation) => Json(explanation).into_response(),
        None => trouble(StatusCode::CONFLICT, "this server has no interface with an IPv4 address"),
    }
}

/// Everything that comes, a JSON line each, until nobody sends any more.
pub(super) fn as_lines<T: Serialize + Send + 'static>(received: mpsc::Receiver<T>) -> Response {
    let text = stream::unfold(received, |mut received| async move { Some((received.recv().await?, received)) })
        .map(|one| Ok::<_, io::Error>(json_line(&one).unwrap_or_default()));
    Body::from_stream(text).into_response()
}

async fn library(State(context): State<Context>) -> Json<Vec<ProblemView>> {
    Json(context.problems().iter().map(ProblemView::from).collect())
}

/// A problem, as it travels.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProblemView {
    /// Whether the document cannot be used.
    pub error: bool,
    /// The whole text.
    pub text: String,
}

impl From<&Problem> for ProblemView {
    fn from(problem: &Problem) -> Self {
        Self { error: problem.is_error(), text: problem.to_string() }
    }
}

async fn personas(State(context): State<Context>) -> Json<Vec<Status>> {
    Json(context.library.view().statuses.clone())
}

async fn reload(State(context): State<Context>) -> Json<Vec<ProblemView>> {
    context.read_library(true).await;
    library(State(context)).await
}

async fn health(State(context): State<Context>) -> Json<Health> {
    Json(context.health())
}
