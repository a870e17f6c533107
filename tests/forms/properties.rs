//! What holds of every edit: of personas that nobody would write, in all the ways of writing them; and of no persona at all.

use greenroom::{
    document::{Change, Content, Document, Path, edit},
    persona::{Draft, complete, compose::Shelf, schema::Target},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{samples, style::Style, wild};

fn no_order(_: &Path) -> Vec<String> {
    vec![]
}

fn content(value: &Value) -> Content {
    serde_json::from_value(value.clone()).unwrap()
}

fn read(text: &str) -> Value {
    let document = Document::read("x.yaml", text.into()).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
    document.parse().unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}

fn edited(text: &str, changes: &[Change]) -> Result<String, String> {
    let document = Document::read("x.yaml", text.into()).map_err(|problem| problem.to_string())?;
    edit(&document, changes, &no_order).map(|edited| edited.text).map_err(|problem| problem.to_string())
}

/// The ways to all values of a document, those that hold others too.
fn ways(value: &Value, way: &mut Vec<String>, found: &mut Vec<(Vec<String>, Value)>) {
    if !way.is_empty() {
        found.push((way.clone(), value.clone()));
    }
    let mut below = |step: String, value: &Value| {
        way.push(step);
        ways(value, way, found);
        way.pop();
    };
    match value {
        Value::Object(entries) => entries.iter().for_each(|(key, value)| below(key.clone(), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| below(at.to_string(), value)),
        _ => {}
    }
}

fn all(value: &Value) -> Vec<(Vec<String>, Value)> {
    let mut found = vec![];
    ways(value, &mut vec![], &mut found);
    found
}

fn is_plain(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

fn any_persona() -> impl Strategy<Value = Value> {
    let target = prop::sample::select(&Target::ALL[..]);
    target.prop_flat_map(wild::persona).prop_map(|persona| serde_json::to_value(persona).unwrap())
}

/// Any value that a document may hold.
fn any_value() -> impl Strategy<Value = Value> {
    let text =
        prop_oneof![wild::text(), "[a-z]{1,8}", "\\PC{0,12}", "no|on|1e3|0755|12:30|~|null|2024-01-01|- a|a: b|# x"];
    let leaf = prop_oneof![
        text.clone().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let key = prop_oneof!["[a-e]", "[ -~]{1,6}"].prop_filter("a key of ours", |key| key != "<<");
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn any_document() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-h]", any_value(), 1..5)
        .prop_map(|entries| Value::Object(entries.into_iter().collect()))
}

/// The value at a way, to change it.
fn at<'v>(value: &'v mut Value, way: &[String]) -> &'v mut Value {
    way.iter().fold(value, |value, step| match value {
        Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
        value => &mut value[step.as_str()],
    })
}

/// The model: the same change of plain values. Maps that are empty then go, where they stand in maps.
fn apply(value: &mut Value, change: &Change) {
    match change {
        Change::Set { path, value: new } => *at(value, path.steps()) = serde_json::to_value(new).unwrap(),
        Change::Remove { path } => {
            let (last, above) = path.steps().split_last().unwrap();
            match at(value, above) {
                Value::Object(entries) => drop(entries.remove(last)),
                Value::Array(items) => drop(items.remove(last.parse().unwrap())),
                _ => unreachable!(),
            }
        }
        Change::Insert { path, at: place, value: new } => {
            let items = at(value, path.steps()).as_array_mut().unwrap();
            items.insert((*place).min(items.len()), serde_json::to_value(new).unwrap());
        }
        Change::Move { path, from, to } => {
            let items = at(value, path.steps()).as_array_mut().unwrap();
            let item = items.remove(*from);
            items.insert(*to, item);
        }
        Change::Rename { path, to } => {
            let (last, above) = path.steps().split_last().unwrap();
            let entries = at(value, above).as_object_mut().unwrap();
            let moved = entries.remove(last).unwrap();
            entries.insert(to.clone(), moved);
        }
    }
}

/// A change of something that is there.
fn change_of(value: &Value, style: &mut Style, new: &Value) -> Option<Change> {
    let found = all(value);
    let (way, here) = found.get(style.below(found.len().max(1)))?;
    let path = Path::of(way.iter().cloned());
    Some(match (style.below(6), here) {
        (0, Value::Array(items)) => Change::Insert { path, at: style.below(items.len() + 1), value: content(new) },
        (1, Value::Array(items)) if !items.is_empty() => {
            Change::Move { path, from: style.below(items.len()), to: style.below(items.len()) }
        }
        (2, Value::Object(_)) => {
            let step = format!("new{}", style.below(1000));
            let mut entries = here.as_object()?.clone();
            entries.insert(step, new.clone());
            Change::Set { path, value: content(&Value::Object(entries)) }
        }
        (3, _) => {
            let (_, above) = way.split_last()?;
            let parent = above.iter().fold(value, |value, step| match value {
                Value::Array(items) => &items[step.parse::<usize>().unwrap()],
                value => &value[step.as_str()],
            });
            let to = format!("renamed{}", style.below(1000));
            match parent.get(&to).is_none() && parent.is_object() {
                true => Change::Rename { path, to },
                false => return None,
            }
        }
        (4, _) if value.as_object()?.len() > 1 => Change::Remove { path },
        _ => Change::Set { path, value: content(new) },
    })
}

/// What is left when empty maps and lists below keys are not looked at: removing may take them along.
fn without_nothing(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let kept = entries.iter().map(|(key, value)| (key.clone(), without_nothing(value)));
            Value::Object(kept.filter(|(_, value)| *value != json!({}) && *value != json!([])).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nothing).collect()),
        value => value.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn what_has_its_value_keeps_its_bytes(persona in any_persona(), seed in any::<u64>()) {
        let text = Style::of(seed).document(&persona);
        prop_assert_eq!(read(&text), persona.clone(), "{}", text);
        let sets = all(&persona).into_iter().map(|(way, value)| Change::Set { path: Path::of(way), value: content(&value) });
        let made = edited(&text, &sets.collect::<Vec<_>>());
        prop_assert_eq!(made, Ok(text));
    }

    #[test]
    fn there_and_back_again_is_where_one_was(persona in any_persona(), seed in any::<u64>(), word in "[a-z]{6,9}") {
        let mut style = Style::of(seed);
        let text = style.document(&persona);
        let plain: Vec<_> = all(&persona).into_iter().filter(|(_, value)| is_plain(value)).collect();
        let (way, old) = &plain[style.below(plain.len())];
        let set = |value: &Value| Change::Set { path: Path::of(way.iter().cloned()), value: content(value) };
        let there = edited(&text, &[set(&json!(word))]).map_err(TestCaseError::fail)?;
        let back = edited(&there, &[set(old)]).map_err(TestCaseError::fail)?;
        prop_assert_eq!(read(&back), persona.clone());
        // Only the value's own bytes may be others: a text in lines may come back in quotes.
        let start = back.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
        let end = back[start..].bytes().rev().zip(text[start..].bytes().rev()).take_while(|(a, b)| a == b).count();
        let (kept, lost) = (&back[start..back.len() - end], &text[start..text.len() - end]);
        let lines = lost.matches('\n').count().max(kept.matches('\n').count());
        let own = old.as_str().map_or(0, |text| text.matches('\n').count() + 1);
        prop_assert!(lines <= own, "{lost:?} became {kept:?}");
        for (_, comment) in &style.told {
            prop_assert!(back.contains(comment.as_str()), "{comment} is lost");
        }
    }

    #[test]
    fn any_changes_do_what_they_say_and_nothing_else(
        document in any_document(),
        seed in any::<u64>(),
        news in prop::collection::vec(any_value(), 1..6),
    ) {
        let mut style = Style::of(seed);
        let (mut text, mut model) = (style.document(&document), document.clone());
        prop_assert_eq!(read(&text), document, "{}", text);
        for new in &news {
            let Some(change) = change_of(&model, &mut style, new) else { continue };
            let before = text.clone();
            text = edited(&text, std::slice::from_ref(&change)).map_err(|told| {
                TestCaseError::fail(format!("{told}\n{change:?}\n{before}"))
            })?;
            apply(&mut model, &change);
            let now = read(&text);
            match &change {
                Change::Remove { .. } => {
                    prop_assert_eq!(without_nothing(&now), without_nothing(&model), "{:?}\n{}\n{}", change, before, text);
                    model = now;
                }
                _ => prop_assert_eq!(&now, &model, "{:?}\n{}\n{}", change, before, text),
            }
            // What belongs to other values is still said.
            let touched = change.path().steps();
            for (way, comment) in &style.told {
                let apart = !way.starts_with(touched) && !touched.starts_with(way);
                let lost = before.contains(comment.as_str()) && !text.contains(comment.as_str());
                prop_assert!(!(apart && lost), "{comment} of {way:?} is lost by {change:?}\n{before}\n{text}");
            }
            if matches!(change, Change::Rename { .. } | Change::Move { .. } | Change::Insert { .. } | Change::Remove { .. }) {
                // The ways of later values may be others now.
                style.told.clear();
            }
        }
    }

    #[test]
    fn nothing_that_is_typed_makes_anything_panic(
        text in "([a-c]: |- |\n|  |[\\[\\]{},:#&*!|>'\"%@`?\\-]|x|'y'|os:|users:|\\PC|\r|\t){0,60}",
        steps in prop::collection::vec("[a-c]|0|1|\\PC", 0..4),
        value in any_value(),
        at in any::<prop::sample::Index>(),
    ) {
        let path = Path::of(steps);
        let changes = [
            Change::Set { path: path.clone(), value: content(&value) },
            Change::Remove { path: path.clone() },
            Change::Insert { path: path.clone(), at: 1, value: content(&value) },
            Change::Move { path: path.clone(), from: 0, to: 1 },
            Change::Rename { path, to: "z".into() },
        ];
        for change in changes {
            if let Ok(made) = edited(&text, &[change]) {
                drop(read(&made));
            }
        }
        drop(complete::at(&text, at.index(text.len() + 1), &complete::Names::new()));
        if let Ok(draft) = Draft::of("x", "x.yaml", &text, &Shelf::new()) {
            drop(draft.form());
        }
    }
}

