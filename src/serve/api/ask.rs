//! Reading requests: paths, queries, bodies. Every mistake is told with its place and, where somebody mistyped, what was
//! probably meant.

use std::time::Duration;

use aide::{
    OperationInput,
    generate::GenContext,
    openapi::{MediaType, Operation, RequestBody, SchemaObject},
    operation::{ParamLocation, add_parameters, parameters_from_schema, set_body},
};
use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::{FromRequest, FromRequestParts, Path, Request, path::ErrorKind, rejection::PathRejection},
    http::{HeaderMap, Method, header, request::Parts},
};
use futures_util::StreamExt;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use tokio::time::timeout;

use crate::world::nearest;

use super::problem::{Flaw, Kind, Problem};

/// The longest body that is read.
const LONGEST: usize = 1 << 20;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of a body that is too long is read all the same, and for how long.
const LONGEST_LOST: usize = 16 << 20;
const PATIENCE_LOST: Duration = Duration::from_secs(2);

/// What the path names.
pub(super) struct Named<T>(pub(super) T);

/// What the query asks for.
pub(super) struct Asked<T>(pub(super) T);

/// What the body says.
pub(super) struct Sent<T> {
    pub(super) value: T,
    /// Its bytes: what makes the same request the same.
    pub(super) bytes: Bytes,
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let malformed = |detail: String| Problem::new(Kind::Malformed, detail);
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(named)) => Ok(Self(named)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => Err(match error.into_kind() {
                ErrorKind::DeserializeError { key, value, message } => {
                    malformed(format!("`{value}`: {message}")).parameter(&key, None)
                }
                ErrorKind::InvalidUtf8InPathParam { key } => malformed("this is no UTF-8".into()).parameter(&key, None),
                kind => malformed(kind.to_string()),
            }),
            Err(error) => Err(malformed(error.body_text())),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or("");
        let pairs = form_pairs(query);
        serde_path_to_error::deserialize(pairs).map(Self).map_err(|error| {
            let (name, detail, suggestion) = told(error.path().iter(), &error.inner().to_string());
            let name = name.last().cloned().unwrap_or_default();
            Problem::new(Kind::Malformed, detail).parameter(&name, suggestion)
        })
    }
}

fn form_pairs(query: &str) -> serde_urlencoded::Deserializer<'_> {
    serde_urlencoded::Deserializer::new(url_pairs(query))
}

fn url_pairs(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        is_json(&parts.headers, &parts.method)?;
        let bytes = whole(&parts.headers, body).await?;
        let value = read(&bytes)?;
        Ok(Self { value, bytes })
    }
}

fn is_json(headers: &HeaderMap, method: &Method) -> Result<(), Problem> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|said| said.to_str().ok()).unwrap_or("");
    let essence = said.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let fits = essence == "application/json" || (*method == Method::PATCH && essence == "application/merge-patch+json");
    let detail = || match essence.is_empty() {
        true => "the body's type is not said: send `Content-Type: application/json`".to_owned(),
        false => format!("`{essence}` is not read here: send `Content-Type: application/json`"),
    };
    fits.then_some(()).ok_or_else(|| Problem::new(Kind::MediaType, detail()).header("Content-Type"))
}

/// The whole body, as far as it is not too long and does not take too long.
async fn whole(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Kind::TooLarge, format!("a body may have {LONGEST} bytes"));
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > LONGEST as u64) {
        // Who asks before sending has sent nothing, and is told at once.
        if !headers.contains_key(header::EXPECT) {
            discard(body.into_data_stream()).await;
        }
        return Err(too_large());
    }
    let arriving = async {
        let (mut stream, mut bytes) = (body.into_data_stream(), vec![]);
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| Problem::new(Kind::Malformed, "the body broke off"))?;
            if bytes.len() + chunk.len() > LONGEST {
                discard(stream).await;
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Bytes::from(bytes))
    };
    let slow = || Problem::new(Kind::TooSlow, format!("the body did not arrive within {} s", PATIENCE.as_secs()));
    timeout(PATIENCE, arriving).await.unwrap_or_else(|_| Err(slow()))
}

