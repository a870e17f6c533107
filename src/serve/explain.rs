//! What would happen if a device booted now, as the admin's door and the API tell it.

use serde::Serialize;

use crate::{
    model::{
        Firmware, Moment,
        dhcp::{BootOptions, DhcpAnswer, NetworkOptions},
    },
    wire::{
        ipxe_script::{self, Links},
        paths::server_url,
        pxe_options::{IPXE_NO_PROXY, vendor_class, vendor_options},
    },
    world::{Answer, Explanation, Stamp, Subject, explain},
};

use super::{Context, admin::ExplainAsk, net};

/// What would happen if a device booted now; `None` on a server that no device could reach.
pub(super) fn explained(context: &Context, ask: &ExplainAsk) -> Option<Explanation> {
    let (world, ground) = (context.engine.world(), context.engine.ground());
    let interfaces = net::interfaces().unwrap_or_default();
    // The interface that it would most likely come in by: one on a subnet that we serve.
    let serves =
        |interface: &&net::Interface| ground.site.subnets.iter().any(|subnet| subnet.net.contains(&interface.address));
    let interface = interfaces.iter().find(serves).or(interfaces.first())?;
    let subject = Subject {
        mac: ask.mac,
        firmware: ask.firmware,
        arch: ask.arch,
        interface: interface.name.clone(),
        server: interface.address,
    };
    let now: Moment = (context.clock)();
    Some(explain(&world, &ground, &subject, Stamp { now, nonce: now.as_millis() }))
}

/// One exchange, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Who asked what.
    pub asked: String,
    /// What was answered.
    pub lines: Vec<String>,
}

/// The exchanges until the script, in words.
pub fn told(explained: &Explanation) -> Vec<Told> {
    let one = |answer: &Answer| match answer {
        Answer::Dhcp { asked, answer, refused, .. } => {
            let mut lines = answered(answer, explained.firmware);
            lines.extend(refused.iter().map(|why| format!("nothing to boot: {why}")));
            Told { asked: asked.clone(), lines }
        }
        Answer::Silence { asked, silence } => Told { asked: asked.clone(), lines: vec![format!("nothing: {silence}")] },
    };
    explained.answers.iter().map(one).collect()
}

/// The boot script that it would get, without the attempt's real token.
pub fn script(explained: &Explanation) -> Option<String> {
    let server = explained.answers.iter().rev().find_map(|answer| match answer {
        Answer::Dhcp { answer, .. } => Some(answer.server),
        Answer::Silence { .. } => None,
    })?;
    let server = server_url(server, explained.http_port);
    let links = Links { server, boot: explained.boot?, token: "TOKEN".into(), syslog: None };
    Some(ipxe_script::script(explained.plan.as_ref()?, &links))
}

/// An answer as lines: what it is, what makes its address useful, what is booted.
fn answered(answer: &DhcpAnswer, firmware: Firmware) -> Vec<String> {
    let kind = format!("{:?}", answer.kind).to_lowercase();
    let what = match answer.yiaddr.is_unspecified() {
        true => format!("{kind} by {}, no address", answer.server),
        false => format!("{kind} by {}: {}", answer.server, answer.yiaddr),
    };
    let network = answer.network.as_ref().map(addressed);
    let boot = answer.boot.as_ref().map(|boot| booted(boot, firmware));
    [Some(what), network, boot].into_iter().flatten().collect()
}

/// The options that go with an address.
fn addressed(network: &NetworkOptions) -> String {
    let many = |ips: &[std::net::Ipv4Addr]| ips.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let parts = [
        Some(("mask", network.mask.to_string())),
        network.lease.map(|lease| ("lease", lease.to_string())),
        network.router.map(|router| ("router", router.to_string())),
        (!network.dns.is_empty()).then(|| ("dns", many(&network.dns))),
        network.domain.clone().map(|domain| ("domain", domain)),
        (!network.ntp.is_empty()).then(|| ("ntp", many(&network.ntp))),
        network.mtu.map(|mtu| ("mtu", mtu.to_string())),
        network.hostname.clone().map(|name| ("hostname", name)),
    ];
    parts.into_iter().flatten().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

/// The options that make it boot.
fn booted(boot: &BootOptions, firmware: Firmware) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut parts: Vec<String> = boot.bootfile.iter().map(|bootfile| format!("boot {bootfile}")).collect();
    parts.push(format!("option 60 {}", vendor_class(boot.flavour)));
    parts.extend(vendor_options(boot.vendor, firmware).map(|bytes| format!("option 43 {}", hex(&bytes))));
    parts.extend(boot.ipxe_no_proxy.then(|| format!("option 175 {}", hex(&IPXE_NO_PROXY))));
    parts.join(", ")
}
