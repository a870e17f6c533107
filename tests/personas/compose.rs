//! Composition: what comes of documents that extend one another, and what is told when nothing can.

use std::sync::Arc;

use greenroom::{
    document::{Document, Problem},
    persona::compose::{Lineage, Shelf},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn shelf<'a>(documents: impl IntoIterator<Item = (&'a str, &'a str)>) -> Shelf {
    let read = |(name, text): (&str, &str)| {
        let read = Document::read(format!("{name}.yaml"), text.as_bytes().to_vec());
        (name.to_owned(), read.map(Arc::new).map_err(|problem| vec![problem]))
    };
    documents.into_iter().map(read).collect()
}

fn composed(name: &str, shelf: &Shelf) -> Result<Document, Vec<Problem>> {
    Lineage::of(name, shelf)?.compose()
}

/// What the last of the documents composes to.
fn made<const N: usize>(documents: [(&str, &str); N]) -> Value {
    let document = composed(documents[N - 1].0, &shelf(documents)).unwrap_or_else(|problems| panic!("{}", problems[0]));
    let mut value: Value = document.parse().unwrap();
    value.as_object_mut().unwrap().remove("extends");
    value
}

fn told<const N: usize>(documents: [(&str, &str); N]) -> String {
    let problems = composed(documents[N - 1].0, &shelf(documents)).expect_err("it cannot be composed");
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn maps_merge_lists_append_and_the_nearer_document_wins() {
    let base = ("fragments/base", "owner: base\nos: {version: \"12\", image: debian}\napps: {packages: [git, vim]}\n");
    let tools = ("fragments/tools", "apps: {packages: [tmux], services: {enable: [ssh]}}\n");
    let own = ("kiosk", "extends: [fragments/base, fragments/tools]\nos: {image: own}\napps: {packages: [firefox]}\n");
    assert_eq!(
        made([base, tools, own]),
        json!({
            "owner": "base",
            "os": {"version": "12", "image": "own"},
            "apps": {"packages": ["git", "vim", "tmux", "firefox"], "services": {"enable": ["ssh"]}},
        })
    );
}

#[test]
fn a_tag_replaces_and_null_removes() {
    let base = ("base", "apps: {packages: [git, vim], files: {a: 1, b: 2}}\nowner: x\nraw: {x: {y: 1}}\n");
    let own =
        "extends: base\napps: {packages: !replace [tmux], files: !replace {c: 3}}\nowner: null\nraw: {x: {y: null}}\n";
    assert_eq!(
        made([base, ("own", own)]),
        json!({"apps": {"packages": ["tmux"], "files": {"c": 3}}, "raw": {"x": {}}})
    );
    let further = "extends: own\napps: {packages: [nano]}\nowner: y\n";
    let three = made([base, ("own", own), ("further", further)]);
    assert_eq!((&three["apps"]["packages"], &three["owner"]), (&json!(["tmux", "nano"]), &json!("y")));
    let nothing = made([("base", "owner: x\n"), ("own", "extends: base\nraw: {x: null}\n")]);
    assert_eq!(nothing["raw"], json!({"x": null}), "what removes nothing says what it says in its format");
}

#[test]
fn what_a_derived_document_settles_holds_whichever_way_its_base_comes_in() {
    let base = ("base", "owner: base\nlabels: {a: base}\napps: {packages: [git], commands: [one]}\nraw: {gone: 1}\n");
    let derived = (
        "derived",
        "extends: base\nowner: derived\nlabels: !replace {b: derived}\napps: {packages: !replace [tmux], commands: null}\nraw: {gone: null}\n",
    );
    let expected = json!({
        "owner": "derived", "labels": {"b": "derived"}, "apps": {"packages": ["tmux"]}, "raw": {}
    });
    for order in ["[base, derived]", "[derived, base]", "[derived]", "derived"] {
        assert_eq!(made([base, derived, ("own", &format!("extends: {order}\n"))]), expected, "{order}");
    }
    // Through a document that does not know of it, too.
    let other = ("other", "extends: base\n");
    assert_eq!(made([base, derived, other, ("own", "extends: [derived, other]\n")]), expected);
}

#[test]
fn what_comes_by_two_ways_is_taken_once() {
    let base = ("base", "apps: {packages: [git, git]}\nowner: one\n");
    let [left, right] = [("left", "extends: base\napps: {packages: [left]}\n"), ("right", "extends: base\n")];
    let own = ("own", "extends: [left, right]\napps: {packages: [git]}\n");
    let made = made([base, left, right, own]);
    // Once for each place where it was written: what two people wrote is not one thing.
    assert_eq!(made["apps"]["packages"], json!(["git", "git", "left", "git"]));
    assert_eq!(made["owner"], "one");
}

#[test]
fn what_is_each_documents_own_is_not_inherited() {
    let base = ("base", "apiVersion: greenroom/v1\ndescription: base\nsupersedes: [old]\nowner: x\n");
    assert_eq!(made([base, ("own", "extends: base\napiVersion: own\n")]), json!({"apiVersion": "own", "owner": "x"}));
}

#[test]
fn what_cannot_be_composed_names_both_places_and_the_way_out() {
    let a = ("fragments/a", "os:\n  version: \"11\"\n");
    let b = ("fragments/b", "# newer\nos:\n  version: \"12\"\n");
    let conflict = told([a, b, ("own", "description: x\nextends: [fragments/a, fragments/b]\n")]);
    let same = made([a, ("fragments/c", a.1), ("own", "extends: [fragments/a, fragments/c]\n")]);
    assert_eq!(same["os"]["version"], "11", "the same twice is no conflict");
    let settled = made([a, b, ("own", "extends: [fragments/a, fragments/b]\nos: {version: \"13\"}\n")]);
    assert_eq!(settled["os"]["version"], "13");
    let removal = told([
        ("base", "owner: x\n"),
        ("left", "extends: base\nowner: null\n"),
        ("right", "extends: base\nowner: y\n"),
        ("own", "extends: [left, right]\n"),
    ]);
    let kinds =
        told([("base", "apps:\n  packages: [git]\n"), ("own", "extends: base\napps:\n  packages: {apt: [vim]}\n")]);
    let round = told([("a", "extends: [b]\n"), ("c", "extends: a\n"), ("b", "extends: [c]\n")]);
    let itself = told([("a", "owner: x\nextends: a\n")]);
    let unknown = told([
        ("fragments/base-linux", ""),
        ("own", "extends:\n  - fragments/base-linx\n  - base-linux.yaml\n  - nobody\n"),
    ]);
    let tag = told([("own", "apps:\n  packages: !append [a]\n")]);
    insta::assert_snapshot!([conflict, removal, kinds, round, itself, unknown, tag].join("\n\n----\n\n"));
}

#[test]
fn a_long_line_of_documents_ends() {
    let texts: Vec<(String, String)> =
        (0..5000).map(|n| (format!("p{n}"), format!("extends: p{}\n", (n + 1) % 5000))).collect();
    let shelf = shelf(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let problems = composed("p0", &shelf).expect_err("nobody extends so many");
    assert!(problems[0].to_string().contains("more than 64"), "{}", problems[0]);
}

#[test]
fn a_problem_points_into_the_file_that_holds_the_value() {
    let shelf = shelf([
        ("fragments/base", "apps:\n  packages:\n    - one\n    - Two\n"),
        ("own", "extends: fragments/base\napps:\n  packages: [three]\n"),
    ]);
    let document = composed("own", &shelf).unwrap();
    let place = |path| {
        let problem = document.problem_at("GR020", path, "x", "");
        format!("{}:{}:{}", problem.path, problem.line, problem.column)
    };
    assert_eq!(place("apps.packages.1"), "fragments/base.yaml:4:7");
    assert_eq!(place("apps.packages.2"), "own.yaml:3:14");
    assert_eq!(place("apps"), "own.yaml:2:1", "what several say is the nearest one's");
    assert_eq!(document.place_of("apps.packages.0"), "fragments/base.yaml:3");
}

#[test]
fn a_thousand_conflicts_are_not_all_told() {
    let said = |value: &str| (0..20_000).map(|n| format!("k{n}: {value}\n")).collect::<String>();
    let [left, right] = [said("1"), said("2")];
    let problems =
        composed("own", &shelf([("left", left.as_str()), ("right", &right), ("own", "extends: [left, right]\n")]));
    assert_eq!(problems.expect_err("they conflict").len(), 50);
}

/// Values whose keys say what they are, so that no list meets a map.
fn tame() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![Just(Value::Null), (0..4).prop_map(Value::from), "[a-c]".prop_map(Value::from)];
    let list = prop::collection::vec((0..9).prop_map(Value::from), 0..3).prop_map(Value::from);
    let entry = prop_oneof![("s[12]", scalar), ("l[12]", list)];
    let flat =
        prop::collection::vec(entry.clone(), 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect()));
    prop::collection::vec(prop_oneof![3 => entry, 1 => ("m[12]", flat)], 0..5)
        .prop_map(|entries| Value::Object(entries.into_iter().collect()))
}

