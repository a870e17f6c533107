//! Answers with an ETag, and the conditions that come back with it.
//!
//! A tag has one or two parts: `"PRINT"`, or `"CHANGED-PRINT"`. `PRINT` is of the whole answer; `If-None-Match` looks at it.
//! `CHANGED` is the number of the fact by which somebody last changed what the thing is or shall become; `If-Match` looks at
//! that alone: a device that spoke meanwhile is another answer, but nobody's change.

use aide::{
    OperationInput, OperationOutput,
    generate::GenContext,
    openapi::{
        self, Header, HeaderStyle, MediaType, Operation, Parameter, ParameterData, ParameterSchemaOrContent,
        ReferenceOr, SchemaObject,
    },
    operation::add_parameters,
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use schemars::{JsonSchema, json_schema};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::model::command::OrderKey;

use super::problem::{Kind, Problem};

/// An answer that is one thing.
pub(super) struct Tagged<T> {
    status: StatusCode,
    body: T,
    changed: Option<u64>,
    again: bool,
}

impl<T> Tagged<T> {
    /// A thing that nobody changes by the API.
    pub(super) fn new(body: T) -> Self {
        Self { status: StatusCode::OK, body, changed: None, again: false }
    }

    /// A thing that was last changed by the fact with this number.
    pub(super) fn changed(body: T, changed: u64) -> Self {
        Self { changed: Some(changed), ..Self::new(body) }
    }

    /// Says that it was not there before.
    pub(super) fn created(self, created: bool) -> Self {
        Self { status: if created { StatusCode::CREATED } else { StatusCode::OK }, ..self }
    }

    /// Says that it was done before, for the same key.
    pub(super) fn again(self, again: bool) -> Self {
        Self { again, ..self }
    }
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let Ok(json) = serde_json::to_vec(&self.body) else {
            tracing::error!("an answer of the API cannot be written");
            return Problem::new(Kind::Bug, "the answer cannot be written").into_response();
        };
        let print: String = Sha256::digest(&json)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let tag = match self.changed {
            Some(changed) => format!("\"{changed}-{print}\""),
            None => format!("\"{print}\""),
        };
        let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::ETAG, tag)];
        let mut response = (self.status, headers, json).into_response();
        if self.again {
            response.headers_mut().insert("idempotency-replayed", axum::http::HeaderValue::from_static("true"));
        }
        response
    }
}

impl<T: JsonSchema> OperationOutput for Tagged<T> {
    type Inner = T;

    fn operation_response(context: &mut GenContext, _: &mut Operation) -> Option<openapi::Response> {
        let json_schema = context.schema.subschema_for::<T>();
        let schema = Some(SchemaObject { json_schema, external_docs: None, example: None });
        let content = [("application/json".to_owned(), MediaType { schema, ..MediaType::default() })];
        let tag = Header {
            description: Some("Names this state of it.".into()),
            style: HeaderStyle::Simple,
            required: true,
            deprecated: None,
            format: text(),
            example: None,
            examples: Default::default(),
            extensions: Default::default(),
        };
        Some(openapi::Response {
            description: "It is as the body says.".into(),
            headers: [("ETag".to_owned(), ReferenceOr::Item(tag))].into_iter().collect(),
            content: content.into_iter().collect(),
            ..openapi::Response::default()
        })
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<openapi::StatusCode>, openapi::Response)> {
        let response = Self::operation_response(context, operation);
        response.map(|response| (Some(openapi::StatusCode::Code(200)), response)).into_iter().collect()
    }
}

fn text() -> ParameterSchemaOrContent {
    let json_schema = json_schema!({ "type": "string" });
    ParameterSchemaOrContent::Schema(SchemaObject { json_schema, external_docs: None, example: None })
}

/// Whether an answer with this tag is what the asker has already (`If-None-Match` of a GET).
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let said = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|said| said.to_str().ok());
    // The weak comparison: what is equal to the byte is equivalent.
    said.flat_map(|said| said.split(',')).map(str::trim).any(|said| said == "*" || said.trim_start_matches("W/") == tag)
}

