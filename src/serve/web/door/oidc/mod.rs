//! Signing in with an issuer's identities: OpenID Connect's authorization code flow, with PKCE, a state and a nonce.
//!
//! ```text
//!   /sign-in/oidc -> flow: a cookie, and from it state, nonce and verifier -> the issuer's page
//!   /sign-in/oidc/callback?code&state -> is it the flow of this browser? -> the issuer's token -> its claims -> a role
//! ```
//! The browser carries the flow; nothing is kept here of those who begin to sign in, so they cannot fill anything up.
//! **What is believed is a token alone** that the issuer signed, for this server and for this very flow.

mod claim;
mod flow;
mod issuer;
mod verify;

use std::{collections::BTreeSet, path::PathBuf};

use axum::http::HeaderValue;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use form_urlencoded::Serializer;
use reqwest::{RequestBuilder, Url, header};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    library::secret,
    model::{Moment, Role},
    serve::seed::SeedKey,
};

use self::{
    flow::Flow,
    issuer::{About, Issuer},
};

/// What the browser's part of a flow is called.
const COOKIE: &str = "greenroom-oidc";

/// Where the issuer sends people back to, below this server's address.
pub(in crate::serve::web) const CALLBACK: &str = "/sign-in/oidc/callback";

/// An issuer, and who of those that it knows may do what here.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its address, as it writes it itself.
    pub issuer: String,
    /// What people call it.
    pub label: String,
    /// What it calls this server.
    pub client_id: String,
    /// The name of the secret that this server shows it.
    pub client_secret: Option<String>,
    /// The folder of the secrets: read at each use, so that it can be changed.
    pub secrets_dir: PathBuf,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Which claim names people.
    pub name: String,
    /// Which claim says what they may do.
    pub claim: String,
    /// Which of its values give which role, from the least.
    pub roles: Vec<(Role, BTreeSet<String>)>,
}

/// Why nobody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::serve::web) enum Fault {
    /// The issuer cannot be asked, or what it says makes no sense.
    #[error("{why}")]
    Away {
        /// What failed, for whoever wants to come in.
        why: String,
        /// What an admin wants to know beside that, for the log.
        more: String,
    },
    /// It is not this browser that began.
    #[error("this is not the answer to what was asked by this browser, or it took too long")]
    Stranger,
    /// The issuer says no.
    #[error("the issuer says: {0}")]
    Refused(String),
    /// What it says cannot be believed.
    #[error("what the issuer says cannot be believed: {0}")]
    Unbelievable(String),
}

impl Fault {
    /// It cannot be asked, and there is no more to say than that.
    fn away(why: impl Into<String>) -> Self {
        Self::Away { why: why.into(), more: String::new() }
    }
}

/// Somebody of whom the issuer says who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::serve::web) struct Person {
    /// What it calls them.
    pub(in crate::serve::web) name: String,
    /// The issuer's host.
    pub(in crate::serve::web) host: String,
    /// What they may do here, if anything.
    pub(in crate::serve::web) role: Option<Role>,
    /// What the issuer says that could have given them a role.
    pub(in crate::serve::web) says: Vec<String>,
}

/// What the issuer sends people back with.
#[derive(Debug, Clone, Default, Deserialize)]
pub(in crate::serve::web) struct Back {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Signs people in with an issuer.
pub(in crate::serve::web) struct Oidc {
    settings: Settings,
    issuer: Issuer,
    /// Where the issuer sends people back to.
    redirect: String,
    secure: bool,
    key: [u8; 32],
}

/// The answer of the token endpoint (RFC 6749, section 5): the rest of it is not needed.
#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Oidc {
    pub(super) fn new(settings: Settings, url: &str, key: &SeedKey) -> Self {
        verify::choose_arithmetic();
        Self {
            issuer: Issuer::new(settings.issuer.clone()),
            redirect: format!("{url}{CALLBACK}"),
            secure: url.starts_with("https://"),
            key: key.derived("signing in with an issuer"),
            settings,
        }
    }

