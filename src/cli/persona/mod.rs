//! `greenroom persona`.

mod check;
mod coverage;
mod diff;
mod hook;
mod list;
mod log;
mod render;
mod revert;
mod rules;
mod sarif;
mod schema;
mod show;

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::Subcommand;

use crate::{
    document::did_you_mean,
    library::{GitError, Library, Revision},
    model::{MacAddr, PersonaName},
    persona::catalog::Entry,
};

use super::{Done, Failure, Global};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom persona check personas/               every problem of a library
  greenroom persona check --strict a.yaml b.yaml  warnings fail too
  greenroom persona list                          states, effects and images
  greenroom persona rules                         what they are checked by
  greenroom persona hook --install personas/      no commits with errors
  greenroom persona show kiosk-live               as it is written
  greenroom persona show kiosk-live --origin      where each value is from
  greenroom persona show kiosk-live@HEAD~3        as it was at a commit
  greenroom persona diff kiosk-live v1            what has changed since
  greenroom persona log kiosk-live                the commits that changed it
  greenroom persona revert kiosk-live HEAD~3      as it was, as a new commit
  greenroom persona tag kiosk-live blessed        it is kiosk-live@blessed, too
  greenroom persona render kiosk-live --mac 52:54:00:77:00:02 --file user-data
  greenroom persona coverage preferences          what targets make of fields
  greenroom persona schema > personas/schema.json for editors";

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
    ///
    /// Where a terminal is too narrow for all columns, commit, image and version are left out, in this order. What each
    /// persona extends stands in the --json form.
    List {
        #[command(flatten)]
        from: From,
    },
    /// Show a persona: as it is written, composed with what it extends, or with where each value comes from.
    Show(show::Args),
    /// List the commits that changed what personas compose to.
    Log {
        /// Only this persona's.
        name: Option<PersonaName>,
        /// At most so many, the latest first.
        #[arg(long, default_value_t = 20)]
        limit: usize,
        #[command(flatten)]
        from: From,
    },
    /// Show how a persona, composed, differs from what it was.
    Diff {
        /// Which.
        name: PersonaName,
        /// From what it was then; HEAD when not given.
        old: Option<Revision>,
        /// To what it was then; what it is now when not given.
        new: Option<Revision>,
        #[command(flatten)]
        from: From,
    },
    /// Make a persona's own file what it was, and commit that.
    Revert {
        /// Which.
        name: PersonaName,
        /// As it was then.
        revision: Revision,
        #[command(flatten)]
        how: revert::How,
        #[command(flatten)]
        from: From,
    },
    /// Give the current version of a persona a name (a git tag).
    Tag {
        /// Which.
        name: PersonaName,
        /// What to call it: `persona show NAME@TAG`.
        tag: Revision,
        #[command(flatten)]
        from: From,
    },
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

/// A persona, as it is or as it was.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Which {
    name: PersonaName,
    revision: Option<Revision>,
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, revision) = match text.split_once('@') {
            Some((name, revision)) => (name, Some(Revision::new(revision).map_err(|error| error.to_string())?)),
            None => (text, None),
        };
        let parsed = name.parse::<PersonaName>().map_err(|error| error.to_string());
        Ok(Self { name: parsed?, revision })
    }
}

fn failed(error: GitError) -> Failure {
    Failure::Failed(error.to_string())
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
        library.catalog().persona(name).cloned().ok_or_else(|| missing(name, &library, &path))
    }
}

/// Why the library has no good persona of this name.
fn missing(name: &PersonaName, library: &Library, path: &Path) -> Failure {
    let path = path.display();
    let names: Vec<&str> = library.statuses().iter().map(|status| status.name.as_str()).collect();
    if names.contains(&name.as_str()) {
        return Failure::Failed(format!("{name} is not good: `greenroom persona check {path}` says why"));
    }
    let meant = did_you_mean(name.as_str(), &names);
    let help = if meant.starts_with("did") { meant } else { "see `greenroom persona list`".to_owned() };
    Failure::Failed(format!("there is no persona {name} in {path}: {help}"))
}

pub(super) async fn run(command: Command, global: &Global) -> Done {
    match command {
        Command::List { from } => list::run(from, global).await,
        Command::Log { name, limit, from } => log::run(name, limit, from, global),
        Command::Diff { name, old, new, from } => diff::run(&name, old, new, from, global),
        Command::Revert { name, revision, how, from } => revert::revert(&name, &revision, &how, from, global),
        Command::Tag { name, tag, from } => revert::tag(&name, &tag, from, global),
        Command::Check { paths, strict, sarif } => check::run(paths, strict, sarif, global),
        Command::Rules => rules::run(global),
        Command::Hook { install, force } => hook::run(install, force),
        Command::Show(args) => show::run(args, global),
        Command::Schema(args) => schema::run(&args),
        Command::Coverage(args) => coverage::run(&args, global),
        Command::Render { name, mac, file, from } => render::run(&name, mac, file, from, global),
    }
}
