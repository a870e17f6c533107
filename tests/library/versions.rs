//! Which commit is served, and what is edited: in every state that a work tree can be in.

use std::{fs, os::unix::ffi::OsStringExt};

use greenroom::library::{History, Library, State};

use super::stage::{Repo, described, git, manifest, persona, state, status, why};

#[test]
fn a_folder_without_git_serves_with_digests_only_and_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("images")).unwrap();
    fs::write(dir.path().join("images/tiny.yaml"), manifest()).unwrap();
    fs::write(dir.path().join("a.yaml"), persona("one")).unwrap();
    let library = Library::open(dir.path());
    assert!(library.problems().is_empty(), "{:?}", library.problems());
    let found = status(&library, "a");
    assert_eq!((found.state, &found.commit, found.dirty), (State::Good, &None, false));
    assert!(why(&library).contains("git init"), "{}", why(&library));
}

#[test]
fn a_repository_that_begins_later_is_found_and_one_that_goes_is_missed() {
    let repo = Repo::new();
    let (inside, outside) = (repo.top.path().join(".git"), tempfile::tempdir().unwrap());
    fs::rename(&inside, outside.path().join("git")).unwrap();
    let mut library = repo.open();
    assert!(why(&library).contains("git init"));
    fs::rename(outside.path().join("git"), &inside).unwrap();
    assert!(library.refresh());
    assert!(status(&library, "a").commit.is_some() && !library.refresh());
    fs::rename(&inside, outside.path().join("git")).unwrap();
    assert!(library.refresh());
    assert!(why(&library).contains("git init") && status(&library, "a").commit.is_none());
}

#[test]
fn what_no_commit_holds_is_dirty_and_serves() {
    let repo = Repo::new();
    let head = repo.git(&["rev-parse", "HEAD"]);
    let library = repo.open();
    let found = status(&library, "a");
    assert_eq!((found.state, found.commit.as_ref().map(|commit| commit.as_str())), (State::Good, Some(&*head)));
    assert_eq!(library.history(), &History::Git { commit: found.commit.clone(), branch: Some("main".into()) });

    repo.write("a.yaml", &persona("edited"));
    repo.write("new.yaml", &persona("untracked"));
    repo.write("ignored.yaml", &persona("ignored"));
    repo.write(".gitignore", "ignored.yaml\n");
    let library = repo.open();
    let states = ["a", "b", "ignored", "new"].map(|name| state(&library, name));
    assert_eq!(states, [State::Dirty, State::Good, State::Dirty, State::Dirty]);
    assert_eq!(status(&library, "a").commit, None, "no commit holds what is served");
    assert_eq!(described(&library, "a"), "edited");
    // Staged is not committed.
    repo.git(&["add", "a.yaml"]);
    assert_eq!(state(&repo.open(), "a"), State::Dirty);
}

#[test]
fn a_version_is_what_git_calls_the_composed_text() {
    let repo = Repo::new();
    let library = repo.open();
    let entry = library.catalog().persona(&"a".parse().unwrap()).unwrap();
    fs::write(repo.top.path().join("composed"), greenroom::document::yaml::to_string(&*entry.persona)).unwrap();
    assert_eq!(repo.git(&["hash-object", "composed"]), entry.reference.version.as_str());
    // A comment changes the file and not the persona.
    repo.write("a.yaml", &format!("# a comment\n{}", persona("one")));
    let again = repo.open();
    assert_eq!(again.catalog().persona(&"a".parse().unwrap()).unwrap().reference, entry.reference);
}

#[test]
fn a_library_may_be_a_folder_of_a_larger_tree() {
    let repo = Repo::with("site/boot personas");
    repo.write("a.yaml", &persona("one"));
    repo.commit("Begin");
    fs::write(repo.top.path().join("a.yaml"), "elsewhere").unwrap();
    fs::write(repo.top.path().join("site/a.yaml"), "elsewhere").unwrap();
    assert_eq!(state(&repo.open(), "a"), State::Good, "edits elsewhere are none of the library's");
    repo.write("a.yaml", &persona("two"));
    assert_eq!(state(&repo.open(), "a"), State::Dirty);
}

