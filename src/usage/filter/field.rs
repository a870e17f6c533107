//! What a filter can ask of a device.

use std::{borrow::Cow, fmt, net::Ipv4Addr};

use ipnet::Ipv4Net;

use crate::{
    model::{
        Bytes, Decision, Device, Millis, Moment, PersonaName,
        attribute::{self, AttributeName},
        smbios::Hardware,
    },
    world::World,
};

/// The fields that every device has, by name, with what they are: for help texts and the API's document.
pub const FIELDS: &[(&str, &str)] = &[
    ("mac", "any of its ports"),
    ("uuid", "its SMBIOS UUID"),
    ("arch", "its architecture: x64, arm64, ..."),
    ("manufacturer", "SMBIOS manufacturer"),
    ("product", "SMBIOS product name"),
    ("serial", "SMBIOS serial number"),
    ("asset", "SMBIOS asset tag"),
    ("memory", "usable memory: memory>=8GiB"),
    ("address", "any address that it holds: an address, or a subnet that the address is in"),
    ("subnet", "the subnet that it was last on, or one around that"),
    ("relay", "the relay that passed its packets on: an address, or a subnet that the relay is in"),
    ("circuit", "the switch port, as the relay calls it (option 82.1)"),
    ("remote", "the switch, as the relay calls it (option 82.2)"),
    ("interface", "this server's interface that its packets came in by"),
    ("persona", "what it is or shall be: what is assigned now, else installed, else what it became last"),
    ("assigned", "the persona that an operator gave it, in force or not yet"),
    ("armed", "who gave leave to wipe its disk"),
    ("installed", "the persona that is on its disk"),
    ("outcome", "how its latest boot ended: ready, installed, local-disk, refused, failed, stuck, restarted"),
    ("seen", "for how long it has been silent: seen<7d"),
    ("first_seen", "since when it is known: first_seen<1d"),
];

/// Stands before the name of an attribute that a field would hide.
pub(super) const PREFIX: &str = "attr:";

/// What a filter asks of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    Known(Known),
    Attribute(AttributeName),
}

/// A field of [`FIELDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Mac,
    Uuid,
    Arch,
    Manufacturer,
    Product,
    Serial,
    Asset,
    Memory,
    Address,
    Subnet,
    Relay,
    Circuit,
    Remote,
    Interface,
    Persona,
    Assigned,
    Armed,
    Installed,
    Outcome,
    Seen,
    FirstSeen,
}

/// The same fields in the order of [`FIELDS`].
const KNOWN: [Known; 21] = [
    Known::Mac,
    Known::Uuid,
    Known::Arch,
    Known::Manufacturer,
    Known::Product,
    Known::Serial,
    Known::Asset,
    Known::Memory,
    Known::Address,
    Known::Subnet,
    Known::Relay,
    Known::Circuit,
    Known::Remote,
    Known::Interface,
    Known::Persona,
    Known::Assigned,
    Known::Armed,
    Known::Installed,
    Known::Outcome,
    Known::Seen,
    Known::FirstSeen,
];

/// What a field says of one device.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Size(Bytes),
    Age(Millis),
    Net(Ipv4Net),
}

/// How a field's values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As text, and as patterns.
    Text,
    /// As text, patterns, and numbers: attributes.
    Free,
    Size,
    Age,
    Net,
}

impl Field {
    /// The field of that name; an attribute, when it is none of [`FIELDS`].
    pub(super) fn named(name: &str) -> Result<Self, attribute::BadAttributeName> {
        if let Some(plain) = name.strip_prefix(PREFIX) {
            return plain.parse().map(Self::Attribute);
        }
        match FIELDS.iter().position(|(known, _)| *known == name) {
            Some(at) => Ok(Self::Known(KNOWN[at])),
            None => name.parse().map(Self::Attribute),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Attribute(_) => Kind::Free,
            Self::Known(Known::Memory) => Kind::Size,
            Self::Known(Known::Seen | Known::FirstSeen) => Kind::Age,
            Self::Known(Known::Address | Known::Subnet | Known::Relay) => Kind::Net,
            Self::Known(_) => Kind::Text,
        }
    }

