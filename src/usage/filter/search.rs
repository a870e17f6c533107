//! What people type who never heard of the language: words.

use crate::model::MacAddr;

use super::{
    BadFilter, Filter,
    parse::{WORDS, quoted},
};

/// The filter that is meant by what somebody typed into a search box; none, when nothing was typed.
///
/// What has an operator or parentheses is the language, and so is what names fields alone (`armed and not installed`).
/// Everything else is words: each is looked for in all that a device is called and all that is said of it, so that
/// `kiosk "hall 2"` becomes `text~*kiosk* and text~"*hall 2*"`. A whole address of a port is that port, however it is written.
pub fn searched(text: &str) -> Result<Option<Filter>, BadFilter> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let asked = text.parse::<Filter>();
    let words = words(text);
    let is_written = words.iter().any(|word| !word.quoted && word.text.contains(['=', '~', '<', '>', '!', '(', ')']));
    let names_fields = asked.as_ref().is_ok_and(|filter| filter.attributes().is_empty());
    if is_written || names_fields {
        return asked.map(Some);
    }
    // Where `and`, `or` and `not` make no sense as such, they are words like others.
    let said = meaning(&words, true).parse().or_else(|_| meaning(&words, false).parse());
    said.map(Some)
}

/// A word, or several in quotes.
struct Word {
    text: String,
    quoted: bool,
}

fn words(text: &str) -> Vec<Word> {
    let mut words = vec![];
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return words };
        let inside = rest.strip_prefix(['"', '\'']).and_then(|inside| inside.split_once(first));
        let (text, after, quoted) = match inside {
            Some((text, after)) if matches!(first, '"' | '\'') => (text, after, true),
            _ => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (&rest[..end], &rest[end..], false)
            }
        };
        rest = after;
        if !text.trim().is_empty() {
            words.push(Word { text: text.trim().to_owned(), quoted });
        }
    }
}

/// The words in the language; all of them must be found, unless `and`, `or` and `not` between them say otherwise.
fn meaning(words: &[Word], joined: bool) -> String {
    let mut said = String::new();
    let mut waits = false;
    for Word { text, quoted } in words {
        let lower = text.to_lowercase();
        if joined && !quoted && WORDS.contains(&lower.as_str()) {
            said += if waits && lower == "not" { " and not " } else { " " };
            if lower != "not" || !waits {
                said += &lower;
                said += " ";
            }
            waits = false;
            continue;
        }
        said += if waits { " and " } else { "" };
        said += &one(text);
        waits = true;
    }
    said
}

fn one(word: &str) -> String {
    let has_separators = word.contains([':', '-', '.']) || word.len() == 12;
    if let Some(mac) = word.parse::<MacAddr>().ok().filter(|_| has_separators) {
        return format!("mac={mac}");
    }
    let within = |word: &str| format!("text~{}", quoted(&format!("*{}*", word.trim_matches('*'))));
    let pairs: Vec<&str> = word.split('-').collect();
    let is_part =
        pairs.len() > 1 && pairs.iter().all(|pair| pair.len() <= 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()));
    // Windows writes ports with dashes.
    if is_part { format!("({} or {})", within(word), within(&word.replace('-', ":"))) } else { within(word) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_the_filter_that_is_shown() {
        for (typed, meant) in [
            ("kiosk", "text~*kiosk*"),
            ("kiosk \"hall 2\"", "text~*kiosk* and text~\"*hall 2*\""),
            ("kiosk or desk", "text~*kiosk* or text~*desk*"),
            ("kiosk not desk", "text~*kiosk* and not text~*desk*"),
            ("not kiosk", "not text~*kiosk*"),
            ("rock and", "text~*rock* and text~*and*"),
            ("5254.0077.0002", "mac=52:54:00:77:00:02"),
            ("52-54-00", "text~*52-54-00* or text~*52:54:00*"),
            ("armed and not installed", "armed and not installed"),
            ("role=kiosk and seen<7d", "role=kiosk and seen<7d"),
            ("r&d", "text~*r&d*"),
        ] {
            let filter = searched(typed).expect("a filter").expect("something was typed");
            assert_eq!(filter.to_string(), meant, "{typed}");
            assert_eq!(meant.parse::<Filter>().expect("it reads back").to_string(), meant);
        }
        assert_eq!(searched("  "), Ok(None));
    }

    #[test]
    fn a_mistake_in_the_language_keeps_its_place() {
        let bad = searched("role=kiosk and seen<soon").expect_err("no time span");
        assert_eq!(bad.sides(), ("role=kiosk and seen<".to_owned(), "soon".to_owned()));
    }
}
