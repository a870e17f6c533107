//! `greenroom predict`: a file for each of its commands.

mod eval;
mod plot;
mod sheet;
mod task;

use clap::Subcommand;

use super::{Done, Failure, Global, out, say, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom predict eval --train train.csv --test test.csv --label persona
  greenroom predict eval --train train.csv --test test.csv --label persona \\
      --labels labels.csv --plot eval.svg       labels in a file of their own
  greenroom predict eval --train train.csv --test test.csv --label persona \\
      --out predictions.csv                     nobody knows the labels yet
  greenroom predict eval --train old.csv --test new.csv --label persona \\
      --time when --group device                row by row, as it happened";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Try on tables of your own how well personas can be predicted.
    #[command(long_about = eval::ABOUT)]
    Eval(eval::Args),
}

pub(super) async fn run(command: Command, global: &Global) -> Done {
    match command {
        Command::Eval(args) => eval::run(&args, global),
    }
}
