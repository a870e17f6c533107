//! `/predictions`: which personas devices will probably want.

use std::ops::Bound;

use aide::axum::{ApiRouter, routing::get_with};
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    model::{DeviceId, MacAddr, Moment, PersonaName, Prediction, Probability},
    predict::Origin,
};

use super::{
    Api,
    ask::{Asked, Named},
    caller::{Caller, Read},
    device::{Which, unknown},
    page::{Cursor, Limit, Page},
    problem::Problem,
    shape::{self, Time},
    tag::Tagged,
};

/// What is predicted for one device.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Prediction")]
struct PredictionView {
    /// Which device.
    #[schemars(with = "shape::Mac")]
    device: MacAddr,
    /// What predicts: a version of the model, or the baseline that beat it.
    model: String,
    /// When that was trained.
    trained: Time,
    /// Until when it holds.
    until: Time,
    /// The personas, the most probable first. What is missing to 1 is said of none in particular.
    candidates: Vec<CandidateView>,
    /// From which probability on a prediction chooses, where nobody assigned a persona and no rule fits; nothing when
    /// predictions choose nothing here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::ProbabilityNumber>")]
    acts_from: Option<Probability>,
}

/// A persona that a device may want.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Candidate")]
struct CandidateView {
    /// Which.
    #[schemars(with = "shape::Name")]
    persona: PersonaName,
    /// How probable it is.
    #[schemars(with = "shape::ProbabilityNumber")]
    probability: Probability,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListAsk {
    /// At most so many.
    #[serde(default)]
    limit: Limit,
    /// Where the page begins: the `next` of the page before.
    cursor: Option<Cursor>,
}

pub(super) fn routes() -> ApiRouter<Api> {
    let list = get_with(list, |op| {
        op.id("listPredictions").tag("predictions").summary("List predictions").description(
            "Of known devices, sorted by name. Empty until something was learnt, and when what was learnt is stale.",
        )
    });
    let one =
        get_with(show, |op| op.id("getPrediction").tag("predictions").summary("See what is predicted for a device"));
    ApiRouter::new().api_route("/predictions", list).api_route("/devices/{mac}/prediction", one)
}

fn view(api: &Api, device: DeviceId, prediction: &Prediction, origin: &Origin, until: Moment) -> PredictionView {
    let policy = &api.context.engine.ground().site.boot.predict;
    let candidates = prediction.ranked().iter();
    PredictionView {
        device: device.mac(),
        model: origin.name.clone(),
        trained: Time::of(origin.trained),
        until: Time::of(until),
        candidates: candidates
            .map(|one| CandidateView { persona: one.persona.clone(), probability: one.probability })
            .collect(),
        acts_from: policy.choose.then(|| policy.act()),
    }
}

async fn list(
    _: Caller<Read>,
    State(api): State<Api>,
    Asked(ask): Asked<ListAsk>,
) -> Result<Page<PredictionView>, Problem> {
    let after: Option<MacAddr> = ask.cursor.as_ref().map(Cursor::key).transpose()?;
    let (world, now) = (api.context.engine.world(), (api.context.clock)());
    let forecast = api.context.engine.ground().forecast.clone();
    let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(DeviceId::new(after)));
    let devices = world.devices.range((from, Bound::Unbounded)).map(|(id, _)| *id);
    let predicted = devices.filter_map(|id| Some((id, forecast.of(id, now)?, forecast.origin()?)));
    let key = |(id, _, _): &(DeviceId, &Prediction, &Origin)| id.to_string();
    Ok(Page::of(predicted, ask.limit, key, |(id, prediction, origin)| {
        view(&api, id, prediction, origin, forecast.until())
    }))
}

async fn show(
    _: Caller<Read>,
    State(api): State<Api>,
    Named(Which { mac }): Named<Which>,
) -> Result<Tagged<PredictionView>, Problem> {
    let (world, now) = (api.context.engine.world(), (api.context.clock)());
    let device = world.device_of(mac).ok_or_else(|| unknown(mac))?.id;
    let forecast = api.context.engine.ground().forecast.clone();
    match (forecast.of(device, now), forecast.origin()) {
        (Some(prediction), Some(origin)) => Ok(Tagged::new(view(&api, device, prediction, origin, forecast.until()))),
        _ => Err(Problem::not_found(format!("nothing is predicted for device {mac}"))),
    }
}