/// The same rules for two documents of which the second extends the first: the simplest that can be.
fn merge_two(base: &Value, own: &Value) -> Value {
    match (base, own) {
        (Value::Object(base), Value::Object(own)) => {
            let mut merged = base.clone();
            for (key, value) in own {
                let value = base.get(key).map_or(value.clone(), |base| merge_two(base, value));
                merged.insert(key.clone(), value);
            }
            Value::Object(merged)
        }
        (Value::Array(base), Value::Array(own)) => base.iter().chain(own).cloned().collect(),
        (_, own) => own.clone(),
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let left = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(left.map(|(key, value)| (key, without_nulls(value))).collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn document(value: &Value, extends: &[String]) -> String {
    let mut value = value.clone();
    value["extends"] = json!(extends);
    // JSON is YAML.
    value.to_string()
}

/// A list's items in no order.
fn unordered(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(map.into_iter().map(|(key, value)| (key, unordered(value))).collect()),
        Value::Array(mut items) => {
            items.sort_by_key(ToString::to_string);
            Value::Array(items)
        }
        other => other,
    }
}

proptest! {
    #[test]
    fn a_line_of_documents_is_as_if_each_were_merged_into_the_last(values in prop::collection::vec(tame(), 1..6)) {
        let name = |at: usize| format!("p{at}");
        let texts: Vec<(String, String)> = values.iter().enumerate().map(|(at, value)| {
            let extends: Vec<String> = at.checked_sub(1).map(name).into_iter().collect();
            (name(at), document(value, &extends))
        }).collect();
        let shelf = shelf(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        let made = composed(&name(values.len() - 1), &shelf).map_err(|problems| TestCaseError::fail(problems[0].to_string()))?;
        let mut made: Value = made.parse().unwrap();
        made.as_object_mut().unwrap().remove("extends");
        let model = values.iter().skip(1).fold(values[0].clone(), |base, own| merge_two(&base, own));
        prop_assert_eq!(without_nulls(made), without_nulls(model));
    }

    #[test]
    fn a_document_that_extends_nothing_or_what_says_nothing_is_itself(value in tame()) {
        let alone = document(&value, &[]);
        let with_empty = document(&value, &["empty".into()]);
        let shelf = shelf([("alone", alone.as_str()), ("with", with_empty.as_str()), ("empty", "{}")]);
        for name in ["alone", "with"] {
            let mut made: Value = composed(name, &shelf).unwrap().parse().unwrap();
            made.as_object_mut().unwrap().remove("extends");
            prop_assert_eq!(&made, &value);
        }
    }

    #[test]
    fn any_documents_compose_or_are_told_where_not(
        texts in prop::collection::vec(
            (prop::collection::vec(prop_oneof!["p[0-6]", "fragments/x"], 0..3), tame(), any::<prop::sample::Index>()), 1..7),
        noise in prop_oneof![Just(""), Just("l1: {a: 1}\n"), Just("m1: !replace {s1: 1}\n"), Just("l2: !replace []\n"), Just("m2: null\n"), Just("s1: [\n")],
    ) {
        let texts: Vec<(String, String)> = texts.iter().enumerate().map(|(at, (extends, value, place))| {
            let mut text = format!("extends: {}\n", json!(extends));
            let body = value.as_object().unwrap();
            let lines: Vec<String> = body.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
            let said = |line: &&String| noise.split(':').next() != line.split(':').next();
            let here = place.index(2) == 0;
            text.extend(lines.iter().filter(|line| !here || said(line)).map(String::as_str));
            text.push_str(if here { noise } else { "" });
            (format!("p{at}"), text)
        }).collect();
        let shelf = shelf(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        for (name, text) in &texts {
            for problem in composed(name, &shelf).err().unwrap_or_default() {
                let (_, within) = texts.iter().find(|(name, _)| problem.path == format!("{name}.yaml")).unwrap();
                prop_assert!(problem.line <= within.lines().count(), "{}", problem);
                let line = within.lines().nth(problem.line.saturating_sub(1)).unwrap_or_default();
                prop_assert!(problem.column <= line.chars().count().max(1), "{}", problem);
                prop_assert!(!problem.to_string().is_empty());
            }
            // The order of what is extended decides the order of lists, and nothing else.
            let mut turned = shelf.clone();
            let value: Result<Value, _> = Document::read("t", text.clone().into_bytes()).map(|d| d.parse().unwrap());
            if let Ok(mut value) = value && !text.contains("!replace") {
                if let Some(extends) = value["extends"].as_array_mut() {
                    extends.reverse();
                }
                let again = Document::read(format!("{name}.yaml"), value.to_string().into_bytes()).unwrap();
                turned.insert(name.clone(), Ok(Arc::new(again)));
                let made = |shelf| composed(name, shelf).ok().map(|document| {
                    let mut value: Value = document.parse().unwrap();
                    value.as_object_mut().unwrap().remove("extends");
                    unordered(value)
                });
                prop_assert_eq!(made(&shelf), made(&turned));
            }
        }
    }
}
