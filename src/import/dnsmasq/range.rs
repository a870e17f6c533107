//! `dhcp-range`: subnets and their pools.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::model::{Seconds, site::Pool};

use super::{super::section::Dhcp, Import, Line};

/// A range of addresses.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) place: String,
    line: Line,
    net: Ipv4Net,
    /// `None` for a range that is for reservations only.
    pool: Option<Pool>,
    lease: Option<Seconds>,
    /// The tag that it sets: options name it.
    pub(super) set: Option<String>,
}

impl Range {
    /// The subnet that it is of.
    pub(super) fn net(&self) -> Ipv4Net {
        self.net
    }
}

/// What dnsmasq's times say; `None` when it is none. `infinite` is longer than Greenroom's longest.
pub(super) fn time(text: &str) -> Option<Seconds> {
    match text {
        "infinite" => Some(Seconds(u32::MAX)),
        "deprecated" => None,
        _ if text.starts_with(|c: char| c.is_ascii_digit()) => match text.strip_suffix('w') {
            Some(weeks) => weeks.parse::<u32>().ok()?.checked_mul(7 * 86_400).map(Seconds),
            None => text.parse().ok(),
        },
        _ => None,
    }
}

impl Import {
    pub(super) fn range(&mut self, line: &Line) {
        let (mut set, mut tags, mut rest) = (None, vec![], vec![]);
        for value in line.values() {
            match value.split_once(':') {
                Some(("set", tag)) => set = Some(tag.to_owned()),
                Some(("tag" | "net", tag)) => tags.push(tag.to_owned()),
                Some(("interface" | "if", _)) => {
                    self.unneeded(line, "Greenroom finds the subnet of an interface by itself")
                }
                _ => rest.push(value),
            }
        }
        if rest.iter().any(|value| value.contains("::") || value.starts_with("constructor:")) {
            return self.lost(line, "Greenroom serves IPv4 only", "keep dnsmasq for IPv6, with no IPv4 range");
        }
        let Some(first) = rest.first().and_then(|text| text.parse::<Ipv4Addr>().ok()) else {
            return self.lost(line, "it does not begin with an address", "mend it");
        };
        if rest.iter().skip(1).any(|value| value == "proxy") {
            return self.proxies.push(line.place.clone());
        }
        if !tags.is_empty() {
            let why = "a Greenroom pool is for every device of its subnet, not for those with a tag";
            return self.lost(line, why, "reserve addresses for them, or give them a subnet of their own");
        }
        let only_reservations = rest.iter().skip(1).any(|value| value == "static");
        let last = rest.get(1).and_then(|text| text.parse::<Ipv4Addr>().ok());
        let mask = rest.iter().skip(2).find_map(|text| text.parse::<Ipv4Addr>().ok());
        let Some(net) = subnet(first, last, mask) else {
            return self.lost(line, "its addresses and its netmask do not go together", "mend it");
        };
        if mask.is_none() {
            let why =
                format!("no netmask: dnsmasq takes its interface's, which the file does not tell; {net} is assumed");
            self.look(line, &why, "correct `subnet`, if the interface has another");
        }
        let pool = match (only_reservations, last) {
            (true, _) => None,
            (false, Some(last)) => Some(Pool { first, last }),
            (false, None) => Some(Pool { first, last: first }),
        };
        let lease = rest.iter().skip(1).rev().find_map(|text| time(text));
        self.ranges.push(Range { place: line.place.clone(), line: line.clone(), net, pool, lease, set });
    }

    /// The subnets of all ranges.
    pub(super) fn subnets(&mut self, dhcp: &mut Dhcp) {
        // Borrowed apart: options still look at the ranges afterwards.
        let ranges = std::mem::take(&mut self.ranges);
        for range in &ranges {
            let left = &mut self.out.left_behind;
            let Some(subnet) = dhcp.subnet(range.net, &range.place, left) else { continue };
            if let Some(pool) = range.pool {
                subnet.add_pool(pool, &range.place, left);
            }
            match (subnet.lease, range.lease) {
                (Some(first), Some(lease)) if first != lease => {
                    let why = "a Greenroom subnet has one lease time: that of its first range";
                    self.look(&range.line, why, "change `lease`, if the other is wanted");
                }
                (None, Some(lease)) => subnet.set_lease(lease, &range.place, left),
                _ => {}
            }
        }
        // dnsmasq's own default is an hour; Greenroom's, half a day, would be a change.
        for subnet in &mut dhcp.subnets {
            subnet.lease.get_or_insert(Seconds(3600));
        }
        self.ranges = ranges;
    }
}

/// The subnet of a range. Without a netmask: /24, or as large as both ends need.
fn subnet(first: Ipv4Addr, last: Option<Ipv4Addr>, mask: Option<Ipv4Addr>) -> Option<Ipv4Net> {
    let last = last.unwrap_or(first);
    if first > last {
        return None;
    }
    let net = match mask {
        Some(mask) => Ipv4Net::with_netmask(first, mask).ok()?,
        None => {
            let common = (u32::from(first) ^ u32::from(last)).leading_zeros().min(24);
            Ipv4Net::new(first, u8::try_from(common).ok()?).ok()?
        }
    };
    // A /0 or a /32 is the subnet of nobody's network.
    ((1..=30).contains(&net.prefix_len()) && net.contains(&last)).then(|| net.trunc())
}
