//! Words that the pages of devices and people share.

use serde::Serialize;

use crate::model::{Device, Millis, Moment};

/// A point in time, as machines and as people read it.
#[derive(Debug, Clone, Serialize)]
pub(in crate::serve::web) struct When {
    /// RFC 3339.
    pub(in crate::serve::web) at: String,
    /// How long ago, or in how long.
    pub(in crate::serve::web) told: String,
}

impl When {
    pub(in crate::serve::web) fn of(at: Moment, now: Moment) -> Self {
        let told = match at > now {
            true => format!("in {}", span(at.since(now))),
            false => ago(now.since(at)),
        };
        Self { at: at.to_string(), told }
    }
}

/// How long ago something was.
fn ago(past: Millis) -> String {
    match past.0 {
        ms if ms < 10_000 => "just now".into(),
        _ => format!("{} ago", span(past)),
    }
}

/// A span of time in one unit: nobody counts the seconds of last week.
fn span(span: Millis) -> String {
    let (minute, hour, day) = (60_000, 3_600_000, 86_400_000);
    match span.0 {
        ms if ms < minute => format!("{} s", ms / 1000),
        ms if ms < hour => format!("{} min", ms / minute),
        ms if ms < 2 * day => format!("{} h", ms / hour),
        ms => format!("{} days", ms / day),
    }
}

/// `1 device`, `300 devices`.
pub(in crate::serve::web) fn count(count: usize, one: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {one}{s}", grouped(count))
}

/// A number as people read it: `100 000`, with blanks that do not break.
pub(in crate::serve::web) fn grouped(number: usize) -> String {
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

/// What a device is, as it reported itself.
pub(super) fn hardware(device: &Device) -> String {
    let hardware = &device.hardware;
    let arch = device.arch.map(|arch| arch.to_string());
    let parts = [hardware.manufacturer.clone(), hardware.product.clone(), arch];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// A part of an address, made safe: what is in a query is what was typed.
pub(in crate::serve::web) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers_read_as_people_say_them() {
        assert_eq!(ago(Millis(4_000)), "just now");
        assert_eq!(ago(Millis(150_000)), "2 min ago");
        assert_eq!(ago(Millis(86_400_000 * 3)), "3 days ago");
        assert_eq!(grouped(100_000), "100\u{a0}000");
        assert_eq!(count(1, "device"), "1 device");
    }
}
