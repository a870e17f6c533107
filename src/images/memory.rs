//! Memory that the kernel can send by itself: a file that lies nowhere (memfd_create(2)).
//!
//! `sendfile` moves its pages to a socket without a copy, all readers share it, and it lives until the last of them is done.

use std::{fs::File, io, ops::Range, os::unix::fs::FileExt};

use rustix::fs::{MemfdFlags, memfd_create};

use super::CHUNK;

/// Empty memory.
pub(super) fn new() -> io::Result<File> {
    Ok(memfd_create("greenroom-blob", MemfdFlags::CLOEXEC)?.into())
}

/// Copies `range` of one file to `to` in another. Blocks.
pub(super) fn copy(source: &File, target: &File, range: Range<u64>, to: u64) -> io::Result<()> {
    let mut buffer = vec![0; 4 * CHUNK];
    let mut at = range.start;
    while at < range.end {
        let part = buffer.len().min(usize::try_from(range.end - at).unwrap_or(usize::MAX));
        source.read_exact_at(&mut buffer[..part], at)?;
        target.write_all_at(&buffer[..part], to + (at - range.start))?;
        at += part as u64;
    }
    Ok(())
}
