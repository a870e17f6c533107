//! What holds for every request, before and after its handler.

use std::time::Instant;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    Api, caller,
    problem::{Kind, PROBLEM_JSON, Problem},
    tag,
};

/// The longest error of the router that is passed on.
const LONGEST_ERROR: usize = 4096;

/// What every answer carries: nothing of it is kept by others, shown in frames, or taken for something else.
const ALWAYS: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
    ),
];

/// What is no path of the API.
pub(super) async fn stranger() -> Problem {
    Problem::not_found("there is no such path: /api/v1/ lists those there are")
}

/// Sees to rates and forms, and says in our words what others say in theirs.
pub(super) async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let peer = caller::peer(&parts);
    let (method, path, headers) = (parts.method.clone(), parts.uri.path().to_owned(), parts.headers.clone());
    let response = match may_pass(&api, peer, &headers) {
        Ok(()) => in_our_words(next.run(Request::from_parts(parts, body)).await).await,
        Err(problem) => problem.into_response(),
    };
    let mut response = match method {
        Method::GET | Method::HEAD => unless_known(&headers, response),
        _ => response,
    };
    response.headers_mut().extend(ALWAYS);
    let status = response.status();
    api.context.metrics.http("api", status);
    tracing::debug!(%peer, %method, path, status = status.as_u16(), "API");
    response
}

fn may_pass(api: &Api, peer: std::net::IpAddr, headers: &HeaderMap) -> Result<(), Problem> {
    api.context.callers.address(peer, api.rates.address, Instant::now()).map_err(|seconds| {
        let detail = format!("this address asks more than {} times a second", api.rates.address);
        Problem::new(Kind::TooMany, detail).retry_after(seconds)
    })?;
    let said = headers.get_all(header::ACCEPT).iter().map(|said| said.to_str().unwrap_or(""));
    let said = said.collect::<Vec<_>>().join(",");
    let unacceptable =
        || Problem::new(Kind::NotAcceptable, format!("`{said}` leaves out application/json")).header("Accept");
    accepts(&said).then_some(()).ok_or_else(unacceptable)
}

/// Whether somebody who says this takes what is spoken here.
fn accepts(said: &str) -> bool {
    let spoken = ["*/*", "application/*", "application/json", PROBLEM_JSON, "text/*", "text/html"];
    let fits = |range: &str| {
        let mut words = range.split(';').map(|word| word.trim().to_ascii_lowercase());
        let kind = words.next().unwrap_or_default();
        let refused = words.any(|word| {
            let quality = word.strip_prefix("q=").and_then(|quality| quality.trim().parse::<f64>().ok());
            quality.is_some_and(|quality| quality <= 0.0)
        });
        !refused && spoken.contains(&kind.as_str())
    };
    said.trim().is_empty() || said.split(',').any(fits)
}

/// The router's own errors (no such path, no such method), in the form of all others.
async fn in_our_words(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    if kind == PROBLEM_JSON || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let kind = Kind::ALL.into_iter().find(|kind| kind.about().1 == status).unwrap_or(match status.is_client_error() {
        true => Kind::Malformed,
        false => Kind::Bug,
    });
    let (parts, body) = response.into_parts();
    let said = to_bytes(body, LONGEST_ERROR).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let allowed = parts.headers.get(header::ALLOW).cloned();
    let detail = match (kind, said.trim()) {
        (Kind::MethodNotAllowed, _) => {
            let allowed = allowed.as_ref().and_then(|allowed| allowed.to_str().ok()).unwrap_or("none");
            format!("this path takes {}", allowed.replace(',', ", "))
        }
        (_, "") => kind.about().2.to_lowercase(),
        (_, said) => said.to_owned(),
    };
    let mut ours = Problem::new(kind, detail).into_response();
    if let Some(allowed) = allowed {
        ours.headers_mut().insert(header::ALLOW, allowed);
    }
    ours
}

/// The answer, or that it is the one that the asker has.
fn unless_known(headers: &HeaderMap, response: Response) -> Response {
    let tag = response.headers().get(header::ETAG).filter(|_| response.status() == StatusCode::OK);
    match tag.and_then(|tag| tag.to_str().ok()) {
        Some(tag) if tag::is_known(headers, tag) => {
            let tag = [(header::ETAG, tag.to_owned())];
            (StatusCode::NOT_MODIFIED, tag, Body::empty()).into_response()
        }
        _ => response,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spoken_here_is_taken_by_those_who_say_so() {
        for yes in
            ["", "*/*", "application/json", "text/csv, */*;q=0.1", "Application/JSON;q=1", "application/problem+json"]
        {
            assert!(accepts(yes), "{yes}");
        }
        for no in ["text/csv", "application/json;q=0", "application/xml, image/*"] {
            assert!(!accepts(no), "{no}");
        }
    }
}
