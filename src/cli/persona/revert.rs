//! `greenroom persona revert` and `greenroom persona tag`: the two that write to git.

use crate::{
    library::{Library, Past, Revision},
    model::PersonaName,
};

use super::{
    super::{Done, Failure, Global, listed, say},
    From, failed,
};

/// How a revert is done.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct How {
    /// Also when the file has uncommitted edits, which are lost.
    #[arg(long)]
    force: bool,
    /// Write the file, and leave the commit to you.
    #[arg(long)]
    no_commit: bool,
}

pub(super) fn revert(name: &PersonaName, revision: &Revision, how: &How, from: From, global: &Global) -> Done {
    let path = from.path(global)?;
    let past = Past::of(&path).map_err(failed)?;
    let commit = past.resolve(Some(name), revision).map_err(failed)?;
    let file = past.revert(name, &commit, how.force)?;
    // The file is as it was; what it is composed with may have moved on.
    let library = Library::open(&path);
    if library.catalog().persona(name).is_none() {
        let problems = listed(library.problems());
        return Err(Failure::Failed(format!(
            "{file} is as it was at {revision}, but does not go with the rest of the library as it is now: it was not \
             committed\n{problems}"
        )));
    }
    if how.no_commit {
        say(&format!("{file} is as it was at {revision}; commit it when it is as you want it"));
        return Ok(());
    }
    match past.commit(&file, &format!("Revert {name} to {revision}")).map_err(failed)? {
        Some(made) => say(&format!("{file} is as it was at {revision}, committed as {made}")),
        None => say(&format!("{file} is already as it was at {revision}: there is nothing to commit")),
    }
    Ok(())
}

pub(super) fn tag(name: &PersonaName, tag: &Revision, from: From, global: &Global) -> Done {
    let path = from.path(global)?;
    let past = Past::of(&path).map_err(failed)?;
    let library = Library::open(&path);
    let status = library.statuses().iter().find(|status| status.name == name.as_str());
    match status {
        None => return Err(format!("there is no persona {name} in {}", path.display()).into()),
        Some(status) if status.dirty => {
            return Err(format!("{name} has uncommitted edits, which a tag would not hold: commit them first").into());
        }
        Some(status) if status.state.is_broken() => {
            return Err(format!("{name} is not good: see `greenroom persona check`").into());
        }
        Some(_) => {}
    }
    let whole = past.tag(name, tag).map_err(failed)?;
    say(&format!("tagged as {whole}: `greenroom persona show {name}@{tag}` shows it"));
    Ok(())
}
