//! Writing to the library's folder for somebody who is not at its keyboard: the pages' way to a commit.
//!
//! ```text
//!   text + base ──> still the base? ──> good with all the rest? ──> on disk, at once ──> a commit of that file alone
//!                     no: Conflict         no: Broken                                       fails: put back
//! ```
//! **What does not validate is never written, nobody's work is lost, and a save is whole or was not**: the file is exchanged in
//! one step and looked at again when it is out of the way; the commit has that file and nothing else, whatever else is edited
//! or staged; when git refuses, the file is as it was.
//!
//! A [`Base`] is what somebody saw before they began to write. Who saves on another one is shown all three texts, and what
//! comes of them.

mod commit;
mod conflict;
mod draft;
mod paper;
mod sample;
mod shelf;
mod write;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    thread,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{document::Problem, model::PersonaName};

use super::{
    files::{Files, stem},
    git::{Commit, GitError},
    owner::make_folder,
    revision::Past,
    worktree::WorkTree,
};

use commit::Recorded;
use write::Written;

pub use conflict::Conflict;
pub use draft::{Affected, Draft};
pub use paper::{Author, BadBase, Base, Paper};
pub use sample::{Sample, samples};

/// What somebody wants a document to be.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The whole text.
    pub text: String,
    /// What they saw before they wrote it.
    pub base: Base,
    /// Who they are.
    pub author: Author,
    /// Why: the commit's message. Without one it says what was done.
    pub message: String,
}

/// A document as it lies in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Its text; empty when it is not there.
    pub text: String,
    /// What to save on.
    pub base: Base,
    /// The file, from the library's folder.
    pub file: String,
}

/// What came of a save.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Saved {
    /// What to save on next.
    pub base: Base,
    /// The commit; none when there was nothing to commit, or nowhere.
    pub commit: Option<Commit>,
    /// Why there is no commit, where one could be: what to do.
    pub unrecorded: Option<String>,
    /// Whether anything is otherwise than before.
    pub changed: bool,
    /// What somebody should look at.
    pub warnings: Vec<Problem>,
    /// The other documents that came with it: what a sample extends.
    pub brought: Vec<String>,
}

