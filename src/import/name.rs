//! Names and words from elsewhere, made fit for Greenroom's documents.

use std::collections::BTreeSet;

use super::LeftBehind;

/// The longest name of a persona or image.
const LONGEST: usize = 63;

/// How much of a foreign text a report shows.
const SHOWN: usize = 200;

/// The names of one kind of document, each given once.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// A name like `wanted` that is valid and not yet given. A change is told.
    pub(super) fn give(&mut self, wanted: &str, what: &str, place: &str, left: &mut Vec<LeftBehind>) -> String {
        let plain = plain(wanted);
        let mut name = plain.clone();
        let mut count = 2;
        while !self.0.insert(name.clone()) {
            let end = format!("-{count}");
            name = format!("{}{end}", plain[..plain.len().min(LONGEST - end.len())].trim_end_matches('-'));
            count += 1;
        }
        if name != wanted {
            let why = match name == plain {
                true => "names are lower-case letters, digits and inner `-`, 63 at most",
                false => "another document has its name already",
            };
            left.push(LeftBehind::look(place, &format!("{what} `{wanted}` is called {name}"), why, ""));
        }
        name
    }
}

/// The nearest valid name: `../../Web_Server` is `web-server`.
fn plain(wanted: &str) -> String {
    let mut name = String::new();
    for c in wanted.chars().flat_map(char::to_lowercase).take(4 * LONGEST) {
        match c.is_ascii_lowercase() || c.is_ascii_digit() {
            true => name.push(c),
            false if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            false => {}
        }
    }
    name.truncate(LONGEST);
    let name = name.trim_end_matches('-');
    if name.is_empty() { "unnamed".to_owned() } else { name.to_owned() }
}

/// A plain file name for a text that is kept: no folder, nothing hidden.
pub(super) fn file_name(wanted: &str) -> String {
    let last = wanted.rsplit('/').next().unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let name: String = last.trim_start_matches('.').chars().map(plain).take(100).collect();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

/// Foreign words for a report or a comment: one line without control characters, and not endless.
pub(super) fn one_line(text: &str) -> String {
    let hidden =
        |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    let mut line: String = text.chars().map(|c| if hidden(c) { ' ' } else { c }).take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        line.push('…');
    }
    line
}

/// A host name as DHCP and personas take it: its labels in lower case; `None` when it cannot be one.
pub(super) fn host_name(wanted: &str) -> Option<String> {
    let name = wanted.trim().trim_end_matches('.').to_ascii_lowercase();
    let label = |label: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(plain) && !label.starts_with('-') && !label.ends_with('-')
    };
    (name.len() <= 200 && name.split('.').all(label)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_a_valid_one_and_none_is_given_twice() {
        let mut names = Names::default();
        let mut left = vec![];
        let mut give = |wanted: &str| names.give(wanted, "profile", "x.json", &mut left);
        let given = ["web", "Web", "../../etc/passwd", "WEB ", "", "---", "ünïcode", &"x".repeat(90), &"x".repeat(91)];
        let given: Vec<String> = given.into_iter().map(&mut give).collect();
        assert_eq!(given[..6], ["web", "web-2", "etc-passwd", "web-3", "unnamed", "unnamed-2"]);
        for name in &given {
            assert!(name.parse::<crate::model::PersonaName>().is_ok(), "{name}");
        }
        assert_eq!(left.len(), given.len() - 1, "every change is told");
    }

    #[test]
    fn a_kept_file_stays_in_its_folder() {
        assert_eq!(file_name("../../etc/passwd"), "passwd");
        assert_eq!(file_name("a b\n.ks"), "a-b-.ks");
        assert_eq!([file_name(".."), file_name("x/")], ["unnamed", "unnamed"]);
    }
}
