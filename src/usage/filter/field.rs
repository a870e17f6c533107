//! What a filter can ask of a device.

use std::{borrow::Cow, collections::HashMap, fmt, net::Ipv4Addr, str};

use ipnet::Ipv4Net;

use crate::{
    model::{
        Bytes, Decision, Device, MacAddr, Millis, Moment, PersonaName, SmbiosUuid,
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
    ("text", "any of its names, numbers, host names and attributes: text~*hall*"),
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
    Text,
}

/// The same fields in the order of [`FIELDS`].
const KNOWN: [Known; 22] = [
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
    Known::Text,
];

/// What a field says of one device.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Size(Bytes),
    Age(Millis),
    Net(Ipv4Net),
}

/// What a filter is held against.
pub(super) struct Scene<'a> {
    pub(super) world: &'a World,
    pub(super) now: Moment,
    /// The host names that matter, by port, when they were collected beforehand: looking up each device's leases takes longer
    /// than all else that a search does.
    pub(super) hosts: Option<HashMap<MacAddr, Vec<&'a str>>>,
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

    /// Whether one of the values that it has of a device is what `wanted` wants: of some fields there are several, of one that
    /// is not there none.
    pub(super) fn any(&self, scene: &Scene<'_>, device: &Device, wanted: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        match self {
            Self::Attribute(name) => {
                let value = scene.world.attribute(device, name.as_str());
                value.is_some_and(|value| wanted(text(value.as_str())))
            }
            Self::Known(Known::Text) => any_text(scene, device, wanted),
            Self::Known(known) => known.any(scene, device, wanted),
        }
    }
}

impl Known {
    fn any(self, scene: &Scene<'_>, device: &Device, wanted: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        let Scene { world, now, .. } = *scene;
        let Hardware { manufacturer, product, serial, asset, memory_mib, .. } = &device.hardware;
        let one = match self {
            Self::Mac => return device.macs.iter().any(|mac| wanted(text(port(*mac, &mut [0; 36])))),
            Self::Text => return any_text(scene, device, wanted),
            Self::Address => {
                let leases = device.macs.iter().flat_map(|mac| world.leases.of(*mac));
                return leases.filter(|lease| lease.holds(now)).any(|lease| wanted(Value::Net(lease.ip.into())));
            }
            Self::Uuid => return device.uuid.is_some_and(|uuid| wanted(text(identity(uuid, &mut [0; 36])))),
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
            Self::Persona => persona(world, device, now).map(|(persona, _)| text(persona.as_str())),
            Self::Assigned => {
                let assigned = device.assigned.as_ref().filter(|a| a.expires.is_none_or(|expires| now < expires));
                assigned.map(|assigned| text(assigned.persona.as_str()))
            }
            Self::Armed => device.armed.as_ref().map(|armed| Value::Text(armed.to_string().into())),
            Self::Installed => device.installed.as_ref().map(|installed| text(installed.persona.name.as_str())),
            Self::Outcome => {
                let latest = device.boot.and_then(|boot| world.boots.get(&boot)).and_then(|boot| boot.outcome);
                latest.map(|outcome| Value::Text(outcome.name().replace(' ', "-").into()))
            }
            Self::Seen => device.seen.map(|seen| Value::Age(now.since(seen.last))),
            Self::FirstSeen => device.seen.map(|seen| Value::Age(now.since(seen.first))),
        };
        one.is_some_and(wanted)
    }
}

/// Whatever a person would call a device by. What is looked up elsewhere comes last.
fn any_text(scene: &Scene<'_>, device: &Device, wanted: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
    let Hardware { manufacturer, product, serial, asset, .. } = &device.hardware;
    let mut space = [0; 36];
    device.macs.iter().any(|mac| wanted(text(port(*mac, &mut space))))
        || [serial, asset, product, manufacturer].into_iter().flatten().any(|value| wanted(text(value)))
        || device.attributes.values().any(|value| wanted(text(value.as_str())))
        || device.assigned.as_ref().is_some_and(|assigned| wanted(text(assigned.persona.as_str())))
        || device.installed.as_ref().is_some_and(|installed| wanted(text(installed.persona.name.as_str())))
        || device.uuid.is_some_and(|uuid| wanted(text(identity(uuid, &mut space))))
        || scene.world.user_of(device).is_some_and(|user| user.attributes.values().any(|v| wanted(text(v.as_str()))))
        || host_names(scene, device, wanted)
}

/// The names that the device gave itself when it asked for addresses.
fn host_names(scene: &Scene<'_>, device: &Device, wanted: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
    match &scene.hosts {
        Some(hosts) if hosts.is_empty() => false,
        Some(hosts) => device.macs.iter().filter_map(|mac| hosts.get(mac)).flatten().any(|host| wanted(text(host))),
        None => {
            let leases = device.macs.iter().flat_map(|mac| scene.world.leases.of(*mac));
            leases.filter_map(|lease| lease.hostname.as_deref()).any(|host| wanted(text(host)))
        }
    }
}

/// A port as it is shown.
fn port(mac: MacAddr, space: &mut [u8; 36]) -> &str {
    digits(&mac.octets(), b':', &[1, 2, 3, 4, 5], space)
}

/// An identity as it is shown.
fn identity(uuid: SmbiosUuid, space: &mut [u8; 36]) -> &str {
    digits(&uuid.octets(), b'-', &[4, 6, 8, 10], space)
}

/// Hexadecimal digits, with a separator before the bytes at `gaps`: a search writes a hundred thousand of them, which is no
/// work for `format!`.
fn digits<'s>(bytes: &[u8], separator: u8, gaps: &[usize], space: &'s mut [u8; 36]) -> &'s str {
    let gapped = bytes.iter().enumerate().flat_map(|(n, byte)| {
        let gap = gaps.contains(&n).then_some(separator);
        gap.into_iter().chain([byte >> 4, byte & 15].map(|nibble| b"0123456789abcdef"[usize::from(nibble)]))
    });
    let mut length = 0;
    for (place, byte) in space.iter_mut().zip(gapped) {
        *place = byte;
        length += 1;
    }
    str::from_utf8(&space[..length]).unwrap_or_default()
}

/// What a device's persona stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was assigned, and holds now.
    Assigned,
    /// It is on the disk.
    Installed,
    /// It is what the device became last.
    Became,
}

impl Standing {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Installed => "installed",
            Self::Became => "became",
        }
    }
}

/// What a device is or shall be, as far as facts tell; what rules and predictions would make of it, `explain` tells.
pub fn persona<'a>(world: &'a World, device: &'a Device, now: Moment) -> Option<(&'a PersonaName, Standing)> {
    let assigned = device.assigned.as_ref().filter(|assigned| assigned.holds(now));
    if let Some(assigned) = assigned {
        return Some((&assigned.persona, Standing::Assigned));
    }
    if let Some(installed) = &device.installed {
        return Some((&installed.persona.name, Standing::Installed));
    }
    let latest = || match world.boots.get(&device.boot?)?.decision.as_ref()? {
        Decision::Become { persona, .. } => Some(&persona.name),
        Decision::LocalDisk { .. } | Decision::Refuse { .. } => None,
    };
    let last = || device.visits.last().map(|visit| &visit.persona);
    latest().or_else(last).map(|persona| (persona, Standing::Became))
}

fn text(value: &str) -> Value<'_> {
    Value::Text(value.into())
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
