//! The chunks of one blob, and where the bytes of each lie.
//!
//! ```text
//!   a blob's file      |  here  | hole | here |      hole      |      each byte at its own offset
//!   its map            |  Here  | In A | Here | In B  |  In B  |
//! ```
//! A chunk that is `In` another file is *borrowed*: it is `Here` in that file and stays so while anybody borrows it, so
//! nothing is ever two steps away. A map with a chunk that is `Gone` belongs to a *remnant*: the file of a blob that was
//! evicted, kept for what others borrow of it.
//!
//! In the index, all numbers little-endian:
//! ```text
//!   0       1           5          9
//!   | form  | lenders L | chunks N | L x digest (32)  | N x chunk (44)
//!                                                       | length u32 | home u32 | number u32 | BLAKE3 (32) |
//!   home: 0 here, 1 gone, n + 2 the n-th lender; number: which chunk of the lender, else 0
//! ```
//! The form changes when the chunks are cut in another way or the bytes are laid out anew: a map of another form is as good
//! as none.

use crate::{
    images::chunk::{Cut, Hash},
    model::Digest,
};

const FORM: u8 = 1;
const HEAD: usize = 9;
const RECORD: usize = 44;

/// Holes begin and end with the blocks of file systems, in bytes: what shares a block with other bytes is left alone.
const BLOCK: u64 = 4096;

/// Where the bytes of a chunk lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// In the blob's own file.
    Here,
    /// Nowhere: the file is a remnant.
    Gone,
    /// In the file of another blob, or elsewhere in its own.
    In {
        /// The place of its digest among the lenders.
        lender: u32,
        /// Which of the lender's chunks it is.
        nth: u32,
    },
}

/// A chunk of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Where it begins in the blob.
    pub(super) at: u64,
    /// Its length in bytes.
    pub(super) len: u32,
    /// Where its bytes lie.
    pub(super) home: Home,
    /// Its BLAKE3.
    pub(super) hash: Hash,
}

impl Chunk {
    pub(super) fn end(&self) -> u64 {
        self.at + u64::from(self.len)
    }
}

/// The chunks of a blob, in order and without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Map {
    pub(super) lenders: Vec<Digest>,
    pub(super) chunks: Vec<Chunk>,
    /// Bytes that are here.
    pub(super) resident: u64,
}

impl Map {
    /// The map of a file that holds all of its chunks.
    pub(super) fn whole(cuts: &[Cut]) -> Self {
        let mut at = 0;
        let chunks = cuts.iter().map(|cut| {
            let chunk = Chunk { at, len: cut.len, home: Home::Here, hash: cut.hash };
            at = chunk.end();
            chunk
        });
        Self::new(Vec::new(), chunks.collect())
    }

    pub(super) fn new(lenders: Vec<Digest>, chunks: Vec<Chunk>) -> Self {
        let here = chunks.iter().filter(|chunk| chunk.home == Home::Here);
        let resident = here.map(|chunk| u64::from(chunk.len)).sum();
        Self { lenders, chunks, resident }
    }

    /// The same chunks with other homes.
    pub(super) fn with(&self, home: impl Fn(usize, &Chunk) -> Home) -> Self {
        let chunks = self.chunks.iter().enumerate().map(|(nth, chunk)| Chunk { home: home(nth, chunk), ..*chunk });
        Self::new(self.lenders.clone(), chunks.collect())
    }

    /// The length of the blob.
    pub(super) fn len(&self) -> u64 {
        self.chunks.last().map_or(0, Chunk::end)
    }

    /// Which chunk holds the byte at `at`, which is one of the blob's.
    pub(super) fn find(&self, at: u64) -> usize {
        self.chunks.partition_point(|chunk| chunk.end() <= at)
    }

