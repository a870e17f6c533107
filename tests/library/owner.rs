//! A library that belongs to the user that the daemon runs as, in which root works: everything stays that user's.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use greenroom::library::{Author, Desk, Edit, Paper};

use super::stage::{Repo, command, persona, told};

/// A user that owns nothing else: `nobody` of every system.
const OWNER: u32 = 65534;

/// A library of that user, with a hook that writes down who runs it; `None` when we are not root, who alone is asked about.
fn theirs() -> Option<Repo> {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        println!("only root's work can be tried here, and the tests do not run as root");
        return None;
    }
    let repo = Repo::new();
    repo.write("a.yaml", &persona("two"));
    repo.commit("Change a");
    let hook = repo.top.path().join(".git/hooks/commit-msg");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\nid -u >> .git/ran\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(repo.top.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let given = Command::new("chown").args(["-R", &format!("{OWNER}:{OWNER}")]).arg(repo.top.path()).status();
    assert!(given.unwrap().success());
    Some(repo)
}

/// What is not theirs in that library.
fn strangers(repo: &Repo) -> String {
    let find = Command::new("find").arg(repo.top.path()).args(["!", "-user", "65534", "-printf", "%P %u\n"]).output();
    String::from_utf8(find.unwrap().stdout).unwrap()
}

/// git as its owner runs it.
fn git(repo: &Repo, words: &[&str]) -> String {
    let mut git = Command::new("setpriv");
    git.args(["--reuid=65534", "--regid=65534", "--clear-groups", "git", "-c", "user.name=Daemon"]);
    git.args(["-c", "user.email=daemon@example.org"]).args(words).current_dir(repo.top.path());
    let output = git.env("HOME", "/nonexistent").output().unwrap();
    assert!(output.status.success(), "git {words:?}: {}", told(&output));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// A home of root in which git knows who that is.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(".gitconfig"), "[user]\nname = Root Ann\nemail = root@example.org\n").unwrap();
    home
}

fn done(output: &Output) {
    assert!(output.status.success(), "{}", told(output));
}

/// The command line as root runs it.
fn root(repo: &Repo, home: &Path, words: &[&str]) -> Output {
    let mut command = command(repo, words);
    for name in ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"] {
        command.env_remove(name);
    }
    command.env("HOME", home).output().unwrap()
}

#[test]
fn what_root_reverts_tags_and_lists_stays_the_owners_and_is_by_root() {
    let Some(repo) = theirs() else { return };
    let home = home();
    done(&root(&repo, home.path(), &["persona", "revert", "a", "HEAD~1"]));
    assert_eq!(strangers(&repo), "");
    assert_eq!(
        git(&repo, &["log", "-1", "--format=%s by %an <%ae>"]),
        "Revert a to HEAD~1 by Root Ann <root@example.org>"
    );
    assert_eq!(
        fs::read_to_string(repo.top.path().join(".git/ran")).unwrap(),
        "65534\n",
        "no hook of theirs ran as root"
    );
    done(&root(&repo, home.path(), &["persona", "tag", "a", "good"]));
    let listed = root(&repo, home.path(), &["persona", "list"]);
    assert!(told(&listed).contains("good") && !told(&listed).contains("trust"), "{}", told(&listed));
    assert_eq!(strangers(&repo), "");

    // A name of the repository's own goes before root's.
    git(&repo, &["config", "user.name", "Library"]);
    done(&root(&repo, home.path(), &["persona", "revert", "a", "HEAD~1"]));
    assert_eq!(git(&repo, &["log", "-1", "--format=%an"]), "Library");
    // The daemon goes on there.
    fs::write(repo.library.join("a.yaml"), persona("three")).unwrap();
    git(&repo, &["commit", "--quiet", "--all", "-m", "Go on"]);
    git(&repo, &["gc", "--quiet"]);
    assert_eq!((git(&repo, &["status", "--porcelain"]), strangers(&repo)), (String::new(), String::new()));
}

#[test]
fn files_that_root_adds_are_the_owners_with_the_folders_they_lie_in() {
    let Some(repo) = theirs() else { return };
    let home = home();
    let kernel: PathBuf = home.path().join("kernel");
    fs::write(&kernel, "a kernel, to the tests").unwrap();
    fs::remove_dir_all(repo.library.join("images")).unwrap();
    done(&root(&repo, home.path(), &["image", "add", "fresh", "--kernel", kernel.to_str().unwrap()]));
    assert!(repo.library.join("images/fresh.yaml").exists());

    let mut hook = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    hook.args(["persona", "hook", "--install"]).arg(&repo.library).env("HOME", home.path());
    done(&hook.output().unwrap());
    assert!(repo.top.path().join(".git/hooks/pre-commit").exists());

    let dnsmasq = home.path().join("dnsmasq.conf");
    fs::write(&dnsmasq, "dhcp-range=10.0.0.10,10.0.0.99,255.255.255.0,1h\n").unwrap();
    let out = repo.library.join("new/import");
    let mut import = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    import.args(["import", "dnsmasq"]).arg(&dnsmasq).arg("--out").arg(&out);
    done(&import.output().unwrap());
    assert!(out.join("greenroom.import.yaml").exists());
    assert_eq!(strangers(&repo), "");
}

#[test]
fn a_save_of_a_daemon_that_is_root_is_the_owners() {
    let Some(repo) = theirs() else { return };
    let desk = Desk::new(&repo.library);
    let author = Author::new("Eve", "eve@example.org");
    for name in ["a", "new", "fragments/part"] {
        let paper: Paper = name.parse().unwrap();
        let base = desk.read(&paper).unwrap().base;
        let text = if name.contains('/') {
            "apiVersion: greenroom/v1\nlabels: {part: one}\n".to_owned()
        } else {
            persona("saved")
        };
        let edit = Edit { text, base, author: author.clone(), message: format!("Say {name}") };
        assert!(desk.save(&paper, edit).unwrap().commit.is_some(), "{name}");
    }
    assert_eq!((git(&repo, &["status", "--porcelain"]), strangers(&repo)), (String::new(), String::new()));
    assert_eq!(git(&repo, &["log", "-1", "--format=%an"]), "Eve");
}
