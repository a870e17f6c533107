//! Flatcar and Windows: what their installers read, reviewed as goldens and held against tools that we did not write.
//!
//! `ignition-validate` is Debian's, of a version that knows 3.3.0; what we write is the same in both versions, and a schema
//! of our own holds it to 3.4.0. Nobody publishes a schema of answer files; ours is written from Microsoft's reference.
//! PowerShell is parsed by tree-sitter's grammar, which `make setup` puts into a virtual environment.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use greenroom::persona::{Persona, render::seed_files, schema::Target};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use serde_json::Value;

use super::{
    stage::{decoded, passes, persona, rendered, samples},
    wild,
};

const FLATCAR: &str = include_str!("sample/flatcar.yaml");
const FLATCAR_DISK: &str = include_str!("sample/flatcar-disk.yaml");
const WINDOWS: &str = include_str!("sample/windows.yaml");

/// Wild personas of a target, and the library's own.
fn wild_ones(target: Target, count: usize) -> Vec<Persona> {
    let mut runner = TestRunner::deterministic();
    let strategy = wild::persona(target);
    let mut personas: Vec<Persona> = (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    let library = samples();
    let own = library.catalog().personas().map(|entry| Persona::clone(&entry.persona));
    personas.extend(own.filter(|persona| persona.target() == target));
    assert!(personas.len() > count, "the library has one for {target}");
    personas
}

/// Runs a tool on files with these texts, all at once.
fn all_pass(program: &str, arguments: &[&str], name: &str, texts: &[String]) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..texts.len()).map(|at| folder.path().join(format!("{at}-{name}"))).collect();
    paths.iter().zip(texts).for_each(|(path, text)| fs::write(path, text).unwrap());
    let output = Command::new(program).args(arguments).args(&paths).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; `make setup` installs it"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(said),
        false => Err(format!("{said}{}", String::from_utf8_lossy(&output.stderr))),
    }
}

fn file_of_test(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/personas").join(name).display().to_string()
}

/// A config with the texts of its files in place of their data URLs.
fn opened(config: &str) -> String {
    let mut config: Value = serde_json::from_str(config).unwrap();
    for file in config["storage"]["files"].as_array_mut().unwrap() {
        let text = decoded(&file["contents"]["source"]);
        file["contents"] = text.lines().map(str::to_owned).collect::<Vec<_>>().into();
    }
    for unit in config["systemd"]["units"].as_array_mut().unwrap().iter_mut().filter(|it| it["contents"].is_string()) {
        unit["contents"] = unit["contents"].as_str().unwrap().lines().map(str::to_owned).collect::<Vec<_>>().into();
    }
    serde_json::to_string_pretty(&config).unwrap()
}

#[test]
fn flatcar_in_memory_as_ignition_reads_it() {
    insta::assert_snapshot!(opened(&rendered(&persona(FLATCAR), "flatcar", "config.ign")));
}

#[test]
fn flatcar_on_a_disk_as_ignition_reads_it() {
    let persona = persona(FLATCAR_DISK);
    let files = ["config.ign", "installed.ign"];
    let texts = files.map(|name| format!("==> {name}\n{}", opened(&rendered(&persona, "flatcar-disk", name))));
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn windows_as_setup_and_the_first_logon_read_it() {
    let persona = persona(WINDOWS);
    let files = ["unattend.xml", "firstboot.ps1"];
    let texts = files.map(|name| format!("==> {name}\n{}", rendered(&persona, "windows", name)));
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn every_config_is_what_ignition_takes() {
    let mut personas = vec![persona(FLATCAR), persona(FLATCAR_DISK)];
    personas.extend(wild_ones(Target::Ignition, 40));
    let texts = |persona: &Persona| seed_files(persona).iter().map(|name| rendered(persona, "x", name)).collect();
    let configs: Vec<String> = personas.iter().flat_map(|persona| -> Vec<String> { texts(persona) }).collect();
    let checker = file_of_test("check/ignition.py");
    let schema = file_of_test("schema/ignition-3.4.json");
    all_pass("/usr/bin/python3", &[&checker, &schema], "config.ign", &configs).unwrap();
    let unknown = r#"{"ignition": {"version": "3.4.0"}, "storage": {"filez": []}}"#.to_owned();
    assert!(all_pass("/usr/bin/python3", &[&checker, &schema], "config.ign", &[unknown]).is_err(), "it can say no");
    for config in &configs {
        passes("ignition-validate", &[], &config.replace("\"3.4.0\"", "\"3.3.0\"")).unwrap();
    }
    let twice = r#"{"ignition": {"version": "3.3.0"}, "passwd": {"users": [{"name": "a"}, {"name": "a"}]}}"#;
    assert!(passes("ignition-validate", &[], twice).is_err(), "it can say no");
}

#[test]
fn every_script_of_flatcar_is_one() {
    let mut personas = vec![persona(FLATCAR), persona(FLATCAR_DISK)];
    personas.extend(wild_ones(Target::Ignition, 20));
    let mut seen = 0;
    for persona in &personas {
        for name in seed_files(persona) {
            let config: Value = serde_json::from_str(&rendered(persona, "x", name)).unwrap();
            for file in config["storage"]["files"].as_array().unwrap() {
                let text = decoded(&file["contents"]["source"]);
                if let Some(rest) = text.strip_prefix("#!/bin/") {
                    let shell = rest.lines().next().unwrap();
                    passes(shell, &["-n"], &text).unwrap();
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > personas.len(), "{seen} scripts");
}

#[test]
fn every_answer_file_is_what_windows_setup_takes() {
    let mut personas = vec![persona(WINDOWS)];
    personas.extend(wild_ones(Target::Unattend, 40));
    let answers: Vec<String> = personas.iter().map(|persona| rendered(persona, "x", "unattend.xml")).collect();
    let schema = file_of_test("schema/unattend.xsd");
    let arguments = ["--nonet", "--noout", "--schema", &*schema];
    all_pass("xmllint", &arguments, "unattend.xml", &answers).unwrap();
    let wrong = answers[0].replace("<AcceptEula>true<", "<AcceptEula>perhaps<");
    assert!(all_pass("xmllint", &arguments, "unattend.xml", &[wrong]).is_err(), "it can say no");
}

#[test]
fn every_script_of_windows_is_powershell() {
    let mut personas = vec![persona(WINDOWS)];
    personas.extend(wild_ones(Target::Unattend, 40));
    let scripts: Vec<String> = personas.iter().map(|persona| rendered(persona, "x", "firstboot.ps1")).collect();
    let parsed = super::stage::powershell(&scripts);
    for (script, parsed) in scripts.iter().zip(&parsed) {
        assert_eq!(parsed["errors"], serde_json::json!([]), "{script}");
    }
    let broken = super::stage::powershell(&["Step 'x' { if ( }".to_owned()]);
    assert_ne!(broken[0]["errors"], serde_json::json!([]), "it can say no");
}
