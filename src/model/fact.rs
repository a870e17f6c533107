//! What happened. Facts are the spine: the journal keeps them, the World is their fold, everything shown is read from it.

use std::{collections::BTreeSet, net::Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::{
    AccountName, Arch, BootId, Bytes, DeviceId, Digest, Firmware, Link, MacAddr, Moment, PersonaName, PersonaRef, Role,
    SmbiosUuid, UserName,
    account::Proof,
    attribute::Changes,
    command::OrderKey,
    image::{ImageName, Tier},
    lease::Lease,
    plan::{KernelBoot, Setting},
    smbios::Hardware,
    timeline::Step,
    token::{Scope, TokenName, TokenPrint},
};

/// One fact with its place in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number: consecutive, from 1.
    pub seq: u64,
    /// When it happened.
    pub at: Moment,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

/// Something that happened. Past tense; never a wish, never a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "fact")]
pub enum Fact {
    /// An address is held back for a client that was offered it.
    LeaseOffered {
        /// The lease as it now stands.
        lease: Lease,
    },
    /// An address was promised to a client.
    LeaseBound {
        /// The lease as it now stands.
        lease: Lease,
    },
    /// A client gave its address back.
    LeaseReleased {
        /// The address.
        ip: Ipv4Addr,
        /// Whose it was.
        mac: MacAddr,
    },
    /// A client found its address in use.
    LeaseDeclined {
        /// The address.
        ip: Ipv4Addr,
        /// Who found it.
        mac: MacAddr,
        /// The end of the quarantine.
        until: Moment,
    },
    /// A client that wants to boot spoke.
    DeviceSeen {
        /// Which device it was taken for.
        device: DeviceId,
        /// The port that it spoke by.
        mac: MacAddr,
        /// Its identity, when it has one.
        uuid: Option<SmbiosUuid>,
        /// Its instruction set, when known.
        arch: Option<Arch>,
        /// What spoke.
        firmware: Firmware,
    },
    /// A device spoke from another place of the network than before.
    DevicePlaced {
        /// Which device.
        device: DeviceId,
        /// Where it is.
        link: Link,
    },
    /// Somebody said what a device is.
    DeviceDescribed {
        /// Which device.
        device: DeviceId,
        /// What is said of it from now on.
        changes: Changes,
        /// Who.
        by: String,
    },
    /// Somebody said who a person is.
    UserDescribed {
        /// Who is described.
        user: UserName,
        /// What is said of them from now on.
        changes: Changes,
        /// Whether they are of the organisation; `None` leaves it as it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        active: Option<bool>,
        /// Who says so.
        by: String,
    },
    /// Somebody had everything about a person dropped.
    UserForgotten {
        /// Who is forgotten.
        user: UserName,
        /// Who says so.
        by: String,
    },
    /// An operator does not want what was proposed for a device.
    ProposalDeclined {
        /// Which device.
        device: DeviceId,
        /// What was proposed.
        persona: PersonaName,
        /// Who.
        by: String,
    },
    /// Orders that carry a key were carried out: said again within a day, they are not carried out again.
    OrdersTaken {
        /// The key that their sender gave them.
        key: OrderKey,
        /// What they were: a digest, so that another order with the same key is told from the same one said again.
        print: u64,
        /// Who gave them.
        by: String,
    },
    /// iPXE reported what it runs on.
    HardwareReported {
        /// Which device.
        device: DeviceId,
        /// What it says.
        hardware: Hardware,
    },
    /// A boot attempt began.
    BootStarted {
        /// Its name.
        boot: BootId,
        /// Whose it is.
        device: DeviceId,
        /// What began it.
        firmware: Firmware,
        /// The instruction set named.
        arch: Option<Arch>,
    },
    /// A boot attempt took a step.
    BootMoved {
        /// Which attempt.
        boot: BootId,
        /// What happened.
        step: Step,
    },
    /// A script that starts a kernel was planned: from now on the attempt's seed is this persona's.
    BootPlanned {
        /// Which attempt.
        boot: BootId,
        /// What it loads.
        kernel: KernelBoot,
        /// What its seed is rendered with; journals from before this was noted have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        setting: Option<Setting>,
    },
    /// An operator gave a device a persona.
    PersonaAssigned {
        /// Which device.
        device: DeviceId,
        /// Which persona.
        persona: PersonaName,
        /// Who.
        by: String,
        /// From when on, if not at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Moment>,
        /// Until when, if not for ever.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Moment>,
        /// Why, in their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// An operator took the assignment back.
    PersonaUnassigned {
        /// Which device.
        device: DeviceId,
        /// Who.
        by: String,
    },
    /// An operator gave leave to wipe a device's disk.
    DeviceArmed {
        /// Which device.
        device: DeviceId,
        /// Who.
        by: String,
    },
    /// An operator took that leave back.
    DeviceDisarmed {
        /// Which device.
        device: DeviceId,
        /// Who.
        by: String,
    },
    /// An installer reported that it is done: the device boots its disk from now on, and is no longer armed.
    DeviceInstalled {
        /// Which device.
        device: DeviceId,
        /// What is on its disk now.
        persona: PersonaRef,
    },
    /// An operator had everything about a device dropped: it is new when it speaks next.
    DeviceForgotten {
        /// Which device.
        device: DeviceId,
        /// Who.
        by: String,
    },
    /// An operator had an image's files kept in a tier.
    ImagePinned {
        /// Which image.
        image: ImageName,
        /// RAM or disk.
        tier: Tier,
        /// Who.
        by: String,
    },
    /// An operator took that back.
    ImageUnpinned {
        /// Which image.
        image: ImageName,
        /// Who.
        by: String,
    },
    /// An operator had a blob leave the image cache. It comes back when it is asked for.
    ImageEvicted {
        /// Which blob.
        digest: Digest,
        /// What it was called then: `IMAGE/ROLE`, or the beginning of its digest.
        name: String,
        /// The bytes that came free.
        freed: Bytes,
        /// Whether it left RAM only, and the disk kept it.
        only_ram: bool,
        /// Who.
        by: String,
    },
    /// An operator had a token of the API made. What it is was shown once, and is not here.
    TokenCreated {
        /// What it is called.
        name: TokenName,
        /// What it allows.
        scopes: BTreeSet<Scope>,
        /// What it is recognised by.
        print: TokenPrint,
        /// From when on it opens nothing any more, if ever.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Moment>,
        /// Who.
        by: String,
    },
    /// An operator had a token open nothing any more.
    TokenRevoked {
        /// Which.
        name: TokenName,
        /// Who.
        by: String,
    },
    /// Somebody had an account of the pages made.
    AccountCreated {
        /// What it is called.
        name: AccountName,
        /// What it may do.
        role: Role,
        /// What whoever signs in is recognised by.
        proof: Proof,
        /// Who.
        by: String,
    },
    /// Somebody gave an account another role or another password.
    AccountChanged {
        /// Which.
        name: AccountName,
        /// What it may do from now on; `None` leaves it as it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
        /// What whoever signs in is recognised by from now on; `None` leaves it as it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
        /// Who.
        by: String,
    },
    /// Somebody had an account removed.
    AccountRemoved {
        /// Which.
        name: AccountName,
        /// Who.
        by: String,
    },
}

impl Fact {
    /// Whether somebody was promised this, so that it must be on disk before the reply leaves. Sightings, offers and
    /// transfers are not promises.
    pub const fn is_durable(&self) -> bool {
        match self {
            Self::LeaseBound { .. }
            | Self::LeaseReleased { .. }
            | Self::LeaseDeclined { .. }
            | Self::BootPlanned { .. }
            | Self::PersonaAssigned { .. }
            | Self::PersonaUnassigned { .. }
            | Self::DeviceArmed { .. }
            | Self::DeviceDisarmed { .. }
            | Self::DeviceInstalled { .. }
            | Self::DeviceForgotten { .. }
            | Self::ImagePinned { .. }
            | Self::ImageUnpinned { .. }
            | Self::ImageEvicted { .. }
            | Self::DeviceDescribed { .. }
            | Self::UserDescribed { .. }
            | Self::UserForgotten { .. }
            | Self::ProposalDeclined { .. }
            | Self::OrdersTaken { .. }
            | Self::TokenCreated { .. }
            | Self::TokenRevoked { .. }
            | Self::AccountCreated { .. }
            | Self::AccountChanged { .. }
            | Self::AccountRemoved { .. } => true,
            Self::LeaseOffered { .. }
            | Self::DeviceSeen { .. }
            | Self::DevicePlaced { .. }
            | Self::HardwareReported { .. }
            | Self::BootStarted { .. }
            | Self::BootMoved { .. } => false,
        }
    }

    /// Whose doing it is: an operator's login, an account of the pages, or `token:NAME`; `None` for what devices do.
    pub fn by(&self) -> Option<&str> {
        match self {
            Self::DeviceDescribed { by, .. }
            | Self::UserDescribed { by, .. }
            | Self::UserForgotten { by, .. }
            | Self::ProposalDeclined { by, .. }
            | Self::OrdersTaken { by, .. }
            | Self::PersonaAssigned { by, .. }
            | Self::PersonaUnassigned { by, .. }
            | Self::DeviceArmed { by, .. }
            | Self::DeviceDisarmed { by, .. }
            | Self::DeviceForgotten { by, .. }
            | Self::ImagePinned { by, .. }
            | Self::ImageUnpinned { by, .. }
            | Self::ImageEvicted { by, .. }
            | Self::TokenCreated { by, .. }
            | Self::TokenRevoked { by, .. }
            | Self::AccountCreated { by, .. }
            | Self::AccountChanged { by, .. }
            | Self::AccountRemoved { by, .. } => Some(by),
            Self::LeaseOffered { .. }
            | Self::LeaseBound { .. }
            | Self::LeaseReleased { .. }
            | Self::LeaseDeclined { .. }
            | Self::DeviceSeen { .. }
            | Self::DevicePlaced { .. }
            | Self::HardwareReported { .. }
            | Self::BootStarted { .. }
            | Self::BootMoved { .. }
            | Self::BootPlanned { .. }
            | Self::DeviceInstalled { .. } => None,
        }
    }
}
