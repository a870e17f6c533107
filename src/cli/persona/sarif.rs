//! Problems as a SARIF 2.1.0 log (OASIS Static Analysis Results Interchange Format): what code review tools read.

use std::path::{Component, Path};

use serde_json::{Value, json};

use crate::{
    document::{Problem, Severity},
    persona::validate::rule::RULES,
};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The log of one check. Columns are counted in characters, as everywhere here.
pub(super) fn log(problems: &[Problem]) -> Value {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.code,
                "shortDescription": { "text": rule.holds },
                "help": { "text": format!("{} `greenroom persona check` says for each problem what to do.", rule.holds) },
                "defaultConfiguration": { "level": level(rule.severity) },
            })
        })
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "greenroom",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": problems.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn result(problem: &Problem) -> Value {
    let text = match &problem.help {
        Some(help) => format!("{}\nhelp: {help}", problem.message),
        None => problem.message.clone(),
    };
    let mut location = json!({ "artifactLocation": { "uri": uri(&problem.path) } });
    if problem.line > 0 {
        location["region"] = json!({
            "startLine": problem.line,
            "startColumn": problem.column,
            "endColumn": problem.column + problem.width.max(1),
            "snippet": { "text": problem.snippet },
        });
    }
    let mut result = json!({
        "ruleId": problem.code,
        "level": level(problem.severity),
        "message": { "text": text },
        "locations": [{ "physicalLocation": location }],
    });
    if let Some(at) = RULES.iter().position(|rule| rule.code == problem.code) {
        result["ruleIndex"] = json!(at);
    }
    result
}

/// The path as a URI: relative to where the command ran, when it lies there, since a repository is checked out anywhere.
fn uri(path: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let path = Path::new(path);
    let path = path.strip_prefix(&here).unwrap_or(path);
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(escaped(&name.to_string_lossy())),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    let joined = parts.collect::<Vec<_>>().join("/");
    if path.is_absolute() { format!("file:///{joined}") } else { joined }
}

/// A part of a path with everything escaped that RFC 3986 does not take as it is.
fn escaped(part: &str) -> String {
    let byte = |b: u8| match b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
        true => char::from(b).to_string(),
        false => format!("%{b:02X}"),
    };
    part.bytes().map(byte).collect()
}
