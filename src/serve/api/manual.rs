//! The document and its pages, for people with a browser: made here, with nothing from other hosts, and without scripts.

use aide::openapi::OpenApi;
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    http::header,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    Api,
    problem::{Kind, Problem},
};

/// The document and its page.
pub(super) struct Manual {
    json: String,
    tag: String,
    page: String,
}

#[derive(Template)]
#[template(path = "html/api.html", config = ".askama.toml")]
struct Page {
    version: String,
    about: Vec<String>,
    resources: Vec<Resource>,
    problems: Vec<ProblemRow>,
}

struct Resource {
    name: String,
    about: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    about: String,
    scope: String,
    parameters: Vec<Field>,
    body: Vec<Field>,
    answer: Vec<Field>,
    statuses: Vec<(String, String)>,
    curl: String,
}

struct Field {
    name: String,
    place: String,
    kind: String,
    required: bool,
    about: String,
}

struct ProblemRow {
    name: &'static str,
    status: u16,
    title: &'static str,
    about: String,
}

#[derive(Template)]
#[template(path = "html/api_problem.html", config = ".askama.toml")]
struct ProblemPage {
    row: ProblemRow,
}

impl Manual {
    pub(super) fn new(document: &OpenApi) -> Self {
        let value = serde_json::to_value(document).expect("the document is plain data with text keys");
        let json = serde_json::to_string_pretty(&value).expect("so is its value");
        let print: String = Sha256::digest(&json)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let page = page(&value).render().expect("a template without conditions of its own renders");
        Self { json, tag: format!("\"{print}\""), page }
    }
}

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/", get(start)).route("/openapi.json", get(openapi)).route("/problems/{name}", get(problem))
}

pub(super) async fn start(State(api): State<Api>) -> Html<String> {
    Html(api.manual.page.clone())
}

async fn openapi(State(api): State<Api>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::ETAG, &api.manual.tag)];
    (headers, api.manual.json.clone()).into_response()
}

async fn problem(Path(name): Path<String>) -> Response {
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.about().0 == name) else {
        return Problem::not_found("no problem is called so").into_response();
    };
    match (ProblemPage { row: row(kind) }).render() {
        Ok(page) => Html(page).into_response(),
        Err(error) => Problem::new(Kind::Bug, error).into_response(),
    }
}

fn row(kind: Kind) -> ProblemRow {
    let (name, status, title, about) = kind.about();
    ProblemRow { name, status: status.as_u16(), title, about: marked(about) }
}

fn page(document: &Value) -> Page {
    let words = |at: &str| document.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let tags = document["tags"].as_array().into_iter().flatten();
    Page {
        version: words("/info/version"),
        about: words("/info/description").split("\n\n").map(marked).collect(),
        resources: tags
            .map(|tag| Resource {
                name: said(tag, "name"),
                about: said(tag, "description"),
                operations: operations(document, &said(tag, "name")),
            })
            .collect(),
        problems: Kind::ALL.map(row).into(),
    }
}

/// A text of the document, as HTML: what stands between backticks is code. All of it is this program's own.
fn marked(text: &str) -> String {
    let safe = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let parts = safe.split('`').enumerate();
    parts.map(|(n, part)| if n % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}

fn said(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn operations(document: &Value, tag: &str) -> Vec<Operation> {
    let mut found = vec![];
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, item) in paths {
        for method in ["get", "put", "patch", "post", "delete"] {
            let Some(operation) = item.get(method) else { continue };
            let of_tag = operation["tags"].as_array().is_some_and(|tags| tags.iter().any(|one| one == tag));
            if of_tag {
                found.push(self::operation(document, method, path, operation));
            }
        }
    }
    found
}

fn operation(document: &Value, method: &str, path: &str, operation: &Value) -> Operation {
    let body = operation.pointer("/requestBody/content/application~1json/schema");
    let answers = operation["responses"].as_object();
    let good = answers.and_then(|answers| answers.iter().find(|(status, _)| status.starts_with('2')));
    let answer = good.and_then(|(_, answer)| answer.pointer("/content/application~1json/schema"));
    let statuses = answers.into_iter().flatten();
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    Operation {
        id: said(operation, "operationId"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: said(operation, "summary"),
        about: marked(&said(operation, "description")),
        scope: operation.pointer("/security/0/token/0").and_then(Value::as_str).unwrap_or_default().to_owned(),
        parameters: parameters
            .map(|one| Field {
                name: said(one, "name"),
                place: said(one, "in"),
                kind: kind(document, &one["schema"]),
                required: one["required"] == true,
                about: marked(&said(one, "description")),
            })
            .collect(),
        body: body.map(|schema| fields(document, schema)).unwrap_or_default(),
        answer: answer.map(|schema| shown(document, schema)).unwrap_or_default(),
        statuses: statuses.map(|(status, answer)| (status.clone(), said(answer, "description"))).collect(),
        curl: curl(document, method, path, body),
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#'));
    reference.and_then(|to| document.pointer(to)).unwrap_or(schema)
}

/// The fields of an object.
fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let schema = resolved(document, schema);
    let described = |value: &'_ Value| value.get("description").and_then(Value::as_str).map(str::to_owned);
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, field)| Field {
            name: name.clone(),
            place: String::new(),
            kind: kind(document, field),
            required: required(name),
            about: marked(&described(field).or(described(resolved(document, field))).unwrap_or_default()),
        })
        .collect()
}

