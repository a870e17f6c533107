//! `dhcp-option` and `domain`: what subnets tell devices.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::model::Seconds;

use super::{
    super::{name::host_name, section::Dhcp},
    Import, Line,
};

/// An option, and for whom.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) line: Line,
    tags: Vec<String>,
    number: u8,
    values: Vec<String>,
}

/// A domain, and for which addresses.
#[derive(Debug)]
pub(super) struct Domain {
    line: Line,
    name: String,
    of: Option<Ipv4Net>,
}

/// dnsmasq's names of the options that subnets have, and of those that concern booting (`dnsmasq --help dhcp`).
const NAMES: [(&str, u8); 14] = [
    ("netmask", 1),
    ("router", 3),
    ("dns-server", 6),
    ("hostname", 12),
    ("domain-name", 15),
    ("mtu", 26),
    ("broadcast", 28),
    ("ntp-server", 42),
    ("vendor-encap", 43),
    ("lease-time", 51),
    ("vendor-class", 60),
    ("tftp-server", 66),
    ("bootfile-name", 67),
    ("client-arch", 93),
];

impl Import {
    pub(super) fn option(&mut self, line: &Line) {
        let (mut tags, mut rest, mut vendor) = (vec![], vec![], None);
        for value in line.values() {
            match value.split_once(':') {
                Some(("tag" | "net", tag)) if rest.is_empty() => tags.push(tag.to_owned()),
                Some(("vendor", class)) if rest.is_empty() => vendor = Some(class.to_owned()),
                Some(("option6" | "encap" | "vi-encap", _)) if rest.is_empty() => {
                    return match value.starts_with("encap:175") {
                        true => self.unneeded(line, "Greenroom tells iPXE what it needs by itself"),
                        false => self.lost(line, "Greenroom does not send this option", ""),
                    };
                }
                _ => rest.push(value),
            }
        }
        let number = rest.first().and_then(|name| {
            let name = name.trim_start_matches("option:");
            name.parse().ok().or_else(|| NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number))
        });
        let boots = vendor.as_deref().is_some_and(|class| class.starts_with("PXEClient"));
        match number {
            _ if boots => self.unneeded(line, "Greenroom tells PXE firmware what it needs by itself"),
            None | Some(0 | 255) => self.lost(line, "Greenroom does not send this option", ""),
            _ if vendor.is_some() => self.lost(line, "Greenroom tells every vendor's devices the same", ""),
            Some(1 | 28) => self.unneeded(line, "Greenroom sends it from `subnet`"),
            Some(43 | 60 | 66 | 67 | 93 | 97 | 150 | 175 | 208..=211) => {
                self.unneeded(line, "Greenroom tells PXE firmware what it needs by itself");
            }
            Some(number) => {
                let values = rest.split_off(1);
                self.options.push(Given { line: line.clone(), tags, number, values });
            }
        }
    }

    pub(super) fn domain(&mut self, line: &Line) {
        let values = line.values();
        let name = values.first().and_then(|name| host_name(name));
        let of = values.get(1).filter(|of| *of != "local").map(|of| match of.split_once('/') {
            Some(_) => of.parse::<Ipv4Net>().ok(),
            None => of.parse::<Ipv4Addr>().ok().map(Ipv4Net::from),
        });
        match (name, of) {
            (Some(name), of) if of != Some(None) => {
                self.domains.push(Domain { line: line.clone(), name, of: of.flatten() });
            }
            _ => self.lost(line, "this is no domain of IPv4 addresses", ""),
        }
    }

    /// Tells of every domain that no subnet is told.
    pub(super) fn lose_domains(&mut self, why: &str, help: &str) {
        for domain in std::mem::take(&mut self.domains) {
            self.lost(&domain.line, why, help);
        }
    }

    /// Writes the options into the subnets whose tags they name, or into all.
    pub(super) fn fill_options(&mut self, dhcp: &mut Dhcp) {
        for domain in std::mem::take(&mut self.domains) {
            let mut fits = false;
            for subnet in &mut dhcp.subnets {
                let meant = domain.of.is_none_or(|of| subnet.net.contains(&of.network()));
                // A domain that is told for some addresses is stronger than one for all.
                if meant && (domain.of.is_some() || subnet.domain.is_none()) {
                    subnet.domain = Some(domain.name.clone());
                    fits = true;
                }
            }
            if !fits {
                self.lost(&domain.line, "no subnet that came over has its addresses", "");
            }
        }
        // Options for all first: those that name a tag replace them.
        let mut options = std::mem::take(&mut self.options);
        options.sort_by_key(|given| !given.tags.is_empty());
        for given in options {
            self.fill(given, dhcp);
        }
    }

    fn fill(&mut self, given: Given, dhcp: &mut Dhcp) {
        let nets: Vec<Ipv4Net> = match given.tags.as_slice() {
            [] => dhcp.subnets.iter().map(|subnet| subnet.net).collect(),
            [tag] => {
                self.ranges.iter().filter(|range| range.set.as_ref() == Some(tag)).map(|range| range.net()).collect()
            }
            _ => vec![],
        };
        let line = &given.line;
        if nets.is_empty() {
            let help = "give those devices a subnet of their own, or say it in their persona";
            return self.lost(line, "its tags are not those of a range: Greenroom tells a whole subnet the same", help);
        }
        let ips: Vec<Ipv4Addr> = given.values.iter().filter_map(|value| value.parse().ok()).collect();
        if ips.iter().any(Ipv4Addr::is_unspecified) {
            return self.lost(line, "0.0.0.0 is dnsmasq's word for itself", "write the server's address");
        }
        let first = given.values.first().map(String::as_str).unwrap_or_default();
        let whole = !ips.is_empty() && ips.len() == given.values.len();
        let mut done = 0;
        for subnet in dhcp.subnets.iter_mut().filter(|subnet| nets.contains(&subnet.net)) {
            match given.number {
                3 if whole && subnet.usable(ips[0]) => subnet.router = Some(ips[0]),
                6 if whole => subnet.dns = ips.clone(),
                42 if whole => subnet.ntp = ips.clone(),
                15 if host_name(first).is_some() => subnet.domain = host_name(first),
                26 if first.parse::<u16>().is_ok_and(|mtu| mtu >= 68) => subnet.mtu = first.parse().ok(),
                51 if first.parse::<u32>().is_ok() => {
                    let lease = Seconds(first.parse().unwrap_or(3600));
                    subnet.set_lease(lease, &line.place, &mut self.out.left_behind);
                }
                _ => continue,
            }
            done += 1;
        }
        match (given.number, done) {
            (3, 0) => {
                self.lost(line, "no subnet that it is for has this address", "a router is an address of its subnet")
            }
            (3, _) if ips.len() > 1 => self.look(line, "a subnet has one router: the first of these", ""),
            (6 | 15 | 26 | 42 | 51, 0) => self.lost(line, "its value is none that Greenroom takes", "write it by hand"),
            (_, 0) => self.lost(
                line,
                "Greenroom does not send this option",
                "say it in the persona, if the system can be told",
            ),
            _ => {}
        }
    }
}
