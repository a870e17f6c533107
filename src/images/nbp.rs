//! The network boot programs: iPXE builds, from the system's `ipxe` package, a folder, or this very binary.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;

/// Where Debian's and Ubuntu's `ipxe` package puts them.
pub const SYSTEM_DIR: &str = "/usr/lib/ipxe";

/// The NBPs that Greenroom knows, by the names that it serves them under, and where iPXE packages keep them.
const KNOWN: [(&str, &[&str]); 5] = [
    ("undionly.kpxe", &["undionly.kpxe"]),
    ("snponly.efi", &["snponly.efi", "x86_64/snponly.efi", "ipxe-snponly-x86_64.efi"]),
    ("ipxe.efi", &["ipxe.efi", "x86_64/ipxe.efi", "ipxe-x86_64.efi"]),
    ("snponly-arm64.efi", &["snponly-arm64.efi", "arm64/snponly.efi", "arm64-efi/snponly.efi", "ipxe-arm64.efi"]),
    ("ipxe-ia32.efi", &["ipxe-ia32.efi", "i386/ipxe.efi", "ipxe-i386.efi"]),
];

/// The NBPs of the build machine, inside this binary.
#[cfg(feature = "bundled-nbp")]
const BUNDLED: [(&str, &[u8]); 3] = [
    ("undionly.kpxe", include_bytes!("/usr/lib/ipxe/undionly.kpxe")),
    ("snponly.efi", include_bytes!("/usr/lib/ipxe/snponly.efi")),
    ("ipxe.efi", include_bytes!("/usr/lib/ipxe/ipxe.efi")),
];

/// The NBPs at hand, in memory: they are small, and TFTP asks for them often.
#[derive(Debug, Clone, Default)]
pub struct NbpSet {
    files: BTreeMap<String, Bytes>,
}

/// There is nothing to boot firmware with.
#[derive(Debug, thiserror::Error)]
#[error(
    "no NBP in {dir}: install the package (`apt-get install ipxe`), or set `boot.nbp_dir` to a folder with {wanted}"
)]
pub struct NoNbp {
    dir: PathBuf,
    wanted: String,
}

impl NbpSet {
    /// Loads what there is in `dir`, or in the system's folder; what was bundled at build time fills the gaps. Fails when
    /// neither a BIOS nor a UEFI x64 device could be booted.
    pub fn load(dir: Option<&Path>) -> Result<Self, NoNbp> {
        let dir = dir.unwrap_or(Path::new(SYSTEM_DIR));
        let mut files: BTreeMap<String, Bytes> = BTreeMap::new();
        #[cfg(feature = "bundled-nbp")]
        files.extend(BUNDLED.map(|(name, bytes)| (name.to_owned(), Bytes::from_static(bytes))));
        let found = KNOWN.iter().filter_map(|(name, places)| {
            let bytes = places.iter().find_map(|place| fs::read(dir.join(place)).ok())?;
            Some(((*name).to_owned(), Bytes::from(bytes)))
        });
        files.extend(found);
        if !files.contains_key("undionly.kpxe") && !files.contains_key("snponly.efi") && !files.contains_key("ipxe.efi")
        {
            let wanted = KNOWN.map(|(name, _)| name).join(", ");
            return Err(NoNbp { dir: dir.to_owned(), wanted });
        }
        Ok(Self { files })
    }

    /// One NBP by its name, which is in lower case.
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.files.get(name)
    }

    /// The names of all.
    pub fn names(&self) -> BTreeSet<String> {
        self.files.keys().cloned().collect()
    }
}
