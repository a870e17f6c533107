//! `greenroom explain`.

use crate::{
    model::{Arch, BootId, Firmware, MacAddr, dhcp::DhcpAnswer},
    serve::admin::ExplainAsk,
    usage::timeline,
    wire::{
        ipxe_script::{self, Links},
        paths::server_url,
    },
    world::{Answer, Explanation},
};

use super::{Done, Global, client::Daemon, say, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom explain 52:54:00:77:00:02
  greenroom explain 52:54:00:99:00:01 --firmware efi-http --arch x64   a device never seen yet

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

pub(super) async fn run(args: Args, global: &Global) -> Done {
    let ask = ExplainAsk { mac: args.mac, arch: args.arch, firmware: args.firmware };
    let explained: Explanation = Daemon::new(global)?.post("/explain", &ask).await?;
    if global.json {
        return say_json(&explained);
    }
    say(&format!("{} as {} on {} would be answered:", args.mac, explained.firmware, explained.arch));
    let mut server = None;
    for answer in &explained.answers {
        match answer {
            Answer::Dhcp { asked, answer } => {
                server = Some(answer.server);
                say(&format!("  {asked:24} {}", told(answer)));
            }
            Answer::Silence { asked, silence } => say(&format!("  {asked:24} nothing: {}", silence.name())),
        }
    }
    let Some(plan) = &explained.plan else {
        say("It gets no further than that.");
        return Ok(());
    };
    say(&format!("\nDecision: {}", timeline::decided(&plan.decision)));
    if let Some(server) = server {
        let links = Links { server: server_url(server, 80), boot: BootId::new(0), token: "TOKEN".into() };
        say(&format!("\nIts boot script:\n{}", ipxe_script::script(plan, &links).trim_end()));
    }
    Ok(())
}

fn told(answer: &DhcpAnswer) -> String {
    let mut parts = vec![format!("{:?}", answer.kind).to_lowercase()];
    if !answer.yiaddr.is_unspecified() {
        parts.push(answer.yiaddr.to_string());
    }
    parts.push(format!("from {}", answer.server));
    match answer.boot.as_ref().and_then(|boot| boot.bootfile.as_deref()) {
        Some(bootfile) => parts.push(format!("boot {bootfile}")),
        None => parts.push("nothing to boot".into()),
    }
    parts.join(", ")
}
