//! `greenroom simulate`, as people meet it: the real binary.

use std::{
    fs,
    process::{Command, Output, Stdio},
};

fn greenroom(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.arg("simulate").args(arguments).env("COLUMNS", "100").stdin(Stdio::null()).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const SMALL: [&str; 4] = ["--devices", "12", "--days", "2"];

#[test]
fn it_tells_what_was_simulated_what_came_of_it_and_that_nothing_broke() {
    let folder = tempfile::tempdir().unwrap();
    let (plot, journal) = (folder.path().join("plot.svg"), folder.path().join("facts.jsonl"));
    let files = ["--plot", plot.to_str().unwrap(), "--journal", journal.to_str().unwrap()];
    let output = greenroom(&[&SMALL[..], &files].concat());
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.starts_with("12 devices, 2 days, office (seed 1): "), "{told}");
    for row in ["no prediction", "last used", "greenroom", "perfect foresight"] {
        assert!(told.lines().any(|line| line.starts_with(row) && line.contains(" % ")), "{row}: {told}");
    }
    assert!(told.contains("mean wait per boot, by day") && told.contains("Watched: "), "{told}");
    assert!(fs::read_to_string(plot).unwrap().ends_with("</svg>\n"));
    let facts = fs::read_to_string(journal).unwrap();
    let last: serde_json::Value = serde_json::from_str(facts.lines().last().unwrap()).unwrap();
    assert_eq!(last["seq"].as_u64(), Some(facts.lines().count() as u64), "every fact is a line");
}

#[test]
fn programs_read_it_as_json() {
    let output = greenroom(&[&SMALL[..], &["--json", "--scenario", "lab", "--seed", "7"]].concat());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["fleet"]["scenario"], &json["fleet"]["seed"]), (&"lab".into(), &7.into()));
    assert_eq!(json["rows"].as_array().unwrap().len(), 4);
    assert_eq!(json["rows"][2]["checked"]["broken"], serde_json::json!([]));
}

#[test]
fn the_personas_of_a_library_are_wanted_in_place_of_made_up_ones() {
    let library = concat!(env!("CARGO_MANIFEST_DIR"), "/personas");
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("facts.jsonl");
    let output = greenroom(&[&SMALL[..], &["--personas", library, "--journal", journal.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", text(&output));
    assert!(fs::read_to_string(journal).unwrap().contains("kiosk-live"));
}

#[test]
fn what_cannot_be_simulated_is_said_with_what_can() {
    let folder = tempfile::tempdir().unwrap();
    let persona = "apiVersion: greenroom/v1\ndescription: x\neffect: destructive\nos: { image: i, install: { disk: /dev/sda } }\n";
    fs::write(folder.path().join("wipes.yaml"), persona).unwrap();
    let dir = folder.path().to_str().unwrap();
    for (arguments, code, said) in [
        (&["--scenario", "school"][..], 2, "it is one of office, lab, classroom, boot-storm"),
        (&["--origin", "fast"], 2, "write 100Mbit, 1Gbit, or bytes per second"),
        (&["--origin", "0Mbit"], 2, "is no rate"),
        (&["--devices", "0"], 2, "1..=100000"),
        (&["--days", "0"], 2, "1..=366"),
        (&["--loss", "51"], 2, "0..=50"),
        (&["--personas", "/no/such/folder"], 1, "there is no library at /no/such/folder"),
        (&["--personas", dir], 1, "no persona of the library leaves the disk alone"),
        (&["--days", "1", "--journal", "/no/such/folder/file"], 1, "/no/such/folder/file: "),
        (&["--days", "1", "--devices", "1", "--plot", "/no/such/folder/file"], 1, "/no/such/folder/file: "),
    ] {
        let output = greenroom(arguments);
        let told = text(&output);
        assert!(output.status.code() == Some(code) && told.contains(said), "{arguments:?}: {told}");
    }
}
