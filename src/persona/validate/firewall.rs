//! The firewall: what it allows, and whom it would lock out.

use ipnet::IpNet;

use crate::{
    document::Check,
    persona::{
        Persona,
        intent::SERVICES,
        known::{did_you_mean, nearest},
        schema::{Allow, Family, Firewall, Policy, Protocol},
    },
};

use super::brief;

/// More allows than this are compared with no others: nobody wrote them by hand.
const MANY: usize = 500;

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    let Some(firewall) = &persona.security.firewall else { return };
    for (at, allow) in firewall.allow.iter().enumerate() {
        let path = format!("security.firewall.allow.{at}");
        let names = SERVICES.iter().map(|(name, ..)| *name);
        let listed = || format!("known here: {}", names.clone().collect::<Vec<_>>().join(", "));
        let (holds, field, message, help) = match (&allow.service, allow.port) {
            (Some(service), Some(port)) => {
                let message = format!("`{}` is a service and has its ports: what is {port}?", brief(service));
                (false, ".port", message, "write either `service` or `port`".to_owned())
            }
            (None, None) => (false, "", "this allows nothing".to_owned(), "give a `service` or a `port`".to_owned()),
            (Some(service), None) => {
                let message = format!("`{}` is no service that Greenroom knows", brief(service));
                let meant = nearest(service, names.clone());
                (allow.ports().is_some(), ".service", message, did_you_mean(meant, &listed()))
            }
            (None, Some(_)) => (true, "", String::new(), String::new()),
        };
        check.require(holds, "GR095", &format!("{path}{field}"), message, &help);
        let before = firewall.allow[..at.min(MANY)].iter().position(|other| overlap(allow, other));
        let message = format!("this is allowed by rule {} of the list already", before.unwrap_or(0) + 1);
        check.warn(before.is_none(), "GR096", &path, message, "join the two");
    }
    lockout(check, persona, firewall);
}

/// Whether something is allowed by both.
fn overlap(one: &Allow, other: &Allow) -> bool {
    let (Some((protocol, ports)), Some((other_protocol, other_ports))) = (one.ports(), other.ports()) else {
        return false;
    };
    let nets = one.from.is_empty()
        || other.from.is_empty()
        || one.from.iter().any(|net| other.from.iter().any(|other| net.contains(other) || other.contains(net)));
    protocol == other_protocol && ports.first <= other_ports.last && other_ports.first <= ports.last && nets
}

/// Whoever comes in by SSH must still come in. The agent needs nothing: it calls the server, and answers come back.
fn lockout(check: &mut Check<'_>, persona: &Persona, firewall: &Firewall) {
    let linux = !matches!(persona.os.distribution().family(), Family::Windows | Family::Other);
    let has_key = persona.security.users.iter().find(|user| !user.ssh_keys.is_empty());
    let served =
        persona.apps.services.enable.iter().any(|unit| ["ssh", "sshd"].contains(&unit.trim_end_matches(".service")));
    let ssh = &persona.security.ssh;
    let wanted = has_key.is_some() || served || ssh.password_login || ssh.root_login;
    if !linux || !wanted || firewall.default == Policy::Allow {
        return;
    }
    let ports = ssh_ports(persona);
    let ipv6 = persona.network.ipv6 != Some(false);
    let comes_from_outside = |net: &IpNet| !net.addr().is_loopback() && (ipv6 || matches!(net, IpNet::V4(_)));
    let open = firewall.allow.iter().any(|allow| {
        let reached = allow.from.is_empty() || allow.from.iter().any(comes_from_outside);
        let matches = allow.ports().is_some_and(|(protocol, range)| {
            protocol == Protocol::Tcp && ports.iter().any(|port| (range.first..=range.last).contains(port))
        });
        reached && matches
    });
    let who = has_key.map_or_else(|| "admins".to_owned(), |user| format!("`{}`", brief(&user.name)));
    let message = format!("the firewall drops SSH, and locks out {who}");
    let help = "allow `service: ssh`, with `from:` for your networks only; what the device itself asks for, its agent too, \
                always comes through";
    check.require(open, "GR094", "security.firewall", message, help);
}

/// The ports that sshd listens on: those of its own configuration, when the persona writes it.
fn ssh_ports(persona: &Persona) -> Vec<u16> {
    let configs = persona.apps.files.iter().filter(|file| file.path.starts_with("/etc/ssh/sshd_config"));
    let lines = configs.flat_map(|file| file.content.lines());
    let named = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        words.next().filter(|word| word.eq_ignore_ascii_case("port"))?;
        words.next()?.parse().ok()
    });
    let named: Vec<u16> = named.collect();
    if named.is_empty() { vec![22] } else { named }
}
