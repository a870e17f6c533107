//! Plain values as they are written: bare where every reader of YAML takes them for what they are, in quotes otherwise.
//!
//! `no`, `on`, `1e3`, `0755`, `12:30`, `~` and dates are texts here and something else to one reader or another, so they get
//! quotes; so does what YAML itself would trip over: `*`, `: `, ` #`.

use super::{Content, span::Style};
use crate::document::yaml;

/// A plain value in one line. Texts are written as `like` was, if they can be. In `flow`, brackets and commas count too.
pub(super) fn line(value: &Content, flow: bool, like: Style) -> String {
    match value {
        Content::Null => "null".to_owned(),
        Content::Bool(value) => value.to_string(),
        Content::Unsigned(value) => value.to_string(),
        Content::Signed(value) => value.to_string(),
        Content::Float(value) => yaml::scalar(value),
        Content::Text(text) => self::text(text, flow, like),
        Content::List(_) => "[]".to_owned(),
        Content::Map(_) => "{}".to_owned(),
    }
}

/// A text in one line.
pub(super) fn text(text: &str, flow: bool, like: Style) -> String {
    let single = || format!("'{}'", text.replace('\'', "''"));
    match like {
        Style::Single if !needs_escapes(text) => single(),
        Style::Double => double(text),
        _ if is_plain(text, flow) => text.to_owned(),
        _ if !needs_escapes(text) && (text.contains(['"', '\\']) && !text.contains('\'')) => single(),
        _ => double(text),
    }
}

/// The lines of a `|` text below its header, without indentation; and the header. Nothing when the text cannot be written
/// so.
pub(super) fn literal(text: &str) -> Option<(String, Vec<&str>)> {
    let (body, chomping) = match text.strip_suffix('\n') {
        Some(body) => (body, ""),
        None => (text, "-"),
    };
    let strange = |c: char| c != '\n' && c != '\t' && needs_escape(c);
    // Blank lines at the end would need `|+`, which takes the blank lines behind it, too.
    if body.is_empty() || body.ends_with('\n') || text.contains(strange) {
        return None;
    }
    let lines: Vec<&str> = body.split('\n').collect();
    if lines.iter().all(|line| line.trim().is_empty()) || lines.last().is_some_and(|line| line.trim().is_empty()) {
        return None;
    }
    let first = lines.iter().find(|line| !line.is_empty())?;
    let indicator = if first.starts_with([' ', '\t']) { "2" } else { "" };
    Some((format!("|{indicator}{chomping}"), lines))
}

/// Whether a text may stand without quotes.
fn is_plain(text: &str, flow: bool) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return false };
    let second = chars.next();
    let begins = match first {
        '-' | '?' | ':' => !flow && second.is_some_and(|c| c != ' '),
        ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => false,
        _ => true,
    };
    begins
        && text.trim() == text
        && !needs_escapes(text)
        && !text.contains('\t')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !(flow && text.contains([',', '[', ']', '{', '}']))
        && !text.starts_with("---")
        && !text.starts_with("...")
        && yaml::is_bare_text(text)
}

fn needs_escapes(text: &str) -> bool {
    text.contains(needs_escape)
}

/// What quotes alone do not carry: line ends, and what YAML forbids or editors do not show.
fn needs_escape(c: char) -> bool {
    let forbidden = matches!(c, '\u{fffe}' | '\u{ffff}');
    (c.is_control() && c != '\t')
        || forbidden
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn double(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for c in text.chars() {
        match c {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            '\0' => written.push_str("\\0"),
            c if needs_escape(c) && (c as u32) < 0x100 => written.push_str(&format!("\\x{:02x}", c as u32)),
            c if needs_escape(c) => written.push_str(&format!("\\u{:04x}", c as u32)),
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_where_they_must_be_and_nowhere_else() {
        for bare in [
            "git",
            "-v",
            "10.0.0.1",
            "10.0.0.0/8",
            "a b",
            "http://x:80/y",
            "it's",
            "8080:80",
            "ws-{{mac}}",
            "~/x",
            "2001:db8::1",
            "de_DE.UTF-8",
        ] {
            assert_eq!(text(bare, false, Style::Plain), bare);
        }
        for quoted in [
            "",
            " a",
            "a ",
            "no",
            "On",
            "y",
            "1e3",
            "0755",
            "12:30",
            "52:54:00:00:00:01",
            "null",
            "~",
            "Null",
            "*a",
            "&a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "a: b",
            "a #b",
            "a:",
            "2024-01-01",
            "true",
            "1",
            "-1",
            "+1",
            "1.5",
            ".5",
            "0x1f",
            "0o17",
            ".inf",
            ".nan",
            "1_000",
            "- a",
            "? a",
            "---",
            "=",
            "<<",
            "#a",
            "[a",
            "{a",
            "a\tb",
            "-",
        ] {
            assert_eq!(text(quoted, false, Style::Plain), format!("\"{}\"", quoted.replace('\t', "\\t")), "{quoted}");
        }
        assert_eq!(text("a, b", true, Style::Plain), "\"a, b\"");
        assert_eq!(text("a, b", false, Style::Plain), "a, b");
        assert_eq!(text("\"a\"", false, Style::Plain), "'\"a\"'");
        assert_eq!(text("it's", true, Style::Single), "'it''s'");
        assert_eq!(text("a\u{85}\u{202e}\n", false, Style::Single), "\"a\\x85\\u202e\\n\"");
    }
}
