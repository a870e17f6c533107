//! The part of `greenroom.yaml` that an import gives: subnets with their reservations, and rules.
//!
//! A [`Section`] holds only what the configuration's own check lets through: an address that is reserved twice, or pools
//! that overlap, are told when they come, so that the section as a whole is always good.

use std::{collections::BTreeSet, net::Ipv4Addr};

use ipnet::Ipv4Net;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    document::yaml,
    model::{
        MacAddr, PersonaName, Seconds,
        site::{DhcpMode, Match, Pool},
    },
};

use super::{LeftBehind, name::one_line};

const SHORTEST_LEASE: Seconds = Seconds(60);
const LONGEST_LEASE: Seconds = Seconds(366 * 86_400);

/// What goes into the configuration.
#[derive(Debug, Default)]
pub struct Section {
    /// How addresses are given; `None` when the other server said nothing of it.
    pub dhcp: Option<Dhcp>,
    /// Rules, the first that fits first.
    pub rules: Vec<Rule>,
    /// The persona of devices that no rule names.
    pub default: Option<(PersonaName, String)>,
}

/// How addresses are given.
#[derive(Debug)]
pub struct Dhcp {
    /// Where it was.
    pub place: String,
    /// Whether addresses are given at all.
    pub mode: DhcpMode,
    /// The interfaces.
    pub interfaces: Vec<String>,
    /// Whether unknown leases are refused.
    pub authoritative: bool,
    /// The subnets.
    pub subnets: Vec<Subnet>,
}

/// A subnet.
#[derive(Debug)]
pub struct Subnet {
    /// Where it was.
    pub place: String,
    /// Its range.
    pub net: Ipv4Net,
    /// Its pools.
    pub pools: Vec<Pool>,
    /// Option 3.
    pub router: Option<Ipv4Addr>,
    /// Option 6.
    pub dns: Vec<Ipv4Addr>,
    /// Option 15.
    pub domain: Option<String>,
    /// Option 42.
    pub ntp: Vec<Ipv4Addr>,
    /// Option 26.
    pub mtu: Option<u16>,
    /// How long a lease lasts.
    pub lease: Option<Seconds>,
    reservations: Vec<(MacAddr, Ipv4Addr, Option<String>, String)>,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Where it was.
    pub place: String,
    /// What reasons call it.
    pub name: String,
    /// Which devices; at least one field is given.
    pub when: Match,
    /// The persona they get.
    pub persona: PersonaName,
}

impl Subnet {
    /// A subnet without anything in it.
    pub fn new(place: &str, net: Ipv4Net) -> Self {
        Self {
            place: place.to_owned(),
            net: net.trunc(),
            pools: vec![],
            router: None,
            dns: vec![],
            domain: None,
            ntp: vec![],
            mtu: None,
            lease: None,
            reservations: vec![],
        }
    }

    /// Whether a device can have this address.
    pub fn usable(&self, ip: Ipv4Addr) -> bool {
        self.net.contains(&ip) && ip != self.net.network() && ip != self.net.broadcast()
    }

    /// Adds a pool, cut to the addresses that devices can have; tells when nothing is left of it, or it overlaps another.
    pub fn add_pool(&mut self, pool: Pool, place: &str, left: &mut Vec<LeftBehind>) {
        let what = format!("pool {}-{}", pool.first, pool.last);
        let (network, broadcast) = (u32::from(self.net.network()), u32::from(self.net.broadcast()));
        let first = u32::from(pool.first).max(network.saturating_add(1));
        let last = u32::from(pool.last).min(broadcast.saturating_sub(1));
        let within = self.net.contains(&pool.first) && self.net.contains(&pool.last);
        if first > last || !within {
            left.push(LeftBehind::lost(place, &what, "it is not within its subnet", ""));
        } else if self.pools.iter().any(|other| first <= u32::from(other.last) && u32::from(other.first) <= last) {
            left.push(LeftBehind::lost(place, &what, "it overlaps another pool of its subnet", ""));
        } else {
            self.pools.push(Pool { first: first.into(), last: last.into() });
        }
    }

    /// Sets the lease, within what Greenroom gives.
    pub fn set_lease(&mut self, lease: Seconds, place: &str, left: &mut Vec<LeftBehind>) {
        let given = lease.clamp(SHORTEST_LEASE, LONGEST_LEASE);
        if given != lease {
            let shown = if lease.0 == u32::MAX { "without end".to_owned() } else { format!("of {lease}") };
            let what = format!("a lease {shown} became one of {given}");
            left.push(LeftBehind::look(place, &what, "Greenroom's leases last from 1m to 366d", ""));
        }
        self.lease = Some(given);
    }

    fn value(&self) -> Value {
        let texts = |ips: &[Ipv4Addr]| ips.iter().map(ToString::to_string).collect::<Vec<_>>();
        let pools: Vec<_> = self.pools.iter().map(|pool| format!("{}-{}", pool.first, pool.last)).collect();
        let mut value = json!({ "subnet": self.net.to_string() });
        let mut put = |key: &str, given: bool, of: Value| {
            if given {
                value[key] = of;
            }
        };
        put("pools", !pools.is_empty(), json!(pools));
        put("router", self.router.is_some(), json!(self.router));
        put("dns", !self.dns.is_empty(), json!(texts(&self.dns)));
        put("domain", self.domain.is_some(), json!(self.domain));
        put("ntp", !self.ntp.is_empty(), json!(texts(&self.ntp)));
        put("mtu", self.mtu.is_some(), json!(self.mtu));
        put("lease", self.lease.is_some(), json!(self.lease.map(|lease| lease.to_string())));
        value
    }
}

