//! Inventory at the admin's door: which devices fit a filter, who is known, orders that belong together, and rosters: what one
//! would change, tried on a copy of the World before anything is done.
//!
//! **Nothing of a roster is done unless all of it could be.** Then it is done in pieces of 500 rows, each all or nothing: a
//! hundred thousand rows at once would keep DHCP waiting. Each order expects what the trial saw; when somebody changes one of
//! the devices in between, the piece it is in and those after it are not done, and the report says how far it came.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde::{Deserialize, Serialize};

use crate::{
    engine::Unavailable,
    model::{
        Device, Moment, User, UserName,
        command::{Line, Orders, Rejection},
        reply::Reply,
        request::Request,
    },
    usage::{
        filter::Filter,
        roster::{self, Difference, Kind, Problem, Problems, Row, State as Standing},
    },
    world::{Ground, Stamp, World, decide},
};

use super::{
    Context,
    admin::{DeviceView, answered, trouble, view},
};

/// How many rows are carried out in one go: the writer works on them for 5 ms, 11 ms at the worst. A hundred thousand at once would
/// be 1.3 s, in which no device gets an answer (benches/door and tests/people/large in release, 26 November 2026, two busy cores).
pub(super) const ROWS_AT_ONCE: usize = 500;
/// The largest body: a roster of [`roster::MOST_ROWS`] rows as JSON.
const LARGEST_BODY: usize = 512 << 20;
/// How often, and after how long, a full inbox is tried again.
const TRIES: usize = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Which devices are wanted: all of them without a filter.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Wanted {
    /// A [`Filter`], as text.
    #[serde(default)]
    pub filter: Option<String>,
}

/// Who is wanted: everybody without a name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct WantedUser {
    /// Who.
    #[serde(default)]
    pub user: Option<UserName>,
}

/// A person with the devices that they use.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserView {
    /// What is remembered of them.
    #[serde(flatten)]
    pub user: User,
    /// Their devices.
    pub devices: Vec<String>,
}

/// What a roster shall hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExportAsk {
    /// Of whom.
    pub kind: Kind,
    /// Which devices; see [`Wanted`].
    #[serde(default)]
    pub filter: Option<String>,
}

/// A roster that shall be taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportAsk {
    /// Who says so: a user name, for the journal.
    pub by: String,
    /// What it says.
    pub rows: Vec<Row>,
    /// Whether what it does not name of its devices and people is taken away.
    #[serde(default)]
    pub prune: bool,
    /// Whether only to say what would change.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a roster changed, or would.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Imported {
    /// How many rows name somebody new.
    pub new: usize,
    /// How many change something.
    pub changed: usize,
    /// How many change nothing.
    pub unchanged: usize,
    /// How many of those that are new or changed are done.
    pub done: usize,
    /// Why the rest is not, if it is not and should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What changes, row by row; rows that change nothing are left out.
    pub differences: Vec<Difference>,
}

/// A roster that cannot be taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotTaken {
    /// All that is wrong with it, for people.
    pub error: String,
    /// The same by row.
    #[serde(flatten)]
    pub problems: Problems,
}

