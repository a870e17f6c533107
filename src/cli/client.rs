//! Talking to the running daemon, over its admin socket.

use std::{io, os::unix::net::UnixStream, path::PathBuf};

use futures_util::StreamExt;
use serde::{Serialize, de::DeserializeOwned};

use crate::{images::choose_tls, serve::admin::Trouble};

use super::{Failure, Global};

/// A line to the daemon.
pub(super) struct Daemon {
    web: reqwest::Client,
    socket: PathBuf,
}

impl Daemon {
    pub(super) fn new(global: &Global) -> Result<Self, Failure> {
        let socket = global.socket();
        // The socket is local and plain, but the client insists on a TLS implementation being there (and on certificates,
        // which a server that only boots machines may not have).
        choose_tls();
        let web = reqwest::Client::builder().tls_certs_only([]).unix_socket(socket.clone()).build();
        Ok(Self { web: web.map_err(|error| Failure::Failed(error.to_string()))?, socket })
    }

    /// Asks for a value.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.read(self.web.get(url(path))).await
    }

    /// Asks for a value by telling one.
    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.read(self.web.post(url(path)).json(body)).await
    }

    /// Tells something that is only done or not.
    pub(super) async fn tell(&self, path: &str, body: &impl Serialize) -> Result<(), Failure> {
        self.send(self.web.post(url(path)).json(body)).await.map(|_| ())
    }

    /// Reads JSON lines as they come.
    pub(super) async fn lines<T: DeserializeOwned>(
        &self,
        post: bool,
        path: &str,
        each: impl FnMut(T),
    ) -> Result<(), Failure> {
        let request = if post { self.web.post(url(path)) } else { self.web.get(url(path)) };
        self.read_lines(request, each).await
    }

    /// Reads JSON lines as they come, after telling a value.
    pub(super) async fn lines_of<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        each: impl FnMut(T),
    ) -> Result<(), Failure> {
        self.read_lines(self.web.post(url(path)).json(body), each).await
    }

    async fn read_lines<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        mut each: impl FnMut(T),
    ) -> Result<(), Failure> {
        let mut bytes = self.send(request).await?.bytes_stream();
        let mut rest: Vec<u8> = vec![];
        while let Some(chunk) = bytes.next().await {
            rest.extend_from_slice(&chunk.map_err(|_| self.silent())?);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                each(serde_json::from_slice(&line).map_err(|error| self.strange(&error))?);
            }
        }
        Ok(())
    }

    async fn read<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, Failure> {
        let body = self.send(request).await?.bytes().await.map_err(|_| self.silent())?;
        serde_json::from_slice(&body).map_err(|error| self.strange(&error))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, Failure> {
        let response = request.send().await.map_err(|_| self.silent())?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let said = response.json::<Trouble>().await.map(|trouble| trouble.error);
        Err(Failure::Failed(said.unwrap_or_else(|_| format!("the daemon answered {status}"))))
    }

    /// Why nothing came back. The daemon's door opens for its owner only, which is no reason to start another daemon.
    fn silent(&self) -> Failure {
        let door = UnixStream::connect(&self.socket);
        if door.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
            let socket = self.socket.display();
            return Failure::Failed(format!(
                "you may not open the daemon's socket {socket}: run this as root (`sudo`)"
            ));
        }
        Failure::NoDaemon(format!(
            "no daemon answers at {}: start it with `greenroom serve`, or name its socket with --socket",
            self.socket.display()
        ))
    }

    fn strange(&self, error: &serde_json::Error) -> Failure {
        Failure::Failed(format!("the daemon's answer does not read ({error}): are it and this command of one version?"))
    }
}

/// The host name in it means nothing: the socket is the host.
fn url(path: &str) -> String {
    format!("http://greenroom{path}")
}

/// Who gives the orders: the person behind `sudo`, else the user.
pub(super) fn operator() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| "root".into())
}
