//! How people get in to the pages, as the configuration says.

use crate::{
    config::{self, Config},
    serve::{
        Context,
        web::{Door, DoorSettings, OidcSettings},
    },
};

/// Where browsers find the pages.
pub(super) fn url(api: &config::Api) -> String {
    if let Some(url) = &api.url {
        return url.trim_end_matches('/').to_owned();
    }
    let scheme = if api.tls.is_some() { "https" } else { "http" };
    let name = || nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    match (api.listen.ip().is_unspecified(), name()) {
        (true, Some(name)) => format!("{scheme}://{name}:{}", api.listen.port()),
        _ => format!("{scheme}://{}", api.listen),
    }
}

/// The door of the pages.
pub(super) fn door(api: &config::Api, config: &Config, context: &Context) -> Door {
    let settings = DoorSettings {
        state_dir: config.state_dir.clone(),
        url: url(api),
        proxied: api.url.is_some(),
        idle: api.session.idle,
        most: api.session.most,
        oidc: api.oidc.as_ref().map(|oidc| issuer(oidc, config)),
    };
    Door::open(settings, context)
}

fn issuer(oidc: &config::Oidc, config: &Config) -> OidcSettings {
    let config::Oidc { issuer, label, client_id, client_secret, scopes, name, roles } = oidc.clone();
    let host = issuer.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default().to_owned();
    OidcSettings {
        label: label.unwrap_or(host),
        issuer,
        client_id,
        client_secret,
        secrets_dir: config.secrets_dir.clone(),
        scopes,
        name,
        roles: roles.values().map(|(role, values)| (role, values.iter().cloned().collect())).to_vec(),
        claim: roles.claim,
    }
}
