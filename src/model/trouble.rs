//! Why the bytes of a blob are not to be had, in words for everybody: they are shown on consoles and on a page that every
//! device of the network can read. No path, no URL, no credentials; a server is named by its host.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What keeps a blob from whoever asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Whose it is: a host with its port (`mirror.example:8080`), or `this server`.
    pub at: String,
    /// What it is.
    pub kind: TroubleKind,
}

/// What can go wrong with an origin, or with our own tiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TroubleKind {
    /// Its name leads to no address.
    NoAddress,
    /// It says that nobody listens there.
    Refused,
    /// Nothing answers there, or not in time.
    Unreachable,
    /// It was reached, and then said nothing for too long.
    Silent,
    /// It broke off in the middle.
    BrokeOff,
    /// Its bytes come at a rate that would never end.
    Slow,
    /// Its certificate does not hold.
    Untrusted,
    /// It sends from one place to the next for ever.
    Redirects,
    /// It has no such file (404, 410).
    Missing,
    /// It does not let this server read the file (401, 403).
    Forbidden,
    /// It asks to be left alone for a while (429, 503).
    Busy,
    /// It answered with an error of its own (5xx), or with what is no answer.
    Broken,
    /// It has a file of another length than the manifest or another origin says.
    WrongLength,
    /// It has other bytes than the manifest says.
    WrongBytes,
    /// Its file changed while it was read.
    Changed,
    /// This server is not set up to read it: credentials or certificates are missing.
    NotSetUp,
    /// The manifest names no origin.
    NoOrigin,
    /// Neither the disk nor the RAM tier has room.
    NoRoom,
    /// The disk of the cache failed.
    Disk,
    /// The work was dropped: the daemon is ending.
    Dropped,
}

impl TroubleKind {
    /// The label of the metric, and the name in the journal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoAddress => "no-address",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Silent => "silent",
            Self::BrokeOff => "broke-off",
            Self::Slow => "slow",
            Self::Untrusted => "untrusted",
            Self::Redirects => "redirects",
            Self::Missing => "missing",
            Self::Forbidden => "forbidden",
            Self::Busy => "busy",
            Self::Broken => "broken",
            Self::WrongLength => "wrong-length",
            Self::WrongBytes => "wrong-bytes",
            Self::Changed => "changed",
            Self::NotSetUp => "not-set-up",
            Self::NoOrigin => "no-origin",
            Self::NoRoom => "no-room",
            Self::Disk => "disk",
            Self::Dropped => "dropped",
        }
    }

    /// Whether it tells something of the server as a whole, rather than of one file on it.
    pub const fn is_of_server(self) -> bool {
        match self {
            Self::NoAddress
            | Self::Refused
            | Self::Unreachable
            | Self::Silent
            | Self::BrokeOff
            | Self::Slow
            | Self::Untrusted
            | Self::Busy
            | Self::Broken => true,
            Self::Redirects
            | Self::Missing
            | Self::Forbidden
            | Self::WrongLength
            | Self::WrongBytes
            | Self::Changed
            | Self::NotSetUp
            | Self::NoOrigin
            | Self::NoRoom
            | Self::Disk
            | Self::Dropped => false,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = &self.at;
        match self.kind {
            TroubleKind::NoAddress => write!(f, "the name of {at} leads to no address (DNS)"),
            TroubleKind::Refused => write!(f, "{at} refuses connections"),
            TroubleKind::Unreachable => write!(f, "{at} cannot be reached"),
            TroubleKind::Silent => write!(f, "{at} does not answer"),
            TroubleKind::BrokeOff => write!(f, "{at} broke off"),
            TroubleKind::Slow => write!(f, "{at} is too slow to ever end"),
            TroubleKind::Untrusted => write!(f, "the certificate of {at} does not hold (TLS)"),
            TroubleKind::Redirects => write!(f, "{at} redirects for ever"),
            TroubleKind::Missing => write!(f, "{at} does not have it"),
            TroubleKind::Forbidden => write!(f, "{at} does not let this server read it"),
            TroubleKind::Busy => write!(f, "{at} is too busy"),
            TroubleKind::Broken => write!(f, "{at} has trouble of its own"),
            TroubleKind::WrongLength => write!(f, "{at} has it with another length"),
            TroubleKind::WrongBytes => write!(f, "{at} has other bytes than the manifest says"),
            TroubleKind::Changed => write!(f, "{at} changed it meanwhile"),
            TroubleKind::NotSetUp => write!(f, "the server is not set up to read {at}"),
            TroubleKind::NoOrigin => f.write_str("the manifest names no origin"),
            TroubleKind::NoRoom => f.write_str("the image cache has no room for it"),
            TroubleKind::Disk => f.write_str("the disk of the image cache failed"),
            TroubleKind::Dropped => f.write_str("the server is stopping"),
        }
    }
}

/// Several, as one sentence.
pub fn all(troubles: &[Trouble]) -> String {
    troubles.iter().map(Trouble::to_string).collect::<Vec<_>>().join("; ")
}
