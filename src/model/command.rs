//! What an operator may order. Imperative; an accepted command becomes facts.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    AccountName, MacAddr, Moment, PersonaName, UserName,
    attribute::Changes,
    image::{ImageName, Tier},
    text::is_text,
    token::TokenName,
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
        /// From when on, if not at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Moment>,
        /// Until when, if not for ever.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Moment>,
        /// Why: shown with every decision that follows from it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Take the assignment back.
    UnassignPersona,
    /// Give leave to wipe its disk at the next boot.
    Arm,
    /// Take that leave back.
    Disarm,
    /// Say what it is: its role, location, and whatever else the organisation says.
    Describe {
        /// What is said of it from now on.
        changes: Changes,
    },
    /// Do not propose this persona for it again.
    DeclineProposal {
        /// Which.
        persona: PersonaName,
    },
    /// Drop everything known about it.
    Forget,
}

/// What shall be done about a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "order")]
pub enum UserOrder {
    /// Say who they are; one who is not known yet becomes known.
    Describe {
        /// What is said of them from now on.
        changes: Changes,
        /// Whether they are of the organisation; `None` leaves it as it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        active: Option<bool>,
    },
    /// Drop everything known about them.
    Forget,
}

/// Several orders that belong together: all are carried out, or none is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// Who says so: a user name, for the journal.
    pub by: String,
    /// What makes them the same orders when they are said again: then they are not carried out again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<OrderKey>,
    /// A digest of what their sender said, where the orders alone are not what was said: "all devices of that room" means
    /// others tomorrow, and is the same order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<u64>,
    /// The orders, in the order in which they are carried out.
    pub lines: Vec<Line>,
}

/// One of several orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "about")]
pub enum Line {
    /// About a device, named by any of its ports.
    Device {
        /// Which. It need not have been seen yet.
        mac: MacAddr,
        /// What shall be done.
        #[serde(flatten)]
        order: Order,
        /// Only if nobody has changed it since: [`Device::changed`](super::Device::changed), 0 for one that is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expects: Option<u64>,
    },
    /// About a person.
    User {
        /// Who.
        user: UserName,
        /// What shall be done.
        #[serde(flatten)]
        order: UserOrder,
        /// Only if nobody has changed it since: [`User::changed`](super::User::changed), 0 for one who is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expects: Option<u64>,
    },
}

/// What makes orders the same when they are said again: chosen by who gives them. 1 to 128 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrderKey(String);

is_text!(OrderKey);

/// Some text that cannot be an [`OrderKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no idempotency key: 1 to 128 printable ASCII characters without blanks")]
pub struct BadOrderKey;

impl FromStr for OrderKey {
    type Err = BadOrderKey;

    fn from_str(text: &str) -> Result<Self, BadOrderKey> {
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(text.to_owned())).ok_or(BadOrderKey)
    }
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
    /// Nothing is known of the person.
    #[error("no user {user} is known")]
    NoUser {
        /// Who was asked for.
        user: UserName,
    },
    /// More would be said than is remembered.
    #[error("{what} would have more than {most} attributes")]
    TooManyAttributes {
        /// Of which device or person.
        what: String,
        /// The most that is remembered.
        most: usize,
    },
    /// The assignment would never hold.
    #[error("the assignment would end before it begins: `expires` is not after now and `not_before`")]
    NeverHolds,
    /// Somebody changed it meanwhile.
    #[error("{what} was changed meanwhile: look at it again")]
    Changed {
        /// Which device or person.
        what: String,
    },
    /// Other orders were given with the same key.
    #[error("the idempotency key {key} was used for other orders within the last day: choose another one")]
    KeyUsed {
        /// The key.
        key: OrderKey,
    },
    /// There is such a token, and it opens something still.
    #[error("there is a token {name} already: revoke it first, or choose another name")]
    TokenExists {
        /// Its name.
        name: TokenName,
    },
    /// There is no such token.
    #[error("there is no token {name}")]
    NoToken {
        /// What was asked for.
        name: TokenName,
    },
    /// More tokens than anybody can watch over.
    #[error("there are {most} tokens already: revoke those that nobody uses")]
    TooManyTokens {
        /// The most that is remembered.
        most: usize,
    },
    /// The token would never open anything.
    #[error("a token that has expired, or allows nothing, would open nothing")]
    UselessToken,
    /// There is such an account.
    #[error("there is an account {name} already: choose another name")]
    AccountExists {
        /// Its name.
        name: AccountName,
    },
    /// There is no such account.
    #[error("there is no account {name}")]
    NoAccount {
        /// What was asked for.
        name: AccountName,
    },
    /// Nobody could say any more who may do what.
    #[error("{name} is the last admin who can sign in: make another one first")]
    LastAdmin {
        /// Its name.
        name: AccountName,
    },
    /// More accounts than anybody can watch over.
    #[error("there are {most} accounts already: remove those that nobody uses")]
    TooManyAccounts {
        /// The most that is remembered.
        most: usize,
    },
    /// Somebody else was first.
    #[error("there is an account already: sign in, or have an admin make you one")]
    NotFirst,
    /// One of several orders cannot be carried out: none was.
    #[error("order {line}: {why}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// Why.
        why: Box<Rejection>,
    },
}

fn suggestion(nearest: &Option<impl std::fmt::Display>) -> String {
    nearest.as_ref().map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}
