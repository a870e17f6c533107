//! What a device shall do, and why: every decision carries its reason.

use std::{fmt, net::Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::{Arch, Moment, PersonaName, PersonaRef, Probability};

/// What `boot::choose` found for one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Decision {
    /// Become this persona. A destructive one is only ever chosen together with an [`Armed`].
    Become {
        /// Which persona, exactly.
        persona: PersonaRef,
        /// Why this one.
        reason: Reason,
        /// Leave to wipe the disk; `Some` exactly when the persona is destructive.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        armed: Option<Armed>,
    },
    /// Boot what is on the disk.
    LocalDisk {
        /// Why.
        reason: Reason,
    },
    /// Boot nothing; the reason is shown on the device's own console.
    Refuse {
        /// Why not.
        why: Refusal,
    },
}

/// Why a decision is what it is, from the strongest to the weakest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "because")]
pub enum Reason {
    /// It was installed, and nobody armed it since.
    Installed {
        /// What is on its disk.
        persona: PersonaRef,
        /// Since when.
        at: Moment,
    },
    /// An operator assigned the persona.
    Assigned {
        /// Who.
        by: String,
        /// When.
        at: Moment,
        /// Why, in their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// A rule of the configuration matched.
    Rule {
        /// Its name.
        name: String,
    },
    /// The device is in an arm of an experiment. No experiment runs yet: this is the place for it.
    Arm {
        /// Which experiment.
        experiment: String,
        /// Which arm.
        arm: String,
    },
    /// The forecast named the persona.
    Predicted {
        /// How probable it is that the persona is right.
        probability: Probability,
        /// What made the forecast: a version of the model, or a baseline.
        #[serde(default)]
        model: String,
    },
    /// The persona that was named left the library, and this one takes its place.
    Superseded {
        /// The one that was named.
        persona: PersonaName,
        /// Why that one.
        reason: Box<Reason>,
    },
    /// The configuration's default persona.
    Default,
    /// Nothing names a persona for this device: standard provisioning leaves it to its disk.
    Fallback,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed { persona, at } => {
                write!(f, "installed as {persona} on {at}, not armed since")
            }
            Self::Assigned { by, at, why: None } => write!(f, "assigned by {by} on {at}"),
            Self::Assigned { by, at, why: Some(why) } => write!(f, "assigned by {by} on {at} ({why})"),
            Self::Rule { name } => write!(f, "rule \"{name}\""),
            Self::Arm { experiment, arm } => write!(f, "experiment \"{experiment}\", arm \"{arm}\""),
            Self::Predicted { probability, model } => write!(f, "predicted by {model}, with {probability}"),
            Self::Superseded { persona, reason } => {
                write!(f, "in place of {persona}, which left the library: {reason}")
            }
            Self::Default => f.write_str("the default persona"),
            Self::Fallback => f.write_str("no assignment, rule, prediction or default: standard provisioning"),
        }
    }
}

/// Who named a persona: a [`Reason`] in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Voice {
    /// An operator, by an assignment.
    Assigned,
    /// A rule.
    Rule,
    /// An experiment.
    Experiment,
    /// The forecast.
    Predicted,
    /// The configuration's default.
    Default,
}

impl Reason {
    /// Who named the persona; `None` when none was named.
    pub fn voice(&self) -> Option<Voice> {
        match self {
            Self::Assigned { .. } => Some(Voice::Assigned),
            Self::Rule { .. } => Some(Voice::Rule),
            Self::Arm { .. } => Some(Voice::Experiment),
            Self::Predicted { .. } => Some(Voice::Predicted),
            Self::Default => Some(Voice::Default),
            Self::Superseded { reason, .. } => reason.voice(),
            Self::Installed { .. } | Self::Fallback => None,
        }
    }
}

/// Leave to wipe a device's disk. Only an operator's act makes one: a command, or a rule that the operator armed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Armed {
    /// `greenroom device arm`.
    Operator {
        /// Who.
        name: String,
        /// When.
        at: Moment,
    },
    /// A rule with `armed: true`, for devices that Greenroom has never installed.
    Rule {
        /// Its name.
        name: String,
    },
    /// The site's `predict.arm: new-devices`, for what is predicted of such devices.
    NewDevice,
}

impl fmt::Display for Armed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator { name, at } => write!(f, "armed by {name} on {at}"),
            Self::Rule { name } => write!(f, "armed by rule \"{name}\""),
            Self::NewDevice => f.write_str("armed by `predict.arm: new-devices`"),
        }
    }
}

