//! Whose an attempt is and how it stands, in the words of the list and of the page.

use serde::Serialize;

use crate::{
    model::{
        Decision, Device, Reason, Refusal,
        decision::Voice,
        timeline::{Boot, Outcome, Stage, Step},
    },
    usage::{timeline, waterfall::Waterfall},
    world::World,
};

/// The device of an attempt.
#[derive(Debug, Serialize)]
pub(super) struct Subject {
    /// Its first port.
    pub(super) device: String,
    /// What it is called, as far as anybody said.
    pub(super) name: Option<String>,
    /// What the organisation says it is for.
    pub(super) role: Option<String>,
    /// Its make.
    pub(super) model: Option<String>,
}

/// Whose an attempt is.
pub(super) fn subject(world: &World, boot: &Boot) -> Subject {
    let device = world.devices.get(&boot.device);
    let attribute =
        |name: &str| device.and_then(|device| world.attribute(device, name)).map(|value| value.as_str().to_owned());
    Subject {
        device: boot.device.to_string(),
        name: attribute("name").or_else(|| hostname(world, boot)),
        role: attribute("role"),
        model: device.and_then(model),
    }
}

/// The name that it gave itself: in its report, or for its lease.
fn hostname(world: &World, boot: &Boot) -> Option<String> {
    let reported = boot.steps.iter().rev().find_map(|moved| match &moved.step {
        Step::Report(report) => report.hostname.clone(),
        _ => None,
    });
    reported.or_else(|| world.leases.of(boot.device.mac()).find_map(|lease| lease.hostname.clone()))
}

fn model(device: &Device) -> Option<String> {
    let said: Vec<&str> =
        [&device.hardware.manufacturer, &device.hardware.product].into_iter().flatten().map(String::as_str).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// The class of the badge with an attempt's state.
pub(in crate::serve::web) fn tone(boot: &Boot) -> &'static str {
    match (boot.stage, boot.outcome) {
        (Stage::Ended, Some(Outcome::Ready | Outcome::Installed | Outcome::LocalDisk)) => "good",
        (Stage::Ended, Some(Outcome::Restarted)) => "",
        (Stage::Ended, _) => "bad",
        _ => "info",
    }
}

/// Why it becomes what it becomes, in a word.
pub(super) fn because(boot: &Boot) -> &'static str {
    let of_reason = |reason: &Reason| match (reason.voice(), reason) {
        (Some(Voice::Assigned), _) => "assigned",
        (Some(Voice::Rule), _) => "rule",
        (Some(Voice::Experiment), _) => "experiment",
        (Some(Voice::Predicted), _) => "predicted",
        (Some(Voice::Default), _) => "default",
        (None, Reason::Installed { .. }) => "installed",
        (None, _) => "nothing names one",
    };
    let refused = || {
        boot.steps.iter().rev().find_map(|moved| match &moved.step {
            Step::Refused { why } => Some(word(why)),
            _ => None,
        })
    };
    match &boot.decision {
        Some(Decision::Become { reason, .. } | Decision::LocalDisk { reason }) => of_reason(reason),
        Some(Decision::Refuse { why }) => word(why),
        None => refused().unwrap_or(""),
    }
}

/// A refusal in a word or two.
fn word(why: &Refusal) -> &'static str {
    match why {
        Refusal::SecondChainload { .. } => "chainload loop",
        Refusal::UnknownArch { .. } => "unknown architecture",
        Refusal::NoNbp { .. } => "no NBP",
        Refusal::NotArmed { .. } => "not armed",
        Refusal::TooManyInstalls { .. } => "too many installs",
        Refusal::NoPersona { .. } => "no such persona",
        Refusal::NoImage { .. } => "no image",
        Refusal::WrongArch { .. } => "wrong architecture",
        Refusal::TooSmall { .. } => "too little memory",
        Refusal::NoSecret { .. } => "secret missing",
        Refusal::PoolExhausted { .. } => "no address left",
        Refusal::NoSubnet { .. } => "unknown network",
        Refusal::ForeignRelay { .. } => "unknown relay",
        Refusal::OtherServer { .. } => "other DHCP server",
        Refusal::UnknownBoot => "unknown attempt",
    }
}

/// The persona that it becomes, or would have become.
pub(super) fn persona(boot: &Boot) -> Option<String> {
    let planned = boot.kernel.as_ref().map(|kernel| kernel.persona.name.to_string());
    planned.or_else(|| match boot.decision.as_ref()? {
        Decision::Become { persona, .. } => Some(persona.name.to_string()),
        Decision::Refuse { why } => match why {
            Refusal::NotArmed { persona }
            | Refusal::TooManyInstalls { persona, .. }
            | Refusal::NoPersona { persona }
            | Refusal::NoImage { persona, .. }
            | Refusal::TooSmall { persona, .. }
            | Refusal::NoSecret { persona, .. } => Some(persona.to_string()),
            _ => None,
        },
        Decision::LocalDisk { .. } => None,
    })
}

/// The state, as filters write it.
pub(super) fn state_word(boot: &Boot) -> String {
    timeline::state(boot).replace(' ', "-")
}

/// How wide a drawing is, in its own units.
pub(super) const WIDE: u64 = 1000;

/// A stretch of a row, in the units of its drawing.
#[derive(Debug, Serialize)]
pub(super) struct Piece {
    /// Where it begins.
    pub(super) x: u64,
    /// How wide it is: never too narrow to be seen.
    pub(super) width: u64,
    /// Its class in the style sheet.
    pub(super) class: &'static str,
}

/// The rows of a waterfall as stretches of one line; those of one kind that touch are one.
pub(super) fn pieces(fall: &Waterfall) -> Vec<Piece> {
    const LEAST: u64 = 14;
    let mut pieces: Vec<Piece> = vec![];
    for row in &fall.rows {
        let (x, width) = place(row.start.0, row.end.0, fall.whole.0, LEAST);
        let class = if row.bad { "fall-trouble" } else { row.kind.class() };
        match pieces.last_mut().filter(|last| last.class == class && x <= last.x + last.width + 4) {
            Some(last) => last.width = last.width.max(x + width - last.x),
            None => pieces.push(Piece { x, width, class }),
        }
    }
    pieces
}

/// Where a span lies in a drawing.
pub(super) fn place(start: u64, end: u64, whole: u64, least: u64) -> (u64, u64) {
    let scaled = |at: u64| at.min(whole) * WIDE / whole.max(1);
    let width = scaled(end).saturating_sub(scaled(start)).max(least);
    (scaled(start).min(WIDE - width.min(WIDE)), width)
}
