//! `greenroom completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Done, say};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom completions bash > /etc/bash_completion.d/greenroom
  greenroom completions fish > ~/.config/fish/completions/greenroom.fish";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which shell.
    shell: Shell,
}

pub(super) fn run(args: Args) -> Done {
    let mut script = vec![];
    clap_complete::generate(args.shell, &mut Cli::command(), "greenroom", &mut script);
    say(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}
