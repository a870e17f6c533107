//! Git, by its command line: the one place that runs it.
//!
//! An admin who keeps a library in git has `git`, and it knows what no library of ours would: credentials, ssh's
//! configuration, work trees, hooks, merges. **It is never run by a shell, no name that somebody wrote can become an option
//! of it, and it can neither hang nor flood us**: it reads no terminal, has a time and a size that it must keep, and is
//! killed with everything it started when it does not.
//!
//! What a repository could make git run while we only look is off: hooks, pagers, external diffs, fsmonitor, `ext::` URLs.
//! Hooks stay on where git changes something for an admin (a commit, a merge): they are the admin's own rules. In a repository
//! that is somebody else's, root runs git as them (`owner`).

mod name;
mod process;

use std::{
    env,
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use nix::unistd::{Uid, User};

use super::owner::become_owner;
use process::{Ended, Halt};

pub use name::{Commit, Revision};

/// How long looking at a repository may take.
const LOOK: Duration = Duration::from_secs(20);

/// What would make git look at another repository than the one of the folder: set when we are run by one of its hooks.
const MISLEADING: [&str; 12] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_EXTERNAL_DIFF",
    "GIT_LITERAL_PATHSPECS",
];

/// How git is told who somebody is: its setting, and the variables that overrule it.
const NAMES: [(&str, [&str; 2]); 2] = [
    ("user.name", ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"]),
    ("user.email", ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"]),
];

/// Settings that keep a repository's own configuration from making git run or print something else.
const HARDENED: [&str; 9] = [
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.quotePath=false",
    "color.ui=false",
    "diff.external=",
    "log.showSignature=false",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "advice.detachedHead=false",
];

/// Why git did not do it. Each message is one sentence that says what to do, where there is something to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// The program is not there.
    #[error("`git` is not installed: install it to see commits, logs and differences")]
    Missing,
    /// The folder is in no work tree.
    #[error("{0} is no git work tree: `git init` there, and commit, to have commits, logs and reverts")]
    NoTree(String),
    /// Git does not trust the folder's owner.
    #[error(
        "git does not trust the owner of {0}: run `git config --system --add safe.directory {0}`, or give the folder to \
         the user that Greenroom runs as"
    )]
    Untrusted(String),
    /// The text names no revision, and could not.
    #[error("`{0}` cannot name a revision")]
    BadRevision(String),
    /// There is no such revision.
    #[error("there is no revision `{0}` in this repository: see `greenroom persona log`")]
    NoRevision(String),
    /// Nothing was ever committed.
    #[error("nothing was committed yet")]
    NoCommits,
    /// It took too long, and was killed.
    #[error("`git {what}` did not end within {seconds} seconds and was killed")]
    TimedOut {
        /// Which command of git.
        what: String,
        /// How long it had.
        seconds: u64,
    },
    /// It said more than anybody can want.
    #[error("`git {what}` said more than {} bytes and was killed", process::MAX_OUTPUT)]
    TooMuch {
        /// Which command of git.
        what: String,
    },
    /// It failed.
    #[error("`git {what}` failed: {said}")]
    Failed {
        /// Which command of git.
        what: String,
        /// Its last words.
        said: String,
    },
    /// The system would not run it.
    #[error("`git {what}` could not be run: {error}")]
    System {
        /// Which command of git.
        what: String,
        /// What the system says.
        error: String,
    },
}

/// A way to run git in one folder.
#[derive(Debug, Clone)]
pub(super) struct Git {
    program: OsString,
    dir: PathBuf,
}

/// One run of git, as it is put together.
pub(super) struct Run<'a> {
    git: &'a Git,
    args: Vec<OsString>,
    changes: bool,
    limit: Duration,
    told: Vec<u8>,
    with: Vec<(&'static str, OsString)>,
}

impl Git {
    /// Git in this folder.
    pub(super) fn at(dir: &Path) -> Self {
        Self { program: "git".into(), dir: dir.to_owned() }
    }

    /// A command of git with these options, all of them our own words.
    pub(super) fn run(&self, words: &[&str]) -> Run<'_> {
        let args = words.iter().map(OsString::from).collect();
        Run { git: self, args, changes: false, limit: LOOK, told: vec![], with: vec![] }
    }

    /// What git is told of somebody, by whose settings are read here.
    fn setting(&self, name: &str) -> Option<String> {
        let said = self.run(&["config", "--get", name]).output().ok()?;
        Some(String::from_utf8_lossy(&said).trim().to_owned()).filter(|said| !said.is_empty())
    }

    /// Who commits here, when the owner of the repository has no name (most users of services have none): we, as our own
    /// settings call us.
    fn named(&self) -> Vec<(&'static str, String)> {
        let unnamed = NAMES.iter().filter(|(setting, _)| self.setting(setting).is_none());
        let ours = unnamed.filter_map(|(setting, names)| Some((names, Git::at(Path::new("/")).setting(setting)?)));
        let each = ours.flat_map(|(names, value)| names.iter().map(move |name| (*name, value.clone())));
        each.filter(|(name, _)| env::var_os(name).is_none()).collect()
    }
}