    /// What it says of a device at `now`: of some fields several values, of one that is not there none.
    pub(super) fn values<'a>(&self, world: &'a World, device: &'a Device, now: Moment) -> Vec<Value<'a>> {
        match self {
            Self::Attribute(name) => {
                world.attribute(device, name.as_str()).map(|value| text(value.as_str())).into_iter().collect()
            }
            Self::Known(known) => known.values(world, device, now),
        }
    }
}

impl Known {
    fn values<'a>(self, world: &'a World, device: &'a Device, now: Moment) -> Vec<Value<'a>> {
        let Hardware { manufacturer, product, serial, asset, memory_mib, .. } = &device.hardware;
        let one = match self {
            Self::Mac => return device.macs.iter().map(|mac| owned(mac)).collect(),
            Self::Address => {
                let leases = device.macs.iter().flat_map(|mac| world.leases.of(*mac));
                return leases.filter(|lease| lease.holds(now)).map(|lease| Value::Net(lease.ip.into())).collect();
            }
            Self::Uuid => device.uuid.as_ref().map(|uuid| owned(uuid)),
            Self::Arch => device.arch.map(|arch| text(arch.name())),
            Self::Manufacturer => manufacturer.as_deref().map(text),
            Self::Product => product.as_deref().map(text),
            Self::Serial => serial.as_deref().map(text),
            Self::Asset => asset.as_deref().map(text),
            Self::Memory => memory_mib.map(|mib| Value::Size(Bytes(mib.saturating_mul(1 << 20)))),
            Self::Subnet => device.link.subnet.map(Value::Net),
            Self::Relay => device.link.relay.map(|relay: Ipv4Addr| Value::Net(relay.into())),
            Self::Circuit => device.link.circuit.as_deref().map(text),
            Self::Remote => device.link.remote.as_deref().map(text),
            Self::Interface => device.link.interface.as_deref().map(text),
            Self::Persona => persona(world, device, now).map(|persona| text(persona.as_str())),
            Self::Assigned => {
                let assigned = device.assigned.as_ref().filter(|a| a.expires.is_none_or(|expires| now < expires));
                assigned.map(|assigned| text(assigned.persona.as_str()))
            }
            Self::Armed => device.armed.as_ref().map(|armed| owned(armed)),
            Self::Installed => device.installed.as_ref().map(|installed| text(installed.persona.name.as_str())),
            Self::Outcome => {
                let latest = device.boot.and_then(|boot| world.boots.get(&boot)).and_then(|boot| boot.outcome);
                latest.map(|outcome| Value::Text(outcome.name().replace(' ', "-").into()))
            }
            Self::Seen => device.seen.map(|seen| Value::Age(now.since(seen.last))),
            Self::FirstSeen => device.seen.map(|seen| Value::Age(now.since(seen.first))),
        };
        one.into_iter().collect()
    }
}

/// What a device is or shall be, as far as facts tell; what rules and predictions would make of it, `explain` tells.
fn persona<'a>(world: &'a World, device: &'a Device, now: Moment) -> Option<&'a PersonaName> {
    let assigned = device.assigned.as_ref().filter(|assigned| assigned.holds(now)).map(|assigned| &assigned.persona);
    let installed = || device.installed.as_ref().map(|installed| &installed.persona.name);
    let latest = || match world.boots.get(&device.boot?)?.decision.as_ref()? {
        Decision::Become { persona, .. } => Some(&persona.name),
        Decision::LocalDisk { .. } | Decision::Refuse { .. } => None,
    };
    let last = || device.visits.last().map(|visit| &visit.persona);
    assigned.or_else(installed).or_else(latest).or_else(last)
}

fn text(value: &str) -> Value<'_> {
    Value::Text(value.into())
}

fn owned(value: &impl ToString) -> Value<'static> {
    Value::Text(value.to_string().into())
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(known) => {
                let name = KNOWN.iter().zip(FIELDS).find(|(of, _)| *of == known).map(|(_, (name, _))| *name);
                f.write_str(name.expect("every field is in both lists"))
            }
            Self::Attribute(name) => {
                let plain = !FIELDS.iter().any(|(known, _)| *known == name.as_str())
                    && !super::parse::WORDS.contains(&name.as_str());
                write!(f, "{}{name}", if plain { "" } else { PREFIX })
            }
        }
    }
}
