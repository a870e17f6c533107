//! Whose word counts: everything that could say what a device becomes, from the strongest, and what each says.

use serde::Serialize;

use crate::{
    boot::{foresee::Standing, matching},
    model::{Decision, Device, Moment, Reason},
    serve::predict::{Foreseen, address},
    world::{Ground, World, outlook},
};

/// One of them.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Rung {
    /// What it is.
    pub(super) name: &'static str,
    /// What it says.
    pub(super) says: String,
    /// Whether the decision is its word.
    pub(super) decides: bool,
}

/// All of them, in the order in which `boot::choose` asks them.
pub(super) fn ladder(
    world: &World,
    ground: &Ground,
    device: &Device,
    foreseen: Option<&Foreseen>,
    now: Moment,
) -> Vec<Rung> {
    let deciding = match outlook(world, ground, device, now).decision {
        Decision::Become { reason, .. } | Decision::LocalDisk { reason } => Some(name(&reason)),
        Decision::Refuse { .. } => None,
    };
    let rungs = [
        ("installed", installed(device)),
        ("assigned", assigned(device, now)),
        ("rules", rules(world, ground, device, now)),
        ("predicted", predicted(foreseen)),
        (
            "default",
            match &ground.site.boot.default {
                Some(persona) => persona.to_string(),
                None => "no default persona is configured".into(),
            },
        ),
        ("otherwise", "it is left to its disk: standard provisioning".into()),
    ];
    rungs.into_iter().map(|(name, says)| Rung { name, says, decides: deciding == Some(name) }).collect()
}

fn name(reason: &Reason) -> &'static str {
    match reason {
        Reason::Installed { .. } => "installed",
        Reason::Assigned { .. } => "assigned",
        Reason::Rule { .. } => "rules",
        Reason::Predicted { .. } => "predicted",
        Reason::Default => "default",
        Reason::Superseded { reason, .. } => name(reason),
        Reason::Fallback => "otherwise",
        Reason::Arm { .. } => "",
    }
}

fn installed(device: &Device) -> String {
    match (&device.installed, &device.armed) {
        (None, _) => "nothing was installed by this server".into(),
        (Some(installed), None) => {
            format!("{} on {}: it boots its disk until it is armed", installed.persona, installed.at)
        }
        (Some(installed), Some(armed)) => format!("{} on {}, but {armed}", installed.persona, installed.at),
    }
}

fn assigned(device: &Device, now: Moment) -> String {
    let Some(assigned) = &device.assigned else { return "nobody assigned a persona".into() };
    let mut said = format!("{} by {} on {}", assigned.persona, assigned.by, assigned.at);
    said += &assigned.not_before.map(|from| format!(", from {from}")).unwrap_or_default();
    said += &assigned.expires.map(|until| format!(", until {until}")).unwrap_or_default();
    said += &assigned.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    said + if assigned.holds(now) { "" } else { ": it does not hold now" }
}

fn rules(world: &World, ground: &Ground, device: &Device, now: Moment) -> String {
    let whole = world.whole(device);
    let address = address(world, device, now);
    let all = &ground.site.boot.rules;
    match all.iter().position(|rule| matching::fits(&rule.when, &whole, address)) {
        Some(at) => format!("\"{}\", rule {} of {}, says {}", all[at].name, at + 1, all.len(), all[at].persona),
        None if all.is_empty() => "there are no rules".into(),
        None => format!("none of {} fits", all.len()),
    }
}

fn predicted(foreseen: Option<&Foreseen>) -> String {
    let Some(foreseen) = foreseen else { return "nothing".into() };
    let why = foreseen.hindrances.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let Some(best) = foreseen.prediction.ranked().first() else { return why };
    let said = format!("{} with {}", best.persona, best.probability);
    match foreseen.standing {
        Standing::Acts => format!("{said}: it acts, from {} on", foreseen.acts_from),
        Standing::Proposed => format!("{said}: it is proposed, and does not act: {why}"),
        Standing::Silent => format!("{said}: nothing comes of it: {why}"),
    }
}
