//! `greenroom api`.

use clap::Subcommand;

use crate::serve::api;

use super::{Done, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom api openapi > greenroom.json   for generators of clients

The daemon serves the same at /api/v1/openapi.json, and a page to browse at /api/v1/.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the API's OpenAPI 3.1 document; needs no daemon.
    Openapi,
}

pub(super) fn run(command: Command) -> Done {
    let Command::Openapi = command;
    say_json(&api::document())
}
