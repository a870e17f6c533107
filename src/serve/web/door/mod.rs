//! Who a request is from, and how they got in.
//!
//! ```text
//!   /sign-in -> attempt (how often?) -> a password, the first token or an issuer's word -> session -> cookie
//!   any page -> cookie -> session -> the account as it is now -> Visitor
//! ```
//! A session is a random number in a cookie; its print is what is kept, in memory and in a file of the state directory, so a
//! restart signs nobody out, and who reads that file cannot be anybody. A session stands for an account *as it was*: when its
//! role or password changes, or it is removed, the session opens nothing any more.
//!
//! **Until there is an account, the pages open on this machine only**, to whoever holds the token that `serve` gave out.

mod attempt;
mod browser;
mod first;
mod next;
mod oidc;
mod session;

use std::{net::IpAddr, path::PathBuf, sync::Arc};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};

use crate::{
    model::{AccountName, Fact, Role, Seconds, account::Proof},
    serve::{Context, api},
    world::World,
};

use super::{Trouble, Visitor, Web, notice::cookie};

use self::{attempt::Attempts, first::First, session::Sessions};

pub use oidc::Settings as OidcSettings;

pub(super) use browser::browser;
pub(super) use next::{to_sign_in, way};
pub(super) use oidc::{Back, CALLBACK, Fault, Oidc};
pub(super) use session::{Id, Session, Who};

/// How people get in.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where sessions are kept.
    pub state_dir: PathBuf,
    /// Where browsers find the pages: `https://boot.example`.
    pub url: String,
    /// Whether a proxy stands before them, which says whom it speaks for.
    pub proxied: bool,
    /// After how long without a word a session ends.
    pub idle: Seconds,
    /// After how long it ends in any case.
    pub most: Seconds,
    /// Whose identities are let in beside the accounts that are made here.
    pub oidc: Option<OidcSettings>,
}

/// How people get in, and who has. Cheap to clone.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    settings: Settings,
    sessions: Sessions,
    attempts: Attempts,
    first: First,
    oidc: Option<Oidc>,
}

/// Who is signed in with this request.
pub(super) fn visitor(web: &Web, parts: &Parts) -> Option<Visitor> {
    // A page that follows what happens asks by itself: that nobody is there any more must show all the same.
    let by_itself = parts.headers.contains_key("x-live") || parts.uri.path() == "/live";
    let (_, session) = web.door.session(web, &parts.headers, !by_itself)?;
    if web.door.sessions().is_due((web.context.clock)()) {
        let door = web.door.clone();
        tokio::spawn(async move { door.keep().await });
    }
    web.door.stands_for(&session, &web.context.engine.world())
}

/// Who is signed in with these headers; that they ask does not count as being there.
pub(super) fn visitor_of(web: &Web, headers: &HeaderMap) -> Option<Visitor> {
    let (_, session) = web.door.session(web, headers, false)?;
    web.door.stands_for(&session, &web.context.engine.world())
}

/// Why nobody may see a page from where this request comes, if that is so.
pub(super) fn closed(web: &Web, parts: &Parts) -> Option<Trouble> {
    let is_open = !web.door.is_first(&web.context.engine.world()) || parts.uri.path().starts_with("/static/");
    if is_open || web.door.is_here(parts) {
        return None;
    }
    let why = "Nobody can sign in yet, and until then the pages open on the server itself only.";
    let help = "On the server, `greenroom account add NAME --role admin` makes the first account.";
    Some(Trouble::new(StatusCode::FORBIDDEN, "Not open yet", why, help))
}

impl Door {
    /// Opens it: reads who is signed in, and makes the first token if it is needed.
    pub fn open(settings: Settings, context: &Context) -> Self {
        let sessions = Sessions::open(&settings, &context.seed_key, (context.clock)());
        let first = First::new(&settings.state_dir);
        let oidc = settings.oidc.clone().map(|oidc| Oidc::new(oidc, &settings.url, &context.seed_key));
        Self(Arc::new(Inner { sessions, attempts: Attempts::default(), first, oidc, settings }))
    }

    /// Gives out the first token while there is no account, and takes it back when there is one.
    pub async fn watch(self, context: Context) {
        let mut records = context.engine.records();
        if !self.is_first(&context.engine.world()) {
            return self.0.first.over();
        }
        self.0.first.give_out(&context.seed_key, &self.0.settings.url);
        loop {
            let made = match records.recv().await {
                Ok(batch) => batch.iter().any(|record| matches!(record.fact, Fact::AccountCreated { .. })),
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => false,
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            };
            if made || !self.is_first(&context.engine.world()) {
                return self.0.first.over();
            }
        }
    }

    /// Whether nobody can sign in yet.
    pub(super) fn is_first(&self, world: &World) -> bool {
        world.accounts.is_empty() && self.0.settings.oidc.is_none()
    }

