//! What an operator may order. Imperative; an accepted command becomes facts.

use serde::{Deserialize, Serialize};

use super::{
    MacAddr, PersonaName,
    image::{ImageName, Tier},
};

/// An order about one device, named by any of its ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Which device. It need not have been seen yet.
    pub mac: MacAddr,
    /// Who says so: a user name, for the journal.
    pub by: String,
    /// What shall be done.
    pub order: Order,
}

/// What shall be done to a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "order")]
pub enum Order {
    /// Give it a persona from its next boot on.
    AssignPersona {
        /// Which; it must be in the library.
        persona: PersonaName,
        /// Arm it in the same breath.
        #[serde(default)]
        arm: bool,
    },
    /// Take the assignment back.
    UnassignPersona,
    /// Give leave to wipe its disk at the next boot.
    Arm,
    /// Take that leave back.
    Disarm,
    /// Drop everything known about it.
    Forget,
}

/// An order about where an image's files are kept: in that tier at least, whatever the policy thinks of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinImage {
    /// Which; it must be in the library to be pinned.
    pub image: ImageName,
    /// Where its files stay. The origin stands for "anywhere": the pin is taken back.
    pub tier: Tier,
    /// Who says so: a user name, for the journal.
    pub by: String,
}

/// Why an order was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "rejected")]
pub enum Rejection {
    /// The library has no such persona.
    #[error("persona {persona} is not in the library{}", suggestion(.nearest))]
    NoPersona {
        /// What was asked for.
        persona: PersonaName,
        /// A name in the library that looks like it.
        nearest: Option<PersonaName>,
    },
    /// The library has no such image.
    #[error("image {image} is not in the library{}", suggestion(.nearest))]
    NoImage {
        /// What was asked for.
        image: ImageName,
        /// A name in the library that looks like it.
        nearest: Option<ImageName>,
    },
    /// There is no pin to take back.
    #[error("image {image} is not pinned")]
    NotPinned {
        /// Which image.
        image: ImageName,
    },
    /// Nothing is known of the device.
    #[error("no device with port {mac} is known")]
    NoDevice {
        /// What was asked for.
        mac: MacAddr,
    },
    /// There is no assignment to take back.
    #[error("device {mac} has no assignment")]
    NotAssigned {
        /// Which device.
        mac: MacAddr,
    },
    /// There is no leave to take back.
    #[error("device {mac} is not armed")]
    NotArmed {
        /// Which device.
        mac: MacAddr,
    },
}

fn suggestion(nearest: &Option<impl std::fmt::Display>) -> String {
    nearest.as_ref().map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}
