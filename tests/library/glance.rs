//! What pages read of a persona at a commit is what reading the whole commit says.

use std::fs;

use greenroom::library::{Commit, Past, Revision, Then};

use super::stage::{Repo, persona};

#[test]
fn a_glance_at_a_commit_sees_what_reading_all_of_it_sees() {
    for folder in ["", "deep/the library/"] {
        let repo = Repo::with(folder);
        let room = |word: &str| format!("apiVersion: greenroom/v1\nlabels: {{room: {word}}}\n");
        let extends = |names: &str| format!("{}extends: [{names}]\n", persona("one"));
        repo.write("../elsewhere.yaml", "x");
        repo.commit("Nothing yet");
        repo.write("a.yaml", &persona("one"));
        repo.commit("Alone");
        repo.write("fragments/room.yaml", &room("x"));
        repo.write("fragments/base.yml", "apiVersion: greenroom/v1\nextends: [fragments/room]\n");
        repo.write("a.yaml", &extends("fragments/base"));
        repo.commit("Through another");
        repo.write("fragments/room.yaml", &room("y"));
        repo.commit("By its fragment alone");
        repo.write("fragments/room.yaml", "apiVersion: greenroom/v1\nextends: [fragments/base]\n");
        repo.commit("In a circle");
        repo.write("fragments/room.yaml", "labels: [");
        repo.commit("No YAML");
        repo.write("a.yaml", &extends("fragments/none, \"x\\ny\", ../../etc/passwd, /etc/passwd, b/c"));
        repo.commit("What is not there");
        fs::remove_file(repo.library.join("a.yaml")).unwrap();
        std::os::unix::fs::symlink("b.yaml", repo.library.join("a.yaml")).unwrap();
        repo.write("b.yaml", &persona("one"));
        repo.commit("A link");
        fs::remove_file(repo.library.join("a.yaml")).unwrap();
        repo.write("a.yml", &persona("two"));
        repo.commit("Another ending");

        let past = Past::of(&repo.library).unwrap();
        let names = repo.git(&["log", "--format=%H"]);
        let commits: Vec<Commit> =
            names.lines().map(|name| past.resolve(None, &Revision::new(name).unwrap()).unwrap()).collect();
        let name = "a".parse().unwrap();
        let glances = past.glances(&name, &commits).unwrap();
        assert_eq!(glances.len(), commits.len());
        let mut seen = String::new();
        for (commit, glance) in commits.iter().zip(&glances) {
            assert_eq!(glance.text, past.own_text(&name, commit).unwrap(), "{commit}");
            match (&glance.then, past.persona(&name, commit)) {
                (Then::Good(found), Ok(whole)) => assert_eq!(found.reference, whole.reference),
                (Then::Broken(why), Err(_)) => assert!(!why.is_empty() && !past.lacks(&name, commit).unwrap()),
                (Then::Absent, Err(_)) => assert!(past.lacks(&name, commit).unwrap()),
                (then, whole) => panic!("{commit}: {then:?} {whole:?}"),
            }
            seen.push(match glance.then {
                Then::Good(_) => 'g',
                Then::Broken(_) => 'b',
                Then::Absent => '-',
            });
        }
        // The latest first.
        assert_eq!(seen, "g-bbbggg-");
        // One at a time is the same.
        for (commit, glance) in commits.iter().zip(&glances) {
            assert_eq!(past.glances(&name, std::slice::from_ref(commit)).unwrap()[0].text, glance.text);
        }
    }
}
