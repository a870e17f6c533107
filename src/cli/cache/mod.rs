//! `greenroom cache`.

mod replay;
mod trace;

use clap::Subcommand;

use super::{Done, Failure, Global, out, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom cache trace lab-day > trace.csv      requests to try it with
  greenroom cache replay trace.csv --ram 8GiB --disk 40GiB
  greenroom cache replay trace.csv --ram 8GiB --disk 40GiB --forecast f.csv
  greenroom cache replay trace.csv --ram 8GiB --disk 40GiB \\
      --perfect-forecast 1h                      what prediction could give";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the cache's policy over a trace of requests, beside others.
    #[command(long_about = replay::ABOUT)]
    Replay(replay::Args),
    /// Make up a trace of requests, to try the cache with.
    #[command(long_about = trace::ABOUT)]
    Trace(trace::Args),
}

pub(super) fn run(command: Command, global: &Global) -> Done {
    match command {
        Command::Replay(args) => replay::run(&args, global),
        Command::Trace(args) => trace::run(&args, global),
    }
}
