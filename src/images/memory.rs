//! Memory that the kernel can send by itself: a file that lies nowhere (memfd_create(2)).
//!
//! `sendfile` moves its pages to a socket without a copy, all readers share it, and it lives until the last of them is done.

use std::{fs::File, io, os::unix::fs::FileExt};

use rustix::fs::{MemfdFlags, memfd_create};

use super::CHUNK;

/// Empty memory.
pub(super) fn new() -> io::Result<File> {
    Ok(memfd_create("greenroom-blob", MemfdFlags::CLOEXEC)?.into())
}

/// Copies `from..to` of one file to the same place in another. Blocks.
pub(super) fn copy(source: &File, target: &File, from: u64, to: u64) -> io::Result<()> {
    let mut buffer = vec![0; 4 * CHUNK];
    let mut at = from;
    while at < to {
        let part = buffer.len().min(usize::try_from(to - at).unwrap_or(usize::MAX));
        source.read_exact_at(&mut buffer[..part], at)?;
        target.write_all_at(&buffer[..part], at)?;
        at += part as u64;
    }
    Ok(())
}