/// Reads on for a while without keeping anything: whoever is still sending when the connection is closed may never see the
/// answer.
async fn discard(mut stream: BodyDataStream) {
    let mut left = LONGEST_LOST;
    let reading = async {
        while let Some(Ok(chunk)) = stream.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                break;
            }
        }
    };
    // When that takes too long, they had their chance.
    timeout(PATIENCE_LOST, reading).await.unwrap_or_default();
}

/// The value that a body holds.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut json);
    let value = read.map_err(|error| {
        let inner = error.inner();
        match inner.is_data() {
            false => Problem::new(Kind::Malformed, format!("the body is no JSON: {inner}")),
            true => {
                let (path, detail, suggestion) = told(error.path().iter(), &inner.to_string());
                let pointer: String =
                    path.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1"))).collect();
                let flaw = Flaw { pointer: Some(pointer), detail: detail.clone(), suggestion, ..Flaw::default() };
                Problem::new(Kind::Invalid, detail).at(flaw)
            }
        }
    })?;
    json.end().map_err(|error| Problem::new(Kind::Malformed, format!("the body is no JSON: {error}")))?;
    Ok(value)
}

/// Where it is wrong, what is wrong, and what was meant.
fn told<'a>(path: impl Iterator<Item = &'a Segment>, said: &str) -> (Vec<String>, String, Option<String>) {
    let mut path: Vec<String> = path
        .filter_map(|segment| match segment {
            Segment::Map { key } => Some(key.clone()),
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Enum { variant } => Some(variant.clone()),
            Segment::Unknown => None,
        })
        .collect();
    // The place in the text is of no use beside the place in the value.
    let said = said.split(" at line ").next().unwrap_or(said);
    let Some((field, known)) = unknown_field(said) else { return (path, said.to_owned(), None) };
    if path.last() != Some(&field) {
        path.push(field.clone());
    }
    let meant = nearest(known.iter(), &field).cloned();
    let detail = match &meant {
        Some(name) => format!("`{field}` is not known here; did you mean `{name}`?"),
        None if known.is_empty() => format!("`{field}` is not known here: nothing is"),
        None => format!("`{field}` is not known here: there are {}", known.join(", ")),
    };
    (path, detail, meant)
}

/// The field that serde does not know, and those that it knows, from its words: it has no other way to say it.
fn unknown_field(said: &str) -> Option<(String, Vec<String>)> {
    let rest = said.strip_prefix("unknown field `")?;
    let (field, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((field.to_owned(), known))
}

impl<T: JsonSchema> OperationInput for Named<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        describe::<T>(context, operation, ParamLocation::Path);
    }
}

impl<T: JsonSchema> OperationInput for Asked<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        describe::<T>(context, operation, ParamLocation::Query);
    }
}

fn describe<T: JsonSchema>(context: &mut GenContext, operation: &mut Operation, location: ParamLocation) {
    let schema = T::json_schema(&mut context.schema);
    let parameters = parameters_from_schema(context, schema, location);
    add_parameters(context, operation, parameters);
}

impl<T: JsonSchema> OperationInput for Sent<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let json_schema = context.schema.subschema_for::<T>();
        let schema = Some(SchemaObject { json_schema, external_docs: None, example: None });
        let content = [("application/json".to_owned(), MediaType { schema, ..MediaType::default() })];
        let body = RequestBody { content: content.into_iter().collect(), required: true, ..RequestBody::default() };
        set_body(context, operation, body);
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "persona")]
        _persona: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(rename = "a/b")]
        _inner: Vec<Inner>,
    }

    fn flaw(json: &str) -> String {
        let problem = read::<Outer>(json.as_bytes()).map(|_| ()).expect_err("a problem");
        format!("{problem:?}")
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let told = flaw(r#"{"a/b": [{"persona": "x"}, {"persna": "y"}]}"#);
        assert!(told.contains("/a~1b/1/persna") && told.contains("did you mean `persona`?"), "{told}");
        let told = flaw(r#"{"a/b": [{"persona": 5}]}"#);
        assert!(told.contains("/a~1b/0/persona") && !told.contains("at line"), "{told}");
        assert!(flaw(r#"{"a/b": []} x"#).contains("Malformed"), "something behind it");
        let deep = read::<serde_json::Value>("[".repeat(100_000).as_bytes()).expect_err("a problem");
        assert!(deep.is(Kind::Malformed), "{deep:?}");
    }
}
