//! The interfaces of a system: which of them boot, what is reserved for them, and what only a persona of its own can say.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use serde_json::{Map, Value};

use crate::{
    model::MacAddr,
    persona::schema::{Bond, BondMode, Interface, Ip, Network, Vlan},
};

use super::{
    super::{LeftBehind, folder::Object, name::host_name},
    item::is_true,
};

/// A reservation that an interface asks for.
#[derive(Debug)]
pub(super) struct Reserved {
    pub(super) place: String,
    pub(super) mac: MacAddr,
    pub(super) ip: Ipv4Addr,
    pub(super) net: Option<Ipv4Net>,
    pub(super) gateway: Option<Ipv4Addr>,
    pub(super) hostname: Option<String>,
}

/// What a system's interfaces say.
#[derive(Debug, Default)]
pub(super) struct Ports {
    pub(super) macs: Vec<MacAddr>,
    pub(super) reserved: Vec<Reserved>,
    /// Bonds and VLANs, when there are any.
    pub(super) network: Option<Network>,
}

/// One interface as Cobbler has it.
struct Port<'a> {
    name: &'a str,
    map: &'a Map<String, Value>,
}

impl Port<'_> {
    fn text(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.map.get(*name)?.as_str().filter(|text| !text.is_empty()))
    }

    fn kind(&self) -> &str {
        // 2.0 said `bonding: master`, later versions `interface_type: bond`.
        match self.text(&["interface_type", "bonding"]).unwrap_or("na") {
            "master" => "bond",
            "slave" => "bond_slave",
            kind => kind,
        }
    }

    fn mac(&self) -> Option<MacAddr> {
        self.text(&["mac_address"]).and_then(|text| text.parse().ok())
    }

    /// Its address and netmask.
    fn address(&self) -> Option<(Ipv4Addr, Option<Ipv4Net>)> {
        let ip = self.text(&["ip_address"])?.parse::<Ipv4Addr>().ok()?;
        let mask = self.text(&["netmask", "subnet"]).and_then(|mask| mask.parse::<Ipv4Addr>().ok());
        let net = mask.and_then(|mask| Ipv4Net::with_netmask(ip, mask).ok());
        Some((ip, net.filter(|net| (1..=30).contains(&net.prefix_len()))))
    }

    /// Its address as a persona has it, with the gateway when it is one of that subnet.
    fn ip(&self, gateway: Option<Ipv4Addr>) -> Ip {
        let Some((_, Some(net))) = self.address() else { return Ip::default() };
        let gateway = gateway.filter(|gateway| net.contains(gateway) && *gateway != net.addr());
        let mtu = self.text(&["mtu"]).and_then(|mtu| mtu.parse().ok());
        Ip { addresses: vec![IpNet::V4(net)], gateway, mtu, ..Ip::default() }
    }
}

/// Reads the interfaces of a system.
pub(super) fn read(system: &Object<'_>, gateway: Option<Ipv4Addr>, left: &mut Vec<LeftBehind>) -> Ports {
    let all = system.map.get("interfaces").and_then(Value::as_object);
    let all: Vec<Port<'_>> =
        all.into_iter().flatten().filter_map(|(name, value)| Some(Port { name, map: value.as_object()? })).collect();
    let mut ports = Ports::default();
    let mut network = Network::default();
    for port in &all {
        let what = format!("interface {} of system {}", port.name, super::name(system));
        let place = system.place(port.name);
        let mut lost = |why: &str, help: &str| left.push(LeftBehind::lost(&place, &what, why, help));
        unsaid(port, &mut lost);
        match port.kind() {
            "bmc" => lost("Greenroom does not manage controllers", "reserve its address where DHCP for them is served"),
            "bridge" | "bridge_slave" | "bonded_bridge_slave" | "infiniband" => {
                lost("bridges and InfiniBand do not come over", "write `network.bridges` in the persona");
                ports.macs.extend(port.mac());
            }
            "bond" => network.bonds.push(bond(port, &all, gateway, &mut lost)),
            kind => {
                if let Some((link, id)) = vlan(port.name) {
                    let ip = port.ip(gateway);
                    network.vlans.push(Vlan { name: port.name.to_owned(), id, link: link.to_owned(), ip });
                    continue;
                }
                let Some(mac) = port.mac() else {
                    lost("it has no MAC address of a device", "devices are known by their ports");
                    continue;
                };
                ports.macs.push(mac);
                let named = Interface { mac: Some(mac), name: Some(port.name.to_owned()), ip: None };
                if kind == "bond_slave" {
                    network.interfaces.push(named);
                    continue;
                }
                if let Some((ip, net)) = port.address() {
                    let hostname = port.text(&["dns_name"]).or(system.text("hostname")).and_then(host_name);
                    ports.reserved.push(Reserved { place: place.clone(), mac, ip, net, gateway, hostname });
                    if is_true(port.map.get("static")) == Some(true) {
                        let why = "the address comes by DHCP, as a reservation, and not as a setting of the system";
                        left.push(LeftBehind::look(&place, &format!("{what} is static"), why, ""));
                    }
                }
                let carries = all.iter().filter_map(|other| vlan(other.name)).any(|(link, _)| link == port.name);
                if carries {
                    network.interfaces.push(named);
                }
            }
        }
    }
    if !network.bonds.is_empty() || !network.vlans.is_empty() {
        match goes_together(&network) {
            true => ports.network = Some(network),
            false => {
                let what = format!("the bonds and VLANs of system {}", super::name(system));
                let why = "their ports do not go together: a name is no interface's, or a part is missing";
                let help = "write them under `network` in the persona";
                left.push(LeftBehind::lost(&system.place("interfaces"), &what, why, help));
            }
        }
    }
    ports
}

