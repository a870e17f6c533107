//! What the boot script of one attempt shall do. Digests only: bytes and URLs come later.

use serde::{Deserialize, Serialize};

use super::{Arch, Bytes, Decision, Digest, Firmware, PersonaRef, image::Role, site::Mirrors, smbios::Hardware};

/// The plan for one boot: the decision, and what it means for this device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BootPlan {
    /// What was decided, with its reason.
    pub decision: Decision,
    /// What the script does about it.
    pub action: Action,
    /// How this device goes on to its disk, when not as its kind of firmware does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskExit>,
}

/// The two ways from iPXE to the disk (QUIRKS row 40).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiskExit {
    /// Leave iPXE with an error: the firmware tries its next boot entry. What UEFI gets.
    Exit,
    /// Have iPXE start the first drive. What BIOS gets; on UEFI it takes a recent iPXE.
    Sanboot,
}

/// What a boot script does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "action")]
pub enum Action {
    /// Load a kernel and an initrd and start them.
    Kernel(KernelBoot),
    /// Leave the network and boot the disk, the way this firmware needs it (QUIRKS row 40).
    LocalDisk {
        /// UEFI leaves iPXE; BIOS starts drive 0x80.
        firmware: Firmware,
    },
    /// Show the refusal on the console for a while, then boot the disk.
    Refuse {
        /// UEFI leaves iPXE; BIOS starts drive 0x80.
        firmware: Firmware,
    },
}

/// A kernel, what it loads, and what it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelBoot {
    /// The persona that the kernel leads to.
    pub persona: PersonaRef,
    /// What loads it: BIOS and UEFI differ in how.
    pub firmware: Firmware,
    /// What the image runs on; a BIOS client's script checks the processor for it.
    pub arch: Arch,
    /// The files, by role; the kernel is among them.
    pub files: Vec<PlannedFile>,
    /// Kernel arguments. The placeholders of [`Image::args`](super::image::Image::args) are still in them.
    pub args: Vec<String>,
}

/// What the seed of an attempt is rendered with, beside its persona: noted when the script is planned, so that all files of
/// the attempt agree with one another, and can be rendered again when the place and the device have changed. No secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The beginning of this server's URLs, as the device reached it: `http://10.77.0.1`.
    pub server: String,
    /// Where packages come from.
    #[serde(default)]
    pub mirrors: Mirrors,
    /// What the device reported of itself.
    #[serde(default)]
    pub hardware: Hardware,
    /// How the script goes on to the disk when the kernel does not start, when not as its kind of firmware does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskExit>,
}

/// One file of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFile {
    /// What it is for.
    pub role: Role,
    /// Its bytes.
    pub digest: Digest,
    /// Its length, when the manifest says so.
    pub size: Option<Bytes>,
    /// The last part of its URL.
    pub name: String,
}
