//! What every test here uses: the samples, a device to render them for, and the formats' own tools.

use std::{fs, path::Path, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use greenroom::{
    document::{Document, Problem},
    library::Library,
    model::{BootId, PersonaName, secret::Secrets, site::Mirrors, smbios::Hardware},
    persona::{
        Persona,
        render::{Subject, seed_file},
        validate::validate,
    },
};

pub(crate) const MAC: &str = "52:54:00:77:00:02";

pub(crate) fn samples() -> Library {
    Library::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("personas"))
}

pub(crate) fn sample(name: &str) -> Persona {
    let name: PersonaName = name.parse().unwrap();
    Persona::clone(&samples().catalog().persona(&name).unwrap().persona)
}

pub(crate) fn rendered(persona: &Persona, name: &str, file: &str) -> String {
    let mirrors = Mirrors {
        debian: Some("http://10.77.0.1:8080/debian".into()),
        debian_security: Some("http://10.77.0.1:8080/debian-security".into()),
    };
    let subject = Subject {
        persona: name,
        mac: MAC.parse().unwrap(),
        hardware: &Hardware { serial: Some("SN 123/4".into()), ..Hardware::default() },
        boot: BootId::new(1),
        seed_url: "http://10.77.0.1/seed/0000000001/token/",
        report_url: "http://10.77.0.1/seed/0000000001/token/report",
        mirrors: &mirrors,
        secrets: &Secrets::masked(persona.secret_names()),
    };
    seed_file(persona, &subject, file).unwrap()
}

/// Runs a format's own tool on a text; what it complained of.
pub(crate) fn passes(program: &str, arguments: &[&str], text: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, text).unwrap();
    let output = Command::new(program).args(arguments).arg(&path).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; `make setup` installs it"));
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // cloud-init 22.4 complains on standard output and succeeds.
    let good = output.status.success() && !said.contains("Invalid") && !said.contains("rror:");
    if good { Ok(()) } else { Err(format!("{said}\n{text}")) }
}

pub(crate) fn yaml(text: &str) -> serde_json::Value {
    Document::read("rendered", text.as_bytes().to_vec()).unwrap().parse().unwrap()
}

/// A persona from what a person would write.
pub(crate) fn persona(text: &str) -> Persona {
    let document = Document::read("persona.yaml", text.as_bytes().to_vec()).unwrap();
    let persona: Persona = document.parse().unwrap_or_else(|problems| panic!("{problems:?}"));
    let problems = validate(&persona, &document);
    let errors: Vec<_> = problems.iter().filter(|problem| problem.is_error()).map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n\n"));
    persona
}

/// What is wrong with a persona of this text.
pub(crate) fn found(text: &str) -> Vec<Problem> {
    let read = Document::read("bad.yaml", text.as_bytes().to_vec()).map_err(|problem| vec![problem]);
    match read.and_then(|document| Ok((document.parse::<Persona>()?, document))) {
        Ok((persona, document)) => validate(&persona, &document),
        Err(problems) => problems,
    }
}

/// The same, as people see it.
pub(crate) fn problems(text: &str) -> String {
    found(text).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

/// The text of a `data:` URL.
pub(crate) fn decoded(url: &serde_json::Value) -> String {
    let encoded = url.as_str().unwrap().strip_prefix("data:;base64,").unwrap();
    String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
}

/// What tree-sitter's grammar makes of PowerShell scripts: for each, its `errors` and its `literals`.
pub(crate) fn powershell(scripts: &[String]) -> Vec<serde_json::Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let paths = (0..scripts.len()).map(|at| folder.path().join(format!("{at}.ps1"))).collect::<Vec<_>>();
    paths.iter().zip(scripts).for_each(|(path, script)| fs::write(path, script).unwrap());
    let python = root.join("target/validators/bin/python");
    let output = Command::new(&python).arg(root.join("tests/personas/check/powershell.py")).args(&paths).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}; `make setup` makes it", python.display()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
