//! `greenroom boots`.

use std::fmt::Write;

use crate::{
    app,
    model::{BootId, Fact, MacAddr, Record, timeline::Boot},
    usage::{
        staging,
        timeline::{self, Line},
    },
};

use super::{Done, Failure, Global, client::Daemon, out, say, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom boots                                  the latest attempts
  greenroom boots 3k9x0m2v7q                       one attempt's timeline
  greenroom boots --mac 52:54:00:77:00:02 --timeline
  greenroom boots --follow                         as they happen";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One attempt, with its timeline.
    id: Option<BootId>,
    /// Only the attempts of the device with this port.
    #[arg(long)]
    mac: Option<MacAddr>,
    /// At most so many, the latest first.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Show the timeline of each.
    #[arg(long)]
    timeline: bool,
    /// Show steps as they are taken, until interrupted.
    #[arg(long, conflicts_with_all = ["id", "timeline"])]
    follow: bool,
}

/// How wide the bars are.
const BAR: usize = 20;

pub(super) async fn run(args: Args, global: &Global) -> Done {
    let daemon = Daemon::new(global)?;
    if args.follow {
        return follow(&daemon, &args, global).await;
    }
    let boots: Vec<Boot> = match args.id {
        Some(id) => vec![daemon.get(&format!("/boots/{id}")).await?],
        None => {
            let mac = args.mac.map(|mac| format!("&mac={mac}")).unwrap_or_default();
            daemon.get(&format!("/boots?limit={}{mac}", args.limit)).await?
        }
    };
    if global.json {
        return say_json(&boots);
    }
    if args.timeline || args.id.is_some() {
        say(&boots.iter().map(drawn).collect::<Vec<_>>().join("\n\n"));
        return Ok(());
    }
    let mut table = out::table(&["boot", "began", "device", "firmware", "state", "took", "staged", "why"]);
    for boot in &boots {
        table.add_row([
            boot.id.to_string(),
            boot.began.to_string(),
            boot.device.to_string(),
            boot.firmware.to_string(),
            timeline::state(boot).to_owned(),
            timeline::took(boot, app::clock()).to_string(),
            staging::at_hand(boot).map_or_else(|| "-".into(), |(hits, all)| format!("{hits} of {all}")),
            timeline::reason(boot),
        ]);
    }
    out::say_table(&table, "no device has tried to boot yet");
    Ok(())
}

/// An attempt with its timeline.
fn drawn(boot: &Boot) -> String {
    let state = timeline::state(boot);
    let colour = match state {
        "ready" | "installed" | "local disk" => 32,
        "under way" => 33,
        "restarted" => 36,
        _ => 31,
    };
    let mut text = format!(
        "boot {} of {} ({}), began {}: {} after {}",
        boot.id,
        boot.device,
        boot.firmware,
        boot.began,
        out::coloured(state, colour),
        timeline::took(boot, app::clock())
    );
    for line in timeline::lines(boot) {
        let offset = line.offset.to_string();
        let detail = if line.bad { out::coloured(&line.detail, 31) } else { line.detail.clone() };
        let took = line.took.map(|took| took.to_string()).unwrap_or_default();
        write!(text, "\n  {offset:>12}  {}  {:8} {took:>9}  {detail}", bar(&line), line.what)
            .expect("writing to a string does not fail");
    }
    text
}

/// Where in the attempt a step lies: a mark for a moment, a bar for a span.
fn bar(line: &Line) -> String {
    let cell = |percent: u8| usize::from(percent) * (BAR - 1) / 100;
    let (start, end) = (cell(line.start_percent), cell(line.end_percent));
    (0..BAR).map(|at| if (start..=end).contains(&at) { '█' } else { '·' }).collect()
}

async fn follow(daemon: &Daemon, args: &Args, global: &Global) -> Done {
    let known: Vec<Boot> = daemon.get("/boots?limit=1000").await?;
    let mut devices: std::collections::HashMap<BootId, String> =
        known.iter().map(|boot| (boot.id, boot.device.to_string())).collect();
    let wanted = match args.mac {
        None => None,
        Some(mac) => {
            let view: Result<crate::serve::admin::DeviceView, Failure> = daemon.get(&format!("/devices/{mac}")).await;
            Some(view.map(|view| view.device.id.to_string()).unwrap_or_else(|_| mac.to_string()))
        }
    };
    let json = global.json;
    let each = |record: Record| {
        let boot = match &record.fact {
            Fact::BootStarted { boot, device, .. } => {
                devices.insert(*boot, device.to_string());
                *boot
            }
            Fact::BootMoved { boot, .. } => *boot,
            _ => return,
        };
        let device = devices.get(&boot).cloned().unwrap_or_default();
        if wanted.as_ref().is_some_and(|wanted| *wanted != device) {
            return;
        }
        if json {
            return say(&serde_json::to_string(&record).unwrap_or_default());
        }
        match &record.fact {
            Fact::BootMoved { step, .. } => {
                let (what, detail) = timeline::step(step);
                say(&format!("{} {device} {boot}  {what:8} {detail}", record.at));
            }
            _ => say(&format!("{} {device} {boot}  begins", record.at)),
        }
    };
    daemon.lines(false, "/follow", each).await
}
