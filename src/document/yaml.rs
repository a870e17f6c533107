//! YAML in and out, by `serde_yaml`; nothing else names it.
//!
//! `serde_yaml` gives values no places. So `tree` only numbers the values as it reads them, and `place` reads
//! the text once more when somebody must be told. What YAML allows and nobody writes is refused here, in bounded time:
//! aliases that multiply, nesting without end, keys that stand twice.

mod older;
mod place;

use std::{fmt, sync::Arc};

use indexmap::{IndexMap, map::Entry};
use serde::{
    Serialize,
    de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor},
};

use older::SetAside;

pub(super) use place::{Places, place};

use super::{
    Problem, Source,
    source::Mark,
    tree::{Origin, Tree, Value},
};

/// Values of one document, with those that aliases repeat.
const MAX_VALUES: u32 = 100_000;

/// Bytes of text in one document, with those that aliases repeat.
const MAX_TEXT: usize = 4 << 20;

/// Maps and lists in one another.
const MAX_DEPTH: usize = 48;

/// Writes a value as YAML that readers of 1.1 and of 1.2 read alike.
pub fn to_string<T: Serialize>(value: &T) -> String {
    const PLAIN: &str = "plain data with text keys is always YAML";
    let mut value = serde_yaml::to_value(value).expect(PLAIN);
    let written = serde_yaml::to_string(&value).expect(PLAIN);
    let mark = (0..).map(|n| format!("quoted{n}x")).find(|mark| !written.contains(mark.as_str()));
    let aside = SetAside::from(&mut value, mark.expect("some number is not in the text"));
    aside.back(serde_yaml::to_string(&value).expect(PLAIN))
}

/// Writes a plain value as YAML in one line.
pub(super) fn scalar<T: Serialize + ?Sized>(value: &T) -> String {
    let written = to_string(&value);
    match written.trim_end().contains('\n') {
        // What JSON calls a text, YAML does too.
        true => serde_json::to_string(value).expect("plain data is always JSON"),
        false => written.trim_end().to_owned(),
    }
}

/// Whether readers of 1.1 and of 1.2 take this for the text that it is, without quotes around it. What it is beside other
/// YAML is not looked at.
pub(super) fn is_bare_text(text: &str) -> bool {
    let read: Result<serde_yaml::Value, _> = serde_yaml::from_str(text);
    matches!(read, Ok(serde_yaml::Value::String(read)) if read == text) && !older::is_misread(text)
}

/// What a text says.
pub(super) fn tree(source: &Arc<Source>) -> Result<Tree, Problem> {
    if let Some(problem) = before_reading(source) {
        return Err(problem);
    }
    let mut reading = Reading::new(source, None);
    let read = Node { reading: &mut reading, depth: 0, place: Position::Top }
        .deserialize(serde_yaml::Deserializer::from_str(&source.text));
    let error = match read {
        Ok(tree) => return Ok(tree),
        Err(error) => error,
    };
    let place = error.location().map_or((1, 1), |at| (at.line(), at.column()));
    if let Some(refusal) = reading.refusal {
        let help = (!refusal.help.is_empty()).then(|| refusal.help.to_owned());
        return Err(source.problem(refusal.code, place, refusal.mark, refusal.message, help));
    }
    Err(syntax(source, place, &error.to_string()))
}

/// What can be said of a text without reading it as YAML.
fn before_reading(source: &Source) -> Option<Problem> {
    let text = &source.text;
    let ours = text.lines().position(|line| line.starts_with("<<<<<<< "));
    if let Some(line) = ours.filter(|_| text.contains("\n>>>>>>> ")) {
        let message = "git is in the middle of a merge, and this file has conflicts".to_owned();
        let help = "decide for one side, remove the marks, and `git add` it; or `git merge --abort`".to_owned();
        return Some(source.problem("GR001", (line + 1, 1), Mark::Value, message, Some(help)));
    }
    // The parser looks at every open bracket again with every new one: it must never see a million of them.
    let mut open = 0_usize;
    for (number, line) in text.lines().enumerate() {
        for (column, c) in line.chars().enumerate() {
            match c {
                '[' | '{' => open += 1,
                ']' | '}' => open = open.saturating_sub(1),
                _ => {}
            }
            if open > MAX_OPEN {
                return Some(too_deep(source, (number + 1, column + 1)));
            }
        }
    }
    None
}

/// Brackets that may be open at once, those in texts and comments among them.
const MAX_OPEN: usize = 1000;

fn too_deep(source: &Source, place: (usize, usize)) -> Problem {
    let message = "maps and lists are nested too deeply here".to_owned();
    source.problem("GR001", place, Mark::Value, message, Some(format!("at most {MAX_DEPTH} in one another")))
}

