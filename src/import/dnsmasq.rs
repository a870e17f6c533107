//! dnsmasq's configuration: its DHCP as the `dhcp:` section, and what its boot options did as a list of what Greenroom does
//! by itself.
//!
//! dnsmasq keeps no personas, so none come out: what a device boots was a file on a TFTP server. Lines are read in the order
//! in which dnsmasq reads them, files that they include in their place; options wait for the ranges whose tags they name.

mod boot;
mod directive;
mod host;
mod line;
mod option;
mod range;

use std::collections::BTreeSet;

use crate::model::site::DhcpMode;

use super::{Folder, Imported, LeftBehind, section::Dhcp};

use directive::{DNS, OWN};
pub use line::{Include, includes};
use line::{Line, lines};

/// How deep files may include one another.
const DEEPEST: usize = 20;

/// What is read so far.
#[derive(Debug, Default)]
struct Import {
    out: Imported,
    ranges: Vec<range::Range>,
    proxies: Vec<String>,
    hosts: Vec<Line>,
    options: Vec<option::Given>,
    domains: Vec<option::Domain>,
    interfaces: Vec<String>,
    authoritative: bool,
    /// Tags that only told kinds of firmware apart.
    firmware_tags: BTreeSet<String>,
    included: BTreeSet<String>,
}

/// Reads `main` and what it includes. The folder holds those of them that could be read.
pub fn import(folder: &Folder, main: &str) -> Imported {
    let mut import = Import::default();
    import.out.left_behind.extend(folder.unread.iter().cloned());
    import.file(folder, main, 0);
    import.addresses();
    import.out
}

impl Import {
    fn file(&mut self, folder: &Folder, path: &str, depth: usize) {
        // A file that was read is not read again, so that a loop of includes ends.
        if depth > DEEPEST || !self.included.insert(path.to_owned()) {
            let why = "it includes itself, or was included before: it is read once";
            self.out.left_behind.push(LeftBehind::look(path, "an include", why, ""));
            return;
        }
        let Some(text) = folder.texts.get(path) else { return };
        for line in lines(path, text) {
            match line.include() {
                Some(include) => {
                    let paths: Vec<String> = include.among(folder.texts.keys()).map(str::to_owned).collect();
                    match include {
                        Include::Hosts(_) | Include::HostsDir(_) => paths.iter().for_each(|path| {
                            let text = folder.texts.get(path).map_or("", String::as_str);
                            self.hosts.extend(lines(path, text).map(Line::into_host));
                        }),
                        Include::Options(_) => paths.iter().for_each(|path| {
                            let text = folder.texts.get(path).map_or("", String::as_str);
                            lines(path, text).map(Line::into_option).for_each(|line| self.option(&line));
                        }),
                        Include::File(_) | Include::Dir { .. } => {
                            paths.iter().for_each(|path| self.file(folder, path, depth + 1));
                        }
                    }
                }
                None => self.line(line),
            }
        }
    }

    fn line(&mut self, line: Line) {
        match line.key.as_str() {
            "dhcp-range" => self.range(&line),
            "dhcp-host" => self.hosts.push(line),
            "dhcp-option" | "dhcp-option-force" => self.option(&line),
            "domain" => self.domain(&line),
            "dhcp-authoritative" => self.authoritative = true,
            "interface" if line.value.contains('*') || line.value.len() > 15 || line.value.contains([' ', '/']) => {
                self.lost(
                    &line,
                    "Greenroom takes the names of interfaces, without wildcards",
                    "list them under `dhcp.interfaces`",
                );
            }
            "interface" if line.value == "lo" || line.value.is_empty() => {
                self.unneeded(&line, "DHCP is not served on the loopback interface");
            }
            "interface" => {
                if !self.interfaces.contains(&line.value) {
                    self.interfaces.push(line.value);
                }
            }
            "except-interface" | "no-dhcp-interface" | "no-dhcpv4-interface" => {
                let why = "Greenroom is told the interfaces that it serves, not those that it does not";
                self.lost(&line, why, "list the others under `dhcp.interfaces`");
            }
            key => match boot::about(key) {
                Some(_) => self.boot_line(&line),
                None => self.other(&line),
            },
        }
    }

