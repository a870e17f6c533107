//! What an admin sees of an import: the documents, what is still to do, and what did not carry over.

use std::path::Path;

use serde_json::json;

use crate::import::{Fate, LeftBehind};

use super::{
    super::{Done, Global, out, say, say_json},
    Document, Missing, counted,
};

/// All there is to show.
pub(super) struct Report<'a> {
    pub(super) documents: Vec<Document>,
    pub(super) missing: Vec<&'a Missing>,
    pub(super) left_behind: &'a [LeftBehind],
    pub(super) kept: usize,
    pub(super) out: Option<&'a Path>,
}

pub(super) fn show(report: &Report<'_>, global: &Global) -> Done {
    if global.json {
        return say_json(&json!({
            "written": report.out,
            "documents": report.documents,
            "images_to_add": report.missing,
            "left_behind": report.left_behind,
        }));
    }
    let mut table = out::table(&["document", "from", "what"]);
    for Document { path, from, what, .. } in &report.documents {
        table.add_row([path.display().to_string(), from.clone(), what.clone()]);
    }
    out::say_table(&table, "nothing came over");
    if !report.missing.is_empty() {
        say("\nImages to add, for their files' digests are not known yet:");
        for Missing { why, command, .. } in &report.missing {
            say(&format!("  # {why}\n  {command}"));
        }
    }
    let groups = [
        (Fate::Unread, "Could not be read"),
        (Fate::Lost, "Did not carry over"),
        (Fate::Look, "Carried over, but look at it"),
        (Fate::Unneeded, "Not needed any more"),
    ];
    for (fate, title) in groups {
        let of_fate: Vec<&LeftBehind> = report.left_behind.iter().filter(|left| left.fate == fate).collect();
        if !of_fate.is_empty() {
            say(&format!("\n{title} ({}):", of_fate.len()));
            group(&of_fate);
        }
    }
    say(&format!("\n{}", last_words(report)));
    Ok(())
}

/// One paragraph for each reason, with all that it holds for.
fn group(of_fate: &[&LeftBehind]) {
    let mut reasons: Vec<(&str, &str)> = vec![];
    for left in of_fate {
        if !reasons.contains(&(&left.why, &left.help)) {
            reasons.push((&left.why, &left.help));
        }
    }
    for (why, help) in reasons {
        say(&format!("  {why}"));
        if !help.is_empty() {
            say(&format!("    help: {help}"));
        }
        for left in of_fate.iter().filter(|left| left.why == why && left.help == help) {
            let kept =
                left.kept.as_ref().map(|kept| format!(" (kept as left-behind/{})", kept.file)).unwrap_or_default();
            say(&format!("    {}  {}{kept}", left.place, left.what));
        }
    }
}

fn last_words(report: &Report<'_>) -> String {
    let count = counted(report.documents.len(), "document");
    match report.out {
        _ if report.documents.is_empty() => "There is nothing to write.".to_owned(),
        Some(out) => {
            let kept = if report.kept > 0 {
                format!(", and {} under left-behind", counted(report.kept, "text"))
            } else {
                String::new()
            };
            format!(
                "{count} written to {}{kept}, checked as `greenroom persona check` and `greenroom config check` do it.",
                out.display()
            )
        }
        None => format!("{count}, checked as Greenroom checks its own. Nothing was written: --out DIR writes them."),
    }
}
