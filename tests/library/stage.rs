//! A library in a repository of its own, and git to work on it as an admin would.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use greenroom::library::{History, Library, State, Status};
use tempfile::TempDir;

/// How long anything may take before the test gives up on it.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Repo {
    pub(crate) top: TempDir,
    pub(crate) library: PathBuf,
}

/// A persona that validates; `word` makes it another version.
pub(crate) fn persona(word: &str) -> String {
    // The hash is of no password: somebody must be able to log in, or the library has a warning.
    format!(
        "apiVersion: greenroom/v1\ndescription: {word}\neffect: ephemeral\nos: {{image: tiny}}\n\
         security: {{users: [{{name: ann, password_hash: \"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7\"}}]}}\n"
    )
}

/// The manifest of the image that they boot.
pub(crate) fn manifest() -> String {
    let digest = "0".repeat(64);
    format!(
        "name: tiny\narch: x64\nargs: ['seed={{{{seed_url}}}}']\nfiles:\n  kernel: {{sha256: {digest}, origins: ['file:kernel']}}\n"
    )
}

impl Repo {
    /// A repository whose top is the library, with nothing in it yet.
    pub(crate) fn empty() -> Self {
        Self::with("")
    }

    /// A repository with the library in this folder of it.
    pub(crate) fn with(folder: &str) -> Self {
        let top = tempfile::tempdir().unwrap();
        let repo = Self { library: top.path().join(folder), top };
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo.write("images/tiny.yaml", &manifest());
        repo
    }

    /// A repository with personas `a` and `b`, committed.
    pub(crate) fn new() -> Self {
        let repo = Self::empty();
        repo.write("a.yaml", &persona("one"));
        repo.write("b.yaml", &persona("one"));
        repo.commit("Begin");
        repo
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.library.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.library.join(path)).unwrap()
    }

    /// git, which must succeed; what it wrote, without the line end.
    pub(crate) fn git(&self, words: &[&str]) -> String {
        let output = git(self.top.path(), words);
        assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Commits everything; the commit.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn open(&self) -> Library {
        Library::open(&self.library)
    }

    /// `main` and `other` changed the same line of `a`, and a merge of the two has stopped at it.
    pub(crate) fn merging() -> Self {
        let repo = Self::new();
        repo.git(&["checkout", "--quiet", "-b", "other"]);
        repo.write("a.yaml", &persona("theirs"));
        repo.commit("Theirs");
        repo.git(&["checkout", "--quiet", "main"]);
        repo.write("a.yaml", &persona("ours"));
        repo.commit("Ours");
        repo
    }

    pub(crate) fn merge(&self) {
        assert!(!git(self.top.path(), &["merge", "other"]).status.success(), "the merge stops");
    }
}

pub(crate) fn git(dir: &Path, words: &[&str]) -> Output {
    let fixed = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "protocol.file.allow=always"];
    Command::new("git").args(fixed).args(words).current_dir(dir).output().unwrap()
}

pub(crate) fn status<'a>(library: &'a Library, name: &str) -> &'a Status {
    library.statuses().iter().find(|status| status.name == name).unwrap()
}

pub(crate) fn state(library: &Library, name: &str) -> State {
    status(library, name).state
}

pub(crate) fn described(library: &Library, name: &str) -> String {
    library.catalog().persona(&name.parse().unwrap()).unwrap().persona.description.clone()
}

pub(crate) fn why(library: &Library) -> String {
    match library.history() {
        History::None { why } => why.clone(),
        history @ History::Git { .. } => panic!("{history:?}"),
    }
}

/// Asks until it is so.
pub(crate) fn until<T>(what: &str, mut asked: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(found) = asked() {
            return found;
        }
        assert!(Instant::now() < end, "{what}: it never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The real command line, on this library.
pub(crate) fn greenroom(repo: &Repo, words: &[&str]) -> Output {
    command(repo, words).output().unwrap()
}

pub(crate) fn command(repo: &Repo, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    let names = ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"];
    command
        .args(words)
        .args(["--library", repo.library.to_str().unwrap()])
        .envs(names.map(|name| (name, "ann@example.org")));
    command.env_remove("GREENROOM_CONFIG").env_remove("GREENROOM_SOCKET").env("COLUMNS", "200");
    command
}

pub(crate) fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
