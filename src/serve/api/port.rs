//! The API's own listener: TLS, and clients that are slow on purpose.
//!
//! A certificate is renewed by whoever made it: its files are looked at every minute, and what is new and good is used for the
//! next connections. What is not good is told once, and the old one stays.

use std::{
    collections::HashMap,
    convert::Infallible,
    fs, io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    pin::pin,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use axum::{Router, body::Body};
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1::Builder,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{interval, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    images::choose_tls,
    serve::{context::lock, net::NetError},
};

use super::caller::Peer;

/// How many connections there may be. More wait until one ends.
const CONNECTIONS: usize = 512;
/// How many of them one address may hold: nobody takes them all.
const CONNECTIONS_EACH: usize = 128;
/// How long a client may take to say hello, and to send the head of a request; also how long it may be silent between two.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long what was sent may lie unread: who takes nothing holds no place. The kernel ends such a connection (RFC 5482).
const UNREAD: Duration = Duration::from_secs(120);
/// How often the files of the certificate are looked at.
const LOOK: Duration = Duration::from_secs(60);

/// A bound port, and what is spoken there.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<Tls>,
}

/// A certificate and its key, as they are in their files.
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    used: ArcSwap<rustls::ServerConfig>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[error("the API's certificate cannot be used: {path}: {why}; check `api.cert` and `api.key`")]
pub struct TlsError {
    path: String,
    why: String,
}

impl Tls {
    /// Reads a certificate (with those that vouch for it behind it) and its key, both PEM.
    pub fn read(cert: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let used = ArcSwap::from_pointee(config(&cert, &key)?);
        Ok(Self { cert, key, used })
    }

    fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.used.load_full())
    }

    /// When the files were last written.
    fn written(&self) -> Option<(SystemTime, SystemTime)> {
        let written = |path| fs::metadata(path).and_then(|about| about.modified()).ok();
        Some((written(&self.cert)?, written(&self.key)?))
    }

    /// Follows the files for as long as somebody waits for it.
    async fn follow(&self) {
        let mut last = self.written();
        let mut looks = interval(LOOK);
        loop {
            looks.tick().await;
            let written = self.written();
            if written == last {
                continue;
            }
            last = written;
            match config(&self.cert, &self.key) {
                Ok(config) => {
                    self.used.store(Arc::new(config));
                    tracing::info!(cert = %self.cert.display(), "the API has a new certificate");
                }
                Err(error) => tracing::warn!("{error}; the one from before stays in use"),
            }
        }
    }
}

fn config(cert: &PathBuf, key: &PathBuf) -> Result<rustls::ServerConfig, TlsError> {
    choose_tls();
    let wrong = |path: &PathBuf, why: String| TlsError { path: path.display().to_string(), why };
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(cert).map_err(|error| wrong(cert, error.to_string()))?.collect();
    let certificates = certificates.map_err(|error| wrong(cert, error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong(cert, "it holds no certificate".into()));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, error.to_string()))?;
    let builder = rustls::ServerConfig::builder().with_no_client_auth();
    builder.with_single_cert(certificates, secret).map_err(|error| wrong(key, error.to_string()))
}

/// Binds the port.
pub async fn bind(address: SocketAddr, tls: Option<Tls>) -> Result<Listener, NetError> {
    let tcp = TcpListener::bind(address).await.map_err(|error| NetError::tcp("the API", address.port(), error))?;
    Ok(Listener { tcp, tls })
}

impl Listener {
    /// Where it is bound.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Serves these routes until `stop`, and then until the last request under way has ended.
pub async fn serve(listener: Listener, routes: Router, stop: CancellationToken) -> io::Result<()> {
    let Listener { tcp, tls } = listener;
    let tls = tls.map(Arc::new);
    let (places, tasks) = (Arc::new(Semaphore::new(CONNECTIONS)), TaskTracker::new());
    let addresses: Addresses = Arc::default();
    let accepting = async {
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let Some((stream, peer)) = accepted(&tcp).await else { continue };
            let Some(seat) = Seat::of(peer.ip(), &addresses) else { continue };
            let (routes, stop, tls) = (routes.clone(), stop.clone(), tls.clone());
            tasks.spawn(async move {
                connection(stream, peer, routes, stop, tls.as_deref()).await;
                drop((place, seat));
            });
        }
    };
    let following = async {
        match &tls {
            Some(tls) => tls.follow().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = accepting => {}
        () = following => {}
        () = stop.cancelled() => {}
    }
    tasks.close();
    tasks.wait().await;
    Ok(())
}

/// How many connections each address holds.
type Addresses = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// A connection that counts for its address until it is dropped.
struct Seat(IpAddr, Addresses);

impl Seat {
    /// One more of this address, if it may have one.
    fn of(address: IpAddr, addresses: &Addresses) -> Option<Self> {
        let mut held = lock(addresses);
        let count = held.entry(address).or_default();
        if *count >= CONNECTIONS_EACH {
            tracing::debug!(%address, "an address holds too many connections of the API");
            return None;
        }
        *count += 1;
        Some(Self(address, addresses.clone()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut held = lock(&self.1);
        if let Some(count) = held.get_mut(&self.0) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.0);
            }
        }
    }
}

/// The next connection. When the system has no room for one, it is given time to find some.
async fn accepted(tcp: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match tcp.accept().await {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            tracing::debug!(%error, "a connection of the API was not accepted");
            sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, routes: Router, stop: CancellationToken, tls: Option<&Tls>) {
    // Small answers go at once. A system that cannot do this or the next is slower, or holds on for longer, and works.
    stream.set_nodelay(true).unwrap_or_default();
    SockRef::from(&stream).set_tcp_user_timeout(Some(UNREAD)).unwrap_or_default();
    let Some(tls) = tls else { return requests(stream, peer, routes, stop).await };
    match timeout(PATIENCE, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => requests(stream, peer, routes, stop).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS came about"),
        Err(_) => tracing::debug!(%peer, "a client did not say hello"),
    }
}

async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    routes: Router,
    stop: CancellationToken,
) {
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        let answer = routes.call(request.map(Body::new));
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(64 << 10);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection of the API ended badly");
    }
}
