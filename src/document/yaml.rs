//! YAML in and out, by `serde_yaml`.
//!
//! `serde_yaml` stops at the first error and gives values no places. Two small turns get both: a key that is not known is
//! reported, blanked out, and the rest is read again; and a value is found by reading the document once more along its path,
//! with an error raised on purpose when it is reached, since errors do carry a place.

use std::fmt;

use serde::{
    Serialize,
    de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{Problem, Severity};

/// Larger documents are refused: no person wrote them.
const MAX_BYTES: usize = 1 << 20;

/// How many unknown keys are reported at once.
const MAX_UNKNOWN: usize = 50;

/// A document: its text and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file, as people know it.
    pub path: String,
    /// What it holds.
    pub text: String,
}

impl Source {
    /// A document of these bytes, when they can be one.
    pub fn new(path: impl Into<String>, bytes: Vec<u8>) -> Result<Self, Problem> {
        let path = path.into();
        if bytes.len() > MAX_BYTES {
            return Err(Problem::of_file(&path, "GR001", "the file is larger than 1 MiB", "keep data out of YAML"));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { path, text }),
            Err(_) => Err(Problem::of_file(&path, "GR001", "the file is not UTF-8", "save it as UTF-8")),
        }
    }

    /// Reads the document as a `T`. On failure, every unknown key and the first other error.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Vec<Problem>> {
        let mut text = self.text.clone();
        let mut problems = vec![];
        loop {
            let error = match serde_yaml::from_str::<T>(&text) {
                Ok(value) if problems.is_empty() => return Ok(value),
                Ok(_) => return Err(problems),
                Err(error) => error,
            };
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let message = error.to_string();
            let unknown = unknown_field(&message);
            let code = if unknown.is_some() { "GR002" } else { "GR003" };
            let help = unknown.as_ref().map(|(field, known)| did_you_mean(field, known));
            let shown = match &unknown {
                Some((field, _)) => format!("`{field}` is not known here"),
                None => without_place(&message).to_owned(),
            };
            let column = self.column_of(line, column, unknown.as_ref().map(|(field, _)| field.as_str()));
            problems.push(self.problem(code, line, column, shown, help));
            let blanked = unknown.and_then(|(field, _)| blank_out(&text, line, &field));
            match blanked.filter(|_| problems.len() < MAX_UNKNOWN) {
                Some(rest) => text = rest,
                None => return Err(problems),
            }
        }
    }

    /// A problem with the value that `path` leads to (`network.dns.0`), or with the nearest value above it.
    pub fn problem_at(&self, code: &'static str, path: &str, message: impl Into<String>, help: &str) -> Problem {
        let mut steps: Vec<&str> = path.split('.').filter(|step| !step.is_empty()).collect();
        let place = loop {
            let reader = serde_yaml::Deserializer::from_str(&self.text);
            let found = Locate { path: &steps }.deserialize(reader).err().filter(is_found);
            if let Some(at) = found.as_ref().and_then(serde_yaml::Error::location) {
                break (at.line(), at.column());
            }
            if steps.pop().is_none() {
                break (1, 1);
            }
        };
        self.problem(code, place.0, place.1, message.into(), (!help.is_empty()).then(|| help.to_owned()))
    }

    fn problem(
        &self,
        code: &'static str,
        line: usize,
        column: usize,
        message: String,
        help: Option<String>,
    ) -> Problem {
        let snippet = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_owned();
        let column = column.clamp(1, snippet.chars().count().max(1));
        Problem { severity: Severity::Error, code, path: self.path.clone(), line, column, snippet, message, help }
    }

    /// Where `field` stands in its line; errors on keys point to the line's value on some paths.
    fn column_of(&self, line: usize, column: usize, field: Option<&str>) -> usize {
        let text = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let at = field.and_then(|field| text.find(&format!("{field}:")));
        at.map_or(column, |at| text[..at].chars().count() + 1)
    }
}

/// Writes a value as YAML.
pub fn to_string<T: Serialize>(value: &T) -> String {
    serde_yaml::to_string(value).expect("plain data with text keys is always YAML")
}

/// The field and the known ones, from serde's "unknown field `x`, expected one of `a`, `b`".
fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let (_, rest) = message.split_once("unknown field `")?;
    let (field, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((field.to_owned(), known))
}

/// The nearest known name, or all of them.
fn did_you_mean(field: &str, known: &[String]) -> String {
    let likeness = |name: &&String| strsim::damerau_levenshtein(field, name);
    match known.iter().min_by_key(likeness) {
        Some(name) if likeness(&name) <= 1 + name.len() / 4 => format!("did you mean `{name}`?"),
        _ => format!("known here: {}", known.join(", ")),
    }
}

