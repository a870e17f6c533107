//! Writing at the desk: commits of one file, whatever else lies about; conflicts; and everything that can go wrong.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Barrier, thread};

use greenroom::library::{Author, Base, Desk, Edit, NotSaved, Paper, Past, Revision, Saved, Sheet, State, samples};

use super::stage::{Repo, persona, state, until};

fn paper(name: &str) -> Paper {
    name.parse().unwrap()
}

fn desk(repo: &Repo) -> Desk {
    Desk::new(&repo.library)
}

fn eve() -> Author {
    Author::new("Eve", "eve@example.org")
}

fn save(desk: &Desk, name: &str, base: &Base, text: &str) -> Result<Saved, NotSaved> {
    let (text, base) = (text.to_owned(), base.clone());
    desk.save(&paper(name), Edit { text, base, author: eve(), message: "Say it better\n\n# for Ann".into() })
}

fn base(desk: &Desk, name: &str) -> Base {
    desk.read(&paper(name)).unwrap().base
}

/// What lies in the folder that git does not know, hidden files among them.
fn strays(repo: &Repo) -> String {
    repo.git(&["status", "--porcelain", "--untracked-files=all"])
}

fn hook(repo: &Repo, text: &str) {
    let path = repo.top.path().join(".git/hooks/pre-commit");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_save_is_a_commit_by_whoever_wrote_it() {
    let repo = Repo::new();
    let desk = desk(&repo);
    let Sheet { text, base, file } = desk.read(&paper("a")).unwrap();
    assert_eq!((text.as_str(), file.as_str()), (persona("one").as_str(), "a.yaml"));
    assert_eq!(base.to_string(), repo.git(&["hash-object", "a.yaml"]), "a base is what git calls the file");

    let saved = save(&desk, "a", &base, &persona("two")).unwrap();
    assert!(saved.changed && saved.unrecorded.is_none());
    assert_eq!(saved.commit.unwrap().as_str(), repo.git(&["rev-parse", "HEAD"]));
    assert_eq!(saved.base.to_string(), repo.git(&["rev-parse", "HEAD:a.yaml"]));
    let told = repo.git(&["log", "-1", "--format=%an <%ae>|%cn|%B"]);
    assert_eq!(told, "Eve <eve@example.org>|Greenroom|Say it better\n\n# for Ann");
    assert_eq!(repo.git(&["show", "--format=", "--name-only", "HEAD"]), "a.yaml");
    assert_eq!(strays(&repo), "");

    // The same again is nothing to commit, and no conflict, on whatever base.
    let again = save(&desk, "a", &base, &persona("two")).unwrap();
    assert!(!again.changed && again.commit.is_none() && again.unrecorded.is_none());
    assert_eq!(again.base, saved.base);
    // A new one, and one that a hand wrote and nobody committed.
    save(&desk, "fragments/extra", &Base::Absent, "apiVersion: greenroom/v1\nlabels: {room: x}\n").unwrap();
    assert_eq!(repo.git(&["show", "--format=%s", "--name-only", "HEAD"]), "Say it better\n\nfragments/extra.yaml");
    repo.write("b.yaml", &persona("by hand"));
    let recorded = save(&desk, "b", &self::base(&desk, "b"), &persona("by hand")).unwrap();
    assert!(!recorded.changed && recorded.commit.is_some(), "what was in no commit is now");
    assert_eq!(state(&repo.open(), "b"), State::Good);
}

#[test]
fn an_author_cannot_be_more_than_a_name() {
    let repo = Repo::new();
    let desk = desk(&repo);
    let evil = "Eve <x@y>\nauthor Ann <ann@example.org> 0 +0000\0";
    for (author, shown) in [
        (Author::new(evil, "eve@ex\nample.org>"), "Eve x@y author Ann ann@example.org 0 +0000 eve@example.org"),
        (Author::new("<>", "<\n>"), "somebody somebody@greenroom.invalid"),
        (Author::of_account("--amend"), "--amend --amend@greenroom.invalid"),
    ] {
        let text = persona(&format!("for {}", shown.len()));
        let edit = Edit { text, base: base(&desk, "a"), author, message: "--author=Ann".into() };
        desk.save(&paper("a"), edit).unwrap();
        assert_eq!(repo.git(&["log", "-1", "--format=%an %ae"]), shown);
        assert_eq!(repo.git(&["log", "-1", "--format=%s"]), "--author=Ann");
    }
}

#[test]
fn what_others_have_staged_or_edited_is_neither_committed_nor_lost() {
    let repo = Repo::new();
    fs::write(repo.top.path().join("note"), "staged").unwrap();
    repo.write("b.yaml", &persona("staged"));
    repo.git(&["add", "note", "b.yaml"]);
    repo.write("b.yaml", &persona("edited since"));
    repo.write("c.yaml", &persona("untracked"));
    let (before, desk) = (strays(&repo), desk(&repo));
    let staged = repo.git(&["rev-parse", ":b.yaml", ":note"]);

    save(&desk, "a", &base(&desk, "a"), &persona("two")).unwrap();
    save(&desk, "new", &Base::Absent, &persona("new")).unwrap();
    desk.delete(&paper("new"), &base(&desk, "new"), &eve(), "").unwrap();
    assert_eq!(strays(&repo), before);
    assert_eq!(repo.git(&["rev-parse", ":b.yaml", ":note"]), staged);
    assert_eq!(repo.read("b.yaml"), persona("edited since"));
    let names = repo.git(&["log", "-3", "--format=%s", "--name-status"]);
    assert_eq!(names, "Remove new\n\nD\tnew.yaml\nSay it better\n\nA\tnew.yaml\nSay it better\n\nM\ta.yaml");
}

#[test]
fn what_is_not_good_or_would_break_others_is_never_written() {
    let repo = Repo::new();
    repo.write("fragments/room.yaml", "apiVersion: greenroom/v1\nlabels: {room: x}\n");
    repo.write("c.yaml", &format!("{}extends: [fragments/room]\n", persona("extends")));
    repo.write("broken.yaml", "apiVersion: greenroom/v1\neffect: maybe\n");
    let head = repo.commit("More");
    let desk = desk(&repo);
    let broken = |result: Result<Saved, NotSaved>| match result {
        Err(NotSaved::Broken(problems)) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        other => panic!("{other:?}"),
    };
    let said = broken(save(&desk, "a", &base(&desk, "a"), &persona("x").replace("ephemeral", "ephemera")));
    assert!(said.contains("a.yaml") && said.contains("effect: ephemera"), "{said}");
    let said = broken(save(&desk, "a", &base(&desk, "a"), "a: ["));
    assert!(said.contains("a.yaml"), "{said}");
    // A fragment by what it does to others, by being changed and by going.
    let room = base(&desk, "fragments/room");
    let text = "apiVersion: greenroom/v1\neffect: destructive\nlabels: !replace [x]\n";
    let said = broken(save(&desk, "fragments/room", &room, text));
    assert!(said.contains("room.yaml"), "{said}");
    let said = broken(desk.delete(&paper("fragments/room"), &room, &eve(), ""));
    assert!(said.contains("c.yaml") && said.contains("fragments/room"), "{said}");
    // What is broken already stands in nobody's way, but must be mended to be saved itself.
    let said = broken(save(&desk, "broken", &base(&desk, "broken"), "apiVersion: greenroom/v1\neffect: perhaps\n"));
    assert!(said.contains("perhaps"), "{said}");
    assert_eq!((repo.git(&["rev-parse", "HEAD"]), strays(&repo)), (head, String::new()));
    save(&desk, "a", &base(&desk, "a"), &persona("fine")).unwrap();
    save(&desk, "broken", &base(&desk, "broken"), &persona("mended")).unwrap();
    assert!(repo.open().problems().is_empty());
}

#[test]
fn a_draft_says_what_would_come_of_a_text_and_writes_nothing() {
    let repo = Repo::new();
    repo.write("fragments/room.yaml", "apiVersion: greenroom/v1\nlabels: {room: x}\n");
    repo.write("c.yaml", &format!("{}extends: [fragments/room]\n", persona("extends")));
    repo.commit("More");
    let desk = desk(&repo);
    let draft = desk.draft(&paper("fragments/room"), Some("apiVersion: greenroom/v1\nlabels: {room: y}\n"));
    assert!(draft.is_good(), "{:?}", draft.problems);
    let [affected] = &draft.affected[..] else { panic!("{:?}", draft.affected) };
    assert_eq!(affected.persona.as_str(), "c");
    assert!(affected.before.is_some() && affected.after.is_some() && affected.before != affected.after);
    assert_eq!(affected.becomes.as_ref().unwrap().persona.labels["room"], "y");
    let draft = desk.draft(&paper("new"), Some(&persona("new")));
    assert_eq!(draft.persona.unwrap().persona.description, "new");
    assert!(draft.affected.iter().all(|affected| affected.before.is_none()));
    // A comment makes no other persona of it.
    let draft = desk.draft(&paper("a"), Some(&format!("# why\n{}", persona("one"))));
    assert!(draft.is_good() && draft.affected.is_empty());
    assert_eq!(strays(&repo), "");
}

#[test]
fn a_conflict_shows_three_texts_and_what_fits_together_and_loses_none() {
    let repo = Repo::new();
    let desk = desk(&repo);
    let lines = |owner: &str, word: &str| format!("owner: {owner}\nlabels:\n  a: a\n  b: b\n  c: c\n{}", persona(word));
    save(&desk, "a", &base(&desk, "a"), &lines("nobody", "one")).unwrap();
    let began = base(&desk, "a");
    // Somebody commits another line meanwhile: both fit.
    repo.write("a.yaml", &lines("Ann", "one"));
    repo.commit("Theirs");
    let Err(NotSaved::Conflict(conflict)) = save(&desk, "a", &began, &lines("nobody", "two")) else { panic!("saved") };
    assert_eq!((conflict.open, &conflict.merged), (0, &lines("Ann", "two")));
    assert_eq!(conflict.base.as_deref(), Some(&*lines("nobody", "one")));
    assert_eq!(conflict.theirs.as_deref(), Some(&*lines("Ann", "one")));
    assert_eq!(repo.read("a.yaml"), lines("Ann", "one"), "theirs stays");
    let saved = save(&desk, "a", &conflict.now, &conflict.merged).unwrap();
    assert_eq!(repo.git(&["show", "HEAD:a.yaml"]), lines("Ann", "two").trim_end());

    // By hand, the same line, on a base that no commit ever held.
    repo.write("a.yaml", &lines("Bob", "two"));
    let began = base(&desk, "a");
    repo.write("a.yaml", &lines("Cid", "two"));
    let Err(NotSaved::Conflict(conflict)) = save(&desk, "a", &began, &lines("Eve", "two")) else { panic!("saved") };
    let marks = "<<<<<<< yours\nowner: Eve\n||||||| before\nowner: Bob\n=======\nowner: Cid\n>>>>>>> theirs\n";
    assert!(conflict.open == 1 && conflict.merged.starts_with(marks), "{}", conflict.merged);
    // With its marks it is no document.
    assert!(matches!(save(&desk, "a", &conflict.now, &conflict.merged), Err(NotSaved::Broken(_))));
    save(&desk, "a", &conflict.now, &lines("Eve", "two")).unwrap();

    // A daemon that does not remember the base asks git; one that was in no commit is not known any more.
    let fresh = Desk::new(&repo.library);
    let Err(NotSaved::Conflict(conflict)) = save(&fresh, "a", &saved.base, &lines("Flo", "two")) else {
        panic!("saved")
    };
    assert_eq!(conflict.base.as_deref(), Some(&*lines("Ann", "two")));
    let Err(NotSaved::Conflict(conflict)) = save(&fresh, "a", &began, &lines("Flo", "two")) else { panic!("saved") };
    assert!(conflict.base.is_none() && conflict.open == 1, "{}", conflict.merged);

    // It was removed meanwhile, or has come.
    repo.git(&["rm", "--quiet", "a.yaml"]);
    repo.commit("Gone");
    let Err(NotSaved::Conflict(conflict)) = save(&desk, "a", &saved.base, &lines("Eve", "x")) else { panic!("saved") };
    assert!(conflict.theirs.is_none() && conflict.now == Base::Absent && conflict.merged == lines("Eve", "x"));
    let Err(NotSaved::Conflict(conflict)) = save(&desk, "b", &Base::Absent, &persona("x")) else { panic!("saved") };
    assert_eq!(conflict.theirs.as_deref(), Some(&*persona("one")));
}

#[test]
fn a_hook_that_refuses_leaves_everything_as_it_was() {
    let repo = Repo::new();
    hook(&repo, "echo 'no commits on Fridays' >&2; exit 1");
    let desk = desk(&repo);
    let head = repo.git(&["rev-parse", "HEAD"]);
    let refused = [
        save(&desk, "a", &base(&desk, "a"), &persona("two")),
        save(&desk, "new", &Base::Absent, &persona("new")),
        desk.delete(&paper("b"), &base(&desk, "b"), &eve(), ""),
    ];
    for result in refused {
        let Err(error @ NotSaved::NotCommitted(_)) = result else { panic!("{result:?}") };
        assert!(error.to_string().contains("no commits on Fridays"), "{error}");
    }
    assert_eq!((repo.git(&["rev-parse", "HEAD"]), strays(&repo)), (head, String::new()));
    assert_eq!((repo.read("a.yaml"), repo.read("b.yaml")), (persona("one"), persona("one")));
    // The hook sees what is committed.
    hook(&repo, "git show :a.yaml > .git/seen; git diff --cached --name-only > .git/names");
    save(&desk, "a", &base(&desk, "a"), &persona("two")).unwrap();
    assert_eq!(fs::read_to_string(repo.top.path().join(".git/seen")).unwrap(), persona("two"));
    assert_eq!(fs::read_to_string(repo.top.path().join(".git/names")).unwrap(), "a.yaml\n");
}

#[test]
fn a_merge_under_way_and_a_lock_that_stays_are_said_and_one_that_goes_is_waited_for() {
    let repo = Repo::merging();
    let desk = desk(&repo);
    let began = base(&desk, "b");
    repo.merge();
    let refused = save(&desk, "b", &began, &persona("two"));
    assert!(matches!(refused, Err(NotSaved::Unfinished("merge"))), "{refused:?}");
    repo.git(&["merge", "--abort"]);

    let lock = repo.top.path().join(".git/index.lock");
    fs::write(&lock, "").unwrap();
    let refused = save(&desk, "b", &began, &persona("two"));
    let Err(error @ NotSaved::Busy(_)) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().contains("index.lock"), "{error}");
    assert_eq!(repo.read("b.yaml"), persona("one"));
    thread::scope(|scope| {
        let saving = scope.spawn(|| save(&desk, "b", &began, &persona("two")));
        thread::sleep(std::time::Duration::from_millis(300));
        assert!(!saving.is_finished(), "it waits");
        fs::remove_file(&lock).unwrap();
        saving.join().unwrap().unwrap();
    });
    assert_eq!(strays(&repo), "");
}