impl Run<'_> {
    /// Paths, which end the options: after them nothing is one.
    pub(super) fn paths<P: AsRef<OsStr>>(mut self, paths: &[P]) -> Self {
        self.args.push("--".into());
        self.args.extend(paths.iter().map(|path| path.as_ref().to_owned()));
        self
    }

    /// What it reads from its standard input.
    pub(super) fn tell(self, told: Vec<u8>) -> Self {
        Self { told, ..self }
    }

    /// It sees this in its environment.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.with.push((name, value.into()));
        self
    }

    /// It changes the repository for an admin: hooks run, locks are taken.
    pub(super) fn changing(self) -> Self {
        Self { changes: true, ..self }
    }

    /// It may take so long.
    pub(super) fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// What it wrote, when it succeeded.
    pub(super) fn output(self) -> Result<Vec<u8>, GitError> {
        let what = self.name();
        let dir = self.git.dir.display().to_string();
        let ended = self.ended()?;
        if ended.status.success() {
            return Ok(ended.out);
        }
        let said = ended.complaint.trim();
        Err(if said.contains("detected dubious ownership") {
            // Git names the top of the work tree, which may lie above the library.
            let named = said.split('\'').nth(1).unwrap_or(&dir);
            GitError::Untrusted(named.to_owned())
        } else if said.contains("not a git repository") || said.contains("must be run in a work tree") {
            GitError::NoTree(dir)
        } else {
            let said = if said.is_empty() { format!("it ended with {}", ended.status) } else { said.to_owned() };
            GitError::Failed { what, said }
        })
    }

    /// What it wrote, for commands whose exit status is a number of things: that number, too.
    pub(super) fn counted(self) -> Result<(Vec<u8>, usize), GitError> {
        let what = self.name();
        let Ended { status, out, complaint } = self.ended()?;
        match status.code() {
            // From 128 on, git's own troubles begin.
            Some(count @ 0..128) => Ok((out, count.unsigned_abs() as usize)),
            _ => Err(GitError::Failed { what, said: complaint.trim().to_owned() }),
        }
    }

    /// Whether it succeeded; what it wrote is dropped.
    pub(super) fn holds(self) -> Result<bool, GitError> {
        self.ended().map(|ended| ended.status.success())
    }

    fn name(&self) -> String {
        self.args.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The command; `as_owner` when it is run as the owner of the repository, should that be somebody else.
    fn command(&self, as_owner: bool) -> Command {
        let mut command = Command::new(&self.git.program);
        for setting in HARDENED {
            command.args(["-c", setting]);
        }
        if !self.changes {
            command.args(["-c", "core.hooksPath=/dev/null"]).env("GIT_OPTIONAL_LOCKS", "0");
        }
        for name in MISLEADING {
            command.env_remove(name);
        }
        // Nothing asks anybody for a password, and complaints are in the words that we read.
        command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").env("GIT_EDITOR", "true");
        if let Some(home) = home() {
            command.env("HOME", home);
        }
        if as_owner && become_owner(&mut command, &self.git.dir) && self.changes {
            command.envs(self.git.named());
        }
        command.envs(self.with.iter().map(|(name, value)| (name, value)));
        command.args(&self.args).current_dir(&self.git.dir).process_group(0);
        command
    }

    fn ended(self) -> Result<Ended, GitError> {
        let what = self.name();
        let ended = match process::run(self.command(true), self.told.clone(), self.limit) {
            // We may not become them, or they may not enter their own folder.
            Err(Halt::System(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
                process::run(self.command(false), self.told, self.limit)
            }
            ended => ended,
        };
        ended.map_err(|halt| match halt {
            // The folder may be what is not there.
            Halt::System(error) if error.kind() == io::ErrorKind::NotFound => match self.git.dir.is_dir() {
                true => GitError::Missing,
                false => GitError::NoTree(self.git.dir.display().to_string()),
            },
            Halt::System(error) => GitError::System { what, error: error.to_string() },
            Halt::Late => GitError::TimedOut { what, seconds: self.limit.as_secs() },
            Halt::TooMuch => GitError::TooMuch { what },
        })
    }
}

/// The home of the user that we are, when the environment names another's: a daemon that left root behind would send git
/// to root's configuration and keys.
fn home() -> Option<PathBuf> {
    let us = Uid::effective();
    let ours = |home: &OsString| fs::metadata(home).is_ok_and(|about| us.is_root() || about.uid() == us.as_raw());
    match env::var_os("HOME").filter(ours) {
        Some(_) => None,
        None => User::from_uid(us).ok().flatten().map(|user| user.dir),
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Instant};

    use super::*;

    #[test]
    fn a_git_that_hangs_or_floods_is_killed_and_one_that_is_not_there_is_said() {
        let dir = tempfile::tempdir().expect("a folder");
        let program = |text: &str| {
            let path = dir.path().join("git");
            std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("writable");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&path, mode).expect("ours");
            Git { program: path.into(), dir: dir.path().to_owned() }
        };
        let run = |git: &Git| git.run(&["status"]).within(Duration::from_secs(1)).output();
        // The child of the child holds the pipes open: it must go as well.
        let hangs = run(&program("echo started; sleep 1000 & echo $! > pid; wait"));
        assert!(matches!(hangs, Err(GitError::TimedOut { .. })), "{hangs:?}");
        let pid = std::fs::read_to_string(dir.path().join("pid")).expect("it started");
        let lives = || {
            let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
            !state.is_empty() && !state.contains(") Z ")
        };
        // A signal takes effect when its process runs next.
        let end = Instant::now() + Duration::from_secs(30);
        while lives() {
            assert!(Instant::now() < end, "it lives on");
            thread::sleep(Duration::from_millis(5));
        }
        let floods = program("yes").run(&["status"]).output();
        assert!(matches!(floods, Err(GitError::TooMuch { .. })), "{:?}", floods.map(|out| out.len()));
        let missing = Git { program: dir.path().join("none").into(), dir: dir.path().to_owned() };
        assert_eq!(run(&missing), Err(GitError::Missing));
        let untrusted =
            run(&program("echo \"fatal: detected dubious ownership in repository at '/srv/x'\" >&2; exit 128"));
        assert_eq!(untrusted, Err(GitError::Untrusted("/srv/x".into())));
    }
}