/// Tells of what an interface says and neither a reservation nor a persona of its own takes over.
fn unsaid(port: &Port<'_>, lost: &mut dyn FnMut(&str, &str)) {
    const SETTINGS: [&str; 7] =
        ["if_gateway", "static_routes", "ipv6_address", "ipv6_default_gateway", "ipv6_mtu", "bridge_opts", "cnames"];
    if let Some(address) = port.text(&["ip_address"]).filter(|ip| ip.parse::<Ipv4Addr>().is_err()) {
        let why = format!("its address {address} is none of IPv4");
        lost(&why, "reserve another, or write it under `network.interfaces` in the persona");
    }
    for setting in SETTINGS {
        let said = match port.map.get(setting) {
            Some(Value::String(text)) => !text.is_empty() && text != "<<inherit>>",
            Some(Value::Array(items)) => !items.is_empty(),
            _ => false,
        };
        if said {
            lost(
                &format!("its {setting} does not come over"),
                "say it under `network` in the persona, if a field does",
            );
        }
    }
    // Only what has an address of its own in the persona can say how long its packets are.
    let addressed =
        (port.kind() == "bond" || vlan(port.name).is_some()) && matches!(port.address(), Some((_, Some(_))));
    if let Some(mtu) = port.text(&["mtu"]).filter(|mtu| !addressed || mtu.parse::<u16>().is_err()) {
        lost(&format!("its MTU {mtu} does not come over"), "write `mtu` under its `ip` in the persona");
    }
}

/// Whether every part has a name that interfaces have, and hangs on one that is there.
fn goes_together(network: &Network) -> bool {
    let fits = |name: &str| {
        (1..=15).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    let bonds = network.bonds.iter().all(|bond| fits(&bond.name) && !bond.members.is_empty());
    let named = network.interfaces.iter().filter_map(|port| port.name.as_deref()).all(fits);
    let linked = network.vlans.iter().all(|vlan| {
        fits(&vlan.name)
            && (network.bonds.iter().any(|bond| bond.name == vlan.link)
                || network.interfaces.iter().any(|port| port.name.as_ref() == Some(&vlan.link)))
    });
    bonds && named && linked
}

fn bond(port: &Port<'_>, all: &[Port<'_>], gateway: Option<Ipv4Addr>, lost: &mut dyn FnMut(&str, &str)) -> Bond {
    let of_it = |other: &&Port<'_>| {
        other.kind() == "bond_slave" && other.text(&["interface_master", "bonding_master"]) == Some(port.name)
    };
    let members = all.iter().filter(of_it).map(|other| other.name.to_owned()).collect();
    let options = port.text(&["bonding_opts"]).unwrap_or_default();
    let mut mode = None;
    for option in options.split([' ', ',']).filter(|option| !option.is_empty()) {
        match option.strip_prefix("mode=") {
            Some(text) => match bond_mode(text) {
                Some(known) => mode = Some(known),
                None => lost(
                    &format!("its mode `{text}` is none that a persona has: it became active-backup"),
                    "choose one of those under `network.bonds`: both ends of the cables must agree",
                ),
            },
            // Which every persona's bond has.
            None if option == "miimon=100" => {}
            None => lost(
                &format!("its option {option}: a persona says of a bond its mode and its ports"),
                "leave it to the system, or write it with `apps.files`",
            ),
        }
    }
    if !options.contains("mode=") {
        lost(
            "it names no mode, and became active-backup, which needs nothing of the switch",
            "write its mode under `network.bonds`",
        );
    }
    let mode = mode.unwrap_or(BondMode::ActiveBackup);
    Bond { name: port.name.to_owned(), members, mode, ip: port.ip(gateway) }
}

/// Modes as the kernel's bonding driver calls and numbers them.
fn bond_mode(text: &str) -> Option<BondMode> {
    Some(match text {
        "0" | "balance-rr" => BondMode::BalanceRr,
        "1" | "active-backup" => BondMode::ActiveBackup,
        "2" | "balance-xor" => BondMode::BalanceXor,
        "4" | "802.3ad" => BondMode::Lacp,
        "5" | "balance-tlb" => BondMode::BalanceTlb,
        "6" | "balance-alb" => BondMode::BalanceAlb,
        _ => return None,
    })
}

/// The port and the number of a VLAN that is called `bond0.20`.
fn vlan(name: &str) -> Option<(&str, u16)> {
    let (link, id) = name.rsplit_once('.')?;
    let id = id.parse().ok().filter(|id| (1..=4094).contains(id))?;
    (!link.is_empty()).then_some((link, id))
}
