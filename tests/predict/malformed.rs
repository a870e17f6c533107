//! Files that are not what they should be: an error that says where, and never a panic.

use std::fs;

use tempfile::TempDir;

use crate::{
    command::{greenroom, path, text},
    table::{COLUMNS, organisation, write},
};

const GOOD: &[u8] = b"a,b,persona\nx,1,p1\ny,2,p2\nx,1,p1\ny,2,p2\n";

/// What is said of these files, and the exit code.
fn eval(train: &[u8], test: &[u8], more: &[&str]) -> (String, Option<i32>) {
    let dir = TempDir::new().unwrap();
    let (train_path, test_path) = (path(&dir, "train.csv"), path(&dir, "test.csv"));
    fs::write(&train_path, train).unwrap();
    fs::write(&test_path, test).unwrap();
    let output = greenroom(&[&["--train", &train_path, "--test", &test_path, "--label", "persona"], more].concat());
    let told = text(&output).replace(&format!("{}/", dir.path().display()), "");
    assert!(!told.contains("panicked"), "{told}");
    (told, output.status.code())
}

#[test]
fn each_fault_is_told_with_its_file_and_line() {
    let cases: [(&[u8], &str); 10] = [
        (b"", "train.csv is empty: its first line should name the columns"),
        (b"a,b,persona\n", "train.csv has a heading, and no rows"),
        (b"a,b,persona\nx,1,p1\nx,p2\n", "train.csv, line 3: 2 values where the heading has 3"),
        (b"a,b,persona\nx,1,p1\nx,1,2,p2\n", "train.csv, line 3: 4 values where the heading has 3"),
        (b"a,b,persona\nx,1,p1\n\xff\xfe,1,p2\n", "train.csv, line 3: this is not UTF-8"),
        (b"\xff\xfea\0,\0b\0\n\0", "train.csv, line 1: this is not UTF-8"),
        (b"a,b,Persona\nx,1,p1\n", "train.csv has no column `persona`. Did you mean `Persona`?"),
        (b"a,b,c\nx,1,p1\n", "train.csv has no column `persona`. It has a, b, c."),
        (b"a,a,persona\nx,1,p1\n", "train.csv, line 1: two columns are called `a`"),
        (b"a,b,persona\nx,1,\ny,2,\n", "train.csv: no row has a `persona` to learn from"),
    ];
    for (train, expected) in cases {
        let (told, code) = eval(train, GOOD, &[]);
        assert!(told.contains(expected) && code == Some(1), "{expected}: {told}");
        assert!(!told.contains("top-1"), "{told}");
    }
}

#[test]
fn a_column_of_names_is_refused_as_label() {
    let rows: Vec<String> = (0..5000).map(|at| format!("x,{at},user{at}\n")).collect();
    let train = format!("a,b,persona\n{}", rows.concat());
    let (told, code) = eval(train.as_bytes(), GOOD, &[]);
    let expected = "train.csv, line 4098: more than 4096 different labels: is this the right column?";
    assert!(told.contains(expected) && code == Some(1), "{told}");
}

#[test]
fn what_other_programs_write_makes_no_difference() {
    let dir = TempDir::new().unwrap();
    let plain = write(dir.path().join("plain.csv"), &COLUMNS, &organisation(200, 31), Some("persona"));
    let test = write(dir.path().join("test.csv"), &COLUMNS, &organisation(60, 32), Some("persona"));
    let strange = path(&dir, "strange.csv");
    let lines = fs::read_to_string(&plain).unwrap().replace(",,", ",NaN,").replace('\n', "\r\n");
    fs::write(&strange, [b"\xef\xbb\xbf", lines.as_bytes()].concat()).unwrap();
    let results = |train: &str| {
        let output = greenroom(&["--train", train, "--test", &test, "--label", "persona", "--json"]);
        assert!(output.status.success(), "{}", text(&output));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["results"].clone()
    };
    assert_eq!(results(&plain), results(&strange));
}

#[test]
fn one_class_and_strange_values_are_predicted_all_the_same() {
    let (told, code) = eval(b"a,b,persona\nx,NaN,p1\ny,inf,p1\n,1e999,p1\n", GOOD, &[]);
    assert!(told.contains("learned from 3 rows with 1 labels") && code == Some(0), "{told}");
    let long = "z".repeat(1 << 20);
    let (told, code) = eval(format!("a,b,persona\n{long},1,p1\n\"q\nq\",2,p2\n").as_bytes(), GOOD, &[]);
    assert!(told.contains("learned from 2 rows with 2 labels") && code == Some(0), "{told}");
}

#[test]
fn the_test_may_lack_columns_but_not_all_and_not_what_it_is_scored_by() {
    let (told, code) = eval(GOOD, b"a,other,persona\nx,1,p1\n", &[]);
    assert!(told.contains("test.csv has no column `b`: it is taken as unknown there") && code == Some(0), "{told}");
    let (told, code) = eval(GOOD, b"c,d,persona\nx,1,p1\n", &[]);
    assert!(told.contains("test.csv has none of the columns of train.csv") && code == Some(1), "{told}");
    let (told, code) = eval(GOOD, b"a,b\nx,1\n", &[]);
    let expected = "test.csv has no column `persona` to compare with: name the file that has it with --labels, or have \
                    the predictions written with --out";
    assert!(told.contains(expected) && code == Some(1), "{told}");
}

#[test]
fn times_that_are_none_are_told_and_every_usual_one_is_read() {
    let timed = |times: [&str; 3]| {
        format!("when,who,persona\n{},u1,p1\n{},u1,p2\n{},u2,p1\n", times[0], times[1], times[2]).into_bytes()
    };
    let good = timed(["2026-01-02", "2026-01-02 10:00:00", "2026-01-03T00:00:00Z"]);
    let walk = ["--time", "when", "--group", "who"];
    let (told, code) = eval(&good, &timed(["1767484800", "1767484800000", "1767484900.5"]), &walk);
    assert!(told.contains("last used of who") && code == Some(0), "{told}");
    let (told, code) = eval(&good, &timed(["1767484800", "soon", "1767484900"]), &walk);
    assert!(told.contains("test.csv, line 3: `soon` in `when` is no time") && code == Some(1), "{told}");
    let (told, code) = eval(&good, &good, &["--time", "when"]);
    assert!(told.contains("--group") && code == Some(2), "{told}");
}

#[test]
fn a_file_that_is_too_large_is_not_read_at_all() {
    let dir = TempDir::new().unwrap();
    let (train, test) = (path(&dir, "train.csv"), path(&dir, "test.csv"));
    fs::write(&test, GOOD).unwrap();
    // It has no bytes on the disk, but says that it has a gigabyte.
    fs::File::create(&train).unwrap().set_len(1 << 30).unwrap();
    let output = greenroom(&["--train", &train, "--test", &test, "--label", "persona"]);
    let told = text(&output);
    assert!(told.contains("and at most 512.0 MiB are read") && output.status.code() == Some(1), "{told}");
}
