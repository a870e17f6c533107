//! What each target makes of each field: found out by rendering, not written down.
//!
//! A field is probed by rendering a small persona with it and without it. What comes out of that is the table:
//!
//! ```text
//!   refused for this target ──────────────> refused, and why
//!   some seed file differs ───────────────> the names of those files
//!   a new problem of validation ──────────> its code
//!   one of the fields of the boot itself ─> boot
//!   one of the fields for people ─────────> library
//!   nothing of these ─────────────────────> nothing: a bug, and a test fails
//! ```

mod probe;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::{
    document::{Document, Problem, yaml},
    model::{BootId, MacAddr, secret::Secrets, site::Mirrors, smbios::Hardware},
};

use super::{
    Persona,
    render::{Subject, refuses, seed_file, seed_files},
    schema::{Target, fields},
    validate::validate,
};

/// Fields that say what is booted and on what, before anything reads a seed.
const OF_THE_BOOT: [&str; 8] = [
    "effect",
    "os.image",
    "os.distribution",
    "os.family",
    "os.version",
    "os.arch",
    "os.kernel_args",
    "resources.requires.memory",
];

/// Fields for people, and for the library that personas are kept in.
const OF_THE_LIBRARY: [&str; 6] = ["apiVersion", "description", "owner", "labels", "extends", "supersedes"];

/// What a target makes of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cell {
    /// These seed files say it.
    Renders(Vec<&'static str>),
    /// It decides the boot itself.
    Boot,
    /// People and the library read it.
    Library,
    /// Validation says why it cannot be.
    Refused(String),
    /// Validation points to it: this code.
    Told(&'static str),
    /// Nothing at all: it would be dropped silently.
    Nothing,
}

/// A field and what each target makes of it, in the order of [`Target::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The path of the field: `security.users[].name`.
    pub field: String,
    /// One cell for each target.
    pub cells: Vec<(Target, Cell)>,
}

/// The whole table: a row for each field that has no fields below it. The error names a field that there is no probe for.
pub fn table() -> Result<Vec<Row>, String> {
    let leaves = fields().into_iter().filter(|field| !field.is_group);
    let row = |field: String| {
        let cells = Target::ALL.into_iter().map(|target| Ok((target, cell(&field, target)?)));
        Ok(Row { cells: cells.collect::<Result<_, String>>()?, field })
    };
    leaves.map(|field| row(field.path)).collect()
}

fn cell(field: &str, target: Target) -> Result<Cell, String> {
    if OF_THE_LIBRARY.contains(&field) {
        return Ok(Cell::Library);
    }
    if OF_THE_BOOT[..4].contains(&field) {
        // They decide which target it is.
        return Ok(Cell::Boot);
    }
    let Some(probe) = probe::of(field, target) else { return Err(format!("no probe for {field}")) };
    let read = |document: &Value| -> Result<Persona, String> {
        serde_json::from_value(document.clone()).map_err(|error| format!("the probe for {field}, {target}: {error}"))
    };
    let (base, without, with) = (read(&probe::base(target))?, read(&probe.without)?, read(&probe.with)?);
    if with.target() != target {
        return Err(format!("the probe for {field} leaves {target}"));
    }
    let before = refuses(&base);
    let refused = refuses(&with).into_iter().find(|one| !before.contains(one) && concerns(&one.path, field));
    if let Some(refused) = refused {
        return Ok(Cell::Refused(refused.why));
    }
    let differs = |name: &&'static str| rendered(&without, name) != rendered(&with, name);
    let files: Vec<&'static str> = seed_files(&with).iter().copied().filter(differs).collect();
    Ok(match files.is_empty() {
        false => Cell::Renders(files),
        true => match new_problem(&without, &with, false).or_else(|| new_problem(&base, &with, true)) {
            Some(code) => Cell::Told(code),
            None if OF_THE_BOOT.contains(&field) => Cell::Boot,
            None => Cell::Nothing,
        },
    })
}

