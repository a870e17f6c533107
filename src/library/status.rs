//! How each persona of the library stands: served as committed, served as edited, or broken.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{model::Version, persona::catalog::Catalog};

use super::{git::Commit, worktree::Standing};

/// How a persona stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is served as its files say.
    Good,
    /// It is served as its files say, and no commit says the same.
    Dirty,
    /// Its files are not good; the last version that was is served.
    Kept,
    /// Its files are not good, and never were since the start.
    Unserved,
}

impl State {
    /// The label of the metric.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Dirty => "dirty",
            Self::Kept | Self::Unserved => "broken",
        }
    }

    /// Whether its files are not good.
    pub const fn is_broken(self) -> bool {
        matches!(self, Self::Kept | Self::Unserved)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Good => "good",
            Self::Dirty => "dirty",
            Self::Kept => "broken: last good serves",
            Self::Unserved => "broken: never served",
        })
    }
}

/// One persona, or what should be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its name: the stem of its file.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// The version that is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The commit that holds that version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// Whether a file that it is composed of has edits that are in no commit.
    pub dirty: bool,
}

/// Where what is served comes from.
pub(super) struct Provenance<'a> {
    /// Where the work tree stands; nowhere without git.
    pub(super) standing: &'a Standing,
    /// The files that each persona is composed of, by its stem.
    pub(super) files: &'a BTreeMap<String, Vec<PathBuf>>,
    /// The library's folder.
    pub(super) dir: &'a Path,
}

impl Provenance<'_> {
    /// Whether a file that this persona is composed of is not as the commit has it.
    fn is_dirty(&self, name: &str) -> bool {
        let own = ["yaml", "yml"].map(|ending| PathBuf::from(format!("{name}.{ending}")));
        let others = self.files.get(name).into_iter().flatten();
        let others = others.filter_map(|file| file.strip_prefix(self.dir).ok().map(Path::to_owned));
        own.into_iter().chain(others).any(|file| self.standing.edited.contains(&file))
    }
}

/// How each persona stands, by name. `broken` are the stems of the documents that are not good.
pub(super) fn statuses(catalog: &Catalog, broken: &BTreeSet<String>, from: &Provenance<'_>) -> Vec<Status> {
    let served = catalog.personas().map(|entry| {
        let name = &entry.reference.name;
        let dirty = from.is_dirty(name.as_str());
        let kept = broken.contains(name.as_str());
        let state = match (kept, dirty) {
            (true, _) => State::Kept,
            (false, true) => State::Dirty,
            (false, false) => State::Good,
        };
        Status {
            name: name.to_string(),
            state,
            version: Some(entry.reference.version.clone()),
            // What was kept from before may be of any commit.
            commit: from.standing.commit.clone().filter(|_| state == State::Good),
            dirty,
        }
    });
    let mut statuses: Vec<Status> = served.collect();
    let known: BTreeSet<String> = statuses.iter().map(|status| status.name.clone()).collect();
    statuses.extend(broken.difference(&known).map(|name| Status {
        name: name.clone(),
        state: State::Unserved,
        version: None,
        commit: None,
        dirty: from.is_dirty(name),
    }));
    statuses.sort_by(|a, b| a.name.cmp(&b.name));
    statuses
}
