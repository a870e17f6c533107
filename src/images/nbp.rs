//! The network boot programs: iPXE builds, from the system's `ipxe` package, a folder, or this very binary.
//!
//! Which device gets which is `boot::bootfile`'s to say; here they are found, looked at and held in memory, since they are
//! small and TFTP asks for them often. A file that is for another processor than its name says is refused at the start: a
//! device would hang on it without a word.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use bytes::Bytes;

/// Where the `ipxe` package of Debian and Ubuntu puts them.
pub const SYSTEM_DIR: &str = "/usr/lib/ipxe";

/// iPXE builds are at most a few megabytes; whatever is larger is something else.
const LARGEST: u64 = 16 << 20;

/// What a file must be to be run by the firmware that asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Raw x86 code that a BIOS jumps to.
    Bios,
    /// A PE image for this machine (PE format, "Machine Types").
    Efi(u16),
}

const IA32: Kind = Kind::Efi(0x014c);
const X64: Kind = Kind::Efi(0x8664);
const ARM64: Kind = Kind::Efi(0xaa64);

/// The NBPs that Greenroom knows: the name that it serves each under, what it must be, and where packages and iPXE's own
/// build tree (`bin-x86_64-efi/…`) keep it.
const KNOWN: [(&str, Kind, &[&str]); 6] = [
    ("undionly.kpxe", Kind::Bios, &["undionly.kpxe", "bin/undionly.kpxe"]),
    (
        "snponly.efi",
        X64,
        &["snponly.efi", "x86_64/snponly.efi", "bin-x86_64-efi/snponly.efi", "ipxe-snponly-x86_64.efi"],
    ),
    ("ipxe.efi", X64, &["ipxe.efi", "x86_64/ipxe.efi", "bin-x86_64-efi/ipxe.efi", "ipxe-x86_64.efi"]),
    (
        "snponly-arm64.efi",
        ARM64,
        &["snponly-arm64.efi", "arm64/snponly.efi", "arm64-efi/snponly.efi", "bin-arm64-efi/snponly.efi"],
    ),
    ("ipxe-arm64.efi", ARM64, &["ipxe-arm64.efi", "arm64/ipxe.efi", "arm64-efi/ipxe.efi", "bin-arm64-efi/ipxe.efi"]),
    ("ipxe-ia32.efi", IA32, &["ipxe-ia32.efi", "i386/ipxe.efi", "bin-i386-efi/ipxe.efi", "ipxe-i386.efi"]),
];

/// One of these at least must be there: without any, no common device could be booted.
const ESSENTIAL: [&str; 3] = ["undionly.kpxe", "snponly.efi", "ipxe.efi"];

/// The NBPs of the build machine, inside this binary. `.cargo/config.toml` sets the folder; the environment overrides it.
#[cfg(feature = "bundled-nbp")]
mod bundled {
    macro_rules! nbp {
        ($name:literal) => {
            ($name, include_bytes!(concat!(
                env!(
                    "GREENROOM_NBP_DIR",
                    "the feature `bundled-nbp` copies undionly.kpxe, snponly.efi and ipxe.efi into the binary: install them \
                     (`apt-get install ipxe`) and set GREENROOM_NBP_DIR to their folder (/usr/lib/ipxe)"
                ),
                "/",
                $name
            )))
        };
    }

    pub(super) const ALL: [(&str, &[u8]); 3] = [nbp!("undionly.kpxe"), nbp!("snponly.efi"), nbp!("ipxe.efi")];
}

/// The NBPs at hand, in memory.
#[derive(Debug, Clone, Default)]
pub struct NbpSet {
    files: BTreeMap<String, Bytes>,
}

/// Why there is nothing to boot firmware with.
#[derive(Debug, thiserror::Error)]
pub enum NbpError {
    /// None of the files is there.
    #[error("no NBP in {}: install the package (`apt-get install ipxe`), or set `boot.nbp_dir` to a folder with {}",
        dir.display(), ESSENTIAL.join(", "))]
    None {
        /// Where they were looked for.
        dir: PathBuf,
    },
    /// A file is there and cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file is there and is something else.
    #[error("{} is {found}, which is not what firmware that asks for {name} can run: replace or remove it", path.display())]
    Alien {
        /// The file.
        path: PathBuf,
        /// The NBP that it should be.
        name: &'static str,
        /// What it is instead.
        found: &'static str,
    },
}

impl NbpSet {
    /// Loads what there is in `dir`, or in the system's folder; what was bundled at build time fills the gaps. Fails when
    /// neither a BIOS nor a UEFI x64 device could be booted, and when a file is not what its name says.
    pub fn load(dir: Option<&Path>) -> Result<Self, NbpError> {
        let dir = dir.unwrap_or(Path::new(SYSTEM_DIR));
        let mut files: BTreeMap<String, Bytes> = BTreeMap::new();
        #[cfg(feature = "bundled-nbp")]
        files.extend(bundled::ALL.map(|(name, bytes)| (name.to_owned(), Bytes::from_static(bytes))));
        for (name, kind, places) in KNOWN {
            let Some(path) = places.iter().map(|place| dir.join(place)).find(|path| path.exists()) else { continue };
            files.insert(name.to_owned(), read(name, kind, path)?);
        }
        match ESSENTIAL.iter().any(|name| files.contains_key(*name)) {
            true => Ok(Self { files }),
            false => Err(NbpError::None { dir: dir.to_owned() }),
        }
    }

