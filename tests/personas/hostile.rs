//! Libraries as they really are: half saved, in the middle of a merge, in the wrong encoding, or made to break things. A
//! clear message, bounded memory and time, and the last good set keeps serving.

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::Path,
    process::Command,
};

use greenroom::{
    document::{Document, Problem},
    library::{self, Library},
    model::PersonaName,
    persona::{Persona, validate::validate},
};
use proptest::prelude::*;
use tempfile::TempDir;

const GOOD: &str = "apiVersion: greenroom/v1\ndescription: one\neffect: ephemeral\nos: {image: debian}\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("fragments")).unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    folder
}

/// The problems of a library that are no warnings, with the folder's name left out.
fn errors(library: &Library, folder: &Path) -> Vec<String> {
    let errors = library.problems().iter().filter(|problem| problem.is_error());
    errors.map(|problem| problem.to_string().replace(&format!("{}/", folder.display()), "")).collect()
}

fn told(library: &Library) -> String {
    library.problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

fn versions(library: &Library) -> Vec<String> {
    library.catalog().personas().map(|entry| entry.reference.to_string()).collect()
}

#[test]
fn whatever_lies_in_a_library_is_told_in_words_and_the_good_ones_serve() {
    let folder = folder(&[("good.yaml", GOOD)]);
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.yaml"), GOOD).unwrap();
    let at = |name: &str| folder.path().join(name);
    symlink(outside.path().join("secret.yaml"), at("aa-leads-out.yaml")).unwrap();
    symlink(at("nowhere"), at("ab-leads-nowhere.yaml")).unwrap();
    symlink(at("good.yaml"), at("ac-within.yaml")).unwrap();
    symlink("/dev/zero", at("ad-device.yaml")).unwrap();
    symlink(at("ae-round.yaml"), at("ae-round.yaml")).unwrap();
    fs::create_dir(at("b-folder.yaml")).unwrap();
    assert!(Command::new("mkfifo").arg(at("c-pipe.yaml")).status().unwrap().success());
    File::create(at("d-large.yaml")).unwrap().set_len(100 << 20).unwrap();
    fs::write(at("e-half.yaml"), &GOOD[..GOOD.len() - 3]).unwrap();
    fs::write(at("f-empty.yaml"), "").unwrap();
    fs::write(at("g-utf16.yaml"), GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()).unwrap();
    fs::write(at("h-latin1.yaml"), b"apiVersion: greenroom/v1\ndescription: K\xfcche\n").unwrap();
    fs::write(at("i-crlf-bom.yaml"), format!("\u{feff}{}", GOOD.replace('\n', "\r\n"))).unwrap();
    fs::write(at("j-tabs.yaml"), GOOD.replace("os: {image: debian}", "os:\n\timage: debian")).unwrap();
    fs::write(at("k-twice.yaml"), format!("{GOOD}effect: destructive\n")).unwrap();
    fs::write(at("l-merge.yaml"), format!("<<<<<<< HEAD\n{GOOD}=======\n{GOOD}>>>>>>> theirs\n")).unwrap();
    fs::write(at("m-two.yaml"), format!("{GOOD}---\n{GOOD}")).unwrap();
    fs::write(at("n-control.yaml"), format!("{GOOD}owner: \"a\u{1b}[2Jb\"\n")).unwrap();
    fs::write(at("o-number.yaml"), GOOD.replace("{image: debian}", "{image: debian, version: 24.10}")).unwrap();
    fs::write(at("p-Name.yaml"), GOOD).unwrap();
    fs::write(at("good.yml"), GOOD).unwrap();
    fs::write(at(".hidden.yaml"), "[").unwrap();
    let library = Library::open(folder.path());
    let text = errors(&library, folder.path()).join("\n\n").replace(&outside.path().display().to_string(), "/outside");
    insta::assert_snapshot!(text);
    let names: Vec<_> = library.catalog().personas().map(|entry| entry.reference.name.to_string()).collect();
    assert_eq!(names, ["ac-within", "good", "i-crlf-bom"]);
}

#[test]
fn bombs_cost_little_time_and_memory() {
    let levels = (1..30).map(|n| format!("l{n}: &l{n} [{}]\n", vec![format!("*l{}", n - 1); 9].join(", ")));
    let laughs = format!("l0: &l0 [lol]\n{}", levels.collect::<String>());
    let text = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(900_000), vec!["*a"; 20_000].join(", "));
    let keys: String = (0..60_000).map(|n| format!("k{n}: {{}}\n")).collect();
    let lists = format!("a: [{}]\n", "[".repeat(500_000));
    let strays = format!("owner: |\n{}", "  \"[{'\n".repeat(100_000));
    let bombs = [laughs, text, "[".repeat(1 << 20), "{a: ".repeat(200_000), "- ".repeat(500_000), keys, lists, strays];
    for bomb in bombs {
        let folder = folder(&[("good.yaml", GOOD), ("bomb.yaml", &bomb)]);
        let library = Library::open(folder.path());
        assert_eq!(library.catalog().personas().count(), 1, "{}", &bomb[..60]);
        let told = errors(&library, folder.path());
        assert!(!told.is_empty() && told.iter().all(|problem| problem.len() < 1500), "{}", &bomb[..60]);
    }
}

