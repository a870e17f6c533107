//! The library as it was: at a commit, and through all of them. Never a checkout: trees and blobs are read into memory, by
//! one run of git for any number of files, and composed by the code that composes the folder.

use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
    os::unix::{ffi::OsStringExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Serialize;

use crate::{
    document::Document,
    model::{Moment, PersonaName, PersonaRef, Version},
    persona::{Persona, catalog::Entry},
};

use super::{
    files::Files,
    git::{Commit, GitError, Revision},
    load::{self, Loaded},
    memory::Memory,
    object,
    owner::put,
    worktree::{Standing, WorkTree},
};

/// How long walking through a history may take.
const WALK: Duration = Duration::from_secs(120);

/// Where persona tags are: `persona/<name>/<tag>`.
const TAGS: &str = "refs/tags/persona";

/// A library's past. Looking at it changes nothing; [`Past::revert`] and [`Past::tag`] write.
#[derive(Debug)]
pub struct Past {
    pub(super) tree: WorkTree,
    read: Mutex<Reading>,
}

/// What was read of a past: each blob once, each document once for as long as it does not change from commit to commit.
#[derive(Debug, Default)]
struct Reading {
    blobs: HashMap<String, Vec<u8>>,
    memory: Memory,
}

/// A persona as it was, or as it is.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its name and version.
    pub reference: PersonaRef,
    /// What it says.
    pub persona: Arc<Persona>,
    /// What it was read from.
    pub document: Arc<Document>,
}

/// One commit that changed what a persona composes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which persona, at which version; no version when the commit removed it, or left it broken.
    pub persona: PersonaName,
    /// The version since then.
    pub version: Option<Version>,
    /// Whether a document of that name is there and is not good.
    pub broken: bool,
    /// The commit.
    pub commit: Commit,
    /// When it was made.
    pub at: Moment,
    /// By whom.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
}

/// One commit, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Logged {
    /// Its name.
    pub commit: Commit,
    /// When it was made.
    pub at: Moment,
    /// By whom.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
}

/// How git lists a commit for us.
pub(super) const LOGGED: &str = "--format=%H%x1f%at%x1f%an%x1f%s";

/// Reads what git lists so.
pub(super) fn logged(said: &[u8]) -> Vec<Logged> {
    let logged = |record: &[u8]| {
        let text = String::from_utf8_lossy(record);
        let mut words = text.trim_matches('\n').splitn(4, '\x1f').map(str::to_owned);
        let commit = Commit::new(&words.next()?)?;
        let seconds: u64 = words.next()?.parse().ok()?;
        let at = Moment::from_millis(seconds.saturating_mul(1000));
        Some(Logged { commit, at, author: words.next()?, subject: words.next()? })
    };
    said.split(|byte| *byte == 0).filter_map(logged).collect()
}

/// What each persona was at a commit.
type Versions = BTreeMap<PersonaName, Option<Version>>;

impl Past {
    /// The past of the library in this folder.
    pub fn of(dir: &Path) -> Result<Self, GitError> {
        Ok(Self { tree: WorkTree::find(dir)?, read: Mutex::default() })
    }

    /// The commit that a revision names: a tag of `name` by its last word, or anything that git knows.
    pub fn resolve(&self, name: Option<&PersonaName>, revision: &Revision) -> Result<Commit, GitError> {
        if let Some(commit) = self.named(name, revision)? {
            return Ok(commit);
        }
        self.head()?;
        let found = name.map(|name| self.version(name, revision)).transpose()?.flatten();
        found.ok_or_else(|| GitError::NoRevision(revision.to_string()))
    }

    /// The same by one run of git, without looking for versions.
    pub fn named(&self, name: Option<&PersonaName>, revision: &Revision) -> Result<Option<Commit>, GitError> {
        let tag = name.map(|name| format!("{TAGS}/{name}/{revision}"));
        let names: Vec<String> = tag.into_iter().chain([revision.to_string()]).collect();
        object::first_commit(self.tree.git(), &names)
    }

    /// The commit that began a version of a persona, for a revision that is the beginning of a version's digits: boots
    /// and lists show them so.
    fn version(&self, name: &PersonaName, revision: &Revision) -> Result<Option<Commit>, GitError> {
        let digits = revision.as_str();
        if digits.len() < 7 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let bears =
            |change: &Change| change.version.as_ref().is_some_and(|version| version.as_str().starts_with(digits));
        Ok(self.log(Some(name), usize::MAX)?.into_iter().find(bears).map(|change| change.commit))
    }