#[test]
fn before_the_first_commit_everything_is_dirty() {
    let repo = Repo::empty();
    repo.write("a.yaml", &persona("one"));
    let library = repo.open();
    assert_eq!(state(&library, "a"), State::Dirty);
    assert_eq!(library.history(), &History::Git { commit: None, branch: Some("main".into()) });
}

#[test]
fn a_detached_head_is_a_commit_all_the_same() {
    let repo = Repo::new();
    repo.git(&["checkout", "--quiet", "--detach"]);
    let library = repo.open();
    assert!(matches!(library.history(), History::Git { commit: Some(_), branch: None }), "{:?}", library.history());
    assert_eq!(state(&library, "a"), State::Good);
}

#[test]
fn work_trees_and_submodules_are_trees_of_their_own() {
    let repo = Repo::new();
    repo.git(&["worktree", "add", "--quiet", "second"]);
    let second = repo.top.path().join("second");
    fs::write(second.join("a.yaml"), persona("edited there")).unwrap();
    assert_eq!(state(&Library::open(&second), "a"), State::Dirty);
    assert_eq!(state(&repo.open(), "a"), State::Good);

    let outer = Repo::empty();
    outer.commit("Begin");
    outer.git(&["submodule", "--quiet", "add", repo.top.path().to_str().unwrap(), "personas"]);
    outer.commit("Take the personas in");
    let inner = outer.top.path().join("personas");
    assert_eq!(state(&Library::open(&inner), "a"), State::Good);
    fs::write(inner.join("a.yaml"), persona("edited inside")).unwrap();
    assert_eq!(state(&Library::open(&inner), "a"), State::Dirty);
    assert!(outer.open().problems().is_empty(), "a submodule is a folder like any other");
}

#[test]
fn file_names_of_any_kind_are_no_trouble() {
    let repo = Repo::new();
    for name in ["with blank.txt", "new\nline.txt", "käse-\u{1F9C0}.txt", "\"quoted\".txt", "-rf", "*.yaml.txt"] {
        repo.write(name, "x");
    }
    let raw = std::ffi::OsString::from_vec(b"not-utf8-\xff.txt".to_vec());
    fs::write(repo.library.join(raw), "x").unwrap();
    assert_eq!(state(&repo.open(), "a"), State::Good);
    repo.commit("All of them");
    repo.git(&["mv", "b.yaml", "renamed.yaml"]);
    repo.write("new\nline.txt", "y");
    let library = repo.open();
    assert_eq!((state(&library, "a"), state(&library, "renamed")), (State::Good, State::Dirty));
}

#[test]
fn in_the_middle_of_a_merge_the_last_good_set_serves_with_one_clear_message() {
    let repo = Repo::merging();
    let mut library = repo.open();
    repo.merge();
    repo.write("b.yaml", &persona("edited meanwhile"));
    assert!(library.refresh());
    let problems: Vec<String> = library.problems().iter().map(ToString::to_string).collect();
    assert!(problems.len() == 1 && problems[0].contains("in the middle of a merge"), "{problems:?}");
    assert_eq!((described(&library, "a"), described(&library, "b")), ("ours".into(), "one".into()));
    assert!(!library.refresh(), "it is said once");

    repo.write("a.yaml", &persona("both"));
    repo.commit("Merge");
    assert!(library.refresh());
    assert!(library.problems().is_empty(), "{:?}", library.problems());
    assert_eq!((described(&library, "a"), described(&library, "b")), ("both".into(), "edited meanwhile".into()));
}

#[test]
fn a_start_in_the_middle_of_a_merge_serves_what_was_committed_last() {
    let repo = Repo::merging();
    repo.merge();
    let library = repo.open();
    assert_eq!(described(&library, "a"), "ours");
    assert!(library.problems().iter().any(|problem| problem.code == "GR191"), "{:?}", library.problems());
}

#[test]
fn a_rebase_and_a_cherry_pick_that_stop_hold_the_set_too() {
    for words in [&["rebase", "other"][..], &["cherry-pick", "other"]] {
        let repo = Repo::merging();
        let mut library = repo.open();
        assert!(!git(repo.top.path(), words).status.success());
        assert!(library.refresh(), "{words:?}");
        let problem = library.problems()[0].to_string();
        assert!(problem.contains(words[0]) && problem.contains("--abort"), "{problem}");
        assert_eq!(described(&library, "a"), "ours");
        repo.git(&[words[0], "--abort"]);
        assert!(library.refresh() && library.problems().is_empty(), "{:?}", library.problems());
    }
}

