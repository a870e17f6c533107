//! `/devices/{mac}/decision`: what a device would become if it booted now, and why. Asking changes nothing.

use aide::axum::{ApiRouter, routing::get_with};
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    model::{Decision, MacAddr, decision::Voice},
    serve::{admin::ExplainAsk, explain::explained},
    usage::timeline,
    world::Answer,
};

use super::{
    Api,
    ask::Named,
    caller::{Caller, Read},
    device::Which,
    problem::{Kind, Problem},
    shape,
    tag::Tagged,
};

/// What a device would do.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Decision")]
struct DecisionView {
    /// Which device: the port that was asked for.
    #[schemars(with = "shape::Mac")]
    device: MacAddr,
    /// What it would do.
    action: Action,
    /// Which persona it would become.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shape::Name>")]
    persona: Option<String>,
    /// Which version of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// Who named the persona.
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: Option<VoiceName>,
    /// Whether its disk would be wiped.
    wipes: bool,
    /// All of it in a sentence.
    reason: String,
}

/// What a device does.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Action {
    /// It becomes a persona.
    Become,
    /// It boots its disk.
    LocalDisk,
    /// It gets nothing to boot.
    Refuse,
}

/// Who names a persona.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Voice")]
#[serde(rename_all = "kebab-case")]
enum VoiceName {
    /// An assignment.
    Assigned,
    /// A rule.
    Rule,
    /// An experiment.
    Experiment,
    /// The forecast.
    Predicted,
    /// The default.
    Default,
}

impl From<Voice> for VoiceName {
    fn from(voice: Voice) -> Self {
        match voice {
            Voice::Assigned => Self::Assigned,
            Voice::Rule => Self::Rule,
            Voice::Experiment => Self::Experiment,
            Voice::Predicted => Self::Predicted,
            Voice::Default => Self::Default,
        }
    }
}

pub(super) fn routes() -> ApiRouter<Api> {
    let one = get_with(show, |op| {
        op.id("getDecision")
            .tag("predictions")
            .summary("See what a device would become now, and why")
            .description("Plays its whole boot against a copy of what is known. Also for devices that were never seen.")
    });
    ApiRouter::new().api_route("/devices/{mac}/decision", one)
}

async fn show(
    _: Caller<Read>,
    State(api): State<Api>,
    Named(Which { mac }): Named<Which>,
) -> Result<Tagged<DecisionView>, Problem> {
    let explained = explained(&api.context, &ExplainAsk { mac, arch: None, firmware: None });
    let none =
        || Problem::new(Kind::Unavailable, "this server has no interface that a device could reach").retry_after(60);
    let explained = explained.ok_or_else(none)?;
    let refused = |reason| DecisionView {
        device: mac,
        action: Action::Refuse,
        persona: None,
        version: None,
        voice: None,
        wipes: false,
        reason,
    };
    let view = match explained.plan.map(|plan| plan.decision) {
        Some(decision) => {
            let reason = timeline::decided(&decision);
            match decision {
                Decision::Become { persona, reason: why, armed } => DecisionView {
                    action: Action::Become,
                    persona: Some(persona.name.to_string()),
                    version: Some(persona.version.as_str().to_owned()),
                    voice: why.voice().map(VoiceName::from),
                    wipes: armed.is_some(),
                    ..refused(reason)
                },
                Decision::LocalDisk { .. } => DecisionView { action: Action::LocalDisk, ..refused(reason) },
                Decision::Refuse { .. } => refused(reason),
            }
        }
        // It never gets as far as a script: the last thing that it hears says why.
        None => refused(match explained.answers.last() {
            Some(Answer::Silence { silence, .. }) => format!("nothing: {silence}"),
            Some(Answer::Dhcp { refused: Some(refusal), .. }) => format!("nothing: {refusal}"),
            Some(Answer::Dhcp { .. }) | None => "nothing: it would hear of nothing to boot".to_owned(),
        }),
    };
    Ok(Tagged::new(view))
}
