//! What a large library costs: a thousand personas read, composed, checked and rendered, and one of them edited.
//!
//! The peer is what people do without us: PyYAML with libyaml's loader reads the same files, and a deep merge composes them;
//! it checks nothing and renders nothing. Both work on the same folder in the same run, turn about.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench shows its numbers, and stops at the first oddity"
)]

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use greenroom::{
    library::Library,
    model::{BootId, secret::Secrets, site::Mirrors, smbios::Hardware},
    persona::render::{Subject, seed_file, seed_files},
};

const PERSONAS: usize = 1000;
const ROUNDS: usize = 5;

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    write_library(folder.path());
    let mut ours = vec![];
    let mut theirs = vec![];
    let mut edits = vec![];
    for round in 0..ROUNDS {
        let began = Instant::now();
        let mut library = Library::open(folder.path());
        let bytes = render(&library);
        ours.push(began.elapsed());
        assert_eq!(library.catalog().personas().count(), PERSONAS, "{:?}", library.problems().first());
        assert!(bytes > PERSONAS * 1000, "{bytes} bytes were rendered");
        theirs.push(peer(folder.path()));

        let edited = folder.path().join("persona-500.yaml");
        let text = fs::read_to_string(&edited).unwrap();
        fs::write(&edited, format!("{text}# edit {round}\n")).unwrap();
        let began = Instant::now();
        assert!(library.refresh(), "the edit was seen");
        edits.push(began.elapsed());
    }
    let (ours, theirs, edit) = (median(ours), median(theirs), median(edits));
    println!("{PERSONAS} personas: read, compose, check, render   {:>8.1} ms", millis(ours));
    println!("  PyYAML (libyaml) and a deep merge only      {:>8.1} ms", millis(theirs));
    println!("  ratio of the peer's time to ours            {:>8.2}", theirs.as_secs_f64() / ours.as_secs_f64());
    println!("one file of them edited: seen and swapped in     {:>8.1} ms", millis(edit));
    println!("  ratio to reading all of them                {:>8.3}", edit.as_secs_f64() / ours.as_secs_f64());
}

/// Variants of the samples, which extend the samples' fragments.
fn write_library(folder: &Path) {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("personas");
    for inner in ["fragments", "images"] {
        fs::create_dir_all(folder.join(inner)).unwrap();
        for entry in fs::read_dir(samples.join(inner)).unwrap().flatten() {
            fs::copy(entry.path(), folder.join(inner).join(entry.file_name())).unwrap();
        }
    }
    let entries = fs::read_dir(&samples).unwrap().flatten().map(|entry| entry.path());
    let mut documents: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    documents.sort();
    for at in 0..PERSONAS {
        let text = fs::read_to_string(&documents[at % documents.len()]).unwrap();
        let own = text.replace("description: ", &format!("description: Number {at}. "));
        fs::write(folder.join(format!("persona-{at}.yaml")), own).unwrap();
    }
}

fn render(library: &Library) -> usize {
    let (hardware, mirrors) = (Hardware::default(), Mirrors::default());
    let mut bytes = 0;
    for entry in library.catalog().personas() {
        let secrets = Secrets::masked(entry.persona.secret_names());
        let subject = Subject {
            persona: entry.reference.name.as_str(),
            mac: "52:54:00:77:00:02".parse().unwrap(),
            hardware: &hardware,
            boot: BootId::new(1),
            seed_url: "http://10.77.0.1/seed/0000000001/token/",
            report_url: "http://10.77.0.1/seed/0000000001/token/report",
            mirrors: &mirrors,
            secrets: &secrets,
        };
        let files = seed_files(&entry.persona).into_iter().filter_map(|name| seed_file(&entry.persona, &subject, name));
        bytes += files.map(|text| text.len()).sum::<usize>();
    }
    bytes
}

/// The peer's own time for the same folder, without the start of its interpreter.
fn peer(folder: &Path) -> Duration {
    let script = r##"
import glob, sys, time, yaml
class Reader(yaml.CSafeLoader): pass
Reader.add_constructor("!replace", lambda loader, node: loader.construct_sequence(node, deep=True))
began = time.perf_counter()
read = lambda path: yaml.load(open(path), Reader)
fragments = {}
def merge(under, over):
    for key, value in over.items():
        old = under.get(key)
        if isinstance(old, dict) and isinstance(value, dict): merge(old, value)
        elif isinstance(old, list) and isinstance(value, list): under[key] = old + value
        else: under[key] = value
    return under
import copy
def composed(document):
    out = {}
    for name in document.pop("extends", []):
        if name not in fragments: fragments[name] = read(f"{sys.argv[1]}/{name}.yaml")
        merge(out, copy.deepcopy(fragments[name]))
    return merge(out, document)
documents = [composed(read(path)) for path in sorted(glob.glob(sys.argv[1] + "/*.yaml"))]
print(time.perf_counter() - began)
"##;
    let output = Command::new("python3").args(["-c", script]).arg(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let seconds = said.trim().parse().unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    Duration::from_secs_f64(seconds)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
