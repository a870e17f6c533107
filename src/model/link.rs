//! Where on the network a device is: what its own DISCOVER, and the relay that passed it on, say of that.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// Where a device was when it last spoke. Fields that nobody named are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Link {
    /// The interface of this server that its packets came in by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// The subnet that it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Ipv4Net>,
    /// The relay that passed its packets on (giaddr).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay: Option<Ipv4Addr>,
    /// The switch port, as the relay calls it (82.1, RFC 3046 section 3.1); bytes that are no text as hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit: Option<String>,
    /// The switch, as the relay calls it (82.2, RFC 3046 section 3.2), likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
}
