//! A document: what was read from one source, or composed of several, ready to become a type.

use std::{borrow::Cow, sync::Arc};

use serde::de::DeserializeOwned;

use super::{
    Problem, Source,
    source::Mark,
    tree::{Tree, Value},
    typed::{self, Fault, Kind},
    yaml,
};

/// How many problems of one document are reported at once: each costs another look at its source.
pub(super) const MAX_PROBLEMS: usize = 50;

/// What a document says, and where each value of it is written.
///
/// Every problem points into the source that holds the value, which for what a persona inherits is another file.
#[derive(Debug, Clone)]
pub struct Document {
    pub(super) tree: Tree,
    pub(super) source: Arc<Source>,
}

impl Document {
    /// The document that a source holds.
    pub fn of(source: impl Into<Arc<Source>>) -> Result<Self, Problem> {
        let source = source.into();
        Ok(Self { tree: yaml::tree(&source)?, source })
    }

    /// The document that these bytes hold; `path` is how people know them.
    pub fn read(path: impl Into<String>, bytes: Vec<u8>) -> Result<Self, Problem> {
        Self::of(Source::new(path, bytes)?)
    }

    /// The source that it is named for: of a composed document, the one that extends the others.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Reads the document as a `T`. On failure, everything that keeps it from being one.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Vec<Problem>> {
        let (read, problems) = self.attempt(true);
        match read {
            Some(value) if problems.is_empty() => Ok(value),
            _ => Err(problems),
        }
    }

    /// The same, for documents that extend no others: in them, `!replace` would do nothing.
    pub fn parse_alone<T: DeserializeOwned>(&self) -> Result<T, Vec<Problem>> {
        let (read, mut problems) = self.attempt(true);
        let mut tags = vec![];
        self.tree.collect_tagged(&mut tags);
        problems.extend(tags.into_iter().take(MAX_PROBLEMS).map(|tree| {
            let help = "remove the tag: only personas and fragments extend others".to_owned();
            problem(tree, true, "GR064", "`!replace` replaces nothing here".to_owned(), Some(help))
        }));
        match read {
            Some(value) if problems.is_empty() => Ok(value),
            _ => Err(sorted(problems)),
        }
    }

    /// What keeps the document from being a part of a `T`: as [`parse`](Self::parse), but for what is missing.
    pub fn problems_as_part<T: DeserializeOwned>(&self) -> Vec<Problem> {
        self.attempt::<T>(false).1
    }

    /// A problem with the value that `path` leads to (`network.dns.0`), or with the nearest value above it.
    pub fn problem_at(&self, code: &'static str, path: &str, message: impl Into<String>, help: &str) -> Problem {
        let (tree, keyed) = self.tree.nearest(path);
        // A map begins at its first entry, on a line below: its key says better what is meant.
        let of_key = keyed && tree.value.is_collection();
        problem(tree, of_key, code, message.into(), (!help.is_empty()).then(|| help.to_owned()))
    }

    /// Whether it says something under this key.
    pub fn has(&self, key: &str) -> bool {
        self.tree.get(key).is_some()
    }

    /// The texts that stand under a key of the document: one by itself, or those of a list.
    pub fn texts(&self, key: &str) -> Vec<&str> {
        let Some(tree) = self.tree.get(key) else { return vec![] };
        match &tree.value {
            Value::List(items) => items.iter().filter_map(Tree::text).collect(),
            _ => tree.text().into_iter().collect(),
        }
    }

    /// Where the value that `path` leads to, or the nearest above it, is written: `fragments/base.yaml:12`.
    pub fn place_of(&self, path: &str) -> String {
        place_of(self.tree.nearest(path).0)
    }

    /// Reads; what stands in the way is noted, taken out, and the rest read again, until nothing does.
    fn attempt<T: DeserializeOwned>(&self, whole: bool) -> (Option<T>, Vec<Problem>) {
        if matches!(self.tree.value, Value::Null) {
            let help = "was it half saved?";
            return (None, vec![Problem::of_file(&self.source.path, "GR003", "the document is empty", help)]);
        }
        let mut tree = Cow::Borrowed(&self.tree);
        let mut problems = vec![];
        // A field that was taken out is missing then, and that is not news.
        let mut taken: Vec<(*const Source, u32, String)> = vec![];
        for _ in 0..4 * MAX_PROBLEMS {
            let fault = match typed::read::<T>(&tree) {
                Ok(value) => return (Some(value), sorted(problems)),
                Err(fault) => fault,
            };
            let steps: Vec<usize> = fault.path.iter().rev().copied().collect();
            let Some(place) = tree.at(&steps) else { break };
            let stands = (0..steps.len()).rev().find(|depth| is_stand(&tree, &steps[..depth + 1]));
            if let Kind::Missing(field) = fault.kind
                && stands.is_none()
            {
                if whole && !taken.iter().any(|(of, number, key)| (*of, *number) == place.origin.id() && key == field) {
                    problems.push(missing(place, &steps, field));
                }
                let stand = Tree { value: Value::Any, origin: place.origin.clone(), replaces: false };
                match tree.to_mut().at_mut(&steps).map(|tree| &mut tree.value) {
                    Some(Value::Map(entries)) => entries.insert(field.to_owned(), stand),
                    _ => break,
                };
            } else {
                // What stood in for a value will not do: then the map that it stood in goes.
                let out = match stands {
                    Some(depth) => &steps[..depth],
                    None => {
                        problems.push(wrong(place, steps.is_empty(), fault));
                        &steps[..]
                    }
                };
                let Some((last, above)) = out.split_last() else { break };
                let Some(parent) = tree.to_mut().at_mut(above) else { break };
                let (of, number) = parent.origin.id();
                taken.extend(parent.take(*last).map(|key| (of, number, key)));
            }
            if problems.len() >= MAX_PROBLEMS {
                break;
            }
        }
        (None, sorted(problems))
    }
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
    problems
}

