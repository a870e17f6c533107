//! The network, as systemd-networkd reads it: `.link`, `.netdev` and `.network` files.
//!
//! The same as Netplan makes of our `network-config`, so that a field means one thing everywhere.

use std::fmt::Write as _;

use ipnet::IpNet;
use serde_json::Value;

use crate::persona::{
    Persona,
    schema::{Interface, Ip, Network},
};

use super::{super::Subject, root_file};

const FOLDER: &str = "/etc/systemd/network";

/// The files. Without interfaces of its own, a persona's device asks DHCP on the port that it was booted from.
pub(super) fn files(persona: &Persona, subject: &Subject<'_>) -> Vec<Value> {
    let network = &persona.network;
    let mut files = vec![];
    let mut add = |name: String, text: String| files.push(root_file(&format!("{FOLDER}/{name}"), &text, 0o644));
    if network.interfaces.is_empty() {
        let matched = format!("PermanentMACAddress={}\n", subject.mac);
        add("10-boot.network".into(), link(network, "boot", &matched, None));
    }
    for (at, interface) in network.interfaces.iter().enumerate() {
        let id = id(at, interface);
        if let (Some(mac), Some(name)) = (&interface.mac, &interface.name) {
            let rename = format!("[Match]\nPermanentMACAddress={mac}\n\n[Link]\nName={name}\n");
            add(format!("10-{id}.link"), rename);
        }
        // VLANs and bonds inherit the address of their port, but not the permanent one.
        let matched = match (&interface.mac, &interface.name) {
            (Some(mac), _) => format!("PermanentMACAddress={mac}\n"),
            (None, name) => format!("Name={}\n", name.as_deref().unwrap_or_default()),
        };
        add(format!("10-{id}.network"), link(network, &id, &matched, interface.ip.as_ref()));
    }
    for name in undeclared(network) {
        add(format!("10-{name}.network"), link(network, name, &format!("Name={name}\n"), None));
    }
    for bond in &network.bonds {
        let mode = bond.mode.name();
        let device = format!("[NetDev]\nName={}\nKind=bond\n\n[Bond]\nMode={mode}\nMIIMonitorSec=100ms\n", bond.name);
        add(format!("20-{}.netdev", bond.name), device);
        add(format!("20-{}.network", bond.name), virtual_link(network, &bond.name, &bond.ip));
    }
    for bridge in &network.bridges {
        let stp = if bridge.stp { "yes" } else { "no" };
        let device = format!("[NetDev]\nName={}\nKind=bridge\n\n[Bridge]\nSTP={stp}\n", bridge.name);
        add(format!("30-{}.netdev", bridge.name), device);
        add(format!("30-{}.network", bridge.name), virtual_link(network, &bridge.name, &bridge.ip));
    }
    for vlan in &network.vlans {
        let device = format!("[NetDev]\nName={}\nKind=vlan\n\n[VLAN]\nId={}\n", vlan.name, vlan.id);
        add(format!("40-{}.netdev", vlan.name), device);
        add(format!("40-{}.network", vlan.name), virtual_link(network, &vlan.name, &vlan.ip));
    }
    files
}

/// What other links call a port by.
fn id(at: usize, interface: &Interface) -> String {
    interface.name.clone().unwrap_or_else(|| format!("port{at}"))
}

/// Links that are part of others, or carry them, without an entry of their own.
fn undeclared(network: &Network) -> Vec<&str> {
    let members = network.bonds.iter().flat_map(|bond| &bond.members);
    let joined = members.chain(network.bridges.iter().flat_map(|bridge| &bridge.members));
    let named = joined.chain(network.vlans.iter().map(|vlan| &vlan.link)).map(String::as_str);
    let ports: Vec<String> = network.interfaces.iter().enumerate().map(|(at, port)| id(at, port)).collect();
    let known = |name: &str| {
        ports.iter().any(|port| port == name)
            || network.bonds.iter().any(|bond| bond.name == name)
            || network.bridges.iter().any(|bridge| bridge.name == name)
            || network.vlans.iter().any(|vlan| vlan.name == name)
    };
    let mut names: Vec<&str> = named.filter(|name| !known(name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn virtual_link(network: &Network, name: &str, ip: &Ip) -> String {
    link(network, name, &format!("Name={name}\n"), Some(ip))
}

/// A `.network` file: what it is, its addresses, and what it is part of or carries.
fn link(network: &Network, id: &str, matched: &str, ip: Option<&Ip>) -> String {
    let member = network.is_member(id);
    let default = Ip { dhcp: Some(!member), ..Ip::default() };
    let ip = ip.filter(|_| !member).unwrap_or(&default);
    let mut text = format!("[Match]\n{matched}\n");
    if let Some(mtu) = ip.mtu {
        let _ = write!(text, "[Link]\nMTUBytes={mtu}\n\n");
    }
    let _ = writeln!(text, "[Network]\nDHCP={}", if ip.asks_dhcp() { "ipv4" } else { "no" });
    text.push_str(match network.ipv6 {
        Some(false) => "LinkLocalAddressing=no\nIPv6AcceptRA=no\n",
        _ => "LinkLocalAddressing=ipv6\n",
    });
    text.extend(ip.addresses.iter().map(|net: &IpNet| format!("Address={net}\n")));
    if !ip.addresses.is_empty() {
        text.extend(ip.gateway.map(|gateway| format!("Gateway={gateway}\n")));
        text.extend(ip.gateway6.map(|gateway| format!("Gateway={gateway}\n")));
        text.extend(network.dns.iter().map(|server| format!("DNS={server}\n")));
        if !network.search.is_empty() {
            let _ = writeln!(text, "Domains={}", network.search.join(" "));
        }
    }
    let bonds = network.bonds.iter().filter(|bond| bond.members.iter().any(|member| member == id));
    text.extend(bonds.map(|bond| format!("Bond={}\n", bond.name)));
    let bridges = network.bridges.iter().filter(|bridge| bridge.members.iter().any(|member| member == id));
    text.extend(bridges.map(|bridge| format!("Bridge={}\n", bridge.name)));
    let vlans = network.vlans.iter().filter(|vlan| vlan.link == id);
    text.extend(vlans.map(|vlan| format!("VLAN={}\n", vlan.name)));
    text
}
