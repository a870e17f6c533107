//! Words that all pages share: when something was, how many there are, and a text as a part of an address.

use std::fmt::{self, Display};

use askama::filters::{Escaper, Html, HtmlSafe};
use serde::Serialize;

use crate::model::{Millis, Moment};

/// A point in time, as machines and as people read it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct When {
    /// RFC 3339.
    pub(super) at: String,
    /// How long ago, or in how long.
    pub(super) told: String,
}

impl When {
    pub(super) fn of(at: Moment, now: Moment) -> Self {
        Self { at: at.to_string(), told: if at > now { left(at, now) } else { ago(at, now) } }
    }
}

/// A moment as it is shown: UTC, as everything that the server says.
pub(super) fn clock(moment: impl Display) -> String {
    moment.to_string().trim_end_matches('Z').replace('T', " ")
}

/// A sentence that may name moments, as it is shown: each stands there as every moment does on pages, and what is between
/// backticks as code. The sentences of decisions, facts and problems are the same everywhere, and name moments for machines
/// (RFC 3339).
#[derive(Debug, Clone)]
pub(super) struct Prose(pub(super) String);

impl Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_str();
        while let Some((before, at, after)) = first_moment(rest) {
            with_code(f, before)?;
            write!(f, "<time datetime=\"{at}\">{}</time>", clock(at))?;
            rest = after;
        }
        with_code(f, rest)
    }
}

// What is not a moment was escaped, and a moment is digits, dashes and colons.
impl HtmlSafe for Prose {}

fn with_code(f: &mut fmt::Formatter<'_>, mut rest: &str) -> fmt::Result {
    while let Some((before, (code, after))) = rest.split_once('`').and_then(|(a, b)| Some((a, b.split_once('`')?))) {
        Html.write_escaped_str(&mut *f, before)?;
        f.write_str("<code>")?;
        Html.write_escaped_str(&mut *f, code)?;
        f.write_str("</code>")?;
        rest = after;
    }
    Html.write_escaped_str(&mut *f, rest)
}

/// The same where there is no room for more than text: a title that shows when one points there.
pub(super) fn clocked(text: &str) -> String {
    let (mut told, mut rest) = (String::new(), text);
    while let Some((before, at, after)) = first_moment(rest) {
        told += before;
        told += &clock(at);
        rest = after;
    }
    told + rest
}

/// What stands before the first moment of a text, the moment as it is written there, and the rest.
fn first_moment(text: &str) -> Option<(&str, &str, &str)> {
    const FORM: &[u8] = b"0000-00-00T00:00:00Z";
    let fits = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    let at = text.as_bytes().windows(FORM.len()).position(|part| part.iter().zip(FORM).all(fits))?;
    // All of it is ASCII, so it begins and ends between characters.
    let (before, rest) = text.split_at_checked(at)?;
    let (moment, after) = rest.split_at_checked(FORM.len())?;
    Some((before, moment, after))
}

/// How long ago something was.
pub(super) fn ago(then: Moment, now: Moment) -> String {
    span(now.since(then)).map_or_else(|| "just now".into(), |span| format!("{span} ago"))
}

/// In how long something will be.
pub(super) fn left(then: Moment, now: Moment) -> String {
    span(then.since(now)).map_or_else(|| "now".into(), |span| format!("in {span}"))
}

/// A span in the largest unit of which there are two, or one that reads well: nobody counts the seconds of last week. Nothing
/// when it is hardly any.
fn span(Millis(millis): Millis) -> Option<String> {
    const DAY: u64 = 86_400;
    Some(match millis / 1000 {
        0..10 => return None,
        seconds @ 10..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        // To the nearest: what was given 90 days just now has 90 days left.
        seconds => format!("{} days", (seconds + DAY / 2) / DAY),
    })
}

/// `1 device`, `300 devices`.
pub(super) fn count(count: usize, one: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {one}{s}", grouped(count))
}

/// A number as people read it: `100 000`, with blanks that do not break.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut told = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            told.push('\u{a0}');
        }
        told.push(digit);
    }
    told
}

/// A part of an address, made safe: what is in a query is what was typed.
pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use askama::Template;

    use super::*;

    #[test]
    fn moments_and_code_in_sentences_are_shown_as_such_and_all_is_escaped() {
        #[derive(Template)]
        #[template(source = "<p>{{ prose }}</p>", ext = "html")]
        struct Page {
            prose: Prose,
        }
        let said =
            "armed by <b>\u{fc}</b> on 2026-11-24T11:33:20Z, until 2026-12-01T08:00:00Z\u{fc} (not 2026-11-24T1)";
        let expected = "<p>armed by &#60;b&#62;\u{fc}&#60;/b&#62; on <time datetime=\"2026-11-24T11:33:20Z\">2026-11-24 \
                        11:33:20</time>, until <time datetime=\"2026-12-01T08:00:00Z\">2026-12-01 08:00:00</time>\u{fc} \
                        (not 2026-11-24T1)</p>";
        assert_eq!(Page { prose: Prose(said.into()) }.render().expect("a page"), expected);
        let code = Prose("`<i>` is off, and `so".into());
        assert_eq!(Page { prose: code }.render().expect("a page"), "<p><code>&#60;i&#62;</code> is off, and `so</p>");
        assert_eq!(clocked("<a> on 2026-11-24T11:33:20Z, \u{fc}"), "<a> on 2026-11-24 11:33:20, \u{fc}");
        assert_eq!((clocked(""), clocked("2026")), (String::new(), "2026".into()));
    }

    #[test]
    fn times_and_numbers_read_as_people_say_them() {
        let said = |seconds: u64| span(Millis(seconds * 1000)).unwrap_or_default();
        let all = [9, 10, 119, 120, 7199, 7200, 172_799, 172_800, 3 * 86_400 + 60, 90 * 86_400 - 2].map(said);
        assert_eq!(all, ["", "10 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 days", "3 days", "90 days"]);
        let at = |seconds: u64| Moment::from_millis(seconds * 1000);
        let told = |then, now| When::of(at(then), at(now)).told;
        assert_eq!([told(0, 9), told(0, 150), told(150, 0), told(3, 0)], ["just now", "2 min ago", "in 2 min", "now"]);
        assert_eq!((grouped(100_000).as_str(), count(1, "device").as_str()), ("100\u{a0}000", "1 device"));
    }
}
