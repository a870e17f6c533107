//! Lines of other machines' logs: RFC 3164 as it is used, and RFC 5424. Pure, and total: what is neither is a line all the same.
//!
//! Consoles and installers write whatever they like. What is kept is text: control characters are shown as such
//! ([`super::dissect::text()`]), and a line has an end.

use serde::{Deserialize, Serialize};

use super::dissect;

/// A longer line is cut.
pub const LONGEST: usize = 2048;

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// How bad it is, when it says so: 0 is an emergency, 7 is for those who look for mistakes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<u8>,
    /// The program, as it calls itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tag: String,
    /// What it says.
    pub text: String,
}

impl Line {
    /// The word for the severity.
    pub fn level(&self) -> &'static str {
        const LEVELS: [&str; 8] = ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"];
        self.severity.and_then(|severity| LEVELS.get(usize::from(severity))).copied().unwrap_or("")
    }

    /// Whether it tells of something that went wrong.
    pub fn is_bad(&self) -> bool {
        self.severity.is_some_and(|severity| severity <= 3)
    }
}

/// Reads a datagram: its lines, without empty ones.
pub fn lines(datagram: &[u8]) -> Vec<Line> {
    let cut = &datagram[..datagram.len().min(LONGEST)];
    let (severity, rest) = priority(cut);
    let (tag, rest) = match rest.strip_prefix(b"1 ") {
        Some(rest) => structured(rest),
        None => plain(rest),
    };
    let tag = dissect::text(&tag[..tag.len().min(64)]);
    let pieces = rest.split(|byte| matches!(byte, b'\n' | b'\r' | 0)).map(|piece| piece.trim_ascii_end());
    let line = |piece: &[u8]| Line { severity, tag: tag.clone(), text: dissect::text(piece) };
    pieces.filter(|piece| !piece.is_empty()).map(line).collect()
}

/// `<165>`: facility times eight, and the severity.
fn priority(bytes: &[u8]) -> (Option<u8>, &[u8]) {
    let Some(rest) = bytes.strip_prefix(b"<") else { return (None, bytes) };
    let Some(end) = rest.iter().take(4).position(|byte| *byte == b'>') else { return (None, bytes) };
    let number = str::from_utf8(&rest[..end]).ok().and_then(|digits| digits.parse::<u16>().ok());
    match number.filter(|number| *number <= 191) {
        Some(number) => (Some((number % 8) as u8), &rest[end + 1..]),
        None => (None, bytes),
    }
}

/// RFC 5424, behind the version: time, host, program, process, message id, structured data, text.
fn structured(rest: &[u8]) -> (&[u8], &[u8]) {
    let mut words = rest.splitn(6, |byte| *byte == b' ');
    let (tag, body) = match (words.next(), words.next(), words.next(), words.next(), words.next(), words.next()) {
        (_, _, Some(tag), _, _, Some(body)) => (tag, body),
        _ => return (b"", rest),
    };
    let tag = if tag == b"-" { b"" } else { tag };
    let said = match body.first() {
        Some(b'-') => &body[1..],
        Some(b'[') => behind_data(body),
        _ => body,
    };
    let said = said.strip_prefix(b" ").unwrap_or(said);
    (tag, said.strip_prefix(b"\xef\xbb\xbf").unwrap_or(said))
}

/// What follows `[id name="value"]...`; `\]` and quotes hide a bracket.
fn behind_data(body: &[u8]) -> &[u8] {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in body.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b']' if !quoted && body.get(at + 1) != Some(&b'[') => return &body[at + 1..],
            _ => {}
        }
    }
    body
}

/// RFC 3164, of which senders leave out what they like: a time (`Nov 26 06:00:00`), a host, `program[7]: text`.
fn plain(rest: &[u8]) -> (&[u8], &[u8]) {
    let untimed = match rest {
        timed if is_time(timed) => timed[15..].trim_ascii_start(),
        _ => rest,
    };
    // The program ends at its colon; a host before it is a word more.
    let colon = untimed.iter().take(96).position(|byte| *byte == b':');
    let Some(colon) = colon.filter(|at| matches!(untimed.get(at + 1), Some(b' ') | None)) else {
        return (b"", untimed);
    };
    let before = &untimed[..colon];
    let tag = before.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    let named = tag.split(|byte| *byte == b'[').next().unwrap_or_default();
    let hosts = before.len() - tag.len();
    let plain = !named.is_empty()
        && named.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_./@".contains(byte))
        && before[..hosts].iter().filter(|byte| **byte == b' ').count() <= 1;
    match plain {
        true => (named, untimed[colon + 1..].trim_ascii_start()),
        false => (b"", untimed),
    }
}

/// Whether it begins as `Nov 26 06:00:00 ` does.
fn is_time(bytes: &[u8]) -> bool {
    let Some(time) = bytes.get(..15) else { return false };
    const MONTHS: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    MONTHS.contains(&&time[..3]) && time[3] == b' ' && time[6] == b' ' && time[9] == b':' && time[12] == b':'
}
