//! A web server on loopback whose every answer a test decides.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{Response, StatusCode, header},
};
use futures_util::{StreamExt, stream};

/// A server, as long as it lives.
pub(crate) struct OriginServer {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Option<String>>>>,
    task: tokio::task::JoinHandle<()>,
}

impl OriginServer {
    /// Starts one. `answer` gets the number of the request, from 0, and the offset that its `Range` asks for.
    pub(crate) async fn start(answer: impl Fn(usize, Option<usize>) -> Response<Body> + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/image", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
        let (log, count, answer) = (asked.clone(), AtomicUsize::new(0), Arc::new(answer));
        let count = Arc::new(count);
        let handle = move |request: Request| {
            let range = request.headers().get(header::RANGE).map(|range| range.to_str().unwrap().to_owned());
            log.lock().unwrap().push(range.clone());
            let first = |range: String| range.trim_start_matches("bytes=").split('-').next().unwrap().parse().unwrap();
            let from = range.map(first);
            let answer = answer(count.fetch_add(1, Ordering::Relaxed), from);
            async move { answer }
        };
        let router = Router::new().fallback(handle);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, asked, task }
    }

    /// A good server of `bytes`: ranges, length, entity tag.
    pub(crate) async fn good(bytes: Bytes) -> Self {
        Self::start(move |_, from| whole(&bytes, from)).await
    }

    /// The `Range` of each request so far.
    pub(crate) fn asked(&self) -> Vec<Option<String>> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for OriginServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// All of `bytes`, or the part that was asked for.
pub(crate) fn whole(bytes: &Bytes, from: Option<usize>) -> Response<Body> {
    part(bytes, from, bytes.len())
}

/// `bytes` up to `until`, where the connection breaks.
pub(crate) fn part(bytes: &Bytes, from: Option<usize>, until: usize) -> Response<Body> {
    let begin = from.unwrap_or(0);
    let pieces = pieces(&bytes.slice(begin..until));
    let cut = (until < bytes.len()).then(|| Err(std::io::Error::other("the plug was pulled")));
    let mut response =
        Response::builder().header(header::ETAG, "\"one\"").header("content-length", bytes.len() - begin);
    if let Some(from) = from {
        let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
        response = response.status(StatusCode::PARTIAL_CONTENT).header(header::CONTENT_RANGE, range);
    }
    // The pause lets what was written reach the client before the connection is cut.
    let pause = stream::once(tokio::time::sleep(std::time::Duration::from_millis(50))).filter_map(async |()| None);
    response.body(Body::from_stream(stream::iter(pieces).chain(pause).chain(stream::iter(cut)))).unwrap()
}

/// `bytes` without a length.
pub(crate) fn chunked(bytes: &Bytes) -> Response<Body> {
    Response::new(Body::from_stream(stream::iter(pieces(bytes))))
}

pub(crate) fn status(status: StatusCode) -> Response<Body> {
    Response::builder().status(status).body(Body::empty()).unwrap()
}

fn pieces(bytes: &Bytes) -> Vec<std::io::Result<Bytes>> {
    (0..bytes.len()).step_by(100_000).map(|at| Ok(bytes.slice(at..(at + 100_000).min(bytes.len())))).collect()
}
