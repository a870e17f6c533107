//! `/rules`: the rules of the configuration. They are changed there, not here.

use aide::axum::{ApiRouter, routing::get_with};
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{PersonaName, site::Rule};

use super::{
    Api,
    ask::Named,
    caller::{Caller, Read},
    page::{Limit, Page},
    problem::Problem,
    shape,
    tag::Tagged,
};

/// A rule: devices that fit become the persona, where nobody assigned them one.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rule")]
struct RuleView {
    /// What reasons call it.
    name: String,
    /// Where it stands, from 1: the first rule that fits holds.
    place: usize,
    /// Which devices: every field must fit, by one of its values.
    #[serde(rename = "match")]
    #[schemars(with = "std::collections::BTreeMap<String, Value>")]
    when: Value,
    /// Which persona they become.
    #[schemars(with = "shape::Name")]
    persona: PersonaName,
    /// Whether it may wipe devices that were never installed.
    armed: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Which {
    /// What reasons call it.
    rule: String,
}

pub(super) fn routes() -> ApiRouter<Api> {
    let list = get_with(list, |op| {
        op.id("listRules").tag("rules").summary("List rules").description("In the order in which they are tried.")
    });
    let one = get_with(show, |op| op.id("getRule").tag("rules").summary("Get a rule"));
    ApiRouter::new().api_route("/rules", list).api_route("/rules/{rule}", one)
}

fn view((at, rule): (usize, &Rule)) -> RuleView {
    RuleView {
        name: rule.name.clone(),
        place: at + 1,
        when: serde_json::to_value(&rule.when).unwrap_or_default(),
        persona: rule.persona.clone(),
        armed: rule.armed,
    }
}

/// Rules are few: they are one page.
async fn list(_: Caller<Read>, State(api): State<Api>) -> Page<RuleView> {
    let ground = api.context.engine.ground();
    Page::of(ground.site.boot.rules.iter().enumerate(), Limit(usize::MAX), |(at, _)| at.to_string(), view)
}

async fn show(
    _: Caller<Read>,
    State(api): State<Api>,
    Named(which): Named<Which>,
) -> Result<Tagged<RuleView>, Problem> {
    let ground = api.context.engine.ground();
    let found = ground.site.boot.rules.iter().enumerate().find(|(_, rule)| rule.name == which.rule);
    found
        .map(|found| Tagged::new(view(found)))
        .ok_or_else(|| Problem::not_found(format!("no rule `{}` is configured", which.rule)))
}
