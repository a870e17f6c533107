//! What is predicted, for people: of one device and why, how good predictions are, and what is proposed.

use std::net::Ipv4Addr;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use crate::{
    boot::foresee::{Hindrance, Standing, foresee},
    engine::trainer::{Look, Status},
    model::{
        Device, DeviceId, Effect, MacAddr, Moment, PersonaName, Prediction, Probability,
        command::{Command, Order},
        request::Request,
        site::PredictPolicy,
    },
    predict::Origin,
    usage::quality::accepted_why,
    world::{Ground, World},
};

use super::{
    Context,
    admin::{answered, trouble},
};

/// What is predicted for one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Foreseen {
    /// Which device.
    pub device: DeviceId,
    /// What decisions look up: personas that are in the library and were not declined, the most probable first.
    pub prediction: Prediction,
    /// What made that, and when it was trained.
    pub origin: Option<Origin>,
    /// When it goes stale.
    pub until: Moment,
    /// What comes of it.
    pub standing: Standing,
    /// Why no more comes of it.
    pub hindrances: Vec<Hindrance>,
    /// From which probability on predictions act.
    pub acts_from: Probability,
    /// From which on they are proposed.
    pub proposed_from: Probability,
    /// The likeliest personas with what speaks for each, what the baselines say, and what is known of the device.
    pub look: Option<Look>,
}

/// How predictions stand, and what the operator lets them do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standings {
    /// How the trainer fares.
    #[serde(flatten)]
    pub status: Status,
    /// What predictions may do.
    pub policy: PredictPolicy,
    /// How many devices have a prediction now.
    pub devices: usize,
    /// When these go stale.
    pub until: Option<Moment>,
}

/// What an operator may accept or decline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// For which device.
    pub device: DeviceId,
    /// What is proposed.
    pub persona: PersonaName,
    /// How probable it is.
    pub probability: Probability,
    /// Whether it keeps the disk.
    pub effect: Effect,
    /// What predicted it.
    pub model: String,
    /// Why it does not act by itself.
    pub hindrances: Vec<Hindrance>,
}

/// What shall become of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Which device.
    pub mac: MacAddr,
    /// Who says so.
    pub by: String,
    /// Whether the device is armed in the same breath.
    #[serde(default)]
    pub arm: bool,
}

/// The routes.
pub(super) fn routes() -> Router<Context> {
    Router::new()
        .route("/predict", get(status))
        .route("/predict/retrain", post(retrain))
        .route("/predict/devices/{mac}", get(device))
        .route("/proposals", get(proposals))
        .route("/proposals/accept", post(accept))
        .route("/proposals/decline", post(decline))
}

async fn status(State(context): State<Context>) -> Json<Standings> {
    Json(standings(&context))
}

/// How predictions stand.
pub(super) fn standings(context: &Context) -> Standings {
    let ground = context.engine.ground();
    let forecast = &ground.forecast;
    Standings {
        status: context.trainer.status(),
        policy: ground.site.boot.predict.clone(),
        devices: forecast.rows().filter(|(_, prediction)| !prediction.ranked().is_empty()).count(),
        until: forecast.origin().map(|_| forecast.until()),
    }
}

async fn retrain(State(context): State<Context>) -> StatusCode {
    context.trainer.ring();
    StatusCode::NO_CONTENT
}

async fn device(State(context): State<Context>, Path(mac): Path<MacAddr>) -> Response {
    match foreseen(&context, mac).await {
        Some(foreseen) => Json(foreseen).into_response(),
        None => trouble(StatusCode::INTERNAL_SERVER_ERROR, "the look at the model broke off"),
    }
}

/// What is predicted for a device; `None` when the look at the model broke off.
pub(super) async fn foreseen(context: &Context, mac: MacAddr) -> Option<Foreseen> {
    let world = context.engine.world();
    let known = world.device_of(mac).cloned().unwrap_or_else(|| Device::new(mac));
    let ground = context.engine.ground();
    let now = (context.clock)();
    let (standing, hindrances) = standing(&world, &ground, &known, now);
    // The drivers are worked out anew, which is nothing for the threads that serve.
    let (trainer, id) = (context.trainer.clone(), known.id);
    let look = tokio::task::spawn_blocking(move || trainer.look(id)).await.ok()?;
    let policy = &ground.site.boot.predict;
    Some(Foreseen {
        device: known.id,
        prediction: ground.forecast.of(known.id, now).cloned().unwrap_or_default(),
        origin: ground.forecast.origin().cloned(),
        until: ground.forecast.until(),
        standing,
        hindrances,
        acts_from: policy.act(),
        proposed_from: policy.propose,
        look,
    })
}