    /// Where to send somebody who wants to go to `next`, and the cookie that they carry meanwhile.
    pub(in crate::serve::web) async fn begin(&self, next: &str, now: Moment) -> Result<(String, HeaderValue), Fault> {
        let known = self.issuer.present().await?;
        let flow = Flow::begin(next, now);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(flow.verifier(&self.key)));
        let scope = std::iter::once("openid").chain(self.settings.scopes.iter().map(String::as_str));
        let mut to = Url::parse(&known.about.authorization_endpoint).map_err(|error| Fault::away(error.to_string()))?;
        to.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("scope", &scope.collect::<Vec<_>>().join(" "))
            .append_pair("state", &flow.state(&self.key))
            .append_pair("nonce", &flow.nonce(&self.key))
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok((to.into(), self.set_cookie(&flow.written(&self.key), flow::LASTS.0)))
    }

    /// Who came back, and where they wanted to go. `cookie` is what they carried.
    pub(in crate::serve::web) async fn end(
        &self,
        back: &Back,
        cookie: Option<&str>,
        now: Moment,
    ) -> Result<(Person, String), Fault> {
        let flow = cookie.and_then(|cookie| Flow::read(cookie, &self.key, now)).ok_or(Fault::Stranger)?;
        if !flow.has_state(&self.key, back.state.as_deref().unwrap_or_default()) {
            return Err(Fault::Stranger);
        }
        // An issuer that names itself is the one that was asked (RFC 9207).
        if back.iss.as_ref().is_some_and(|iss| *iss != self.settings.issuer) {
            return Err(Fault::Unbelievable("another issuer answers".into()));
        }
        if let Some(error) = &back.error {
            let said = issuer::plain(back.error_description.as_ref().unwrap_or(error));
            return Err(match error.as_str() {
                // These are no answer (RFC 6749, section 4.1.2.1).
                "server_error" | "temporarily_unavailable" => {
                    Fault::away(format!("the issuer has trouble of its own: {said}"))
                }
                _ => Fault::Refused(said),
            });
        }
        let code = back.code.as_deref().ok_or(Fault::Stranger)?;
        let token = self.token(code, &flow.verifier(&self.key)).await?;
        let wanted = verify::Wanted { issuer: &self.settings.issuer, client: &self.settings.client_id };
        let claims = verify::claims(&self.issuer, &token, wanted).await?;
        if !flow.has_nonce(&self.key, claims.get("nonce").and_then(|nonce| nonce.as_str()).unwrap_or_default()) {
            return Err(Fault::Unbelievable("the token is not for this flow: its nonce is another".into()));
        }
        Ok((claim::person(&self.settings, &claims)?, flow.next))
    }

    /// Where whoever carries this cookie wanted to go.
    pub(in crate::serve::web) fn next(&self, cookie: Option<&str>, now: Moment) -> Option<String> {
        Some(Flow::read(cookie?, &self.key, now)?.next)
    }

    /// The issuer's address.
    pub(in crate::serve::web) fn address(&self) -> &str {
        &self.settings.issuer
    }

    /// The name of the cookie, as browsers send it.
    pub(in crate::serve::web) fn cookie(&self) -> String {
        format!("{}{COOKIE}", if self.secure { "__Host-" } else { "" })
    }

    /// What has a browser forget its flow.
    pub(in crate::serve::web) fn forget(&self) -> HeaderValue {
        self.set_cookie("", 0)
    }

    /// It must come along when the issuer sends somebody back, so it is not a strict one; it opens nothing by itself.
    fn set_cookie(&self, value: &str, lasts: u32) -> HeaderValue {
        let (name, secure) = (self.cookie(), if self.secure { "; Secure" } else { "" });
        let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={lasts}{secure}");
        HeaderValue::from_str(&cookie).expect("a flow is written in base64 and digits")
    }

    /// Gives the code for a token.
    async fn token(&self, code: &str, verifier: &str) -> Result<String, Fault> {
        let known = self.issuer.known().await?;
        let tokens: Tokens = self.issuer.read(self.exchange(&known.about, code, verifier)?, "a token").await?;
        let error = tokens.error_description.or(tokens.error);
        let none = || match error {
            Some(error) => Fault::Refused(issuer::plain(&error)),
            None => Fault::away("the issuer gives no ID token"),
        };
        tokens.id_token.ok_or_else(none)
    }

    /// What is asked for a token, with whatever shows who asks.
    fn exchange(&self, about: &About, code: &str, verifier: &str) -> Result<RequestBuilder, Fault> {
        let id = &self.settings.client_id;
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("code_verifier", verifier);
        let mut request = self.issuer.post(&about.token_endpoint);
        match &self.settings.client_secret {
            None => {
                form.append_pair("client_id", id);
            }
            Some(name) => {
                let secret = secret(name, &self.settings.secrets_dir).map_err(|error| Fault::Away {
                    why: "this server cannot read the secret that it shows the issuer".into(),
                    more: error.to_string(),
                })?;
                if about.takes_basic() {
                    // RFC 6749, section 2.3.1: both are written as in forms first.
                    let written = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                    request = request.basic_auth(written(id), Some(written(&secret)));
                } else {
                    form.append_pair("client_id", id).append_pair("client_secret", &secret);
                }
            }
        }
        Ok(request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish()))
    }
}
