//! Texts that machines read: how two of them differ, and what is left out of them for some. Their colours are made where they are
//! shown (`static/colour.js`), for what is being written and what was served alike.

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use crate::wire::mask::mask;

/// How many lines are shown around a change.
const AROUND: usize = 3;
/// How large a text is compared line by line.
const MOST: usize = 1 << 20;

/// A line of a difference: `add`, `cut`, `same`, or `gap` where lines are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    pub(super) class: &'static str,
    pub(super) text: String,
}

/// How two texts differ, line by line; nothing when they do not.
pub(super) fn diff(old: &str, new: &str) -> Vec<Row> {
    if old == new {
        return vec![];
    }
    if old.len().max(new.len()) > MOST {
        return vec![Row { class: "gap", text: "Both are too large to be compared here.".into() }];
    }
    let diff = TextDiff::from_lines(old, new);
    let mut rows = vec![];
    for group in diff.grouped_ops(AROUND) {
        if let (Some(first), Some(last)) = (group.first(), group.last()) {
            let (old, new) =
                (first.old_range().start..last.old_range().end, first.new_range().start..last.new_range().end);
            let place = |range: &std::ops::Range<usize>| format!("{},{}", range.start + 1, range.len());
            rows.push(Row { class: "gap", text: format!("@@ -{} +{} @@", place(&old), place(&new)) });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (class, sign) = match change.tag() {
                ChangeTag::Insert => ("add", '+'),
                ChangeTag::Delete => ("cut", '-'),
                ChangeTag::Equal => ("same", ' '),
            };
            let end = if change.missing_newline() { "  (without an end of line)" } else { "" };
            let text = change.value().trim_end_matches(['\n', '\r']);
            rows.push(Row { class, text: format!("{sign} {text}{end}") });
        }
    }
    rows
}

/// The text without what could be tried against passwords: whoever may not write personas need not try them.
pub(super) fn masked(text: &str) -> String {
    mask(text, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_says_what_came_and_went() {
        let rows = diff("a\nb\nc\n", "a\nx\nc");
        let told: Vec<String> = rows.iter().map(|row| format!("{} {}", row.class, row.text)).collect();
        assert_eq!(
            told,
            ["gap @@ -1,3 +1,3 @@", "same   a", "cut - b", "cut - c", "add + x", "add + c  (without an end of line)"]
        );
        assert_eq!(diff("a", "a"), []);
    }
}
