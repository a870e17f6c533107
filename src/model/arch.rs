//! Processor architectures, apart from the firmware that runs on them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The instruction set that a client's firmware runs.
///
/// DHCP option 93 mixes architecture and firmware in one number; `wire::pxe_options` splits them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// 32-bit x86 EFI.
    Ia32,
    /// 64-bit x86. A BIOS client counts as this: option 93 cannot tell, and the boot script checks the processor.
    X64,
    /// 32-bit ARM.
    Arm32,
    /// 64-bit ARM.
    Arm64,
    /// 64-bit RISC-V.
    Riscv64,
    /// 64-bit LoongArch.
    Loong64,
}

impl Arch {
    /// Every architecture, in the order that tables show them.
    pub const ALL: [Self; 6] = [Self::Ia32, Self::X64, Self::Arm32, Self::Arm64, Self::Riscv64, Self::Loong64];

    /// The lower-case name that configuration, manifests and tables use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ia32 => "ia32",
            Self::X64 => "x64",
            Self::Arm32 => "arm32",
            Self::Arm64 => "arm64",
            Self::Riscv64 => "riscv64",
            Self::Loong64 => "loong64",
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Arch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|arch| arch.name() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|arch| arch.name()).collect();
            format!("`{text}` is no architecture that Greenroom knows; one of {}", known.join(", "))
        })
    }
}