/// The routes of the admin's door that are about inventory.
pub(super) fn routes() -> Router<Context> {
    Router::new()
        .route("/devices/find", post(devices))
        .route("/users/find", post(users))
        .route("/orders", post(orders))
        .route("/roster/export", post(export))
        .route("/roster/import", post(import))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

/// The filter, or the answer that says what is wrong with it.
fn filter(text: Option<&str>) -> Result<Option<Filter>, Box<Response>> {
    let filter = text.map(str::parse::<Filter>).transpose();
    filter.map_err(|bad| Box::new(trouble(StatusCode::BAD_REQUEST, format!("filter, {bad}"))))
}

async fn devices(State(context): State<Context>, Json(wanted): Json<Wanted>) -> Response {
    let filter = match filter(wanted.filter.as_deref()) {
        Ok(filter) => filter,
        Err(response) => return *response,
    };
    let (world, now) = (context.engine.world(), (context.clock)());
    let fits = |device: &&Device| filter.as_ref().is_none_or(|filter| filter.fits(&world, device, now));
    let found: Vec<DeviceView> = world.devices.values().filter(fits).map(|device| view(&context, device)).collect();
    Json(found).into_response()
}

async fn users(State(context): State<Context>, Json(wanted): Json<WantedUser>) -> Response {
    let world = context.engine.world();
    let uses = |user: &User| world.used_by(&user.name).map(|device| device.id.to_string()).collect();
    match wanted.user {
        None => {
            let bare = |user: &User| UserView { user: user.clone(), devices: vec![] };
            Json(world.users.values().map(bare).collect::<Vec<_>>()).into_response()
        }
        Some(name) => match world.users.get(&name) {
            Some(user) => Json(vec![UserView { user: user.clone(), devices: uses(user) }]).into_response(),
            None => trouble(StatusCode::NOT_FOUND, Rejection::NoUser { user: name }),
        },
    }
}

async fn orders(State(context): State<Context>, Json(orders): Json<Orders>) -> Response {
    answered(context.engine.ask(Request::Orders(orders)).await)
}

async fn export(State(context): State<Context>, Json(ask): Json<ExportAsk>) -> Response {
    let filter = match filter(ask.filter.as_deref()) {
        Ok(filter) => filter,
        Err(response) => return *response,
    };
    let (world, now) = (context.engine.world(), (context.clock)());
    let wanted = |device: &Device| filter.as_ref().is_none_or(|filter| filter.fits(&world, device, now));
    Json(roster::rows(ask.kind, &world, wanted)).into_response()
}

async fn import(State(context): State<Context>, Json(ask): Json<ImportAsk>) -> Response {
    match taken(&context, ask).await {
        Ok(imported) => Json(imported).into_response(),
        Err(problems) => {
            let mut lines: Vec<String> = problems.told.iter().map(ToString::to_string).collect();
            lines.extend((problems.count > lines.len()).then(|| format!("... {} problems in all", problems.count)));
            let refused = NotTaken { error: lines.join("\n"), problems };
            (StatusCode::UNPROCESSABLE_ENTITY, Json(refused)).into_response()
        }
    }
}

/// Takes a roster: finds out what it changes, tries it, and does it.
pub(super) async fn taken(context: &Context, ask: ImportAsk) -> Result<Imported, Problems> {
    let ImportAsk { by, rows, prune, dry_run } = ask;
    let (world, ground, now) = (context.engine.world(), context.engine.ground(), (context.clock)());
    let name = by.clone();
    let tried = tokio::task::spawn_blocking(move || tried(&world, &ground, &name, &rows, prune, now)).await;
    let mut imported = tried.unwrap_or_else(|panic| {
        let message = format!("the trial broke off: {panic}");
        Err(Problems { told: vec![Problem { line: 0, column: None, message }], count: 1 })
    })?;
    if !dry_run {
        carry_out(context, &by, &mut imported).await;
    }
    Ok(imported)
}

/// What rows change, when all of it could be done now: each row is tried on a copy of the World, which costs a few pointers.
pub(super) fn tried(
    world: &Arc<World>,
    ground: &Ground,
    by: &str,
    rows: &[Row],
    prune: bool,
    now: Moment,
) -> Result<Imported, Problems> {
    let differences = roster::differences(world, rows, prune)?;
    let mut imported = Imported::default();
    let mut problems = Problems::default();
    for difference in differences {
        match difference.state {
            Standing::New => imported.new += 1,
            Standing::Changed => imported.changed += 1,
            Standing::Unchanged => {
                imported.unchanged += 1;
                continue;
            }
        }
        let request =
            Request::Orders(Orders { by: by.to_owned(), key: None, said: None, lines: difference.orders.clone() });
        if let Reply::Rejected(why) = decide(world, ground, &request, Stamp { now, nonce: 0 }).reply {
            // Which of the row's orders it was means nothing to whoever wrote the row.
            let why = match why {
                Rejection::Line { why, .. } => *why,
                why => why,
            };
            let message = format!("{}: {why}", difference.name);
            problems.add(Problem { line: difference.line, column: None, message });
        }
        imported.differences.push(difference);
    }
    if problems.count == 0 { Ok(imported) } else { Err(problems) }
}

/// Does what was tried, piece by piece, until one is not taken.
async fn carry_out(context: &Context, by: &str, imported: &mut Imported) {
    for piece in imported.differences.chunks(ROWS_AT_ONCE) {
        let lines: Vec<Line> = piece.iter().flat_map(|difference| difference.orders.clone()).collect();
        match patiently(context, Orders { by: by.to_owned(), key: None, said: None, lines }).await {
            Ok(Reply::Rejected(why)) => {
                imported.stopped = Some(why.to_string());
                return;
            }
            Ok(_) => imported.done += piece.len(),
            Err(error) => {
                imported.stopped = Some(error.to_string());
                return;
            }
        }
    }
}

/// Asks again while the engine is busy with devices: they come first.
pub(super) async fn patiently(context: &Context, orders: Orders) -> Result<Reply, Unavailable> {
    for _ in 0..TRIES {
        match context.engine.ask(Request::Orders(orders.clone())).await {
            Err(Unavailable::Busy) => tokio::time::sleep(PAUSE).await,
            answer => return answer,
        }
    }
    Err(Unavailable::Busy)
}
