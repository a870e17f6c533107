//! The bytes of a fill while they arrive: a temporary file, and memory for what the disk did not take.
//!
//! ```text
//!   0 ────────── from ────────── written
//!   │  the file  │ chunks in memory │          from = no end while the disk takes everything
//! ```
//! It stays readable while somebody holds it, also after the file was renamed or removed.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{Arc, Mutex, OnceLock},
};

use bytes::Bytes;

use super::{CHUNK, lock};

/// What has arrived of a blob.
pub(super) struct Arrival {
    file: OnceLock<Arc<File>>,
    tail: Mutex<Tail>,
}

/// The part in memory: chunks without gaps, the first at `from`.
struct Tail {
    from: u64,
    chunks: Vec<(u64, Bytes)>,
}

impl Arrival {
    pub(super) fn new() -> Self {
        Self { file: OnceLock::new(), tail: Mutex::new(Tail { from: u64::MAX, chunks: Vec::new() }) }
    }

    /// Gives it the file to write to; once, before the first byte.
    pub(super) fn write_to(&self, file: Arc<File>) {
        let first = self.file.set(file).is_ok();
        debug_assert!(first, "a fill has one file");
    }

    pub(super) fn file(&self) -> Option<&Arc<File>> {
        self.file.get()
    }

    /// From `at` on everything goes to memory.
    pub(super) fn spill(&self, at: u64) {
        lock(&self.tail).from = at;
    }

    pub(super) fn spilled(&self) -> bool {
        lock(&self.tail).from != u64::MAX
    }

    /// Takes the chunk that begins at `at`, the end of what came before. A failed write may be tried again. Blocks.
    pub(super) fn write(&self, at: u64, chunk: &Bytes) -> io::Result<()> {
        let mut tail = lock(&self.tail);
        if at >= tail.from {
            tail.chunks.push((at, chunk.clone()));
            return Ok(());
        }
        drop(tail);
        self.file.get().ok_or(io::ErrorKind::NotFound)?.write_all_at(chunk, at)
    }

    /// Some of the bytes at `at`, at most `max` of them; at least one, if that many were written. Blocks.
    pub(super) fn read(&self, at: u64, max: usize) -> io::Result<Bytes> {
        let before_tail = {
            let tail = lock(&self.tail);
            if at >= tail.from {
                let next = tail.chunks.partition_point(|(begin, _)| *begin <= at);
                let (begin, chunk) = tail.chunks[..next].last().ok_or(io::ErrorKind::UnexpectedEof)?;
                let skip = usize::try_from(at - begin).unwrap_or(usize::MAX).min(chunk.len());
                return Ok(chunk.slice(skip..skip.saturating_add(max).min(chunk.len())));
            }
            tail.from - at
        };
        let len = max.min(usize::try_from(before_tail).unwrap_or(usize::MAX));
        read_at(self.file.get().ok_or(io::ErrorKind::NotFound)?, at, len)
    }

    /// All `len` bytes in one piece, for the RAM tier. Blocks.
    pub(super) fn whole(&self, len: u64) -> io::Result<Vec<u8>> {
        let mut whole = Vec::with_capacity(usize::try_from(len).map_err(io::Error::other)?);
        while (whole.len() as u64) < len {
            let left = usize::try_from(len).map_err(io::Error::other)? - whole.len();
            let part = self.read(whole.len() as u64, left.min(4 * CHUNK))?;
            if part.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            whole.extend_from_slice(&part);
        }
        Ok(whole)
    }
}

/// Exactly `len` bytes of `file` at `at`. Blocks.
pub(super) fn read_at(file: &File, at: u64, len: usize) -> io::Result<Bytes> {
    let mut chunk = vec![0; len];
    file.read_exact_at(&mut chunk, at)?;
    Ok(chunk.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_disk_does_not_take_goes_on_in_memory_and_reads_as_one() {
        let arrival = Arrival::new();
        arrival.write_to(Arc::new(tempfile::tempfile().unwrap()));
        arrival.write(0, &Bytes::from_static(b"abcd")).unwrap();
        arrival.spill(4);
        arrival.write(4, &Bytes::from_static(b"efg")).unwrap();
        arrival.write(7, &Bytes::from_static(b"hi")).unwrap();
        assert_eq!(arrival.whole(9).unwrap(), b"abcdefghi");
        assert_eq!(arrival.read(2, 9).unwrap(), "cd", "up to the seam");
        assert_eq!(arrival.read(5, 1).unwrap(), "f");
        assert_eq!(arrival.read(6, 9).unwrap(), "g", "up to the next chunk");
        assert_eq!(arrival.read(8, 9).unwrap(), "i");
        assert!(arrival.whole(10).is_err(), "more than has arrived");
    }

    #[test]
    fn a_file_that_takes_no_writes_says_so() {
        let arrival = Arrival::new();
        assert!(arrival.write(0, &Bytes::from_static(b"a")).is_err(), "no file at all");
        arrival.write_to(Arc::new(File::open("/dev/null").unwrap()));
        assert!(arrival.write(0, &Bytes::from_static(b"a")).is_err(), "opened for reading only");
        arrival.spill(0);
        arrival.write(0, &Bytes::from_static(b"a")).unwrap();
        assert_eq!(arrival.read(0, 9).unwrap(), "a");
    }
}
