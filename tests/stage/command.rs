//! `greenroom cache replay` and `trace`, as people meet them: the real binary.

use std::{
    fs,
    process::{Command, Output, Stdio},
};

fn greenroom(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_greenroom")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const SIZES: [&str; 4] = ["--ram", "64MiB", "--disk", "256MiB"];

#[test]
fn a_trace_of_any_clock_is_replayed_and_told_in_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let (trace, forecast) = (folder.path().join("trace.csv"), folder.path().join("forecast.csv"));
    let lines = "time,object,size\n# morning\n2026-11-24T08:00:00Z,a/kernel,8MiB\n2026-11-24T08:00:01.5Z,\"b, with a comma\",16777216\n\
                 2026-11-24T08:00:02Z,a/kernel,8MiB\n2026-11-24T08:00:01Z,huge,1GiB\n";
    fs::write(&trace, lines).unwrap();
    let trace = trace.to_str().unwrap();
    let told = text(&greenroom(&[&["cache", "replay", trace], &SIZES[..]].concat()));
    assert!(told.contains("4 requests for 3 blobs") && told.contains("they were sorted"), "{told}");
    let rows: Vec<&str> = told.lines().filter_map(|line| line.split("  ").next()).map(str::trim).collect();
    for policy in ["greenroom", "lru", "s3-fifo", "gdsf", "belady", "belady-size", "bound"] {
        assert!(rows.contains(&policy), "{told}");
    }
    let ours = told.lines().find(|line| line.starts_with("greenroom ")).unwrap();
    assert!(ours.contains("25.0 %"), "one of four was there already: {told}");
    fs::write(&forecast, "from,until,object,asks\n2026-11-24T07:00:00Z,2026-11-24T09:00:00Z,nobody,3\n").unwrap();
    let with = greenroom(
        &[&["--json", "cache", "replay", trace, "--forecast", forecast.to_str().unwrap()], &SIZES[..]].concat(),
    );
    assert!(text(&with).contains("names an object that the trace does not"), "{}", text(&with));
    let json: serde_json::Value = serde_json::from_slice(&with.stdout).unwrap();
    assert_eq!(
        (&json["asks"], &json["rows"][0]["policy"], &json["rows"][0]["hits"]),
        (&4.into(), &"greenroom".into(), &1.into())
    );
}

#[test]
fn a_bad_line_is_said_with_its_file_its_number_and_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.csv");
    for (line, wrong) in [
        ("5,a", "a line is `time,object,size`"),
        ("noon,a,5", "`noon` is no time"),
        ("-1,a,5", "`-1` is no time"),
        ("nan,a,5", "`nan` is no time"),
        ("5,a,5.5GiB", "`5.5GiB` is no size"),
        ("5,,5", "the object has no name"),
        ("5,a,99999999TiB", "more than 16 EiB"),
        (&"x".repeat(70_000), "longer than 64 KiB"),
    ] {
        fs::write(&path, format!("time,object,size\n0,a,5\n{line}\n")).unwrap();
        let output = greenroom(&[&["cache", "replay", path.to_str().unwrap()], &SIZES[..]].concat());
        let told = text(&output);
        assert!(
            output.status.code() == Some(1) && told.contains("trace.csv:3: ") && told.contains(wrong),
            "{line:.20}: {told}"
        );
    }
    fs::write(&path, b"0,a\xff,5\n").unwrap();
    let told = text(&greenroom(&[&["cache", "replay", path.to_str().unwrap()], &SIZES[..]].concat()));
    assert!(told.contains("trace.csv:1: it is not UTF-8"), "{told}");
    fs::write(&path, "").unwrap();
    let told = text(&greenroom(&[&["cache", "replay", path.to_str().unwrap()], &SIZES[..]].concat()));
    assert!(told.contains("there is no request in it"), "{told}");
}

#[test]
fn the_same_seed_gives_the_same_trace_and_it_can_be_replayed() {
    let trace = greenroom(&["cache", "trace", "loop"]);
    assert_eq!(trace.stdout, greenroom(&["cache", "trace", "loop"]).stdout);
    assert_ne!(
        greenroom(&["cache", "trace", "burst"]).stdout,
        greenroom(&["cache", "trace", "burst", "--seed", "2"]).stdout
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.csv");
    fs::write(&path, &trace.stdout).unwrap();
    let output = greenroom(&["cache", "replay", path.to_str().unwrap(), "--ram", "8GiB", "--disk", "40GiB"]);
    assert!(output.status.success() && text(&output).contains("2160 requests for 48 blobs"), "{}", text(&output));
    assert_eq!(greenroom(&["cache", "trace", "nonesuch"]).status.code(), Some(2));
}
