//! The house rules that a compiler does not know: floors, rooms, and what a stranger should not meet.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests say what they mean by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The modules by floor, from the ground up.
const FLOORS: [&[&str]; 7] = [
    &["model"],
    &["document", "import", "persona", "wire"],
    &["boot", "lease", "predict", "stage", "usage", "world"],
    &["images", "journal", "library"],
    &["engine", "sim"],
    &["serve"],
    &["app", "cli", "config"],
];

/// Crates that live in one room each.
const ROOMS: [(&str, &str); 8] = [
    ("dhcproto", "wire/dhcp4/"),
    ("async_tftp", "serve/tftp.rs"),
    ("smartcore", "predict/train/"),
    ("sled", "images/tier_sled/"),
    ("redb", "journal/"),
    ("serde_yaml", "document/yaml"),
    ("granit_parser", "document/edit/span.rs"),
    ("clap", "cli/"),
];

/// What code below floor 3 does not name: it would be I/O, time or chance.
const IMPURE: [&str; 8] =
    ["tokio", "std::fs", "std::time", "SystemTime", "Instant::now", "getrandom", "std::thread", "std::env"];

/// Longer files have more than one job.
const LONGEST: usize = 450;

struct File {
    path: String,
    text: String,
}

impl File {
    fn module(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap_or_default()
    }

    fn floor(&self) -> Option<usize> {
        FLOORS.iter().position(|floor| floor.contains(&self.module()))
    }

    /// The code, without comments and without tests.
    fn code(&self) -> String {
        let before_tests = self.text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = before_tests.lines().map(|line| line.split("//").next().unwrap_or_default());
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn sources() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = vec![];
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let short = path.strip_prefix(&root).unwrap().display().to_string();
                found.push(File { path: short, text: fs::read_to_string(path).unwrap() });
            }
        }
    }
    assert!(found.len() > 50, "the sources were found");
    found
}

/// The modules of this crate that some code names: `crate::a`, and `crate::{a, b::{c}, d}`.
fn names_of_crate(code: &str) -> Vec<String> {
    let mut names = vec![];
    for part in code.split("crate::").skip(1) {
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        let Some(group) = part.strip_prefix('{') else {
            names.push(word(part));
            continue;
        };
        let (mut depth, mut item) = (0, String::new());
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => names.push(word(std::mem::take(&mut item).trim())),
                _ if depth == 0 => item.push(c),
                _ => {}
            }
        }
        names.push(word(item.trim()));
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn no_module_uses_a_floor_above_its_own() {
    let floor_of = |name: &str| FLOORS.iter().position(|floor| floor.contains(&name));
    let mut broken = vec![];
    for file in sources() {
        let Some(floor) = file.floor() else {
            assert!(["lib.rs", "main.rs"].contains(&file.path.as_str()), "{} is on no floor", file.path);
            continue;
        };
        for name in names_of_crate(&file.code()) {
            let fits = floor_of(&name).is_some_and(|other| other < floor || name == file.module())
                // Policy's rooms speak to one another: the door uses them, none of them the door.
                || (floor == 2 && ["boot", "lease", "predict"].contains(&name.as_str()) && file.module() == "world")
                // What the World adds up to, for people: filters and rosters read it.
                || (["boot", "world"].contains(&name.as_str()) && file.module() == "usage")
                || (name == "predict" && file.module() == "boot")
                || (floor == 1 && name == "document" && ["import", "persona"].contains(&file.module()))
                || (floor == 1 && name == "persona" && file.module() == "import")
                || (floor == 6 && (name == "config" || (name == "app" && file.module() == "cli")));
            if !fits {
                broken.push(format!("{} (floor {floor}) uses {name}", file.path));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn each_given_crate_stays_in_its_room() {
    let mut broken = vec![];
    for file in sources() {
        for (name, room) in ROOMS {
            let (code, path) = (file.code(), format!("{name}::"));
            let mut places = code.match_indices(&path).map(|(at, _)| code[..at].chars().next_back());
            let named = places.any(|before| !before.is_some_and(|c| c.is_alphanumeric() || c == '_'));
            if named && !file.path.starts_with(room) {
                broken.push(format!("{} names {name}, whose room is {room}", file.path));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn policy_does_no_io_and_asks_no_clock() {
    let mut broken = vec![];
    for file in sources().iter().filter(|file| file.floor().is_some_and(|floor| floor < 3)) {
        broken.extend(
            IMPURE.iter().filter(|word| file.code().contains(*word)).map(|word| format!("{}: {word}", file.path)),
        );
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn files_are_short_say_what_they_are_and_leave_nothing_for_later() {
    let mut broken = vec![];
    for file in sources() {
        let lines = file.text.lines().count();
        if lines > LONGEST {
            broken.push(format!("{} has {lines} lines", file.path));
        }
        if !file.text.starts_with("//!") && !file.text.starts_with("#![doc") {
            broken.push(format!("{} does not say what it is for", file.path));
        }
        for word in ["TODO", "FIXME", "XXX", "todo!", "unimplemented!"] {
            if file.text.contains(word) {
                broken.push(format!("{} has a {word}", file.path));
            }
        }
        for word in ["util", "helper", "manager"] {
            if file.path.contains(word) {
                broken.push(format!("{} is called {word}", file.path));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_rules_can_fail() {
    let code = "use crate::{model::{A, B}, serve::C,\n world};\nfn f() { crate::app::clock() }";
    assert_eq!(names_of_crate(code), ["model", "serve", "world", "app"]);
    let file = File { path: "wire/x.rs".into(), text: "//! x\n// crate::app\nuse crate::model;".into() };
    assert_eq!((file.floor(), names_of_crate(&file.code())), (Some(1), vec!["model".to_owned()]));
}
