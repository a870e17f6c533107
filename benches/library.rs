//! What a large library costs: a thousand personas read, composed, checked and rendered; and then what an edit costs: of one
//! of them, of a fragment that hundreds extend, and of all by a `git checkout`.
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
    num::NonZero,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use greenroom::{
    library::Library,
    model::{BootId, secret::Secrets, site::Mirrors, smbios::Hardware},
    persona::{
        catalog::Entry,
        render::{Subject, seed_file, seed_files},
    },
};

const PERSONAS: usize = 1000;
const ROUNDS: usize = 5;

/// What one thing cost, round for round.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn take<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = work();
        self.0.push(began.elapsed());
        done
    }

    fn median(&self) -> f64 {
        let mut times = self.0.clone();
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1000.0
    }
}

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let library = folder.path();
    write_library(library);
    let git = |words: &[&str]| {
        let done = Command::new("git").args(["-C", library.to_str().unwrap()]).args(words).output().unwrap();
        assert!(done.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let commit = ["-c", "user.name=Bench", "-c", "user.email=b@example.org", "commit", "--quiet", "--all", "-m", "x"];
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "--all"]);
    git(&commit);
    git(&["checkout", "--quiet", "-b", "other"]);
    for at in 0..PERSONAS {
        change(&library.join(format!("persona-{at}.yaml")), "Number", "The other");
    }
    git(&commit);
    git(&["checkout", "--quiet", "main"]);
    let (mut reading, mut rendering, mut whole, mut theirs) = <(Times, Times, Times, Times)>::default();
    let (mut nothing, mut first, mut persona, mut fragment, mut checkout) = <(_, _, _, _, _)>::default();
    let times: [&mut Times; 5] = [&mut nothing, &mut first, &mut persona, &mut fragment, &mut checkout];
    let [nothing, first, persona, fragment, checkout] = times;
    for round in 0..ROUNDS {
        let mut ours = None;
        whole.take(|| {
            let library = ours.insert(reading.take(|| Library::open(library)));
            let bytes = rendering.take(|| render(library));
            assert!(bytes > PERSONAS * 1000, "{bytes} bytes were rendered");
        });
        let mut ours = ours.unwrap();
        assert_eq!(ours.catalog().personas().count(), PERSONAS, "{:?}", ours.problems().first());
        theirs.0.push(peer(library));

        let mut seen = |times: &mut Times| assert!(times.take(|| ours.refresh()), "the edit was seen");
        // The first edit after many files were written: each of them may have changed unseen, and is read and compared.
        change(&library.join("persona-500.yaml"), "Number", &format!("First {round}. Number"));
        seen(first);
        // From now on the files are old enough to be trusted.
        std::thread::sleep(Duration::from_millis(2100));
        change(&library.join("persona-501.yaml"), "Number", &format!("Warm {round}. Number"));
        seen(&mut Times::default());
        std::thread::sleep(Duration::from_millis(2100));
        change(&library.join("persona-502.yaml"), "Number", &format!("Next {round}. Number"));
        seen(persona);
        change(&library.join("fragments/office-en.yaml"), "apiVersion", &format!("# {round}\napiVersion"));
        seen(fragment);
        git(&["checkout", "--quiet", "--force", "other"]);
        seen(checkout);
        git(&["checkout", "--quiet", "--force", "main"]);
        let mut ours = Library::open(library);
        nothing.take(|| assert!(!ours.refresh(), "nothing was edited"));
    }
    let (whole, theirs) = (whole.median(), theirs.median());
    let line = |what: &str, time: f64| println!("{what:<58}{time:>8.1} ms");
    line(&format!("{PERSONAS} personas: read, compose, check"), reading.median());
    line("  and render", rendering.median());
    line("  together", whole);
    line("  PyYAML (libyaml) and a deep merge only", theirs);
    println!("{:<58}{:>8.2}", "  ratio of the peer's time to ours", theirs / whole);
    for (what, times) in [
        ("a look when nothing changed", nothing),
        ("the first edit after all were written", first),
        ("one persona edited: seen and swapped in", persona),
        ("one fragment edited, which hundreds extend", fragment),
        ("`git checkout` of them all", checkout),
    ] {
        line(what, times.median());
        println!("{:<58}{:>8.3}", "  ratio to reading all of them anew", times.median() / reading.median());
    }
}

/// Puts one text in the place of another, as an editor would: the whole file is written.
fn change(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} holds {from}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
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
        let own = text.replacen("description: ", &format!("description: Number {at}. "), 1);
        fs::write(folder.join(format!("persona-{at}.yaml")), own).unwrap();
    }
}

/// As requests render: each persona by itself, on every core.
fn render(library: &Library) -> usize {
    let entries: Vec<&Entry> = library.catalog().personas().collect();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let parts = entries.chunks(entries.len().div_ceil(cores));
    thread::scope(|scope| {
        let running: Vec<_> =
            parts.map(|part| scope.spawn(move || part.iter().map(|one| seed(one)).sum::<usize>())).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

/// The size of all seed files of a persona.
fn seed(entry: &Entry) -> usize {
    let secrets = Secrets::masked(entry.persona.secret_names());
    let subject = Subject {
        persona: entry.reference.name.as_str(),
        mac: "52:54:00:77:00:02".parse().unwrap(),
        hardware: &Hardware::default(),
        boot: BootId::new(1),
        seed_url: "http://10.77.0.1/seed/0000000001/token/",
        report_url: "http://10.77.0.1/seed/0000000001/token/report",
        mirrors: &Mirrors::default(),
        secrets: &secrets,
    };
    let files = seed_files(&entry.persona).into_iter().filter_map(|name| seed_file(&entry.persona, &subject, name));
    files.map(|text| text.len()).sum()
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
