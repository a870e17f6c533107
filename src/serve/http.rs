//! The boot port. Firmware, loaders, installers and people with a browser come here; nobody can change anything here but
//! an attempt's own report, and, signed, that the library be pulled.
//!
//! What firmware demands (QUIRKS row 32): never a redirect, `//` read as `/`, an exact Content-Length, HEAD, keep-alive.

use std::net::{Ipv4Addr, SocketAddr};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{Request, State},
    http::{Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::wire::paths::{BootPath, server_url};

use super::{
    Context, blob, boot, connection::Listener, exit::Exit, hook, metrics, net::NetError, seed, status, trouble,
};

/// Both ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    /// The client.
    pub(super) peer: SocketAddr,
    /// This server, as the client reached it: URLs in scripts start here.
    pub(super) local: SocketAddr,
}

/// The connection that a request came on.
pub(super) struct Line {
    /// Its ends.
    pub(super) ends: Ends,
    /// How its answers' bodies are handed to the kernel.
    pub(super) exit: Exit,
}

impl Ends {
    /// `http://10.77.0.1`: the beginning of every URL for this client.
    pub(super) fn server_url(&self) -> String {
        match self.local.ip().to_canonical() {
            std::net::IpAddr::V4(ip) => server_url(ip, self.local.port()),
            std::net::IpAddr::V6(ip) => format!("http://[{ip}]:{}", self.local.port()),
        }
    }
}

/// Binds the boot port on every address.
pub async fn bind(port: u16) -> Result<Listener, NetError> {
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    TcpListener::bind(address).await.map(Listener::new).map_err(|error| NetError::tcp("HTTP", port, error))
}

/// What the boot port answers with.
pub(super) struct Routes {
    context: Context,
    /// What people and their tools ask for. What devices ask for needs no router: it is found by its name alone.
    pages: TowerToHyperService<Router>,
}

impl Routes {
    pub(super) fn new(context: Context) -> Self {
        let pages = Router::new()
            .route("/", get(status::page))
            .route("/healthz", get(health))
            .route("/metrics", get(metrics::scrape))
            .route("/hooks/library", post(hook::library))
            .fallback(stranger)
            .with_state(context.clone());
        Self { context, pages: TowerToHyperService::new(pages) }
    }

    /// Answers a request.
    pub(super) async fn answer(&self, line: &Line, request: Request) -> Response {
        match BootPath::parse(request.uri().path()) {
            Some(path) => self.serve(line, path, request).await,
            None => self.pages.call(request).await.unwrap_or_else(|never| match never {}),
        }
    }

    /// Everything that is asked for by a name that we handed out.
    async fn serve(&self, line: &Line, path: BootPath, request: Request) -> Response {
        let context = &self.context;
        let (request, body) = request.into_parts();
        let (route, response) = match (&request.method, path) {
            (&Method::GET | &Method::HEAD, path) => read(context, line, path, &request).await,
            (&Method::POST, BootPath::Report { boot, token }) => {
                ("report", seed::report(context, line.ends, boot, &token, body).await)
            }
            _ => ("refused", StatusCode::METHOD_NOT_ALLOWED.into_response()),
        };
        context.metrics.http(route, response.status());
        let (peer, status) = (line.ends.peer, response.status().as_u16());
        tracing::debug!(%peer, path = loggable(&request.uri), status, "HTTP");
        match request.method {
            Method::HEAD => without_body(response),
            _ => response,
        }
    }
}

/// What has no name of ours.
async fn stranger(State(context): State<Context>, uri: Uri) -> Response {
    let response = not_found();
    context.metrics.http("not-found", response.status());
    tracing::debug!(path = loggable(&uri), "HTTP: not found");
    response
}

/// Answers a GET, or a HEAD, which delivers nothing and is no step of an attempt.
async fn read(context: &Context, line: &Line, path: BootPath, request: &Parts) -> (&'static str, Response) {
    let ends = line.ends;
    let deliver = request.method == Method::GET;
    match path {
        BootPath::Start { boot } => ("script", boot::start(context, ends, boot)),
        // What it would say is decided when it is asked for in earnest: its length is not known before.
        BootPath::Script { .. } if !deliver => ("script", boot::script_head()),
        BootPath::Script { boot } => ("script", boot::script(context, ends, boot, &request.uri).await),
        BootPath::Trouble { .. } | BootPath::GaveUp { .. } if !deliver => ("trouble", boot::script_head()),
        BootPath::Trouble { boot } => ("trouble", trouble::script(context, boot).await),
        BootPath::GaveUp { boot } => ("trouble", trouble::gave_up(context, ends, boot).await),
        BootPath::Nbp { boot, name } => ("nbp", boot::nbp(context, ends, boot, &name, deliver)),
        BootPath::Blob { digest } => ("blob", blob::serve(context, line, digest, None, request).await),
        BootPath::BlobFor { digest, boot, name } => {
            ("blob", blob::serve(context, line, digest, Some((boot, &name)), request).await)
        }
        // Loaders look for other files in the folder as well, and must not take this blob for them.
        BootPath::BlobBelow { digest, boot, name, .. } => match blob::is_called(context, boot, digest, &name) {
            true => ("blob", blob::serve(context, line, digest, Some((boot, &name)), request).await),
            false => ("blob", not_found()),
        },
        BootPath::Seed { boot, token, name } => ("seed", seed::file(context, ends, boot, &token, &name, deliver)),
        BootPath::Report { .. } => ("report", StatusCode::METHOD_NOT_ALLOWED.into_response()),
    }
}

async fn health(State(context): State<Context>) -> Response {
    axum::Json(context.health()).into_response()
}

/// Text with its exact length: some firmware reads nothing that has none.
pub(super) fn text(kind: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// The same answer for everything that is not there, whatever the reason.
pub(super) fn not_found() -> Response {
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/plain")], "not found\n").into_response()
}

/// The headers of the answer to a GET, with the length that its body would have when that is known.
fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    // A body of unknown length stays: it is never sent in answer to a HEAD, and an empty one would say "0 bytes".
    let Some(length) = body.size_hint().exact() else { return Response::from_parts(parts, body) };
    parts.headers.entry(header::CONTENT_LENGTH).or_insert(length.into());
    Response::from_parts(parts, Body::empty())
}

/// A path as it may be logged: what may be a seed's token is left out, also of a path that is not quite one of ours.
fn loggable(uri: &Uri) -> String {
    let mut parts: Vec<&str> = uri.path().split('/').filter(|part| !part.is_empty()).collect();
    if let ["seed", _, token, ..] = &mut parts[..] {
        *token = "…";
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_is_logged() {
        for (path, logged) in [
            ("/seed/0123456789/secret/user-data", "/seed/0123456789/…/user-data"),
            ("//seed//0123456789/secret", "/seed/0123456789/…"),
            ("/seed/x/secret/a/b", "/seed/x/…/a/b"),
            ("/boot/0123456789/start.ipxe?serial=1", "/boot/0123456789/start.ipxe"),
        ] {
            assert_eq!(loggable(&path.parse().expect("a path")), logged);
        }
    }
}
