//! The shape of a persona: its fields as a tree, from the schema, with what people call them. Made once.

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::{
    document::{Path, known_keys},
    persona::{
        Persona,
        schema::{ORDER, Shape as Of, json_schema},
    },
};

use super::{Choice, Offer, label};

/// A field and those below it.
#[derive(Debug, Clone)]
pub(in crate::persona) struct Shape {
    pub(in crate::persona) name: String,
    pub(in crate::persona) label: String,
    pub(in crate::persona) help: String,
    pub(in crate::persona) sort: Sort,
    pub(in crate::persona) required: bool,
    pub(in crate::persona) default: Option<String>,
    pub(in crate::persona) offers: Option<Offer>,
    /// Of a value with two forms, the long one; this is the short one then.
    pub(in crate::persona) long: Option<Box<Self>>,
}

/// What a field takes.
#[derive(Debug, Clone)]
pub(in crate::persona) enum Sort {
    Text,
    LongText,
    Secret,
    Size,
    Number {
        min: Option<i64>,
        max: Option<i64>,
        unit: &'static str,
    },
    Bool,
    Choice(Vec<Choice>),
    /// Fields, in the order in which they are declared.
    Group(Vec<Shape>),
    /// A list of this.
    List(Box<Shape>),
    /// This under each of one's own keys.
    Map(Box<Shape>),
    /// Anything.
    Any,
}

impl Shape {
    /// The shape of a persona.
    pub(in crate::persona) fn of_persona() -> &'static Self {
        static SHAPE: OnceLock<Shape> = OnceLock::new();
        SHAPE.get_or_init(|| {
            let root = json_schema(Of::Composed);
            Making { root: &root, way: vec![] }.shape("", &root)
        })
    }

    /// Whether it is a list, or a map with keys of one's own, of groups.
    pub(in crate::persona) fn is_group(&self) -> bool {
        matches!(self.sort, Sort::Group(_))
    }

    /// The fields of a group.
    pub(in crate::persona) fn members(&self) -> &[Self] {
        match &self.sort {
            Sort::Group(members) => members,
            _ => &[],
        }
    }

    /// What is one step below it, in either form.
    pub(in crate::persona) fn below(&self, step: &str) -> Option<&Self> {
        let own = match &self.sort {
            Sort::Group(members) => members.iter().find(|member| member.name == step),
            Sort::List(item) => step.parse::<usize>().is_ok().then_some(&**item),
            Sort::Map(value) => Some(&**value),
            _ => None,
        };
        own.or_else(|| self.long.as_deref()?.below(step))
    }

    /// What a path leads to.
    pub(in crate::persona) fn at(&self, path: &Path) -> Option<&Self> {
        path.steps().iter().try_fold(self, |shape, step| shape.below(step))
    }
}

/// The keys that a map of a persona may have, in the order in which people write them.
pub(in crate::persona) fn order(map: &Path) -> Vec<String> {
    let shape = Shape::of_persona().at(map);
    let members = shape.map(|shape| shape.long.as_deref().unwrap_or(shape).members()).unwrap_or_default();
    members.iter().map(|member| member.name.clone()).collect()
}

struct Making<'s> {
    root: &'s Value,
    /// The steps that led here; `[]` to the items of a list.
    way: Vec<String>,
}

