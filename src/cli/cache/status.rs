//! `greenroom cache status`.

use crate::{
    model::Bytes,
    serve::cache::{CacheStatus, ComingView},
};

use super::{Done, Global, client::Daemon, out, percent, plan::left_alone, say, say_json};

pub(super) async fn run(global: &Global) -> Done {
    let status: CacheStatus = Daemon::new(global)?.get("/cache").await?;
    if global.json {
        return say_json(&status);
    }
    let asks: u64 = status.tiers.iter().map(|tier| tier.hits).sum();
    let served: u64 = status.tiers.iter().map(|tier| tier.served.0).sum();
    let mut table = out::table(&["tier", "held", "of", "blobs", "asks", "share", "served", "share"]);
    for tier in &status.tiers {
        let bytes = |bytes: Option<Bytes>| bytes.map_or_else(|| "-".into(), |bytes| bytes.to_string());
        table.add_row([
            tier.tier.to_string(),
            bytes(tier.held),
            bytes(tier.size),
            tier.blobs.map_or_else(|| "-".into(), |blobs| blobs.to_string()),
            tier.hits.to_string(),
            percent(tier.hits, asks),
            tier.served.to_string(),
            percent(tier.served.0, served),
        ]);
    }
    out::say_table(&table, "");
    say("");
    for (name, value) in lines(&status) {
        say(format!("{name:8} {value}").trim_end());
    }
    Ok(())
}

/// What there is to say beside the tiers.
fn lines(status: &CacheStatus) -> Vec<(&'static str, String)> {
    let origin = &status.origin;
    let mut said = format!("{} in {}, {} failed", origin.bytes, counted(origin.fills, "fetch"), origin.failures);
    if origin.errors > 0 {
        said += &format!("; {}", counted(origin.errors, "error"));
    }
    if origin.passed > 0 {
        said += &format!("; {} passed through for want of room", counted(origin.passed, "ask"));
    }
    let mut lines = vec![("origins", said)];
    if status.rot > 0 {
        lines.push((
            "rot",
            format!(
                "found {} on disk, {} repaired in place",
                counted(status.rot, "time"),
                counted(status.repaired, "chunk")
            ),
        ));
    }
    lines.extend(status.coming.iter().map(|coming| ("coming", come(coming))));
    if !status.pins.is_empty() {
        let pins: Vec<String> = status.pins.iter().map(|(image, tier)| format!("{image} to {tier}")).collect();
        lines.push(("pinned", pins.join(", ")));
    }
    let keeper = &status.keeper;
    let taken: Vec<String> = keeper
        .done
        .iter()
        .filter(|(_, (steps, _))| *steps > 0)
        .map(|(kind, (steps, bytes))| format!("{} ({bytes})", counted(*steps, kind.name())))
        .collect();
    let now = match (keeper.hold, keeper.planned) {
        (_, 0) if status.coming.iter().any(|view| !view.coming.waited) => "fetches what is coming".to_owned(),
        (_, 0) => "nothing to do".to_owned(),
        (None, planned) => format!("{} to take", counted(planned as u64, "step")),
        (Some(hold), planned) => format!("{} to take, but {hold}", counted(planned as u64, "step")),
    };
    let mut said = vec![now];
    if !taken.is_empty() {
        said.push(format!("took {}", taken.join(", ")));
    }
    if keeper.failures > 0 {
        said.push(format!("{} failed", keeper.failures));
    }
    if keeper.scrubbed.0 > 0 {
        said.push(format!("looked at {} for rot", keeper.scrubbed));
    }
    lines.push(("keeper", said.join("; ")));
    lines.extend(keeper.waiting.iter().map(|waiting| ("", left_alone(waiting))));
    lines
}

fn come(view: &ComingView) -> String {
    let coming = &view.coming;
    let of = coming.len.map(|len| format!(" of {len}")).unwrap_or_default();
    let whom = if coming.waited { "a device or an operator waits for it" } else { "before anybody asks" };
    format!("{}: {}{of}, {} a second, {whom}", view.name, coming.arrived, coming.rate)
}

/// `1 step`, `2 steps`, `3 fetches`.
fn counted(count: u64, what: &str) -> String {
    match (count, what == "fetch") {
        (1, _) => format!("1 {what}"),
        (_, true) => format!("{count} {what}es"),
        (_, false) => format!("{count} {what}s"),
    }
}
