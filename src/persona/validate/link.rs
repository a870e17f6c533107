//! Ports, VLANs, bonds and bridges: their names, and who is part of whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    document::Check,
    persona::{
        Persona,
        known::{did_you_mean, nearest},
        schema::{Ip, Network},
    },
};

use super::{brief, once};

/// Anything that can have addresses.
pub(super) struct Link<'a> {
    /// Where it stands.
    pub(super) path: String,
    /// Its name, when it has one.
    pub(super) name: Option<&'a str>,
    /// Its addresses; `None` when nothing is said of them.
    pub(super) ip: Option<&'a Ip>,
    /// What it is made of, with where that is said.
    parts: Vec<(String, &'a str)>,
}

/// Every link of a network, in the order of the document.
pub(super) fn links(network: &Network) -> Vec<Link<'_>> {
    let interfaces = network.interfaces.iter().enumerate().map(|(at, interface)| Link {
        path: format!("network.interfaces.{at}"),
        name: interface.name.as_deref(),
        ip: interface.ip.as_ref(),
        parts: vec![],
    });
    let vlans = network.vlans.iter().enumerate().map(|(at, vlan)| Link {
        path: format!("network.vlans.{at}"),
        name: Some(&vlan.name),
        ip: Some(&vlan.ip),
        parts: vec![(format!("network.vlans.{at}.link"), &vlan.link)],
    });
    let members = |path: &str, members: &'_ [String]| -> Vec<String> {
        (0..members.len()).map(|member| format!("{path}.members.{member}")).collect()
    };
    let bonds = network.bonds.iter().enumerate().map(move |(at, bond)| {
        let path = format!("network.bonds.{at}");
        let parts = members(&path, &bond.members).into_iter().zip(bond.members.iter().map(String::as_str)).collect();
        Link { path, name: Some(&bond.name), ip: Some(&bond.ip), parts }
    });
    let bridges = network.bridges.iter().enumerate().map(move |(at, bridge)| {
        let path = format!("network.bridges.{at}");
        let parts =
            members(&path, &bridge.members).into_iter().zip(bridge.members.iter().map(String::as_str)).collect();
        Link { path, name: Some(&bridge.name), ip: Some(&bridge.ip), parts }
    });
    interfaces.chain(vlans).chain(bonds).chain(bridges).collect()
}

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    let network = &persona.network;
    let links = links(network);
    for (at, interface) in network.interfaces.iter().enumerate() {
        let matched = interface.mac.is_some() || interface.name.is_some();
        let path = format!("network.interfaces.{at}");
        check.require(matched, "GR041", &path, "which interface is meant?", "give its `mac` or its `name`");
    }
    for (at, vlan) in network.vlans.iter().enumerate() {
        let message = format!("there is no VLAN {}", vlan.id);
        let help = "VLANs are numbered from 1 to 4094";
        check.require((1..=4094).contains(&vlan.id), "GR044", &format!("network.vlans.{at}.id"), message, help);
        let twin = network.vlans[..at].iter().any(|other| other.id == vlan.id && other.link == vlan.link);
        let message = format!("`{}` carries VLAN {} already", brief(&vlan.link), vlan.id);
        check.require(!twin, "GR210", &format!("network.vlans.{at}.id"), message, "remove one");
    }
    for (at, bond) in network.bonds.iter().enumerate() {
        let message = format!("the bond `{}` has no members", brief(&bond.name));
        let help = "name the ports that it is made of";
        check.require(!bond.members.is_empty(), "GR211", &format!("network.bonds.{at}.members"), message, help);
    }
    names(check, network, &links);
    parts(check, network, &links);
}

fn names(check: &mut Check<'_>, network: &Network, links: &[Link<'_>]) {
    let named = || links.iter().filter_map(|link| Some((format!("{}.name", link.path), link.name?)));
    for (path, name) in named() {
        let plain = (1..=15).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            && !name.starts_with(['.', '-'])
            && name != "lo";
        let message = format!("`{}` cannot name an interface", brief(name));
        let help = "at most 15 letters, digits, `.`, `_` and `-`";
        check.require(plain, "GR043", &path, message, help);
    }
    once(check, named());
    let macs = network.interfaces.iter().enumerate();
    once(check, macs.filter_map(|(at, port)| Some((format!("network.interfaces.{at}.mac"), port.mac?.to_string()))));
}

fn parts(check: &mut Check<'_>, network: &Network, links: &[Link<'_>]) {
    let known: BTreeMap<&str, usize> =
        links.iter().enumerate().filter_map(|(at, link)| Some((link.name?, at))).collect();
    let mut owner: BTreeMap<&str, &str> = BTreeMap::new();
    for link in links {
        let is_vlan = link.path.starts_with("network.vlans");
        for (path, part) in &link.parts {
            let names = known.keys().copied().filter(|name| Some(*name) != link.name);
            let help = did_you_mean(nearest(part, names), "list it under `network.interfaces` by this `name`");
            let message = format!("there is no interface called `{}`", brief(part));
            check.require(known.contains_key(part), "GR045", path, message, &help);
            if is_vlan {
                continue;
            }
            let other = owner.insert(part, link.name.unwrap_or_default());
            let message = format!("`{}` is part of `{}` already", brief(part), brief(other.unwrap_or_default()));
            check.require(other.is_none(), "GR047", path, message, "a port belongs to one bond or bridge");
        }
    }
    for (at, link) in links.iter().enumerate() {
        // Told once for each ring: at the link of it that comes first.
        let ring = ring_from(at, links, &known);
        let first = ring.as_ref().is_none_or(|ring| ring.iter().min() != Some(&at));
        let through: Vec<&str> = ring.iter().flatten().filter_map(|at| links[*at].name).take(8).collect();
        let message = format!("this is a part of itself: {}", brief(&through.join(" > ")));
        check.require(first, "GR046", &link.path, message, "take one out of the other");
        let own =
            link.name.is_some_and(|name| network.is_member(name)) && link.ip.is_some_and(|ip| *ip != Ip::default());
        let message =
            format!("`{}` is part of a bond or bridge and has addresses of its own", brief(link.name.unwrap_or("")));
        check.require(!own, "GR208", &format!("{}.ip", link.path), message, "give them to the bond or bridge");
    }
}

/// The links by which one is part of itself. Each is visited once.
fn ring_from(start: usize, links: &[Link<'_>], known: &BTreeMap<&str, usize>) -> Option<Vec<usize>> {
    let next = |at: usize| links[at].parts.iter().filter_map(|(_, part)| known.get(part).copied());
    let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<usize> = vec![start];
    while let Some(at) = open.pop() {
        for part in next(at) {
            if part == start {
                let mut ring = vec![at];
                while let Some(before) = came_from.get(ring.last()?).filter(|_| ring.last() != Some(&start)) {
                    ring.push(*before);
                }
                ring.reverse();
                return Some(ring);
            }
            if seen.insert(part) {
                came_from.insert(part, at);
                open.push(part);
            }
        }
    }
    None
}
