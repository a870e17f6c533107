//! A roster as a file.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::attribute::AttributeName;

use super::{Kind, NO_PERSONA, Row, Wish};

/// The name of an attribute's column: with `attr:` before it where another column is called so.
fn column(kind: Kind, name: &AttributeName) -> String {
    let taken = [kind.key(), kind.special()].contains(&name.as_str());
    if taken { format!("attr:{name}") } else { name.to_string() }
}

/// What a row says in the column beside its name that is no attribute.
fn special(row: &Row) -> Option<String> {
    match (&row.persona, row.active) {
        (Some(Wish::Assign(persona)), _) => Some(persona.to_string()),
        (Some(Wish::Unassign), _) => Some(NO_PERSONA.into()),
        (None, Some(active)) => Some(if active { "yes" } else { "no" }.into()),
        (None, None) => None,
    }
}

/// As comma-separated values, with a column for each attribute that any row names.
pub fn to_csv(kind: Kind, rows: &[Row]) -> String {
    let names: BTreeSet<&AttributeName> = rows.iter().flat_map(|row| row.attributes.keys()).collect();
    let mut csv = csv::Writer::from_writer(vec![]);
    let head = [kind.key(), kind.special()].map(str::to_owned).into_iter();
    let written = csv.write_record(head.chain(names.iter().map(|name| column(kind, name))));
    let mut written = written.map(|()| 0);
    for row in rows {
        let said =
            |name: &&AttributeName| row.attributes.get(*name).and_then(Option::as_ref).map_or("", |v| v.as_str());
        let head = [row.name.to_string(), special(row).unwrap_or_default()].into_iter();
        let cells = head.chain(names.iter().map(|name| said(name).to_owned()));
        written = written.and(csv.write_record(cells).map(|()| 0));
    }
    written.expect("every line has as many fields as the first, and memory takes them");
    let bytes = csv.into_inner().expect("memory can be flushed");
    String::from_utf8(bytes).expect("texts were written")
}

/// As a JSON list, an object a line.
pub fn to_json(kind: Kind, rows: &[Row]) -> String {
    let object = |row: &Row| {
        let mut object = Map::new();
        object.insert(kind.key().into(), row.name.to_string().into());
        if let Some(special) = special(row) {
            object.insert(kind.special().into(), special.into());
        }
        for (name, value) in &row.attributes {
            object.insert(column(kind, name), value.as_ref().map_or(Value::Null, |value| value.as_str().into()));
        }
        Value::Object(object).to_string()
    };
    match rows {
        [] => "[]\n".into(),
        rows => format!("[\n{}\n]\n", rows.iter().map(object).collect::<Vec<_>>().join(",\n")),
    }
}