    /// Whom a session stands for, as things are now.
    pub(super) fn stands_for(&self, session: &Session, world: &World) -> Option<Visitor> {
        let role = match &session.who {
            Who::Account { name, changed } => {
                let account = world.accounts.get(name).filter(|account| account.changed == *changed)?;
                matches!(account.proof, Proof::Password { .. }).then_some(account.role)?
            }
            Who::Issuer { issuer, role, .. } => {
                let known = self.0.settings.oidc.as_ref().is_some_and(|oidc| oidc.issuer == *issuer);
                known.then_some(*role)?
            }
        };
        Some(Visitor { name: session.who.name(), role })
    }

    /// Who signs people in with an issuer.
    pub(super) fn oidc(&self) -> Option<&Oidc> {
        self.0.oidc.as_ref()
    }

    /// What the issuer is called whose identities are let in.
    pub(super) fn issuer(&self) -> Option<String> {
        self.0.settings.oidc.as_ref().map(|oidc| oidc.label.clone())
    }

    /// Whether this is the first token.
    pub(super) fn is_first_token(&self, web: &Web, token: &str) -> bool {
        self.0.first.accepts(&web.context.seed_key, token)
    }

    /// Who tries to sign in, and how often.
    pub(super) fn attempts(&self) -> &Attempts {
        &self.0.attempts
    }

    /// Who is signed in.
    pub(super) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// Where browsers find the pages.
    pub(super) fn url(&self) -> &str {
        &self.0.settings.url
    }

    /// The session that a request belongs to; with `touch`, somebody is there.
    pub(super) fn session(&self, web: &Web, headers: &HeaderMap, touch: bool) -> Option<(Id, Session)> {
        self.0.sessions.find(cookie(headers, self.cookie())?, (web.context.clock)(), touch)
    }

    /// The address that a request comes from: what the proxy says, when there is one.
    pub(super) fn address(&self, parts: &Parts) -> IpAddr {
        let peer = api::peer(parts);
        if !self.0.settings.proxied || !peer.to_canonical().is_loopback() {
            return peer;
        }
        // The last one is what the proxy saw; those before it are hearsay.
        let said = parts.headers.get_all("x-forwarded-for").iter().next_back().and_then(|said| said.to_str().ok());
        said.and_then(|said| said.rsplit(',').next()?.trim().parse().ok()).unwrap_or(peer)
    }

    /// Whether a request comes from this machine itself, and not through a proxy on it.
    fn is_here(&self, parts: &Parts) -> bool {
        let forwarded =
            ["x-forwarded-for", "forwarded", "x-real-ip"].iter().any(|name| parts.headers.contains_key(*name));
        api::peer(parts).to_canonical().is_loopback() && !forwarded
    }

    /// Signs somebody in: a session that was not there before, whatever cookie the browser brought.
    pub(super) async fn admit(&self, web: &Web, parts: &Parts, who: Who) -> HeaderValue {
        let now = (web.context.clock)();
        if let Some((before, _)) = self.session(web, &parts.headers, false) {
            self.0.sessions.end(|id, _| *id == before);
        }
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let agent = agent.chars().filter(|c| !c.is_control()).take(200).collect();
        let (address, lasts) = (self.address(parts), self.0.settings.most.0);
        let shown = self.0.sessions.begin(Session { who, began: now, seen: now, address, agent });
        self.keep().await;
        self.set_cookie(&shown, lasts)
    }

    /// Ends sessions; it is on the disk when this returns.
    pub(super) async fn end(&self, which: impl Fn(&Id, &Session) -> bool) -> usize {
        let ended = self.0.sessions.end(which);
        self.keep().await;
        ended
    }

    /// What has a browser forget its session.
    pub(super) fn forget(&self) -> HeaderValue {
        self.set_cookie("", 0)
    }

    /// Writes down who is signed in.
    async fn keep(&self) {
        let door = self.clone();
        if tokio::task::spawn_blocking(move || door.0.sessions.write()).await.is_err() {
            tracing::error!("who is signed in was not written down");
        }
    }

    /// The cookie's name. With the prefix, browsers take it from nobody but this very server, over TLS.
    fn cookie(&self) -> &'static str {
        if self.is_secure() { "__Host-greenroom" } else { "greenroom-session" }
    }

    fn is_secure(&self) -> bool {
        self.0.settings.url.starts_with("https://")
    }

    fn set_cookie(&self, value: &str, lasts: u32) -> HeaderValue {
        let (name, secure) = (self.cookie(), if self.is_secure() { "; Secure" } else { "" });
        let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={lasts}{secure}");
        HeaderValue::from_str(&cookie).expect("a session's number is base64")
    }
}

impl Web {
    /// What a session of this account holds on to.
    pub(super) fn account(&self, name: &AccountName) -> Option<(Who, Role)> {
        let world = self.context.engine.world();
        let account = world.accounts.get(name)?;
        Some((Who::Account { name: name.clone(), changed: account.changed }, account.role))
    }
}
