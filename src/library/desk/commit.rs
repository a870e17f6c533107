//! A commit of some files and nothing else, by whoever wrote them.
//!
//! `git commit --only` makes the commit in an index of its own, under the lock of the real one, and then notes just these files
//! in the real one: what others have staged is neither committed nor lost. The repository's hooks run, for they are its owner's
//! rules; `greenroom persona hook` among them checks a second time, which does no harm. Nobody is there to sign: no commit of
//! ours is signed.
//!
//! A hook that does not end is given up, with the commit that it keeps from being made. One that runs after the commit is given
//! up likewise, and the commit stands: what git has is what counts, not how it ended.

use std::{
    fs, io,
    path::PathBuf,
    thread,
    time::{Duration, Instant, SystemTime},
};

use super::{
    super::git::{Commit, Git, GitError},
    Author, Desk, NotSaved, WorkTree,
};

/// What commits call us: who wrote something is their author.
const COMMITTER: (&str, &str) = ("Greenroom", "greenroom@greenroom.invalid");

/// How long hooks may take: whoever saves waits for them, and so does the library.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How long somebody else's save is waited for, or somebody else's git.
pub(in super::super) const LOCKED: Duration = Duration::from_secs(5);

/// How often it is looked whether it is done.
pub(in super::super) const STEP: Duration = Duration::from_millis(50);

/// Where commits go.
#[derive(Debug)]
pub(super) enum Ledger {
    /// A work tree.
    Tree {
        tree: WorkTree,
        /// How long hooks may take.
        patience: Duration,
    },
    /// Nowhere, and why.
    None(String),
}

/// What a commit came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    /// It was made; what git said all the same, when it did not end well.
    In(Commit, Option<GitError>),
    /// The last commit says the same.
    Already,
    /// It cannot be, and why.
    Nowhere(String),
}

impl Desk {
    /// Where commits of this library go. Refused while a person is in the middle of something there.
    pub(super) fn ledger(&self) -> Result<Ledger, NotSaved> {
        let tree = match WorkTree::find(&self.dir) {
            Ok(tree) => tree,
            Err(error @ GitError::NoTree(_)) => return Ok(Ledger::None(error.to_string())),
            // Without git, only a folder that is in none can be written.
            Err(error @ GitError::Missing) if !self.dir.ancestors().any(|dir| dir.join(".git").exists()) => {
                return Ok(Ledger::None(error.to_string()));
            }
            Err(error) => return Err(error.into()),
        };
        match tree.unfinished() {
            Some(what) => Err(NotSaved::Unfinished(what)),
            None => Ok(Ledger::Tree { tree, patience: self.patience }),
        }
    }

    /// How many commits of this library its upstream has not; nothing when there is no upstream.
    pub fn unpushed(&self) -> Option<usize> {
        let git = Git::at(&self.dir);
        let count = |from: &str| {
            let said = git.run(&["rev-list", "--count", &format!("{from}..HEAD")]).output().ok()?;
            String::from_utf8_lossy(&said).trim().parse().ok()
        };
        count("@{upstream}").or_else(|| count("FETCH_HEAD"))
    }
}

impl Ledger {
    /// Waits until nobody's git holds the index.
    pub(super) fn wait(&self) -> Result<(), NotSaved> {
        let Self::Tree { tree, .. } = self else { return Ok(()) };
        let end = Instant::now() + LOCKED;
        while tree.is_busy() {
            if Instant::now() > end {
                let lock = tree.git_dir().join("index.lock");
                return Err(NotSaved::Busy(format!("If no git runs, remove {}", lock.display())));
            }
            thread::sleep(STEP);
        }
        Ok(())
    }

