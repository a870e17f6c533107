//! What pages show of a library's past, kept: a commit never changes, so what was read of one is not read again.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use serde::Serialize;

use crate::{
    library::{Commit, GitError, History, Logged, Past, Revision, Then, View},
    model::{Moment, PersonaName},
    serve::context::lock,
};

use super::super::{Trouble, Web};

/// So many glances are kept.
const GLANCES: usize = 4096;
/// So many lists of commits are kept, of one commit that the library is at.
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
    glances: HashMap<(PersonaName, Commit), Arc<Then>>,
    /// Of which commit the lists are.
    head: Option<Commit>,
    lists: HashMap<(PersonaName, usize, usize), Arc<Vec<Row>>>,
    upstream: Option<(Moment, Option<usize>)>,
}

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
    /// Reads disks or git, away from those who only look.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let web = self.clone();
        tokio::task::spawn_blocking(move || work(&web)).await.map_err(Trouble::bug)?
    }

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
    pub(super) fn glance(&self, name: &PersonaName, commit: &Commit) -> Result<Arc<Then>, GitError> {
        let key = (name.clone(), commit.clone());
        if let Some(then) = lock(&self.shelf.0).glances.get(&key) {
            return Ok(then.clone());
        }
        let then = Arc::new(self.past()?.glance(name, commit)?);
        let mut kept = lock(&self.shelf.0);
        if kept.glances.len() >= GLANCES {
            kept.glances.clear();
        }
        kept.glances.insert(key, then.clone());
        Ok(then)
    }

    /// The commit that a revision of a persona names: a tag of its own, anything that git knows, or the beginning of a version
    /// that it had lately. Never a walk through all that ever was: anybody may ask.
    pub(super) fn resolve(&self, name: &PersonaName, revision: &str) -> Result<Commit, Trouble> {
        let help = "The persona's history lists its versions.";
        let bad = |error: GitError| Trouble::bad(error, help);
        let plain = Revision::new(revision).map_err(bad)?;
        let past = self.past().map_err(bad)?;
        let tag = Revision::new(&format!("refs/tags/persona/{name}/{revision}")).ok();
        for wanted in tag.iter().chain([&plain]) {
            match past.resolve(None, wanted) {
                Err(GitError::NoRevision(_)) => {}
                resolved => return resolved.map_err(bad),
            }
        }
        let commits = self.commits(name, 0, LATELY).map_err(bad)?;
        let bears = |row: &&Row| {
            row.version.as_ref().is_some_and(|version| {
                revision.len() >= 7
                    && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
                    && (version.starts_with(revision) || revision.starts_with(version.as_str()))
            })
        };
        let first =
            commits.iter().rfind(bears).and_then(|row| past.resolve(None, &Revision::new(&row.commit).ok()?).ok());
        first.ok_or_else(|| Trouble::not_found("version", &plain))
    }

    /// The commits that touched a persona, or what it is composed of now: the latest first.
    pub(super) fn commits(&self, name: &PersonaName, skip: usize, most: usize) -> Result<Arc<Vec<Row>>, GitError> {
        let view = self.context.library.view();
        let head = head(&view);
        let key = (name.clone(), skip, most);
        {
            let mut kept = lock(&self.shelf.0);
            if kept.head != head || kept.lists.len() >= LISTS {
                kept.lists.clear();
                kept.head.clone_from(&head);
            }
            if let Some(list) = kept.lists.get(&key) {
                return Ok(list.clone());
            }
        }
        let files: BTreeSet<String> = files(&view, name);
        let past = self.past()?;
        // One more: what the last one is compared with.
        let logged = past.touched(&files, skip, most + 1)?;
        let thens = logged.iter().map(|logged| self.glance(name, &logged.commit)).collect::<Result<Vec<_>, _>>()?;
        let rows = logged.iter().take(most).enumerate().map(|(at, logged)| row(logged, &thens[at], thens.get(at + 1)));
        let rows = Arc::new(rows.collect::<Vec<_>>());
        let mut kept = lock(&self.shelf.0);
        if kept.head == head {
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

fn row(logged: &Logged, then: &Then, before: Option<&Arc<Then>>) -> Row {
    let version = |then: &Then| match then {
        Then::Good(found) => Some(found.reference.version.clone()),
        Then::Broken(_) | Then::Absent => None,
    };
    let now = version(then);
    Row {
        commit: logged.commit.as_str().to_owned(),
        short: logged.commit.to_string(),
        at: logged.at,
        author: logged.author.clone(),
        subject: logged.subject.clone(),
        same: now.is_some() && before.is_some_and(|before| version(before) == now),
        version: now.map(|version| version.to_string()),
        state: match then {
            Then::Good(_) => "good",
            Then::Broken(_) => "broken",
            Then::Absent => "removed",
        },
    }
}
