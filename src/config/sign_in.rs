//! `api.session` and `api.oidc`: how people sign in to the pages, beside the accounts that are made here.

use serde::{Deserialize, Serialize};

use crate::{
    document::Check,
    model::{Role, Seconds},
    persona::schema::text,
};

use super::file::written;

/// The shortest and the longest time that a session may last.
const SHORTEST: Seconds = Seconds(300);
const LONGEST: Seconds = Seconds(90 * 86_400);

/// How long somebody stays signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// After so long without a word.
    #[serde(deserialize_with = "text", serialize_with = "written")]
    pub idle: Seconds,
    /// In any case.
    #[serde(deserialize_with = "text", serialize_with = "written")]
    pub most: Seconds,
}

impl Default for Session {
    fn default() -> Self {
        Self { idle: Seconds(12 * 3600), most: Seconds(7 * 86_400) }
    }
}

/// An issuer of identities that people sign in with (OpenID Connect).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// Where it is: `https://id.example/realms/lab`. What it says of itself is at `/.well-known/openid-configuration` below.
    pub issuer: String,
    /// What the button on the page says; the issuer's host when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it calls this server.
    pub client_id: String,
    /// The name of the secret that this server shows it; without one, none is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// What is asked for beside `openid`.
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
    /// Which claim names people.
    #[serde(default = "usual_name")]
    pub name: String,
    /// Who may do what.
    pub roles: Roles,
}

/// Which values of a claim give which role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    /// The claim: `groups`, or `realm_access.roles` where it lies deeper.
    pub claim: String,
    /// Who says who may do what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub admin: Vec<String>,
    /// Who writes personas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub author: Vec<String>,
    /// Who operates devices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operator: Vec<String>,
    /// Who looks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub viewer: Vec<String>,
}

impl Roles {
    /// The values that give each role, from the least.
    pub fn values(&self) -> [(Role, &[String]); 4] {
        let Self { viewer, operator, author, admin, .. } = self;
        [(Role::Viewer, viewer), (Role::Operator, operator), (Role::Author, author), (Role::Admin, admin)]
    }
}

fn usual_scopes() -> Vec<String> {
    ["profile", "email"].map(str::to_owned).to_vec()
}

fn usual_name() -> String {
    "preferred_username".into()
}

/// What must hold of `api.url`: the beginning of every address of the pages.
pub(super) fn check_url(url: &str, check: &mut Check<'_>) {
    let fits = reqwest::Url::parse(url).is_ok_and(|url| {
        ["http", "https"].contains(&url.scheme())
            && url.has_host()
            && url.username().is_empty()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
    });
    let help = "https://boot.example, without a path: the pages are at the top of their server";
    check.require(fits, "GR184", "api.url", "this is no http(s) URL of a server", help);
}

/// What must hold of a session's times.
pub(super) fn check_session(session: &Session, check: &mut Check<'_>) {
    let fits = (SHORTEST..=LONGEST).contains(&session.idle) && session.idle <= session.most && session.most <= LONGEST;
    let help = "idle: 12h, most: 7d; from 5m to 90d, and `idle` not above `most`";
    check.require(fits, "GR185", "api.session", "nobody would stay signed in for this long", help);
}

/// What must hold of an issuer.
pub(super) fn check_oidc(oidc: &Oidc, url: Option<&String>, check: &mut Check<'_>) {
    let issuer = reqwest::Url::parse(&oidc.issuer).ok();
    let here = |url: &reqwest::Url| {
        let host = url.host_str().unwrap_or_default();
        host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    };
    let fits = issuer.as_ref().is_some_and(|url| {
        (url.scheme() == "https" || (url.scheme() == "http" && here(url)))
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    let help = "https://id.example/realms/lab, as the issuer writes it itself in `iss`";
    check.require(fits, "GR186", "api.oidc.issuer", "this is no https URL of an issuer", help);
    let help = "say where browsers find the pages: url: \"https://boot.example\"";
    let message = "the issuer must know where to send people back to";
    check.require(url.is_some(), "GR184", "api.url", message, help);
    let help = "the name that the issuer gave this server when it was registered there";
    check.require(!oidc.client_id.trim().is_empty(), "GR187", "api.oidc.client_id", "this names nobody", help);
    let secret = oidc.client_secret.as_ref();
    let fits = secret.is_none_or(|name| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', ' ']));
    let help = "the name of a file in `secrets_dir`";
    check.require(fits, "GR188", "api.oidc.client_secret", "this cannot name a secret", help);
    let Roles { claim, admin, author, operator, viewer } = &oidc.roles;
    let given = [admin, author, operator, viewer].iter().any(|values| !values.is_empty());
    let help = "roles: {claim: groups, admin: [it-admins], operator: [service-desk], viewer: [staff]}";
    let fits = given && !claim.trim().is_empty();
    check.require(fits, "GR189", "api.oidc.roles", "nobody who signs in there may do anything here", help);
}
