//! Addresses: of the device's own, of its gateways, and how they lie to one another.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::{
    document::Check,
    persona::{Persona, schema::Ip},
};

use super::{
    brief,
    link::{Link, links},
};

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    let network = &persona.network;
    let links = links(network);
    let with_ip = || links.iter().filter_map(|link| Some((link, link.ip?)));
    for (link, ip) in with_ip() {
        own(check, link, ip);
        gateways(check, link, ip);
        let least = if network.ipv6 == Some(false) { 576 } else { 1280 };
        let fits = ip.mtu.is_none_or(|mtu| (least..=9216).contains(&mtu));
        let message = format!("no network carries packets of {} bytes", ip.mtu.unwrap_or(0));
        let help = "1500 is usual, 9000 for jumbo frames; IPv6 needs 1280 at least";
        check.require(fits, "GR206", &format!("{}.ip.mtu", link.path), message, help);
    }
    for six in [false, true] {
        let field = if six { "gateway6" } else { "gateway" };
        let mut ways = with_ip().filter(|(_, ip)| if six { ip.gateway6.is_some() } else { ip.gateway.is_some() });
        let first = ways.next();
        for (link, _) in ways {
            let other = first.and_then(|(link, _)| link.name).unwrap_or("another interface");
            let message = format!("there is a default gateway already, at `{}`", brief(other));
            check.warn(false, "GR200", &format!("{}.ip.{field}", link.path), message, "keep one of the two");
        }
    }
    overlaps(check, &links);
    six(check, persona, &links);
    let asks = network.interfaces.is_empty()
        || links.iter().any(|link| match link.ip {
            Some(ip) => ip.asks_dhcp(),
            None => !link.name.is_some_and(|name| network.is_member(name)),
        });
    let message = "no name server: nothing here asks DHCP for one";
    check.warn(asks || !network.dns.is_empty(), "GR209", "network", message, "add `dns: [...]`");
}

/// Its own addresses are such as a device can have.
fn own(check: &mut Check<'_>, link: &Link<'_>, ip: &Ip) {
    for (at, net) in ip.addresses.iter().enumerate() {
        let address = net.addr();
        let ends = match net {
            IpNet::V4(v4) => v4.prefix_len() < 31 && (v4.addr() == v4.network() || v4.addr() == v4.broadcast()),
            IpNet::V6(v6) => v6.prefix_len() < 127 && v6.addr() == v6.network(),
        };
        let of_one = !ends && !address.is_loopback() && !address.is_multicast() && !address.is_unspecified();
        let message = match ends {
            true => format!("{net} is the address of the network, not of a device in it"),
            false => format!("no device can have the address {net}"),
        };
        let help = format!("write the device's own address: {}", example(net));
        check.require(of_one, "GR049", &format!("{}.ip.addresses.{at}", link.path), message, &help);
    }
}

fn example(net: &IpNet) -> String {
    match net.hosts().nth(4).filter(|host| !host.is_loopback() && !host.is_multicast() && !host.is_unspecified()) {
        Some(host) => format!("{host}/{}", net.prefix_len()),
        None => "192.0.2.5/24".into(),
    }
}

fn gateways(check: &mut Check<'_>, link: &Link<'_>, ip: &Ip) {
    let ways = [("gateway", ip.gateway.map(IpAddr::V4)), ("gateway6", ip.gateway6.map(IpAddr::V6))];
    for (field, way) in ways.into_iter().filter_map(|(field, way)| Some((field, way?))) {
        let link_local = matches!(way, IpAddr::V6(v6) if v6.is_unicast_link_local());
        let reachable = link_local || ip.addresses.iter().any(|net| net.contains(&way) && net.addr() != way);
        let message = format!("the gateway {way} cannot be reached");
        let help = "a gateway is another address of the interface's own subnet";
        check.require(reachable, "GR042", &format!("{}.ip.{field}", link.path), message, help);
    }
}

/// Subnets are nested or apart, so that sorted by their beginnings each need only be compared with those around it.
fn overlaps(check: &mut Check<'_>, links: &[Link<'_>]) {
    let mut nets: Vec<(IpNet, usize, usize)> = vec![];
    for (at, link) in links.iter().enumerate() {
        let addresses = link.ip.iter().flat_map(|ip| &ip.addresses).enumerate();
        nets.extend(addresses.map(|(number, net)| (net.trunc(), at, number)));
    }
    nets.sort_by_key(|(net, at, number)| (net.network(), net.prefix_len(), *at, *number));
    let mut around: Vec<(IpNet, usize)> = vec![];
    for (net, at, number) in nets {
        while around.last().is_some_and(|(outer, _)| !outer.contains(&net)) {
            around.pop();
        }
        let other = around.iter().find(|(_, other)| *other != at);
        let who = other.and_then(|(_, other)| links[*other].name).unwrap_or("another interface");
        let message = format!("{net} overlaps {} of `{}`", other.map_or(net, |(net, _)| *net), brief(who));
        let help = "packets could leave by either: give each interface a subnet of its own";
        let path = format!("{}.ip.addresses.{number}", links[at].path);
        check.require(other.is_none(), "GR048", &path, message, help);
        // One of each interface is enough to tell that there is another.
        if around.iter().filter(|(_, known)| *known == at).count() == 0 {
            around.push((net, at));
        }
    }
}

/// IPv6 addresses where IPv6 is off.
fn six(check: &mut Check<'_>, persona: &Persona, links: &[Link<'_>]) {
    if persona.network.ipv6 != Some(false) {
        return;
    }
    let mut found: Vec<(String, IpAddr)> = vec![];
    for link in links {
        let addresses = link.ip.iter().flat_map(|ip| &ip.addresses).enumerate();
        found.extend(addresses.map(|(at, net)| (format!("{}.ip.addresses.{at}", link.path), net.addr())));
        let gateway = link.ip.and_then(|ip| ip.gateway6);
        found.extend(gateway.map(|gateway| (format!("{}.ip.gateway6", link.path), IpAddr::V6(gateway))));
    }
    found.extend(persona.network.dns.iter().enumerate().map(|(at, server)| (format!("network.dns.{at}"), *server)));
    for (path, address) in found {
        let message = format!("{address} is of no use: IPv6 is off");
        check.warn(address.is_ipv4(), "GR207", &path, message, "remove it, or `ipv6: false`");
    }
}
