//! Netplan's version 2: cloud-init's `network-config`, and subiquity's `network`.

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use crate::persona::{
    Persona,
    schema::{Distribution, Interface, Ip},
};

use super::Subject;

/// The network. Without interfaces of its own, a persona's device asks DHCP on the port that it was booted from.
pub(super) fn netplan(persona: &Persona, subject: &Subject<'_>) -> Value {
    let network = &persona.network;
    let mut ethernets = Map::new();
    if network.interfaces.is_empty() {
        ethernets.insert("boot".into(), with_addresses(boot(subject), persona, "", None));
    }
    for (at, interface) in network.interfaces.iter().enumerate() {
        ethernets.insert(id(at, interface), port(persona, interface));
    }
    let mut config = Map::from_iter([("version".to_owned(), json!(2)), ("ethernets".to_owned(), json!(ethernets))]);
    let mut set = |key: &str, links: Map<String, Value>| {
        if !links.is_empty() {
            config.insert(key.to_owned(), Value::Object(links));
        }
    };
    let bonds = network.bonds.iter().map(|bond| {
        let parameters = json!({ "mode": bond.mode.name(), "mii-monitor-interval": 100 });
        let own = json!({ "interfaces": bond.members, "parameters": parameters });
        (bond.name.clone(), with_addresses(own, persona, &bond.name, Some(&bond.ip)))
    });
    set("bonds", bonds.collect());
    let bridges = network.bridges.iter().map(|bridge| {
        let own = json!({ "interfaces": bridge.members, "parameters": { "stp": bridge.stp } });
        (bridge.name.clone(), with_addresses(own, persona, &bridge.name, Some(&bridge.ip)))
    });
    set("bridges", bridges.collect());
    let vlans = network.vlans.iter().map(|vlan| {
        let own = json!({ "id": vlan.id, "link": vlan.link });
        (vlan.name.clone(), with_addresses(own, persona, &vlan.name, Some(&vlan.ip)))
    });
    set("vlans", vlans.collect());
    Value::Object(config)
}

/// The network of an installer: the port that the device was booted from, and DHCP.
pub(super) fn boot_port(subject: &Subject<'_>) -> Value {
    let mut port = boot(subject);
    port["dhcp4"] = json!(true);
    json!({ "version": 2, "ethernets": { "boot": port } })
}

fn boot(subject: &Subject<'_>) -> Value {
    json!({ "match": { "macaddress": subject.mac.to_string() } })
}

/// What other links call a port by.
fn id(at: usize, interface: &Interface) -> String {
    interface.name.clone().unwrap_or_else(|| format!("port{at}"))
}

fn port(persona: &Persona, interface: &Interface) -> Value {
    let own = match (&interface.mac, &interface.name) {
        (Some(mac), None) => json!({ "match": { "macaddress": mac.to_string() } }),
        (Some(mac), Some(name)) => json!({ "match": { "macaddress": mac.to_string() }, "set-name": name }),
        // The identifier is the name.
        (None, _) => json!({}),
    };
    with_addresses(own, persona, interface.name.as_deref().unwrap_or_default(), interface.ip.as_ref())
}

fn with_addresses(mut link: Value, persona: &Persona, name: &str, ip: Option<&Ip>) -> Value {
    let network = &persona.network;
    let default = Ip { dhcp: Some(!network.is_member(name)), ..Ip::default() };
    let ip = ip.filter(|_| !network.is_member(name)).unwrap_or(&default);
    let mut set = |key: &str, value: Value| drop(link.as_object_mut().map(|map| map.insert(key.into(), value)));
    set("dhcp4", json!(ip.asks_dhcp()));
    if network.ipv6 == Some(false) {
        set("accept-ra", json!(false));
        set("link-local", json!([]));
    }
    if let Some(mtu) = ip.mtu {
        set("mtu", json!(mtu));
    }
    if ip.addresses.is_empty() {
        return link;
    }
    set("addresses", json!(ip.addresses.iter().map(IpNet::to_string).collect::<Vec<_>>()));
    // cloud-init 22.4 makes `route add` of netplan's routes, a command that Debian has no more, and `::/64` of `::/0`; what
    // it makes of the older words is right for ifupdown, ifcfg files and NetworkManager alike. Only netplan itself warns of
    // them.
    match persona.os.distribution() {
        Distribution::Ubuntu => {
            let v4 = ip.gateway.map(|gateway| json!({ "to": "0.0.0.0/0", "via": gateway }));
            let v6 = ip.gateway6.map(|gateway| json!({ "to": "::/0", "via": gateway }));
            let routes: Vec<Value> = v4.into_iter().chain(v6).collect();
            if !routes.is_empty() {
                set("routes", json!(routes));
            }
        }
        _ => {
            ip.gateway.into_iter().for_each(|gateway| set("gateway4", json!(gateway)));
            ip.gateway6.into_iter().for_each(|gateway| set("gateway6", json!(gateway)));
        }
    }
    if !network.dns.is_empty() || !network.search.is_empty() {
        set("nameservers", json!({ "addresses": network.dns, "search": network.search }));
    }
    link
}
