//! What pages show of a library's past, kept: a commit never changes, so what was read of one is not read again. Lists of
//! commits change: they hold as long as the repository looks as it did ([`Mark`]), which costs no run of git to see.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use serde::Serialize;

use crate::{
    library::{Commit, GitError, Glance, History, Logged, Mark, Past, Revision, Then, View},
    model::{Moment, PersonaName},
    serve::context::lock,
};

use super::super::{Trouble, Web};

/// So many glances are kept, read from so many bytes of documents.
const GLANCES: usize = 4096;
const GLANCED: usize = 64 << 20;
/// So many commits are known by their authors and messages.
const LOGGED: usize = 16_384;
/// So many lists of commits are kept, of one state of the library.
const LISTS: usize = 256;
/// Among so many commits a version is looked for.
const LATELY: usize = 100;
/// For so long what was said about the upstream holds, in milliseconds.
const UPSTREAM: u64 = 10_000;

/// What was read of the past. All clones are one.
#[derive(Clone, Default)]
pub(in super::super) struct Kept(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    past: Option<Arc<Past>>,
    glances: HashMap<(PersonaName, Commit), Arc<Glance>>,
    /// How many bytes of documents those were read from.
    glanced: usize,
    /// By their whole names.
    logged: HashMap<String, Logged>,
    /// Of which state the lists are.
    state: Option<State>,
    lists: HashMap<(PersonaName, usize, usize), Arc<Vec<Row>>>,
    upstream: Option<(Moment, Option<usize>)>,
}

/// What lists of commits depend on: how the repository looks, the commit that the library was last seen at, and how often its
/// personas changed, for a list is of the files that one is composed of now.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State(Mark, Option<Commit>, u64);

/// A commit that touched a persona, as it is listed.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    /// Its whole name.
    pub(super) commit: String,
    /// Its first ten digits.
    pub(super) short: String,
    pub(super) at: Moment,
    pub(super) author: String,
    pub(super) subject: String,
    /// The version that the persona was since then.
    pub(super) version: Option<String>,
    /// `good`, `broken` or `removed`.
    pub(super) state: &'static str,
    /// Whether the persona composes to the same as at the commit before.
    pub(super) same: bool,
}

impl Web {
    /// The library's past.
    pub(super) fn past(&self) -> Result<Arc<Past>, GitError> {
        if let Some(past) = &lock(&self.shelf.0).past {
            return Ok(past.clone());
        }
        let past = Arc::new(Past::of(self.context.library.desk().dir())?);
        lock(&self.shelf.0).past = Some(past.clone());
        Ok(past)
    }

    /// What a persona was at a commit.
    pub(super) fn glance(&self, name: &PersonaName, commit: &Commit) -> Result<Arc<Glance>, GitError> {
        let mut glances = self.glances(name, std::slice::from_ref(commit))?;
        glances.pop().ok_or_else(|| GitError::NoRevision(commit.to_string()))
    }

    /// What a persona was at commits, in their order: those that are not known are read together.
    fn glances(&self, name: &PersonaName, commits: &[Commit]) -> Result<Vec<Arc<Glance>>, GitError> {
        let known = |kept: &Inner, commit: &Commit| kept.glances.get(&(name.clone(), commit.clone())).cloned();
        let found: Vec<_> = {
            let kept = lock(&self.shelf.0);
            commits.iter().map(|commit| known(&kept, commit)).collect()
        };
        let missing = commits.iter().zip(&found).filter(|(_, known)| known.is_none());
        let missing: Vec<Commit> = missing.map(|(commit, _)| commit.clone()).collect();
        let read = if missing.is_empty() { vec![] } else { self.past()?.glances(name, &missing)? };
        let read: Vec<Arc<Glance>> = read.into_iter().map(Arc::new).collect();
        let mut kept = lock(&self.shelf.0);
        for (commit, glance) in missing.into_iter().zip(&read) {
            if kept.glances.len() >= GLANCES || kept.glanced >= GLANCED {
                kept.glances.clear();
                kept.glanced = 0;
            }
            kept.glanced += glance.bytes;
            kept.glances.insert((name.clone(), commit), glance.clone());
        }
        let mut read = read.into_iter();
        Ok(found.into_iter().filter_map(|known| known.or_else(|| read.next())).collect())
    }

    /// Who made a commit, when and why.
    pub(super) fn logged(&self, commit: &Commit) -> Result<Option<Logged>, GitError> {
        if let Some(logged) = lock(&self.shelf.0).logged.get(commit.as_str()) {
            return Ok(Some(logged.clone()));
        }
        let logged = self.past()?.logged(commit)?;
        self.note(logged.as_slice());
        Ok(logged)
    }

    fn note(&self, logged: &[Logged]) {
        let mut kept = lock(&self.shelf.0);
        if kept.logged.len() >= LOGGED {
            kept.logged.clear();
        }
        kept.logged.extend(logged.iter().map(|logged| (logged.commit.as_str().to_owned(), logged.clone())));
    }

