//! The bytes of a fill while they arrive: a temporary file, and memory for what the disk did not take.
//!
//! ```text
//!   0 ────────── from ────────── written
//!   │  the file  │    memory    │          from = no end while the disk takes everything
//! ```
//! Both hold each byte at its own offset, and stay readable while somebody holds them, also after the file was renamed or
//! removed.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{Arc, OnceLock},
};

use super::memory;

/// What has arrived of a blob.
pub(super) struct Arrival {
    file: OnceLock<Arc<File>>,
    tail: OnceLock<Tail>,
}

/// The part in memory: everything from `from` on.
struct Tail {
    from: u64,
    memory: Arc<File>,
}

impl Arrival {
    pub(super) fn new() -> Self {
        Self { file: OnceLock::new(), tail: OnceLock::new() }
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
    pub(super) fn spill(&self, at: u64) -> io::Result<()> {
        let first = self.tail.set(Tail { from: at, memory: Arc::new(memory::new()?) }).is_ok();
        debug_assert!(first, "a fill spills once");
        Ok(())
    }

    pub(super) fn spilled(&self) -> bool {
        self.tail.get().is_some()
    }

    /// Takes the chunk that begins at `at`, the end of what came before. A failed write may be tried again. Blocks.
    pub(super) fn write(&self, at: u64, chunk: &[u8]) -> io::Result<()> {
        self.holder(at)?.write_all_at(chunk, at)
    }

    /// Where the byte at `at` lies, and how many from there on lie in the same place: no more than have arrived.
    pub(super) fn place(&self, at: u64, arrived: u64) -> io::Result<(Arc<File>, u64)> {
        let end = match self.tail.get() {
            Some(tail) if at < tail.from => tail.from.min(arrived),
            _ => arrived,
        };
        Ok((self.holder(at)?.clone(), end.saturating_sub(at)))
    }

    /// Whether the byte at `at` lies in memory of ours.
    pub(super) fn is_in_memory(&self, at: u64) -> bool {
        self.tail.get().is_some_and(|tail| at >= tail.from)
    }

    fn holder(&self, at: u64) -> io::Result<&Arc<File>> {
        match self.tail.get() {
            Some(tail) if at >= tail.from => Ok(&tail.memory),
            _ => self.file.get().ok_or_else(|| io::ErrorKind::NotFound.into()),
        }
    }

    /// All `len` bytes in memory, for the RAM tier. Blocks.
    pub(super) fn whole(&self, len: u64) -> io::Result<File> {
        let (whole, from) = match self.tail.get() {
            Some(tail) => (tail.memory.try_clone()?, tail.from.min(len)),
            None => (memory::sized(len)?, len),
        };
        if from > 0 {
            memory::copy(self.file.get().ok_or(io::ErrorKind::NotFound)?, &whole, 0..from, 0)?;
        }
        match whole.metadata()?.len() == len {
            true => Ok(whole),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Exactly `len` bytes of `file` at `at`. Blocks.
pub(super) fn read_at(file: &File, at: u64, len: usize) -> io::Result<bytes::Bytes> {
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
        arrival.write(0, b"abcd").unwrap();
        arrival.spill(4).unwrap();
        arrival.write(4, b"efg").unwrap();
        arrival.write(7, b"hi").unwrap();
        let (file, len) = arrival.place(2, 9).unwrap();
        assert_eq!((read_at(&file, 2, 2).unwrap(), len), ("cd".into(), 2), "up to the seam");
        let (memory, len) = arrival.place(5, 9).unwrap();
        assert_eq!((read_at(&memory, 5, 4).unwrap(), len), ("fghi".into(), 4));
        assert_eq!(read_at(&arrival.whole(9).unwrap(), 0, 9).unwrap(), "abcdefghi");
        assert!(arrival.whole(10).is_err(), "more than has arrived");
    }

    #[test]
    fn a_file_that_takes_no_writes_says_so() {
        let arrival = Arrival::new();
        assert!(arrival.write(0, b"a").is_err(), "no file at all");
        arrival.write_to(Arc::new(File::open("/dev/null").unwrap()));
        assert!(arrival.write(0, b"a").is_err(), "opened for reading only");
        arrival.spill(0).unwrap();
        arrival.write(0, b"a").unwrap();
        let (memory, len) = arrival.place(0, 1).unwrap();
        assert_eq!((read_at(&memory, 0, 1).unwrap(), len), ("a".into(), 1));
    }
}
