//! What a prediction may do for a device, and why it may not do more: for people. [`choose()`] alone decides; this asks it.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::{
    model::{
        Decision, Device, Effect, Moment, PersonaName, Prediction, Probability, Reason,
        prediction::Candidate,
        site::{ArmPredicted, BootPolicy},
    },
    persona::catalog::Catalog,
    predict::Origin,
};

use super::{choose::choose, matching};

/// What a prediction may do for one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It would choose the persona of the next boot.
    Acts,
    /// It is proposed to the operators.
    Proposed,
    /// Nothing comes of it.
    Silent,
}

/// Why a prediction does not act, or is not even proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum Hindrance {
    /// There is no forecast.
    #[error("there is no forecast: nothing was trained yet, or what was is stale")]
    NoForecast,
    /// The forecast has nothing for this device.
    #[error("the model knows nothing of the device, or only what is not in the library or was declined")]
    Unknown,
    /// The operator switched it off.
    #[error("`predict.choose` is off")]
    SwitchedOff,
    /// It is not sure enough to act.
    #[error("below {threshold}, from where on predictions act")]
    Below {
        /// From which probability on predictions act.
        threshold: Probability,
    },
    /// It is not even sure enough to be proposed.
    #[error("below {threshold}, from where on they are proposed")]
    BelowProposal {
        /// From which probability on they are proposed.
        threshold: Probability,
    },
    /// The persona wipes the disk.
    #[error("{persona} wipes the disk, which only an operator may allow")]
    Wipes {
        /// Which persona.
        persona: PersonaName,
    },
    /// The device was installed, and nobody armed it since.
    #[error("installed as {persona}: it boots its disk")]
    Installed {
        /// What is on its disk.
        persona: PersonaName,
    },
    /// The device is armed: the leave was given for something else.
    #[error("the device is armed, for something else than a prediction")]
    Armed,
    /// An operator spoke first.
    #[error("{persona} is assigned")]
    Assigned {
        /// What is assigned.
        persona: PersonaName,
    },
    /// A rule speaks first.
    #[error("rule \"{name}\" speaks first")]
    Rule {
        /// Its name.
        name: String,
    },
    /// The persona is not in the library.
    #[error("{persona} is not in the library")]
    NoPersona {
        /// Which persona.
        persona: PersonaName,
    },
}

/// What the best candidate of `forecast` may do for a device at `now`, and why not more. `address` is what the device uses.
pub fn foresee(
    policy: &BootPolicy,
    catalog: &Catalog,
    device: &Device,
    address: Option<Ipv4Addr>,
    forecast: Option<(&Prediction, &Origin)>,
    now: Moment,
) -> (Standing, Vec<Hindrance>) {
    let Some((prediction, _)) = forecast else { return (Standing::Silent, vec![Hindrance::NoForecast]) };
    let best = prediction.ranked().first().filter(|best| !device.declined.contains(&best.persona));
    let Some(best) = best else { return (Standing::Silent, vec![Hindrance::Unknown]) };
    let decision = choose(policy, catalog, device, address, forecast, now);
    let mut hindrances = vec![];
    match &decision {
        Decision::Become { reason: Reason::Predicted { .. }, .. } => return (Standing::Acts, vec![]),
        Decision::LocalDisk { reason: Reason::Installed { persona, .. } } => {
            hindrances.push(Hindrance::Installed { persona: persona.name.clone() });
        }
        _ => {}
    }
    hindrances.extend(spoke_first(policy, device, address, now));
    let people = !hindrances.is_empty();
    hindrances.extend(device.armed.as_ref().map(|_| Hindrance::Armed));
    let known = catalog.persona(&best.persona);
    if known.is_none() {
        hindrances.push(Hindrance::NoPersona { persona: best.persona.clone() });
    }
    hindrances.extend((!policy.predict.choose).then_some(Hindrance::SwitchedOff));
    hindrances.extend(below(policy, best));
    let wipes = known.is_some_and(|entry| entry.persona.effect() == Effect::Destructive);
    let may_wipe = policy.predict.arm == ArmPredicted::NewDevices && device.installed.is_none();
    if wipes && !may_wipe {
        hindrances.push(Hindrance::Wipes { persona: best.persona.clone() });
    }
    let proposed = !people && known.is_some() && best.probability >= policy.predict.propose;
    (if proposed { Standing::Proposed } else { Standing::Silent }, hindrances)
}

/// The people's voice that goes before any prediction.
fn spoke_first(policy: &BootPolicy, device: &Device, address: Option<Ipv4Addr>, now: Moment) -> Option<Hindrance> {
    if let Some(assigned) = device.assigned.as_ref().filter(|assigned| assigned.holds(now)) {
        return Some(Hindrance::Assigned { persona: assigned.persona.clone() });
    }
    let rule = policy.rules.iter().find(|rule| matching::fits(&rule.when, device, address))?;
    Some(Hindrance::Rule { name: rule.name.clone() })
}

fn below(policy: &BootPolicy, best: &Candidate) -> Option<Hindrance> {
    let (act, propose) = (policy.predict.act(), policy.predict.propose);
    if best.probability < propose {
        return Some(Hindrance::BelowProposal { threshold: propose });
    }
    (best.probability < act).then_some(Hindrance::Below { threshold: act })
}