/// The command itself, which may have a quarter of a gigabyte and twenty seconds of one processor and no more.
#[test]
fn a_library_of_bombs_is_checked_within_little_memory() {
    let quarter = 256 << 20;
    let laughs = (1..30).map(|n| format!("l{n}: &l{n} [{}]\n", vec![format!("*l{}", n - 1); 9].join(", ")));
    let laughs = format!("l0: &l0 [lol]\n{}", laughs.collect::<String>());
    let folder = folder(&[("good.yaml", GOOD), ("laughs.yaml", &laughs), ("deep.yaml", &"[".repeat(1 << 20))]);
    File::create(folder.path().join("large.yaml")).unwrap().set_len(quarter).unwrap();
    let check = |path: &str| {
        let mut limited = Command::new("prlimit");
        limited.arg(format!("--data={quarter}")).arg("--cpu=20").arg(env!("CARGO_BIN_EXE_greenroom"));
        limited.args(["persona", "check", path]).current_dir(folder.path()).output().unwrap()
    };
    let output = check(".");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}{}", String::from_utf8_lossy(&output.stderr));
    for (file, code) in [("laughs", "GR001"), ("deep", "GR001"), ("large", "GR001")] {
        let head = format!("error[{code}]");
        assert!(told.contains(&head) && told.contains(&format!("{file}.yaml")), "{file}: {told}");
    }
    assert!(told.ends_with("in 4 of 4 documents\n") || told.ends_with("in 3 of 4 documents\n"), "{told}");
}

#[test]
fn a_folder_of_the_library_that_leads_out_of_it_is_not_read() {
    let folder = folder(&[("good.yaml", &format!("{GOOD}extends: fragments/secret\n"))]);
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.yaml"), "apiVersion: greenroom/v1\nowner: SECRET\n").unwrap();
    fs::remove_dir(folder.path().join("fragments")).unwrap();
    symlink(outside.path(), folder.path().join("fragments")).unwrap();
    let library = Library::open(folder.path());
    assert_eq!(library.catalog().personas().count(), 0);
    let told = told(&library);
    assert!(told.contains("this leads out of the library") && !told.contains("SECRET"), "{told}");
}

#[test]
fn of_ten_thousand_mistakes_the_first_are_told() {
    let wrong = format!("{GOOD}apps: {{packages: [{}]}}\n", "A_, ".repeat(10_000));
    let unknown = format!("{GOOD}{}", (0..10_000).map(|n| format!("k{n}: 1\n")).collect::<String>());
    for text in [wrong, unknown] {
        let told = found(&text).len();
        assert!((1..=100).contains(&told), "{told}");
    }
}

