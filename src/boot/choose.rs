//! What a device shall become: installed > assigned > rule > (experiment arm > predicted) > default > fallback.
//!
//! **A destructive persona is never decided without an [`Armed`] value**, and only an operator makes one: by
//! `greenroom device arm`, or by arming a rule, which then holds for devices that Greenroom has never installed.
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
        Armed, Decision, Device, Effect, Moment, PersonaName, Reason, Refusal, Seconds,
        site::{BootPolicy, Rule},
    },
    persona::catalog::{Catalog, Entry},
};

use super::matching;

/// The span that [`BootPolicy::installs_per_hour`] counts in.
const HOUR: Seconds = Seconds(3600);

/// Decides for one device at `now`. `address` is what it uses now, for rules by subnet.
pub fn choose(
    policy: &BootPolicy,
    catalog: &Catalog,
    device: &Device,
    address: Option<Ipv4Addr>,
    now: Moment,
) -> Decision {
    if let Some(decision) = latched(catalog, device) {
        return decision;
    }
    let Some(choice) = persona(policy, device, address) else {
        return Decision::LocalDisk { reason: Reason::Fallback };
    };
    let named = choice.persona.clone();
    let Some((entry, choice)) = found(catalog, choice) else {
        return Decision::Refuse { why: Refusal::NoPersona { persona: named } };
    };
    match entry.persona.effect() {
        Effect::Ephemeral => become_(entry, choice.reason, None),
        Effect::Destructive => {
            match device.armed.clone().or_else(|| choice.rule.and_then(|rule| armed_by(rule, device))) {
                None => Decision::Refuse { why: Refusal::NotArmed { persona: choice.persona } },
                Some(armed) => match too_many(policy, device, now) {
                    Some(count) => {
                        Decision::Refuse { why: Refusal::TooManyInstalls { persona: choice.persona, count } }
                    }
                    None => become_(entry, choice.reason, Some(armed)),
                },
            }
        }
    }
}

/// A persona and why.
struct Choice<'a> {
    persona: PersonaName,
    reason: Reason,
    rule: Option<&'a Rule>,
}

/// The persona that was chosen: itself, or the one that supersedes it once it has left the library. A successor that wipes
/// disks needs the same leave as any other.
fn found<'a, 'b>(catalog: &'a Catalog, choice: Choice<'b>) -> Option<(&'a Entry, Choice<'b>)> {
    if let Some(entry) = catalog.persona(&choice.persona) {
        return Some((entry, choice));
    }
    let entry = catalog.successor(&choice.persona)?;
    let reason = Reason::Superseded { persona: choice.persona, reason: Box::new(choice.reason) };
    Some((entry, Choice { persona: entry.reference.name.clone(), reason, rule: choice.rule }))
}

/// The strongest voice that names a persona.
fn persona<'a>(policy: &'a BootPolicy, device: &Device, address: Option<Ipv4Addr>) -> Option<Choice<'a>> {
    if let Some(assigned) = &device.assigned {
        let reason = Reason::Assigned { by: assigned.by.clone(), at: assigned.at };
        return Some(Choice { persona: assigned.persona.clone(), reason, rule: None });
    }
    if let Some(rule) = policy.rules.iter().find(|rule| matching::fits(&rule.when, device, address)) {
        let reason = Reason::Rule { name: rule.name.clone() };
        return Some(Choice { persona: rule.persona.clone(), reason, rule: Some(rule) });
    }
    // Experiment arms and predictions will speak here; `Reason` has their cases.
    let default = policy.default.clone()?;
    Some(Choice { persona: default, reason: Reason::Default, rule: None })
}

/// The latch: what was installed boots its disk until it is armed again, or until an operator assigns it something
/// that leaves the disk alone.
fn latched(catalog: &Catalog, device: &Device) -> Option<Decision> {
    let installed = device.installed.as_ref().filter(|_| device.armed.is_none())?;
    let assigned_since = device.assigned.as_ref().filter(|assigned| assigned.at > installed.at);
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

/// How many installations were begun within the hour, when that is too many.
fn too_many(policy: &BootPolicy, device: &Device, now: Moment) -> Option<u32> {
    let recent = device.installs.iter().filter(|begun| now < begun.plus(HOUR)).count();
    u32::try_from(recent).ok().filter(|count| *count >= policy.installs_per_hour)
}

fn become_(entry: &Entry, reason: Reason, armed: Option<Armed>) -> Decision {
    Decision::Become { persona: entry.reference.clone(), reason, armed }
}
