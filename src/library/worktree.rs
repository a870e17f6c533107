//! The git work tree that a library lies in: which commit it is at, what is edited, and whether git is at work in it.
//!
//! A persona's commit is the one that the work tree is at (`HEAD`), not the last one that touched its files: that one costs
//! a walk through history for each persona, and says less, since `git show COMMIT:FILE` gives the same text with both. **Two
//! runs of git tell everything about any number of personas**: where the tree is, once; commit and edits, at each reading.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::git::{Commit, Git, GitError};

/// A lock of the index that is older was left behind by a git that was killed.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// The files of a repository's folder that tell where it stands.
const TELLING: [&str; 6] = ["HEAD", "index", "logs/HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"];

/// What git leaves lying while it waits for a person.
const UNFINISHED: [(&str, &str); 5] = [
    ("MERGE_HEAD", "merge"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
];

/// A work tree, or a part of one.
#[derive(Debug, Clone)]
pub(super) struct WorkTree {
    git: Git,
    /// The library's folder.
    dir: PathBuf,
    /// The library's folder, from the top of the tree; empty or with a slash at the end.
    prefix: Vec<u8>,
    /// The repository's own folder.
    git_dir: PathBuf,
}

/// Where a work tree stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// The commit; none before the first.
    pub(super) commit: Option<Commit>,
    /// The branch; none when the head is detached.
    pub(super) branch: Option<String>,
    /// The library's files that are not as that commit has them, from the library's folder.
    pub(super) edited: BTreeSet<PathBuf>,
    /// Those of them that a merge left in conflict.
    pub(super) conflicts: BTreeSet<PathBuf>,
}

/// What the history of a library can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "history")]
pub enum History {
    /// It is a git work tree.
    Git {
        /// The commit that it is at; none before the first.
        commit: Option<Commit>,
        /// The branch; none when the head is detached.
        branch: Option<String>,
    },
    /// There is none: versions are digests only.
    None {
        /// Why, and what to do.
        why: String,
    },
}

impl WorkTree {
    /// The work tree that `dir` lies in.
    pub(super) fn find(dir: &Path) -> Result<Self, GitError> {
        let git = Git::at(dir);
        // Each answer ends in a line end, and may hold others.
        let prefix = git.run(&["rev-parse", "--show-prefix"]).output()?;
        let git_dir = git.run(&["rev-parse", "--absolute-git-dir"]).output()?;
        let line = |mut bytes: Vec<u8>| {
            bytes.pop();
            bytes
        };
        let git_dir = PathBuf::from(OsString::from_vec(line(git_dir)));
        Ok(Self { git, dir: dir.to_owned(), prefix: line(prefix), git_dir })
    }

    /// A way to run git in the library's folder.
    pub(super) fn git(&self) -> &Git {
        &self.git
    }

    /// The repository's own folder.
    pub(super) fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The library's folder from the top of the tree.
    pub(super) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Which commit the tree is at, and what is edited under the library's folder.
    pub(super) fn standing(&self) -> Result<Standing, GitError> {
        let words = ["status", "--porcelain=v2", "-z", "--branch", "--untracked-files=all", "--ignored=traditional"];
        let said = self.git.run(&words).paths(&["."]).output()?;
        Ok(standing(&said, &self.prefix))
    }

    /// Which commit the tree is at.
    pub(super) fn head(&self) -> Result<Commit, GitError> {
        let said = self.git.run(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).output();
        let said = said.map_err(|error| match error {
            // It says nothing when the branch has no commit yet.
            GitError::Failed { .. } => GitError::NoCommits,
            error => error,
        })?;
        Commit::new(String::from_utf8_lossy(&said).trim()).ok_or(GitError::NoCommits)
    }

