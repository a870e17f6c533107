//! `greenroom journal`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::journal::Journal;

use super::{Done, Global, say};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom journal export | jq 'select(.fact == \"persona-assigned\")'
  greenroom journal export --file /backup/journal.redb

The daemon keeps its journal open: stop it first, or export a copy.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print every fact as a line of JSON, the oldest first.
    Export {
        /// The journal; the configured one when not given.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

pub(super) fn run(command: Command, global: &Global) -> Done {
    let Command::Export { file } = command;
    let path = match file {
        Some(path) => path,
        None => global.config()?.state_dir.join("journal.redb"),
    };
    if !path.is_file() {
        return Err(format!("there is no journal at {}", path.display()).into());
    }
    let (journal, _) = Journal::open(&path).map_err(|error| error.to_string())?;
    for record in journal.records().map_err(|error| error.to_string())? {
        let record = record.map_err(|error| error.to_string())?;
        say(&serde_json::to_string(&record).map_err(|error| error.to_string())?);
    }
    Ok(())
}