#[test]
fn of_two_at_once_one_saves_and_the_other_is_shown_what_the_first_wrote() {
    let repo = Repo::new();
    // Two desks: as two daemons on one folder, which share no lock of ours.
    let desks = [desk(&repo), desk(&repo)];
    for round in 0..10 {
        let began = base(&desks[0], "a");
        let start = Barrier::new(2);
        let results = thread::scope(|scope| {
            let saves = [0, 1].map(|at| {
                let (desk, began, start) = (&desks[if round % 2 == 0 { at } else { 0 }], &began, &start);
                scope.spawn(move || {
                    start.wait();
                    save(desk, "a", began, &persona(&format!("round {round} by {at}")))
                })
            });
            saves.map(|save| save.join().unwrap())
        });
        let saved = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(saved, 1, "{results:?}");
        let winner = results.iter().position(Result::is_ok).unwrap();
        assert_eq!(repo.read("a.yaml"), persona(&format!("round {round} by {winner}")));
        assert_eq!(repo.git(&["show", "HEAD:a.yaml"]), repo.read("a.yaml").trim_end());
        assert_eq!(strays(&repo), "");
    }
    // Different files do not get into one another's way.
    let bases = ["a", "b"].map(|name| base(&desks[0], name));
    thread::scope(|scope| {
        for (at, name) in ["a", "b"].into_iter().enumerate() {
            let (desk, base) = (&desks[at], &bases[at]);
            scope.spawn(move || save(desk, name, base, &persona("both")).unwrap());
        }
    });
    assert_eq!(strays(&repo), "");
}

