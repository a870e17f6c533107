//! `greenroom explain`.

use crate::{
    model::{
        Arch, Firmware, MacAddr,
        dhcp::{BootOptions, DhcpAnswer, NetworkOptions},
    },
    serve::{admin::ExplainAsk, predict::Foreseen},
    usage::timeline,
    wire::{
        ipxe_script::{self, Links},
        paths::server_url,
        pxe_options::{IPXE_NO_PROXY, vendor_class, vendor_options},
    },
    world::{Answer, Explanation},
};

use super::{Done, Global, client::Daemon, predict, say, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom explain 52:54:00:77:00:02
  greenroom explain 52:54:00:99:00:01 --firmware efi-http --arch x64  unseen

Nothing is changed, and nothing is sent: the exchange is played against a copy of what the daemon knows.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The device's port.
    mac: MacAddr,
    /// Its architecture, when not as last seen: x64, arm64, ia32, ...
    #[arg(long)]
    arch: Option<Arch>,
    /// Its firmware, when not as last seen: bios, efi-pxe, efi-http, ipxe-bios, ipxe-efi.
    #[arg(long)]
    firmware: Option<Firmware>,
}

/// What would be answered, and what is predicted.
#[derive(Debug, serde::Serialize)]
struct Explained {
    #[serde(flatten)]
    explained: Explanation,
    foreseen: Foreseen,
}

pub(super) async fn run(args: Args, global: &Global) -> Done {
    let ask = ExplainAsk { mac: args.mac, arch: args.arch, firmware: args.firmware };
    let daemon = Daemon::new(global)?;
    let explained: Explanation = daemon.post("/explain", &ask).await?;
    let foreseen: Foreseen = daemon.get(&format!("/predict/devices/{}", args.mac)).await?;
    if global.json {
        return say_json(&Explained { explained, foreseen });
    }
    say(&format!("{} as {} on {} would be answered:", args.mac, explained.firmware, explained.arch));
    let mut server = None;
    for answer in &explained.answers {
        match answer {
            Answer::Dhcp { asked, answer, refused, .. } => {
                server = Some(answer.server);
                let mut lines = told(answer, explained.firmware);
                lines.extend(refused.iter().map(|why| format!("nothing to boot: {why}")));
                say(&format!("  {asked:24} {}", lines.join(&format!("\n  {:24} ", ""))));
            }
            Answer::Silence { asked, silence } => say(&format!("  {asked:24} nothing: {silence}")),
        }
    }
    let Some(plan) = &explained.plan else {
        say(&format!("It gets no further than that.\n\n{}", predict::candidates(&foreseen)));
        return Ok(());
    };
    say(&format!("\nDecision: {}\n{}", timeline::decided(&plan.decision), predict::candidates(&foreseen)));
    if let (Some(server), Some(boot)) = (server, explained.boot) {
        let links =
            Links { server: server_url(server, explained.http_port), boot, token: "TOKEN".into(), syslog: None };
        say(&format!("\nIts boot script:\n{}", ipxe_script::script(plan, &links).trim_end()));
    }
    Ok(())
}

/// An answer as lines: what it is, what makes its address useful, what is booted.
fn told(answer: &DhcpAnswer, firmware: Firmware) -> Vec<String> {
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
