//! `greenroom persona show`.

use std::path::Path;

use crate::{
    document::yaml,
    library::{Found, Library, Past},
    model::PersonaName,
};

use super::{
    super::{Done, Failure, Global, say, say_json},
    From, Which, failed, missing,
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Which: `NAME`, or `NAME@REV` as it was; REV is a commit, a tag or a version.
    #[arg(value_name = "NAME[@REV]")]
    which: Which,
    /// As it is served: with all that it extends, in one form. What `git hash-object` calls the text behind the first line
    /// is the persona's version.
    #[arg(long)]
    composed: bool,
    /// Each value with the file and the line that it comes from.
    #[arg(long)]
    origin: bool,
    #[command(flatten)]
    from: From,
}

pub(super) fn run(Args { which, composed, origin, from }: Args, global: &Global) -> Done {
    let dir = from.path(global)?;
    let Found { reference, persona, document } = match &which.revision {
        None => now(&which.name, &dir)?,
        Some(revision) => {
            let past = Past::of(&dir).map_err(failed)?;
            let commit = past.resolve(Some(&which.name), revision).map_err(failed)?;
            past.persona(&which.name, &commit)?
        }
    };
    let shorten =
        |path: &str| Path::new(path).strip_prefix(&dir).map_or(path.into(), |path| path.display().to_string());
    if global.json {
        return match origin {
            true => say_json(&document.origins(shorten)),
            false => say_json(&serde_json::json!({ "reference": reference, "persona": persona })),
        };
    }
    let text = match (origin, composed) {
        (true, _) => document.with_origins(shorten),
        (false, true) => yaml::to_string(&persona),
        (false, false) => document.source().text.clone(),
    };
    // The text ends its last line itself; it is shown to the byte.
    say(&format!("# {reference}\n{}", text.strip_suffix('\n').unwrap_or(&text)));
    Ok(())
}

/// A persona as the library holds it now.
fn now(name: &PersonaName, dir: &Path) -> Result<Found, Failure> {
    let library = Library::open(dir);
    let found = library.catalog().persona(name).zip(library.document(name));
    let (entry, document) = found.ok_or_else(|| missing(name, &library, dir))?;
    Ok(Found { reference: entry.reference.clone(), persona: entry.persona.clone(), document: document.clone() })
}