fn is_stand(tree: &Tree, steps: &[usize]) -> bool {
    tree.at(steps).is_some_and(|tree| matches!(tree.value, Value::Any))
}

/// A problem with a value, or with its key.
pub(super) fn problem(tree: &Tree, of_key: bool, code: &'static str, message: String, help: Option<String>) -> Problem {
    let mark = match &tree.value {
        _ if of_key => Mark::Key,
        Value::Text(text) => Mark::Text(text),
        _ => Mark::Value,
    };
    tree.origin.source.problem(code, yaml::place(&tree.origin, of_key), mark, message, help)
}

/// Where a value is written, as people say it.
pub(super) fn place_of(tree: &Tree) -> String {
    format!("{}:{}", tree.origin.source.path, yaml::place(&tree.origin, false).0)
}

fn missing(map: &Tree, steps: &[usize], field: &str) -> Problem {
    let help = format!("add `{field}:`");
    match steps.is_empty() {
        true => Problem::of_file(&map.origin.source.path, "GR003", format!("`{field}` is missing"), help),
        false => problem(map, false, "GR003", format!("`{field}` is missing here"), Some(help)),
    }
}

fn wrong(place: &Tree, is_top: bool, fault: Fault) -> Problem {
    match fault.kind {
        Kind::Key { key, known } => {
            let help = did_you_mean(&key, known);
            problem(place, !is_top, "GR002", format!("`{key}` is not known here"), Some(help))
        }
        Kind::Choice { text, known } => {
            problem(place, false, "GR003", format!("`{text}` is not known here"), Some(did_you_mean(&text, known)))
        }
        Kind::NoText => {
            let written = place.origin.source.word(yaml::place(&place.origin, false));
            let message = format!("a text is wanted here, and this is {}", place.value.kind());
            problem(place, false, "GR003", message, Some(format!("put quotes around it: \"{written}\"")))
        }
        Kind::Missing(field) => problem(place, false, "GR003", format!("`{field}` is missing here"), None),
        Kind::Other(message) => problem(place, false, "GR003", message, None),
    }
}