    /// The commit that the work tree is at.
    pub fn head(&self) -> Result<Commit, GitError> {
        self.tree.head()
    }

    /// A persona as it was at a commit, with what was wrong with it when it was not good.
    pub fn persona(&self, name: &PersonaName, commit: &Commit) -> Result<Found, String> {
        let loaded = self.load(commit).map_err(|error| error.to_string())?;
        let problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
        let broken = loaded.broken.iter().any(|(stem, is_image)| !is_image && stem == name.as_str());
        let entry = loaded.personas.into_iter().find(|entry| entry.reference.name == *name);
        match (entry.zip(loaded.documents.get(name)), broken) {
            (Some((Entry { reference, persona }, document)), _) => {
                Ok(Found { reference, persona, document: document.clone() })
            }
            (None, true) => Err(format!("persona {name} was not good at {commit}:\n{}", problems.join("\n"))),
            (None, false) => {
                Err(format!("there was no persona {name} at {commit}: see `greenroom persona log {name}`"))
            }
        }
    }

    /// Whether a commit has no document of that name, good or not.
    pub fn lacks(&self, name: &PersonaName, commit: &Commit) -> Result<bool, GitError> {
        self.versions(commit).map(|versions| !versions.contains_key(name))
    }

    /// Everything that the commit holds of the library.
    fn load(&self, commit: &Commit) -> Result<Loaded, GitError> {
        let listed = self.listed(commit)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let Reading { blobs, memory } = &mut *read;
        let missing: Vec<&String> = listed.values().filter(|id| !blobs.contains_key(*id)).collect();
        blobs.extend(self.read(&missing)?);
        let file = |(path, id): (&PathBuf, &String)| Some((path.clone(), blobs.get(id)?.clone()));
        let files = listed.iter().filter_map(file).collect();
        Ok(load::load_again(&Files::Commit { dir: self.tree.dir().to_owned(), files }, memory))
    }

    /// The documents of a commit: their blobs, by their paths from the library's folder. Links and submodules are none.
    pub(super) fn listed(&self, commit: &Commit) -> Result<BTreeMap<PathBuf, String>, GitError> {
        let said = self.tree.git().run(&["ls-tree", "-r", "-z", "--full-tree", commit.as_str()]);
        let said = match self.tree.prefix() {
            [] => said.output()?,
            prefix => said.paths(&[OsString::from_vec(prefix.to_vec())]).output()?,
        };
        let entry = |record: &[u8]| {
            let at = record.iter().position(|byte| *byte == b'\t')?;
            let words = String::from_utf8_lossy(&record[..at]).into_owned();
            let mut words = words.split(' ');
            let is_file = words.next().is_some_and(|mode| mode.starts_with("100"));
            let id = words.nth(1).filter(|_| is_file)?.to_owned();
            let path = record[at + 1..].strip_prefix(self.tree.prefix())?;
            let path = PathBuf::from(OsString::from_vec(path.to_vec()));
            let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
            yaml.then_some((path, id))
        };
        Ok(said.split(|byte| *byte == 0).filter_map(entry).collect())
    }

    /// The bytes of blobs, all by one run.
    pub(super) fn read(&self, ids: &[&String]) -> Result<Vec<(String, Vec<u8>)>, GitError> {
        Ok(object::batch(self.tree.git(), ids)?.into_iter().flatten().collect())
    }

    /// The commits, the latest first, that changed what personas compose to: also those that changed only a fragment.
    pub fn log(&self, name: Option<&PersonaName>, most: usize) -> Result<Vec<Change>, GitError> {
        let mut changes = vec![];
        let mut later: Option<(Logged, Versions)> = None;
        // A commit is compared with the one before it that touched the library, on the first parents' line: what a merge
        // brought in came with the merge.
        for logged in self.commits()? {
            let versions = self.versions(&logged.commit)?;
            if let Some((since, after)) = later.replace((logged, versions.clone())) {
                changes.extend(changed(name, &since, &versions, &after));
            }
            if changes.len() >= most {
                break;
            }
        }
        if let Some((first, after)) = later.filter(|_| changes.len() < most) {
            changes.extend(changed(name, &first, &Versions::new(), &after));
        }
        changes.truncate(most);
        Ok(changes)
    }

    fn commits(&self) -> Result<Vec<Logged>, GitError> {
        self.head()?;
        let words = ["log", "--first-parent", "-m", "--no-show-signature", "-z", LOGGED];
        let said = self.tree.git().run(&words).within(WALK).paths(&["."]).output()?;
        Ok(logged(&said))
    }

