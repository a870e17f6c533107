//! What holds of every request, before and after its page.
//!
//! - Whoever writes comes from a page of ours. Browsers say so in `Sec-Fetch-Site`, older ones in `Origin`; a request that
//!   changes something and says neither is refused. With cookies that other sites' requests do not bring along
//!   (`SameSite=Strict`), no other site can have a visitor's browser do anything here.
//! - No page runs or loads anything but the files in `static/`, whatever text it shows.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use tower::ServiceExt;

use super::{Frame, Trouble, Wants, Web, door, notice::Notice};

/// Nothing but our own files, no frames around us, no forms to others.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[derive(Clone)]
struct Gate {
    web: Web,
    pages: Router,
}

/// The pages, behind the gate.
pub(super) fn before(web: Web, pages: Router) -> Router {
    Router::new().fallback(pass).with_state(Gate { web, pages })
}

async fn pass(State(Gate { web, pages }): State<Gate>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    // Where to come back to after signing in: a form that was sent cannot be asked for.
    let asked = parts.uri.path_and_query().filter(|_| parts.method.is_safe());
    let asked = asked.map_or_else(|| "/".to_owned(), ToString::to_string);
    let wants = twin(&mut parts.uri);
    let visitor = door::visitor(&web, &parts);
    let noticed = Notice::of(&parts.headers).is_some() && parts.method == Method::GET && wants == Wants::Page;
    let allowed = parts.method.is_safe() || is_ours(&parts.headers);
    let closed = door::closed(&web, &parts);
    let mut response = if let Some(trouble) = closed {
        trouble.into_response()
    } else if allowed {
        parts.extensions.insert(wants);
        if let Some(visitor) = &visitor {
            parts.extensions.insert(visitor.clone());
        }
        let request = Request::from_parts(parts, body);
        pages.oneshot(request).await.unwrap_or_else(|never| match never {})
    } else {
        let why = "This request does not come from a page of this server.";
        Trouble::new(StatusCode::FORBIDDEN, "Not from here", why, "Open the page here, and try it there.")
            .into_response()
    };
    if let Some(trouble) = response.extensions_mut().remove::<Trouble>() {
        let frame = |title| Frame::around_trouble(visitor, title, (web.context.clock)());
        response = trouble.shown(wants, frame, &asked);
    }
    dressed(response, noticed)
}

/// Takes `.json` from a path's end.
fn twin(uri: &mut Uri) -> Wants {
    let Some(path) = uri.path().strip_suffix(".json").filter(|path| !path.starts_with("/static/")) else {
        return Wants::Page;
    };
    // The overview's twin has a name of its own: nothing is left of `/.json`.
    let path = if path == "/overview" { "/" } else { path };
    let whole = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    match whole.parse() {
        Ok(plain) => {
            *uri = plain;
            Wants::Json
        }
        Err(_) => Wants::Page,
    }
}

/// Whether a request that changes something comes from a page of this server.
fn is_ours(headers: &HeaderMap) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (said("sec-fetch-site"), said("origin"), said("host")) {
        (Some(site), ..) => site == "same-origin",
        (None, Some(origin), Some(host)) => {
            origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")) == Some(host)
        }
        _ => false,
    }
}

fn dressed(mut response: Response, noticed: bool) -> Response {
    let is_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let headers = response.headers_mut();
    let mut say = |name: header::HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    say(header::CONTENT_SECURITY_POLICY, POLICY);
    say(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    say(header::REFERRER_POLICY, "same-origin");
    say(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    // What is shown to one is not kept for another.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if noticed && is_page {
        headers.append(header::SET_COOKIE, Notice::forget());
    }
    response
}
