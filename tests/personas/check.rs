//! `greenroom persona check`, `rules` and `hook`, as people, review tools and git meet them.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

const GOOD: &str = "\
apiVersion: greenroom/v1
description: good
effect: ephemeral
os: {image: debian}
security:
  users:
    - name: ann
      ssh_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGreenroomSampleKeyReplaceThisWithYourOwnKey a@b]
";

const IMAGE: &str = "\
name: debian
arch: x64
distribution: debian
version: \"12\"
files:
  kernel:
    sha256: 0000000000000000000000000000000000000000000000000000000000000000
    origins: [\"https://a.example/vmlinuz\"]
";

/// A library of these documents.
fn library(documents: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("images")).unwrap();
    fs::write(folder.path().join("images/debian.yaml"), IMAGE).unwrap();
    for (name, text) in documents {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn greenroom(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.current_dir(folder).args(arguments).env_remove("GREENROOM_CONFIG").output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn with(more: &str) -> String {
    format!("{GOOD}{more}\n")
}

#[test]
fn errors_come_before_warnings_and_a_count_closes() {
    let both = with("network: {hostname: UP}\nowner: ''");
    let folder = library(&[("good.yaml", GOOD), ("both.yaml", &both), ("worse.yaml", "effect: [")]);
    let output = greenroom(folder.path(), &["persona", "check", "."]);
    assert_eq!(output.status.code(), Some(1));
    let told = out(&output);
    let heads: Vec<&str> =
        told.lines().filter(|line| line.starts_with("error[") || line.starts_with("warning[")).collect();
    assert_eq!(
        heads.iter().map(|head| &head[..head.find(']').unwrap()]).collect::<Vec<_>>(),
        ["error[GR040", "error[GR003", "warning[GR054"]
    );
    assert!(told.ends_with("2 errors and 1 warning in 2 of 4 documents\n"), "{told}");
    assert!(told.contains("9 | network: {hostname: UP}\n  |                     ^^"), "{told}");
}

#[test]
fn exit_codes_tell_good_from_bad_from_not_there() {
    let folder = library(&[("good.yaml", GOOD), ("warned.yaml", &with("owner: ''")), ("bad.yaml", &with("owner: 7"))]);
    let code =
        |arguments: &[&str]| greenroom(folder.path(), &[&["persona", "check"], arguments].concat()).status.code();
    assert_eq!(code(&["good.yaml"]), Some(0));
    assert_eq!(code(&["good.yaml", "warned.yaml", "images/debian.yaml"]), Some(0));
    assert_eq!(code(&["--strict", "good.yaml"]), Some(0));
    assert_eq!(code(&["--strict", "good.yaml", "warned.yaml"]), Some(1));
    assert_eq!(code(&["good.yaml", "bad.yaml"]), Some(1));
    assert_eq!(code(&["good.yaml", "gone.yaml"]), Some(2));
    assert_eq!(code(&["--json", "--sarif", "good.yaml"]), Some(2));
    let twice = greenroom(folder.path(), &["persona", "check", "bad.yaml", "bad.yaml"]);
    assert_eq!(out(&twice).matches("GR003").count(), 1, "told once");
}

#[test]
fn json_is_one_array_whatever_there_is() {
    let folder = library(&[("warned.yaml", &with("owner: ''"))]);
    let read = |path: &str| -> Value {
        serde_json::from_str(&out(&greenroom(folder.path(), &["--json", "persona", "check", path]))).unwrap()
    };
    assert_eq!(read("images/debian.yaml"), serde_json::json!([]));
    let problems = read("warned.yaml");
    let problem = &problems[0];
    assert_eq!(problem["code"], "GR054");
    assert_eq!(problem["severity"], "warning");
    assert_eq!(problem["path"], "warned.yaml");
    assert_eq!((&problem["line"], &problem["column"]), (&9.into(), &8.into()));
    assert!(problem["help"].is_string() && problem["message"].is_string() && problem["snippet"] == "owner: ''");
    let help = out(&greenroom(folder.path(), &["persona", "check", "--help"]));
    for field in problem.as_object().unwrap().keys() {
        assert!(help.contains(field), "{field} is documented");
    }
}

#[test]
fn every_rule_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let rules: Value = serde_json::from_str(&out(&greenroom(folder.path(), &["--json", "persona", "rules"]))).unwrap();
    let table = out(&greenroom(folder.path(), &["persona", "rules"]));
    assert!(rules.as_array().unwrap().len() >= 100);
    for rule in rules.as_array().unwrap() {
        let line = table.lines().find(|line| line.starts_with(rule["code"].as_str().unwrap())).unwrap();
        assert!(line.contains(rule["severity"].as_str().unwrap()) && line.contains(rule["holds"].as_str().unwrap()));
    }
}

/// What SARIF 2.1.0 requires of the parts that we write (section numbers of the OASIS standard).
fn follows_sarif(log: &Value) -> Result<(), String> {
    let want = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("{what}: {log:#}")) };
    want(log["version"] == "2.1.0", "3.13.2 version")?;
    want(log["$schema"].as_str().is_some_and(|uri| uri.starts_with("https://")), "3.13.3 $schema is an absolute URI")?;
    let runs = log["runs"].as_array().ok_or("3.13.4 runs")?;
    want(runs.len() == 1, "one run")?;
    let driver = &runs[0]["tool"]["driver"];
    want(driver["name"].as_str().is_some_and(|name| !name.is_empty()), "3.19.8 the driver has a name")?;
    let version: Vec<_> = driver["semanticVersion"].as_str().unwrap_or_default().split('.').collect();
    want(version.len() == 3 && version.iter().all(|part| part.parse::<u32>().is_ok()), "3.19.12 semanticVersion")?;
    let kind = runs[0]["columnKind"].as_str();
    want(matches!(kind, Some("utf16CodeUnits" | "unicodeCodePoints")), "3.14.17 columnKind")?;
    let rules = driver["rules"].as_array().ok_or("3.19.23 rules")?;
    let level = |value: &Value| matches!(value.as_str(), Some("none" | "note" | "warning" | "error"));
    let mut ids = std::collections::BTreeSet::new();
    for rule in rules {
        want(rule["id"].as_str().is_some_and(|id| ids.insert(id.to_owned())), "3.49.3 id, unique")?;
        want(rule["shortDescription"]["text"].is_string(), "3.49.9, 3.12.3 a message has a text")?;
        want(rule["help"]["text"].is_string(), "3.49.13 help has a text")?;
        want(level(&rule["defaultConfiguration"]["level"]), "3.50.3 level")?;
    }
    for result in runs[0]["results"].as_array().ok_or("3.14.23 results")? {
        want(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()), "3.27.11 message")?;
        want(level(&result["level"]), "3.27.10 level")?;
        let index = result["ruleIndex"].as_u64().ok_or("3.27.6 ruleIndex")? as usize;
        want(rules[index]["id"] == result["ruleId"], "3.27.6 ruleIndex is of ruleId")?;
        for location in result["locations"].as_array().ok_or("3.27.12 locations")? {
            let place = &location["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().ok_or("3.29.3, 3.4.3 uri")?;
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/%:".contains(&b);
            want(!uri.is_empty() && uri.bytes().all(plain), "3.4.3 uri is a URI reference")?;
            if let Some(region) = place.get("region") {
                let number = |field: &str| region[field].as_u64().filter(|number| *number >= 1);
                want(number("startLine").is_some(), "3.30.5 startLine counts from 1")?;
                want(
                    number("startColumn") < number("endColumn"),
                    "3.30.6 and 8: columns count from 1, the end is behind",
                )?;
                want(region["snippet"]["text"].is_string(), "3.30.13 snippet")?;
            }
        }
    }
    Ok(())
}

