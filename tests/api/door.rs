//! A house with an open API.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use greenroom::{
    images::choose_tls,
    serve::api::{self, Rates},
};
use reqwest::Method;
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::world::House;

pub struct Door {
    pub house: House,
    pub address: SocketAddr,
    pub web: reqwest::Client,
    _stop: DropGuard,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub text: String,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The name of the problem's kind, once it is of the form that problems have.
    pub fn problem(&self) -> &str {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.body["status"], self.status, "{self:?}");
        assert!(self.body["detail"].as_str().is_some_and(|words| !words.is_empty()), "{self:?}");
        self.body["type"].as_str().unwrap().strip_prefix("/api/v1/problems/").unwrap()
    }
}

impl Door {
    pub async fn open() -> Self {
        Self::open_with(Rates { token: 100_000, address: 100_000 }).await
    }

    pub async fn open_with(rates: Rates) -> Self {
        choose_tls();
        let house = House::new().await;
        let listener = api::bind(([127, 0, 0, 1], 0).into(), None).await.unwrap();
        let address = listener.address().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(api::serve(listener, api::router(house.context.clone(), rates), stop.clone()));
        let web = reqwest::Client::builder().tls_certs_only([]).timeout(Duration::from_secs(60)).build().unwrap();
        Self { house, address, web, _stop: stop.drop_guard() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The command line, at the house's own door.
    pub async fn cli(&self, arguments: &[&str]) -> (bool, String) {
        let socket = self.house.dir.path().join("admin.sock");
        let fixed = ["--socket", socket.to_str().unwrap()];
        let output = self.house.run(env!("CARGO_BIN_EXE_greenroom"), &[&fixed[..], arguments].concat()).await;
        let said = if output.status.success() { &output.stdout } else { &output.stderr };
        (output.status.success(), String::from_utf8_lossy(said).trim().to_owned())
    }

    pub async fn token(&self, name: &str, scopes: &str) -> String {
        let (good, token) = self.cli(&["token", "create", "--name", name, "--scope", scopes]).await;
        assert!(good, "{token}");
        token
    }

    /// Asks under `/api/v1`.
    pub async fn ask(
        &self,
        token: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.web.request(method, self.url(&format!("/api/v1{path}"))).bearer_auth(token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request).await
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.ask(token, "GET", path, &[], None).await
    }
}

/// Sends a request, whatever it is.
pub async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let headers = headers.collect();
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status, headers, text, body }
}
