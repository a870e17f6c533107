//! `persona log`, `diff`, `show NAME@REV`, `revert` and `tag`, by the real binary on a real repository.

use serde_json::Value;

use super::stage::{Repo, greenroom, persona, told};

fn out(repo: &Repo, words: &[&str]) -> String {
    let output = greenroom(repo, words);
    assert!(output.status.success(), "{words:?}: {}", told(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(repo: &Repo, words: &[&str]) -> String {
    let output = greenroom(repo, words);
    assert_eq!(output.status.code(), Some(1), "{words:?}: {}", told(&output));
    String::from_utf8(output.stderr).unwrap()
}

fn log(repo: &Repo, words: &[&str]) -> Vec<Value> {
    serde_json::from_str(&out(repo, &[&["persona", "log", "--json"], words].concat())).unwrap()
}

fn subjects(log: &[Value]) -> Vec<&str> {
    log.iter().map(|change| change["subject"].as_str().unwrap()).collect()
}

/// Three versions of `a`, a commit that changes only a comment of it, and one of `b`.
fn history() -> Repo {
    let repo = Repo::new();
    repo.write("a.yaml", &persona("two"));
    repo.commit("Change a");
    repo.write("a.yaml", &format!("# why\n{}", persona("two")));
    repo.commit("Comment on a");
    repo.write("b.yaml", &persona("two"));
    repo.commit("Change b");
    repo.write("a.yaml", &persona("three"));
    repo.commit("Change a again\n\nAt length.");
    repo
}

#[test]
fn the_log_names_the_commits_that_changed_what_a_persona_composes_to() {
    let repo = history();
    let of_a = log(&repo, &["a"]);
    assert_eq!(subjects(&of_a), ["Change a again", "Change a", "Begin"], "a comment changes nothing");
    assert_eq!(of_a[0]["author"], "Ann");
    let list: Value = serde_json::from_str(&out(&repo, &["persona", "list", "--json"])).unwrap();
    assert_eq!((&list[0]["name"], &list[0]["version"]), (&"a".into(), &of_a[0]["version"]));
    assert_eq!(list[0]["commit"], repo.git(&["rev-parse", "HEAD"]));
    let all = log(&repo, &[]);
    assert_eq!(subjects(&all), ["Change a again", "Change b", "Change a", "Begin", "Begin"]);
    assert_eq!(subjects(&log(&repo, &["--limit", "2"])), ["Change a again", "Change b"]);

    repo.write("a.yaml", "description: [");
    repo.commit("Break a");
    repo.git(&["rm", "--quiet", "b.yaml"]);
    repo.commit("Remove b");
    let table = out(&repo, &["persona", "log", "--limit", "2"]);
    let lines: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((lines[0][2], lines[0][3]), ("b", "removed"), "{table}");
    assert_eq!((lines[1][2], lines[1][3]), ("a", "broken"), "{table}");
}

#[test]
fn what_a_merge_brought_in_came_with_the_merge() {
    let repo = Repo::merging();
    repo.merge();
    repo.write("a.yaml", &persona("both"));
    repo.commit("Merge other");
    assert_eq!(subjects(&log(&repo, &["a"])), ["Merge other", "Ours", "Begin"]);
}

#[test]
fn a_difference_is_of_what_is_composed() {
    let repo = history();
    let diff = out(&repo, &["persona", "diff", "a", "HEAD~4"]);
    assert!(diff.contains("--- a@HEAD~4\n+++ a as it is now\n"), "{diff}");
    assert!(diff.contains("\n-description: one\n+description: three\n"), "{diff}");
    assert!(!diff.contains('\x1b'), "no colours but for a terminal: {diff}");
    let diff = out(&repo, &["persona", "diff", "a", "HEAD~3", "HEAD~2"]);
    assert!(diff.contains("compose to the same"), "{diff}");
    repo.write("a.yaml", &persona("four"));
    let diff = out(&repo, &["persona", "diff", "a"]);
    assert!(diff.contains("-description: three\n+description: four\n"), "{diff}");
    repo.write("new.yaml", &persona("new"));
    let diff = out(&repo, &["persona", "diff", "new"]);
    assert!(diff.contains("+description: new\n") && !diff.contains("\n-"), "it came: {diff}");
    let json: Value = serde_json::from_str(&out(&repo, &["persona", "diff", "a", "--json"])).unwrap();
    assert!(json["diff"].as_str().unwrap().contains("+description: four"), "{json}");
    assert!(refused(&repo, &["persona", "diff", "none"]).contains("there is no persona none"));
}

#[test]
fn colours_are_for_terminals() {
    let repo = history();
    let line =
        format!("{} persona diff a HEAD~4 --library {}", env!("CARGO_BIN_EXE_greenroom"), repo.library.display());
    // util-linux's script runs it on a terminal.
    let output =
        std::process::Command::new("script").args(["-qec", &line, "/dev/null"]).env_remove("NO_COLOR").output();
    let text = String::from_utf8_lossy(&output.unwrap().stdout).into_owned();
    assert!(text.contains("\x1b[31m-description: one\x1b[0m"), "{text:?}");
    assert!(text.contains("\x1b[32m+description: three\x1b[0m"), "{text:?}");
}

#[test]
fn a_persona_is_shown_as_it_was_by_commit_tag_or_version() {
    let repo = history();
    let first = log(&repo, &["a"])[2]["version"].as_str().unwrap()[..10].to_owned();
    repo.git(&["tag", "v1", "HEAD~4"]);
    for revision in ["HEAD~4", "v1", &first] {
        let shown = out(&repo, &["persona", "show", &format!("a@{revision}")]);
        assert!(shown.contains(&format!("# a@{first}\n")) && shown.contains("description: one\n"), "{shown}");
    }
    repo.write("a.yaml", "no persona");
    assert!(out(&repo, &["persona", "show", "a@HEAD"]).contains("description: three\n"), "the folder does not matter");
    for (which, words) in [
        ("a@nowhere", "there is no revision `nowhere`"),
        ("a@HEAD~99", "there is no revision"),
        ("none@HEAD", "there was no persona none at"),
        ("a", "a is not good: `greenroom persona check"),
        ("aa", "there is no persona aa in"),
        ("ab", "did you mean `a`?"),
    ] {
        let said = refused(&repo, &["persona", "show", which]);
        assert!(said.contains(words), "{which}: {said}");
    }
    for which in ["a@--output=x", "a@", "a@x y", "a@HEAD:a.yaml", "a@HEAD..v1"] {
        assert_eq!(greenroom(&repo, &["persona", "show", which]).status.code(), Some(2), "{which}");
    }
    assert!(!repo.library.join("x").exists());
}

#[test]
fn a_revert_is_a_commit_of_that_file_alone() {
    let repo = history();
    repo.write("b.yaml", &persona("edited"));
    repo.git(&["add", "b.yaml"]);
    let said = out(&repo, &["persona", "revert", "a", "HEAD~4"]);
    assert!(said.contains("a.yaml is as it was at HEAD~4, committed as "), "{said}");
    assert_eq!(repo.read("a.yaml"), persona("one"));
    assert_eq!(repo.git(&["log", "-1", "--format=%s", "--name-only"]), "Revert a to HEAD~4\n\na.yaml");
    assert_eq!(repo.git(&["status", "--porcelain"]), "M  b.yaml", "what was staged still is");
    let again = out(&repo, &["persona", "revert", "a", "HEAD"]);
    assert!(again.contains("nothing to commit"), "{again}");

    let said = refused(&repo, &["persona", "revert", "b", "HEAD~9"]);
    assert!(said.contains("no revision"), "{said}");
    let said = refused(&repo, &["persona", "revert", "b", "HEAD"]);
    assert!(said.contains("uncommitted edits") && said.contains("--force"), "{said}");
    assert_eq!(repo.read("b.yaml"), persona("edited"), "nothing was lost");
    out(&repo, &["persona", "revert", "b", "HEAD", "--force", "--no-commit"]);
    assert_eq!((repo.read("b.yaml"), repo.git(&["rev-list", "--count", "HEAD"])), (persona("two"), "6".into()));
}

#[test]
fn a_persona_that_was_removed_comes_back_by_a_revert() {
    let repo = Repo::new();
    repo.git(&["rm", "--quiet", "b.yaml"]);
    repo.commit("Remove b");
    out(&repo, &["persona", "revert", "b", "HEAD~1"]);
    assert_eq!((repo.read("b.yaml"), repo.git(&["status", "--porcelain"])), (persona("one"), String::new()));
}

#[test]
fn a_tag_names_a_version_and_only_one_that_is_committed() {
    let repo = history();
    let said = out(&repo, &["persona", "tag", "a", "blessed"]);
    assert!(said.contains("persona/a/blessed"), "{said}");
    assert_eq!(repo.git(&["cat-file", "-t", "persona/a/blessed"]), "tag", "annotated");
    repo.write("a.yaml", &persona("later"));
    assert!(refused(&repo, &["persona", "tag", "a", "later"]).contains("uncommitted edits"));
    repo.commit("Later");
    assert!(out(&repo, &["persona", "show", "a@blessed"]).contains("description: three\n"));
    assert!(out(&repo, &["persona", "diff", "a", "blessed"]).contains("+description: later"));
    let said = refused(&repo, &["persona", "tag", "a", "blessed"]);
    assert!(said.contains("already exists"), "{said}");
    assert!(refused(&repo, &["persona", "tag", "none", "x"]).contains("there is no persona none"));
}

#[test]
fn without_git_they_say_what_is_missing() {
    let repo = Repo::new();
    std::fs::remove_dir_all(repo.top.path().join(".git")).unwrap();
    for words in [
        &["persona", "log"][..],
        &["persona", "diff", "a"],
        &["persona", "show", "a@HEAD"],
        &["persona", "tag", "a", "x"],
    ] {
        let said = refused(&repo, words);
        assert!(said.contains("is no git work tree") && said.contains("git init"), "{words:?}: {said}");
    }
    let empty = Repo::empty();
    assert!(refused(&empty, &["persona", "log"]).contains("nothing was committed yet"));
}

#[test]
fn a_commit_that_changes_only_a_fragment_is_in_the_log_of_what_extends_it() {
    let repo = Repo::new();
    let fragment = |zone: &str| format!("apiVersion: greenroom/v1\npreferences: {{timezone: {zone}}}\n");
    repo.write("fragments/zone.yaml", &fragment("Europe/Berlin"));
    repo.write("a.yaml", &(persona("one") + "extends: fragments/zone\n"));
    repo.commit("Extend");
    repo.write("fragments/zone.yaml", &fragment("Europe/Oslo"));
    repo.commit("Move to Oslo");
    assert_eq!(subjects(&log(&repo, &["a"])), ["Move to Oslo", "Extend", "Begin"]);
    let diff = out(&repo, &["persona", "diff", "a", "HEAD~1"]);
    assert!(diff.contains("-  timezone: Europe/Berlin\n+  timezone: Europe/Oslo\n"), "{diff}");
    repo.git(&["rm", "--quiet", "fragments/zone.yaml"]);
    repo.write("a.yaml", &persona("alone"));
    repo.commit("Stand alone");
    assert!(
        out(&repo, &["persona", "show", "--composed", "a@HEAD~1"]).contains("Europe/Oslo"),
        "with the fragment of then"
    );
    let said = refused(&repo, &["persona", "revert", "a", "HEAD~1"]);
    assert!(said.contains("does not go with the rest of the library") && said.contains("fragments/zone"), "{said}");
    assert_eq!(repo.git(&["log", "-1", "--format=%s"]), "Stand alone", "nothing was committed");
}
