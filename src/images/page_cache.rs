//! Whether bytes of a file are in memory, before the kernel is asked to send them.
//!
//! `sendfile` waits for the disk, and with it the thread that also answers DHCP. So what is handed out is looked at first
//! (`RWF_NOWAIT`: a read that fails rather than wait), and what is not there is read in where waiting hurts nobody.

use std::{
    fs::File,
    io::{self, IoSliceMut},
    num::NonZeroU64,
    ops::Range,
    os::unix::fs::FileExt,
};

use rustix::{
    fs::{Advice, fadvise},
    io::{Errno, ReadWriteFlags, preadv2},
};

/// How far apart the bytes are that are looked at. The kernel reads ahead and drops in runs that are about as long.
pub(super) const STRIDE: u64 = 64 << 10;

/// Whether the byte at `at` can be read without waiting; `None` when this file system does not tell.
pub(super) fn has(file: &File, at: u64) -> Option<bool> {
    match preadv2(file, &mut [IoSliceMut::new(&mut [0])], at, ReadWriteFlags::NOWAIT) {
        Ok(read) => Some(read > 0),
        Err(Errno::OPNOTSUPP) => None,
        Err(_) => Some(false),
    }
}

/// Whether the bytes of a span, which is not empty, seem to be there. A file system that does not tell has none.
pub(super) fn holds(file: &File, span: Range<u64>) -> bool {
    span.clone().step_by(STRIDE as usize).chain([span.end - 1]).all(|at| has(file, at) == Some(true))
}

/// Reads a span in. Blocks.
pub(super) fn read_in(file: &File, span: Range<u64>) -> io::Result<()> {
    // A hint, so that the disk gets it all at once; the reads below see to it that it is there.
    let _ = fadvise(file, span.start, NonZeroU64::new(span.end - span.start), Advice::WillNeed);
    let mut scrap = vec![0; STRIDE as usize];
    let mut at = span.start;
    while at < span.end {
        let most = scrap.len().min(usize::try_from(span.end - at).unwrap_or(usize::MAX));
        match file.read_at(&mut scrap[..most], at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => at += read as u64,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_not_in_memory_is_read_in() {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(&vec![7; 3 << 20]).and_then(|()| file.sync_all()).expect("room for it");
        fadvise(&file, 0, None, Advice::DontNeed).expect("the kernel takes the hint");
        // On a file system that does not tell, or is in memory, there is nothing to be seen here.
        if has(&file, 1 << 20) == Some(false) {
            assert!(!holds(&file, 1 << 20..2 << 20));
            read_in(&file, 1 << 20..2 << 20).expect("it can be read");
            assert!(holds(&file, 1 << 20..2 << 20));
        }
        assert!(read_in(&file, 2 << 20..4 << 20).is_err(), "it ends before");
    }
}
