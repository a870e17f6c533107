//! `greenroom persona check`.

use std::path::PathBuf;

use crate::library;

use super::super::{Done, Failure, Global, listed, say, say_json};

pub(super) fn run(path: Option<PathBuf>, global: &Global) -> Done {
    let path = match path {
        Some(path) => path,
        None => global.config()?.library,
    };
    if !path.exists() {
        return Err(format!("there is no {}", path.display()).into());
    }
    let (count, problems) = library::check(&path);
    let good = !problems.iter().any(|problem| problem.is_error());
    match (global.json, problems.is_empty()) {
        (true, _) => say_json(&problems)?,
        (false, true) => say(&format!("{count} documents, all good")),
        (false, false) => say(&format!("{}, {count} documents", listed(&problems))),
    }
    if good { Ok(()) } else { Err(Failure::Wanting) }
}
