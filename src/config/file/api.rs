//! What the configuration says of the API. When it says nothing, the API is closed: an update opens no port that nobody asked
//! for, and two daemons on one machine do not fight over one. `config init` writes it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use crate::{
    config::sign_in::{Oidc, Session},
    persona::schema::text,
};

use super::written;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Api {
    #[serde(deserialize_with = "text", serialize_with = "written")]
    pub(in crate::config) listen: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) cert: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) key: Option<PathBuf>,
    pub(in crate::config) insecure: bool,
    pub(in crate::config) token_rate: u32,
    pub(in crate::config) address_rate: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) url: Option<String>,
    pub(in crate::config) session: Session,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) oidc: Option<Oidc>,
}

impl Default for Api {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 8008));
        Self {
            listen,
            cert: None,
            key: None,
            insecure: false,
            token_rate: 50,
            address_rate: 100,
            url: None,
            session: Session::default(),
            oidc: None,
        }
    }
}
