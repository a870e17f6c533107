//! Everything that the engine can answer.

use std::fmt;

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
        /// Why a client that wants to boot is told nothing to boot, if so.
        refused: Option<Refusal>,
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
    /// The client chose another of this server's own addresses: what came in there answers.
    OtherAddress,
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
            Self::OtherAddress => "other-address",
            Self::NoAnswerNeeded => "no-answer-needed",
            Self::NotBooting => "not-booting",
            Self::UnknownLease => "unknown-lease",
            Self::Refused(Refusal::OtherServer { .. }) => "other-server",
            Self::Refused(_) => "refused",
            Self::WrongMode => "wrong-mode",
            Self::BootItemWithBis => "bis",
        }
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherAddress => "the client chose another address of this server",
            Self::NoAnswerNeeded => "such a packet needs no answer",
            Self::NotBooting => "there is nothing for it to boot, and addresses are another server's business",
            Self::UnknownLease => "its lease is not known, and this server is not authoritative",
            Self::Refused(why) => return why.fmt(f),
            Self::WrongMode => "this server speaks no DHCP (`dhcp.mode: off`)",
            Self::BootItemWithBis => "it wants boot files with signatures (BIS), which nobody has",
        })
    }
}