#[test]
fn a_merge_that_is_done_by_hand_with_markers_left_in_is_a_broken_file_like_any_other() {
    let repo = Repo::merging();
    let mut library = repo.open();
    repo.merge();
    repo.commit("Merge, carelessly");
    assert!(library.refresh());
    assert_eq!((state(&library, "a"), described(&library, "a")), (State::Kept, "ours".into()));
    assert_eq!(state(&repo.open(), "a"), State::Unserved, "who starts now never served it");
}

#[test]
fn git_that_is_missing_or_does_not_trust_the_folder_is_said_with_the_remedy() {
    let repo = Repo::new();
    let list = |change: &[(&str, &str)]| {
        let mut command = super::stage::command(&repo, &["persona", "list"]);
        command.envs(change.iter().copied());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(out.contains("good"), "the personas are there: {out}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert_eq!(list(&[]), "");
    let missing = list(&[("PATH", "/nonexistent")]);
    assert!(missing.contains("`git` is not installed"), "{missing}");
    // How git's own tests make it take a folder for somebody else's.
    let untrusted = list(&[("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")]);
    assert!(untrusted.contains("git config --system --add safe.directory /"), "{untrusted}");
}

#[test]
fn what_a_repository_configures_is_not_run_when_it_is_looked_at() {
    let repo = Repo::new();
    let touched = repo.top.path().join("touched");
    let script = repo.top.path().join(".git/run");
    fs::write(&script, format!("#!/bin/sh\ntouch '{}'\n", touched.display())).unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let run = script.to_str().unwrap();
    for key in ["core.fsmonitor", "core.pager", "diff.external", "core.sshCommand", "core.editor"] {
        repo.git(&["config", key, run]);
    }
    fs::copy(&script, repo.top.path().join(".git/hooks/post-index-change")).unwrap();
    repo.write("a.yaml", &persona("edited"));
    let output = super::stage::greenroom(&repo, &["persona", "log"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(state(&repo.open(), "a"), State::Dirty);
    assert!(!touched.exists());
}

#[test]
fn two_that_supersede_the_same_persona_are_a_problem_of_the_library() {
    let repo = Repo::new();
    let claims =
        |name: &str, of: &str| repo.write(&format!("{name}.yaml"), &(persona(name) + &format!("supersedes: [{of}]\n")));
    claims("a", "old");
    assert!(repo.open().problems().is_empty());
    claims("b", "old");
    let said: Vec<String> = repo.open().problems().iter().map(ToString::to_string).collect();
    assert!(said.len() == 1 && said[0].starts_with("error[GR193]: a, b all supersede old"), "{said:?}");
    claims("b", "a");
    let said: Vec<String> = repo.open().problems().iter().map(ToString::to_string).collect();
    assert!(said.len() == 1 && said[0].starts_with("warning[GR195]: a is still in the library"), "{said:?}");
}

#[test]
fn a_fragment_counts_as_part_of_all_that_extend_it() {
    let repo = Repo::new();
    let fragment = |zone: &str| format!("apiVersion: greenroom/v1\npreferences: {{timezone: {zone}}}\n");
    repo.write("fragments/zone.yaml", &fragment("Europe/Berlin"));
    repo.write("fragments/base.yaml", "apiVersion: greenroom/v1\nextends: fragments/zone\n");
    repo.write("a.yaml", &(persona("one") + "extends: fragments/base\n"));
    repo.commit("Extend");
    let mut library = repo.open();
    let version = |library: &Library| status(library, "a").version.clone().unwrap();
    let before = version(&library);
    assert_eq!((state(&library, "a"), state(&library, "b")), (State::Good, State::Good));
    repo.write("fragments/zone.yaml", &fragment("Europe/Oslo"));
    assert!(library.refresh());
    assert_eq!((state(&library, "a"), state(&library, "b")), (State::Dirty, State::Good));
    assert_ne!(version(&library), before);
    let edited = version(&library);
    repo.write("fragments/zone.yaml", "apiVersion: [");
    assert!(library.refresh());
    assert_eq!((state(&library, "a"), state(&library, "b")), (State::Kept, State::Good));
    assert_eq!(version(&library), edited);
}
