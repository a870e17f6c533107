//! What an issuer says of itself (OpenID Connect Discovery 1.0), and its keys. Both are kept for a while; a key that is not
//! known yet is asked for at once, for issuers change theirs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use reqwest::{Client, RequestBuilder, Response, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{
    images::{cause, choose_tls},
    serve::context::lock,
};

use super::Fault;

/// For how long what an issuer says of itself is believed.
const FRESH: Duration = Duration::from_secs(3600);
/// How long nobody asks again, after it did not answer, or for keys that it may not have.
const PAUSE: Duration = Duration::from_secs(5);
/// How long it may take, to its last byte.
const PATIENCE: Duration = Duration::from_secs(10);
/// For how long an answer says that it is there.
const SURE: Duration = Duration::from_secs(10);
/// The largest answer, in bytes.
const LARGEST: usize = 1 << 20;

/// What an issuer says of itself, as far as it matters.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct About {
    issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

impl About {
    /// Whether it takes a secret as HTTP's own authentication: those that do not say take that (section 3).
    pub(super) fn takes_basic(&self) -> bool {
        let takes = |way: &str| self.token_endpoint_auth_methods_supported.iter().any(|method| method == way);
        takes("client_secret_basic") || !takes("client_secret_post")
    }
}

/// What is known of an issuer.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) about: About,
    pub(super) keys: Vec<Jwk>,
    asked: Instant,
    keys_asked: Instant,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Value>,
}

/// An issuer.
pub(super) struct Issuer {
    url: String,
    web: Client,
    known: Mutex<Option<Arc<Known>>>,
    failed: Mutex<Option<(Instant, Fault)>>,
    /// When it last answered, whatever it said.
    heard: std::sync::Mutex<Option<Instant>>,
}

impl Issuer {
    pub(super) fn new(url: String) -> Self {
        choose_tls();
        let builder = Client::builder().redirect(Policy::none()).timeout(PATIENCE).connect_timeout(PATIENCE);
        let builder = if url.starts_with("http://") { builder.tls_certs_only([]) } else { builder };
        // Without certificates of the system nothing can be asked over TLS: that shows when it is.
        let web = builder.build().unwrap_or_else(|error| {
            tracing::error!("the issuer cannot be asked: {error}");
            Client::builder().tls_certs_only([]).redirect(Policy::none()).build().unwrap_or_default()
        });
        Self { url, web, known: Mutex::default(), failed: Mutex::default(), heard: std::sync::Mutex::default() }
    }

