//! `greenroom predict`: a file for each of its commands.

mod device;
mod eval;
mod journal;
mod plot;
mod sheet;
mod status;
mod task;

use std::path::PathBuf;

use clap::Subcommand;

use crate::model::MacAddr;

use super::{
    Done, Failure, Global,
    client::{self, Daemon},
    out, say, say_json,
};

pub(super) use device::candidates;

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom predict 52:54:00:77:00:02           what it is likely to become
  greenroom predict device 52:54:00:77:00:02    the same
  greenroom predict status                      what predicts, and how well
  greenroom predict retrain                     have a lesson now
  greenroom predict eval --journal facts.jsonl  how well it would have done here
  greenroom predict eval --train train.csv --test test.csv --label persona
  greenroom predict eval --train train.csv --test test.csv --label persona \\
      --labels labels.csv --plot eval.svg       labels in a file of their own
  greenroom predict eval --train train.csv --test test.csv --label persona \\
      --out predictions.csv                     nobody knows the labels yet
  greenroom predict eval --train old.csv --test new.csv --label persona \\
      --time when --group device                row by row, as it happened

Predictions never wipe a disk by themselves: see `predict` in the configuration.";

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(super) struct Args {
    /// The device's port.
    mac: Option<MacAddr>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what a device is likely to become, why, and what may come of it.
    Device {
        /// The device's port.
        mac: MacAddr,
    },
    /// Show what predicts, how well it does beside the baselines, and how predictions fared.
    Status,
    /// Have a lesson now, rather than when the next one is due.
    Retrain,
    /// Try on tables of your own, or on the site's own history, how well personas can be predicted.
    #[command(long_about = eval::ABOUT)]
    Eval {
        /// Try it on the site's own history instead: the journal, or what `greenroom journal export` printed. Without FILE it is the
        /// configured journal. The latest fifth of what it teaches is predicted, each from what was known before it.
        #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with = "Args")]
        journal: Option<Option<PathBuf>>,
        #[command(flatten)]
        tables: Option<eval::Args>,
    },
}

pub(super) async fn run(args: Args, global: &Global) -> Done {
    match (args.command, args.mac) {
        (Some(Command::Device { mac }), _) | (None, Some(mac)) => device::run(mac, global).await,
        (Some(Command::Status), _) => status::run(global).await,
        (Some(Command::Retrain), _) => retrain(global).await,
        (Some(Command::Eval { journal: Some(journal), .. }), _) => journal::run(journal, global),
        (Some(Command::Eval { tables: Some(tables), .. }), _) => eval::run(&tables, global),
        (Some(Command::Eval { journal: None, tables: None }), _) | (None, None) => {
            Err(Failure::Wrong("this says too little: see --help".into()))
        }
    }
}

async fn retrain(global: &Global) -> Done {
    Daemon::new(global)?.tell("/predict/retrain", &()).await?;
    match global.json {
        true => say_json(&serde_json::json!({ "done": "a lesson begins" })),
        false => {
            say("a lesson begins: `greenroom predict status` shows how far it is");
            Ok(())
        }
    }
}
