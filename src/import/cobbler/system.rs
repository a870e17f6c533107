//! A system as a rule, with its reservations; and as a persona of its own where it differs from its profile.

use std::net::Ipv4Addr;

use crate::{
    model::{
        PersonaName,
        site::{DhcpMode, Match},
    },
    persona::schema::Network,
};

use super::{
    super::{
        LeftBehind, PersonaDraft,
        folder::{Object, words},
        section::{Dhcp, Rule},
    },
    Import,
    item::{Options, blend, is_true},
    name,
    network::{self, Reserved},
};

impl Import {
    pub(super) fn system(&mut self, system: &Object<'_>) {
        let own = name(system);
        let what = format!("system {own}");
        let wanted = system.text("profile").unwrap_or_default();
        let Some(persona) = self.of_profile.get(wanted).cloned() else {
            let why = match (wanted.is_empty(), system.text("image")) {
                (true, Some(image)) => format!("it boots Cobbler's image {image}, and images do not come over"),
                (true, None) => "it names no profile".to_owned(),
                (false, _) => format!("its profile {wanted} did not come over"),
            };
            self.out.left_behind.push(LeftBehind::lost(&system.place("profile"), &what, &why, ""));
            return;
        };
        let gateway = system.text("gateway").filter(|gateway| *gateway != "<<inherit>>");
        let gateway = gateway.and_then(|gateway| {
            let read = gateway.parse::<Ipv4Addr>().ok();
            if read.is_none() {
                let help = "write `router:` in its subnet";
                let what = format!("gateway {gateway} of {what}");
                let why = "it is no IPv4 address";
                self.out.left_behind.push(LeftBehind::lost(&system.place("gateway"), &what, why, help));
            }
            read
        });
        let ports = network::read(system, gateway, &mut self.out.left_behind);
        if ports.macs.is_empty() {
            let why = "none of its interfaces has a MAC address, and nothing else tells which device it is";
            self.out.left_behind.push(LeftBehind::lost(&system.place("interfaces"), &what, why, ""));
            return;
        }
        self.reserved.extend(ports.reserved);
        let persona = self.special(system, persona, ports.network, &what);
        if is_true(system.map.get("netboot_enabled")) == Some(false) {
            let why = "Cobbler had done with it: it booted its disk";
            let help = "leave its rule unarmed, and nothing wipes it; `greenroom device arm MAC` installs it anew";
            self.out.left_behind.push(LeftBehind::look(&system.place("netboot_enabled"), &what, why, help));
        }
        if let Some((key, file)) = ["autoinstall", "kickstart"].iter().find_map(|key| Some((key, system.text(key)?)))
            && file != "<<inherit>>"
        {
            let what = format!("the answer file {file} of {what}");
            let why = "its persona is that of its profile, with the profile's answers";
            let help = "give it a persona of its own";
            self.out.left_behind.push(LeftBehind::lost(&system.place(key), &what, why, help));
        }
        self.extras(system, &what);
        let name = self.out.section.rule_name(own);
        let when = Match { mac: ports.macs, ..Match::default() };
        self.out.section.rules.push(Rule { place: system.path.to_owned(), name, when, persona });
    }

