//! One boot attempt, told as the steps it took.

use std::{fmt, net::Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::{
    Arch, BootId, Bytes, Decision, DeviceId, Digest, Firmware, Millis, Moment, Refusal,
    image::{Role, Tier},
    plan::{KernelBoot, Setting},
    trouble::Trouble,
};

/// How far an attempt has come. Only ever forward; see `world::boot_step` for the transitions.
///
/// ```text
///   Firmware ──NBP delivered──> Chainloaded ──script──> Scripted ──kernel or seed asked──> Loading ──report──> Ended
///      └───────────── iPXE in ROM: script ─────────────────^
///   any ──refused, gave up loading, or silent for too long──> Ended
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The firmware is asking for an address and a bootfile.
    Firmware,
    /// The NBP was delivered; iPXE should speak next.
    Chainloaded,
    /// The boot script was delivered.
    Scripted,
    /// Kernel, initrd or seed are on their way: the installer or the live system runs.
    Loading,
    /// Over, well or badly.
    Ended,
}

/// One attempt of one device: a fold over its facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Boot {
    /// Its name.
    pub id: BootId,
    /// Whose it is.
    pub device: DeviceId,
    /// The firmware that began it.
    pub firmware: Firmware,
    /// The instruction set that the firmware named.
    pub arch: Option<Arch>,
    /// How far it has come.
    pub stage: Stage,
    /// When it began.
    pub began: Moment,
    /// When it took its latest step.
    pub last: Moment,
    /// When an NBP was last delivered whole.
    pub chainloaded: Option<Moment>,
    /// What was decided, once it was.
    pub decision: Option<Decision>,
    /// What it loads, when it loads a kernel.
    pub kernel: Option<KernelBoot>,
    /// What its seed is rendered with, beside the persona.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Setting>,
    /// How it ended, once it has.
    pub outcome: Option<Outcome>,
    /// The steps in order, at most [`Boot::MAX_STEPS`].
    pub steps: Vec<Moved>,
}

impl Boot {
    /// Where a looping client's steps stop being kept; later ones only move `last`.
    pub const MAX_STEPS: usize = 64;
}

/// A step and when it was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// When.
    pub at: Moment,
    /// What happened.
    pub step: Step,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The device reported that it is what the persona says.
    Ready,
    /// The installer reported that it is done; the next boot is from the disk.
    Installed,
    /// The device was sent to its disk, as decided.
    LocalDisk,
    /// It was refused, with a reason.
    Refused,
    /// The device reported a failure.
    Failed,
    /// It went silent.
    Stuck,
    /// The device began another attempt before this one had ended.
    Restarted,
}

impl Outcome {
    /// Every way.
    pub const ALL: [Self; 7] =
        [Self::Ready, Self::Installed, Self::LocalDisk, Self::Refused, Self::Failed, Self::Stuck, Self::Restarted];

    /// The word that tables use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Installed => "installed",
            Self::LocalDisk => "local disk",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Stuck => "stuck",
            Self::Restarted => "restarted",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One thing that happened in an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Step {
    /// A DISCOVER (or a request on 4011) came in.
    Discover {
        /// Who asked.
        firmware: Firmware,
    },
    /// An OFFER went out.
    Offer {
        /// The address offered; `None` in proxy mode.
        ip: Option<Ipv4Addr>,
        /// What to boot.
        bootfile: Option<String>,
    },
    /// An ACK went out.
    Ack {
        /// The address; `None` in proxy mode.
        ip: Option<Ipv4Addr>,
        /// What to boot.
        bootfile: Option<String>,
    },
    /// An NBP or script file was sent over TFTP or, to UEFI HTTP Boot, over HTTP.
    Nbp {
        /// Its name.
        name: String,
        /// The whole transfer's facts.
        transfer: Transfer,
    },
    /// The boot script was delivered.
    Script {
        /// What it does.
        decision: Decision,
    },
    /// A file of the image was sent.
    Blob {
        /// What it is for.
        role: Role,
        /// Its bytes.
        digest: Digest,
        /// Where they were when they were asked for.
        tier: Tier,
        /// The whole transfer's facts.
        transfer: Transfer,
    },
    /// A file of the image was not to be had, or broke off on its way because its origin did.
    NoBlob {
        /// What it is for.
        role: Role,
        /// Its bytes.
        digest: Digest,
        /// What ails its origins, or the cache.
        why: Vec<Trouble>,
    },
    /// The device tried to load its files often enough, and goes on to its disk.
    GaveUp,
    /// A seed file was read.
    Seed {
        /// Its name.
        name: String,
    },
    /// The device said how it fares.
    Report(Report),
    /// The attempt was refused.
    Refused {
        /// Why.
        why: Refusal,
    },
    /// Nothing was heard for too long.
    Stuck {
        /// For how long.
        silent: Millis,
    },
}

/// What a transfer moved, and how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Bytes sent.
    pub bytes: Bytes,
    /// Bytes asked for: the whole, or the range.
    pub of: Bytes,
    /// From the request to the last byte.
    pub took: Millis,
}

impl Transfer {
    /// Whether every byte that was asked for was sent.
    pub fn is_whole(self) -> bool {
        self.bytes >= self.of
    }
}

/// What a device posts to its report URL. Everything in it is claimed by the device; the lengths are bounded on receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Where it stands.
    pub phase: Phase,
    /// The host name it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The kernel it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// What cloud-init says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_init: Option<String>,
    /// What went wrong, in the device's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What the persona promised, held against what the device saw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

/// Where a device says it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The installer has begun.
    Installing,
    /// The installer is done: the disk holds the persona.
    Installed,
    /// The persona runs.
    Ready,
    /// Something went wrong.
    Failed,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Installing => "installing",
            Self::Installed => "installed",
            Self::Ready => "ready",
            Self::Failed => "failed",
        })
    }
}

/// One promise of the persona, as the device found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was promised: `package tree`.
    pub name: String,
    /// Whether it holds.
    pub ok: bool,
    /// What was seen: `2.1.0-1`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub saw: String,
}
