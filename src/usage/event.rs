//! What other systems are told of: facts as events, in a JSON that stays as it is. `serve::webhook` sends them.
//!
//! ```json
//! {"type": "boot.finished", "timestamp": "2026-11-24T13:57:13Z", "data": {
//!   "id": 4711,
//!   "device": {"id": "52:54:00:77:00:11", "macs": ["52:54:00:77:00:11"], "attributes": {"role": "kiosk"}},
//!   "persona": {"name": "kiosk-live", "version": "bbd889e9…"},
//!   "boot": {"id": "8mndhxczz7", "outcome": "ready", "began": "2026-11-24T13:54:38Z", "took_ms": 155000,
//!            "url": "http://10.77.0.1/?boot=8mndhxczz7"},
//!   "reason": "become kiosk-live@bbd889e969: the default persona",
//!   "message": "ready, kiosk-770011, cloud-init done, 6 of 6 promises hold"}}
//! ```
//! `id` is the fact's number in the journal. A field that has nothing to say is left out; fields may come, none goes or
//! changes its meaning. The device and its attributes are as they stand when the event is sent.
//!
//! | type | `events:` | beside `id` and `device` |
//! |---|---|---|
//! | `device.assigned` | `assignment` | `persona`, `who`, `why`, `not_before`, `expires` |
//! | `device.unassigned`, `.armed`, `.disarmed`, `.forgotten` | `assignment` | `who` |
//! | `device.described` | `device-described` | `who`, `changes` (a value, or null: taken away) |
//! | `proposal.declined` | `proposal-declined` | `persona`, `who` |
//! | `boot.finished` | `boot-finished` | `boot`, `persona`, `reason`, `message` |
//! | `boot.stuck` | `boot-stuck` | the same |
//!
//! An attempt finishes once; when the device's own report then says otherwise (ready, after it was taken for stuck), it
//! finishes again. Of an attempt that another one of the device overtook, the later one tells.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{
    BootId, Decision, Device, DeviceId, Fact, MacAddr, Millis, Moment, PersonaName, PersonaRef, Record, Version,
    attribute::{Attributes, Changes},
    timeline::{Boot, Outcome, Step},
};

use super::timeline;

/// What a webhook may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A device was assigned a persona, or that was taken back; it was armed, disarmed or forgotten.
    Assignment,
    /// An attempt ended: ready, installed, on the local disk, failed or refused.
    BootFinished,
    /// An attempt went silent.
    BootStuck,
    /// An operator declined what was proposed for a device.
    ProposalDeclined,
    /// Somebody said what a device is.
    DeviceDescribed,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Assignment, Self::BootFinished, Self::BootStuck, Self::ProposalDeclined, Self::DeviceDescribed];

    /// What the configuration calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assignment => "assignment",
            Self::BootFinished => "boot-finished",
            Self::BootStuck => "boot-stuck",
            Self::ProposalDeclined => "proposal-declined",
            Self::DeviceDescribed => "device-described",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// That a fact is an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct News {
    /// Of which kind.
    pub kind: EventKind,
    /// Of which device; `None` when its attempt is so old that nothing is known of it any more.
    pub device: Option<DeviceId>,
}

/// An event as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// What happened: `boot.finished`.
    #[serde(rename = "type")]
    pub name: &'static str,
    /// When, RFC 3339.
    pub timestamp: String,
    /// The particulars.
    pub data: Particulars,
}

/// The particulars of an event.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Particulars {
    /// The fact's number in the journal.
    pub id: u64,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<About>,
    /// The persona that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona: Option<Named>,
    /// Who said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// Why, in their words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// From when on an assignment holds, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Until when, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// What is said of the device from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// The attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot: Option<Attempt>,
    /// What was decided for it, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it ended, in words; those of a device are its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A device in an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct About {
    /// Its name: the port by which it was first seen.
    pub id: DeviceId,
    /// Its ports.
    pub macs: Vec<MacAddr>,
    /// What the organisation says of it.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// A persona in an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Named {
    /// Its name.
    pub name: PersonaName,
    /// The version that was booted; an assignment follows the library's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

/// An attempt in an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attempt {
    /// Its name.
    pub id: BootId,
    /// How it ended.
    pub outcome: Outcome,
    /// When it began, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began: Option<String>,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<Millis>,
    /// Its timeline, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The attempt that a fact is a step of.
pub fn boot_of(fact: &Fact) -> Option<BootId> {
    match fact {
        Fact::BootMoved { boot, .. } => Some(*boot),
        _ => None,
    }
}

