//! `greenroom persona show`.

use std::path::Path;

use crate::{document::yaml, library::Library, model::PersonaName};

use super::{
    super::{Done, Global, say, say_json},
    From, missing,
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Which.
    name: PersonaName,
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

pub(super) fn run(Args { name, composed, origin, from }: Args, global: &Global) -> Done {
    let dir = from.path(global)?;
    let library = Library::open(&dir);
    let entry = library.catalog().persona(&name).ok_or_else(|| missing(&name, &dir))?;
    let document = library.document(&name).ok_or_else(|| missing(&name, &dir))?;
    let shorten =
        |path: &str| Path::new(path).strip_prefix(&dir).map_or(path.into(), |path| path.display().to_string());
    let reference = &entry.reference;
    if global.json {
        return match origin {
            true => say_json(&document.origins(shorten)),
            false => say_json(&serde_json::json!({ "reference": reference, "persona": entry.persona })),
        };
    }
    let text = match (origin, composed) {
        (true, _) => document.with_origins(shorten),
        (false, true) => yaml::to_string(&entry.persona),
        (false, false) => document.source().text.clone(),
    };
    // The text ends its last line itself; it is shown to the byte.
    say(&format!("# {reference}\n{}", text.strip_suffix('\n').unwrap_or(&text)));
    Ok(())
}
