//! Where the chunks of a blob end, and what each hashes to.
//!
//! The ends depend on the bytes around them only (FastCDC, 2020), so bytes that are inserted move the chunks behind them
//! and change none. A chunk is its BLAKE3: what another file holds already need not be kept twice, and what comes back from
//! the disk is held against it.
//!
//! How long: two builds of a tree of 337 MiB were held against each other, of whose files every 33rd had been replaced and
//! every 100th had a new neighbour, which is a hard case, as the changes lie everywhere. What was new in the second:
//!
//! | average | squashfs (zstd, 128 KiB blocks) | cpio | chunks of a GiB |
//! |---|---|---|---|
//! | 64 KiB | 40 % | 19 % | 16,384 |
//! | 128 KiB | 46 % | 27 % | 8,192 |
//! | 256 KiB | 53 % | 37 % | 4,096 |
//!
//! The whole is still what its SHA-256 says, as that is what the world names blobs by.

use std::{fs::File, io, os::unix::fs::FileExt};

use fastcdc::v2020::FastCDC;

use super::CHUNK;

/// No chunk but the last is shorter, in bytes.
const SHORTEST: usize = AVERAGE / 4;
/// The length that chunks have on average, in bytes: half of it would find a little more that is shared and double the
/// index and its memory.
pub(super) const AVERAGE: usize = 128 << 10;
/// No chunk is longer, in bytes.
pub(super) const LONGEST: usize = AVERAGE * 4;

/// The BLAKE3 of a chunk.
pub(super) type Hash = [u8; 32];

/// A chunk as it was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// Its length in bytes: never zero, never more than [`LONGEST`].
    pub(super) len: u32,
    /// Its BLAKE3.
    pub(super) hash: Hash,
}

/// Cuts bytes that arrive in pieces.
#[derive(Default)]
pub(super) struct Cutter {
    /// What came after the last cut: fewer bytes than the longest chunk has, so the next end is not known yet.
    rest: Vec<u8>,
    cuts: Vec<Cut>,
}

impl Cutter {
    /// Takes the next bytes. Hashes: costs about as much as writing them.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let mut from = 0;
        while self.rest.len() - from >= LONGEST {
            from += self.cut(from);
        }
        self.rest.drain(..from);
    }

    /// The chunks, when all bytes were taken.
    pub(super) fn end(mut self) -> Vec<Cut> {
        let mut from = 0;
        while from < self.rest.len() {
            from += self.cut(from);
        }
        self.cuts
    }

    /// Cuts the chunk that begins at `from` of what is left; its length.
    fn cut(&mut self, from: usize) -> usize {
        let rest = &self.rest[from..];
        let (_, len) = FastCDC::new(rest, SHORTEST, AVERAGE, LONGEST).cut(0, rest.len());
        self.cuts.push(Cut { len: len as u32, hash: hash(&rest[..len]) });
        len
    }
}

/// Cuts a file, from its beginning; `each` sees the bytes. Blocks.
pub(super) fn cut(file: &File, mut each: impl FnMut(&[u8])) -> io::Result<Vec<Cut>> {
    let (mut cutter, mut buffer, mut at) = (Cutter::default(), vec![0; 4 * CHUNK], 0);
    loop {
        match file.read_at(&mut buffer, at)? {
            0 => return Ok(cutter.end()),
            read => {
                each(&buffer[..read]);
                cutter.push(&buffer[..read]);
                at += read as u64;
            }
        }
    }
}

/// What a chunk of these bytes is known by.
pub(super) fn hash(bytes: &[u8]) -> Hash {
    *blake3::hash(bytes).as_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    }

    fn cut(bytes: &[u8], step: usize) -> Vec<Cut> {
        let mut cutter = Cutter::default();
        bytes.chunks(step).for_each(|piece| cutter.push(piece));
        cutter.end()
    }

    #[test]
    fn the_cuts_do_not_depend_on_how_the_bytes_arrive() {
        let bytes = noise(5 << 20);
        let cuts = cut(&bytes, bytes.len());
        assert_eq!(cut(&bytes, 1_000), cuts);
        assert_eq!(cut(&bytes, 700_001), cuts);
        let mut at = 0;
        for found in &cuts {
            let end = at + found.len as usize;
            assert_eq!(hash(&bytes[at..end]), found.hash);
            assert!((1..=LONGEST).contains(&(found.len as usize)));
            at = end;
        }
        assert_eq!(at, bytes.len());
        assert_eq!(cut(&[], 1), []);
    }

    #[test]
    fn an_insertion_changes_the_chunks_around_it_only() {
        let mut bytes = noise(8 << 20);
        let before: HashSet<Hash> = cut(&bytes, 1 << 20).iter().map(|cut| cut.hash).collect();
        bytes.splice(3_000_000..3_000_000, *b"seventeen bytes !");
        let after = cut(&bytes, 1 << 20);
        let changed = after.iter().filter(|cut| !before.contains(&cut.hash)).count();
        assert!((1..=3).contains(&changed), "{changed} of {} chunks are new", after.len());
    }
}
