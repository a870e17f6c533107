//! The schema as JSON Schema (2020-12), from the types themselves: what editors complete and check as one types.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::Persona;

/// What a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A document as people write it: what a persona needs may come from what it extends, and `null` takes away what was
    /// inherited.
    Written,
    /// A composed persona: whatever is required is there.
    Composed,
}

/// The JSON Schema of personas and fragments.
pub fn json_schema(shape: Shape) -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Persona>();
    let mut schema = schema.to_value();
    if shape == Shape::Written {
        loosen(&mut schema);
        schema["required"] = json!(["apiVersion"]);
    }
    schema["title"] = json!("A Greenroom persona");
    schema
}

/// Takes back, at every depth, what only a composed document must hold to.
fn loosen(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else { return };
    map.remove("required");
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(|property| {
            loosen(property);
            allow_null(property);
        });
    }
    if let Some(Value::Object(schemas)) = map.get_mut("$defs") {
        schemas.values_mut().for_each(loosen);
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(schemas)) = map.get_mut(key) {
            schemas.iter_mut().for_each(loosen);
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = map.get_mut(key) {
            loosen(inner);
        }
    }
}

/// Lets a value be `null`, with its description where editors look for it.
fn allow_null(schema: &mut Value) {
    let nothing = json!({ "type": "null" });
    let Some(map) = schema.as_object_mut() else { return };
    if let Some(Value::Array(any)) = map.get_mut("anyOf") {
        if !any.contains(&nothing) {
            any.push(nothing);
        }
        return;
    }
    match map.get_mut("type") {
        Some(Value::Array(kinds)) if kinds.iter().all(|kind| kind != "null") => kinds.push(json!("null")),
        Some(Value::Array(_)) => {}
        _ => {
            let kept: Vec<_> = ["description", "default"].iter().filter_map(|key| map.remove_entry(*key)).collect();
            let inner = Value::Object(std::mem::take(map));
            map.insert("anyOf".into(), json!([inner, nothing]));
            map.extend(kept);
        }
    }
}

/// One field of the schema, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its path: `network.interfaces[].ip.mtu`; `<name>` stands for a key of one's own.
    pub path: String,
    /// What may stand there: `text`, `list of text`, `gnome | kde | xfce`.
    pub kind: String,
    /// What it says.
    pub description: String,
    /// Whether there are fields below it.
    pub is_group: bool,
}

/// The order in which people write a document; the schema itself sorts by letters.
pub(in crate::persona) const ORDER: [&str; 14] = [
    "apiVersion",
    "description",
    "owner",
    "labels",
    "extends",
    "supersedes",
    "effect",
    "os",
    "apps",
    "security",
    "network",
    "preferences",
    "resources",
    "raw",
];

/// Every field of a persona, in the order of the document.
pub fn fields() -> Vec<Field> {
    let schema = json_schema(Shape::Composed);
    let mut found = vec![];
    walk(&schema, &schema, "", &mut found);
    let place = |field: &Field| {
        let top = field.path.split(['.', '[']).next().unwrap_or_default();
        ORDER.iter().position(|name| *name == top).unwrap_or(ORDER.len())
    };
    found.sort_by_key(place);
    found
}

fn walk(root: &Value, schema: &Value, path: &str, found: &mut Vec<Field>) {
    let Some(Value::Object(properties)) = schema.get("properties") else { return };
    for (name, property) in properties {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let (kind, below) = kind(root, property);
        let (suffix, inner) = below.map_or(("", None), |(suffix, inner)| (suffix, Some(inner)));
        let described = text(property, "description").or_else(|| text(resolved(root, property), "description"));
        found.push(Field {
            path: path.clone(),
            kind,
            description: described.unwrap_or_default().replace('\n', " "),
            is_group: inner.is_some(),
        });
        if let Some(inner) = inner {
            walk(root, inner, &format!("{path}{suffix}"), found);
        }
    }
}

fn text(schema: &Value, key: &str) -> Option<String> {
    schema.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// What a reference refers to.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
    target.and_then(|path| root.pointer(path)).unwrap_or(schema)
}

/// The words for what a schema takes, and the object below it with what leads there (`[]`, `.<name>` or nothing).
fn kind<'a>(root: &'a Value, schema: &'a Value) -> (String, Option<(&'static str, &'a Value)>) {
    let schema = resolved(root, schema);
    let alternatives = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)).and_then(Value::as_array);
    if let Some(alternatives) = alternatives {
        let real = alternatives.iter().filter(|one| one.get("type") != Some(&json!("null")));
        let kinds: Vec<_> = real.map(|one| kind(root, one)).collect();
        let words: Vec<String> = kinds.iter().map(|(word, _)| word.clone()).collect();
        let below = kinds.into_iter().find_map(|(_, below)| below);
        return (words.join(" | "), below);
    }
    if let Some(constant) = schema.get("const") {
        return (format!("`{}`", constant.as_str().unwrap_or_default()), None);
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let words = values.iter().filter_map(Value::as_str).map(|word| format!("`{word}`"));
        return (words.collect::<Vec<_>>().join(" | "), None);
    }
    match first_type(schema) {
        "array" => {
            let (word, below) = schema.get("items").map_or_else(|| ("value".into(), None), |items| kind(root, items));
            (format!("list of {word}"), below.map(|(_, inner)| ("[]", inner)))
        }
        "object" if schema.get("properties").is_some() => ("map".into(), Some(("", schema))),
        "object" => {
            let values = schema.get("additionalProperties").filter(|values| values.is_object());
            let (word, below) = values.map_or_else(|| ("anything".into(), None), |values| kind(root, values));
            (format!("map of {word} by name"), below.map(|(_, inner)| (".<name>", inner)))
        }
        "integer" | "number" => ("number".into(), None),
        "boolean" => ("`true` | `false`".into(), None),
        "string" => ("text".into(), None),
        _ => ("anything".into(), None),
    }
}

fn first_type(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or(""),
        _ => "",
    }
}

/// The reference for people, as Markdown: a section for each kind of field, a row for each field.
pub fn reference() -> String {
    let fields = fields();
    let mut text = String::from(
        "# Every field of a persona\n\n\
         Printed by `greenroom persona schema --markdown` from the types that read personas. The guide is\n\
         [README.md](README.md); what each target makes of a field is in [COVERAGE.md](COVERAGE.md).\n",
    );
    let row = |field: &Field| {
        format!(
            "| `{}` | {} | {} |\n",
            field.path,
            field.kind.replace('|', "\\|"),
            field.description.replace('|', "\\|")
        )
    };
    let head = "\n| field | what | meaning |\n|---|---|---|\n";
    text.push_str(head);
    let top: Vec<&Field> = fields.iter().filter(|field| !field.path.contains('.')).collect();
    top.iter().for_each(|field| text.push_str(&row(field)));
    for group in top.iter().filter(|field| field.is_group) {
        text.push_str(&format!("\n## `{}`\n\n{}\n{head}", group.path, group.description));
        let prefix = format!("{}.", group.path);
        fields.iter().filter(|field| field.path.starts_with(&prefix)).for_each(|field| text.push_str(&row(field)));
    }
    text
}
