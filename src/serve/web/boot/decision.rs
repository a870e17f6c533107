//! Who was asked what a device shall become, in their order, and what each said.

use serde::Serialize;

use crate::model::{Armed, Decision, Reason, timeline::Boot};

/// Somebody who can name a persona.
#[derive(Debug, Serialize)]
pub(super) struct Considered {
    /// Who.
    pub(super) who: &'static str,
    /// What they said.
    pub(super) said: String,
    /// Whether that was it.
    pub(super) decided: bool,
}

/// Those who can, the strongest first (`boot/choose`), and what it means when they say nothing.
const VOICES: [(&str, &str); 6] = [
    ("Installed", "nothing was installed that still holds"),
    ("Assignment", "nobody had assigned a persona that held then"),
    ("Rules", "no rule of the configuration fitted"),
    ("Prediction", "none was sure enough and allowed to act"),
    ("Default", "the configuration names none"),
    ("Standard provisioning", "the device boots its disk"),
];

/// Everybody who was asked; nobody when the attempt was refused before, or by, what was decided.
pub(super) fn considered(boot: &Boot) -> Vec<Considered> {
    let (reason, armed) = match &boot.decision {
        Some(Decision::Become { reason, armed, .. }) => (reason, armed.as_ref()),
        Some(Decision::LocalDisk { reason }) => (reason, None),
        Some(Decision::Refuse { .. }) | None => return vec![],
    };
    let decided = rank(reason);
    let told = |(at, (who, silent)): (usize, (&'static str, &str))| Considered {
        who,
        said: match at.cmp(&decided) {
            std::cmp::Ordering::Less => silent.to_owned(),
            std::cmp::Ordering::Equal => reason.to_string(),
            std::cmp::Ordering::Greater => "not asked".to_owned(),
        },
        decided: at == decided,
    };
    let mut all: Vec<Considered> = VOICES.into_iter().enumerate().map(told).collect();
    all.extend(armed.map(|armed: &Armed| Considered {
        who: "Leave to wipe the disk",
        said: armed.to_string(),
        decided: true,
    }));
    all
}

fn rank(reason: &Reason) -> usize {
    match reason {
        Reason::Installed { .. } => 0,
        Reason::Assigned { .. } => 1,
        Reason::Rule { .. } | Reason::Arm { .. } => 2,
        Reason::Predicted { .. } => 3,
        Reason::Default => 4,
        Reason::Fallback => 5,
        Reason::Superseded { reason, .. } => rank(reason),
    }
}
