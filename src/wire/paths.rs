//! Every name that we hand out, TFTP's and HTTP's: formatted and parsed in one place.
//!
//! A name carries the [`BootId`] of its attempt. What does not parse here is not found; nothing here touches a file
//! system, so there is no way out of any tree.

use std::{fmt, net::Ipv4Addr};

use crate::model::{BootId, Digest};

/// `http://10.77.0.1`, with the port when it is not 80: some firmware stumbles over a needless one.
pub fn server_url(server: Ipv4Addr, port: u16) -> String {
    match port {
        80 => format!("http://{server}"),
        port => format!("http://{server}:{port}"),
    }
}

/// What newer iPXE builds ask for before anything else, from where they came (QUIRKS row 26).
const AUTOEXEC: &str = "autoexec.ipxe";

/// The first and the second script.
const START: &str = "start.ipxe";
const SCRIPT: &str = "script.ipxe";

/// How deep below a blob's folder loaders look: `images/install.img`, `arch/x86_64/airootfs.sfs`.
const MOST_FOLDERS: usize = 4;
/// What the second script asks when a file does not come, and when it does not try again.
const TROUBLE: &str = "trouble.ipxe";
const GAVE_UP: &str = "gave-up.ipxe";

/// A file that TFTP serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TftpName {
    /// An NBP; without a boot id when somebody asks for it by its bare name.
    Nbp {
        /// Which attempt.
        boot: Option<BootId>,
        /// The file name, in lower case.
        name: String,
    },
    /// The first script, for iPXE builds that look for `autoexec.ipxe`.
    Autoexec {
        /// Which attempt.
        boot: BootId,
    },
}

impl TftpName {
    /// Reads a name as ROMs mangle it (QUIRKS rows 14 and 31): slashes of either kind, either case, 0xFF or NULs behind it.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.trim_end_matches(['\0', '\u{ff}', '\u{fffd}']).replace('\\', "/").to_ascii_lowercase();
        let mut parts = name.split('/').filter(|part| !part.is_empty() && *part != ".");
        match (parts.next(), parts.next(), parts.next()) {
            (Some(boot), Some(AUTOEXEC), None) => Some(Self::Autoexec { boot: boot.parse().ok()? }),
            (Some(boot), Some(name), None) => {
                Some(Self::Nbp { boot: Some(boot.parse().ok()?), name: plain(name)?.to_owned() })
            }
            (Some(name), None, _) => Some(Self::Nbp { boot: None, name: plain(name)?.to_owned() }),
            _ => None,
        }
    }
}

impl fmt::Display for TftpName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nbp { boot: Some(boot), name } => write!(f, "{boot}/{name}"),
            Self::Nbp { boot: None, name } => f.write_str(name),
            Self::Autoexec { boot } => write!(f, "{boot}/{AUTOEXEC}"),
        }
    }
}

/// A URL path that firmware, loaders and installed systems ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootPath {
    /// The first script: it reports what iPXE knows and goes on to the second.
    Start {
        /// Which attempt.
        boot: BootId,
    },
    /// The second script: what the device shall do.
    Script {
        /// Which attempt.
        boot: BootId,
    },
    /// The script that says why a file of the image did not come.
    Trouble {
        /// Which attempt.
        boot: BootId,
    },
    /// The same, asked for by a device that does not try again.
    GaveUp {
        /// Which attempt.
        boot: BootId,
    },
    /// An NBP, for UEFI HTTP Boot.
    Nbp {
        /// Which attempt.
        boot: BootId,
        /// The file name.
        name: String,
    },
    /// A blob, for no attempt in particular.
    Blob {
        /// Which bytes.
        digest: Digest,
    },
    /// A blob as a file of an attempt's image.
    BlobFor {
        /// Which bytes.
        digest: Digest,
        /// Which attempt.
        boot: BootId,
        /// A file name, for loaders that look at its extension.
        name: String,
    },
    /// A blob by the path that its loader gave it, below the folder that it was told.
    BlobBelow {
        /// Which bytes.
        digest: Digest,
        /// Which attempt.
        boot: BootId,
        /// The folders, as they were asked for; the blob has none.
        folders: Vec<String>,
        /// The file name.
        name: String,
    },
    /// A file of an attempt's seed.
    Seed {
        /// Which attempt.
        boot: BootId,
        /// The attempt's secret.
        token: String,
        /// The file name.
        name: String,
    },
    /// Where the device reports how it fares.
    Report {
        /// Which attempt.
        boot: BootId,
        /// The attempt's secret.
        token: String,
    },
}