    /// What git was left in the middle of, in a word.
    pub(super) fn unfinished(&self) -> Option<&'static str> {
        UNFINISHED.iter().find(|(name, _)| self.git_dir.join(name).exists()).map(|(_, what)| *what)
    }

    /// Whether git is changing files at this moment.
    pub(super) fn is_busy(&self) -> bool {
        let modified = fs::metadata(self.git_dir.join("index.lock")).and_then(|metadata| metadata.modified());
        // A clock that was set back makes a lock look new: it is then waited for, no longer than for any other.
        modified.is_ok_and(|at| SystemTime::now().duration_since(at).unwrap_or_default() < LOCK_PATIENCE)
    }

    /// What can be seen of the repository without running git: tells whether it stands elsewhere now.
    pub(super) fn fingerprint(&self) -> Vec<(u64, Option<SystemTime>)> {
        let seen = |name: &str| {
            let metadata = fs::metadata(self.git_dir.join(name)).ok();
            (metadata.as_ref().map_or(0, fs::Metadata::len), metadata.and_then(|metadata| metadata.modified().ok()))
        };
        let unfinished = UNFINISHED.iter().map(|(name, _)| *name);
        TELLING.into_iter().chain(unfinished).map(seen).collect()
    }

    /// The library's folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Reads `git status --porcelain=v2 -z --branch`: records that end in NUL, paths as they are.
fn standing(said: &[u8], prefix: &[u8]) -> Standing {
    let mut standing = Standing::default();
    let mut records = said.split(|byte| *byte == 0);
    let inside = |path: &[u8]| path.strip_prefix(prefix).map(|path| PathBuf::from(OsString::from_vec(path.to_vec())));
    while let Some(record) = records.next() {
        // So many words stand before the path, which may hold blanks itself.
        let (words, renamed) = match record.first() {
            Some(b'#') => {
                let line = String::from_utf8_lossy(record);
                match line.split_once(' ').and_then(|(_, rest)| rest.split_once(' ')) {
                    Some(("branch.oid", commit)) => standing.commit = Commit::new(commit),
                    Some(("branch.head", "(detached)")) => {}
                    Some(("branch.head", branch)) => standing.branch = Some(branch.to_owned()),
                    _ => {}
                }
                continue;
            }
            Some(b'?' | b'!') => (1, false),
            Some(b'1') => (8, false),
            Some(b'2') => (9, true),
            Some(b'u') => (10, false),
            _ => continue,
        };
        let path = record.splitn(words + 1, |byte| *byte == b' ').nth(words);
        let path = path.and_then(inside);
        if record.starts_with(b"u") {
            standing.conflicts.extend(path.clone());
        }
        standing.edited.extend(path);
        if renamed {
            standing.edited.extend(records.next().and_then(inside));
        }
    }
    standing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_they_are() {
        let said = b"# branch.oid 0123456789012345678901234567890123456789\0# branch.head main\0\
            1 .M N... 100644 100644 100644 aa bb lib/a b\nc.yaml\0\
            2 R. N... 100644 100644 100644 aa bb R100 lib/new.yaml\0lib/old.yaml\0\
            u UU N... 100644 100644 100644 100644 aa bb cc lib/both.yaml\0\
            ? lib/\xff.yaml\0! lib/ignored.yaml\0? elsewhere/x.yaml\0";
        let standing = standing(said, b"lib/");
        assert_eq!(
            (standing.commit.map(|commit| commit.to_string()), standing.branch),
            (Some("0123456789".into()), Some("main".into()))
        );
        let raw = PathBuf::from(OsString::from_vec(b"\xff.yaml".to_vec()));
        let edited = ["a b\nc.yaml", "new.yaml", "old.yaml", "both.yaml", "ignored.yaml"].map(PathBuf::from);
        assert_eq!(standing.edited, edited.into_iter().chain([raw]).collect());
        assert_eq!(standing.conflicts, BTreeSet::from(["both.yaml".into()]));
    }

    #[test]
    fn a_tree_without_commits_stands_nowhere_yet() {
        let standing = standing(b"# branch.oid (initial)\0# branch.head (detached)\0", b"");
        assert_eq!(standing, Standing::default());
    }
}