    /// Commits these files as they are in the folder now.
    pub(super) fn record(&self, files: &[String], author: &Author, message: &str) -> Result<Recorded, NotSaved> {
        let (tree, patience) = match self {
            Self::Tree { tree, patience } => (tree, *patience),
            Self::None(why) => return Ok(Recorded::Nowhere(why.clone())),
        };
        let git = tree.git();
        if git.run(&["check-ignore", "--quiet"]).paths(files).holds()? {
            return Ok(Recorded::Nowhere("git is told to ignore this file (`.gitignore`): it is in no commit".into()));
        }
        let end = Instant::now() + LOCKED;
        loop {
            match Self::attempt(tree, files, author, message, patience) {
                // Somebody's git was quicker. Nothing was done.
                Err(GitError::Failed { said, .. }) if said.contains(".lock") && Instant::now() < end => {
                    thread::sleep(STEP)
                }
                Err(GitError::Failed { said, .. }) if said.contains("index.lock") => return Err(NotSaved::Busy(said)),
                recorded => return recorded.map_err(NotSaved::NotCommitted),
            }
        }
    }

    fn attempt(
        tree: &WorkTree,
        files: &[String],
        author: &Author,
        message: &str,
        patience: Duration,
    ) -> Result<Recorded, GitError> {
        let git = tree.git();
        // Only what the index knows can be committed by its name. A name alone is no content.
        let known = git.run(&["ls-files", "-z", "--cached"]).paths(files).output()?;
        let known: Vec<&[u8]> = known.split(|byte| *byte == 0).collect();
        let is_new = |file: &&String| !known.contains(&file.as_bytes()) && tree.dir().join(file).exists();
        let new: Vec<&String> = files.iter().filter(is_new).collect();
        // A file that no commit ever held went without one.
        let there: Vec<&String> =
            files.iter().filter(|file| known.contains(&file.as_bytes()) || tree.dir().join(file).exists()).collect();
        if there.is_empty() {
            return Ok(Recorded::Already);
        }
        if !new.is_empty() {
            git.run(&["add", "--intent-to-add"]).changing().paths(&new).output()?;
        }
        let recorded = Self::commit(tree, &there, author, message, patience);
        if !matches!(recorded, Ok(Recorded::In(..))) && !new.is_empty() {
            // The index is as it was, too.
            let forget = git.run(&["update-index", "--force-remove"]).changing().paths(&new).output();
            drop(forget.inspect_err(|error| tracing::warn!("the index of the library could not be put back: {error}")));
        }
        recorded
    }

    fn commit(
        tree: &WorkTree,
        files: &[&String],
        author: &Author,
        message: &str,
        patience: Duration,
    ) -> Result<Recorded, GitError> {
        let git = tree.git();
        let is_committed = || git.run(&["diff", "--quiet", "HEAD"]).paths(files).holds();
        if is_committed()? {
            return Ok(Recorded::Already);
        }
        let words = ["commit", "--quiet", "--only", "--no-gpg-sign", "--cleanup=whitespace", "--file=-"];
        let (began, before) = (SystemTime::now(), tree.head().ok());
        let run = git.run(&words).changing().within(patience).paths(files).tell(message.as_bytes().to_vec());
        let run = run.with("GIT_AUTHOR_NAME", &author.name).with("GIT_AUTHOR_EMAIL", &author.email);
        let made = run.with("GIT_COMMITTER_NAME", COMMITTER.0).with("GIT_COMMITTER_EMAIL", COMMITTER.1).output();
        if let Err(GitError::TimedOut { .. } | GitError::TooMuch { .. }) = made {
            unlock(tree, began);
        }
        // What runs after the commit may fail, or be given up: that takes no commit back.
        let trouble = match made {
            Ok(_) => None,
            Err(error) if tree.head().ok() != before && is_committed()? => Some(error),
            Err(error) => return Err(error),
        };
        Ok(Recorded::In(tree.head()?, trouble))
    }
}

/// A git of ours that was killed left its lock behind. One that was there before is somebody else's: ours would not have begun.
fn unlock(tree: &WorkTree, began: SystemTime) {
    let lock: PathBuf = tree.git_dir().join("index.lock");
    let ours = fs::metadata(&lock).and_then(|metadata| metadata.modified()).is_ok_and(|at| at >= began);
    let removed: io::Result<()> = if ours { fs::remove_file(&lock) } else { Ok(()) };
    drop(removed.inspect_err(|error| tracing::warn!("{} could not be removed: {error}", lock.display())));
}