/// serde_yaml puts "at line 3 column 5" behind its messages; the problem shows the place itself.
fn without_place(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |at| &message[..at])
}

/// The text without the block that `field` begins at `line`, with every other line where it was. `None` when the field
/// does not begin its line (it stands in braces), so that nothing else can be read safely.
fn blank_out(text: &str, line: usize, field: &str) -> Option<String> {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.get(line.checked_sub(1)?)?;
    first.trim_start().starts_with(field).then_some(())?;
    let depth = indent(first);
    let deeper = |line: &&&str| line.trim().is_empty() || indent(line) > depth;
    let end = line + lines[line..].iter().take_while(deeper).count();
    let kept = lines.iter().enumerate().map(|(at, text)| if (line - 1..end).contains(&at) { "" } else { text });
    Some(kept.collect::<Vec<_>>().join("\n"))
}

/// Marks the error that [`Locate`] raises on purpose.
const FOUND: &str = "greenroom: this is the place";

fn is_found(error: &serde_yaml::Error) -> bool {
    error.to_string().contains(FOUND)
}

/// Walks down a path and raises [`FOUND`] at its end.
struct Locate<'a> {
    path: &'a [&'a str],
}

impl<'de> DeserializeSeed<'de> for Locate<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl Locate<'_> {
    fn leaf<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.path.is_empty() { Err(E::custom(FOUND)) } else { Ok(()) }
    }
}

impl<'de> Visitor<'de> for Locate<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.leaf()
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.leaf()
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.leaf()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.leaf()
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.leaf()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.leaf()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.path.split_first() else { return Err(A::Error::custom(FOUND)) };
        let wanted: Option<usize> = step.parse().ok();
        let mut at = 0;
        loop {
            let more = match wanted == Some(at) {
                true => items.next_element_seed(Locate { path: rest })?.is_some(),
                false => items.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                return Ok(());
            }
            at += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.path.split_first() else { return Err(A::Error::custom(FOUND)) };
        while let Some(key) = entries.next_key::<String>()? {
            match key == *step {
                true => entries.next_value_seed(Locate { path: rest })?,
                false => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only the reading is tested")]
    struct Outer {
        name: String,
        #[serde(default)]
        inner: Inner,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    #[allow(dead_code, reason = "only the reading is tested")]
    struct Inner {
        packages: Vec<String>,
        size: u32,
    }

    fn source(text: &str) -> Source {
        Source { path: "x.yaml".into(), text: text.into() }
    }

    #[test]
    fn every_unknown_key_is_reported_with_its_place_and_the_nearest_name() {
        let source = source("nmae: a\nname: b\ninner:\n  pakages:\n    - one\n  size: 3\nzzz: 1\n");
        let problems = source.parse::<Outer>().expect_err("three keys are wrong");
        let seen: Vec<_> = problems.iter().map(|p| (p.line, p.column, p.help.clone().unwrap_or_default())).collect();
        assert_eq!(
            seen,
            [
                (1, 1, "did you mean `name`?".into()),
                (4, 3, "did you mean `packages`?".into()),
                (7, 1, "known here: name, inner".into())
            ]
        );
    }

    #[test]
    fn a_problem_points_to_the_value() {
        let source = source("name: b\ninner:\n  packages: [one, two]\n");
        let problem = source.problem_at("GR009", "inner.packages.1", "no such package", "look it up");
        assert_eq!((problem.line, problem.column), (3, 19));
        let shown = problem.to_string();
        assert!(shown.contains("3 |   packages: [one, two]\n  |                   ^^^"), "{shown}");
        let above = source.problem_at("GR009", "inner.size", "too small", "");
        assert_eq!(above.line, 3, "the nearest value above it");
    }

    #[test]
    fn what_is_no_document_is_an_error_and_never_a_panic() {
        let bomb = format!("name: &a [x,x]\n{}", (0..40).map(|_| "inner: *a\n").collect::<String>());
        for text in ["", "\t", "name: [", "- a\n- b", "name: a\n---\nname: b", "name: a\nname: b", "*x", &bomb] {
            assert!(source(text).parse::<Outer>().is_err(), "{text}");
        }
        assert!(Source::new("x", vec![0xff]).is_err());
        assert!(Source::new("x", vec![b' '; MAX_BYTES + 1]).is_err());
    }
}
