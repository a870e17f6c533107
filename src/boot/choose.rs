//! What a device shall become: installed > assigned > rule > (experiment arm) > predicted > default > fallback.
//!
//! **A destructive persona is never decided without an [`Armed`] value**, and only an operator makes one: by
//! `greenroom device arm`, by arming a rule, or by `predict.arm: new-devices`; the last two hold for devices that Greenroom has
//! never installed. A prediction never speaks for a device that an operator armed: the leave was given for something else.
//!
//! ```text
//!                 ┌──────────── armed again ────────────┐
//!                 v                                     │
//!   new ──> chosen, not armed: refused      installed: boots its disk
//!                 │ armed                               ^
//!                 └──> installs ──reports installed─────┘
//! ```

use std::net::Ipv4Addr;

use crate::{
    model::{
        Armed, Decision, Device, Effect, Moment, PersonaName, Prediction, Reason, Refusal, Seconds,
        site::{ArmPredicted, BootPolicy, Rule},
    },
    persona::catalog::{Catalog, Entry},
    predict::Origin,
};

use super::matching;

/// The span that [`BootPolicy::installs_per_hour`] counts in.
pub(crate) const HOUR: Seconds = Seconds(3600);

/// Decides for one device at `now`. `address` is what it uses now, for rules by subnet; `prediction` is what is predicted for
/// it, and by what.
pub fn choose(
    policy: &BootPolicy,
    catalog: &Catalog,
    device: &Device,
    address: Option<Ipv4Addr>,
    prediction: Option<(&Prediction, &Origin)>,
    now: Moment,
) -> Decision {
    if let Some(decision) = latched(catalog, device, now) {
        return decision;
    }
    let predicted =
        || prediction.and_then(|(prediction, origin)| predicted(policy, catalog, device, prediction, origin));
    let Some(choice) = named(policy, device, address, now).or_else(predicted).or_else(|| default(policy)) else {
        return Decision::LocalDisk { reason: Reason::Fallback };
    };
    let named = choice.persona.clone();
    let Some((entry, choice)) = found(catalog, choice) else {
        return Decision::Refuse { why: Refusal::NoPersona { persona: named } };
    };
    match entry.persona.effect() {
        Effect::Ephemeral => become_(entry, choice.reason, None),
        Effect::Destructive => match device.armed.clone().or(choice.armed) {
            None => Decision::Refuse { why: Refusal::NotArmed { persona: choice.persona } },
            Some(armed) => match too_many(policy, device, now) {
                Some(count) => Decision::Refuse { why: Refusal::TooManyInstalls { persona: choice.persona, count } },
                None => become_(entry, choice.reason, Some(armed)),
            },
        },
    }
}

/// A persona and why.
struct Choice {
    persona: PersonaName,
    reason: Reason,
    /// The leave that comes with it: by whoever armed the rule, or the site's policy.
    armed: Option<Armed>,
}

/// The persona that was chosen: itself, or the one that supersedes it once it has left the library. A successor that wipes
/// disks needs the same leave as any other.
fn found(catalog: &Catalog, choice: Choice) -> Option<(&Entry, Choice)> {
    if let Some(entry) = catalog.persona(&choice.persona) {
        return Some((entry, choice));
    }
    let entry = catalog.successor(&choice.persona)?;
    let reason = Reason::Superseded { persona: choice.persona, reason: Box::new(choice.reason) };
    Some((entry, Choice { persona: entry.reference.name.clone(), reason, armed: choice.armed }))
}

/// The strongest voice of people that names a persona for this device. Experiment arms will speak here too; `Reason` has
/// their case.
fn named(policy: &BootPolicy, device: &Device, address: Option<Ipv4Addr>, now: Moment) -> Option<Choice> {
    if let Some(assigned) = device.assigned.as_ref().filter(|assigned| assigned.holds(now)) {
        let reason = Reason::Assigned { by: assigned.by.clone(), at: assigned.at, why: assigned.why.clone() };
        return Some(Choice { persona: assigned.persona.clone(), reason, armed: None });
    }
    let rule = policy.rules.iter().find(|rule| matching::fits(&rule.when, device, address))?;
    let reason = Reason::Rule { name: rule.name.clone() };
    Some(Choice { persona: rule.persona.clone(), reason, armed: armed_by(rule, device) })
}

/// The most probable persona, when it is probable enough to act on, and may be acted on.
fn predicted(
    policy: &BootPolicy,
    catalog: &Catalog,
    device: &Device,
    prediction: &Prediction,
    origin: &Origin,
) -> Option<Choice> {
    // The row is made anew a moment after an operator has declined what it says.
    let best = prediction.ranked().first().filter(|best| !device.declined.contains(&best.persona))?;
    let entry = catalog.persona(&best.persona)?;
    let acts = policy.predict.choose && device.armed.is_none() && best.probability >= policy.predict.act();
    let armed = match entry.persona.effect() {
        Effect::Ephemeral => None,
        Effect::Destructive => Some(armed_as_new(policy, device)?),
    };
    let reason = Reason::Predicted { probability: best.probability, model: origin.name.clone() };
    acts.then(|| Choice { persona: best.persona.clone(), reason, armed })
}

/// The site's default.
fn default(policy: &BootPolicy) -> Option<Choice> {
    let persona = policy.default.clone()?;
    Some(Choice { persona, reason: Reason::Default, armed: None })
}

/// The latch: what was installed boots its disk until it is armed again, or until an operator assigns it something
/// that leaves the disk alone.
fn latched(catalog: &Catalog, device: &Device, now: Moment) -> Option<Decision> {
    let installed = device.installed.as_ref().filter(|_| device.armed.is_none())?;
    let assigned_since =
        device.assigned.as_ref().filter(|assigned| assigned.holds(now) && assigned.since() > installed.at);
    let harmless = assigned_since
        .and_then(|assigned| catalog.persona(&assigned.persona).or_else(|| catalog.successor(&assigned.persona)))
        .is_some_and(|entry| entry.persona.effect() == Effect::Ephemeral);
    (!harmless).then(|| Decision::LocalDisk {
        reason: Reason::Installed { persona: installed.persona.clone(), at: installed.at },
    })
}

/// The leave that an armed rule gives: to devices that were never installed.
fn armed_by(rule: &Rule, device: &Device) -> Option<Armed> {
    (rule.armed && device.installed.is_none()).then(|| Armed::Rule { name: rule.name.clone() })
}

/// The leave that the site's policy gives to predictions, likewise.
fn armed_as_new(policy: &BootPolicy, device: &Device) -> Option<Armed> {
    let leave = policy.predict.arm == ArmPredicted::NewDevices && device.installed.is_none();
    leave.then_some(Armed::NewDevice)
}

/// How many installations were begun within the hour, when that is too many.
fn too_many(policy: &BootPolicy, device: &Device, now: Moment) -> Option<u32> {
    let recent = device.installs.iter().filter(|begun| now < begun.plus(HOUR)).count();
    u32::try_from(recent).ok().filter(|count| *count >= policy.installs_per_hour)
}

fn become_(entry: &Entry, reason: Reason, armed: Option<Armed>) -> Decision {
    Decision::Become { persona: entry.reference.clone(), reason, armed }
}
