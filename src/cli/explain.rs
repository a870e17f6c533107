//! `greenroom explain`.

use crate::{
    model::{Arch, Firmware, MacAddr},
    serve::{
        admin::ExplainAsk,
        explain::{Told, script, told},
        predict::Foreseen,
    },
    usage::timeline,
    world::Explanation,
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
    for Told { asked, lines } in told(&explained) {
        say(&format!("  {asked:24} {}", lines.join(&format!("\n  {:24} ", ""))));
    }
    let Some(plan) = &explained.plan else {
        say(&format!("It gets no further than that.\n\n{}", predict::candidates(&foreseen)));
        return Ok(());
    };
    say(&format!("\nDecision: {}\n{}", timeline::decided(&plan.decision), predict::candidates(&foreseen)));
    if let Some(script) = script(&explained) {
        say(&format!("\nIts boot script:\n{}", script.trim_end()));
    }
    Ok(())
}
