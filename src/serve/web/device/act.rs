//! What can be done to a device, and what would come of it: tried on a copy of the World by the code that does it.

use std::str::FromStr;

use serde::Serialize;

use crate::{
    model::{
        Decision, Device, Effect, MacAddr, Moment, PersonaName, Reason, Refusal,
        attribute::{AttributeName, AttributeValue, Changes},
        command::{Line, Order, Orders, Rejection},
        reply::Reply,
        request::Request,
    },
    persona::catalog::Catalog,
    world::{Ground, Stamp, World, decide, outlook},
};

use super::super::{Fields, Trouble};

/// How long a reason may be, in characters.
const LONGEST_REASON: usize = 500;

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Act {
    /// Give it a persona.
    Assign,
    /// Take that back.
    Unassign,
    /// Give leave to wipe its disk.
    Arm,
    /// Take that back.
    Disarm,
    /// Say what it is.
    Describe,
    /// Drop all that is known of it.
    Forget,
}

impl Act {
    const ALL: [Self; 6] = [Self::Assign, Self::Unassign, Self::Arm, Self::Disarm, Self::Describe, Self::Forget];

    /// The word of the address.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Assign => "assign",
            Self::Unassign => "unassign",
            Self::Arm => "arm",
            Self::Disarm => "disarm",
            Self::Describe => "describe",
            Self::Forget => "forget",
        }
    }

    /// The word of buttons and headings.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Assign => "Assign",
            Self::Unassign => "Unassign",
            Self::Arm => "Arm",
            Self::Disarm => "Disarm",
            Self::Describe => "Describe",
            Self::Forget => "Forget",
        }
    }

    /// What was done, behind the name of the device, or behind how many they were.
    pub(super) const fn done(self) -> &'static str {
        match self {
            Self::Assign => "assigned",
            Self::Unassign => "not assigned any more",
            Self::Arm => "armed",
            Self::Disarm => "not armed any more",
            Self::Describe => "described",
            Self::Forget => "forgotten",
        }
    }

    /// What it does, for those who do it for the first time.
    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::Assign => "The device becomes the persona at its next boot, whatever rules and predictions say.",
            Self::Unassign => "Rules, predictions and the default speak for the device again.",
            Self::Arm => {
                "The next boot may wipe the disk, if the persona that the device gets then does that. The leave ends when the \
                 installation is done, or when it is taken back."
            }
            Self::Disarm => "The leave to wipe the disk is taken back.",
            Self::Describe => "Rules, filters and predictions go by what is said here.",
            Self::Forget => {
                "Everything known is dropped: what was said of the device, its assignment, what is installed on it, and what it \
                 became before. It is new when it speaks next. The journal keeps what happened."
            }
        }
    }
}

impl FromStr for Act {
    type Err = Trouble;

    fn from_str(name: &str) -> Result<Self, Trouble> {
        let act = Self::ALL.into_iter().find(|act| act.name() == name);
        act.ok_or_else(|| Trouble::not_found("act", name))
    }
}

/// A persona to choose.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Choice {
    /// Its name.
    pub(super) name: String,
    /// Whether it wipes the disk.
    pub(super) wipes: bool,
}

/// What an act's form says, as it was typed.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Said {
    /// Which persona.
    pub(super) persona: String,
    /// From when on.
    pub(super) from: String,
    /// Until when.
    pub(super) until: String,
    /// Why.
    pub(super) why: String,
    /// Whether it is armed in the same breath.
    pub(super) arm: bool,
    /// What is said of it: `name=value`, or `name-` to take it away, a line each.
    pub(super) said: String,
    /// The personas there are.
    pub(super) choices: Vec<Choice>,
}

impl Said {
    pub(super) fn of(fields: &Fields, catalog: &Catalog) -> Self {
        let text = |name: &str| fields.get(name).unwrap_or_default().trim().to_owned();
        let choices = catalog.personas().map(|entry| Choice {
            name: entry.reference.name.to_string(),
            wipes: entry.persona.effect() == Effect::Destructive,
        });
        Self {
            persona: text("persona"),
            from: text("from"),
            until: text("until"),
            why: text("why"),
            arm: fields.get("arm").is_some(),
            said: fields.get("said").unwrap_or_default().to_owned(),
            choices: choices.collect(),
        }
    }

