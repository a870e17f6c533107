//! `greenroom cache`.

mod replay;

use clap::Subcommand;

use super::{Done, Failure, Global, out, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom cache replay trace.csv --ram 4GiB --disk 100GiB";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the cache's policy over a trace of requests, beside others.
    Replay(replay::Args),
}

pub(super) fn run(command: Command, global: &Global) -> Done {
    match command {
        Command::Replay(args) => replay::run(&args, global),
    }
}