impl BootPath {
    /// Reads a path; needless slashes are passed over silently (QUIRKS row 32).
    pub fn parse(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        Some(match parts[..] {
            ["boot", boot, name] => {
                let (boot, name) = (boot.parse().ok()?, plain(name)?.to_ascii_lowercase());
                match name.as_str() {
                    START | AUTOEXEC => Self::Start { boot },
                    SCRIPT => Self::Script { boot },
                    TROUBLE => Self::Trouble { boot },
                    GAVE_UP => Self::GaveUp { boot },
                    _ => Self::Nbp { boot, name },
                }
            }
            ["blob", digest] => Self::Blob { digest: digest.parse().ok()? },
            ["blob", digest, boot, name] => {
                Self::BlobFor { digest: digest.parse().ok()?, boot: boot.parse().ok()?, name: plain(name)?.to_owned() }
            }
            ["blob", digest, boot, ref folders @ .., name] if folders.len() <= MOST_FOLDERS => {
                let folders = folders.iter().map(|folder| plain(folder).map(str::to_owned));
                Self::BlobBelow {
                    digest: digest.parse().ok()?,
                    boot: boot.parse().ok()?,
                    folders: folders.collect::<Option<_>>()?,
                    name: plain(name)?.to_owned(),
                }
            }
            ["seed", boot, token, "report"] => {
                Self::Report { boot: boot.parse().ok()?, token: plain(token)?.to_owned() }
            }
            ["seed", boot, token, name] => {
                Self::Seed { boot: boot.parse().ok()?, token: plain(token)?.to_owned(), name: plain(name)?.to_owned() }
            }
            _ => return None,
        })
    }
}

impl fmt::Display for BootPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start { boot } => write!(f, "/boot/{boot}/{START}"),
            Self::Script { boot } => write!(f, "/boot/{boot}/{SCRIPT}"),
            Self::Trouble { boot } => write!(f, "/boot/{boot}/{TROUBLE}"),
            Self::GaveUp { boot } => write!(f, "/boot/{boot}/{GAVE_UP}"),
            Self::Nbp { boot, name } => write!(f, "/boot/{boot}/{name}"),
            Self::Blob { digest } => write!(f, "/blob/{digest}"),
            Self::BlobFor { digest, boot, name } => write!(f, "/blob/{digest}/{boot}/{name}"),
            Self::BlobBelow { digest, boot, folders, name } => {
                write!(f, "/blob/{digest}/{boot}/{}/{name}", folders.join("/"))
            }
            Self::Seed { boot, token, name } => write!(f, "/seed/{boot}/{token}/{name}"),
            Self::Report { boot, token } => write!(f, "/seed/{boot}/{token}/report"),
        }
    }
}

/// A single plain file name, or nothing.
fn plain(name: &str) -> Option<&str> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    (name.len() <= 128 && !name.starts_with('.') && name.bytes().all(fits)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: &str = "0123456789";

    #[test]
    fn rows_14_and_31_tftp_names_are_read_as_roms_mangle_them() {
        let wanted = TftpName::Nbp { boot: BOOT.parse().ok(), name: "undionly.kpxe".into() };
        for name in [
            "0123456789/undionly.kpxe",
            "/0123456789/undionly.kpxe",
            "\\0123456789\\UNDIONLY.KPXE",
            "//0123456789//undionly.kpxe\u{ff}",
            "0123456789/undionly.kpxe\u{fffd}\0",
        ] {
            assert_eq!(TftpName::parse(name).as_ref(), Some(&wanted), "{name}");
        }
        assert_eq!(TftpName::parse("ipxe.efi"), Some(TftpName::Nbp { boot: None, name: "ipxe.efi".into() }));
    }

    #[test]
    fn there_is_no_way_out_of_the_tree() {
        for name in ["", "/", "..", "../etc/passwd", "0123456789/../../x", "/etc/passwd", "a/b/c", "0123456789/.hidden"]
        {
            assert_eq!(TftpName::parse(name), None, "{name}");
        }
        for path in ["/", "/boot/0123456789/../x", "/blob/xyz", "/seed/0123456789/tok%2fen/x", "/boot/short/start.ipxe"]
        {
            assert_eq!(BootPath::parse(path), None, "{path}");
        }
    }

    #[test]
    fn every_path_reads_as_what_it_was_written_from() {
        let boot: BootId = BOOT.parse().expect("a boot id");
        let digest = Digest::new([7; 32]);
        for path in [
            BootPath::Start { boot },
            BootPath::Script { boot },
            BootPath::Trouble { boot },
            BootPath::GaveUp { boot },
            BootPath::Nbp { boot, name: "ipxe.efi".into() },
            BootPath::Blob { digest },
            BootPath::BlobFor { digest, boot, name: "filesystem.squashfs".into() },
            BootPath::BlobBelow { digest, boot, folders: vec!["images".into()], name: "install.img".into() },
            BootPath::Seed { boot, token: "abc".into(), name: "user-data".into() },
            BootPath::Report { boot, token: "abc".into() },
        ] {
            assert_eq!(BootPath::parse(&path.to_string()), Some(path.clone()));
            assert_eq!(BootPath::parse(&path.to_string().replace('/', "//")), Some(path), "row 32");
        }
    }
}