    /// The commit that a revision of a persona names: a tag of its own, anything that git knows, or the beginning of a version
    /// that it had lately. Never a walk through all that ever was: anybody may ask.
    pub(super) fn resolve(&self, name: &PersonaName, revision: &str) -> Result<Commit, Trouble> {
        let help = "The persona's history lists its versions.";
        let bad = |error: GitError| Trouble::bad(error, help);
        let plain = Revision::new(revision).map_err(bad)?;
        // The whole name of a commit that was shown means that commit for ever.
        if let Some(logged) = lock(&self.shelf.0).logged.get(revision) {
            return Ok(logged.commit.clone());
        }
        let past = self.past().map_err(bad)?;
        if let Some(commit) = past.named(Some(name), &plain).map_err(bad)? {
            return Ok(commit);
        }
        let commits = self.commits(name, 0, LATELY).map_err(bad)?;
        let bears = |row: &&Row| {
            row.version.as_ref().is_some_and(|version| {
                revision.len() >= 7
                    && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
                    && (version.starts_with(revision) || revision.starts_with(version.as_str()))
            })
        };
        let first = commits.iter().rfind(bears).and_then(|row| Revision::new(&row.commit).ok());
        let first = first.map(|whole| past.named(None, &whole)).transpose().map_err(bad)?.flatten();
        first.ok_or_else(|| Trouble::not_found("version", &plain))
    }

    /// The commits that touched a persona, or what it is composed of now: the latest first.
    pub(super) fn commits(&self, name: &PersonaName, skip: usize, most: usize) -> Result<Arc<Vec<Row>>, GitError> {
        let view = self.context.library.view();
        let past = self.past()?;
        // How it looks before it is read: what changes meanwhile is read again the next time.
        let state = State(past.mark(), head(&view), view.swaps);
        let key = (name.clone(), skip, most);
        {
            let mut kept = lock(&self.shelf.0);
            if kept.state.as_ref() != Some(&state) || kept.lists.len() >= LISTS {
                kept.lists.clear();
                kept.state = Some(state.clone());
            }
            if let Some(list) = kept.lists.get(&key) {
                return Ok(list.clone());
            }
        }
        let files: BTreeSet<String> = files(&view, name);
        // One more: what the last one is compared with.
        let logged = past.touched(&files, skip, most + 1)?;
        self.note(&logged);
        let commits: Vec<Commit> = logged.iter().map(|logged| logged.commit.clone()).collect();
        let thens = self.glances(name, &commits)?;
        let rows = logged.iter().take(most).enumerate().map(|(at, logged)| row(logged, &thens[at], thens.get(at + 1)));
        let rows = Arc::new(rows.collect::<Vec<_>>());
        let mut kept = lock(&self.shelf.0);
        if kept.state.as_ref() == Some(&state) {
            kept.lists.insert(key, rows.clone());
        }
        Ok(rows)
    }

    /// How many commits of the library its upstream has not, as far as that was asked lately.
    pub(super) fn unpushed(&self) -> Option<usize> {
        let now = (self.context.clock)();
        if let Some((at, said)) = lock(&self.shelf.0).upstream
            && now.since(at).0 < UPSTREAM
        {
            return said;
        }
        let said = match self.context.library.view().history {
            History::Git { commit: Some(_), .. } => self.context.library.desk().unpushed(),
            _ => None,
        };
        lock(&self.shelf.0).upstream = Some((now, said));
        said
    }
}

/// The commit that the library was at when it was last read.
fn head(view: &View) -> Option<Commit> {
    match &view.history {
        History::Git { commit, .. } => commit.clone(),
        History::None { .. } => None,
    }
}

/// The files that a persona is composed of, and those that it may have been.
fn files(view: &View, name: &PersonaName) -> BTreeSet<String> {
    let own = ["yaml", "yml"].map(|ending| format!("{name}.{ending}"));
    own.into_iter().chain(view.files.get(name.as_str()).into_iter().flatten().cloned()).collect()
}

fn row(logged: &Logged, glance: &Glance, before: Option<&Arc<Glance>>) -> Row {
    let version = |glance: &Glance| match &glance.then {
        Then::Good(found) => Some(found.reference.version.clone()),
        Then::Broken(_) | Then::Absent => None,
    };
    let now = version(glance);
    Row {
        commit: logged.commit.as_str().to_owned(),
        short: logged.commit.to_string(),
        at: logged.at,
        author: logged.author.clone(),
        subject: logged.subject.clone(),
        same: now.is_some() && before.is_some_and(|before| version(before) == now),
        version: now.map(|version| version.to_string()),
        state: match glance.then {
            Then::Good(_) => "good",
            Then::Broken(_) => "broken",
            Then::Absent => "removed",
        },
    }
}