/// A problem of the text, in words for people where the parser's are for programmers.
fn syntax(source: &Source, place: (usize, usize), said: &str) -> Problem {
    let line = source.line(place.0);
    let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
    let tab = line[..indentation].find('\t');
    if let Some(at) = tab.filter(|_| said.contains("cannot start any token") || said.contains("tab")) {
        let help = Some("indent with spaces: two for each step".to_owned());
        let message = "YAML is not indented with tabs".to_owned();
        return source.problem("GR003", (place.0, at + 1), Mark::Value, message, help);
    }
    let forbidden = |c: char| c.is_control() && !"\t\n\r\u{85}".contains(c);
    if let Some(at) = source.text.find(forbidden).filter(|_| said.contains("control characters")) {
        let help = Some("write it as an escape, in double quotes: \"\\x1b\"".to_owned());
        let message = "a control character stands here".to_owned();
        return source.problem("GR003", source.place_of(at), Mark::Value, message, help);
    }
    if said.starts_with("recursion limit") {
        return too_deep(source, place);
    }
    if said.starts_with("repetition limit") {
        return source.problem("GR001", place, Mark::Value, "aliases repeat too much".to_owned(), None);
    }
    if said.contains("more than one document") {
        let second = source.text.lines().enumerate().skip(1).find(|(_, line)| line.starts_with("---"));
        let line = second.map_or(1, |(at, _)| at + 1);
        let help = Some("write each into a file of its own".to_owned());
        let message = "a second document begins here, and a file holds one".to_owned();
        return source.problem("GR003", (line, 1), Mark::Value, message, help);
    }
    let begun = said.rsplit_once(" at line ").and_then(|(before, at)| {
        let (line, column) = at.split_once(" column ")?;
        let what = before.rsplit_once("while parsing a ")?.1;
        Some(format!("the {what} begins at line {line}, column {column}"))
    });
    let said = said.find(" at line ").map_or(said, |at| &said[..at]);
    let place = if line.trim().is_empty() { source.end() } else { place };
    source.problem("GR003", place, Mark::Value, format!("this is not YAML: {said}"), begun)
}

/// A reading under way.
struct Reading<'a> {
    source: &'a Arc<Source>,
    values: u32,
    text: usize,
    /// The value to stop at, or at its key.
    stop: Option<(u32, bool)>,
    /// Why it was given up, when not by the parser.
    refusal: Option<Refusal>,
}

struct Refusal {
    code: &'static str,
    message: String,
    help: &'static str,
    mark: Mark<'static>,
}

impl<'a> Reading<'a> {
    fn new(source: &'a Arc<Source>, stop: Option<(u32, bool)>) -> Self {
        Self { source, values: 0, text: 0, stop, refusal: None }
    }

    fn refuse<E: serde::de::Error>(&mut self, code: &'static str, message: impl Into<String>, help: &'static str) -> E {
        self.refusal = Some(Refusal { code, message: message.into(), help, mark: Mark::Value });
        E::custom("refused")
    }

    /// Counts text, so that aliases cannot multiply it.
    fn count<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        self.text += text.len();
        if self.text > MAX_TEXT {
            return Err(self.refuse("GR001", "aliases repeat more text than anybody wrote", "write it out"));
        }
        Ok(())
    }
}

/// Where a value stands: only in a map can it replace something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Top,
    Map,
    List,
}

/// The next value.
struct Node<'r, 'a> {
    reading: &'r mut Reading<'a>,
    depth: usize,
    place: Position,
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Tree, D::Error> {
        let number = self.reading.values;
        self.reading.values += 1;
        reader.deserialize_any(Content { node: self, number, tagged: false })
    }
}

/// What the next value is, once it has its number.
struct Content<'r, 'a> {
    node: Node<'r, 'a>,
    number: u32,
    tagged: bool,
}

impl<'de> DeserializeSeed<'de> for Content<'_, '_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Tree, D::Error> {
        reader.deserialize_any(self)
    }
}

impl Content<'_, '_> {
    fn arrive<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if self.node.reading.stop == Some((self.number, false)) {
            return Err(E::custom("this is the place"));
        }
        if self.number >= MAX_VALUES {
            return Err(self.node.reading.refuse(
                "GR001",
                "more values than anybody writes",
                "do aliases multiply them?",
            ));
        }
        if self.node.depth > MAX_DEPTH {
            return Err(self.node.reading.refuse("GR001", "maps and lists are nested too deeply here", ""));
        }
        Ok(())
    }

    fn tree(self, value: Value) -> Tree {
        let origin = Origin { source: self.node.reading.source.clone(), number: self.number };
        Tree { value, origin, replaces: self.tagged }
    }

    fn plain<E: serde::de::Error>(mut self, value: Value) -> Result<Tree, E> {
        self.arrive()?;
        Ok(self.tree(value))
    }
}