/// What comes of what is predicted for a device, and why no more does.
pub(super) fn standing(world: &World, ground: &Ground, device: &Device, now: Moment) -> (Standing, Vec<Hindrance>) {
    // A table that is there and not stale, and has no row for the device, is not the same as none.
    let fresh = ground.forecast.origin().filter(|_| now <= ground.forecast.until());
    let nothing = Prediction::default();
    let forecast = fresh.map(|origin| (ground.forecast.row(device.id).unwrap_or(&nothing), origin));
    standing_of(world, ground, device, forecast, now)
}

/// The same, when this is what the forecast says of the device.
pub(super) fn standing_of(
    world: &World,
    ground: &Ground,
    device: &Device,
    forecast: Option<(&Prediction, &Origin)>,
    now: Moment,
) -> (Standing, Vec<Hindrance>) {
    let policy = &ground.site.boot;
    let device = world.seen_by_rules(device, policy);
    foresee(policy, &ground.catalog, &device, address(world, &device, now), forecast, now)
}

/// The address that a device uses, for rules by subnet: the first that it holds.
pub(super) fn address(world: &World, device: &Device, now: Moment) -> Option<Ipv4Addr> {
    let mut leases = device.macs.iter().flat_map(|mac| world.leases.of(*mac)).filter(|lease| lease.holds(now));
    leases.next().map(|lease| lease.ip)
}

/// What is proposed for a device now.
pub(super) fn proposal(world: &World, ground: &Ground, device: &Device, now: Moment) -> Option<Proposal> {
    let best = ground.forecast.of(device.id, now)?.ranked().first()?;
    let (standing, hindrances) = standing(world, ground, device, now);
    let entry = ground.catalog.persona(&best.persona)?;
    (standing == Standing::Proposed).then(|| Proposal {
        device: device.id,
        persona: best.persona.clone(),
        probability: best.probability,
        effect: entry.persona.effect(),
        model: ground.forecast.origin().map(|origin| origin.name.clone()).unwrap_or_default(),
        hindrances,
    })
}

/// What is proposed, the most probable first.
pub fn all_proposals(world: &World, ground: &Ground, now: Moment) -> Vec<Proposal> {
    let mut all: Vec<Proposal> =
        world.devices.values().filter_map(|device| proposal(world, ground, device, now)).collect();
    all.sort_by(|one, other| other.probability.cmp(&one.probability).then(one.device.cmp(&other.device)));
    all
}

async fn proposals(State(context): State<Context>) -> Json<Vec<Proposal>> {
    Json(all_proposals(&context.engine.world(), &context.engine.ground(), (context.clock)()))
}

impl Proposal {
    /// The order that accepts it.
    pub(super) fn accepted(&self, arm: bool) -> Order {
        let why = Some(accepted_why(self.probability));
        Order::AssignPersona { persona: self.persona.clone(), arm, not_before: None, expires: None, why }
    }

    /// The order that declines it.
    pub(super) fn declined(&self) -> Order {
        Order::DeclineProposal { persona: self.persona.clone() }
    }
}

async fn accept(State(context): State<Context>, Json(answer): Json<Answer>) -> Response {
    answer_with(&context, answer, Proposal::accepted).await
}

async fn decline(State(context): State<Context>, Json(answer): Json<Answer>) -> Response {
    answer_with(&context, answer, |proposal, _| proposal.declined()).await
}

/// Gives the order that answers what is proposed for a device, and says what that was.
async fn answer_with(context: &Context, answer: Answer, order: impl Fn(&Proposal, bool) -> Order) -> Response {
    let Answer { mac, by, arm } = answer;
    let (world, ground) = (context.engine.world(), context.engine.ground());
    let Some(device) = world.device_of(mac) else {
        return trouble(StatusCode::NOT_FOUND, format!("no device with port {mac} is known"));
    };
    let Some(proposal) = proposal(&world, &ground, device, (context.clock)()) else {
        let why = standing(&world, &ground, device, (context.clock)()).1;
        let why: Vec<String> = why.iter().map(ToString::to_string).collect();
        let why = if why.is_empty() { "what is predicted acts by itself".to_owned() } else { why.join("; ") };
        return trouble(StatusCode::CONFLICT, format!("nothing is proposed for {mac}: {why}"));
    };
    let command = Command { mac, by, order: order(&proposal, arm) };
    let response = answered(context.engine.ask(Request::Command(command)).await);
    if response.status().is_success() { Json(proposal).into_response() } else { response }
}
