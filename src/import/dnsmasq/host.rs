//! `dhcp-host`: reservations.

use std::net::Ipv4Addr;

use crate::model::MacAddr;

use super::{
    super::{name::host_name, section::Dhcp},
    Import, Line, range,
};

impl Import {
    pub(super) fn reservations(&mut self, dhcp: &mut Dhcp) {
        for line in std::mem::take(&mut self.hosts) {
            self.host(&line, dhcp);
        }
    }

    fn host(&mut self, line: &Line, dhcp: &mut Dhcp) {
        let (mut macs, mut ip, mut name, mut tags, mut lease) = (vec![], None, None, vec![], None);
        for value in line.values().into_iter().filter(|value| !value.is_empty()) {
            if value == "ignore" {
                let help = "Greenroom boots nothing on a device that no rule names and there is no `boot.default`; its \
                            address it gets all the same";
                return self.lost(line, "Greenroom ignores no device", help);
            }
            if value.starts_with('[') || value.starts_with("id:") {
                let why = if value.starts_with('[') {
                    "Greenroom serves IPv4 only"
                } else {
                    "reservations are by MAC address, not by client id"
                };
                return self.lost(line, why, "");
            }
            match value.split_once(':') {
                Some(("set" | "tag" | "net", tag)) => tags.push(tag.to_owned()),
                _ if value.parse::<Ipv4Addr>().is_ok() => ip = value.parse::<Ipv4Addr>().ok(),
                // A hardware type may stand before the address: 1 is Ethernet.
                _ if value.matches(':').count() == 5 => {
                    let address = value
                        .split_once('-')
                        .map_or(value.as_str(), |(kind, rest)| if ["1", "01"].contains(&kind) { rest } else { "" });
                    match address.parse::<MacAddr>() {
                        Ok(mac) => macs.push(mac),
                        Err(_) => {
                            return self.lost(
                                line,
                                "this is no single MAC address of an Ethernet port",
                                "write one reservation for each port",
                            );
                        }
                    }
                }
                _ if range::time(&value).is_some() => lease = Some(value),
                _ => name = Some(value),
            }
        }
        let (Some(ip), Some(first)) = (ip, macs.first().copied()) else {
            let why = "a reservation needs a MAC address and an IPv4 address";
            return self.lost(line, why, "give it both; a host name alone belongs into the persona");
        };
        if macs.len() > 1 {
            self.look(line, "an address is kept for one port: the first of these", "");
        }
        if !tags.is_empty() {
            let why = "its tag: Greenroom has none, and what was said for the tag is listed by itself";
            self.look(line, why, "");
        }
        if lease.is_some() {
            self.look(line, "its lease time: that of its subnet holds", "");
        }
        let hostname = name.as_deref().and_then(host_name);
        if let (Some(name), None) = (&name, &hostname) {
            self.look(line, &format!("`{name}` cannot be a host name: it is left out"), "");
        }
        dhcp.reserve(first, ip, hostname, &line.place, &mut self.out.left_behind);
    }
}