impl<'de> Visitor<'de> for Content<'_, '_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Tree, E> {
        self.plain(Value::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Tree, E> {
        self.plain(Value::Signed(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Tree, E> {
        self.plain(Value::Unsigned(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Tree, E> {
        self.plain(Value::Float(value))
    }

    // Only numbers that fit nowhere else come this way.
    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Tree, E> {
        self.plain(Value::Float(value as f64))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Tree, E> {
        self.plain(Value::Float(value as f64))
    }

    fn visit_str<E: serde::de::Error>(mut self, text: &str) -> Result<Tree, E> {
        self.arrive()?;
        self.node.reading.count(text)?;
        Ok(self.tree(Value::Text(text.to_owned())))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Tree, E> {
        self.plain(Value::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Tree, E> {
        self.plain(Value::Null)
    }

    fn visit_enum<A: EnumAccess<'de>>(mut self, value: A) -> Result<Tree, A::Error> {
        self.arrive()?;
        let (tag, content) = value.variant::<String>()?;
        if tag != "replace" {
            let message = format!("the tag `!{tag}` means nothing here");
            return Err(self.node.reading.refuse("GR064", message, "the one tag is `!replace`"));
        }
        if self.node.place != Position::Map {
            let help = "it stands behind a key, and replaces what was inherited there";
            return Err(self.node.reading.refuse("GR064", "`!replace` replaces nothing here", help));
        }
        self.tagged = true;
        content.newtype_variant_seed(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Tree, A::Error> {
        self.arrive()?;
        let mut list = vec![];
        let depth = self.node.depth + 1;
        while let Some(item) =
            items.next_element_seed(Node { reading: self.node.reading, depth, place: Position::List })?
        {
            list.push(item);
        }
        Ok(self.tree(Value::List(list)))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Tree, A::Error> {
        self.arrive()?;
        let mut map: IndexMap<String, Tree> = IndexMap::new();
        let depth = self.node.depth + 1;
        while let Some(key) = entries.next_key_seed(Key { reading: self.node.reading, before: &map })? {
            let tree = entries.next_value_seed(Node { reading: self.node.reading, depth, place: Position::Map })?;
            if let Entry::Vacant(entry) = map.entry(key) {
                entry.insert(tree);
            }
        }
        Ok(self.tree(Value::Map(map)))
    }
}

/// The next key of a map.
struct Key<'r, 'a> {
    reading: &'r mut Reading<'a>,
    before: &'r IndexMap<String, Tree>,
}

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<String, D::Error> {
        // As a text: `8080: ssh` and `yes: no` have the keys that one sees.
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_, '_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text as key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<String, E> {
        // A key comes right before its value, whose number is the next.
        if self.reading.stop == Some((self.reading.values, true)) {
            return Err(E::custom("this is the place"));
        }
        self.reading.count(key)?;
        let refuse = |reading: &mut Reading<'_>, message: String, help| {
            reading.refusal = Some(Refusal { code: "GR003", message, help, mark: Mark::Key });
            Err(E::custom("refused"))
        };
        if self.before.contains_key(key) {
            return refuse(self.reading, format!("`{key}` stands here twice"), "keep one of the two");
        }
        if key == "<<" {
            let help = "compose documents with `extends`";
            return refuse(self.reading, "`<<` does not merge here".to_owned(), help);
        }
        Ok(key.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tree, Problem> {
        tree(&Arc::new(Source::new("x.yaml", text.into())?))
    }

    #[test]
    fn what_is_no_document_is_told_and_never_a_panic() {
        let told = |text: &str| read(text).expect_err(text).to_string();
        assert!(told("a:\n\tb: 1").contains("x.yaml:2:1") && told("a:\n\tb: 1").contains("tabs"));
        assert!(told("name: a\n---\nname: b").contains("x.yaml:2:1"));
        assert!(told("name: a\nnoise: 1\nname: b").contains("x.yaml:3:1\n"));
        assert!(told("*x").contains("unknown anchor"));
        assert!(told("a: !include x").contains("!include"));
        assert!(told("<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n").contains("merge"));
        assert!(told("a: {<<: 1}").contains("extends"));
        assert!(told("[a]: 1").contains("as key") && told(&"? ".repeat(200_000)).contains("as key"));
    }

    #[test]
    fn bombs_go_off_outside() {
        let levels = (1..12).map(|n| format!("l{n}: &l{n} [{}]\n", vec![format!("*l{}", n - 1); 9].join(", ")));
        let laughs = format!("l0: &l0 [lol]\n{}", levels.collect::<String>());
        let long = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 10_000].join(", "));
        let deep = "[".repeat(MAX_OPEN + 1);
        let blocks: String = (0..900).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        for bomb in [laughs, long, deep, "- ".repeat(200_000), blocks, "{a: ".repeat(900)] {
            assert_eq!(read(&bomb).expect_err("a bomb").code, "GR001", "{}", &bomb[..40]);
        }
    }
}
