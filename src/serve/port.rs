//! The boot port's loop. hyper reads the requests and writes what is small; what the kernel can send, it sends.
//!
//! ```text
//!   accept ──> hyper: request, answer ──> the next request, on and on ──> end
//!                ↑        │
//!                │        └── a blob, its head is out: the connection is taken back
//!                │                    │
//!                └── it lasts ── its body is sent ── it does not last, or the daemon stops ──> farewell, end
//!                                     └── the blob or the client fails ──> end: nobody takes a part for the whole
//! ```

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use axum::{body::Body, response::Response};
use futures_util::future::poll_fn;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1::{Builder, Parts},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;

use super::{
    Context,
    connection::{Connection, Listener},
    exit::Exit,
    http::{Ends, Line, Routes},
    parcel::{Broken, Parcel},
};

/// Serves until `stop`, and then until the last connection has ended.
pub async fn serve(listener: Listener, context: Context, stop: CancellationToken) -> io::Result<()> {
    let pacer = context.pacer.clone();
    let routes = Arc::new(Routes::new(context));
    let serving = async {
        while let Some((connection, peer)) = stop.run_until_cancelled(listener.accept()).await {
            tokio::spawn(drive(connection, peer, routes.clone(), stop.clone()));
        }
        listener.drained().await;
    };
    tokio::select! {
        () = serving => {}
        () = pacer.run() => {}
    }
    Ok(())
}

/// Serves one connection to its end.
async fn drive(mut connection: Connection, peer: SocketAddr, routes: Arc<Routes>, stop: CancellationToken) {
    // Of its own: each poll of the parent would lock what all connections share.
    let stop = stop.child_token();
    let local = connection.local_addr().unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
    let line = Arc::new(Line { ends: Ends { peer, local }, exit: connection.exit() });
    loop {
        let (back, parcel) = match requests(connection, &line, &routes, &stop).await {
            Ok(Some(taken)) => taken,
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(%peer, %error, "a connection ended badly");
                return;
            }
        };
        connection = back;
        let lasts = parcel.lasts;
        match parcel.send(&mut connection).await {
            Ok(()) if lasts && !stop.is_cancelled() => {}
            Ok(()) => return connection.close().await,
            Err(Broken::Client(error)) => {
                tracing::debug!(%peer, %error, "a client went away in the middle of a blob");
                return;
            }
            Err(Broken::Blob(error)) => {
                tracing::warn!(%peer, %error, "a transfer is broken off");
                return;
            }
        }
    }
}

/// Has hyper serve requests until the connection ends, or until the kernel shall send a body.
async fn requests(
    connection: Connection,
    line: &Arc<Line>,
    routes: &Arc<Routes>,
    stop: &CancellationToken,
) -> hyper::Result<Option<(Connection, Parcel)>> {
    let exit: &Exit = &line.exit;
    let service = service_fn(|request: Request<Incoming>| {
        let (routes, line) = (routes.clone(), line.clone());
        line.exit.asked();
        async move { Ok::<Response, Infallible>(routes.answer(&line, request.map(Body::new)).await) }
    });
    // A timer of hyper's for each head would cost more than the head: the connection itself sees to it.
    let mut server = Builder::new().serve_connection(TokioIo::new(connection), service);
    let mut stopped = pin!(stop.cancelled());
    let mut told = false;
    let parcel = poll_fn(|context| {
        if !told && stopped.as_mut().poll(context).is_ready() {
            told = true;
            Pin::new(&mut server).graceful_shutdown();
        }
        match Pin::new(&mut server).poll(context) {
            Poll::Ready(ended) => Poll::Ready(ended.map(|()| None)),
            Poll::Pending => exit.parcel().map_or(Poll::Pending, |parcel| Poll::Ready(Ok(Some(parcel)))),
        }
    });
    let Some(parcel) = parcel.await? else { return Ok(None) };
    // The head is out and hyper waits for a body: what is left of it is the connection and what it read ahead.
    let Parts { io, read_buf, .. } = server.into_parts();
    let mut connection = io.into_inner();
    connection.read_again(read_buf);
    Ok(Some((connection, parcel)))
}