/// Why a device gets nothing, in words that also stand on its console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum Refusal {
    /// The NBP was delivered, and the same firmware asks for it again instead of running it.
    SecondChainload {
        /// Seconds since the NBP was delivered.
        seconds: u64,
    },
    /// Option 93 holds no architecture that has an NBP here.
    UnknownArch {
        /// Option 93 as sent.
        codes: Vec<u16>,
    },
    /// We know the architecture and have no NBP for it.
    NoNbp {
        /// The architecture.
        arch: Arch,
    },
    /// The persona wipes the disk and nobody armed the device.
    NotArmed {
        /// Which persona.
        persona: PersonaName,
    },
    /// The device was installed too often of late.
    TooManyInstalls {
        /// Which persona.
        persona: PersonaName,
        /// How many installations were begun within the hour.
        count: u32,
    },
    /// The persona is not in the library (any more), or does not validate.
    NoPersona {
        /// Which.
        persona: PersonaName,
    },
    /// The persona's image is not in the library.
    NoImage {
        /// Which persona.
        persona: PersonaName,
        /// Which image.
        image: String,
    },
    /// The image runs on another architecture.
    WrongArch {
        /// Which image.
        image: String,
        /// What it runs on.
        needs: Arch,
        /// What the device is.
        has: Arch,
    },
    /// The device has less memory than the persona requires.
    TooSmall {
        /// Which persona.
        persona: PersonaName,
        /// What it requires, MiB.
        needs_mib: u64,
        /// What the device reported, MiB.
        has_mib: u64,
    },
    /// The persona is rendered with a secret that the server does not have.
    NoSecret {
        /// Which persona.
        persona: PersonaName,
        /// The secret's name.
        secret: String,
    },
    /// Every address of the pool is taken.
    PoolExhausted {
        /// The subnet.
        subnet: String,
    },
    /// No subnet of the configuration fits the interface or relay that the request came by.
    NoSubnet {
        /// The relay's address or the interface's.
        link: String,
    },
    /// The relay's address is of no configured subnet, or the packet did not come from a relay.
    ForeignRelay {
        /// giaddr as sent.
        giaddr: String,
    },
    /// The client took the offer of another DHCP server, which full mode does not expect.
    OtherServer {
        /// Which server it named (option 54).
        server: Ipv4Addr,
    },
    /// The script's boot id is not known (any more).
    UnknownBoot,
}

impl Refusal {
    /// The persona that the device would have become.
    pub fn persona(&self) -> Option<&PersonaName> {
        match self {
            Self::NotArmed { persona }
            | Self::TooManyInstalls { persona, .. }
            | Self::NoPersona { persona }
            | Self::NoImage { persona, .. }
            | Self::TooSmall { persona, .. }
            | Self::NoSecret { persona, .. } => Some(persona),
            Self::WrongArch { .. }
            | Self::SecondChainload { .. }
            | Self::UnknownArch { .. }
            | Self::NoNbp { .. }
            | Self::PoolExhausted { .. }
            | Self::NoSubnet { .. }
            | Self::ForeignRelay { .. }
            | Self::OtherServer { .. }
            | Self::UnknownBoot => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecondChainload { seconds } => write!(
                f,
                "the NBP was delivered {seconds} s ago and is asked for again: the firmware would not run it \
                 (Secure Boot?) or it came back unrecognised"
            ),
            Self::UnknownArch { codes } => write!(f, "option 93 names no architecture we know: {codes:?}"),
            Self::NoNbp { arch } => write!(f, "there is no NBP for {arch} in boot.nbp_dir"),
            Self::NotArmed { persona } => {
                write!(f, "persona {persona} wipes the disk and nobody armed this device: run `greenroom device arm`")
            }
            Self::TooManyInstalls { persona, count } => write!(
                f,
                "{count} installations of {persona} were begun within the hour: waiting, so that a failing \
                 installer does not loop"
            ),
            Self::NoPersona { persona } => write!(f, "persona {persona} is not in the library"),
            Self::NoImage { persona, image } => {
                write!(f, "image {image} of persona {persona} is not in the library: run `greenroom image add`")
            }
            Self::WrongArch { image, needs, has } => write!(f, "image {image} needs {needs}; this device is {has}"),
            Self::TooSmall { persona, needs_mib, has_mib } => {
                write!(f, "persona {persona} needs {needs_mib} MiB of memory; this device has {has_mib} MiB")
            }
            Self::NoSecret { persona, secret } => {
                write!(f, "persona {persona} needs the secret {secret}: write it into the server's secrets_dir")
            }
            Self::PoolExhausted { subnet } => write!(f, "every address of {subnet} is taken"),
            Self::NoSubnet { link } => write!(f, "no configured subnet fits {link}"),
            Self::ForeignRelay { giaddr } => write!(f, "relay {giaddr} serves no configured subnet"),
            Self::OtherServer { server } => write!(
                f,
                "the client took the offer of another DHCP server, {server}: stop that one, or use `mode: proxy`"
            ),
            Self::UnknownBoot => f.write_str("this boot attempt is not known (any more): restart the device"),
        }
    }
}
