//! `greenroom persona check`.

use std::{collections::BTreeSet, path::PathBuf};

use crate::{document::Problem, library};

use super::{
    super::{Done, Failure, Global, out::coloured, say, say_json},
    sarif,
};

pub(super) const ABOUT: &str = "\
Check personas, manifests or whole libraries

With --json: an array of problems, each with severity, code, path, line and column (from 1; line 0 is the whole file), \
width (characters from the column on), snippet, message and help; about (which value, as a path) and fix (what would mend it), \
where there is one. `greenroom persona rules` lists the codes.

Exit codes: 0 no errors (with --strict: no warnings either); 1 problems; 2 nothing could be checked.";

pub(super) fn run(paths: Vec<PathBuf>, strict: bool, as_sarif: bool, global: &Global) -> Done {
    let paths = if paths.is_empty() { vec![global.config()?.library] } else { paths };
    if let Some(missing) = paths.iter().find(|path| !path.exists()) {
        return Err(Failure::Wrong(format!("there is no {}", missing.display())));
    }
    let mut count = 0;
    let mut problems = vec![];
    for path in &paths {
        let (documents, found) = library::check(path);
        count += documents;
        problems.extend(found);
    }
    // A file that was named twice, or by itself and with its folder, is told of once.
    problems.sort_by(|a, b| (&a.path, a.line, a.column, a.code).cmp(&(&b.path, b.line, b.column, b.code)));
    problems.dedup();
    let good = !problems.iter().any(|problem| strict || problem.is_error());
    match (as_sarif, global.json) {
        (true, _) => say_json(&sarif::log(&problems))?,
        (false, true) => say_json(&problems)?,
        (false, false) => say(&told(count, &problems)),
    }
    if good { Ok(()) } else { Err(Failure::Wanting) }
}

/// More warnings of one code than this are told by the first of them, and a line for each of the others.
const ALIKE: usize = 3;

/// Errors first, by file; then warnings; then how many.
fn told(count: usize, problems: &[Problem]) -> String {
    let documents = number(count, "document");
    if problems.is_empty() {
        return format!("{documents}, all good");
    }
    let (errors, warnings): (Vec<_>, Vec<_>) = problems.iter().partition(|problem| problem.is_error());
    let mut parts: Vec<String> = errors.iter().map(|problem| whole(problem, 31)).collect();
    let mut codes = BTreeSet::new();
    for warning in &warnings {
        let alike: Vec<_> = warnings.iter().filter(|other| other.code == warning.code).collect();
        if alike.len() <= ALIKE {
            parts.push(whole(warning, 33));
        } else if codes.insert(warning.code) {
            let lines: Vec<String> = alike[1..].iter().map(|problem| in_a_line(problem)).collect();
            let head = coloured(&format!("{} more warnings [{}], for the same reason:", lines.len(), warning.code), 33);
            parts.extend([whole(warning, 33), format!("{head}\n{}", lines.join("\n"))]);
        }
    }
    let files: BTreeSet<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    let counts = [(errors.len(), "error"), (warnings.len(), "warning")];
    let counts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| number(*n, what)).collect();
    parts.push(format!("{} in {} of {documents}", counts.join(" and "), files.len()));
    parts.join("\n\n")
}

/// A problem with its first line in colour.
fn whole(problem: &Problem, colour: u8) -> String {
    let text = problem.to_string();
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    format!("{}\n{rest}", coloured(first, colour))
}

fn in_a_line(problem: &Problem) -> String {
    let place = if problem.line > 0 { format!(":{}:{}", problem.line, problem.column) } else { String::new() };
    format!("  {}{place}: {}", problem.path, problem.message)
}

fn number(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
