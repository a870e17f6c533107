//! `greenroom image gc`: what the cache holds for nobody, and abandoned downloads.

use std::time::Duration;

use serde_json::json;

use crate::{
    images::{self, Abandoned, Unnamed},
    model::Bytes,
};

use super::{Done, Global, client::Daemon, out, say, say_json};

/// A download that nobody went on with for so long will not be gone on with.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only show what would go.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: Args, global: &Global) -> Done {
    let daemon = Daemon::new(global)?;
    let found: Vec<Unnamed> = daemon.get("/images/gc").await?;
    let gone: Vec<Unnamed> = match args.dry_run || found.is_empty() {
        true => found.iter().filter(|one| !one.is_read).copied().collect(),
        false => daemon.post("/images/gc", &()).await?,
    };
    let kept: Vec<&Unnamed> = found.iter().filter(|one| !gone.iter().any(|other| other.digest == one.digest)).collect();
    let mut downloads = global.config().map(|config| abandoned(&config.state_dir)).unwrap_or_default();
    if !args.dry_run {
        downloads.retain(|download| match download.remove() {
            Ok(()) => true,
            Err(error) => {
                out::note(&format!("the abandoned download of {} stays: {error}", download.origin));
                false
            }
        });
    }
    let total = Bytes(gone.iter().map(size).chain(downloads.iter().map(|download| download.len.0)).sum());
    if global.json {
        let downloads: Vec<_> = downloads.iter().map(|one| json!({ "origin": one.origin, "len": one.len })).collect();
        return say_json(&json!({
            "dry_run": args.dry_run, "gone": gone, "kept": kept, "downloads": downloads, "total": total,
        }));
    }
    let mut table = out::table(&["what", "size", "in", "state"]);
    let state = if args.dry_run { "would go" } else { "gone" };
    for one in &gone {
        table.add_row([one.digest.short(), Bytes(size(one)).to_string(), places(one).into(), state.into()]);
    }
    for one in kept {
        table.add_row([
            one.digest.short(),
            Bytes(size(one)).to_string(),
            places(one).into(),
            "being read: stays".into(),
        ]);
    }
    for one in &downloads {
        table.add_row([one.origin.to_string(), one.len.to_string(), "downloads".into(), state.into()]);
    }
    out::say_table(&table, "the cache holds nothing that no image names");
    if total.0 > 0 {
        say(&match args.dry_run {
            true => format!("\n{total} would be freed"),
            false => format!("\n{total} are freed"),
        });
    }
    Ok(())
}

fn abandoned(state_dir: &std::path::Path) -> Vec<Abandoned> {
    images::abandoned(&images::downloads(state_dir), ABANDONED)
}

/// What a blob takes, at most: it is the same bytes in either tier.
fn size(one: &Unnamed) -> u64 {
    one.disk.0.max(one.ram.0)
}

fn places(one: &Unnamed) -> &'static str {
    match (one.ram.0 > 0, one.disk.0 > 0) {
        (true, true) => "RAM, disk",
        (true, false) => "RAM",
        (false, _) => "disk",
    }
}
