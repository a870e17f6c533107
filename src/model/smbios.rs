//! What a device's own tables say it is.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The UUID of a device as option 97 and SMBIOS carry it, when it can be trusted to be its own.
///
/// Vendors ship boards whose UUID is all zero, all ones or a well-known filler: those are no identity and are refused
/// here, so that two such boards can never be taken for one device.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SmbiosUuid([u8; 16]);

/// Fillers seen on shipped boards, refused in either order of bytes (AMI's `03000200-…`, Supermicro's and others' counting
/// bytes, Phoenix' `12345678-…`).
const FILLERS: [[u8; 16]; 4] = [
    [0x00, 0x02, 0x00, 0x03, 0x00, 0x04, 0x00, 0x05, 0x00, 0x06, 0x00, 0x07, 0x00, 0x08, 0x00, 0x09],
    [0x03, 0x00, 0x02, 0x00, 0x04, 0x00, 0x05, 0x00, 0x00, 0x06, 0x00, 0x07, 0x00, 0x08, 0x00, 0x09],
    [0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f],
    [0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x56, 0x78, 0x12, 0x34, 0x56, 0x78],
];

impl SmbiosUuid {
    /// The identity that is written with these bytes, in this order, or `None` when they are a filler.
    pub fn new(bytes: [u8; 16]) -> Option<Self> {
        let uniform = bytes.iter().all(|&byte| byte == bytes[0]);
        let filler = FILLERS.contains(&bytes) || FILLERS.contains(&turned(bytes));
        (!uniform && !filler).then_some(Self(bytes))
    }

    /// Its bytes in the order in which they are written.
    pub const fn octets(self) -> [u8; 16] {
        self.0
    }

    /// The identity that travels and lies in SMBIOS as these bytes: its first three fields are little-endian (SMBIOS
    /// 7.2.1). The result is what `dmidecode` and iPXE's `${uuid}` print.
    pub fn from_smbios(bytes: [u8; 16]) -> Option<Self> {
        Self::new(turned(bytes))
    }
}

/// The other way to order the bytes: SMBIOS' from the written one, and back.
fn turned(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

impl fmt::Display for SmbiosUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        f.pad(&format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
    }
}

impl fmt::Debug for SmbiosUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SmbiosUuid {
    type Err = BadUuid;

    fn from_str(text: &str) -> Result<Self, BadUuid> {
        let digits: Vec<u8> = text
            .chars()
            .filter(|&c| c != '-')
            .map(|c| c.to_digit(16).map(|d| d as u8))
            .collect::<Option<_>>()
            .ok_or(BadUuid)?;
        let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, d| byte << 4 | d)).collect();
        if digits.len() != 32 {
            return Err(BadUuid);
        }
        bytes.try_into().ok().and_then(Self::new).ok_or(BadUuid)
    }
}

impl TryFrom<String> for SmbiosUuid {
    type Error = BadUuid;

    fn try_from(text: String) -> Result<Self, BadUuid> {
        text.parse()
    }
}

impl From<SmbiosUuid> for String {
    fn from(uuid: SmbiosUuid) -> Self {
        uuid.to_string()
    }
}

/// Some text that identifies no device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a device's UUID: 32 hexadecimal digits that are no vendor's filler")]
pub struct BadUuid;

/// What iPXE reads from SMBIOS and reports with its request for a script. All of it is claimed by the client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hardware {
    /// System manufacturer (SMBIOS type 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// Product name (SMBIOS type 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Serial number (SMBIOS type 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Asset tag (SMBIOS type 3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset: Option<String>,
    /// System UUID, when it is an identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<SmbiosUuid>,
    /// Usable memory in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_are_no_identity() {
        assert_eq!(SmbiosUuid::new([0; 16]), None);
        assert_eq!(SmbiosUuid::new([0xff; 16]), None);
        assert_eq!("03000200-0400-0500-0006-000700080009".parse::<SmbiosUuid>(), Err(BadUuid));
        assert_eq!("03020100-0504-0706-0809-0a0b0c0d0e0f".parse::<SmbiosUuid>(), Err(BadUuid), "as SMBIOS orders it");
        let own = "4c4c4544-0042-3510-8054-b7c04f4a3132";
        assert_eq!(own.parse::<SmbiosUuid>().map(|uuid| uuid.to_string()), Ok(own.into()));
    }
}