#[test]
fn a_folder_without_git_is_written_without_a_commit_and_says_so() {
    let repo = Repo::new();
    fs::remove_dir_all(repo.top.path().join(".git")).unwrap();
    let desk = desk(&repo);
    let saved = save(&desk, "a", &base(&desk, "a"), &persona("two")).unwrap();
    assert!(saved.changed && saved.commit.is_none());
    assert!(saved.unrecorded.unwrap().contains("git init"));
    assert_eq!(repo.read("a.yaml"), persona("two"));
    // Nor does what git is told to ignore get into a commit.
    repo.git(&["init", "--quiet", "--initial-branch=main"]);
    repo.write(".gitignore", "a.yaml\n");
    repo.commit("Begin");
    let saved = save(&desk, "a", &base(&desk, "a"), &persona("three")).unwrap();
    assert!(saved.commit.is_none() && saved.unrecorded.unwrap().contains(".gitignore"));
}

#[test]
fn the_first_commit_of_a_repository_can_be_a_save() {
    let repo = Repo::empty();
    let desk = desk(&repo);
    save(&desk, "a", &Base::Absent, &persona("one")).unwrap();
    assert_eq!(repo.git(&["log", "--format=%an %s", "--name-only"]), "Eve Say it better\n\na.yaml");
}