impl Making<'_> {
    fn shape(&mut self, name: &str, property: &Value) -> Shape {
        let schema = self.resolved(property).clone();
        let text =
            |schema: &Value| schema.get("description").and_then(Value::as_str).map(|text| text.replace('\n', " "));
        let kinds = self.alternatives(&schema);
        let (first, second) = (kinds.first().unwrap_or(&schema), kinds.get(1));
        let help = text(property).or_else(|| text(&schema)).or_else(|| text(first)).unwrap_or_default();
        let default = property.get("default").or_else(|| schema.get("default")).and_then(plain);
        let mut sort = self.sort(name, first);
        let mut long = second.map(|second| (self.sort(name, second), second.clone()));
        // One name or a list of them: whatever is written, it is a list of texts.
        if let (Sort::Text, Some((Sort::List(_), _))) = (&sort, &long)
            && let Some((list, _)) = long.take()
        {
            sort = list;
        }
        let long = long.map(|(sort, second)| {
            let help = text(&second).unwrap_or_else(|| help.clone());
            Box::new(Shape { help, ..self.made(name, sort) })
        });
        Shape { help, default, long, ..self.made(name, sort) }
    }

    fn made(&self, name: &str, sort: Sort) -> Shape {
        let (offers, label) = (label::offer(&self.way), label::of(name));
        let help = String::new();
        Shape { name: name.to_owned(), label, help, sort, required: false, default: None, offers, long: None }
    }

    /// What a schema may be, `null` aside; empty when it is one thing only.
    fn alternatives(&self, schema: &Value) -> Vec<Value> {
        let any = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)).and_then(Value::as_array);
        let real = any.into_iter().flatten().filter(|one| one.get("type") != Some(&json!("null")));
        let kinds: Vec<Value> = real.map(|one| self.resolved(one).clone()).collect();
        if kinds.iter().any(|kind| kind.get("const").is_some()) { vec![] } else { kinds }
    }

    fn sort(&mut self, name: &str, schema: &Value) -> Sort {
        if let Some(choices) = choices(schema) {
            return Sort::Choice(choices);
        }
        // An optional reference has its alternatives one level further down.
        let kinds = self.alternatives(schema);
        if let Some(only) = kinds.first() {
            return self.sort(name, only);
        }
        match first_type(schema) {
            "boolean" => Sort::Bool,
            "integer" | "number" => {
                let bound = |key: &str| schema.get(key).and_then(Value::as_f64).map(|bound| bound as i64);
                Sort::Number { min: bound("minimum"), max: bound("maximum"), unit: label::unit(name) }
            }
            "array" => Sort::List(Box::new(self.below("[]", "", schema.get("items").unwrap_or(&Value::Null)))),
            "object" if schema.get("properties").is_some() => Sort::Group(self.members(schema)),
            "object" => match schema.get("additionalProperties") {
                Some(values) if values.is_object() && !matches!(first_type(self.resolved(values)), "") => {
                    Sort::Map(Box::new(self.below("x", "", values)))
                }
                _ => Sort::Any,
            },
            "string" => label::sort_of_text(&self.way),
            _ => Sort::Any,
        }
    }

    fn below(&mut self, step: &str, name: &str, schema: &Value) -> Shape {
        self.way.push(step.to_owned());
        let shape = self.shape(name, schema);
        self.way.pop();
        shape
    }

    fn members(&mut self, schema: &Value) -> Vec<Shape> {
        let Some(Value::Object(properties)) = schema.get("properties") else { return vec![] };
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
        let way: Vec<&str> = self.way.iter().map(String::as_str).collect();
        let declared = if way.is_empty() { &ORDER[..] } else { known_keys::<Persona>(&way) };
        let place = |name: &str| declared.iter().position(|known| *known == name).unwrap_or(declared.len());
        let mut names: Vec<&String> = properties.keys().collect();
        names.sort_by_key(|name| place(name));
        let make = |name: &String| {
            let mut shape = self.below(name, name, &properties[name]);
            shape.required = is_required(name);
            shape
        };
        names.into_iter().map(make).collect()
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
        target.and_then(|path| self.root.pointer(path)).unwrap_or(schema)
    }
}

/// The values of a schema that is a choice.
fn choices(schema: &Value) -> Option<Vec<Choice>> {
    let choice = |value: &Value, help: Option<&Value>| {
        let help = help.and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Choice { value: value.as_str()?.to_owned(), help })
    };
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().map(|value| choice(value, None)).collect();
    }
    let one_of = schema.get("oneOf").and_then(Value::as_array)?;
    let each = one_of.iter().map(|one| match (one.get("const"), one.get("enum").and_then(Value::as_array)) {
        (Some(value), _) => Some(vec![choice(value, one.get("description"))?]),
        (None, Some(values)) => values.iter().map(|value| choice(value, one.get("description"))).collect(),
        (None, None) => None,
    });
    Some(each.collect::<Option<Vec<_>>>()?.concat())
}

fn first_type(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or(""),
        _ => "",
    }
}

/// A plain default as text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}
