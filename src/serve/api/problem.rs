//! What goes wrong, in the form of RFC 9457: for programs a type, for people a sentence, and which field it is about.
//!
//! Every type has a page of its own, where its URI leads: `/api/v1/problems/NAME`.

use aide::{OperationOutput, generate::GenContext, openapi};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{engine::Unavailable, model::command::Rejection};

/// What kind of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Malformed,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    TooSlow,
    Changed,
    TooLarge,
    MediaType,
    Invalid,
    NoPersona,
    KeyUsed,
    TooMany,
    Unavailable,
    Bug,
}

impl Kind {
    /// All there are: each has a page.
    pub(super) const ALL: [Self; 16] = [
        Self::Malformed,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::TooSlow,
        Self::Changed,
        Self::TooLarge,
        Self::MediaType,
        Self::Invalid,
        Self::NoPersona,
        Self::KeyUsed,
        Self::TooMany,
        Self::Unavailable,
        Self::Bug,
    ];

    /// The last part of its URI, its status, its title, and what its page says.
    pub(super) const fn about(self) -> (&'static str, StatusCode, &'static str, &'static str) {
        match self {
            Self::Malformed => (
                "malformed",
                StatusCode::BAD_REQUEST,
                "The request does not read",
                "Its path, its query, a header, or its body as JSON is not of the form that the operation asks for. \
                 `errors` says where. The same request will never do: mend it.",
            ),
            Self::Unauthorized => (
                "unauthorized",
                StatusCode::UNAUTHORIZED,
                "A token is needed",
                "Send `Authorization: Bearer TOKEN` with a token that was neither revoked nor has expired. An operator makes \
                 one on the server: `greenroom token create --name helpdesk --scope read`.",
            ),
            Self::Forbidden => (
                "forbidden",
                StatusCode::FORBIDDEN,
                "The token does not allow this",
                "The operation needs a scope that the token lacks; `detail` names it. An operator makes a token that has it.",
            ),
            Self::NotFound => (
                "not-found",
                StatusCode::NOT_FOUND,
                "There is no such thing",
                "The device, user, boot, persona or image is not known, or it has no assignment, leave or prediction, or the \
                 path is none of this API.",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This cannot be done to it",
                "The path is of this API, the method is not for it. The header `Allow` says which are.",
            ),
            Self::NotAcceptable => (
                "not-acceptable",
                StatusCode::NOT_ACCEPTABLE,
                "It is not to be had in that form",
                "The header `Accept` leaves out what is spoken here: `application/json`, and `text/html` on the pages.",
            ),
            Self::TooSlow => (
                "too-slow",
                StatusCode::REQUEST_TIMEOUT,
                "The request took too long to arrive",
                "A body must arrive within ten seconds.",
            ),
            Self::Changed => (
                "changed",
                StatusCode::PRECONDITION_FAILED,
                "Somebody changed it meanwhile",
                "`If-Match` names a state that is not the present one (or `If-None-Match: *` was sent and it exists). Read it \
                 again, decide again, and send the ETag that came with it.",
            ),
            Self::TooLarge => (
                "too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The request is too large",
                "Bodies end at 1 MiB. Say it in several requests.",
            ),
            Self::MediaType => (
                "media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is of another type",
                "Send `Content-Type: application/json` (with PATCH also `application/merge-patch+json`).",
            ),
            Self::Invalid => (
                "invalid",
                StatusCode::UNPROCESSABLE_ENTITY,
                "A field says what cannot be",
                "The body is JSON, and something in it is no possible value, or is not known. `errors` names each field by its \
                 JSON pointer (RFC 6901).",
            ),
            Self::NoPersona => (
                "no-persona",
                StatusCode::UNPROCESSABLE_ENTITY,
                "There is no such persona",
                "The library has no valid persona of this name; `errors` may suggest one. `GET /api/v1/personas` lists them.",
            ),
            Self::KeyUsed => (
                "key-used",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The idempotency key is taken",
                "The same token sent another request with this `Idempotency-Key` within the last day. Choose a new key for each \
                 thing that you want done.",
            ),
            Self::TooMany => (
                "too-many-requests",
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests",
                "Wait as many seconds as `Retry-After` says. `api.token_rate` and `api.address_rate` of the configuration set \
                 the limits.",
            ),
            Self::Unavailable => (
                "unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "Not now",
                "The server is busy or stopping. Nothing was done: send the same request again after `Retry-After` seconds.",
            ),
            Self::Bug => (
                "bug",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something is wrong here",
                "This is the server's fault: its log says more. Whether the request was carried out is not known; with an \
                 `Idempotency-Key` it can be sent again safely.",
            ),
        }
    }

    /// Its URI. It is relative: the page is on this server.
    fn uri(self) -> String {
        format!("/api/v1/problems/{}", self.about().0)
    }
}

/// What went wrong, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Flaw {
    /// The field of the body, as a JSON pointer (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pointer: Option<String>,
    /// The parameter of the path or the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameter: Option<String>,
    /// The header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) header: Option<String>,
    /// What is wrong with it.
    pub(super) detail: String,
    /// What was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) suggestion: Option<String>,
}