#[test]
fn samples_bring_what_they_extend_and_copies_and_reverts_are_commits_too() {
    let repo = Repo::new();
    let desk = desk(&repo);
    let sample = samples().iter().find(|sample| sample.name.as_str() == "server-debian").unwrap();
    assert!(!sample.extends.is_empty());
    let name = "desk-1".parse().unwrap();
    let saved = desk.begin(&name, sample, &eve()).unwrap();
    assert!(sample.extends.iter().all(|file| saved.brought.contains(file)), "{saved:?}");
    assert!(repo.open().catalog().persona(&name).is_some(), "{:?}", repo.open().problems());
    assert_eq!(repo.git(&["log", "-1", "--format=%an %s"]), "Eve Add desk-1, from the sample server-debian");
    assert_eq!(strays(&repo), "");
    // What is there is not overwritten, and is not brought again.
    assert!(matches!(desk.begin(&name, sample, &eve()), Err(NotSaved::Taken(_))));
    assert!(desk.begin(&"desk-2".parse().unwrap(), sample, &eve()).unwrap().brought.is_empty());
    // Every sample can begin a library.
    let fresh = Repo::empty();
    for sample in samples() {
        self::desk(&fresh).begin(&sample.name, sample, &eve()).unwrap();
    }
    assert!(fresh.open().problems().iter().all(|problem| !problem.is_error()), "{:?}", fresh.open().problems());

    desk.duplicate(&paper("a"), &paper("copy"), &eve()).unwrap();
    assert_eq!(repo.read("copy.yaml"), repo.read("a.yaml"));
    assert!(matches!(desk.duplicate(&paper("a"), &paper("b"), &eve()), Err(NotSaved::Taken(_))));
    assert!(matches!(desk.duplicate(&paper("none"), &paper("c"), &eve()), Err(NotSaved::Missing(_))));

    save(&desk, "a", &base(&desk, "a"), &persona("two")).unwrap();
    let past = Past::of(&repo.library).unwrap();
    let before = past.resolve(None, &Revision::new("HEAD~1").unwrap()).unwrap();
    desk.revert(&"a".parse().unwrap(), &before, &base(&desk, "a"), &eve()).unwrap();
    assert_eq!(repo.read("a.yaml"), persona("one"));
    assert_eq!(repo.git(&["log", "-1", "--format=%s"]), format!("Revert a to {before}"));
}

