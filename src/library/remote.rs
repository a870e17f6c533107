//! Fetching what others committed. **Only ever forward**: no merge is made, no local commit and no local edit is lost; what
//! cannot be had that way is said, and left to a person.

use std::{path::PathBuf, time::Duration};

use super::{
    git::{Commit, GitError},
    worktree::WorkTree,
};

/// How long a remote may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The remote that a branch is of when nothing says otherwise.
const ORIGIN: &str = "origin";

/// Where a library's commits come from.
#[derive(Debug, Clone)]
pub struct Remote {
    /// The library's folder.
    pub dir: PathBuf,
    /// The repository; the work tree's own remote when not given.
    pub url: Option<String>,
    /// The branch; the upstream of the branch that is checked out when not given.
    pub branch: Option<String>,
}

/// What a pull came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pulled {
    /// The work tree has everything that the remote has.
    Nothing,
    /// The work tree was moved forward to this commit.
    To(Commit),
}

/// Why nothing was pulled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPulled {
    /// Git, or the way to the remote.
    #[error("the library was not pulled: {0}")]
    Git(#[from] GitError),
    /// A person is at work there.
    #[error("the library was not pulled: git is in the middle of a {0} there")]
    Unfinished(&'static str),
    /// Both sides have commits that the other has not.
    #[error(
        "the library was not pulled: it has commits that {from} has not, and the other way round; rebase or merge them \
         by hand (`git pull --rebase`)"
    )]
    Diverged {
        /// Whose branch.
        from: String,
    },
    /// Local edits are in the way.
    #[error("the library was not pulled: uncommitted edits are in the way; commit them, or undo them: {files}")]
    Edited {
        /// Which files.
        files: String,
    },
}

impl Remote {
    /// Fetches, and moves the work tree forward when nothing is in the way.
    pub fn pull(&self) -> Result<Pulled, NotPulled> {
        let tree = WorkTree::find(&self.dir)?;
        if let Some(what) = tree.unfinished() {
            return Err(NotPulled::Unfinished(what));
        }
        let git = tree.git();
        let fetch = git.run(&["fetch", "--quiet", "--no-recurse-submodules"]).changing().within(PATIENCE);
        let from = self.url.as_deref().or(self.branch.as_ref().map(|_| ORIGIN));
        let words: Vec<&str> = from.into_iter().chain(self.branch.as_deref()).collect();
        let target = match words.is_empty() {
            true => {
                fetch.output()?;
                "@{upstream}"
            }
            false => {
                fetch.paths(&words).output()?;
                "FETCH_HEAD"
            }
        };
        let resolved = git.run(&["rev-parse", "--verify", &format!("{target}^{{commit}}")]).output()?;
        let target = String::from_utf8_lossy(&resolved).trim().to_owned();
        let target = Commit::new(&target).ok_or(GitError::NoRevision(target))?;
        let is_ancestor = |a: &str, b: &str| git.run(&["merge-base", "--is-ancestor", a, b]).holds();
        // A tree without a commit has nothing to lose; the merge below begins it.
        let begun = git.run(&["rev-parse", "--verify", "--quiet", "HEAD"]).holds()?;
        if begun && is_ancestor(target.as_str(), "HEAD")? {
            return Ok(Pulled::Nothing);
        }
        if begun && !is_ancestor("HEAD", target.as_str())? {
            return Err(NotPulled::Diverged { from: shown(from.unwrap_or("its upstream")) });
        }
        match git.run(&["merge", "--quiet", "--ff-only", target.as_str()]).changing().within(PATIENCE).output() {
            Ok(_) => Ok(Pulled::To(target)),
            Err(GitError::Failed { said, .. }) if said.contains("would be overwritten") => {
                let files = said.lines().filter_map(|line| line.strip_prefix('\t')).collect::<Vec<_>>().join(", ");
                Err(NotPulled::Edited { files })
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A URL without the password that some hold.
fn shown(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?))) {
        Some((scheme, (login, host))) if !login.contains('/') => format!("{scheme}://{host}"),
        _ => url.to_owned(),
    }
}
