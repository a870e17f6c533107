//! Words that all pages share: when something was, how many there are, and a text as a part of an address.

use std::fmt::Display;

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
    use super::*;

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
