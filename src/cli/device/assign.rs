//! `greenroom device assign`: one device, or every one that a filter fits.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;

use crate::{
    app,
    model::{
        MacAddr, Moment, PersonaName, Seconds,
        command::{Line, Order, Orders},
    },
    usage::filter::Filter,
};

use super::{
    super::{
        Done, Failure, Global,
        client::{Daemon, operator},
        say, say_json,
    },
    list,
};

/// How many devices one order names at most: it is carried out whole, while devices wait.
const AT_ONCE: usize = 1000;

#[derive(Debug, Args)]
#[command(allow_missing_positional = true)]
pub(in crate::cli) struct Assign {
    /// Any of its ports.
    #[arg(required_unless_present = "filter", conflicts_with = "filter")]
    mac: Option<MacAddr>,
    /// Which persona.
    persona: PersonaName,
    /// Give leave to wipe its disk, too.
    #[arg(long)]
    arm: bool,
    /// Every device that fits, instead of one: role=developer and location~"berlin*".
    #[arg(long = "where", value_name = "FILTER")]
    filter: Option<Filter>,
    /// From when on it holds: 2026-12-01T08:00 (here), 2026-12-01T08:00Z, or 2h from now.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Moment>,
    /// Until when it holds, likewise.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Moment>,
    /// Why: shown with every decision that follows from it.
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
    /// Do not ask whether so many devices are meant.
    #[arg(long, requires = "filter")]
    yes: bool,
}

/// A point in time as people write it: with an offset, without one (this machine's time zone), or as a span from now.
fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(span) = text.trim_start_matches('+').parse::<Seconds>() {
        return Ok(app::clock().plus(span));
    }
    let exact = text.parse::<jiff::Timestamp>().ok();
    let here = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::system()).ok();
    let time = exact.or_else(|| here().map(|time| time.timestamp()));
    let millis = time.and_then(|time| u64::try_from(time.as_millisecond()).ok());
    millis.map(Moment::from_millis).ok_or_else(|| "write 2026-12-01T08:00, 2026-12-01T08:00Z, or 2h".into())
}

pub(super) async fn run(assign: Assign, daemon: &Daemon, global: &Global) -> Done {
    let Assign { mac, persona, arm, filter, from, until, why, yes } = assign;
    let order =
        Order::AssignPersona { persona: persona.clone(), arm, not_before: from, expires: until, why: why.clone() };
    let armed = if arm { ", armed: its disk will be wiped" } else { "" };
    let when = match (from, until) {
        (None, None) => "at its next boot".to_owned(),
        (from, until) => {
            let from = from.map(|from| format!("from {from}"));
            let until = until.map(|until| format!("until {until}"));
            [from, until].into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
    };
    let (lines, whom) = match (mac, filter) {
        (Some(mac), _) => (vec![Line::Device { mac, order, expects: None }], mac.to_string()),
        (None, filter) => {
            let Some(filter) = filter else {
                return Err(Failure::Wrong("name a device, or say which with --where".into()));
            };
            let lines = chosen(daemon, &filter, &persona, arm, yes, &order).await?;
            let whom = format!("{} device{}", lines.len(), if lines.len() == 1 { "" } else { "s" });
            (lines, whom)
        }
    };
    let count = lines.len();
    for (n, piece) in lines.chunks(AT_ONCE).enumerate() {
        let orders = Orders { by: operator(), key: None, said: None, lines: piece.to_vec() };
        let told = daemon.tell("/orders", &orders).await;
        told.map_err(|failure| match failure {
            Failure::Failed(why) if count > 1 => {
                Failure::Failed(format!("{} of {count} devices are assigned; then: {why}", n * AT_ONCE))
            }
            failure => failure,
        })?;
    }
    let verb = if count == 1 { "becomes" } else { "become" };
    let done = format!("{whom} {verb} {persona} {when}{armed}");
    match (global.json, mac) {
        (true, Some(mac)) => say_json(&serde_json::json!({ "mac": mac, "done": done })),
        (true, None) => say_json(&serde_json::json!({ "devices": count, "done": done })),
        (false, _) => {
            say(&done);
            Ok(())
        }
    }
}

/// The devices that a filter fits, once somebody has said that they are meant. Each order expects its device as it was shown.
async fn chosen(
    daemon: &Daemon,
    filter: &Filter,
    persona: &PersonaName,
    arm: bool,
    yes: bool,
    order: &Order,
) -> Result<Vec<Line>, Failure> {
    let devices = list::find(daemon, Some(filter)).await?;
    if devices.is_empty() {
        return Err(Failure::Failed(format!("no device fits {filter}: nothing was done")));
    }
    let wiped = if arm { " AND ARMED: disks may be wiped" } else { "" };
    let count = devices.len();
    if !yes {
        let (fits, they) = if count == 1 { ("device fits", "it") } else { ("devices fit", "they") };
        let question = format!("{count} {fits} {filter}: {they} would be assigned {persona}{wiped}");
        if !io::stdin().is_terminal() {
            return Err(Failure::Failed(format!("{question}; say --yes to do it")));
        }
        // Without an answer, nothing is done.
        drop(write!(io::stderr().lock(), "{question}. Do it? [y/N] "));
        let mut answer = String::new();
        drop(io::stdin().lock().read_line(&mut answer));
        if !["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
            return Err(Failure::Failed("nothing was done".into()));
        }
    }
    let line = |device: &crate::model::Device| Line::Device {
        mac: device.id.mac(),
        order: order.clone(),
        expects: Some(device.changed),
    };
    Ok(devices.iter().map(|view| line(&view.device)).collect())
}