/// The fields of an answer; of a page those of the things on it, too.
fn shown(document: &Value, schema: &Value) -> Vec<Field> {
    let mut found = fields(document, schema);
    if let Some(each) = resolved(document, schema).pointer("/properties/items/items") {
        let each = fields(document, each).into_iter();
        found.extend(each.map(|field| Field { name: format!("items[].{}", field.name), ..field }));
    }
    found
}

/// What a value is, in a word or two.
fn kind(document: &Value, schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let words = resolved(document, schema);
        return match words.get("oneOf").or(words.get("enum")) {
            Some(_) => alternatives(words),
            None => name.rsplit('/').next().unwrap_or(name).to_owned(),
        };
    }
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
        let some = any.iter().find(|one| one["type"] != "null");
        return some.map(|one| kind(document, one)).unwrap_or_default();
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect(),
        Value::String(kind) => vec![kind],
        _ => vec![],
    };
    match types.join(" or ").as_str() {
        "array" => format!("list of {}", kind(document, &schema["items"])),
        "string" if schema["format"] == "date-time" => "time".into(),
        "string" => "text".into(),
        "integer" | "number" => "number".into(),
        "boolean" => "true or false".into(),
        "object" => "map".into(),
        other => other.to_owned(),
    }
}

/// `ephemeral | destructive`.
fn alternatives(schema: &Value) -> String {
    let words = |one: &Value| one.get("const").or(Some(one)).and_then(Value::as_str).map(str::to_owned);
    let list = schema["oneOf"].as_array().or(schema["enum"].as_array());
    list.into_iter().flatten().filter_map(words).collect::<Vec<_>>().join(" | ")
}

/// How to ask for it from a shell.
fn curl(document: &Value, method: &str, path: &str, body: Option<&Value>) -> String {
    let parts = path.split('/').map(|part| match part {
        "{mac}" => "52:54:00:77:00:02",
        "{user}" => "ann@lab.example",
        "{persona}" => "kiosk-live",
        "{image}" => "debian-live",
        "{boot}" => "7f3kq9x2mb",
        "{rule}" => "kiosks",
        other => other,
    });
    let path = parts.collect::<Vec<_>>().join("/");
    let method = if method == "get" { String::new() } else { format!(" -X {}", method.to_uppercase()) };
    let body = body.map(|schema| {
        let schema = resolved(document, schema);
        let mut value = serde_json::Map::new();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let wanted = schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
            if let (true, Some(example)) = (wanted, some_example(document, field)) {
                value.insert(name.clone(), example);
            }
        }
        format!(" \\\n  --json '{}'", Value::Object(value))
    });
    format!("curl -H \"Authorization: Bearer $TOKEN\"{method} $URL/api/v1{path}{}", body.unwrap_or_default())
}

fn some_example(document: &Value, schema: &Value) -> Option<Value> {
    let schema = resolved(document, schema);
    let first = |field: &str| schema.get(field).and_then(Value::as_array).and_then(|all| all.first()).cloned();
    let word = first("oneOf").and_then(|one| one.get("const").cloned());
    first("examples").or(first("enum")).or(word).or_else(|| (schema["type"] == "string").then(|| "debian-live".into()))
}
