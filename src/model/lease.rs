//! The right of one MAC address to one IPv4 address for a while.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::{MacAddr, Moment};

/// What is known of one address of a subnet. An address with no `Lease` has never been used: it is free.
///
/// ```text
///   free ──offer──> Offered ──request──> Bound ──release──> Released ─┐
///     ^                │ 30 s               │ time out                │ another device's turn
///     └────────────────┴────────────────────┴─────────────────────────┘
///   any ──decline──> Declined (somebody else uses it: quarantined)
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The address.
    pub ip: Ipv4Addr,
    /// Whose it is or was. Leases are keyed by MAC, so that firmware, iPXE and the OS share one (QUIRKS row 38).
    pub mac: MacAddr,
    /// Where in its life it stands.
    pub state: LeaseState,
    /// When the state ends by itself.
    pub until: Moment,
    /// The name that the client gave itself (option 12), for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
}

/// Where in its life a lease stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LeaseState {
    /// Offered, not yet asked for; held back for a moment.
    Offered,
    /// Acknowledged: promised to the client until the lease ends.
    Bound,
    /// Given back; the same client gets it again if it asks before another needs it.
    Released,
    /// The client found somebody else using it; nobody gets it until the quarantine ends.
    Declined,
}

impl Lease {
    /// Whether nobody but its owner may be given this address at `now`.
    pub fn holds(&self, now: Moment) -> bool {
        self.state != LeaseState::Released && now < self.until
    }
}
