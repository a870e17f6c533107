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
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

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

/// A server on a bare socket, for what no web server does: it reads a request, then does as the test says.
pub(crate) struct RawServer {
    pub(crate) url: String,
    connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

/// How a bare socket misbehaves.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// It takes the request and says nothing.
    Silent,
    /// It sends the head and this many bytes, and then nothing more.
    Stalls(usize),
    /// It sends the head and this many bytes, and then a reset.
    Resets(usize),
    /// It hangs up instead of answering.
    HangsUp,
    /// It sends this many bytes every so many milliseconds.
    Drips(usize, u64),
    /// It answers with what is no HTTP.
    Babbles,
}

impl RawServer {
    pub(crate) async fn start(bytes: Bytes, way: Way) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/image", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                // The client may be gone before it is done: that is what is tested.
                tokio::spawn(misbehave(socket, bytes.clone(), way));
            }
        });
        Self { url, connections, task }
    }

    /// How often it was connected to.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn misbehave(mut socket: TcpStream, bytes: Bytes, way: Way) -> std::io::Result<()> {
    let mut request = vec![0; 4096];
    let read = socket.read(&mut request).await?;
    let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
    let from = request.split_once("range: bytes=").and_then(|(_, range)| range.split('-').next()?.parse().ok());
    let begin: usize = from.unwrap_or(0);
    let (len, rest) = (bytes.len(), bytes.slice(begin..));
    let head = match from {
        Some(_) => format!("206 Partial Content\r\ncontent-range: bytes {begin}-{}/{len}", len - 1),
        None => "200 OK".to_owned(),
    };
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", rest.len());
    let forever = std::time::Duration::from_secs(3600);
    match way {
        Way::Silent => tokio::time::sleep(forever).await,
        Way::HangsUp => {}
        Way::Babbles => socket.write_all(b"220 mail.example ESMTP\r\n\r\n").await?,
        Way::Stalls(sent) | Way::Resets(sent) => {
            socket.write_all(head.as_bytes()).await?;
            socket.write_all(&rest[..sent.min(rest.len())]).await?;
            socket.flush().await?;
            match way {
                Way::Stalls(_) => tokio::time::sleep(forever).await,
                _ => {
                    // What was written reaches the client before the reset does.
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    socket2::SockRef::from(&socket).set_linger(Some(std::time::Duration::ZERO))?;
                }
            }
        }
        Way::Drips(drop, millis) => {
            socket.write_all(head.as_bytes()).await?;
            for piece in rest.chunks(drop) {
                socket.write_all(piece).await?;
                tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
            }
        }
    }
    Ok(())
}