    /// Who lends what, chunk by chunk: the lender and the number of its chunk.
    pub(super) fn borrowed(&self) -> impl Iterator<Item = (Digest, usize)> + '_ {
        self.chunks.iter().filter_map(|chunk| match chunk.home {
            Home::In { lender, nth } => Some((self.lenders[lender as usize], nth as usize)),
            Home::Here | Home::Gone => None,
        })
    }

    /// Whether the chunks were cut alike, wherever they lie.
    pub(super) fn same_cuts(&self, other: &Self) -> bool {
        let cuts = |map: &Self| map.chunks.iter().map(|chunk| (chunk.len, chunk.hash)).collect::<Vec<_>>();
        self.chunks.len() == other.chunks.len() && cuts(self) == cuts(other)
    }

    /// What may be a hole in the file: the runs of chunks that are not here, cut to whole blocks, as `(offset, length)`.
    pub(super) fn holes(&self) -> Vec<(u64, u64)> {
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for chunk in self.chunks.iter().filter(|chunk| chunk.home != Home::Here) {
            match runs.last_mut() {
                Some((_, end)) if *end == chunk.at => *end = chunk.end(),
                _ => runs.push((chunk.at, chunk.end())),
            }
        }
        let len = self.len();
        let blocks = |(from, to): (u64, u64)| {
            let from = from.next_multiple_of(BLOCK);
            // The last block of a file holds nothing else.
            let to = if to == len { to } else { to / BLOCK * BLOCK };
            (to > from).then(|| (from, to - from))
        };
        runs.into_iter().filter_map(blocks).collect()
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + 32 * self.lenders.len() + RECORD * self.chunks.len());
        bytes.push(FORM);
        bytes.extend_from_slice(&(self.lenders.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(self.chunks.len() as u32).to_le_bytes());
        self.lenders.iter().for_each(|lender| bytes.extend_from_slice(lender.bytes()));
        for chunk in &self.chunks {
            let (home, nth) = match chunk.home {
                Home::Here => (0, 0),
                Home::Gone => (1, 0),
                Home::In { lender, nth } => (lender + 2, nth),
            };
            [chunk.len, home, nth].iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
            bytes.extend_from_slice(&chunk.hash);
        }
        bytes
    }

    /// `None` when these bytes are no map of this form.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let lenders = word(head, 1)? as usize;
        let (names, records) = rest.split_at_checked(lenders.checked_mul(32)?)?;
        if head[0] != FORM || records.len() != (word(head, 5)? as usize).checked_mul(RECORD)? {
            return None;
        }
        let lenders: Vec<Digest> =
            names.chunks_exact(32).map(|name| name.try_into().map(Digest::new)).collect::<Result<_, _>>().ok()?;
        let mut chunks = Vec::with_capacity(records.len() / RECORD);
        let mut at: u64 = 0;
        for record in records.chunks_exact(RECORD) {
            let (len, home, nth) = (word(record, 0)?, word(record, 4)?, word(record, 8)?);
            let home = match home {
                0 => Home::Here,
                1 => Home::Gone,
                n if ((n - 2) as usize) < lenders.len() => Home::In { lender: n - 2, nth },
                _ => return None,
            };
            let chunk = Chunk { at, len, home, hash: record[12..].try_into().ok()? };
            at = at.checked_add(u64::from(len)).filter(|_| len > 0)?;
            chunks.push(chunk);
        }
        Some(Self::new(lenders, chunks))
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(homes: &[(u32, Home)]) -> Map {
        let cuts: Vec<Cut> =
            homes.iter().enumerate().map(|(n, (len, _))| Cut { len: *len, hash: [n as u8; 32] }).collect();
        let whole = Map::whole(&cuts);
        Map { lenders: vec![Digest::new([9; 32])], ..whole.with(|nth, _| homes[nth].1) }
    }

    const LENT: Home = Home::In { lender: 0, nth: 7 };

    #[test]
    fn a_map_is_read_as_it_was_written_and_nothing_else_is_one() {
        let map = map(&[(100, Home::Here), (50, LENT), (70, Home::Gone)]);
        let bytes = map.encode();
        assert_eq!(bytes.len(), 9 + 32 + 3 * 44);
        assert_eq!(Map::decode(&bytes), Some(map.clone()));
        assert_eq!(
            (map.len(), map.resident, map.find(0), map.find(99), map.find(100), map.find(219)),
            (220, 100, 0, 0, 1, 2)
        );
        for cut in 0..bytes.len() {
            assert_eq!(Map::decode(&bytes[..cut]), None, "{cut}");
        }
        for (at, value) in [(0, 2), (1, 0), (5, 4), (9 + 32 + 44 + 4, 3), (9 + 32, 0)] {
            let mut bad = bytes.clone();
            bad[at] = value;
            assert_eq!(Map::decode(&bad), None, "byte {at}");
        }
    }

    #[test]
    fn holes_are_runs_of_whole_blocks() {
        let map =
            map(&[(5_000, Home::Here), (10_000, LENT), (10_000, Home::Gone), (9_000, Home::Here), (10_000, LENT)]);
        assert_eq!(map.holes(), [(8_192, 24_576 - 8_192), (36_864, 44_000 - 36_864)]);
        assert_eq!(super::Map::whole(&[]).holes(), []);
    }
}