#[test]
fn nothing_is_written_through_a_link_or_past_a_disk_that_refuses() {
    let repo = Repo::new();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x"), persona("outside")).unwrap();
    fs::remove_file(repo.library.join("a.yaml")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("x"), repo.library.join("a.yaml")).unwrap();
    let refused = save(&desk(&repo), "a", &Base::of(persona("outside").as_bytes()), &persona("two"));
    assert!(matches!(refused, Err(NotSaved::Disk { .. })), "{refused:?}");
    assert_eq!(fs::read_to_string(outside.path().join("x")).unwrap(), persona("outside"));

    let repo = Repo::new();
    let head = repo.git(&["rev-parse", "HEAD"]);
    let full = "mount -t tmpfs -o size=4m none /mnt && cp -a . /mnt && mount --bind /mnt . && cd \"$PWD\" && \
                (cat /dev/zero > fill || true)";
    for (mount, said) in [("mount --bind . . && mount -o remount,bind,ro .", "Read-only"), (full, "No space")] {
        let told = child(&repo.library, Some(mount), &[]);
        assert!(told.contains(said) && told.contains("refused"), "{told}");
        // There, too, everything is as it was.
        assert!(told.contains("description: one") && !told.contains("stray"), "{told}");
        assert_eq!((repo.git(&["rev-parse", "HEAD"]), strays(&repo)), (head.clone(), String::new()));
    }
    let told = child(&repo.library, None, &[("PATH", "/nowhere")]);
    assert!(told.contains("refused") && told.contains("not installed"), "{told}");
    assert_eq!(strays(&repo), "");
}