/// Why nothing was saved. Nothing at all was: not half of it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotSaved {
    /// The file is not what it was written on any more.
    #[error("{} was changed meanwhile", .0.file)]
    Conflict(Box<Conflict>),
    /// It would not be good, or would break others.
    #[error("this is not good yet: {} to mend", count(.0))]
    Broken(Vec<Problem>),
    /// There is nothing of that name.
    #[error("there is no {0} in the library")]
    Missing(String),
    /// There is something of that name.
    #[error("there is a {0} in the library already: choose another name")]
    Taken(String),
    /// A person is at work there.
    #[error("git is in the middle of a {0} in the library: finish it first (`git status` says how), and save again")]
    Unfinished(&'static str),
    /// Git holds its index, and goes on holding it.
    #[error("git is at work in the library, and did not end in time: save again in a moment. {0}")]
    Busy(String),
    /// The disk.
    #[error("{path}: {error}")]
    Disk {
        /// Which file.
        path: String,
        /// What the system says, and what to do.
        error: String,
    },
    /// Git did not make the commit: a hook of the repository, say.
    #[error("the commit was not made, and the file is as it was: {0}")]
    NotCommitted(GitError),
    /// Git, before anything was written.
    #[error(transparent)]
    Git(#[from] GitError),
}

fn count(problems: &[Problem]) -> String {
    match problems.iter().filter(|problem| problem.is_error()).count() {
        1 => "1 problem".into(),
        count => format!("{count} problems"),
    }
}

/// Where a library is written. All clones are one.
#[derive(Debug, Clone)]
pub struct Desk {
    dir: PathBuf,
    /// How long hooks may take.
    patience: Duration,
    /// Whoever writes has it: one at a time.
    turn: Arc<Mutex<()>>,
    reading: Arc<Mutex<draft::Reading>>,
    handed: Arc<Mutex<conflict::Handed>>,
}

/// One file of what is written in one go: on what, and what it says then; without a text, it goes.
struct Change {
    file: String,
    base: Base,
    text: Option<String>,
}

impl Desk {
    /// The desk of the library in this folder.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            patience: commit::PATIENCE,
            turn: Arc::default(),
            reading: Arc::default(),
            handed: Arc::default(),
        }
    }

    /// The same desk, whose repository's hooks may take so long; 30 seconds otherwise.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The library's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A document as it lies in the folder now; one that is not there is empty, and its base is [`Base::Absent`].
    pub fn read(&self, paper: &Paper) -> Result<Sheet, NotSaved> {
        let file = self.file(paper);
        let text = self.text_of(&file)?;
        let base = text.as_ref().map_or(Base::Absent, |text| Base::of(text.as_bytes()));
        let text = text.unwrap_or_default();
        self.hand(&base, &text);
        Ok(Sheet { text, base, file })
    }

    /// The fragments that lie in the folder, good or not.
    pub fn fragments(&self) -> Vec<PersonaName> {
        let paths = Files::Folder(self.dir.clone()).documents("fragments");
        paths.iter().filter_map(|path| stem(path).parse().ok()).collect()
    }

    /// What would come of the library if `paper` said this; without a text, if it went. Writes nothing.
    pub fn draft(&self, paper: &Paper, text: Option<&str>) -> Draft {
        let change = (self.file(paper).into(), text.map(str::to_owned));
        self.drafted(&BTreeMap::from([change]), Some(paper))
    }

    /// Makes a document what somebody wants it to be, and commits that.
    pub fn save(&self, paper: &Paper, edit: Edit) -> Result<Saved, NotSaved> {
        let Edit { text, base, author, message } = edit;
        let verb = if base == Base::Absent { "Add" } else { "Change" };
        let message = if message.trim().is_empty() { format!("{verb} {paper}") } else { message };
        let change = Change { file: self.file(paper), base, text: Some(text) };
        self.write(vec![change], Some(paper), &author, &message)
    }

    /// Removes a document, and commits that. What others extend stays.
    pub fn delete(&self, paper: &Paper, base: &Base, author: &Author, message: &str) -> Result<Saved, NotSaved> {
        let message = if message.trim().is_empty() { format!("Remove {paper}") } else { message.to_owned() };
        if *base == Base::Absent {
            return Err(NotSaved::Missing(paper.to_string()));
        }
        let change = Change { file: self.file(paper), base: base.clone(), text: None };
        // A document that goes is not looked at itself: what extends it is.
        self.write(vec![change], None, author, &message)
    }

    /// Copies a document to a new name.
    pub fn duplicate(&self, from: &Paper, to: &Paper, author: &Author) -> Result<Saved, NotSaved> {
        let Sheet { text, base, .. } = self.read(from)?;
        if base == Base::Absent {
            return Err(NotSaved::Missing(from.to_string()));
        }
        let message = format!("Add {to}, a copy of {from}");
        self.save_new(to, Edit { text, base: Base::Absent, author: author.clone(), message }, vec![])
    }

    /// Begins a persona from a sample, with the fragments and the manifest that the sample needs and the library has not.
    pub fn begin(&self, name: &PersonaName, sample: &Sample, author: &Author) -> Result<Saved, NotSaved> {
        let mut others = vec![];
        for (path, text) in sample.needs() {
            let has = ["yaml", "yml"].map(|ending| Path::new(path).with_extension(ending));
            if !has.iter().any(|path| self.dir.join(path).symlink_metadata().is_ok()) {
                others.push(Change { file: path.to_owned(), base: Base::Absent, text: Some(text.to_owned()) });
            }
        }
        let message = format!("Add {name}, from the sample {}", sample.name);
        let edit = Edit { text: sample.text.to_owned(), base: Base::Absent, author: author.clone(), message };
        self.save_new(&Paper::Persona(name.clone()), edit, others)
    }

    /// Makes a persona's own file what it was at a commit.
    pub fn revert(&self, name: &PersonaName, to: &Commit, base: &Base, author: &Author) -> Result<Saved, NotSaved> {
        let text = Past::of(&self.dir)?.own_text(name, to)?;
        let text = text.ok_or_else(|| NotSaved::Missing(format!("{name} at {to}")))?;
        let message = format!("Revert {name} to {to}");
        let edit = Edit { text, base: base.clone(), author: author.clone(), message };
        self.save(&Paper::Persona(name.clone()), edit)
    }

    /// Saves what must not be there yet.
    fn save_new(&self, paper: &Paper, edit: Edit, others: Vec<Change>) -> Result<Saved, NotSaved> {
        if self.read(paper)?.base != Base::Absent {
            return Err(NotSaved::Taken(paper.to_string()));
        }
        let own = Change { file: self.file(paper), base: Base::Absent, text: Some(edit.text) };
        self.write(std::iter::once(own).chain(others).collect(), Some(paper), &edit.author, &edit.message)
    }

    /// Writes all of it, or nothing. The first change is the one that everything is about.
    fn write(
        &self,
        changes: Vec<Change>,
        paper: Option<&Paper>,
        author: &Author,
        message: &str,
    ) -> Result<Saved, NotSaved> {
        let _turn = turn(&self.turn)?;
        let _alone = write::alone(&self.dir)?;
        let ledger = self.ledger()?;
        ledger.wait()?;
        let mut open = vec![];
        for change in &changes {
            let there = self.text_of(&change.file)?;
            // Who wants what is there already has it, whatever they began with.
            if there == change.text {
                continue;
            }
            if there.as_ref().map_or(Base::Absent, |text| Base::of(text.as_bytes())) != change.base {
                return Err(self.in_conflict(change, there));
            }
            open.push(change);
        }
        let texts = changes.iter().map(|change| (PathBuf::from(&change.file), change.text.clone())).collect();
        let mut draft = self.drafted(&texts, paper);
        if !draft.is_good() {
            return Err(NotSaved::Broken(draft.problems));
        }
        let mut written = vec![];
        for change in &open {
            let path = self.dir.join(&change.file);
            if let Some(folder) = path.parent() {
                make_folder(folder).map_err(|error| write::disk(folder, &error))?;
            }
            match write::replace(&path, &change.base, change.text.as_deref())? {
                Some(done) => written.push(done),
                // What was written so far goes back as it is dropped.
                None => return Err(self.in_conflict(change, self.text_of(&change.file)?)),
            }
        }
        let files: Vec<String> = changes.iter().map(|change| change.file.clone()).collect();
        let recorded = ledger.record(&files, author, message)?;
        let changed = !written.is_empty();
        written.into_iter().for_each(Written::keep);
        let first = changes.first().and_then(|change| change.text.as_deref());
        let base = first.map_or(Base::Absent, |text| Base::of(text.as_bytes()));
        self.hand(&base, first.unwrap_or_default());
        let (commit, unrecorded) = match recorded {
            Recorded::In(commit, trouble) => {
                draft.problems.splice(..0, trouble.map(|error| after(&self.dir, &error)));
                (Some(commit), None)
            }
            Recorded::Already => (None, None),
            Recorded::Nowhere(why) => (None, Some(why)),
        };
        let brought = open.iter().map(|change| change.file.clone()).filter(|file| *file != files[0]).collect();
        draft.problems.retain(|problem| !problem.is_error());
        Ok(Saved { base, commit, unrecorded, changed, warnings: draft.problems, brought })
    }

    fn in_conflict(&self, change: &Change, theirs: Option<String>) -> NotSaved {
        let yours = change.text.clone().unwrap_or_default();
        NotSaved::Conflict(Box::new(self.conflict(&change.file, &change.base, theirs, yours)))
    }

    /// The file of a document, from the library's folder: the one that is there, or else the one that would be.
    pub fn file(&self, paper: &Paper) -> String {
        let [yaml, yml] = ["yaml", "yml"].map(|ending| match paper {
            Paper::Persona(name) => format!("{name}.{ending}"),
            Paper::Fragment(name) => format!("fragments/{name}.{ending}"),
        });
        if !self.dir.join(&yaml).exists() && self.dir.join(&yml).exists() { yml } else { yaml }
    }

    fn text_of(&self, file: &str) -> Result<Option<String>, NotSaved> {
        let path = self.dir.join(file);
        let Some(bytes) = write::bytes(&path)? else { return Ok(None) };
        let error = "the file is not UTF-8: it can be mended in the folder only".to_owned();
        let refused = |_| NotSaved::Disk { path: path.display().to_string(), error };
        String::from_utf8(bytes).map(Some).map_err(refused)
    }
}

/// Waits until nobody else writes, but not for ever: a hook of the repository may keep another's save waiting.
pub(super) fn turn<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, NotSaved> {
    let end = Instant::now() + commit::LOCKED;
    loop {
        match mutex.try_lock() {
            Ok(turn) => return Ok(turn),
            Err(TryLockError::Poisoned(turn)) => return Ok(turn.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() < end => thread::sleep(commit::STEP),
            Err(TryLockError::WouldBlock) => {
                return Err(NotSaved::Busy("Somebody else's save waits for a hook of the repository".into()));
            }
        }
    }
}

/// The commit stands, and something that runs after it does not end, or fails.
fn after(dir: &Path, error: &GitError) -> Problem {
    let help = "look at the hooks of the repository that run after a commit: post-commit, reference-transaction";
    let message = format!("the commit was made, but {error}");
    Problem::of_file(&dir.display().to_string(), "GR196", message, help).warning()
}

/// Locks, also after a panic elsewhere: what is under these locks is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