#[test]
fn sarif_is_as_its_standard_says() {
    let folder = library(&[("a b ü.yaml", GOOD), ("bad.yaml", &with("network: {hostname: UP}\nowner: ''"))]);
    let log = |path: &str| -> Value {
        serde_json::from_str(&out(&greenroom(folder.path(), &["persona", "check", "--sarif", path]))).unwrap()
    };
    let found = log(".");
    follows_sarif(&found).unwrap();
    let results = found["runs"][0]["results"].as_array().unwrap();
    let seen: Vec<_> = results
        .iter()
        .map(|result| {
            let place = &result["locations"][0]["physicalLocation"];
            (
                result["ruleId"].as_str().unwrap(),
                place["artifactLocation"]["uri"].as_str().unwrap(),
                &place["region"]["startLine"],
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("GR008", "a%20b%20%C3%BC.yaml", &Value::Null),
            ("GR040", "bad.yaml", &9.into()),
            ("GR054", "bad.yaml", &10.into())
        ]
    );
    follows_sarif(&log("images/debian.yaml")).unwrap();
    let absolute = folder.path().canonicalize().unwrap().join("bad.yaml");
    let elsewhere = greenroom(Path::new("/"), &["persona", "check", "--sarif", absolute.to_str().unwrap()]);
    assert!(out(&elsewhere).contains("\"uri\": \"tmp/") || out(&elsewhere).contains("\"uri\": \"file:///"));

    // The check can fail.
    for (pointer, with) in [
        ("/version", "2.0.0".into()),
        ("/runs/0/tool/driver/name", "".into()),
        ("/runs/0/results/0/message/text", "".into()),
        ("/runs/0/results/0/level", "fatal".into()),
        ("/runs/0/results/1/ruleIndex", 0.into()),
        ("/runs/0/results/1/locations/0/physicalLocation/region/startLine", 0.into()),
    ] {
        let mut broken = found.clone();
        *broken.pointer_mut(pointer).unwrap() = with;
        assert!(follows_sarif(&broken).is_err(), "{pointer}");
    }
}

#[test]
fn a_persona_does_not_contradict_its_image_or_its_siblings() {
    let of = |os: &str, more: &str| with(more).replace("os: {image: debian}", &format!("os: {{image: debian, {os}}}"));
    let arm = of("arch: [arm64]", "");
    let ubuntu = of("distribution: ubuntu", "");
    let newer = of("version: '13'", "");
    let point = of("version: '12.5', arch: [x64, arm64]", "");
    let itself = with("supersedes: [itself]");
    let early = with("supersedes: [point]");
    let (first, second) = (with("supersedes: [old]"), with("supersedes: [old]"));
    let documents = [
        ("arm.yaml", &*arm),
        ("ubuntu.yaml", &*ubuntu),
        ("newer.yaml", &*newer),
        ("point.yaml", &*point),
        ("itself.yaml", &*itself),
        ("early.yaml", &*early),
        ("first.yaml", &*first),
        ("second.yaml", &*second),
    ];
    let folder = library(&documents);
    let (count, problems) = greenroom::library::check(folder.path());
    let told: Vec<_> = problems
        .iter()
        .map(|problem| (problem.code, problem.path.rsplit('/').next().unwrap(), problem.is_error()))
        .collect();
    assert_eq!(count, 9);
    let expected = [
        ("GR250", "arm.yaml", true),
        ("GR253", "itself.yaml", true),
        ("GR252", "newer.yaml", true),
        ("GR251", "ubuntu.yaml", true),
        ("GR193", "first.yaml", true),
        ("GR195", "early.yaml", false),
    ];
    assert_eq!(told, expected, "{problems:#?}");
    let library = greenroom::library::Library::open(folder.path());
    let good: Vec<_> = library.catalog().personas().map(|entry| entry.reference.name.to_string()).collect();
    assert_eq!(good, ["early", "first", "point", "second"], "what contradicts another document is not served");
}

#[test]
fn warnings_do_not_keep_a_persona_from_being_served() {
    let folder = library(&[("warned.yaml", &with("owner: ''"))]);
    let library = greenroom::library::Library::open(folder.path());
    assert_eq!(library.catalog().personas().count(), 1);
    assert_eq!(library.problems().iter().map(|problem| problem.code).collect::<Vec<_>>(), ["GR054"]);
}

/// Runs git without anybody's configuration.
fn git(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("git");
    command.current_dir(folder).args(arguments).env("GREENROOM", env!("CARGO_BIN_EXE_greenroom"));
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for (name, value) in [("NAME", "ann"), ("EMAIL", "ann@example.org")] {
        command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    command.output().unwrap()
}

fn commits(folder: &Path) -> usize {
    out(&git(folder, &["log", "--oneline"])).lines().count()
}

#[test]
fn the_hook_checks_what_is_staged_and_nothing_else() {
    let bad = with("network: {hostname: UP}");
    let folder = library(&[("good.yaml", GOOD), ("it's mine.txt", "x")]);
    let path = folder.path();
    assert!(git(path, &["init", "-q"]).status.success());
    let installed = greenroom(path, &["persona", "hook", "--install", "."]);
    assert!(installed.status.success(), "{installed:?}");

    git(path, &["add", "-A"]);
    let first = git(path, &["commit", "-qm", "first"]);
    assert!(first.status.success(), "{first:?}");

    // A bad persona that is staged is refused, whatever the work tree has by then.
    fs::write(path.join("good.yaml"), &bad).unwrap();
    git(path, &["add", "good.yaml"]);
    fs::write(path.join("good.yaml"), GOOD).unwrap();
    let refused = git(path, &["commit", "-qm", "bad"]);
    let said = format!("{}{}", out(&refused), String::from_utf8_lossy(&refused.stderr));
    assert!(!refused.status.success() && said.contains("GR040") && said.contains("./good.yaml:9:21"), "{said}");
    assert_eq!(commits(path), 1);

    // A bad edit that is not staged does not matter.
    git(path, &["add", "good.yaml"]);
    fs::write(path.join("good.yaml"), &bad).unwrap();
    fs::write(path.join("new.yaml"), GOOD.replace("good", "new")).unwrap();
    git(path, &["add", "new.yaml"]);
    let second = git(path, &["commit", "-qm", "second"]);
    assert!(second.status.success(), "{second:?}");
    assert_eq!(commits(path), 2);

    // `git commit FILE` has an index of its own: it is the one that is checked.
    let partly = git(path, &["commit", "-qm", "partly", "good.yaml"]);
    assert!(!partly.status.success());
    assert!(git(path, &["commit", "-qnm", "passed by", "good.yaml"]).status.success(), "--no-verify");
}

#[test]
fn the_hook_looks_at_a_library_inside_a_larger_repository() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let name = "per$ona's";
    let library = path.join(name);
    fs::create_dir(&library).unwrap();
    assert!(git(path, &["init", "-q"]).status.success());
    fs::write(library.join("bad.yaml"), "effect: [").unwrap();
    fs::write(path.join("other.yaml"), "not: [a persona").unwrap();
    assert!(greenroom(path, &["persona", "hook", "--install", name]).status.success());
    git(path, &["add", "other.yaml"]);
    assert!(git(path, &["commit", "-qm", "other"]).status.success(), "nothing of the library is staged");
    git(path, &["add", "-A"]);
    assert!(!git(path, &["commit", "-qm", "bad"]).status.success());
    fs::write(library.join("bad.yaml"), GOOD).unwrap();
    git(path, &["add", "-A"]);
    assert!(git(path, &["commit", "-qm", "good"]).status.success());
    git(path, &["rm", "-rq", name]);
    assert!(git(path, &["commit", "-qm", "all gone"]).status.success());
}

#[test]
fn a_hook_that_is_there_stays_unless_it_is_forced_away() {
    let folder = library(&[]);
    let path = folder.path();
    let hook = path.join(".git/hooks/pre-commit");
    assert_eq!(greenroom(path, &["persona", "hook", "--install", "."]).status.code(), Some(1), "no git work tree");
    assert!(git(path, &["init", "-q"]).status.success());
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\nexit 0\n").unwrap();
    let refused = greenroom(path, &["persona", "hook", "--install", "."]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--force"));
    assert_eq!(fs::read_to_string(&hook).unwrap(), "#!/bin/sh\nexit 0\n");
    assert!(greenroom(path, &["persona", "hook", "--install", ".", "--force"]).status.success());
    assert!(greenroom(path, &["persona", "hook", "--install", "."]).status.success(), "the same again changes nothing");
    let printed = out(&greenroom(path, &["persona", "hook"]));
    assert_eq!(fs::read_to_string(&hook).unwrap(), printed, "what is installed is what is printed");
    let mut shell = Command::new("sh");
    assert!(shell.arg("-n").arg(&hook).status().unwrap().success());
}

#[test]
fn a_folder_of_manifests_or_of_fragments_is_read_as_that() {
    let folder = library(&[]);
    fs::create_dir(folder.path().join("fragments")).unwrap();
    fs::write(folder.path().join("fragments/plain.yaml"), "apiVersion: greenroom/v1\n").unwrap();
    for (path, told) in [
        ("images", "1 document, all good\n"),
        ("images/", "1 document, all good\n"),
        ("fragments", "1 document, all good\n"),
    ] {
        assert_eq!(out(&greenroom(folder.path(), &["persona", "check", path])), told, "{path}");
    }
    fs::write(folder.path().join("images/other.yaml"), IMAGE.replace("kernel:", "initrd:")).unwrap();
    let told = out(&greenroom(folder.path(), &["persona", "check", "images"]));
    assert!(
        told.contains("error[GR015]: an image needs a kernel") && told.ends_with("in 1 of 2 documents\n"),
        "{told}"
    );
    let inside = out(&greenroom(&folder.path().join("images"), &["persona", "check", "."]));
    assert!(inside.contains("error[GR015]"), "{inside}");
}

#[test]
fn what_extends_nothing_has_nothing_to_replace() {
    let folder = library(&[]);
    fs::write(folder.path().join("images/debian.yaml"), format!("{IMAGE}args: !replace [quiet]\n")).unwrap();
    let told = out(&greenroom(folder.path(), &["persona", "check", "images/debian.yaml"]));
    assert!(told.contains("error[GR064]: `!replace` replaces nothing here"), "{told}");
    assert!(told.contains("debian.yaml:9:1\n") && told.contains("help: remove the tag"), "{told}");
    fs::write(folder.path().join("greenroom.yaml"), "boot:\n  rules: !replace []\nlibary: x\n").unwrap();
    let shown = greenroom(folder.path(), &["config", "check", "--config", "greenroom.yaml"]);
    let told = format!("{}{}", out(&shown), String::from_utf8_lossy(&shown.stderr));
    assert!(told.contains("greenroom.yaml:2:3\n") && told.contains("replaces nothing here"), "{told}");
    assert!(told.contains("`libary` is not known here"), "all at once: {told}");
}

#[test]
fn many_warnings_alike_are_a_line_each() {
    let mut folder = library(&[]);
    let told = |folder: &Path| out(&greenroom(folder, &["persona", "check", "."]));
    for n in 1..=5 {
        fs::write(folder.path().join(format!("p{n}.yaml")), GOOD.replace("debian}", "gone}")).unwrap();
    }
    let text = told(folder.path());
    assert_eq!(text.matches("help: run `greenroom image add gone").count(), 1, "{text}");
    let rest = text.split_once("\n4 more warnings [GR007], for the same reason:\n").unwrap().1;
    let places: Vec<&str> = rest.lines().take(4).map(|line| line.split(": ").next().unwrap().trim()).collect();
    assert_eq!(places, ["./p2.yaml:4:13", "./p3.yaml:4:13", "./p4.yaml:4:13", "./p5.yaml:4:13"]);
    assert!(text.ends_with("5 warnings in 5 of 6 documents\n"), "{text}");
    folder = library(&[("p1.yaml", &GOOD.replace("debian}", "gone}")), ("p2.yaml", &GOOD.replace("debian}", "gone}"))]);
    assert_eq!(told(folder.path()).matches("help: run").count(), 2, "a few are told whole");
}