    /// The order that it means; none, when it says too little yet.
    pub(super) fn order(&self, act: Act) -> Result<Option<Order>, Trouble> {
        Ok(Some(match act {
            Act::Assign if self.persona.is_empty() => return Ok(None),
            Act::Assign => Order::AssignPersona {
                persona: self.persona.parse::<PersonaName>().map_err(|bad| wrong(&self.persona, bad))?,
                arm: self.arm,
                not_before: moment(&self.from)?,
                expires: moment(&self.until)?,
                why: reason(&self.why)?,
            },
            Act::Describe => match changes(&self.said)? {
                changes if changes.is_empty() => return Ok(None),
                changes => Order::Describe { changes },
            },
            Act::Unassign => Order::UnassignPersona,
            Act::Arm => Order::Arm,
            Act::Disarm => Order::Disarm,
            Act::Forget => Order::Forget,
        }))
    }
}

fn wrong(what: &str, why: impl std::fmt::Display) -> Trouble {
    Trouble::bad(format!("{what}: {why}"), "Go back and correct it.")
}

/// What a field for a date and a time says, in UTC.
fn moment(text: &str) -> Result<Option<Moment>, Trouble> {
    if text.is_empty() {
        return Ok(None);
    }
    let exact = text.parse::<jiff::Timestamp>().ok();
    let here = || Some(text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp());
    let time = exact.or_else(here).and_then(|time| u64::try_from(time.as_millisecond()).ok());
    time.map(|time| Some(Moment::from_millis(time))).ok_or_else(|| wrong(text, "write 2026-12-01T08:00"))
}

/// A reason as it is kept: on one line.
fn reason(text: &str) -> Result<Option<String>, Trouble> {
    if text.chars().count() > LONGEST_REASON || text.chars().any(char::is_control) {
        return Err(wrong("why", format!("a reason is one line of at most {LONGEST_REASON} characters")));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// `role=kiosk` and `note-`, a line each.
fn changes(text: &str) -> Result<Changes, Trouble> {
    let mut changes = Changes::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = match (line.split_once('='), line.strip_suffix('-')) {
            (Some((name, value)), _) => (name, Some(value)),
            (None, Some(name)) => (name, None),
            (None, None) => return Err(wrong(line, "write name=value, or name- to take it away")),
        };
        let name = name.trim().parse::<AttributeName>().map_err(|bad| wrong(name, bad))?;
        let value = value.map(|value| value.parse::<AttributeValue>().map_err(|bad| wrong(value, bad))).transpose()?;
        changes.insert(name, value);
    }
    Ok(changes)
}

/// What the next boot makes of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fate {
    /// Its disk is wiped.
    Wiped,
    /// It gets nothing to boot.
    Nothing,
    /// It runs a persona from memory.
    Runs,
    /// It boots its disk.
    Disk,
}

impl Fate {
    /// The class of its words.
    pub(super) const fn tone(self) -> &'static str {
        match self {
            Self::Wiped => "bad",
            Self::Nothing => "warn",
            Self::Runs => "good",
            Self::Disk => "",
        }
    }
}

/// What the next boot makes of a device, in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Outlook {
    /// In a word.
    pub(super) fate: Fate,
    /// In a sentence that begins with "it".
    pub(super) words: String,
    /// Why.
    pub(super) why: String,
    /// Which persona it becomes.
    pub(super) persona: Option<String>,
    /// Whether it would only have to be armed to become what it is refused.
    pub(super) unarmed: bool,
}

