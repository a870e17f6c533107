//! The versions that were served are kept: whole, before they can be planned with, and through any crash.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use greenroom::{
    library::{Library, Store, StoreError},
    model::PersonaRef,
    persona::Persona,
};

use super::stage::{Repo, persona};

/// Says to this program, started as a victim, where to work.
const VICTIM: &str = "GREENROOM_STORE_VICTIM";

fn stored(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    entries.collect()
}

fn reference(library: &Library, name: &str) -> PersonaRef {
    library.catalog().persona(&name.parse().unwrap()).unwrap().reference.clone()
}

#[test]
fn edits_that_were_never_committed_can_be_had_back() {
    let repo = Repo::new();
    let dir = repo.top.path().join(".git/store");
    let mut library = Library::open_with(&repo.library, Store::open(&dir).unwrap());
    repo.write("a.yaml", &persona("an edit"));
    assert!(library.refresh());
    let edit = reference(&library, "a");
    repo.write("a.yaml", &persona("another"));
    assert!(library.refresh());
    fs::remove_file(repo.library.join("a.yaml")).unwrap();

    // A new start knows what boots under way were planned with.
    let mut library = Library::open_with(&repo.library, Store::open(&dir).unwrap());
    assert!(library.catalog().version(&edit).is_none());
    assert!(library.recall([&edit]).is_empty());
    assert_eq!(library.catalog().version(&edit).unwrap().description, "an edit");
    assert!(library.catalog().persona(&edit.name).is_none(), "known is not chosen");
    let mode = fs::metadata(&dir).unwrap().permissions().mode()
        | fs::metadata(dir.join(stored(&dir).first().unwrap())).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "personas hold password hashes");
}

#[test]
fn every_sample_reads_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("personas");
    let library = Library::open_with(&samples, Store::open(dir.path()).unwrap());
    assert!(library.catalog().personas().count() > 0);
    let store = Store::open(dir.path()).unwrap();
    for entry in library.catalog().personas() {
        // What it was composed of is no part of it.
        let composed = Persona { extends: vec![], ..Persona::clone(&entry.persona) };
        assert_eq!(*store.read(&entry.reference.version).unwrap(), composed, "{}", entry.reference);
    }
}

#[test]
fn what_is_damaged_is_not_taken_for_what_was_served() {
    let repo = Repo::new();
    let dir = repo.top.path().join(".git/store");
    let library = Library::open_with(&repo.library, Store::open(&dir).unwrap());
    let version = reference(&library, "a").version;
    fs::write(dir.join(format!("{}.yaml", version.as_str())), persona("forged")).unwrap();
    assert!(matches!(library.stored(&version), Err(StoreError::Damaged { .. })));
    let outside = greenroom::model::Version::new("../../a");
    assert!(matches!(library.stored(&outside), Err(StoreError::Unknown { .. })), "a version is no path");
}

#[test]
fn a_store_that_cannot_be_written_is_a_warning_and_the_library_serves() {
    let repo = Repo::new();
    repo.write("b.yaml", &persona("two"));
    repo.write("same.yaml", &persona("two"));
    let dir = repo.top.path().join(".git/store");
    let store = Store::open(&dir).unwrap();
    let version = reference(&repo.open(), "a").version;
    // What stands where a file should be written is all that root cannot write over.
    fs::create_dir(dir.join(format!("{}.new", version.as_str()))).unwrap();
    let mut library = Library::open_with(&repo.library, store);
    let warned =
        |library: &Library| library.problems().iter().any(|problem| problem.code == "GR194" && !problem.is_error());
    assert!(warned(&library), "{:?}", library.problems());
    assert_eq!(library.catalog().personas().count(), 3);
    assert!(!stored(&dir).iter().any(|name| name.ends_with(".yaml")), "a set that is not whole is not there");
    fs::remove_dir(dir.join(format!("{}.new", version.as_str()))).unwrap();
    library.reload();
    assert!(!warned(&library) && stored(&dir).len() == 2, "{:?}", stored(&dir));
}

/// The victim: it edits a persona for ever, and says each version once it is served.
#[test]
fn victim() {
    let Some(dir) = std::env::var_os(VICTIM) else { return };
    let dir = Path::new(&dir);
    let mut library = Library::open_with(&dir.join("library"), Store::open(&dir.join("store")).unwrap());
    for n in 0.. {
        fs::write(dir.join("library/a.yaml"), persona(&format!("{n} of {}", std::process::id()))).unwrap();
        library.reload();
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nserved {}", reference(&library, "a").version.as_str()).and_then(|()| out.flush()).unwrap();
    }
}

#[test]
fn kill_9_at_any_moment_leaves_every_version_that_was_served_and_none_by_halves() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("library")).unwrap();
    let mut promised = BTreeSet::new();
    for round in 0..12 {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "store::victim", "--nocapture"]).env(VICTIM, dir.path()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let served = lines.filter_map(|line| line.strip_prefix("served ").map(str::to_owned));
        promised.extend(served.take(round % 4 + 1));
        child.kill().unwrap();
        child.wait().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        for version in &promised {
            store.read(&greenroom::model::Version::new(version.clone())).unwrap();
        }
        let names = stored(&dir.path().join("store"));
        assert!(names.iter().all(|name| name.ends_with(".yaml")), "what a crash left is swept away: {names:?}");
        for name in names {
            store.read(&greenroom::model::Version::new(name.trim_end_matches(".yaml"))).unwrap();
        }
    }
    assert!(promised.len() >= 12, "{}", promised.len());
}
