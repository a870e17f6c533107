//! The text of a document, and places in it.

use super::{Problem, Severity, yaml::Places};

/// Larger documents are refused: no person wrote them.
pub const MAX_BYTES: usize = 1 << 20;

/// How much of a long line a problem shows.
const MAX_SNIPPET: usize = 4096;

/// A document's text and where it came from.
#[derive(Debug)]
pub struct Source {
    /// The file, as people know it.
    pub path: String,
    /// What it holds, without a byte order mark.
    pub text: String,
    /// The places in it that somebody asked for.
    pub(super) places: Places,
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.text == other.text
    }
}

impl Eq for Source {}

/// What a problem marks: a key, or the value that begins at the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark<'a> {
    Key,
    Text(&'a str),
    Value,
}

impl Source {
    /// A document of these bytes, when they can be one.
    pub fn new(path: impl Into<String>, bytes: Vec<u8>) -> Result<Self, Problem> {
        let path = path.into();
        if bytes.len() > MAX_BYTES {
            return Err(Self::too_large(&path));
        }
        if let Some(encoding) = wide_encoding(&bytes) {
            let message = format!("the file looks like {encoding}, and must be UTF-8");
            return Err(Problem::of_file(&path, "GR001", message, "save it as UTF-8, without a byte order mark"));
        }
        let text = String::from_utf8(bytes).map_err(|error| not_utf8(&path, error))?;
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Ok(Self { path, text, places: Places::default() })
    }

    /// What is said of a file that is too large to be read at all.
    pub fn too_large(path: &str) -> Problem {
        let message = format!("the file is larger than {} MiB", MAX_BYTES >> 20);
        Problem::of_file(path, "GR001", message, "keep data out of YAML: name a URL, and fetch it at first boot")
    }

    /// A problem with what stands at a place: line and column, from 1.
    pub(super) fn problem(
        &self,
        code: &'static str,
        place: (usize, usize),
        mark: Mark<'_>,
        message: String,
        help: Option<String>,
    ) -> Problem {
        let text = self.line(place.0);
        let column = place.1.clamp(1, text.chars().count().max(1));
        let rest = text.char_indices().nth(column - 1).map_or("", |(at, _)| &text[at..]);
        let width = width(rest, mark).max(1);
        // The column counts in the line, so a line is only ever cut behind the mark.
        let snippet = text.chars().take(MAX_SNIPPET.max(column + width)).collect();
        let (path, severity) = (self.path.clone(), Severity::Error);
        let (line, about, fix) = (place.0, String::new(), None);
        Problem { severity, code, path, line, column, width, snippet, message, help, about, fix }
    }

    /// A line of the text, from 1, without its end. Lines end where YAML 1.1 ends them.
    pub(super) fn line(&self, number: usize) -> &str {
        let mut rest = self.text.as_str();
        for _ in 1..number {
            let Some(at) = rest.find(LINE_ENDS) else { return "" };
            let end = &rest[at..];
            let length = if end.starts_with("\r\n") { 2 } else { end.chars().next().map_or(0, char::len_utf8) };
            rest = &end[length..];
        }
        rest.split(LINE_ENDS).next().unwrap_or_default()
    }

    /// The last character that is not blank.
    pub(super) fn end(&self) -> (usize, usize) {
        let last = self.text.trim_end().char_indices().next_back();
        self.place_of(last.map_or(0, |(at, _)| at))
    }

    /// The line and column of a byte of the text.
    pub(super) fn place_of(&self, at: usize) -> (usize, usize) {
        let before = self.text[..at].replace("\r\n", "\n");
        let column = before.rsplit(LINE_ENDS).next().map_or(0, |text| text.chars().count()) + 1;
        (before.matches(LINE_ENDS).count() + 1, column)
    }

    /// What is written at a place, up to where a plain value ends.
    pub(super) fn word(&self, place: (usize, usize)) -> String {
        let rest: String = self.line(place.0).chars().skip(place.1.saturating_sub(1)).collect();
        rest[..word(&rest)].to_owned()
    }
}