/// Whether a fact is an event. `boot` is the attempt of which it is a step, as it stands now.
pub fn news(record: &Record, boot: Option<&Boot>) -> Option<News> {
    let of = |kind, device: &DeviceId| Some(News { kind, device: Some(*device) });
    match &record.fact {
        Fact::PersonaAssigned { device, .. }
        | Fact::PersonaUnassigned { device, .. }
        | Fact::DeviceArmed { device, .. }
        | Fact::DeviceDisarmed { device, .. }
        | Fact::DeviceForgotten { device, .. } => of(EventKind::Assignment, device),
        Fact::ProposalDeclined { device, .. } => of(EventKind::ProposalDeclined, device),
        Fact::DeviceDescribed { device, .. } => of(EventKind::DeviceDescribed, device),
        Fact::BootMoved { step, .. } => {
            let kind = match step.outcome()? {
                Outcome::Stuck => EventKind::BootStuck,
                _ => EventKind::BootFinished,
            };
            let ends = boot.is_none_or(|boot| ends(boot, step, record.at));
            ends.then_some(News { kind, device: boot.map(|boot| boot.device) })
        }
        _ => None,
    }
}

/// Whether this step changed how the attempt ended. A firmware in a loop is refused every few seconds: that is told once.
fn ends(boot: &Boot, step: &Step, at: Moment) -> bool {
    // Steps after that were not its end any more, unless a report said so; and then that would be its outcome.
    if boot.outcome == Some(Outcome::Restarted) {
        return false;
    }
    let after = |before: Option<Outcome>, step: &Step| match (step.outcome(), step) {
        (Some(outcome), Step::Report(_)) => Some(outcome),
        (outcome, _) => before.or(outcome),
    };
    let earlier = boot.steps.iter().take_while(|moved| !(moved.at == at && moved.step == *step));
    let before = earlier.fold(None, |before, moved| after(before, &moved.step));
    after(before, step) != before
}

/// The event that a fact is. `boot` and `device` are those that it is about, as far as they are known; `server` is this one,
/// for people (`http://10.77.0.1`), where the attempt does not know better.
pub fn event(record: &Record, boot: Option<&Boot>, device: Option<About>, server: Option<&str>) -> Option<Event> {
    let named = |name: &PersonaName| Some(Named { name: name.clone(), version: None });
    let by = |who: &String| Particulars { who: Some(who.clone()), ..Particulars::default() };
    let (name, data) = match &record.fact {
        Fact::PersonaAssigned { persona, by, not_before, expires, why, .. } => {
            let data = Particulars {
                persona: named(persona),
                who: Some(by.clone()),
                why: why.clone(),
                not_before: not_before.map(|at| at.to_string()),
                expires: expires.map(|at| at.to_string()),
                ..Particulars::default()
            };
            ("device.assigned", data)
        }
        Fact::PersonaUnassigned { by: who, .. } => ("device.unassigned", by(who)),
        Fact::DeviceArmed { by: who, .. } => ("device.armed", by(who)),
        Fact::DeviceDisarmed { by: who, .. } => ("device.disarmed", by(who)),
        Fact::DeviceForgotten { by: who, .. } => ("device.forgotten", by(who)),
        Fact::DeviceDescribed { changes, by: who, .. } => {
            ("device.described", Particulars { changes: Some(changes.clone()), ..by(who) })
        }
        Fact::ProposalDeclined { persona, by: who, .. } => {
            ("proposal.declined", Particulars { persona: named(persona), ..by(who) })
        }
        Fact::BootMoved { boot: id, step } => {
            let outcome = step.outcome()?;
            let name = if outcome == Outcome::Stuck { "boot.stuck" } else { "boot.finished" };
            (name, attempt(*id, outcome, step, record.at, boot, server))
        }
        _ => return None,
    };
    let data = Particulars { id: record.seq, device, ..data };
    Some(Event { name, timestamp: record.at.to_string(), data })
}

fn attempt(
    id: BootId,
    outcome: Outcome,
    step: &Step,
    at: Moment,
    boot: Option<&Boot>,
    server: Option<&str>,
) -> Particulars {
    let reached = boot.and_then(|boot| boot.setting.as_ref()).map(|setting| setting.server.as_str());
    let decided = boot.and_then(|boot| boot.decision.as_ref()).and_then(|decision| match decision {
        Decision::Become { persona, .. } => Some(persona),
        Decision::LocalDisk { .. } | Decision::Refuse { .. } => None,
    });
    let persona = decided.cloned().map(|PersonaRef { name, version }| Named { name, version: Some(version) });
    Particulars {
        persona,
        boot: Some(Attempt {
            id,
            outcome,
            began: boot.map(|boot| boot.began.to_string()),
            took_ms: boot.map(|boot| at.since(boot.began)),
            url: reached.or(server).map(|server| format!("{server}/?boot={id}")),
        }),
        reason: boot.map(timeline::reason).filter(|reason| !reason.is_empty()),
        message: Some(timeline::step(step).1).filter(|words| !words.is_empty()),
        ..Particulars::default()
    }
}

impl About {
    /// What is known of a device; its name alone when it was forgotten.
    pub fn of(id: DeviceId, device: Option<&Device>) -> Self {
        match device {
            Some(device) => Self { id, macs: device.macs.clone(), attributes: device.attributes.clone() },
            None => Self { id, macs: vec![id.mac()], attributes: Attributes::new() },
        }
    }
}