#[test]
fn a_broken_fragment_holds_its_personas_where_they_were_and_is_told_once() {
    let with = |extends: &str| format!("{GOOD}extends: {extends}\n");
    let good = "apiVersion: greenroom/v1\napps: {packages: [git]}\n";
    let folder = folder(&[
        ("fragments/base.yaml", good),
        ("fragments/more.yaml", "apiVersion: greenroom/v1\nextends: fragments/base\n"),
        ("one.yaml", &with("fragments/base")),
        ("two.yaml", &with("fragments/more")),
        ("alone.yaml", GOOD),
    ]);
    let mut library = Library::open(folder.path());
    assert_eq!(errors(&library, folder.path()), <[String; 0]>::default());
    let before = versions(&library);
    let catalog = library.catalog().clone();

    for broken in ["apps: [", "apiVersion: greenroom/v1\napps: {pakages: [git]}\n", "apps: {packages: [git]}\n"] {
        fs::write(folder.path().join("fragments/base.yaml"), broken).unwrap();
        fs::write(folder.path().join("alone.yaml"), GOOD.replace("one", "new")).unwrap();
        assert!(library.refresh());
        assert_eq!(errors(&library, folder.path()).len(), 1, "{}", told(&library));
        assert!(errors(&library, folder.path())[0].contains("fragments/base.yaml"), "{}", told(&library));
        assert!(told(&library).contains("one and two stay as they were"), "{}", told(&library));
        assert_eq!(versions(&library)[1..], before[1..]);
        assert_ne!(versions(&library)[0], before[0], "what has nothing to do with it goes on");
    }

    fs::write(folder.path().join("fragments/base.yaml"), good).unwrap();
    fs::write(folder.path().join("alone.yaml"), GOOD).unwrap();
    assert!(library.refresh());
    assert_eq!((versions(&library), errors(&library, folder.path())), (before, vec![]));
    assert!(library.catalog().personas().eq(catalog.personas()));

    fs::write(folder.path().join("fragments/base.yaml"), good.replace("git", "tmux")).unwrap();
    assert!(library.refresh());
    let name: PersonaName = "two".parse().unwrap();
    assert_eq!(library.catalog().persona(&name).unwrap().persona.apps.packages.native, ["tmux"]);
}

#[test]
fn an_edit_of_the_same_length_at_the_same_moment_is_seen_when_the_library_is_read_again() {
    let folder = folder(&[("one.yaml", GOOD)]);
    let path = folder.path().join("one.yaml");
    let mut library = Library::open(folder.path());
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, GOOD.replace("one", "two")).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    library.reload();
    let name: PersonaName = "one".parse().unwrap();
    assert_eq!(library.catalog().persona(&name).unwrap().persona.description, "two");
}

#[test]
fn a_file_is_checked_with_what_it_extends() {
    let folder = folder(&[
        ("fragments/base.yaml", "apiVersion: greenroom/v1\napps:\n  packages: [Git]\n"),
        ("fragments/typo.yaml", "apiVersion: greenroom/v1\napps:\n  pakages: [git]\n"),
        ("one.yaml", &format!("{GOOD}extends: [fragments/base, fragments/bse]\n")),
        ("two.yaml", &format!("{GOOD}extends: fragments/base\n")),
        ("other.yaml", "["),
    ]);
    let check = |name: &str| {
        let (_, problems) = library::check(&folder.path().join(name));
        // What somebody should look at is not what is asked here.
        problems
            .iter()
            .filter(|p| p.is_error())
            .map(|p| format!("{} {}:{}", p.code, p.path.rsplit('/').next().unwrap(), p.line))
            .collect::<Vec<_>>()
    };
    assert_eq!(check("one.yaml"), ["GR060 one.yaml:5"]);
    assert_eq!(check("two.yaml"), ["GR020 base.yaml:3"]);
    assert_eq!(check("fragments/base.yaml"), <[String; 0]>::default(), "rules need the whole");
    assert_eq!(check("fragments/typo.yaml"), ["GR002 typo.yaml:3"]);
    let whole = check("");
    assert_eq!(
        whole.iter().filter(|problem| problem.contains("typo")).count(),
        1,
        "though nobody extends it: {whole:?}"
    );
    assert_eq!(whole.iter().filter(|problem| problem.contains("base")).count(), 1, "though two extend it: {whole:?}");
}