const LINE_ENDS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// How many characters a mark covers, of what begins at it.
fn width(rest: &str, mark: Mark<'_>) -> usize {
    let end = match (rest.chars().next(), mark) {
        (Some(quote @ ('"' | '\'')), _) => quoted(rest, quote),
        (_, Mark::Text(text)) if !text.is_empty() && rest.starts_with(text) => text.len(),
        (_, Mark::Key) => rest.find(": ").unwrap_or_else(|| rest.strip_suffix(':').map_or(word(rest), str::len)),
        _ => word(rest),
    };
    rest[..end].chars().count()
}

/// Where a text in quotes ends; at the end of its line when it goes on.
fn quoted(rest: &str, quote: char) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        let escapes = if quote == '"' { c == '\\' } else { c == '\'' && matches!(chars.peek(), Some((_, '\''))) };
        if escapes {
            chars.next();
        } else if c == quote {
            return at + 1;
        }
    }
    rest.len()
}

fn word(rest: &str) -> usize {
    rest.find([' ', ':', ',', ']', '}', '\t']).unwrap_or(rest.len())
}

/// The name of an encoding of two or four bytes a character, when bytes look like one.
fn wide_encoding(bytes: &[u8]) -> Option<&'static str> {
    // YAML begins with a character of ASCII or a mark, so its zeros tell the encoding.
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [0, 0, 0, _, ..] | [_, 0, 0, 0, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => Some("UTF-16"),
        _ => None,
    }
}

/// Says where a text stops being UTF-8, and what it is instead.
fn not_utf8(path: &str, error: std::string::FromUtf8Error) -> Problem {
    let at = error.utf8_error().valid_up_to();
    let bytes = error.into_bytes();
    // A newcomer's editor writes Latin-1 or its Windows cousin; both have their letters above 0xa0.
    let byte = bytes[at];
    let looks = match byte {
        0xa0.. => "Latin-1 or Windows-1252",
        _ if bytes.iter().filter(|byte| **byte == 0).count() > 0 => "no text at all",
        _ => "Windows-1252, or no text at all",
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let message = format!("the file is not UTF-8 from here on (byte 0x{byte:02x}): it looks like {looks}");
    let help = "save it as UTF-8; `iconv -f LATIN1 -t UTF-8` converts it".to_owned();
    let source = Source { path: path.to_owned(), text, places: Places::default() };
    source.problem("GR001", source.place_of(at), Mark::Value, message, Some(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_named() {
        let told = |bytes: &[u8]| Source::new("x", bytes.to_vec()).expect_err("it is not UTF-8").message;
        assert!(told(b"\xff\xfea\0:\0").contains("UTF-16"));
        assert!(told(b"a\0:\0 \0b\0").contains("UTF-16"));
        assert!(told(b"\0\0\0a").contains("UTF-32"));
        let latin = Source::new("x", b"a: 1\nname: M\xfcller\n".to_vec()).expect_err("it is Latin-1");
        assert!(latin.message.contains("Latin-1") && (latin.line, latin.column) == (2, 8), "{latin}");
        let marked = Source::new("x", "\u{feff}a: 1".into()).expect("a mark is no text");
        assert_eq!(marked.text, "a: 1");
    }

    #[test]
    fn a_mark_covers_what_it_means() {
        for (rest, mark, covered) in [
            ("\"two words\", x", Mark::Value, "\"two words\""),
            (r#""a \" b" c"#, Mark::Value, r#""a \" b""#),
            ("'it''s' x", Mark::Value, "'it''s'"),
            ("not a key]", Mark::Text("not a key"), "not a key"),
            ("10.0.0.1/24}", Mark::Value, "10.0.0.1/24"),
            ("two words: 1", Mark::Key, "two words"),
            ("key:", Mark::Key, "key"),
            ("\"unended", Mark::Value, "\"unended"),
        ] {
            assert_eq!(width(rest, mark), covered.chars().count(), "{rest}");
        }
    }
}