#[test]
fn every_sample_survives_each_of_its_values_being_written_anew() {
    for (name, text) in samples() {
        let value = read(&text);
        for (way, old) in all(&value) {
            let set = |value: &Value| Change::Set { path: Path::of(way.iter().cloned()), value: content(value) };
            let same = edited(&text, &[set(&old)]).unwrap_or_else(|told| panic!("{name}: {told}"));
            assert_eq!(same, text, "{name} {way:?}");
            if is_plain(&old) {
                let there =
                    edited(&text, &[set(&json!("something: else"))]).unwrap_or_else(|told| panic!("{name}: {told}"));
                let back = edited(&there, &[set(&old)]).unwrap_or_else(|told| panic!("{name}: {told}"));
                let (lines, others) = (back.lines().count(), text.lines().count());
                assert_eq!(read(&back), value, "{name} {way:?}");
                assert!(lines <= others, "{name} {way:?}");
            }
        }
    }
}

#[test]
fn a_megabyte_is_edited_and_more_is_refused() {
    let mut text = String::from("a: 1\nlist:\n");
    while text.len() < 1_000_000 {
        text.push_str("  - {name: something, value: \"a text in quotes that takes some room\"} # and why\n");
    }
    let items = text.lines().count() - 2;
    let middle = Path::of(["list".to_owned(), (items / 2).to_string(), "value".to_owned()]);
    let made = edited(&text, &[Change::Set { path: middle, value: Content::text("short") }]).unwrap();
    assert_eq!(made.len() + "a text in quotes that takes some room".len(), text.len() + "short".len());
    let long = Content::text("x".repeat(100_000));
    let told = edited(&text, &[Change::Set { path: Path::of(["a"]), value: long }]).unwrap_err();
    assert!(told.contains("1 MiB"), "{told}");
    assert!(Document::read("x.yaml", vec![b'#'; 10 << 20]).is_err());
}
