//! What speaks to us from a device that has no operating system yet.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The program that sent a boot request, told by options 60, 77, 93 and 175 (never by option 60 alone: QUIRKS row 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Firmware {
    /// A PXE ROM on a BIOS machine: fetches an NBP over TFTP.
    Bios,
    /// UEFI PXE: fetches an NBP over TFTP.
    EfiPxe,
    /// UEFI HTTP Boot: fetches an NBP from a URL.
    EfiHttp,
    /// iPXE on BIOS, from a ROM or chainloaded: fetches a script from a URL.
    IpxeBios,
    /// iPXE on UEFI, from a ROM or chainloaded: fetches a script from a URL.
    IpxeEfi,
    /// The boot ROM of a Raspberry Pi, which claims to be a BIOS (QUIRKS row 37).
    RpiBoot,
}

impl Firmware {
    /// Every firmware, in the order that tables show them.
    pub const ALL: [Self; 6] = [Self::Bios, Self::EfiPxe, Self::EfiHttp, Self::IpxeBios, Self::IpxeEfi, Self::RpiBoot];

    /// The name that tables and command lines use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bios => "bios",
            Self::EfiPxe => "efi-pxe",
            Self::EfiHttp => "efi-http",
            Self::IpxeBios => "ipxe-bios",
            Self::IpxeEfi => "ipxe-efi",
            Self::RpiBoot => "rpi-boot",
        }
    }

    /// Whether this client reads iPXE scripts, so that it gets a script and never an NBP.
    pub const fn is_ipxe(self) -> bool {
        matches!(self, Self::IpxeBios | Self::IpxeEfi)
    }

    /// Whether the device underneath runs UEFI.
    pub const fn is_efi(self) -> bool {
        matches!(self, Self::EfiPxe | Self::EfiHttp | Self::IpxeEfi)
    }
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Firmware {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|firmware| firmware.name() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|firmware| firmware.name()).collect();
            format!("`{text}` is no firmware that Greenroom knows; one of {}", known.join(", "))
        })
    }
}
