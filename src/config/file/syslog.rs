//! What the configuration says of the lines that devices write while they boot. When it says nothing, nobody listens.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::persona::schema::text;

use super::written;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Syslog {
    #[serde(deserialize_with = "text", serialize_with = "written")]
    pub(in crate::config) listen: SocketAddr,
}

impl Default for Syslog {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 514)) }
    }
}