    /// Lines that are of no subsystem that Greenroom has.
    fn other(&mut self, line: &Line) {
        match line.key.as_str() {
            "port" if line.value == "0" => self.unneeded(line, "Greenroom is no DNS server"),
            key if key == "port" || DNS.contains(&key) => {
                let help = "keep dnsmasq for DNS: take out its `dhcp-*`, `pxe-*`, `tftp-*` and `enable-tftp` lines";
                self.lost(line, "Greenroom is no DNS server", help);
            }
            "dhcp-leasefile" => {
                let help = "devices ask for the address that they had, and get it when it is free";
                self.lost(line, "leases do not come over, only reservations", help);
            }
            "conf-script" | "dhcp-script" | "dhcp-luascript" | "dhcp-scriptuser" | "script-arp"
            | "script-on-renewal" => {
                self.lost(line, "Greenroom runs no scripts", "`greenroom journal export` gives every lease as a fact");
            }
            "enable-ra" | "ra-param" | "dhcp-duid" => {
                self.lost(line, "Greenroom serves IPv4 only", "keep dnsmasq for IPv6, with no IPv4 range");
            }
            "dhcp-relay" | "shared-network" | "bridge-interface" | "dhcp-proxy" => {
                self.lost(line, "Greenroom answers relays, and is none itself", "");
            }
            key if OWN.contains(&key) => self.unneeded(line, "it is about dnsmasq's own process and log"),
            _ => self.lost(line, "Greenroom has nothing that does this", ""),
        }
    }

    /// When all is read: the section.
    fn addresses(&mut self) {
        let place = match (self.ranges.first(), self.proxies.first()) {
            (Some(range), _) => range.place.clone(),
            (None, Some(place)) => place.clone(),
            (None, None) => {
                let why = "there is no dhcp-range, so dnsmasq gives no addresses";
                let hosts = std::mem::take(&mut self.hosts);
                hosts.iter().for_each(|line| self.lost(line, why, ""));
                let options = std::mem::take(&mut self.options);
                options.iter().for_each(|given| self.lost(&given.line, why, ""));
                self.lose_domains(why, "");
                return;
            }
        };
        let mode = if self.ranges.is_empty() { DhcpMode::Proxy } else { DhcpMode::Full };
        if mode == DhcpMode::Full {
            for place in std::mem::take(&mut self.proxies) {
                let why = "Greenroom is the DHCP server or a proxy, not both";
                self.out.left_behind.push(LeftBehind::lost(&place, "a proxy range", why, "run it in proxy mode there"));
            }
        }
        let interfaces = std::mem::take(&mut self.interfaces);
        let mut dhcp = Dhcp { place, mode, interfaces, authoritative: self.authoritative, subnets: vec![] };
        if mode == DhcpMode::Full {
            self.subnets(&mut dhcp);
            self.fill_options(&mut dhcp);
            self.reservations(&mut dhcp);
        } else {
            let why = "in proxy mode another server gives addresses and options";
            for line in std::mem::take(&mut self.hosts) {
                self.lost(&line, why, "tell that server");
            }
            for given in std::mem::take(&mut self.options) {
                self.lost(&given.line, why, "tell that server");
            }
            self.lose_domains(why, "tell that server");
        }
        self.out.section.dhcp = Some(dhcp);
    }

    fn lost(&mut self, line: &Line, why: &str, help: &str) {
        self.out.left_behind.push(LeftBehind::lost(&line.place, &line.shown(), why, help));
    }

    fn look(&mut self, line: &Line, why: &str, help: &str) {
        self.out.left_behind.push(LeftBehind::look(&line.place, &line.shown(), why, help));
    }

    fn unneeded(&mut self, line: &Line, why: &str) {
        self.out.left_behind.push(LeftBehind::unneeded(&line.place, &line.shown(), why));
    }
}
