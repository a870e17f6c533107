//! `greenroom cache`: a file for each of its commands.

mod evict;
mod explain;
mod pin;
mod plan;
mod replay;
mod status;
mod trace;

use clap::Subcommand;

use crate::model::image::ImageName;

use super::{Done, Failure, Global, client, out, say, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom cache status
  greenroom cache explain debian-live/rootfs    where it is, and why
  greenroom cache explain 3f2a                  the beginning of a digest
  greenroom cache pin debian-live               fetched now, and kept on disk
  greenroom cache pin debian-live --tier ram
  greenroom cache unpin debian-live
  greenroom cache evict debian-old
  greenroom cache plan --dry-run                what would move next, and why
  greenroom cache plan                          moves it now
  greenroom cache trace lab-day > trace.csv     requests to try it with
  greenroom cache replay trace.csv --ram 8GiB --disk 40GiB
  greenroom cache replay trace.csv --ram 8GiB --disk 40GiB --forecast f.csv
  greenroom cache replay trace.csv --ram 8GiB --disk 40GiB \\
      --perfect-forecast 1h                     what prediction could give";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what the tiers hold, how often they were of use, and what moves.
    Status,
    /// Say where a blob is, why, and what would make it move.
    Explain {
        /// A digest, the beginning of one, an image or one of its files.
        #[arg(value_name = "DIGEST|IMAGE[/ROLE]")]
        of: String,
    },
    /// Keep an image in the cache, whatever is asked for meanwhile.
    ///
    /// Its files are fetched now, before any device asks, and stay until the pin is taken back. Pins outlive a restart.
    Pin {
        /// Which.
        image: ImageName,
        /// Where its files stay at least.
        #[arg(long, default_value = "disk")]
        tier: pin::To,
    },
    /// Take a pin back. What is not asked for goes when its room is wanted.
    Unpin {
        /// Which.
        image: ImageName,
    },
    /// Drop blobs from the cache. What is being read, fetched or is pinned stays, and is said so.
    ///
    /// Nothing is lost: the next device that asks has them fetched anew. By itself the cache takes none of them in for ten
    /// minutes.
    Evict {
        /// A digest, the beginning of one, an image or one of its files.
        #[arg(value_name = "DIGEST|IMAGE[/ROLE]")]
        of: String,
        /// Out of this tier only; the disk keeps it then.
        #[arg(long)]
        tier: Option<evict::From>,
    },
    /// Show what the cache would move now, and why; without --dry-run, move it now.
    ///
    /// The cache takes these steps by itself, one after the other, but slowly, and not while devices are served. Without
    /// --dry-run they are taken now and at full speed, and blobs that could not be had are tried again.
    Plan {
        /// Only show it.
        #[arg(long)]
        dry_run: bool,
    },
    /// Run the cache's policy over a trace of requests, beside others.
    #[command(long_about = replay::ABOUT)]
    Replay(replay::Args),
    /// Make up a trace of requests, to try the cache with.
    #[command(long_about = trace::ABOUT)]
    Trace(trace::Args),
}

pub(super) async fn run(command: Command, global: &Global) -> Done {
    match command {
        Command::Status => status::run(global).await,
        Command::Explain { of } => explain::run(of, global).await,
        Command::Pin { image, tier } => pin::run(image, tier.into(), global).await,
        Command::Unpin { image } => pin::run(image, crate::model::image::Tier::Origin, global).await,
        Command::Evict { of, tier } => evict::run(of, tier.is_some(), global).await,
        Command::Plan { dry_run: true } => plan::show(global).await,
        Command::Plan { dry_run: false } => plan::carry_out(global).await,
        Command::Replay(args) => replay::run(&args, global),
        Command::Trace(args) => trace::run(&args, global),
    }
}

/// A share, as tables show it; of nothing there is none.
fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "-".into(),
        whole => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
    }
}
