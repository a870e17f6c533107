//! What is of the device as a whole: host name, name servers, time servers, the proxy.

use std::net::IpAddr;

use crate::{document::Check, persona::Persona};

use super::{
    brief, listed, once,
    shape::{is_host, is_host_or_address, is_web},
};

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    let network = &persona.network;
    if let Some(hostname) = &network.hostname {
        let filled = hostname.replace("{{mac}}", "000000").replace("{{serial}}", "x");
        // All digits is a host name too, when it stands alone.
        let fits = filled.len() <= 200 && is_host(&format!("{filled}.x")) && filled == filled.to_ascii_lowercase();
        let message = format!("`{}` cannot be a host name", brief(hostname));
        let help = "lower-case letters, digits and `-`; `{{mac}}` and `{{serial}}` are filled in";
        check.require(fits, "GR040", "network.hostname", message, help);
    }
    let servers: Vec<String> = network.dns.iter().map(ToString::to_string).collect();
    for (at, server) in network.dns.iter().enumerate() {
        let broadcast = matches!(server, IpAddr::V4(v4) if v4.is_broadcast());
        let elsewhere = !server.is_loopback() && !server.is_unspecified() && !server.is_multicast() && !broadcast;
        let message = format!("no name server can be reached at {server}");
        let help = "write the address of a server on the network; systems set up their own caches themselves";
        check.require(elsewhere, "GR201", &format!("network.dns.{at}"), message, help);
    }
    once(check, listed("network.dns", &servers));
    for (path, domain) in listed("network.search", &network.search) {
        let message = format!("`{}` is no domain", brief(domain));
        check.require(is_host(domain), "GR202", &path, message, "write it as lab.example.org");
    }
    once(check, listed("network.search", &network.search));
    for (path, server) in listed("network.ntp", &network.ntp) {
        let message = format!("`{}` is no time server", brief(server));
        check.require(is_host_or_address(server), "GR203", &path, message, "write its host name or its address");
    }
    once(check, listed("network.ntp", &network.ntp));
    let Some(proxy) = &network.proxy else { return };
    let urls = [("http", Some(&proxy.http)), ("https", proxy.https.as_ref())];
    for (field, url) in urls.into_iter().filter_map(|(field, url)| Some((field, url?))) {
        let before = check.problems.len();
        let message = match url.contains('@') {
            true => "this is no URL of a proxy".to_owned(),
            false => format!("`{}` is no URL of a proxy", brief(url)),
        };
        let help = "write http://proxy.example.org:3128";
        check.require(is_web(url), "GR204", &format!("network.proxy.{field}"), message, help);
        if url.contains('@') {
            check.conceal_since(before);
        }
    }
    for (path, direct) in listed("network.proxy.no_proxy", &proxy.no_proxy) {
        let plain = !direct.is_empty() && direct.chars().all(|c| c.is_ascii_alphanumeric() || ".:/*-[]".contains(c));
        let message = format!("`{}` is no host, domain or network", brief(direct));
        check.require(plain, "GR205", &path, message, "write one list item for each: `.example.org`, `10.0.0.0/8`");
    }
}
