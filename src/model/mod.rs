//! Floor 0: the nouns. Every other module speaks in these types, so a value that exists is a value that makes sense:
//! a [`MacAddr`] is unicast, a [`Digest`] is 32 bytes, an [`Arch`] came from a client that named one.
//!
//! Nothing here does I/O, asks for the time or draws randomness; nothing here imports from another floor.

pub mod account;
pub mod arch;
pub mod attribute;
pub mod backoff;
pub mod boot_id;
pub mod command;
pub mod decision;
pub mod device;
pub mod dhcp;
pub mod digest;
pub mod fact;
pub mod firmware;
pub mod image;
pub mod lease;
pub mod link;
pub mod mac;
pub mod oci;
pub mod persona_ref;
pub mod plan;
pub mod prediction;
pub mod reply;
pub mod request;
pub mod secret;
pub mod site;
pub mod smbios;
pub mod staged;
mod text;
pub mod timeline;
pub mod token;
pub mod trouble;
pub mod units;
pub mod user;

pub use account::{Account, AccountName, Role};
pub use arch::Arch;
pub use backoff::Backoff;
pub use boot_id::BootId;
pub use decision::{Armed, Decision, Reason, Refusal};
pub use device::{Device, DeviceId};
pub use digest::Digest;
pub use fact::{Fact, Record};
pub use firmware::Firmware;
pub use link::Link;
pub use mac::{MacAddr, Oui};
pub use persona_ref::{Effect, PersonaName, PersonaRef, Version};
pub use prediction::{Prediction, Probability};
pub use smbios::SmbiosUuid;
pub use token::{Scope, Token, TokenName};
pub use units::{Bytes, Millis, Moment, Seconds};
pub use user::{User, UserName};
