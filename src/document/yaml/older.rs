//! Texts that YAML 1.1 takes for something else, and YAML 1.2 for texts.
//!
//! `serde_yaml` writes 1.2. cloud-init and subiquity read with PyYAML, which is 1.1: there `52:54:00:00:00:01` is a number
//! of base 60, `=` is a value without a type that stops the reading, and `2024-01-01` a date. In quotes all of them are
//! texts.

use serde_yaml::{Mapping, Value};

/// Texts that are set aside while the rest is written, each by what stands for it.
pub(super) struct SetAside {
    mark: String,
    texts: Vec<String>,
}

impl SetAside {
    /// Takes such texts out of a value. `mark` stands nowhere in it.
    pub(super) fn from(value: &mut Value, mark: String) -> Self {
        let mut aside = Self { mark, texts: vec![] };
        aside.walk(value);
        aside
    }

    /// Puts them back, in quotes.
    pub(super) fn back(self, mut written: String) -> String {
        for (at, text) in self.texts.iter().enumerate() {
            written = written.replacen(&self.placeholder(at), &format!("'{text}'"), 1);
        }
        written
    }

    fn placeholder(&self, at: usize) -> String {
        format!("{}{at}z", self.mark)
    }

    fn walk(&mut self, value: &mut Value) {
        match value {
            Value::String(text) if is_misread(text) => {
                let placeholder = self.placeholder(self.texts.len());
                self.texts.push(std::mem::replace(text, placeholder));
            }
            Value::Sequence(items) => items.iter_mut().for_each(|item| self.walk(item)),
            Value::Mapping(map) => {
                let taken = std::mem::take(map);
                *map = Mapping::with_capacity(taken.len());
                for (mut key, mut value) in taken {
                    self.walk(&mut key);
                    self.walk(&mut value);
                    map.insert(key, value);
                }
            }
            Value::Tagged(tagged) => self.walk(&mut tagged.value),
            _ => {}
        }
    }
}

/// Whether YAML 1.1 takes a bare text for something else.
pub(super) fn is_misread(text: &str) -> bool {
    let words = ["=", "<<", "y", "n", "yes", "no", "on", "off"];
    if words.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return true;
    }
    let number = text.trim_start_matches(['+', '-']);
    let signs = text.len() - number.len();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let begins = |text: &str| text.bytes().next().is_some_and(|b| b.is_ascii_digit());
    signs <= 1
        && (begins(number) || number.starts_with('.'))
        && (digits(number)
            || is_of_base_60(number, digits)
            || is_of_base_2_or_16(number)
            || is_decimal(number, digits)
            || signs == 0 && is_date(number))
}

/// `190:20:30`, and `190:20:30.15`.
fn is_of_base_60(text: &str, digits: impl Fn(&str) -> bool) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let mut places = whole.split(':');
    let first = places.next().is_some_and(&digits);
    let mut rest = places.peekable();
    let several = rest.peek().is_some();
    let sixty = |place: &str| (1..=2).contains(&place.len()) && place.parse::<u8>().is_ok_and(|place| place < 60);
    first && several && rest.all(sixty) && (part.is_empty() || digits(part))
}

fn is_of_base_2_or_16(text: &str) -> bool {
    let of = |prefix: &str, digit: fn(u8) -> bool| {
        text.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| digit(b) || b == b'_'))
    };
    of("0b", |b| b == b'0' || b == b'1') || of("0x", |b| b.is_ascii_hexdigit())
}

/// `1_000.5`, `.5`, `1.5e+3`.
fn is_decimal(text: &str, digits: impl Fn(&str) -> bool) -> bool {
    let Some((whole, rest)) = text.split_once('.') else { return false };
    let (part, power) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let fits = |text: &str| text.is_empty() || digits(text);
    fits(whole) && fits(part) && digits(power.trim_start_matches(['+', '-']))
}

/// `2024-01-01`, and with a time behind it.
fn is_date(text: &str) -> bool {
    let day = text.split(['T', 't', ' ', '\t']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split('-').collect();
    let number =
        |part: &str, longest: usize| (1..=longest).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    matches!(parts[..], [year, month, day] if year.len() == 4 && number(year, 4) && number(month, 2) && number(day, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_misread_and_what_is_not() {
        for text in [
            "=",
            "<<",
            "Yes",
            "52:54:00:00:00:01",
            "1_000",
            "0b1",
            "0x1F",
            "2024-01-01",
            "2024-1-1 10:00",
            "-1:30",
            ".5_0",
        ] {
            assert!(is_misread(text), "{text}");
        }
        for text in
            ["52:54:00:77:00:02", "10.9.0.5", "10.9.0.5/24", "yesterday", "a=b", "2001:db8::1", "1-2", "--", "8080:80"]
        {
            assert!(!is_misread(text), "{text}");
        }
    }
}