#[test]
fn the_composed_text_is_what_the_version_names_and_every_value_tells_its_file() {
    let folder = folder(&[
        (
            "fragments/base.yaml",
            "apiVersion: greenroom/v1\napps:\n  packages: [git]\n  files:\n    - {path: /etc/x, content: \"a\\n\\n\"}\n",
        ),
        (
            "one.yaml",
            &format!("{GOOD}extends: fragments/base\napps: {{packages: [tmux]}}\nraw: {{windows: \"x\\n\\n\\n\"}}\n"),
        ),
    ]);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        let output = command.args(["persona", "show", "one", "--library"]).arg(folder.path()).args(arguments).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let composed = run(&["--composed"]);
    let (first, text) = composed.split_once('\n').unwrap();
    let path = folder.path().join("composed");
    fs::write(&path, text).unwrap();
    let hash = Command::new("git").arg("hash-object").arg("--no-filters").arg(&path).output().unwrap();
    let hash = String::from_utf8(hash.stdout).unwrap();
    let library = Library::open(folder.path());
    let name: PersonaName = "one".parse().unwrap();
    assert_eq!(library.catalog().persona(&name).unwrap().reference.version.as_str(), hash.trim(), "{composed}");
    assert!(first.starts_with("# one@") && hash.starts_with(first.strip_prefix("# one@").unwrap()));
    insta::assert_snapshot!(run(&["--origin"]).lines().skip(1).collect::<Vec<_>>().join("\n"));
    assert_eq!(run(&[]).split_once('\n').unwrap().1, fs::read_to_string(folder.path().join("one.yaml")).unwrap());
}

/// Every problem that reading a text as a persona finds.
fn found(text: &str) -> Vec<Problem> {
    let read = Document::read("x.yaml", text.as_bytes().to_vec()).map_err(|problem| vec![problem]);
    match read.and_then(|document| Ok((document.parse::<Persona>()?, document))) {
        Ok((persona, document)) => validate(&persona, &document),
        Err(problems) => problems,
    }
}

/// The lines of a text, as YAML ends them.
fn lines(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).map(str::to_owned).collect()
}

fn places_are_within(text: &str) -> Result<(), TestCaseError> {
    let lines = lines(text);
    for problem in found(text).iter().filter(|problem| problem.line > 0) {
        prop_assert!(problem.line <= lines.len(), "{}", problem);
        prop_assert_eq!(&problem.snippet, &lines[problem.line - 1]);
        let length = problem.snippet.chars().count();
        prop_assert!((1..=length.max(1)).contains(&problem.column), "{}", problem);
        prop_assert!(problem.width >= 1 && problem.column - 1 + problem.width <= length.max(1), "{:?}", problem);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_problems_place_lies_within_any_text(text in "(a|\\PC|[\\[\\]{}:,&*!|>'\"%@`#?\\- \\n\\r\\t\u{85}\u{2028}\u{1b}]){0,80}") {
        places_are_within(&text)?;
    }

    #[test]
    fn a_problems_place_lies_within_any_change_to_a_sample(
        at in any::<prop::sample::Index>(),
        with in prop_oneof!["[\\PC\\n\\r\u{2028}]{0,3}", Just(": ".to_owned()), Just("\n  - 7\n".into()), Just("\nx: y\n".into()), Just("!replace ".into())],
    ) {
        let text = include_str!("../../personas/workstation-debian.yaml");
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let at = ends[at.index(ends.len())];
        places_are_within(&format!("{}{with}{}", &text[..at], &text[at..]))?;
    }
}
