//! `greenroom import`.

mod read;
mod report;
mod resolve;
mod write;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;

use crate::{
    config::Config,
    document::{self, Problem},
    import::{Fate, Imported, cobbler, dnsmasq, matchbox},
    library,
};

use report::Report;
use resolve::{Manifest, Missing};
use write::Staged;

use super::{Done, Failure, Global, listed};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom import matchbox /var/lib/matchbox  what would come over, what not
  greenroom import matchbox /var/lib/matchbox --out imported  write it
  greenroom import cobbler /var/lib/cobbler --out imported --fetch
  greenroom import dnsmasq /etc/dnsmasq.conf --out imported

It writes personas/NAME.yaml, personas/images/NAME.yaml and greenroom.import.yaml, whose parts belong into greenroom.yaml. \
What did not carry over is listed, and answer files and configs that are worth keeping are written to left-behind/.

Exit codes: 0 done, though something may have been left behind; 1 nothing was written, or some input could not be read; \
2 the command was wrong.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Matchbox' data folder: profiles, groups and Ignition configs.
    Matchbox {
        /// The folder: /var/lib/matchbox.
        dir: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// Cobbler's distros, profiles, systems and repos, of version 2 or 3.
    Cobbler {
        /// The folder: /var/lib/cobbler.
        dir: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// dnsmasq's DHCP: subnets, reservations and options.
    Dnsmasq {
        /// The configuration file; what it includes must lie in its folder.
        file: PathBuf,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct How {
    /// Write the documents into this folder; without it they are only listed.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace documents that are there.
    #[arg(long)]
    force: bool,
    /// Fetch kernels and other files from their URLs, for their digests.
    #[arg(long)]
    fetch: bool,
    /// Where the files of images lie, when not where the other server has them by default. They are not copied.
    #[arg(long, value_name = "DIR")]
    assets: Vec<PathBuf>,
}

/// A document that comes out.
#[derive(Debug, Serialize)]
struct Document {
    /// Its path under `--out`.
    path: PathBuf,
    /// What it was made from.
    from: String,
    /// What it is.
    what: String,
    /// What it says.
    text: String,
}

/// Where what is imported was.
enum Kind {
    Matchbox,
    Cobbler,
    Dnsmasq,
}

pub(super) async fn run(command: Command, global: &Global) -> Done {
    let (kind, path, how) = match command {
        Command::Matchbox { dir, how } => (Kind::Matchbox, dir, how),
        Command::Cobbler { dir, how } => (Kind::Cobbler, dir, how),
        Command::Dnsmasq { file, how } => (Kind::Dnsmasq, file, how),
    };
    let mut imported = match kind {
        Kind::Matchbox => {
            matchbox::import(&read::folder(&path, &["profiles", "groups", "ignition", "cloud", "generic"])?)
        }
        Kind::Cobbler => cobbler::import(&read::folder(&path, &read::cobbler())?),
        Kind::Dnsmasq => {
            let (folder, main) = read::dnsmasq(&path)?;
            dnsmasq::import(&folder, &main)
        }
    };
    let roots = match kind {
        Kind::Matchbox => resolve::Roots::of_matchbox(&path, &how.assets),
        Kind::Cobbler | Kind::Dnsmasq => resolve::Roots::of_cobbler(&path, &how.assets),
    };
    let images = resolve::images(&imported, &roots, how.fetch).await;
    let missing: Vec<&Missing> = images.iter().filter_map(|image| image.as_ref().err()).collect();
    resolve::note_missing(&mut imported, &missing);
    // Checked where it will not be seen yet, with the checks that the daemon will hold it to.
    let staged = Staged::new(how.out.as_deref())?;
    let documents = loop {
        let documents = documents(&imported, &images, &path);
        staged.fill(&documents)?;
        let (_, problems) = library::check(&staged.documents().join("personas"));
        let errors: Vec<Problem> = problems.into_iter().filter(Problem::is_error).collect();
        if errors.is_empty() {
            break documents;
        }
        if !withdraw(&mut imported, &errors) {
            return Err(Failure::Failed(unfit(&errors)));
        }
    };
    if let Some(config) = documents.iter().find(|document| document.path == Path::new(CONFIG)) {
        let read = document::Document::read(CONFIG, config.text.clone().into_bytes()).map_err(|problem| vec![problem]);
        let good = read.and_then(|document| Config::read(&document));
        good.map_err(|problems| Failure::Failed(unfit(&problems)))?;
    }
    let kept = write::kept(&mut imported.left_behind);
    if how.out.is_some() {
        staged.place(&documents, &kept, how.force)?;
    }
    let left_behind = &imported.left_behind;
    report::show(&Report { documents, missing, left_behind, kept: kept.len(), out: how.out.as_deref() }, global)?;
    let unread = left_behind.iter().any(|left| left.fate == Fate::Unread);
    if unread { Err(Failure::Wanting) } else { Ok(()) }
}

/// The section's file.
const CONFIG: &str = "greenroom.import.yaml";

/// The commands for images that are still to be added.
const SCRIPT: &str = "add-images.sh";

/// Every document that comes out now.
fn documents(imported: &Imported, images: &[Result<Manifest, Missing>], path: &Path) -> Vec<Document> {
    let mut documents = vec![];
    for draft in &imported.personas {
        let persona = &draft.persona;
        documents.push(Document {
            path: format!("personas/{}.yaml", draft.name).into(),
            from: draft.place.clone(),
            what: format!("{}, {}, boots {}", persona.os.distribution(), persona.effect, persona.os.image),
            text: draft.text(),
        });
    }
    for manifest in images.iter().flatten() {
        documents.push(Document {
            path: format!("personas/images/{}.yaml", manifest.name).into(),
            from: manifest.place.clone(),
            what: manifest.what.clone(),
            text: manifest.text.clone(),
        });
    }
    let missing: Vec<&Missing> = images.iter().filter_map(|image| image.as_ref().err()).collect();
    if !missing.is_empty() {
        let commands: Vec<_> = missing.iter().map(|image| format!("# {}\n{}\n", image.why, image.command)).collect();
        documents.push(Document {
            path: SCRIPT.into(),
            from: path.display().to_string(),
            what: format!("the commands for {}", counted(missing.len(), "image")),
            text: format!("#!/bin/sh\n# Images whose files could not be read.\nset -e\n\n{}", commands.join("\n")),
        });
    }
    let section = &imported.section;
    if section.dhcp.is_some() || section.default.is_some() || !section.rules.is_empty() {
        let parts = [
            (section.dhcp.as_ref().map_or(0, |dhcp| dhcp.subnets.len()), "subnet"),
            (section.reservations(), "reservation"),
            (section.rules.len(), "rule"),
            (section.default.iter().count(), "default"),
        ];
        let parts = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| counted(n, what));
        let parts: Vec<_> = parts.collect();
        let what = if parts.is_empty() { "proxy mode".to_owned() } else { parts.join(", ") };
        let from = path.display().to_string();
        documents.push(Document { path: CONFIG.into(), text: section.text(&from), from, what });
    }
    documents
}

/// Takes out the personas that do not pass. Whether there were any.
fn withdraw(imported: &mut Imported, problems: &[Problem]) -> bool {
    let mut any = false;
    let names: Vec<_> = imported.personas.iter().map(|draft| draft.name.clone()).collect();
    for name in names {
        let file = format!("personas/{name}.yaml");
        let own = problems.iter().filter(|problem| problem.path.ends_with(&file));
        let messages: Vec<_> = own.map(|problem| problem.message.clone()).collect();
        if !messages.is_empty() {
            imported.withdraw(&name, &format!("it does not pass Greenroom's checks: {}", messages.join("; ")));
            any = true;
        }
    }
    any
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn unfit(problems: &[Problem]) -> String {
    format!("{}\n\nNothing was written: what came out does not pass Greenroom's own checks.", listed(problems))
}
