//! A boot attempt, as far as it teaches something.

use serde::{Deserialize, Serialize};

use crate::model::{
    BootId, DeviceId, Moment, PersonaName, Probability, UserName,
    decision::{Reason, Voice},
};

use super::Features;

/// The attempt that a device is in.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) boot: BootId,
    /// Who named the persona, once somebody did.
    pub(super) named: Option<Named>,
    /// What was planned, until it is known how that ended.
    pub(super) planned: Option<Planned>,
    /// Whether something was planned already: a script that is asked for twice is no second visit.
    pub(super) was_planned: bool,
}

/// Who named a persona.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) voice: Voice,
    /// With what probability, and by what, when it was predicted.
    pub(super) predicted: Option<(Probability, String)>,
}

/// A persona that a device was given by a boot, and what was known of the device then.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) seq: u64,
    pub(super) at: Moment,
    pub(super) device: DeviceId,
    pub(super) user: Option<UserName>,
    pub(super) features: Features,
    pub(super) persona: PersonaName,
    pub(super) named: Named,
}

/// A predicted boot that ended well: right, if nobody objects until `due`.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) due: Moment,
    pub(super) planned: Planned,
}

impl Attempt {
    pub(super) fn new(boot: BootId) -> Self {
        Self { boot, named: None, planned: None, was_planned: false }
    }
}

impl Named {
    /// Who gave this reason, where it is a reason to learn from.
    pub(super) fn by(reason: &Reason) -> Option<Self> {
        match reason {
            Reason::Superseded { reason, .. } => Self::by(reason),
            Reason::Predicted { probability, model } => {
                Some(Self { voice: Voice::Predicted, predicted: Some((*probability, model.clone())) })
            }
            reason => match reason.voice()? {
                voice @ (Voice::Assigned | Voice::Rule) => Some(Self { voice, predicted: None }),
                // What nobody wanted in particular teaches nothing; nor does what dice gave.
                Voice::Default | Voice::Experiment | Voice::Predicted => None,
            },
        }
    }
}