impl Outlook {
    /// Of a device, known or not.
    pub(super) fn of(world: &World, ground: &Ground, device: &Device, now: Moment) -> Self {
        let new = |fate, words: String, why: String, persona: Option<String>| Self {
            fate,
            words,
            why,
            persona,
            unarmed: false,
        };
        match outlook(world, ground, device, now).decision {
            Decision::Become { persona, reason, armed: Some(armed) } => {
                let words = format!("its disk is wiped, and {} installed on it", persona.name);
                new(Fate::Wiped, words, format!("{reason}, {armed}"), Some(persona.name.to_string()))
            }
            Decision::Become { persona, reason, armed: None } => {
                let words = format!("it runs {} from memory, and its disk stays as it is", persona.name);
                new(Fate::Runs, words, reason.to_string(), Some(persona.name.to_string()))
            }
            Decision::LocalDisk { reason } => {
                let words = match &reason {
                    Reason::Installed { persona, .. } => format!("it boots its disk, which holds {}", persona.name),
                    _ => "it boots its disk".to_owned(),
                };
                new(Fate::Disk, words, reason.to_string(), None)
            }
            Decision::Refuse { why } => {
                let persona = match &why {
                    Refusal::NotArmed { persona } => Some(persona.to_string()),
                    _ => None,
                };
                let words = match &persona {
                    Some(persona) => format!("it gets nothing to boot: {persona} wipes the disk, and nobody armed it"),
                    None => format!("it gets nothing to boot: {why}"),
                };
                let why = if persona.is_some() { "it has to be armed first".to_owned() } else { why.to_string() };
                Self { unarmed: persona.is_some(), ..new(Fate::Nothing, words, why, persona) }
            }
        }
    }
}

/// What an order makes of a device.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Tried {
    /// What its next boot makes of it as things are.
    pub(super) before: Outlook,
    /// What it makes of it then.
    pub(super) after: Outlook,
}

/// What an order would make of a device, or why it would not be carried out.
pub(super) fn tried(
    world: &World,
    ground: &Ground,
    mac: MacAddr,
    order: &Order,
    now: Moment,
) -> Result<Tried, Rejection> {
    let lines = vec![Line::Device { mac, order: order.clone(), expects: None }];
    let orders = Orders { by: "account:you".into(), key: None, said: None, lines };
    let outcome = decide(world, ground, &Request::Orders(orders), Stamp { now, nonce: 0 });
    if let Reply::Rejected(rejection) = outcome.reply {
        return Err(rejection);
    }
    let mut then = world.clone();
    for fact in outcome.facts {
        let seq = then.seq + 1;
        then.apply(&crate::model::Record { seq, at: now, fact });
    }
    // An assignment that begins later makes of it what it makes then.
    let at = match order {
        Order::AssignPersona { not_before: Some(from), .. } => now.max(*from),
        _ => now,
    };
    let stranger = Device::new(mac);
    let of = |world: &World, at| Outlook::of(world, ground, world.device_of(mac).unwrap_or(&stranger), at);
    Ok(Tried { before: of(world, now), after: of(&then, at) })
}

/// Why an order would not be carried out, without the name of the device: so that many can be told at once.
pub(super) fn why_not(rejection: &Rejection) -> String {
    match rejection {
        Rejection::NoDevice { .. } => "it is not known".into(),
        Rejection::NotAssigned { .. } => "it has no assignment".into(),
        Rejection::NotArmed { .. } => "it is not armed".into(),
        Rejection::Changed { .. } => "somebody changed it meanwhile".into(),
        Rejection::TooManyAttributes { most, .. } => format!("it would have more than {most} attributes"),
        Rejection::Line { why, .. } => why_not(why),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_mean_orders() {
        let said = Said { said: " role = kiosk \n\nnote-\n".into(), ..Said::default() };
        let Ok(Some(Order::Describe { changes })) = said.order(Act::Describe) else { panic!("an order") };
        assert_eq!(changes.len(), 2);
        assert_eq!(changes.values().filter(|value| value.is_none()).count(), 1);
        assert!(Said { said: "kiosk".into(), ..Said::default() }.order(Act::Describe).is_err());
        assert!(matches!(Said::default().order(Act::Assign), Ok(None)));
        let assign = Said { persona: "kiosk".into(), until: "2026-12-01T08:00".into(), ..Said::default() };
        let Ok(Some(Order::AssignPersona { expires: Some(until), .. })) = assign.order(Act::Assign) else {
            panic!("an order")
        };
        assert_eq!(until.to_string(), "2026-12-01T08:00:00Z");
        assert!(Said { until: "soon".into(), ..assign }.order(Act::Assign).is_err());
    }
}
