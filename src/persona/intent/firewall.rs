//! The firewall, as an nftables ruleset: one for every Linux distribution.

use std::fmt::Write as _;

use ipnet::IpNet;

use crate::persona::{
    Persona,
    schema::{Allow, Family, Firewall, Policy, Ports, Protocol},
};

use super::Intent;

/// The services that have a name here: name, protocol, ports.
pub const SERVICES: [(&str, Protocol, Ports); 14] = [
    ("ssh", Protocol::Tcp, one(22)),
    ("http", Protocol::Tcp, one(80)),
    ("https", Protocol::Tcp, one(443)),
    ("dns", Protocol::Udp, one(53)),
    ("ntp", Protocol::Udp, one(123)),
    ("nfs", Protocol::Tcp, one(2049)),
    ("samba", Protocol::Tcp, one(445)),
    ("mdns", Protocol::Udp, one(5353)),
    ("rdp", Protocol::Tcp, one(3389)),
    ("vnc", Protocol::Tcp, Ports { first: 5900, last: 5999 }),
    ("mosh", Protocol::Udp, Ports { first: 60000, last: 61000 }),
    ("cockpit", Protocol::Tcp, one(9090)),
    ("postgresql", Protocol::Tcp, one(5432)),
    ("prometheus-node", Protocol::Tcp, one(9100)),
];

/// What loads the ruleset where the distribution has no unit for it.
const UNIT: &str = "[Unit]
Description=The firewall of the persona
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target docker.service shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/nftables.conf

[Install]
WantedBy=sysinit.target
";

const fn one(port: u16) -> Ports {
    Ports { first: port, last: port }
}

impl Allow {
    /// The protocol and the ports that it speaks of; `None` when it names a service that is not known.
    pub fn ports(&self) -> Option<(Protocol, Ports)> {
        match (&self.service, self.port) {
            (Some(name), _) => {
                SERVICES.iter().find(|(known, ..)| known == name).map(|(_, protocol, ports)| (*protocol, *ports))
            }
            (None, Some(ports)) => Some((self.protocol, ports)),
            (None, None) => None,
        }
    }
}

impl Intent {
    pub(super) fn firewall(&mut self, persona: &Persona) {
        let Some(firewall) = &persona.security.firewall else { return };
        let rules = ruleset(firewall);
        match persona.os.distribution().family() {
            Family::Redhat => {
                self.package("nftables");
                // Anaconda enables firewalld, which would put its own rules beside these.
                self.mask.push("firewalld.service".into());
                self.file_with("/etc/sysconfig/nftables.conf", rules, 0o600);
                self.enable.push("nftables.service".into());
            }
            Family::Debian => {
                self.package("nftables");
                self.file_with("/etc/nftables.conf", format!("#!/usr/sbin/nft -f\n{rules}"), 0o755);
                self.enable.push("nftables.service".into());
            }
            Family::Flatcar => {
                // The image brings nft, and no unit for it. Docker adds its own tables to what it finds.
                self.file_with("/etc/nftables.conf", rules, 0o600);
                self.file("/etc/systemd/system/greenroom-firewall.service", UNIT);
                self.enable.push("greenroom-firewall.service".into());
            }
            Family::Windows | Family::Other => {}
        }
    }
}

/// The ruleset. Without ICMPv6 there is no IPv6, and without ICMP no path MTU: both come in always.
fn ruleset(firewall: &Firewall) -> String {
    let policy = match firewall.default {
        Policy::Deny => "drop",
        Policy::Allow => "accept",
    };
    let mut rules = String::new();
    for allow in &firewall.allow {
        let Some((protocol, ports)) = allow.ports() else { continue };
        let protocol = match protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        let addresses = |v6: bool| {
            let of_kind = allow.from.iter().filter(|net| matches!(net, IpNet::V6(_)) == v6);
            of_kind.map(|net| net.trunc().to_string()).collect::<Vec<_>>().join(", ")
        };
        let accept = format!("{protocol} dport {ports} accept\n");
        match allow.from.is_empty() {
            true => rules.extend(["\t\t", &accept]),
            false => {
                for (family, addresses) in [("ip", addresses(false)), ("ip6", addresses(true))] {
                    if !addresses.is_empty() {
                        let _ = write!(rules, "\t\t{family} saddr {{ {addresses} }} {accept}");
                    }
                }
            }
        }
    }
    format!(
        "# Written by Greenroom.\n\
         flush ruleset\n\n\
         table inet filter {{\n\
         \tchain input {{\n\
         \t\ttype filter hook input priority filter; policy {policy};\n\
         \t\tct state established,related accept\n\
         \t\tct state invalid drop\n\
         \t\tiifname \"lo\" accept\n\
         \t\tmeta l4proto {{ icmp, ipv6-icmp }} accept\n\
         \t\tip6 saddr fe80::/10 udp dport 546 accept\n\
         {rules}\
         \t}}\n\
         }}\n"
    )
}
