//! Issuers of identities (OpenID Connect Core 1.0).

use std::{collections::BTreeSet, path::PathBuf};

use crate::model::Role;

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
