//! Operators' orders through the door.

use crate::model::{
    DeviceId, Fact, PersonaName,
    command::{Command, Order, Rejection},
    reply::Reply,
};

use super::{Ground, Outcome, World};

/// Decides one order. A device may be given a persona before it was ever seen; everything else needs a known device.
pub(super) fn decide(world: &World, ground: &Ground, command: &Command) -> Outcome {
    let Command { mac, by, .. } = command;
    let known = world.device_of(*mac);
    let device = known.map_or(DeviceId::new(*mac), |device| device.id);
    let by = by.clone();
    let facts = match &command.order {
        Order::AssignPersona { persona, arm } => match ground.catalog.persona(persona) {
            None => Err(Rejection::NoPersona { persona: persona.clone(), nearest: nearest(ground, persona) }),
            Some(_) => {
                let assigned = Fact::PersonaAssigned { device, persona: persona.clone(), by: by.clone() };
                let armed = arm.then(|| Fact::DeviceArmed { device, by });
                Ok([assigned].into_iter().chain(armed).collect())
            }
        },
        Order::UnassignPersona => match known.map(|device| &device.assigned) {
            None => Err(Rejection::NoDevice { mac: *mac }),
            Some(None) => Err(Rejection::NotAssigned { mac: *mac }),
            Some(Some(_)) => Ok(vec![Fact::PersonaUnassigned { device, by }]),
        },
        Order::Arm => match known {
            None => Err(Rejection::NoDevice { mac: *mac }),
            Some(_) => Ok(vec![Fact::DeviceArmed { device, by }]),
        },
        Order::Disarm => match known.map(|device| &device.armed) {
            None => Err(Rejection::NoDevice { mac: *mac }),
            Some(None) => Err(Rejection::NotArmed { mac: *mac }),
            Some(Some(_)) => Ok(vec![Fact::DeviceDisarmed { device, by }]),
        },
        Order::Forget => match known {
            None => Err(Rejection::NoDevice { mac: *mac }),
            Some(_) => Ok(vec![Fact::DeviceForgotten { device, by }]),
        },
    };
    match facts {
        Ok(facts) => Outcome { reply: Reply::Done, facts },
        Err(rejection) => Outcome { reply: Reply::Rejected(rejection), facts: vec![] },
    }
}

/// The persona of the library whose name is most like `wanted`, when one is like it at all.
fn nearest(ground: &Ground, wanted: &PersonaName) -> Option<PersonaName> {
    let likeness = |name: &PersonaName| strsim::jaro_winkler(name.as_str(), wanted.as_str());
    let names = ground.catalog.personas().map(|entry| &entry.reference.name);
    names.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|name| likeness(name) > 0.8).cloned()
}
