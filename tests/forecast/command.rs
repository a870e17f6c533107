//! `greenroom predict eval --journal`.

use std::{fs, path::Path, process::Command};

use greenroom::{
    journal::Journal,
    model::{Reason, timeline::Phase},
};
use serde_json::Value;

use super::story::{Story, assigned};

fn eval(file: &Path, json: bool) -> (String, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(["predict", "eval", "--journal"]).arg(file);
    command.args(json.then_some("--json")).env_remove("GREENROOM_CONFIG");
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.success())
}

/// A lab where what a device was says what it becomes.
fn lab() -> Story {
    let mut story = Story::new();
    for day in 0..20 {
        for n in 0..10 {
            let persona = if (n + day / 10) % 2 == 0 { "desk" } else { "lab" };
            story.boot(n, persona, Reason::Rule { name: "r".into() }, Some(Phase::Ready));
        }
        story.pass(86_400);
    }
    story
}

#[test]
fn an_export_and_the_journal_itself_say_the_same() {
    let (folder, story) = (tempfile::tempdir().unwrap(), lab());
    let (export, redb) = (folder.path().join("facts.jsonl"), folder.path().join("journal.redb"));
    let lines: Vec<String> = story.records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    fs::write(&export, lines.join("\n")).unwrap();
    let (mut journal, _) = Journal::open(&redb).unwrap();
    journal.append(&story.records, true).unwrap();
    drop(journal);
    let (said, ok) = eval(&export, false);
    assert!(ok && said.starts_with("800 facts taught 200 examples."), "{said}");
    let header = said.lines().find(|line| line.contains("LOG-LOSS")).unwrap();
    assert!(["TOP-1", "TOP-3", "BRIER", "ECE", "AT 90 %"].iter().all(|name| header.contains(name)), "{said}");
    assert!(said.contains("last used of device"), "{said}");
    assert_eq!(eval(&redb, false), (said, true));
    let report: Value = serde_json::from_str(&eval(&export, true).0).unwrap();
    assert_eq!(report["held_out"], 40);
    let last = report["entries"].as_array().unwrap().iter().find(|entry| entry["name"] == "last used of device");
    assert!(last.unwrap()["score"]["top_1"].as_f64().unwrap() > 0.95, "{report}");
}

#[test]
fn what_is_no_history_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts.jsonl");
    let mut story = Story::new();
    story.tell(assigned(1, "desk"));
    let fact = serde_json::to_string(&story.records[0]).unwrap();
    for (text, wanted) in [
        (format!("{fact}\nrow_id,persona\n"), "facts.jsonl:2: no fact"),
        (format!("{fact}\n{fact}\n"), "facts.jsonl:2: fact 1 comes after fact 1"),
        (format!("{fact}\n{}", "x".repeat(3 << 20)), "facts.jsonl:2: this line is too long for a fact"),
        (fact, "1 of the 10 examples that a first lesson needs"),
        (String::new(), "0 of the 10 examples"),
        ("redb, but not really".into(), "journal"),
    ] {
        fs::write(&file, text).unwrap();
        let (said, ok) = eval(&file, false);
        assert!(!ok && said.contains(wanted) && !said.contains("panicked"), "{said}");
    }
    let (said, ok) = eval(&folder.path().join("nowhere"), false);
    assert!(!ok && said.contains("nowhere"), "{said}");
}
