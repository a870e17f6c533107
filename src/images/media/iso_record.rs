//! The records of ISO 9660 folders (ECMA-119 9.1), and what Rock Ridge (IEEE P1282) keeps behind their names.
//!
//! ```text
//!   0 length   1 attribute blocks   2 first block (LE, BE)   10 bytes (LE, BE)   25 flags   26 unit   27 gap
//!   32 length of the name   33 name   (a blank when the name is even)   system use: two letters, length, version, what it says
//! ```
//! Everything here reads bytes that anybody may have written: what does not fit is `None`, or the end of the list.

use std::str;

/// A record, as it lies in its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// The first block, its attributes passed over.
    pub(super) block: u64,
    /// How many bytes.
    pub(super) len: u32,
    flags: u8,
    interleaved: bool,
    pub(super) name: &'a [u8],
    /// What extensions keep.
    pub(super) system_use: &'a [u8],
}

impl<'a> Record<'a> {
    /// The record at the beginning of `bytes`.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let whole = bytes.get(..usize::from(*bytes.first()?))?;
        let number = |at: usize| Some(u32::from_le_bytes(whole.get(at..at + 4)?.try_into().ok()?));
        let len_of_name = usize::from(*whole.get(32)?);
        let name = whole.get(33..33 + len_of_name)?;
        let system_use = whole.get(33 + len_of_name + (len_of_name + 1) % 2..).unwrap_or_default();
        Some(Self {
            block: u64::from(number(2)?) + u64::from(*whole.get(1)?),
            len: number(10)?,
            flags: *whole.get(25)?,
            interleaved: whole.get(26..28)? != [0, 0],
            name,
            system_use,
        })
    }

    pub(super) fn is_folder(&self) -> bool {
        self.flags & 2 != 0
    }

    /// The folder itself, or the one above.
    pub(super) fn is_dot(&self) -> bool {
        matches!(self.name, [0 | 1])
    }

    /// An associated file, a relic: it has the name of another.
    pub(super) fn is_associated(&self) -> bool {
        self.flags & 4 != 0
    }

    /// More of the same file follows in the next record.
    pub(super) fn goes_on(&self) -> bool {
        self.flags & 0x80 != 0
    }

    /// Its blocks lie apart, which no tool has written for decades.
    pub(super) fn is_interleaved(&self) -> bool {
        self.interleaved
    }

    /// The name as ECMA-119 has it, without the version and the dot that says there is no extension.
    pub(super) fn plain_name(&self) -> String {
        without_version(&String::from_utf8_lossy(self.name))
    }

    /// The name as Joliet has it: UCS-2, the high byte first.
    pub(super) fn joliet_name(&self) -> String {
        let units = self.name.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        without_version(&char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect::<String>())
    }
}

fn without_version(name: &str) -> String {
    let name = name.split(';').next().unwrap_or_default();
    name.strip_suffix('.').unwrap_or(name).to_owned()
}

/// The records of a folder. They do not cross the sectors of 2048 bytes; the rest of a sector is zero.
pub(super) fn records(folder: &[u8]) -> impl Iterator<Item = Record<'_>> {
    folder.chunks(2048).flat_map(|sector| {
        let mut rest = sector;
        std::iter::from_fn(move || {
            let record = Record::read(rest)?;
            rest = rest.get(usize::from(*rest.first()?)..)?;
            Some(record)
        })
    })
}

/// How many bytes at the start of each system use belong to somebody else, when the root's first record says that the
/// sharing protocol is used at all.
pub(super) fn shared(root: &Record<'_>) -> Option<usize> {
    match root.system_use {
        [b'S', b'P', 7, 1, 0xbe, 0xef, skip, ..] => Some(usize::from(*skip)),
        _ => None,
    }
}

/// What Rock Ridge says of a record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RockRidge {
    /// The name, as it is on the disk that the medium was made of.
    pub(super) name: Vec<u8>,
    /// A link to elsewhere: there are no bytes of its own.
    pub(super) is_link: bool,
    /// zisofs: the bytes on the medium are packed.
    pub(super) is_packed: bool,
    /// Where it goes on: block, offset, length.
    pub(super) more: Option<(u64, u64, u64)>,
}

impl RockRidge {
    /// Takes in one area of entries.
    pub(super) fn take(&mut self, mut area: &[u8]) {
        self.more = None;
        while let [a, b, len, _version, ..] = *area {
            let Some(entry) = area.get(4..usize::from(len)) else { return };
            match [a, b] {
                // Flags other than "it goes on" speak of the folder itself and the one above.
                [b'N', b'M'] if entry.first().is_some_and(|flags| flags & !1 == 0) => {
                    self.name.extend_from_slice(&entry[1..]);
                }
                [b'S', b'L'] => self.is_link = true,
                [b'Z', b'F'] => self.is_packed = true,
                [b'C', b'E'] => self.more = continuation(entry),
                [b'S', b'T'] => return,
                _ => {}
            }
            area = &area[usize::from(len)..];
        }
    }

    /// The name as text, if it has one.
    pub(super) fn text(&self) -> Option<String> {
        (!self.name.is_empty()).then(|| String::from_utf8_lossy(&self.name).into_owned())
    }
}

/// Each number of a CE entry stands there twice: the low byte first, then the high byte first.
fn continuation(entry: &[u8]) -> Option<(u64, u64, u64)> {
    let number = |at: usize| Some(u64::from(u32::from_le_bytes(entry.get(at..at + 4)?.try_into().ok()?)));
    Some((number(0)?, number(8)?, number(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..6000)) {
            prop_assert!(records(&bytes).count() <= bytes.len());
            for record in records(&bytes) {
                let mut rock_ridge = RockRidge::default();
                rock_ridge.take(record.system_use);
                drop((record.plain_name(), record.joliet_name(), rock_ridge.text(), shared(&record)));
            }
        }
    }

    #[test]
    fn an_entry_that_is_longer_than_its_area_ends_it() {
        let mut rock_ridge = RockRidge::default();
        for area in [&b"NM\x06\x01\x00"[..], b"NM\x00\x01\x00abc", b"NM\x03\x01", b"NM"] {
            rock_ridge.take(area);
        }
        assert_eq!(rock_ridge, RockRidge::default());
        rock_ridge.take(b"PX\x04\x01NM\x08\x01\x01ker");
        rock_ridge.take(b"NM\x08\x01\x00nelST\x04\x01NM\x06\x01\x00x");
        assert_eq!(rock_ridge.text().as_deref(), Some("kernel"));
    }
}
