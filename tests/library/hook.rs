//! Hooks of the library's repository that do not end: a save is given up in time and is whole or was not, the next one goes
//! through, and nobody else waits.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, thread, time::Duration};

use greenroom::library::{Author, Base, Desk, Edit, Library, NotSaved, Paper, Saved, Shared, State};

use super::stage::{Repo, persona, state, until};

/// A hook that says that it began, and does this then.
fn hook(repo: &Repo, name: &str, text: &str) {
    let path = repo.top.path().join(".git/hooks").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("#!/bin/sh\necho $$ >> .git/began\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn unhook(repo: &Repo, name: &str) {
    fs::remove_file(repo.top.path().join(".git/hooks").join(name)).unwrap();
}

fn paper(name: &str) -> Paper {
    name.parse().unwrap()
}

fn base(desk: &Desk, name: &str) -> Base {
    desk.read(&paper(name)).unwrap().base
}

fn save(desk: &Desk, name: &str, word: &str) -> Result<Saved, NotSaved> {
    let author = Author::new("Eve", "eve@example.org");
    let edit = Edit { text: persona(word), base: base(desk, name), author, message: format!("Say {word}") };
    desk.save(&paper(name), edit)
}

/// What git does not know or knows otherwise, and what a git that was killed leaves behind.
fn strays(repo: &Repo) -> (String, Vec<String>) {
    let names = fs::read_dir(repo.top.path().join(".git")).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.contains(".lock"));
    (repo.git(&["status", "--porcelain", "--untracked-files=all"]), names.collect())
}

fn clean() -> (String, Vec<String>) {
    (String::new(), vec![])
}

/// The processes that hooks ran as.
fn began(repo: &Repo) -> Vec<String> {
    let said = fs::read_to_string(repo.top.path().join(".git/began")).unwrap_or_default();
    said.lines().map(str::to_owned).collect()
}

fn is_gone(pid: &str) -> bool {
    let state = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    state.is_empty() || state.contains(") Z ")
}

#[test]
fn a_hook_that_hangs_is_given_up_and_nothing_of_the_save_is_left() {
    // One that ends when it is told to, one that does not, and one whose child holds everything open.
    for text in ["sleep 1000", "trap '' TERM; while true; do sleep 1; done", "sleep 1000 & wait"] {
        let repo = Repo::new();
        hook(&repo, "pre-commit", text);
        let head = repo.git(&["rev-parse", "HEAD"]);
        let desk = Desk::new(&repo.library).with_patience(Duration::from_secs(2));
        let deleted = desk.delete(&paper("b"), &base(&desk, "b"), &Author::new("Eve", "e@example.org"), "");
        for result in [save(&desk, "a", "two"), save(&desk, "new", "new"), deleted] {
            let Err(error @ NotSaved::NotCommitted(_)) = result else { panic!("{text}: {result:?}") };
            let said = "the commit was not made, and the file is as it was: `git commit` did not end within 2 seconds and was killed";
            assert_eq!(error.to_string(), said);
        }
        assert_eq!((repo.git(&["rev-parse", "HEAD"]), strays(&repo)), (head, clean()), "{text}");
        assert_eq!((repo.read("a.yaml"), repo.read("b.yaml")), (persona("one"), persona("one")));
        let began = began(&repo);
        assert_eq!(began.len(), 3);
        until("the hooks are gone", || began.iter().all(|pid| is_gone(pid)).then_some(()));
        // The next save goes through.
        unhook(&repo, "pre-commit");
        let saved = save(&desk, "a", "two").unwrap();
        assert_eq!(saved.commit.unwrap().as_str(), repo.git(&["rev-parse", "HEAD"]));
        assert_eq!((strays(&repo), state(&repo.open(), "a")), (clean(), State::Good));
    }
}

#[test]
fn what_runs_after_the_commit_takes_none_back() {
    let repo = Repo::new();
    hook(&repo, "post-commit", "sleep 1000");
    let desk = Desk::new(&repo.library).with_patience(Duration::from_secs(2));
    let saved = save(&desk, "a", "two").unwrap();
    assert_eq!(saved.commit.unwrap().as_str(), repo.git(&["rev-parse", "HEAD"]));
    assert_eq!((repo.git(&["log", "-1", "--format=%s"]).as_str(), repo.read("a.yaml")), ("Say two", persona("two")));
    let warning = saved.warnings.first().unwrap();
    assert!(warning.code == "GR196" && !warning.is_error(), "{warning}");
    assert!(warning.message.contains("the commit was made") && warning.message.contains("2 seconds"), "{warning}");
    assert_eq!(strays(&repo), clean());

    // One that ends, and leaves something running that has git's outputs: a push in the background, say.
    hook(&repo, "post-commit", "sleep 1000 & echo $! > .git/job");
    let patient = Desk::new(&repo.library);
    let saved = save(&patient, "a", "three").unwrap();
    assert!(saved.commit.is_some() && saved.warnings.iter().all(|warning| warning.code != "GR196"), "{saved:?}");
    assert_eq!((repo.git(&["show", "HEAD:a.yaml"]), strays(&repo)), (persona("three").trim_end().into(), clean()));
    let job = fs::read_to_string(repo.top.path().join(".git/job")).unwrap();
    assert!(!is_gone(job.trim()), "that job is the hook's own business");
    assert!(std::process::Command::new("kill").arg(job.trim()).status().unwrap().success());
}

#[test]
fn while_a_hook_takes_its_time_others_look_and_check_and_whoever_saves_is_told_soon() {
    let repo = Repo::new();
    hook(&repo, "pre-commit", "while ! [ -e .git/go ]; do sleep 0.1; done");
    let shared = Shared::new(Library::open(&repo.library));
    thread::scope(|scope| {
        let saving = scope.spawn(|| shared.write(|desk| save(desk, "a", "two"), |_| ()));
        until("the hook runs", || (!began(&repo).is_empty()).then_some(()));
        assert_eq!(shared.view().statuses.len(), 2);
        assert!(shared.desk().draft(&paper("b"), Some(&persona("two"))).is_good());
        let Err(error @ NotSaved::Busy(_)) = shared.write(|desk| save(desk, "b", "two"), |_| ()) else {
            panic!("it did not wait for its turn")
        };
        assert!(error.to_string().contains("waits for a hook"), "{error}");
        assert!(!saving.is_finished());
        fs::write(repo.top.path().join(".git/go"), "").unwrap();
        assert!(saving.join().unwrap().unwrap().commit.is_some());
    });
    shared.write(|desk| save(desk, "b", "two"), |_| ()).unwrap();
    assert_eq!(strays(&repo), clean());
}