/// What must hold before something is changed, and what makes it the same change when it is said again.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    /// The states that it may be in, as their `CHANGED`; `Some` and empty when none that is named can be.
    states: Option<Vec<u64>>,
    /// `If-Match: *`: it must exist.
    exists: bool,
    /// `If-None-Match: *`: it must not.
    absent: bool,
    /// The idempotency key.
    pub(super) key: Option<OrderKey>,
    /// What was said beside the body, as far as it makes a request another one.
    pub(super) said: Vec<u8>,
}

impl Conditions {
    /// What the order expects of a thing that was last changed by `changed`, and is there or not, now. It is for the engine
    /// to judge: it knows whether the order was carried out before.
    pub(super) fn expects(&self, changed: u64, there: bool) -> Result<Option<u64>, Problem> {
        let unmet = |detail: &str| Err(Problem::new(Kind::Changed, detail));
        let repeated = self.key.is_some();
        if self.exists && !there && !repeated {
            return unmet("it does not exist");
        }
        if self.absent {
            return if there && !repeated { unmet("it exists already") } else { Ok(Some(0)) };
        }
        match &self.states {
            None => Ok(None),
            Some(states) if states.contains(&changed) => Ok(Some(changed)),
            Some(states) => match states.first() {
                Some(state) => Ok(Some(*state)),
                None => unmet("`If-Match` names no state that it could be in"),
            },
        }
    }

    /// Whether a state was named at all.
    pub(super) fn are_given(&self) -> bool {
        self.states.is_some() || self.exists || self.absent
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Conditions {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let all = |name| {
            let said: Vec<&str> = parts.headers.get_all(name).iter().map(|said| said.to_str().unwrap_or("")).collect();
            (!said.is_empty()).then(|| said.join(","))
        };
        let (matches, differs) = (all(header::IF_MATCH), all(header::IF_NONE_MATCH));
        let key = match all(header::HeaderName::from_static("idempotency-key")) {
            None => None,
            Some(text) => Some(
                text.parse::<OrderKey>()
                    .map_err(|error| Problem::new(Kind::Malformed, error).header("Idempotency-Key"))?,
            ),
        };
        let any = matches.as_deref().map(str::trim) == Some("*");
        let path = format!("{} {}\n{matches:?}\n{differs:?}\n", parts.method, parts.uri.path());
        Ok(Self {
            // A tag that was not made here names a state that nothing was ever in.
            states: matches.filter(|_| !any).map(|tags| tags.split(',').filter_map(state).collect()),
            exists: any,
            absent: differs.is_some_and(|tags| tags.trim() == "*"),
            key,
            said: path.into_bytes(),
        })
    }
}

/// The `CHANGED` of a tag.
fn state(tag: &str) -> Option<u64> {
    tag.trim().strip_prefix('"')?.strip_suffix('"')?.split_once('-')?.0.parse().ok()
}

impl OperationInput for Conditions {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let header = |name: &str, about: &str, json_schema| Parameter::Header {
            parameter_data: ParameterData {
                name: name.to_owned(),
                description: Some(about.to_owned()),
                required: false,
                deprecated: None,
                format: ParameterSchemaOrContent::Schema(SchemaObject {
                    json_schema,
                    external_docs: None,
                    example: None,
                }),
                example: None,
                examples: Default::default(),
                explode: None,
                extensions: Default::default(),
            },
            style: HeaderStyle::Simple,
        };
        let any = || json_schema!({ "type": "string" });
        let key = json_schema!({ "type": "string", "pattern": "^[!-~]{1,128}$" });
        let about_key = "Chosen by the sender, another one for each thing that shall be done. Sent again with the same key \
                         within a day, the request is not carried out again.";
        let parameters = [
            header("If-Match", "Only if nobody has changed it since it had this ETag.", any()),
            header("If-None-Match", "`*`: only if it does not exist yet.", any()),
            header("Idempotency-Key", about_key, key),
        ];
        add_parameters(context, operation, parameters);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_people_say_changes_the_part_that_if_match_looks_at() {
        assert_eq!(state("\"17-0123456789abcdef\""), Some(17));
        for none in ["\"0123456789abcdef\"", "17-01", "W/\"17-01\"", "\"x-01\"", "\"", ""] {
            assert_eq!(state(none), None, "{none}");
        }
        let conditions = Conditions { states: Some(vec![3, 17]), ..Conditions::default() };
        assert_eq!(conditions.expects(17, true).expect("met"), Some(17));
        assert_eq!(conditions.expects(18, true).expect("for the engine to judge"), Some(3));
    }
}