/// A problem, as it travels.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct ProblemBody {
    /// What kind of problem it is: a page that explains it.
    #[serde(rename = "type")]
    #[schemars(with = "super::shape::Uri")]
    kind: String,
    /// The kind, for people.
    title: &'static str,
    /// The status code.
    status: u16,
    /// What went wrong this time.
    detail: String,
    /// Where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    errors: Vec<Flaw>,
}

/// A problem: the answer to a request that was not carried out.
#[derive(Debug, Clone)]
pub(super) struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    detail: String,
    errors: Vec<Flaw>,
    retry_after: Option<u64>,
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl ToString) -> Self {
        Self(Box::new(Inner { kind, detail: detail.to_string(), errors: vec![], retry_after: None }))
    }

    /// There is none.
    pub(super) fn not_found(detail: impl ToString) -> Self {
        Self::new(Kind::NotFound, detail)
    }

    /// Says where.
    pub(super) fn at(mut self, flaw: Flaw) -> Self {
        self.0.errors.push(flaw);
        self
    }

    /// Says which field of the body it is.
    pub(super) fn field(self, pointer: &str, suggestion: Option<String>) -> Self {
        let detail = self.0.detail.clone();
        self.at(Flaw { pointer: Some(pointer.to_owned()), detail, suggestion, ..Flaw::default() })
    }

    /// Says which parameter it is.
    pub(super) fn parameter(self, name: &str, suggestion: Option<String>) -> Self {
        let detail = self.0.detail.clone();
        self.at(Flaw { parameter: Some(name.to_owned()), detail, suggestion, ..Flaw::default() })
    }

    /// Says which header it is.
    pub(super) fn header(self, name: &str) -> Self {
        let detail = self.0.detail.clone();
        self.at(Flaw { header: Some(name.to_owned()), detail, ..Flaw::default() })
    }

    /// Says when to try again, in seconds.
    pub(super) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// What went wrong this time.
    pub(super) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Whether it is of this kind.
    pub(super) fn is(&self, kind: Kind) -> bool {
        self.0.kind == kind
    }

    /// Why the engine did not carry an order out.
    pub(super) fn rejected(rejection: &Rejection) -> Self {
        let said = |kind| Self::new(kind, rejection);
        match rejection {
            Rejection::NoPersona { nearest, .. } => {
                said(Kind::NoPersona).field("/persona", nearest.as_ref().map(ToString::to_string))
            }
            Rejection::NoImage { nearest, .. } => {
                said(Kind::NotFound).parameter("image", nearest.as_ref().map(ToString::to_string))
            }
            Rejection::NotPinned { .. }
            | Rejection::NoDevice { .. }
            | Rejection::NotAssigned { .. }
            | Rejection::NotArmed { .. }
            | Rejection::NoUser { .. }
            | Rejection::NoToken { .. } => said(Kind::NotFound),
            Rejection::TooManyAttributes { .. } => said(Kind::Invalid).field("/attributes", None),
            Rejection::NeverHolds => said(Kind::Invalid).field("/expires", None),
            Rejection::Changed { .. } => said(Kind::Changed),
            Rejection::KeyUsed { .. } => said(Kind::KeyUsed).header("Idempotency-Key"),
            // Tokens are made at the admin's door only.
            Rejection::TokenExists { .. } | Rejection::TooManyTokens { .. } | Rejection::UselessToken => {
                said(Kind::Invalid)
            }
            // Accounts are made at the admin's door and on the pages only.
            Rejection::NoAccount { .. } => said(Kind::NotFound),
            Rejection::AccountExists { .. }
            | Rejection::LastAdmin { .. }
            | Rejection::TooManyAccounts { .. }
            | Rejection::NotFirst => said(Kind::Invalid),
            // Of many assignments each says the same, but of its own device.
            Rejection::Line { line, why } => match &**why {
                why @ (Rejection::NoPersona { .. } | Rejection::NeverHolds) => Self::rejected(why),
                why => Self::new(Self::rejected(why).0.kind, why).field(&format!("/devices/{}", line - 1), None),
            },
        }
    }
}

impl From<Unavailable> for Problem {
    fn from(error: Unavailable) -> Self {
        Self::new(Kind::Unavailable, error).retry_after(1)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Inner { kind, detail, errors, retry_after } = *self.0;
        let (_, status, title, _) = kind.about();
        let body = ProblemBody { kind: kind.uri(), title, status: status.as_u16(), detail, errors };
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM_JSON)], json).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if matches!(kind, Kind::TooLarge | Kind::TooSlow) {
            // What is left of the body is not read: nothing else comes on this connection.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if kind == Kind::Unauthorized {
            let challenge = HeaderValue::from_static("Bearer realm=\"greenroom\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The media type of problems.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// Which problems an operation has is said of all operations in one place: `document`.
impl OperationOutput for Problem {
    type Inner = ProblemBody;

    fn inferred_responses(
        _: &mut GenContext,
        _: &mut openapi::Operation,
    ) -> Vec<(Option<openapi::StatusCode>, openapi::Response)> {
        vec![]
    }
}
