//! `greenroom persona`.

mod check;
mod coverage;
mod hook;
mod list;
mod render;
mod rules;
mod sarif;
mod schema;
mod show;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::{
    library::Library,
    model::{MacAddr, PersonaName},
    persona::catalog::Entry,
};

use super::{Done, Failure, Global};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom persona check personas/                 every problem of a library
  greenroom persona check --strict a.yaml b.yaml    warnings fail too
  greenroom persona rules                           what they are checked by
  greenroom persona hook --install personas/        have git refuse to commit what has errors
  greenroom persona show kiosk-live                 as it is written, with its version
  greenroom persona show kiosk-live --origin        from which file each value comes
  greenroom persona render kiosk-live --mac 52:54:00:77:00:02 --file user-data
  greenroom persona coverage preferences            what each target makes of these fields
  greenroom persona schema > personas/schema.json   for editors that speak to yaml-language-server";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check personas, manifests or whole libraries.
    #[command(long_about = check::ABOUT)]
    Check {
        /// Files and folders; the configured library when not given.
        paths: Vec<PathBuf>,
        /// Fail on warnings too.
        #[arg(long)]
        strict: bool,
        /// Print a SARIF 2.1.0 log, for code review tools.
        #[arg(long, conflicts_with = "json")]
        sarif: bool,
    },
    /// List the rules that personas are checked by.
    Rules,
    /// Print or install a git hook that refuses to commit personas with errors.
    Hook {
        /// The library, in a git work tree, whose hook is to be installed.
        #[arg(long, value_name = "DIR")]
        install: Option<PathBuf>,
        /// Replace a hook that is there.
        #[arg(long, requires = "install")]
        force: bool,
    },
    /// List the personas of the library.
    List {
        #[command(flatten)]
        from: From,
    },
    /// Show a persona: as it is written, composed with what it extends, or with where each value comes from.
    Show(show::Args),
    /// Print the JSON Schema of personas, for editors.
    Schema(schema::Args),
    /// Show what each target makes of each field.
    Coverage(coverage::Args),
    /// Show what a device's installer or cloud-init would read.
    Render {
        /// Which.
        name: PersonaName,
        /// The device's port.
        #[arg(long)]
        mac: MacAddr,
        /// Only this file.
        #[arg(long)]
        file: Option<String>,
        #[command(flatten)]
        from: From,
    },
}

/// Where the personas are.
#[derive(Debug, clap::Args)]
pub(super) struct From {
    /// The library; the configured one when not given.
    #[arg(long, value_name = "DIR")]
    library: Option<PathBuf>,
}

impl From {
    fn path(self, global: &Global) -> Result<PathBuf, Failure> {
        match self.library {
            Some(path) => Ok(path),
            None => Ok(global.config()?.library),
        }
    }

    fn entry(self, name: &PersonaName, global: &Global) -> Result<Entry, Failure> {
        let path = self.path(global)?;
        let library = Library::open(&path);
        library.catalog().persona(name).cloned().ok_or_else(|| missing(name, &path))
    }
}

fn missing(name: &PersonaName, library: &Path) -> Failure {
    let library = library.display();
    Failure::Failed(format!("there is no good persona {name} in {library}: see `greenroom persona check {library}`"))
}

pub(super) fn run(command: Command, global: &Global) -> Done {
    match command {
        Command::Check { paths, strict, sarif } => check::run(paths, strict, sarif, global),
        Command::Rules => rules::run(global),
        Command::Hook { install, force } => hook::run(install, force),
        Command::List { from } => list::run(from, global),
        Command::Show(args) => show::run(args, global),
        Command::Schema(args) => schema::run(&args),
        Command::Coverage(args) => coverage::run(&args, global),
        Command::Render { name, mac, file, from } => render::run(&name, mac, file, from, global),
    }
}
