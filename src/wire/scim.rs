//! A directory's people, as SCIM 2.0 lists them (RFC 7643 and 7644): from a page of JSON to names and attributes. Pure.
//!
//! Which of a person's fields becomes which attribute is the operator's to say, by a [`Path`]:
//!
//! ```text
//! title                                    a field
//! addresses.0.locality                     of the first; `addresses.locality` is of the primary one, else the first
//! addresses[type eq "work"].locality       of the one whose type is so
//! groups.*.display                         of all, with commas between
//! urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department     of an extension
//! ```
//! Names of fields are the same in upper and lower case (RFC 7643 section 2.1). What ends at an object says what the object
//! is shown as: a manager's `displayName`, a group's `display`, else its `value`.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{
    UserName,
    attribute::{AttributeName, Changes},
};

/// What a list of resources says that it is (RFC 7644 section 3.4.2).
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The attribute that holds a person's `id`: whoever has it is the directory's.
pub const ID: &str = "scim.id";
/// How many people who cannot be taken are named.
const NAMED: usize = 5;

/// Where in a person's resource an attribute's value is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path {
    text: String,
    steps: Vec<Step>,
}

/// One step further in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// To a field.
    Name(String),
    /// To one of a list, counted from 0.
    At(usize),
    /// To the one of a list whose field says this.
    Where(String, String),
    /// To all of a list.
    All,
}

/// One page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// How many people the directory has in all.
    pub total: u64,
    /// Which of them the page begins with, from 1, if it says so.
    pub start: Option<u64>,
    /// How many are on the page.
    pub count: u64,
    /// Those of them that can be taken.
    pub people: Vec<Person>,
    /// Why others cannot, the first few, and how many there are.
    pub left_out: (Vec<String>, usize),
    /// The `id`s of those: they are not missing.
    pub left_out_ids: BTreeSet<String>,
}

/// One person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// `userName`.
    pub user: UserName,
    /// Whether they are of the organisation; a directory that does not say so means it.
    pub active: bool,
    /// What their mapped fields say; `None` where they say nothing.
    pub attributes: Changes,
}

/// Why some bytes are no page of a directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotScim {
    /// They are not JSON.
    #[error("the answer is no JSON: {0}")]
    Json(String),
    /// They are something else.
    #[error("the answer is no SCIM list of users: {0}")]
    Shape(&'static str),
}

/// Reads a page.
pub fn page(bytes: &[u8], map: &[(AttributeName, Path)]) -> Result<Page, NotScim> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| NotScim::Json(error.to_string()))?;
    let Value::Object(list) = &value else { return Err(NotScim::Shape("it is no object")) };
    let schemas = field(list, "schemas").and_then(Value::as_array);
    if !schemas.is_some_and(|all| all.iter().any(|s| s.as_str().is_some_and(|s| s.eq_ignore_ascii_case(LIST)))) {
        return Err(NotScim::Shape("its `schemas` do not name ListResponse"));
    }
    let total = field(list, "totalResults").and_then(Value::as_u64);
    let total = total.ok_or(NotScim::Shape("`totalResults` is no number"))?;
    let none = vec![];
    let resources = match field(list, "Resources") {
        None | Some(Value::Null) => &none,
        Some(Value::Array(resources)) => resources,
        Some(_) => return Err(NotScim::Shape("`Resources` is no list")),
    };
    let start = field(list, "startIndex").and_then(Value::as_u64);
    let mut page = Page { total, start, count: resources.len() as u64, ..Page::default() };
    for resource in resources {
        match person(resource, map) {
            Ok(person) => page.people.push(person),
            Err(why) => {
                page.left_out.1 += 1;
                let id = resource.as_object().and_then(|resource| field(resource, "id")?.as_str());
                page.left_out_ids.extend(id.map(str::to_owned));
                if page.left_out.0.len() < NAMED {
                    page.left_out.0.push(why);
                }
            }
        }
    }
    Ok(page)
}

fn person(resource: &Value, map: &[(AttributeName, Path)]) -> Result<Person, String> {
    let Value::Object(resource) = resource else { return Err("one of the resources is no object".into()) };
    let name = field(resource, "userName").and_then(Value::as_str).ok_or("one of the users has no `userName`")?;
    let user: UserName = name.trim().parse().map_err(|bad| format!("userName {name:?}: {bad}"))?;
    let id = field(resource, "id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| format!("{user} has no usable `id`"))?;
    let active = match field(resource, "active") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(active)) => *active,
        // Some directories write it as a text.
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => true,
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => false,
        Some(_) => return Err(format!("{user}: `active` is neither true nor false")),
    };
    let mut attributes = Changes::new();
    let resource = Value::Object(resource.clone());
    for (attribute, path) in map {
        let said = path.read(&resource).join(", ");
        let value = match said.is_empty() {
            true => None,
            false => Some(said.parse().map_err(|bad| format!("{user}: {attribute} ({path}): {bad}"))?),
        };
        attributes.insert(attribute.clone(), value);
    }
    attributes.insert(ID.parse().expect("it is the name of an attribute"), Some(id));
    Ok(Person { user, active, attributes })
}

fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

impl Path {
    /// What stands there: nothing, one text, or with `*` several.
    fn read(&self, resource: &Value) -> Vec<String> {
        let mut texts = vec![];
        walk(resource, &self.steps, &mut texts);
        texts
    }
}

/// Goes on from `value`. Depth is that of the path; the JSON reader bounds it for values.
fn walk(value: &Value, steps: &[Step], texts: &mut Vec<String>) {
    match (value, steps) {
        (Value::Array(all), [Step::At(at), rest @ ..]) => {
            all.get(*at).into_iter().for_each(|one| walk(one, rest, texts));
        }
        (Value::Array(all), [Step::All, rest @ ..]) => all.iter().for_each(|one| walk(one, rest, texts)),
        (Value::Array(all), [Step::Where(name, wanted), rest @ ..]) => {
            let says = |one: &&Value| {
                let said = one.as_object().and_then(|one| field(one, name));
                let said = said.map(|said| said.as_str().map_or_else(|| said.to_string(), str::to_owned));
                said.is_some_and(|said| said.eq_ignore_ascii_case(wanted))
            };
            all.iter().find(says).into_iter().for_each(|one| walk(one, rest, texts));
        }
        (Value::Array(all), steps) => {
            let primary = |one: &&Value| one.get("primary") == Some(&Value::Bool(true));
            all.iter().find(primary).or(all.first()).into_iter().for_each(|one| walk(one, steps, texts));
        }
        (Value::Object(object), [Step::Name(name), rest @ ..]) => {
            field(object, name).into_iter().for_each(|one| walk(one, rest, texts));
        }
        (Value::Object(object), []) => {
            let shown = ["displayName", "display", "value"].into_iter().find_map(|name| field(object, name)?.as_str());
            shown.into_iter().for_each(|text| say(text, texts));
        }
        (Value::String(text), []) => say(text, texts),
        (Value::Number(_) | Value::Bool(_), []) => texts.push(value.to_string()),
        _ => {}
    }
}

/// A text on one line, if it says anything.
fn say(text: &str, texts: &mut Vec<String>) {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !line.is_empty() {
        texts.push(line);
    }
}

/// Some text that leads nowhere in a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no path to a field of a user: title, addresses.0.locality, addresses[type eq \"work\"].locality, or urn:...:User:department"
)]
pub struct BadPath;

impl FromStr for Path {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        let mut steps = vec![];
        let rest = match text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:")) {
            true => {
                let brackets = text.find('[').unwrap_or(text.len());
                let (schema, rest) = text.split_at(text[..brackets].rfind(':').ok_or(BadPath)?);
                steps.push(Step::Name(schema.to_owned()));
                &rest[1..]
            }
            false => text,
        };
        for part in parts(rest) {
            match part.split_once('[') {
                Some((name, rest)) => {
                    let (of, value) = rest.strip_suffix(']').and_then(|is| is.split_once(" eq ")).ok_or(BadPath)?;
                    let value = value.trim();
                    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
                    steps.extend([plain(name)?, Step::Where(named(of.trim())?, value.to_owned())]);
                }
                None if part == "*" => steps.push(Step::All),
                None => match part.parse() {
                    Ok(at) => steps.push(Step::At(at)),
                    Err(_) => steps.push(plain(part)?),
                },
            }
        }
        match steps.first() {
            Some(Step::Name(_)) if steps.len() <= 16 => Ok(Self { text: text.to_owned(), steps }),
            _ => Err(BadPath),
        }
    }
}

/// The parts between dots; those within brackets and quotes are plain.
fn parts(text: &str) -> Vec<&str> {
    let mut inside = false;
    text.split(|c: char| {
        inside = (inside || c == '[') && c != ']';
        c == '.' && !inside
    })
    .collect()
}

fn plain(name: &str) -> Result<Step, BadPath> {
    named(name).map(Step::Name)
}

/// The name of a field (RFC 7643 section 2.1).
fn named(name: &str) -> Result<String, BadPath> {
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_$".contains(c));
    fits.then(|| name.to_owned()).ok_or(BadPath)
}