    /// Cobbler's DHCP gets its subnets from a template; what systems say of theirs is all that is known here. Those that say
    /// it come first, so that the others find their subnet.
    pub(super) fn reserve(&mut self) {
        let (with_net, without): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.reserved).into_iter().partition(|reserved| reserved.net.is_some());
        let left = &mut self.out.left_behind;
        for Reserved { place, mac, ip, net, gateway, hostname } in with_net.into_iter().chain(without) {
            let dhcp = &mut self.out.section.dhcp;
            let known = dhcp.as_ref().is_some_and(|dhcp| dhcp.subnets.iter().any(|subnet| subnet.usable(ip)));
            if net.is_none() && !known {
                let named = hostname.map(|hostname| format!(", hostname: {hostname}")).unwrap_or_default();
                let help = format!("add it to its subnet: `- {{mac: \"{mac}\", ip: {ip}{named}}}`");
                let what = format!("reservation of {ip} for {mac}");
                let why = "it has no netmask, so its subnet is not known";
                left.push(LeftBehind::lost(&place, &what, why, &help));
                continue;
            }
            let dhcp = dhcp.get_or_insert_with(|| Dhcp {
                place: "the systems' addresses; Cobbler's own subnets and pools stand in its dhcpd template".to_owned(),
                mode: DhcpMode::Full,
                interfaces: vec![],
                authoritative: true,
                subnets: vec![],
            });
            if let Some(net) = net
                && let Some(subnet) = dhcp.subnet(net, &place, left)
                && let Some(gateway) = gateway.filter(|gateway| subnet.usable(*gateway))
            {
                subnet.router.get_or_insert(gateway);
            }
            dhcp.reserve(mac, ip, hostname, &place, left);
        }
        // A subnet that nothing could be reserved in stays: the configuration takes it, and the router is known.
        if self.out.section.dhcp.as_ref().is_some_and(|dhcp| dhcp.subnets.is_empty()) {
            self.out.section.dhcp = None;
        }
    }

    /// The persona of a system: its profile's, or one of its own when it has kernel options, name servers, search
    /// domains, a proxy, bonds or VLANs.
    fn special(
        &mut self,
        system: &Object<'_>,
        persona: PersonaName,
        network: Option<Network>,
        what: &str,
    ) -> PersonaName {
        let mut options = Options::new();
        blend(&mut options, system.map.get("kernel_options"));
        let servers = words(system.map.get("name_servers"));
        let servers: Vec<String> = servers.into_iter().filter(|server| server != "<<inherit>>").collect();
        let args = self.kernel_args(options, &system.place("kernel_options"), what);
        let dns = self.name_servers(&servers, &system.place("name_servers"), what);
        let domains = words(system.map.get("name_servers_search"));
        let domains: Vec<String> = domains.into_iter().filter(|domain| domain != "<<inherit>>").collect();
        let search = self.search_domains(&domains, &system.place("name_servers_search"), what);
        let url = system.text("proxy").filter(|url| *url != "<<inherit>>");
        let proxy = url.and_then(|url| self.proxy(url, &system.place("proxy"), what));
        let Some(base) = self.out.personas.iter().find(|draft| draft.name == persona) else { return persona };
        let mut own = base.persona.clone();
        let mut comments = base.comments.clone();
        comments.insert(0, format!("{persona}, with what is special about {what}."));
        let before = own.clone();
        let fresh = |arg: &String| !before.os.kernel_args.contains(arg);
        // `!quiet` takes away what the profile said.
        let gone = system.map.get("kernel_options").and_then(serde_json::Value::as_object);
        for key in gone.into_iter().flat_map(|map| map.keys()).filter_map(|key| key.strip_prefix('!')) {
            own.os.kernel_args.retain(|arg| arg.split('=').next() != Some(key));
        }
        own.os.kernel_args.extend(args.into_iter().filter(fresh));
        if !dns.is_empty() {
            own.network.dns = dns;
        }
        if !search.is_empty() {
            own.network.search = search;
        }
        own.network.proxy = proxy.or(own.network.proxy);
        if let Some(Network { interfaces, vlans, bonds, .. }) = network {
            own.network = Network { interfaces, vlans, bonds, ..own.network };
        }
        if own == before {
            return persona;
        }
        own.network.hostname = system.text("hostname").and_then(super::super::name::host_name).or(own.network.hostname);
        own.description = super::super::name::one_line(&format!("{}, as {}", own.description, name(system)));
        let given =
            self.personas.give(&format!("{persona}-{}", name(system)), "the persona of", system.path, &mut vec![]);
        let Ok(given) = given.parse::<PersonaName>() else { return persona };
        let place = system.path.to_owned();
        self.out.personas.push(PersonaDraft { name: given.clone(), place, comments, persona: own });
        given
    }
}
