//! `greenroom persona`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::{
    document::yaml,
    library::{self, Library},
    model::{BootId, MacAddr, PersonaName, site::Mirrors, smbios::Hardware},
    persona::{
        catalog::Entry,
        render::{Subject, seed_file, seed_files},
    },
};

use super::{Done, Failure, Global, listed, out, say, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom persona check personas/                 every problem of a library
  greenroom persona show kiosk-live                 with its version
  greenroom persona render kiosk-live --mac 52:54:00:77:00:02 --file user-data";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a persona, a manifest or a whole library.
    Check {
        /// A file or a folder; the configured library when not given.
        path: Option<PathBuf>,
    },
    /// List the personas of the library.
    List {
        #[command(flatten)]
        from: From,
    },
    /// Show a persona, with defaults filled in.
    Show {
        /// Which.
        name: PersonaName,
        #[command(flatten)]
        from: From,
    },
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
        let missing =
            || format!("there is no good persona {name} in {}: see `greenroom persona check`", path.display());
        library.catalog().persona(name).cloned().ok_or_else(|| Failure::Failed(missing()))
    }
}

pub(super) fn run(command: Command, global: &Global) -> Done {
    match command {
        Command::Check { path } => check(path, global),
        Command::List { from } => list(from, global),
        Command::Show { name, from } => {
            let Entry { reference, persona } = from.entry(&name, global)?;
            match global.json {
                true => say_json(&serde_json::json!({ "reference": reference, "persona": persona })),
                false => {
                    say(&format!("# {reference}\n{}", yaml::to_string(&persona).trim_end()));
                    Ok(())
                }
            }
        }
        Command::Render { name, mac, file, from } => render(&name, mac, file, from, global),
    }
}

fn check(path: Option<PathBuf>, global: &Global) -> Done {
    let path = match path {
        Some(path) => path,
        None => global.config()?.library,
    };
    if !path.exists() {
        return Err(format!("there is no {}", path.display()).into());
    }
    let (count, problems) = library::check(&path);
    let good = !problems.iter().any(|problem| problem.is_error());
    match (global.json, problems.is_empty()) {
        (true, _) => say_json(&problems)?,
        (false, true) => say(&format!("{count} documents, all good")),
        (false, false) => say(&format!("{}, {count} documents", listed(&problems))),
    }
    if good { Ok(()) } else { Err(Failure::Wanting) }
}

fn list(from: From, global: &Global) -> Done {
    let library = Library::open(&from.path(global)?);
    if global.json {
        let references: Vec<_> = library.catalog().personas().map(|entry| entry.reference.clone()).collect();
        return say_json(&references);
    }
    let mut table = out::table(&["persona", "version", "effect", "image", "description"]);
    for Entry { reference, persona } in library.catalog().personas() {
        table.add_row([
            reference.name.to_string(),
            reference.version.to_string(),
            persona.effect().to_string(),
            persona.image().to_string(),
            persona.description.clone(),
        ]);
    }
    out::say_table(&table, "there is no persona yet");
    Ok(())
}

/// The seed as it would be, but for the attempt's name and token, which only a boot has.
fn render(name: &PersonaName, mac: MacAddr, file: Option<String>, from: From, global: &Global) -> Done {
    let mirrors = global.config().map(|config| config.site.mirrors).unwrap_or_else(|_| Mirrors::default());
    let entry = from.entry(name, global)?;
    let seed_url = "http://greenroom.example/seed/0000000000/token/";
    let subject = Subject {
        persona: name.as_str(),
        mac,
        hardware: &Hardware::default(),
        boot: BootId::new(0),
        seed_url,
        report_url: &format!("{seed_url}report"),
        mirrors: &mirrors,
    };
    let names = seed_files(&entry.persona);
    if let Some(wanted) = &file {
        let Some(text) = seed_file(&entry.persona, &subject, wanted) else {
            return Err(format!("{name} has no file {wanted}: it has {}", names.join(", ")).into());
        };
        say(text.trim_end());
        return Ok(());
    }
    let rendered = names.iter().filter_map(|name| Some((*name, seed_file(&entry.persona, &subject, name)?)));
    if global.json {
        return say_json(&rendered.collect::<std::collections::BTreeMap<_, _>>());
    }
    for (name, text) in rendered {
        say(&format!("==> {name} <==\n{}\n", text.trim_end()));
    }
    Ok(())
}
