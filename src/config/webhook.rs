//! Webhooks as they are written, and what must hold of them.

use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::{
    document::Check,
    serve::webhook::{MOST, Webhook},
    usage::event::EventKind,
};

/// A webhook as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) secret: String,
    #[serde(default = "every_kind")]
    pub(super) events: Vec<EventKind>,
    #[serde(default)]
    pub(super) plain_http: bool,
}

fn every_kind() -> Vec<EventKind> {
    EventKind::ALL.into()
}

/// The webhooks. Each has a name of its own, which is a file of the state directory as well.
pub(super) fn webhooks(check: &mut Check<'_>, webhooks: Vec<Written>) -> Vec<Webhook> {
    let few = webhooks.len() <= MOST;
    let message = format!("these are too many webhooks: {MOST} at most");
    check.require(few, "GR166", "webhooks", message, "have one receiver pass events on to the others");
    let mut good: Vec<Webhook> = vec![];
    for (at, webhook) in webhooks.into_iter().take(MOST).enumerate() {
        let Written { name, url, secret, mut events, plain_http } = webhook;
        let path = |field: &str| format!("webhooks.{at}.{field}");
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=63).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('-');
        let help = "lower-case letters, digits and `-`: helpdesk";
        check.require(fits, "GR160", &path("name"), "this cannot name a webhook", help);
        let first = good.iter().all(|other| other.name != name);
        let message = format!("there are two webhooks called `{name}`");
        check.require(
            first,
            "GR161",
            &path("name"),
            message,
            "what was delivered is remembered by name: give each its own",
        );
        let known = check.problems.len();
        address(check, &path("url"), &url, plain_http);
        // A receiver's key often stands in its URL.
        check.conceal_since(known);
        let fits = !secret.is_empty() && !secret.starts_with('.') && !secret.contains(['/', ' ']);
        let help = "the name of a file in `secrets_dir`, written by `echo whsec_$(openssl rand -base64 32)`";
        check.require(fits, "GR164", &path("secret"), "this cannot name a secret", help);
        let help = "name some kinds of events, or leave `events` out: then it tells of all";
        check.require(!events.is_empty(), "GR165", &path("events"), "this webhook would tell nothing", help);
        events.sort_unstable();
        events.dedup();
        good.push(Webhook { name, url, secret, events });
    }
    good
}

/// Where a webhook posts to. Its posts are signed, so nobody can forge them; but what is not encrypted, everybody on the way
/// can read, and it names devices and people.
fn address(check: &mut Check<'_>, path: &str, text: &str, plain_http: bool) {
    let url = Url::parse(text).ok().filter(|url| {
        ["http", "https"].contains(&url.scheme())
            && url.host_str().is_some_and(|host| !host.is_empty())
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    });
    let help = "https://desk.example/hooks/greenroom, without a user or a password: posts are signed";
    check.require(url.is_some(), "GR162", path, "this is no http(s) URL that can be told something", help);
    let Some(url) = url else { return };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    let message = "anybody on the way can read what is told by `http:`";
    let help = "use https, or say `plain_http: true` if nobody but you is on the way";
    check.require(url.scheme() == "https" || is_here || plain_http, "GR163", path, message, help);
}
