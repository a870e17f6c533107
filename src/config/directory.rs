//! `directory:`, where people are asked for.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{
    document::Check,
    model::{
        Seconds,
        attribute::{AttributeName, USER},
    },
    persona::schema::text,
    wire::scim::{self, Path},
};

use super::file::written;

/// The shortest time between two pulls.
const LEAST_EVERY: Seconds = Seconds(60);

/// Where people are asked for, and what is taken over of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// The list of users of a SCIM 2.0 directory: `https://directory.example/scim/v2/Users`.
    pub url: String,
    /// The name of the secret with the bearer token; without one, none is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_secret: Option<String>,
    /// How often it is asked.
    #[serde(default = "a_quarter", deserialize_with = "text", serialize_with = "written")]
    pub every: Seconds,
    /// Which attribute is which of a user's fields.
    pub attributes: BTreeMap<AttributeName, Path>,
}

fn a_quarter() -> Seconds {
    Seconds(900)
}

/// What must hold of it.
pub(super) fn check(directory: &Directory, check: &mut Check<'_>) {
    let url = reqwest::Url::parse(&directory.url).ok().filter(|url| {
        ["http", "https"].contains(&url.scheme())
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    let help = "https://directory.example/scim/v2/Users; the token is the file that `token_secret` names";
    check.require(url.is_some(), "GR160", "directory.url", "this is no http(s) URL of a SCIM list of users", help);
    let name = directory.token_secret.as_ref();
    let fits = name.is_none_or(|name| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', ' ']));
    let help = "the name of a file in `secrets_dir`";
    check.require(fits, "GR161", "directory.token_secret", "this cannot name a secret", help);
    let here = |url: &reqwest::Url| {
        let ip = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
        url.host_str() == Some("localhost") || ip.is_some_and(|ip| ip.is_loopback())
    };
    let hidden = url.is_none_or(|url| url.scheme() == "https" || name.is_none() || here(&url));
    let message = "the token would travel for everybody to read";
    check.require(hidden, "GR162", "directory.url", message, "use https, or a proxy on this machine that does");
    let patient = directory.every >= LEAST_EVERY;
    check.require(patient, "GR163", "directory.every", "no directory likes to be asked that often", "1m or more");
    let help = "attributes: {role: title, department: \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department\"}";
    check.require(
        !directory.attributes.is_empty(),
        "GR164",
        "directory.attributes",
        "nothing would be taken over",
        help,
    );
    for taken in [scim::ID, USER] {
        let path = format!("directory.attributes.{taken}");
        let free = !directory.attributes.contains_key(taken);
        check.require(free, "GR165", &path, format!("`{taken}` means something else already"), "choose another name");
    }
}