#[test]
fn a_crash_between_the_file_and_the_commit_leaves_a_whole_file_that_the_next_save_commits() {
    let repo = Repo::new();
    hook(&repo, "kill -9 $(cat .git/victim); sleep 1000");
    child(&repo.library, None, &[]);
    let lock = repo.top.path().join(".git/index.lock");
    until("the crash", || (repo.read("a.yaml") == persona("child")).then_some(()));
    hook(&repo, "true");
    let killed = std::process::Command::new("sh")
        .args([
            "-c",
            "for p in /proc/[0-9]*; do [ \"$(readlink $p/cwd)\" = \"$0\" ] && kill -9 ${p#/proc/}; done; true",
        ])
        .arg(repo.top.path().canonicalize().unwrap())
        .status();
    assert!(killed.unwrap().success());
    assert!(repo.library.join(".a.yaml.saving").exists(), "what was there before is not lost");
    assert_eq!(state(&repo.open(), "a"), State::Dirty, "the new text is whole, and in no commit");
    drop(fs::remove_file(lock));
    let desk = desk(&repo);
    save(&desk, "a", &base(&desk, "a"), &persona("child")).unwrap();
    assert_eq!(repo.git(&["show", "HEAD:a.yaml"]), persona("child").trim_end());
    save(&desk, "a", &base(&desk, "a"), &persona("two")).unwrap();
    assert_eq!(strays(&repo), "", "what the crash left is gone");
}

/// Has another process save `a`, after this was done in a mount namespace of its own; what it says of it.
fn child(library: &Path, mount: Option<&str>, environment: &[(&str, &str)]) -> String {
    let this = std::env::current_exe().unwrap();
    let run = format!(
        "{} && cd \"$PWD\" && \"$0\" --exact desk::child_saves --nocapture; rm -f fill; grep description a.yaml; \
         git status --porcelain --untracked-files=all | sed 's/^/stray /'",
        mount.unwrap_or("true")
    );
    let mut command = match mount {
        Some(_) => {
            let mut command = std::process::Command::new("unshare");
            command.args(["--mount", "sh", "-c", &run]).arg(this);
            command
        }
        None => {
            let mut command = std::process::Command::new(this);
            command.args(["--exact", "desk::child_saves", "--nocapture"]);
            command
        }
    };
    let output =
        command.current_dir(library).envs(environment.iter().copied()).env("DESK_CHILD", library).output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// The other process of [`child`]: without being asked by it, it does nothing.
#[test]
fn child_saves() {
    let Some(library) = std::env::var_os("DESK_CHILD") else { return };
    drop(fs::write(Path::new(&library).join(".git/victim"), std::process::id().to_string()));
    let desk = Desk::new(Path::new(&library));
    match save(&desk, "a", &base(&desk, "a"), &persona("child")) {
        Ok(saved) => println!("saved {saved:?}"),
        Err(error) => println!("refused: {error}"),
    }
}