    /// What is known of it, asked for if that was long ago.
    pub(super) async fn known(&self) -> Result<Arc<Known>, Fault> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.asked.elapsed() < FRESH) {
            return Ok(known.clone());
        }
        let mut failed = self.failed.lock().await;
        if let Some((_, fault)) = failed.as_ref().filter(|(at, _)| at.elapsed() < PAUSE) {
            return Err(fault.clone());
        }
        match self.ask().await {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                (*known, *failed) = (Some(fresh.clone()), None);
                Ok(fresh)
            }
            Err(fault) => {
                *failed = Some((Instant::now(), fault.clone()));
                Err(fault)
            }
        }
    }

    /// The same with its keys of now, unless they were asked for just before.
    pub(super) async fn with_new_keys(&self) -> Result<Arc<Known>, Fault> {
        let before = self.known().await?;
        if before.keys_asked.elapsed() < PAUSE {
            return Ok(before);
        }
        let keys = self.keys(&before.about).await?;
        let fresh = Arc::new(Known { keys, keys_asked: Instant::now(), ..Known::clone(&before) });
        *self.known.lock().await = Some(fresh.clone());
        Ok(fresh)
    }

    /// What is known of it, when it is there as well: a browser that is sent to one that is not shows a page of its own. Any
    /// answer will do for that.
    pub(super) async fn present(&self) -> Result<Arc<Known>, Fault> {
        let known = self.known().await?;
        let heard = lock(&self.heard).is_some_and(|heard| heard.elapsed() < SURE);
        if !heard {
            self.send(self.web.get(self.place()), "who it is").await?;
        }
        Ok(known)
    }

    /// Where it says what it is.
    fn place(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.url.trim_end_matches('/'))
    }

    async fn ask(&self) -> Result<Known, Fault> {
        let about: About = self.read(self.web.get(self.place()), "who it is").await?;
        if about.issuer != self.url {
            let named = plain(&about.issuer);
            return Err(Fault::away(format!("the issuer calls itself {named}: write that as `api.oidc.issuer`")));
        }
        let plainly = |url: &str| self.url.starts_with("https://") && !url.starts_with("https://");
        if [&about.authorization_endpoint, &about.token_endpoint, &about.jwks_uri].into_iter().any(|url| plainly(url)) {
            return Err(Fault::away("the issuer wants to be asked without TLS"));
        }
        let keys = self.keys(&about).await?;
        Ok(Known { about, keys, asked: Instant::now(), keys_asked: Instant::now() })
    }

    /// Its keys, as far as they are understood: those for secrets are not for signatures.
    async fn keys(&self, about: &About) -> Result<Vec<Jwk>, Fault> {
        let Keys { keys } = self.read(self.web.get(&about.jwks_uri), "its keys").await?;
        let keys = keys.into_iter().take(100).filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Ok(keys.filter(|key| key.common.public_key_use != Some(PublicKeyUse::Encryption)).collect())
    }

    pub(super) fn post(&self, url: &str) -> RequestBuilder {
        self.web.post(url)
    }

    /// What it answers when it is asked for `what`. An error in words is an answer too, unless it is the issuer that has trouble.
    pub(super) async fn read<T: DeserializeOwned>(&self, request: RequestBuilder, what: &str) -> Result<T, Fault> {
        let (mut response, at) = self.send(request, what).await?;
        let status = response.status();
        let mut body: Vec<u8> = vec![];
        while let Some(chunk) = response.chunk().await.map_err(|error| silent(what, &at, error))? {
            if body.len() + chunk.len() > LARGEST {
                return Err(Fault::Away {
                    why: format!("the issuer, asked for {what}, says more than makes sense"),
                    more: format!("more than {LARGEST} bytes from {at}"),
                });
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_server_error() {
            return Err(Fault::Away {
                why: format!("the issuer has trouble of its own: asked for {what}, it answers {status}"),
                more: format!("from {at}"),
            });
        }
        serde_json::from_slice(&body).map_err(|error| Fault::Away {
            why: format!("the issuer, asked for {what}, answers {status}, and nothing that reads"),
            more: format!("{} bytes from {at}: {error}", body.len()),
        })
    }

    /// The head of its answer, and for the log whom that was asked of.
    async fn send(&self, request: RequestBuilder, what: &str) -> Result<(Response, String), Fault> {
        let (client, request) = request.build_split();
        let request = request.map_err(|error| silent(what, "an address that is none", error))?;
        // What is in a query may be for nobody's eyes.
        let mut url = request.url().clone();
        url.set_query(None);
        let at = url.to_string();
        let response = client.execute(request).await.map_err(|error| silent(what, &at, error))?;
        *lock(&self.heard) = Some(Instant::now());
        Ok((response, at))
    }
}

/// It did not answer, or not to the end. What went wrong is told without the address: a code may be in it.
fn silent(what: &str, at: &str, error: reqwest::Error) -> Fault {
    let late = error.is_timeout();
    let error = error.without_url();
    let how = if late { format!("not within {} seconds", PATIENCE.as_secs()) } else { cause(&error) };
    Fault::Away {
        why: format!("the issuer does not answer, asked for {what}: {how}"),
        more: format!("{at}: {error}: {}", cause(&error)),
    }
}

/// Words of somebody else, for a page or the log: one line that is not long.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
