//! Everything that the engine can answer.

use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    command::Rejection,
    dhcp::{Destination, DhcpAnswer},
    plan::BootPlan,
};

/// The answer to one [`Request`](super::request::Request).
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Nothing goes out.
    Silence(Silence),
    /// A DHCP packet goes out.
    Dhcp {
        /// What it says.
        answer: DhcpAnswer,
        /// Where it goes.
        to: Destination,
    },
    /// A boot script goes out.
    Script(BootPlan),
    /// What was observed is noted.
    Noted,
    /// The order is carried out, and will survive a crash.
    Done,
    /// The order is not carried out.
    Rejected(Rejection),
}

/// Why nothing goes out: counted by name in the metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "silence")]
pub enum Silence {
    /// The client chose another server.
    OtherServer,
    /// The packet needs no answer (RELEASE, DECLINE).
    NoAnswerNeeded,
    /// Proxy mode has nothing for ordinary clients.
    NotBooting,
    /// This server is not authoritative and does not know the lease.
    UnknownLease,
    /// It is refused, with a reason; DHCP has no words to tell the client.
    Refused(Refusal),
    /// Addresses are not this server's business in this mode.
    WrongMode,
    /// The boot server question asks for authentication that nobody has (bit 0x8000 of the layer, BIS).
    BootItemWithBis,
}

impl Silence {
    /// The label of the metric.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OtherServer => "other-server",
            Self::NoAnswerNeeded => "no-answer-needed",
            Self::NotBooting => "not-booting",
            Self::UnknownLease => "unknown-lease",
            Self::Refused(_) => "refused",
            Self::WrongMode => "wrong-mode",
            Self::BootItemWithBis => "bis",
        }
    }
}