impl TryFrom<String> for Path {
    type Error = BadPath;

    fn try_from(text: String) -> Result<Self, BadPath> {
        text.parse()
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.text
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    /// In the shape of RFC 7643 section 8.3, with values of our own.
    fn ann() -> Value {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
            "id": "7c0e", "userName": "ann@lab.example", "title": "Tour\n Guide", "userType": "Employee", "active": true,
            "emails": [{"value": "a@home.example", "type": "home"}, {"value": "ann@lab.example", "primary": true}],
            "addresses": [{"type": "home", "locality": "Potsdam"}, {"type": "work", "locality": "Berlin"}],
            "groups": [{"value": "g1", "display": "Guides"}, {"value": "g2", "display": "Staff"}],
            ENTERPRISE: {"employeeNumber": 701984, "costCenter": "4130",
                         "department": "Tours", "manager": {"value": "26118", "displayName": "Bo Smith"}}
        })
    }

    fn list(total: u64, resources: Value) -> Vec<u8> {
        json!({"schemas": [LIST], "totalResults": total, "startIndex": 1, "Resources": resources}).to_string().into()
    }

    fn read(path: &str) -> String {
        path.parse::<Path>().unwrap_or_else(|bad| panic!("{path}: {bad}")).read(&ann()).join(", ")
    }

    #[test]
    fn a_path_leads_to_what_it_names() {
        for (path, text) in [
            ("title", "Tour Guide"),
            ("USERTYPE", "Employee"),
            ("emails.value", "ann@lab.example"),
            ("emails.0.value", "a@home.example"),
            ("addresses.locality", "Potsdam"),
            ("addresses[type eq \"work\"].locality", "Berlin"),
            ("groups.*.display", "Guides, Staff"),
            ("groups.*", "Guides, Staff"),
            (&format!("{ENTERPRISE}:department"), "Tours"),
            (&format!("{ENTERPRISE}:manager"), "Bo Smith"),
            (&format!("{ENTERPRISE}:employeeNumber"), "701984"),
            ("nickName", ""),
            ("title.0.x", ""),
            ("addresses.9.locality", ""),
        ] {
            assert_eq!(read(path), text, "{path}");
        }
        for bad in ["", ".", "0", "*.x", "a..b", "a[b]", "a[b eq 1", "urn:", "a b", "é"] {
            assert_eq!(bad.parse::<Path>(), Err(BadPath), "{bad}");
        }
    }

    #[test]
    fn a_page_has_people_and_says_whom_it_cannot_take() {
        let map = [("role".parse().expect("a name"), "title".parse().expect("a path"))];
        let bytes = list(
            3,
            json!([ann(), {"id": "2", "userName": "bob smith"}, {"id": "3", "userName": "cy", "active": "False"}]),
        );
        let page = page(&bytes, &map).expect("a page");
        assert_eq!((page.total, page.start, page.count, page.left_out.1), (3, Some(1), 3, 1));
        assert_eq!(page.left_out_ids, BTreeSet::from(["2".to_owned()]));
        let told: Vec<String> =
            page.people.iter().map(|p| format!("{} {} {:?}", p.user, p.active, p.attributes)).collect();
        assert!(told[0].contains("ann@lab.example true") && told[0].contains("Tour Guide") && told[0].contains("7c0e"));
        assert!(told[1].starts_with("cy false") && told[1].contains("None"), "{told:?}");
    }

    #[test]
    fn what_is_no_page_is_told_to_be_none() {
        for (bytes, why) in [
            (&b"<html>"[..], "no JSON"),
            (b"[]", "no object"),
            (b"{\"totalResults\": 1}", "do not name ListResponse"),
            (&json!({"schemas": [LIST]}).to_string().into_bytes(), "`totalResults` is no number"),
            (&list(1, json!({})), "`Resources` is no list"),
        ] {
            let told = page(bytes, &[]).expect_err("no page").to_string();
            assert!(told.contains(why), "{told}");
        }
        assert_eq!(page(&list(0, Value::Null), &[]).expect("nobody is a page").people, []);
    }

    proptest! {
        #[test]
        fn no_text_makes_a_path_panic(text in "\\PC{0,40}", urn in "(urn:)?[a-z:.*\\[\\]\" 0-9]{0,30}") {
            for text in [text, urn] {
                if let Ok(path) = text.parse::<Path>() {
                    drop(path.read(&ann()));
                    prop_assert_eq!(path.to_string(), text);
                }
            }
        }
    }
}
