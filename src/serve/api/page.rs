//! Lists, a page at a time.

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{self, MediaType, Operation, SchemaObject},
};
use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::{JsonSchema, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// How many things a page has when nobody says.
const USUAL: usize = 100;
/// How many it has at the most.
const MOST: usize = 1000;

/// Some of the things that were asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub(super) struct Page<T> {
    /// The things.
    pub(super) items: Vec<T>,
    /// What to ask for next, as `cursor`; left out when there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

impl<T> Page<T> {
    /// A page of these things, which are taken as they come; `key` is where the page after one of them begins.
    pub(super) fn of<I>(
        found: impl Iterator<Item = I>,
        limit: Limit,
        key: impl Fn(&I) -> String,
        view: impl Fn(I) -> T,
    ) -> Self {
        let mut items = vec![];
        let mut last = None;
        for one in found {
            if items.len() == limit.0 {
                return Self { items, next: last.map(|last: String| URL_SAFE_NO_PAD.encode(last)) };
            }
            last = Some(key(&one));
            items.push(view(one));
        }
        Self { items, next: None }
    }

    /// A page that goes on after this key.
    pub(super) fn up_to(items: Vec<T>, next: Option<String>) -> Self {
        Self { items, next: next.map(|last| URL_SAFE_NO_PAD.encode(last)) }
    }
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], serde_json::to_vec(&self).unwrap_or_default()).into_response()
    }
}

impl<T: JsonSchema> OperationOutput for Page<T> {
    type Inner = Self;

    fn inferred_responses(
        context: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<openapi::StatusCode>, openapi::Response)> {
        let json_schema = context.schema.subschema_for::<Self>();
        let schema = Some(SchemaObject { json_schema, external_docs: None, example: None });
        let content = [("application/json".to_owned(), MediaType { schema, ..MediaType::default() })];
        let response = openapi::Response {
            description: "A page of them.".into(),
            content: content.into_iter().collect(),
            ..openapi::Response::default()
        };
        vec![(Some(openapi::StatusCode::Code(200)), response)]
    }
}

/// How many things a page has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit(pub(super) usize);

impl Default for Limit {
    fn default() -> Self {
        Self(USUAL)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| plain && (1..=MOST).contains(number));
        number.map(Self).ok_or_else(|| D::Error::custom(format!("`{text}` is no number from 1 to {MOST}")))
    }
}

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL })
    }
}

/// Where a page begins: behind the thing with this key. It reads as the `next` of the page before, and as nothing else.
#[derive(Debug, Clone)]
pub(super) struct Cursor(pub(super) String);

impl Cursor {
    /// The key, when it is one of those that this list has.
    pub(super) fn key<T: std::str::FromStr>(&self) -> Result<T, super::problem::Problem> {
        let foreign = || {
            let detail = "this is no cursor of this list: send the `next` of its last page";
            super::problem::Problem::new(super::problem::Kind::Malformed, detail).parameter("cursor", None)
        };
        self.0.parse().map_err(|_| foreign())
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(&text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let bytes = bytes.filter(|key| !key.is_empty());
        bytes.map(Self).ok_or_else(|| D::Error::custom("this is no cursor: send the `next` of the page before"))
    }
}

impl JsonSchema for Cursor {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cursor".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+$" })
    }
}