    fn versions(&self, commit: &Commit) -> Result<Versions, GitError> {
        let loaded = self.load(commit)?;
        let broken = loaded.broken.iter().filter(|(_, is_image)| !is_image);
        let broken = broken.filter_map(|(stem, _)| Some((stem.parse().ok()?, None)));
        let good = loaded.personas.into_iter().map(|entry| (entry.reference.name, Some(entry.reference.version)));
        Ok(broken.chain(good).collect())
    }

    /// A persona's own file at a commit: its name, and its bytes.
    fn own(&self, name: &PersonaName, commit: &Commit) -> Result<Option<(String, Vec<u8>)>, GitError> {
        let listed = self.listed(commit)?;
        let own = ["yaml", "yml"].map(|extension| format!("{name}.{extension}"));
        let Some((file, id)) = own.iter().find_map(|file| Some((file, listed.get(Path::new(file))?))) else {
            return Ok(None);
        };
        Ok(self.read(&[id])?.pop().map(|(_, bytes)| (file.clone(), bytes)))
    }

    /// What a persona's own file said at a commit, good or not; nothing when there was none.
    pub fn own_text(&self, name: &PersonaName, commit: &Commit) -> Result<Option<String>, GitError> {
        Ok(self.own(name, commit)?.map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Writes a persona's own file as it was at `commit` into the work tree; returns the file's name. Uncommitted edits of
    /// it are lost only with `force`.
    pub fn revert(&self, name: &PersonaName, commit: &Commit, force: bool) -> Result<String, String> {
        let found = self.own(name, commit).map_err(|error| error.to_string())?;
        let Some((file, bytes)) = found else {
            return Err(format!("there was no {name}.yaml at {commit}: see `greenroom persona log {name}`"));
        };
        let Standing { edited, .. } = self.tree.standing().map_err(|error| error.to_string())?;
        if edited.contains(Path::new(&file)) && !force {
            return Err(format!("{file} has uncommitted edits: commit them, or lose them with --force"));
        }
        if let Some(what) = self.tree.unfinished() {
            return Err(format!("git is in the middle of a {what} here: finish it first"));
        }
        // A daemon that looks at this moment sees the old file or the new one.
        let path = self.tree.dir().join(&file);
        let mode = std::fs::metadata(&path).map_or(0o644, |about| about.permissions().mode() & 0o777);
        put(&path, &bytes, mode).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(file)
    }

    /// Commits one file and nothing else; returns the commit, or `None` when the file is as `HEAD` has it.
    pub fn commit(&self, file: &str, message: &str) -> Result<Option<Commit>, GitError> {
        let git = self.tree.git();
        git.run(&["add"]).changing().paths(&[file]).output()?;
        if git.run(&["diff", "--cached", "--quiet"]).paths(&[file]).holds()? {
            return Ok(None);
        }
        git.run(&["commit", "--quiet", "--message", message]).changing().within(WALK).paths(&[file]).output()?;
        self.head().map(Some)
    }

    /// Marks the current commit as `tag` of a persona; returns the tag's whole name.
    pub fn tag(&self, name: &PersonaName, tag: &Revision) -> Result<String, GitError> {
        let whole = format!("persona/{name}/{tag}");
        let message = format!("{name}: {tag}");
        self.tree.git().run(&["tag", "--annotate", "--message", &message]).changing().paths(&[&whole]).output()?;
        Ok(whole)
    }
}

/// The personas that are not after a commit what they were before it.
fn changed(name: Option<&PersonaName>, by: &Logged, before: &Versions, after: &Versions) -> Vec<Change> {
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(name)));
    let wanted = names.filter(|found| name.is_none_or(|name| name == *found));
    let differs = wanted.filter(|name| before.get(name) != after.get(name));
    let change = |name: &PersonaName| Change {
        persona: name.clone(),
        version: after.get(name).cloned().flatten(),
        broken: after.get(name).is_some_and(Option::is_none),
        commit: by.commit.clone(),
        at: by.at,
        author: by.author.clone(),
        subject: by.subject.clone(),
    };
    differs.map(change).collect()
}

/// The library as its last commit has it.
pub(super) fn head(tree: &WorkTree) -> Result<Loaded, GitError> {
    let past = Past { tree: tree.clone(), read: Mutex::default() };
    past.load(&past.head()?)
}
