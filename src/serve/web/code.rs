//! Text with colours: YAML, and differences between two texts. The sheet has the colours (`.code`, `.diff`).
//!
//! What is shown may hold prints of passwords; whoever may not write personas need not try them: [`masked`].

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

/// How many lines are shown around a change.
const AROUND: usize = 3;
/// How large a text is coloured, and compared line by line.
const MOST: usize = 1 << 20;

/// A piece of a line, and its class in the sheet: `k`ey, `s`tring, `n`umber, `c`omment, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Span {
    pub(super) class: &'static str,
    pub(super) text: String,
}

/// A line of YAML.
pub(super) type Coloured = Vec<Span>;

/// The lines of a YAML text. It need not be good: what is not understood has no colour.
pub(super) fn yaml(text: &str) -> Vec<Coloured> {
    if text.len() > MOST {
        return text.lines().map(|line| vec![span("", line)]).collect();
    }
    let mut block: Option<usize> = None;
    let line = |line: &str| {
        let indent = line.len() - line.trim_start().len();
        match block {
            Some(_) if line.trim().is_empty() => return vec![span("", line)],
            Some(of) if indent > of => return vec![span("s", line)],
            _ => block = None,
        }
        let spans = coloured(line);
        let code: String = spans.iter().filter(|span| span.class != "c").map(|span| span.text.as_str()).collect();
        let last = code.trim_end().rsplit([' ', '\t']).next().unwrap_or_default();
        if matches!(last.trim_end_matches(['+', '-', '1', '2', '4', '8']), "|" | ">") {
            block = Some(indent);
        }
        spans
    };
    text.lines().map(line).collect()
}

fn span(class: &'static str, text: &str) -> Span {
    Span { class, text: text.to_owned() }
}

/// One line that is in no block of text.
fn coloured(line: &str) -> Coloured {
    let mut spans: Coloured = vec![];
    let mut rest = line;
    // How deep in brackets: only there do they end a word.
    let mut depth = 0usize;
    while let Some(first) = rest.chars().next() {
        let before = spans.last().map_or("", |span| span.text.as_str());
        let apart = before.is_empty() || before.ends_with([' ', '\t']);
        let (class, length) = match first {
            ' ' | '\t' => ("", rest.len() - rest.trim_start_matches([' ', '\t']).len()),
            '#' if apart => ("c", rest.len()),
            '"' | '\'' => ("s", quoted(rest, first)),
            '{' | '[' => {
                depth += 1;
                ("", 1)
            }
            '}' | ']' | ',' if depth > 0 => {
                depth -= usize::from(first != ',');
                ("", 1)
            }
            '-' | '?' | ':' if rest[1..].starts_with([' ', '\t']) || rest.len() == 1 => ("", 1),
            _ => word(rest, depth > 0),
        };
        let piece = &rest[..length];
        rest = &rest[length..];
        // What stands before a colon is a key, quoted or not.
        let is_key = class == "s" && (rest == ":" || rest.starts_with(": "));
        spans.push(span(if is_key { "k" } else { class }, piece));
    }
    spans
}

/// How long a quoted text at the beginning of `rest` is; one that does not end here goes to the end.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A plain word: to the end of what it can be a part of.
fn word(rest: &str, flows: bool) -> (&'static str, usize) {
    let mut end = rest.len();
    for (at, c) in rest.char_indices().skip(1) {
        let tail = &rest[at..];
        let over = match c {
            ':' => {
                tail.len() == 1 || tail[1..].starts_with([' ', '\t']) || (flows && tail[1..].starts_with(['}', ',']))
            }
            ',' | '}' | ']' => flows,
            // A tag, an anchor or an alias is one word.
            ' ' => tail.trim_start().starts_with('#') || rest.starts_with(['!', '&', '*']),
            _ => false,
        };
        if over {
            end = at;
            break;
        }
    }
    let word = &rest[..end];
    let is_word =
        matches!(word, "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "~") || word.parse::<f64>().is_ok();
    let class = match word.chars().next() {
        Some('!' | '&' | '*') => "n",
        Some('|' | '>') if word.len() <= 3 => "",
        _ if is_word => "n",
        _ => "s",
    };
    (class, end)
}

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

/// The text without what could be tried against passwords: in prints as `crypt(5)` writes them, only the kind is left.
pub(super) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        shown.push_str(before);
        let kind = from[1..].find('$').map(|end| &from[..end + 2]).filter(|kind| is_kind(kind));
        match kind {
            Some(kind) => {
                let tail = &from[kind.len()..];
                let is_print = |c: char| c.is_ascii_alphanumeric() || "./$=,+-".contains(c);
                let end = tail.find(|c| !is_print(c)).unwrap_or(tail.len());
                shown.push_str(kind);
                // Anything shorter is a variable of some script.
                shown.push_str(if end >= 13 { "…" } else { &tail[..end] });
                rest = &tail[end..];
            }
            None => {
                shown.push('$');
                rest = &from[1..];
            }
        }
    }
    shown.push_str(rest);
    shown
}

/// `$6$`, `$y$`, `$2b$`, `$argon2id$`.
fn is_kind(kind: &str) -> bool {
    let word = kind.trim_matches('$');
    (1..=16).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let line = |spans: &Coloured| {
            let span = |span: &Span| {
                if span.class.is_empty() { span.text.clone() } else { format!("<{} {}>", span.class, span.text) }
            };
            spans.iter().map(span).collect::<String>()
        };
        yaml(text).iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn keys_texts_numbers_and_comments_have_their_colours_and_no_byte_is_lost() {
        let text = "# why\nlabels: {room: foyer, tier: \"a#b\"} # end\napps:\n  - path: /etc/motd\n    content: |\n      # text: 1\n\n      more\n    mode: 0644\nurl: http://x/#y\nodd: 'it''s'\nhost: kiosk-{{mac}}\nx: !replace [1, true, käse]\n";
        let shown = "<c # why>\n<k labels>: {<k room>: <s foyer>, <k tier>: <s \"a#b\">} <c # end>\n<k apps>:\n  - <k path>: <s /etc/motd>\n    <k content>: |\n<s       # text: 1>\n\n<s       more>\n    <k mode>: <n 0644>\n<k url>: <s http://x/#y>\n<k odd>: <s 'it'><s 's'>\n<k host>: <s kiosk-{{mac}}>\n<k x>: <n !replace> [<n 1>, <n true>, <s käse>]";
        assert_eq!(told(text), shown);
        for text in [text, "a: [", ": ", "'", "\"\\", "-", "- - x", "{a:}", "\u{feff}x: \"ä", "|"] {
            let whole: Vec<String> =
                yaml(text).iter().map(|line| line.iter().map(|span| span.text.as_str()).collect()).collect();
            assert_eq!(whole, text.lines().collect::<Vec<_>>());
        }
    }

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

    #[test]
    fn prints_of_passwords_are_masked_and_nothing_else_is() {
        let text = "{name: ann, password_hash: \"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7\"} ok";
        assert_eq!(masked(text), "{name: ann, password_hash: \"$y$…\"} ok");
        assert_eq!(masked("$6$saltsalt$aaaaaaaaaaaaaaaa"), "$6$…");
        for plain in ["echo $HOME $1 $a$b", "costs 5$", "$", "$$", "${x}"] {
            assert_eq!(masked(plain), plain);
        }
    }
}
