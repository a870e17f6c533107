//! Operators' orders through the door.

use crate::model::{
    Device, DeviceId, Fact, Moment,
    attribute::{self, MOST_ATTRIBUTES},
    command::{Command, Order, PinImage, Rejection},
    image::Tier,
    reply::Reply,
};

use super::{Ground, Outcome, World};

/// Decides one order.
pub(super) fn decide(world: &World, ground: &Ground, command: &Command, now: Moment) -> Outcome {
    outcome(facts(world, ground, command, now))
}

/// What one order makes happen. A device may be described and given a persona before it was ever seen; everything else needs
/// a known device.
pub(super) fn facts(world: &World, ground: &Ground, command: &Command, now: Moment) -> Result<Vec<Fact>, Rejection> {
    let Command { mac, by, .. } = command;
    let known = world.device_of(*mac);
    let device = known.map_or(DeviceId::new(*mac), |device| device.id);
    let by = by.clone();
    match &command.order {
        Order::AssignPersona { persona, arm, not_before, expires, why } => match ground.catalog.persona(persona) {
            None => {
                let names = ground.catalog.personas().map(|entry| &entry.reference.name);
                Err(Rejection::NoPersona { persona: persona.clone(), nearest: nearest(names, persona).cloned() })
            }
            Some(_) if expires.is_some_and(|expires| expires <= not_before.unwrap_or(now).max(now)) => {
                Err(Rejection::NeverHolds)
            }
            Some(_) => {
                let assigned = Fact::PersonaAssigned {
                    device,
                    persona: persona.clone(),
                    by: by.clone(),
                    not_before: *not_before,
                    expires: *expires,
                    why: why.clone(),
                };
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
        Order::Describe { changes } => {
            let before = known.map(|device| device.attributes.clone()).unwrap_or_default();
            let mut attributes = before.clone();
            attribute::change(&mut attributes, changes);
            if attributes.len() > MOST_ATTRIBUTES {
                return Err(Rejection::TooManyAttributes { what: mac.to_string(), most: MOST_ATTRIBUTES });
            }
            // Said twice is no change, and no fact.
            let same = known.is_some() && attributes == before;
            Ok(if same { vec![] } else { vec![Fact::DeviceDescribed { device, changes: changes.clone(), by }] })
        }
        Order::DeclineProposal { persona } => match known {
            None => Err(Rejection::NoDevice { mac: *mac }),
            Some(Device { declined, .. }) if declined.contains(persona) => Ok(vec![]),
            Some(_) => Ok(vec![Fact::ProposalDeclined { device, persona: persona.clone(), by }]),
        },
        Order::Forget => match known {
            None => Err(Rejection::NoDevice { mac: *mac }),
            Some(_) => Ok(vec![Fact::DeviceForgotten { device, by }]),
        },
    }
}

/// Decides an order about an image. A pin whose image has left the library can still be taken back.
pub(super) fn pin(world: &World, ground: &Ground, order: &PinImage) -> Outcome {
    let PinImage { image, tier, by } = order.clone();
    let pinned = world.pins.get(&image);
    outcome(match tier {
        Tier::Origin if pinned.is_none() => Err(Rejection::NotPinned { image }),
        Tier::Origin => Ok(vec![Fact::ImageUnpinned { image, by }]),
        // Said twice is no change, and no fact.
        Tier::Ram | Tier::Disk if pinned == Some(&tier) => Ok(vec![]),
        Tier::Ram | Tier::Disk if ground.catalog.image(&image).is_none() => {
            let names = ground.catalog.images().map(|known| &known.name);
            Err(Rejection::NoImage { nearest: nearest(names, &image).cloned(), image })
        }
        Tier::Ram | Tier::Disk => Ok(vec![Fact::ImagePinned { image, tier, by }]),
    })
}

fn outcome(facts: Result<Vec<Fact>, Rejection>) -> Outcome {
    match facts {
        Ok(facts) => Outcome { reply: Reply::Done, facts },
        Err(rejection) => Outcome { reply: Reply::Rejected(rejection), facts: vec![] },
    }
}

/// The name that is most like `wanted`, when one is like it at all.
pub fn nearest<'a, T: ToString>(names: impl Iterator<Item = &'a T>, wanted: &T) -> Option<&'a T> {
    let wanted = wanted.to_string();
    let likeness = |name: &T| strsim::jaro_winkler(&name.to_string(), &wanted);
    names.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|name| likeness(name) > 0.8)
}
