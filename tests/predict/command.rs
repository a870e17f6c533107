//! `greenroom predict eval`, as people call it: the real binary.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::table::{COLUMNS, organisation, visits, write};

pub(crate) fn greenroom(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command
        .args(["predict", "eval"])
        .args(arguments)
        .env_remove("GREENROOM_CONFIG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub(crate) fn path(dir: &TempDir, name: &str) -> String {
    dir.path().join(name).display().to_string()
}

fn json(arguments: &[&str]) -> Value {
    let output = greenroom(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Train and test, without and with labels.
fn files(dir: &TempDir) -> (String, String, String) {
    let (lines, tests) = (organisation(300, 11), organisation(120, 12));
    let train = write(dir.path().join("train.csv"), &COLUMNS, &lines, Some("persona"));
    let bare = write(dir.path().join("bare.csv"), &COLUMNS, &tests, None);
    let test = write(dir.path().join("test.csv"), &COLUMNS, &tests, Some("persona"));
    (train, bare, test)
}

/// Scores a file of predictions with nothing but Python.
const SCORER: &str = r#"
import csv, json, math, sys
predicted, labels = {}, {}
for row in csv.DictReader(open(sys.argv[1])):
    predicted.setdefault(row["row_id"], []).append((float(row["probability"]), row["persona"]))
for at, row in enumerate(csv.DictReader(open(sys.argv[2]))):
    labels[str(at)] = row["persona"]
n = len(labels)
top1 = top3 = loss = brier = 0.0
bins = {}
for at, label in labels.items():
    ranked = sorted(predicted[at], key=lambda one: -one[0])
    assert sum(p for p, _ in ranked) <= 1.0, ranked
    of_label = max([p for p, name in ranked if name == label], default=0.0)
    top1 += ranked[0][1] == label
    top3 += label in [name for _, name in ranked[:3]]
    loss -= math.log(max(of_label, 1e-6))
    brier += sum((p - (name == label)) ** 2 for p, name in ranked)
    one = bins.setdefault(min(14, max(0, math.ceil(ranked[0][0] * 15) - 1)), [0, 0.0, 0])
    one[0] += 1; one[1] += ranked[0][0]; one[2] += ranked[0][1] == label
ece = sum(abs(sure - right) for _, sure, right in bins.values()) / n
print(json.dumps({"top_1": top1 / n, "top_3": top3 / n, "log_loss": loss / n, "brier": brier / n, "ece": ece}))
"#;

#[test]
fn the_table_says_what_an_independent_scorer_says_of_the_file() {
    let dir = TempDir::new().unwrap();
    let (train, _, test) = files(&dir);
    let (out, plot) = (path(&dir, "predictions.csv"), path(&dir, "eval.svg"));
    let report = json(&["--train", &train, "--test", &test, "--label", "persona", "--out", &out, "--plot", &plot]);
    let python = Command::new("python3").args(["-c", SCORER, &out, &test]).output().unwrap();
    assert!(python.status.success(), "{}", text(&python));
    let scored: Value = serde_json::from_slice(&python.stdout).unwrap();
    let model = &report["results"][0];
    assert_eq!(model["name"], "model");
    for (name, value) in scored.as_object().unwrap() {
        let (theirs, ours) = (value.as_f64().unwrap(), model[name].as_f64().unwrap());
        assert!((theirs - ours).abs() < 1e-3, "{name}: {theirs} {ours}");
    }
    assert_eq!(fs::read_to_string(&out).unwrap().lines().next(), Some("row_id,persona,probability"));
    let read =
        "import sys, xml.dom.minidom as x; d = x.parse(sys.argv[1]); print(len(d.getElementsByTagName('polyline')))";
    let parsed = Command::new("python3").args(["-c", read, &plot]).output().unwrap();
    assert_eq!(text(&parsed).trim(), "3", "a line for the model and each baseline");
}

#[test]
fn the_table_names_each_method_and_the_model_leads() {
    let dir = TempDir::new().unwrap();
    let (train, _, test) = files(&dir);
    let output = greenroom(&["--train", &train, "--test", &test, "--label", "persona"]);
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.starts_with("learned from 300 rows with 12 labels in "), "{told}");
    let top_1 = |name: &str| -> f64 {
        let line = told.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    assert!(told.contains("METHOD") && told.contains("LOG-LOSS") && told.contains("AT 90 %"), "{told}");
    assert!(top_1("model") > top_1("most frequent per department") && top_1("model") > top_1("majority"), "{told}");
}

#[test]
fn labels_come_from_a_file_of_their_own_in_any_order() {
    let dir = TempDir::new().unwrap();
    let (train, bare, test) = files(&dir);
    let lines = organisation(120, 12);
    let named: Vec<String> = lines.iter().enumerate().rev().map(|(at, line)| format!("{at},{}\n", line.1)).collect();
    let labels = path(&dir, "labels.csv");
    fs::write(&labels, format!("row_id,persona\n{}", named.concat())).unwrap();
    let joined = json(&["--train", &train, "--test", &bare, "--label", "persona", "--labels", &labels]);
    let direct = json(&["--train", &train, "--test", &test, "--label", "persona"]);
    assert_eq!(joined["results"], direct["results"]);
}

#[test]
fn a_test_without_labels_is_predicted_and_one_with_its_own_names_keeps_them() {
    let dir = TempDir::new().unwrap();
    let (train, _, _) = files(&dir);
    let mut tests = organisation(20, 13);
    tests.iter_mut().enumerate().for_each(|(at, line)| line.0.push(format!("asset-{at}")));
    let columns = [&COLUMNS[..], &["row_id"]].concat();
    let bare = write(dir.path().join("named.csv"), &columns, &tests, None);
    let out = path(&dir, "predictions.csv");
    let output = greenroom(&["--train", &train, "--test", &bare, "--label", "persona", "--out", &out]);
    assert!(output.status.success(), "{}", text(&output));
    let written = fs::read_to_string(&out).unwrap();
    for at in 0..20 {
        assert!(written.contains(&format!("\nasset-{at},p")), "row {at} is predicted: {written}");
    }
    assert!(text(&output).contains("predicted 20 rows"), "{}", text(&output));
}

fn walk(dir: &Path, name: &str, tests: &[crate::table::Line]) -> Vec<String> {
    let columns = ["when", "device", "lab"];
    let train = write(dir.join("old.csv"), &columns, &visits(400, 21), Some("persona"));
    let test = write(dir.join(name), &columns, tests, Some("persona"));
    let out = dir.join(format!("{name}.predictions")).display().to_string();
    let arguments = [
        "--train", &train, "--test", &test, "--label", "persona", "--time", "when", "--group", "device", "--out", &out,
    ];
    let output = greenroom(&arguments);
    assert!(output.status.success(), "{}", text(&output));
    fs::read_to_string(&out).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn walking_forward_nothing_is_predicted_from_what_came_later() {
    let dir = TempDir::new().unwrap();
    let mut tests = visits(480, 21).split_off(400);
    let before = walk(dir.path(), "true.csv", &tests);
    // From the 40th row on, something else happens.
    tests[40..].iter_mut().for_each(|line| line.1 = "p0".into());
    let after = walk(dir.path(), "altered.csv", &tests);
    let until = |lines: &[String], row: &str| lines.iter().position(|line| line.starts_with(row)).unwrap();
    // Row 40 itself is still predicted from what came before it.
    let same = until(&before, "41,");
    assert_eq!(before[..same], after[..same]);
    assert_ne!(before, after, "what was revealed counts afterwards");
}

#[test]
fn rows_are_walked_through_in_the_order_of_time_whatever_their_order_in_the_file() {
    let dir = TempDir::new().unwrap();
    let tests = visits(460, 21).split_off(400);
    let straight = walk(dir.path(), "straight.csv", &tests);
    let reversed: Vec<_> = tests.iter().rev().cloned().collect();
    let back = walk(dir.path(), "reversed.csv", &reversed);
    let of = |lines: &[String], row: usize| -> Vec<String> {
        let start = format!("{row},");
        lines.iter().filter_map(|line| line.strip_prefix(&start)).map(str::to_owned).collect()
    };
    assert_eq!(of(&straight, 0), of(&back, 59));
    assert_eq!(of(&straight, 59), of(&back, 0));
}
