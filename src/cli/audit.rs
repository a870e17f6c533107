//! `greenroom audit`.

use crate::serve::audit::Acts;

use super::{Done, Global, client::Daemon, out, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom audit
  greenroom audit --by token:helpdesk --last 20
  greenroom audit --device 52:54:00:77:00:02 --json";

/// Which acts are shown.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only what this person or token did.
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// Only what was done to the device with this port.
    #[arg(long, value_name = "MAC")]
    device: Option<crate::model::MacAddr>,
    /// How many, the latest first.
    #[arg(long, default_value_t = 50, value_name = "N")]
    last: usize,
}

pub(super) async fn run(args: Args, global: &Global) -> Done {
    let daemon = Daemon::new(global)?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(by) = &args.by {
        query.append_pair("by", by);
    }
    if let Some(device) = args.device {
        query.append_pair("device", &device.to_string());
    }
    let query = query.finish();
    let (mut found, mut next) = (vec![], None::<u64>);
    // A search through a long journal pauses: it goes on where it paused.
    loop {
        let before = next.map(|next| format!("&before={next}")).unwrap_or_default();
        let limit = args.last - found.len();
        let acts: Acts = daemon.get(&format!("/audit?{query}&limit={limit}{before}")).await?;
        found.extend(acts.acts);
        next = acts.next;
        if next.is_none() || found.len() >= args.last {
            break;
        }
    }
    if global.json {
        return say_json(&found);
    }
    let mut table = out::table(&["when", "who", "what"]);
    for act in &found {
        table.add_row([act.at.to_string(), act.by.clone(), act.said.clone()]);
    }
    out::say_table(&table, "nobody has done anything like that");
    Ok(())
}
