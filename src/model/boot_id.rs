//! The name of one boot attempt.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Crockford's base 32 in lower case: no `i`, `l`, `o`, `u`, so that a person can read one off a console.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// One attempt of one device to boot, from its first DISCOVER until it is ready, refused or given up. It rides in every
/// URL and TFTP name of the attempt, so that its facts join without guessing. Ten characters: 50 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BootId(u64);

impl BootId {
    const LENGTH: usize = 10;

    /// The attempt named by the low 50 bits of `nonce`.
    pub const fn new(nonce: u64) -> Self {
        Self(nonce & ((1 << 50) - 1))
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String =
            (0..Self::LENGTH).rev().map(|at| ALPHABET[(self.0 >> (5 * at) & 31) as usize] as char).collect();
        f.pad(&text)
    }
}

impl fmt::Debug for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for BootId {
    type Err = BadBootId;

    fn from_str(text: &str) -> Result<Self, BadBootId> {
        if text.len() != Self::LENGTH {
            return Err(BadBootId);
        }
        text.bytes()
            .try_fold(0, |id, byte| ALPHABET.iter().position(|&a| a == byte).map(|digit| id << 5 | digit as u64))
            .map(Self)
            .ok_or(BadBootId)
    }
}

impl TryFrom<String> for BootId {
    type Error = BadBootId;

    fn try_from(text: String) -> Result<Self, BadBootId> {
        text.parse()
    }
}

impl From<BootId> for String {
    fn from(id: BootId) -> Self {
        id.to_string()
    }
}

/// Some text that names no boot attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a boot id: ten characters, as `greenroom boots` prints them")]
pub struct BadBootId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_shows() {
        for nonce in [0, 1, 0x3_ffff_ffff_ffff, 0x1_2345_6789_abcd, u64::MAX] {
            let id = BootId::new(nonce);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert_eq!("../../../x".parse::<BootId>(), Err(BadBootId));
    }
}