    /// One NBP by its name; firmware is free with upper and lower case (QUIRKS: TFTP names).
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.files.get(&name.to_ascii_lowercase())
    }

    /// The names of all.
    pub fn names(&self) -> BTreeSet<String> {
        self.files.keys().cloned().collect()
    }
}

fn read(name: &'static str, kind: Kind, path: PathBuf) -> Result<Bytes, NbpError> {
    let len = fs::metadata(&path).map_or(0, |file| file.len());
    if len > LARGEST {
        return Err(NbpError::Alien { path, name, found: "far larger than any NBP" });
    }
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => return Err(NbpError::Unreadable { path, error }),
    };
    match misfit(&bytes, kind) {
        None => Ok(bytes.into()),
        Some(found) => Err(NbpError::Alien { path, name, found }),
    }
}

/// What the bytes are instead of a program of this kind; `None` when they are one.
fn misfit(bytes: &[u8], kind: Kind) -> Option<&'static str> {
    match (kind, machine(bytes)) {
        _ if bytes.is_empty() => Some("empty"),
        (Kind::Bios, None) => None,
        (Kind::Bios, Some(_)) => Some("an EFI program"),
        (Kind::Efi(wanted), Some(found)) if wanted == found => None,
        (Kind::Efi(_), Some(_)) => Some("an EFI program for another processor"),
        (Kind::Efi(_), None) => Some("no EFI program"),
    }
}

/// The machine that a PE image is for: `MZ`, at 0x3c the offset of `PE\0\0`, then two bytes, little-endian.
fn machine(bytes: &[u8]) -> Option<u16> {
    let offset = bytes.strip_prefix(b"MZ").and_then(|_| bytes.get(0x3c..0x40))?;
    let offset = u32::from_le_bytes(offset.try_into().ok()?) as usize;
    match bytes.get(offset..)? {
        [b'P', b'E', 0, 0, low, high, ..] => Some(u16::from_le_bytes([*low, *high])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest thing with the header of a PE image.
    fn pe(machine: u16) -> Vec<u8> {
        let mut bytes = vec![0; 0x46];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3c] = 0x40;
        bytes[0x40..0x44].copy_from_slice(b"PE\0\0");
        bytes[0x44..].copy_from_slice(&machine.to_le_bytes());
        bytes
    }

    #[test]
    fn a_folder_is_read_in_the_layouts_that_packages_use() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("arm64-efi")).unwrap();
        fs::write(dir.path().join("arm64-efi/snponly.efi"), pe(0xaa64)).unwrap();
        fs::write(dir.path().join("ipxe.efi"), pe(0x8664)).unwrap();
        fs::write(dir.path().join("notes.txt"), "not an NBP").unwrap();
        let set = NbpSet::load(Some(dir.path())).unwrap();
        assert!(set.names().is_superset(&BTreeSet::from(["ipxe.efi".into(), "snponly-arm64.efi".into()])));
        assert!(set.get("IPXE.EFI").is_some_and(|bytes| bytes[..2] == *b"MZ"));
        assert_eq!(set.get("notes.txt"), None);
    }

    #[cfg(not(feature = "bundled-nbp"))]
    #[test]
    fn an_empty_folder_is_told_with_its_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let told = NbpSet::load(Some(dir.path())).unwrap_err().to_string();
        for wanted in ["apt-get install ipxe", "boot.nbp_dir", "undionly.kpxe", &*dir.path().to_string_lossy()] {
            assert!(told.contains(wanted), "{told}");
        }
    }

    #[cfg(feature = "bundled-nbp")]
    #[test]
    fn what_is_bundled_fills_the_gaps() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("ipxe.efi"), pe(0x8664)).unwrap();
        let set = NbpSet::load(Some(dir.path())).unwrap();
        assert_eq!(set.get("ipxe.efi").unwrap().len(), 0x46, "the folder wins");
        assert_eq!(misfit(set.get("snponly.efi").unwrap(), X64), None);
        assert_eq!(misfit(set.get("undionly.kpxe").unwrap(), Kind::Bios), None);
    }

    #[test]
    fn a_file_that_firmware_could_not_run_is_refused() {
        for (name, bytes, found) in [
            ("ipxe.efi", pe(0xaa64), "another processor"),
            ("ipxe.efi", b"<html>404</html>".to_vec(), "no EFI program"),
            ("ipxe.efi", Vec::new(), "empty"),
            ("undionly.kpxe", pe(0x8664), "an EFI program"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(name), bytes).unwrap();
            let told = NbpSet::load(Some(dir.path())).unwrap_err().to_string();
            assert!(told.contains(found) && told.contains(name), "{told}");
        }
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("ipxe.efi")).unwrap();
        assert!(matches!(NbpSet::load(Some(dir.path())), Err(NbpError::Unreadable { .. })));
    }

    #[test]
    fn a_header_that_lies_is_no_program() {
        let mut lying = pe(0x8664);
        lying[0x3c..0x40].fill(0xff);
        for bytes in [lying, b"MZ".to_vec(), pe(0x8664)[..0x45].to_vec()] {
            assert_eq!(machine(&bytes), None);
        }
    }
}