/// The nearest known name, or all of them.
pub fn did_you_mean(name: &str, known: &[impl AsRef<str>]) -> String {
    let likeness = |known: &&str| strsim::damerau_levenshtein(name, known);
    match known.iter().map(AsRef::as_ref).min_by_key(likeness) {
        Some(nearest) if likeness(&nearest) <= 1 + nearest.len() / 4 => format!("did you mean `{nearest}`?"),
        Some(_) => format!("known here: {}", known.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")),
        None => "nothing is known here".to_owned(),
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
        kind: Choice,
        #[serde(default)]
        inner: Inner,
        #[serde(default)]
        needs: Option<Needs>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    #[allow(dead_code, reason = "only the reading is tested")]
    struct Inner {
        packages: Vec<String>,
        size: u32,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only the reading is tested")]
    struct Needs {
        address: std::net::Ipv4Addr,
        port: u16,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Choice {
        One,
        Other,
    }

    fn document(text: &str) -> Document {
        Document::read("x.yaml", text.into()).expect("it is YAML")
    }

    fn seen(text: &str) -> Vec<String> {
        let problems = document(text).parse::<Outer>().map(|_| vec![]).unwrap_or_else(|problems| problems);
        problems
            .iter()
            .map(|p| format!("{}:{} {}; {}", p.line, p.column, p.message, p.help.as_deref().unwrap_or_default()))
            .collect()
    }

    #[test]
    fn every_mistake_is_told_with_its_place_and_what_to_do() {
        let told = seen("nmae: a\nkind: onee\ninner:\n  pakages:\n    - one\n  size: many\nzzz: 1\n");
        assert_eq!(
            told,
            [
                "0:0 `name` is missing; add `name:`",
                "1:1 `nmae` is not known here; did you mean `name`?",
                "2:7 `onee` is not known here; did you mean `one`?",
                "4:3 `pakages` is not known here; did you mean `packages`?",
                "6:9 a whole number from 0 is wanted here, and this is a text; ",
                "7:1 `zzz` is not known here; known here: name, kind, inner, needs",
            ]
        );
    }

    #[test]
    fn what_is_missing_hides_nothing_else() {
        let told = seen("needs: {prt: 1}\ninner: [a]\n");
        assert_eq!(
            told,
            [
                "0:0 `name` is missing; add `name:`",
                "0:0 `kind` is missing; add `kind:`",
                "1:8 `address` is missing here; add `address:`",
                "1:9 `prt` is not known here; did you mean `port`?",
                "2:8 a map is wanted here, and this is a list; ",
            ]
        );
        let part = document("inner: {packages: [1]}").problems_as_part::<Outer>();
        assert_eq!(part.iter().map(|problem| problem.column).collect::<Vec<_>>(), [20]);
    }

    #[test]
    fn a_number_is_no_text_and_nothing_is_no_field() {
        let told = seen("name: 24.10\nkind: one\ninner: {size: null, packages: [\"1\", 2]}\n");
        assert_eq!(
            told,
            [
                "1:7 a text is wanted here, and this is a number; put quotes around it: \"24.10\"",
                "3:37 a text is wanted here, and this is a number; put quotes around it: \"2\"",
            ]
        );
        assert_eq!(seen("name: x\nkind: one\ninner: null\n"), <[String; 0]>::default());
        let far = seen("name: x\nkind: one\nneeds: {address: 10.0.0.1, port: 70000}\ninner: {size: -1}\n");
        assert_eq!(
            far,
            [
                "3:34 a whole number from 0 to 65535 is wanted here, and not 70000; ",
                "4:15 a whole number from 0 is wanted here, and not -1; ",
            ]
        );
    }

    #[test]
    fn a_problem_points_to_the_value_or_to_the_key_of_many() {
        let document = document("name: b\ninner:\n  packages: [one, two]\n  10.0.0.1: x\n");
        let problem = document.problem_at("GR009", "inner.packages.1", "no such package", "look it up");
        assert_eq!((problem.line, problem.column), (3, 19));
        let shown = problem.to_string();
        assert!(shown.contains("3 |   packages: [one, two]\n  |                   ^^^"), "{shown}");
        let place = |path| {
            let problem = document.problem_at("GR009", path, "", "");
            (problem.line, problem.column, problem.width)
        };
        assert_eq!(place("inner.size"), (2, 1, 5), "the nearest value above it");
        assert_eq!(place("inner.10.0.0.1"), (4, 13, 1), "a key with dots");
        assert_eq!(place("inner.packages.7"), (3, 3, 8));
    }
}