impl Dhcp {
    /// Reserves an address; tells when it cannot be.
    pub fn reserve(
        &mut self,
        mac: MacAddr,
        ip: Ipv4Addr,
        hostname: Option<String>,
        place: &str,
        left: &mut Vec<LeftBehind>,
    ) {
        let what = format!("reservation of {ip} for {mac}");
        let Some(subnet) = self.subnets.iter_mut().find(|subnet| subnet.usable(ip)) else {
            let help = "name the subnet that the address belongs to, with `dhcp.subnets`, and reserve it there";
            left.push(LeftBehind::lost(place, &what, "no subnet that came over has this address", help));
            return;
        };
        if subnet.reservations.iter().any(|(other, taken, ..)| *other == mac || *taken == ip) {
            let why = "this port or address is reserved already: Greenroom keeps one address for one port of a subnet";
            left.push(LeftBehind::lost(place, &what, why, ""));
            return;
        }
        subnet.reservations.push((mac, ip, hostname, place.to_owned()));
    }

    /// Adds a subnet unless it overlaps another. An equal one is the same subnet.
    pub fn subnet(&mut self, net: Ipv4Net, place: &str, left: &mut Vec<LeftBehind>) -> Option<&mut Subnet> {
        let net = net.trunc();
        if let Some(at) = self.subnets.iter().position(|subnet| subnet.net == net) {
            return self.subnets.get_mut(at);
        }
        let overlap = |other: &Ipv4Net| other.contains(&net.network()) || net.contains(&other.network());
        if let Some(other) = self.subnets.iter().find(|subnet| overlap(&subnet.net)) {
            let why = format!("it overlaps {}, and an address belongs to one subnet", other.net);
            left.push(LeftBehind::lost(place, &format!("subnet {net}"), &why, "decide for one netmask"));
            return None;
        }
        self.subnets.push(Subnet::new(place, net));
        self.subnets.last_mut()
    }
}

impl Section {
    /// How many reservations there are.
    pub fn reservations(&self) -> usize {
        self.dhcp.iter().flat_map(|dhcp| &dhcp.subnets).map(|subnet| subnet.reservations.len()).sum()
    }

    /// The rule's name, made unlike those of the others.
    pub(super) fn rule_name(&self, wanted: &str) -> String {
        let wanted = one_line(wanted);
        let wanted = if wanted.trim().is_empty() { "imported".to_owned() } else { wanted };
        let taken: BTreeSet<&str> = self.rules.iter().map(|rule| rule.name.as_str()).collect();
        let mut name = wanted.clone();
        let mut count = 2;
        while taken.contains(name.as_str()) {
            name = format!("{wanted} ({count})");
            count += 1;
        }
        name
    }

    /// Takes out what names a persona that is not there after all.
    pub(super) fn withdraw(&mut self, persona: &PersonaName, left: &mut Vec<LeftBehind>) {
        let why = "its persona did not come over";
        for rule in self.rules.extract_if(.., |rule| rule.persona == *persona) {
            left.push(LeftBehind::lost(&rule.place, &format!("rule {}", rule.name), why, ""));
        }
        if let Some((_, place)) = self.default.take_if(|(name, _)| name == persona) {
            left.push(LeftBehind::lost(&place, "the default", why, ""));
        }
    }

    /// The section as a document, which is a whole configuration too: all else has defaults.
    pub fn text(&self, from: &str) -> String {
        let mut text = format!(
            "# Imported from {}. Put these parts into greenroom.yaml; then `greenroom config check`.\n",
            one_line(from)
        );
        if let Some(dhcp) = &self.dhcp {
            text += &dhcp_text(dhcp);
        }
        text += "\nboot:\n";
        if let Some((default, place)) = &self.default {
            text += &format!("  # {}\n  default: {default}\n", one_line(place));
        }
        if self.rules.is_empty() {
            return text + "  rules: []\n";
        }
        text += "  # No rule is armed: a device is wiped only after `greenroom device arm MAC`, or once its rule says `armed: true`.\n";
        text += "  rules:\n";
        for rule in &self.rules {
            let value = Written { name: &rule.name, when: &rule.when, persona: &rule.persona };
            text += &format!("    # {}\n{}", one_line(&rule.place), indented(&yaml::to_string(&[value]), 4));
        }
        text
    }
}

/// A rule as the configuration has it.
#[derive(Serialize)]
struct Written<'a> {
    name: &'a str,
    #[serde(rename = "match")]
    when: &'a Match,
    persona: &'a PersonaName,
}

fn dhcp_text(dhcp: &Dhcp) -> String {
    let mut text = format!("\ndhcp:\n  # {}\n", one_line(&dhcp.place));
    if dhcp.mode == DhcpMode::Full {
        text += "  # Greenroom gives the addresses: stop the other DHCP server before this one starts.\n";
    }
    let mut head = json!({ "mode": dhcp.mode });
    if dhcp.mode == DhcpMode::Full {
        head["authoritative"] = json!(dhcp.authoritative);
    }
    if !dhcp.interfaces.is_empty() {
        head["interfaces"] = json!(dhcp.interfaces);
    }
    text += &indented(&yaml::to_string(&head), 2);
    if dhcp.subnets.is_empty() {
        return text;
    }
    text += "  subnets:\n";
    for subnet in &dhcp.subnets {
        text += &format!("    # {}\n{}", one_line(&subnet.place), indented(&yaml::to_string(&[subnet.value()]), 4));
        if !subnet.reservations.is_empty() {
            text += "      reservations:\n";
        }
        for (mac, ip, hostname, place) in &subnet.reservations {
            let mut value = json!({ "mac": mac, "ip": ip });
            if let Some(hostname) = hostname {
                value["hostname"] = json!(hostname);
            }
            text += &format!("        # {}\n{}", one_line(place), indented(&yaml::to_string(&[value]), 8));
        }
    }
    text
}

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect()
}