/// Whether a path of one document (`apps.files.0.mode`) is that field, below it or above it.
fn concerns(path: &str, field: &str) -> bool {
    let parts = |path: &str| -> Vec<String> {
        let path = path.replace("[]", "");
        let named = path.split('.').filter(|part| !part.bytes().all(|b| b.is_ascii_digit()) && !part.starts_with('<'));
        named.map(str::to_owned).collect()
    };
    let (path, field) = (parts(path), parts(field));
    path.iter().zip(&field).all(|(one, other)| one == other)
}

fn rendered(persona: &Persona, name: &str) -> Option<String> {
    let subject = Subject {
        persona: "probe",
        mac: MacAddr::new([0x52, 0x54, 0, 0x77, 0, 2]).ok()?,
        hardware: &Hardware::default(),
        boot: BootId::new(0),
        seed_url: "http://greenroom.example/seed/0/token/",
        report_url: "http://greenroom.example/seed/0/token/report",
        mirrors: &Mirrors::default(),
        secrets: &Secrets::masked(persona.secret_names()),
    };
    seed_file(persona, &subject, name)
}

/// The code of a problem that `with` has and `without` has not; of an error, if only those count: with an error, the whole
/// persona is not used.
fn new_problem(without: &Persona, with: &Persona, only_errors: bool) -> Option<&'static str> {
    let problems = |persona: &Persona| {
        let document = Document::read("probe", yaml::to_string(persona).into_bytes()).ok()?;
        Some(validate(persona, &document))
    };
    let known: BTreeSet<(&str, String)> =
        problems(without)?.into_iter().map(|problem| (problem.code, problem.message)).collect();
    let counts = |problem: &&Problem| problem.is_error() || !only_errors;
    problems(with)?.iter().filter(counts).find(|it| !known.contains(&(it.code, it.message.clone()))).map(|it| it.code)
}

/// The table as Markdown, with the reasons of its refusals below.
pub fn markdown(table: &[Row]) -> String {
    let mut text = String::from(
        "# What each target makes of each field\n\n\
         Printed by `greenroom persona coverage --markdown`, from the renderers themselves: each field is rendered with and\n\
         without, and a file that differs is named. `make coverage` writes this page; a test compares it.\n\n\
         `boot`: it decides what is booted, and on which device. `library`: for people, and for the library itself. A\n\
         number: it is refused for this target, for the reason with that number below. A code: validation points to it.\n\n",
    );
    let names: Vec<&str> = Target::ALL.iter().map(|target| target.name()).collect();
    text.push_str(&format!("| field | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len())));
    let mut reasons: Vec<&str> = vec![];
    for row in table {
        let mut cells = vec![];
        for (_, cell) in &row.cells {
            cells.push(match cell {
                Cell::Renders(files) => files.join(", "),
                Cell::Boot => "boot".into(),
                Cell::Library => "library".into(),
                Cell::Told(code) => (*code).into(),
                Cell::Nothing => "**nothing**".into(),
                Cell::Refused(why) => {
                    let at = reasons.iter().position(|known| known == why).unwrap_or_else(|| {
                        reasons.push(why);
                        reasons.len() - 1
                    });
                    format!("[{}](#refused)", at + 1)
                }
            });
        }
        text.push_str(&format!("| `{}` | {} |\n", row.field, cells.join(" | ")));
    }
    text.push_str("\n## Refused\n\n");
    reasons.iter().enumerate().for_each(|(at, why)| text.push_str(&format!("{}. {why}\n", at + 1)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_concerns_its_own_field_and_those_around_it() {
        assert!(concerns("apps.files.0.mode", "apps.files[].mode"));
        assert!(concerns("apps.snaps", "apps.snaps[].name"));
        assert!(concerns("resources.limits.services", "resources.limits.services.<name>.memory"));
        assert!(!concerns("apps.files.0.mode", "apps.files[].path"));
    }
}
