//! Memory that the kernel can send by itself: a file that lies nowhere.
//!
//! `sendfile` moves its pages to a socket without a copy, all readers share it, and it lives until the last of them is done.
//!
//! The kernel keeps account of every page that it sends, so large pages cost less: with 256 readers half of the processor
//! time. A file system that lives in memory makes them when it is mounted so (`huge=`, tmpfs(5)). This one is mounted
//! nowhere: nobody sees it, and it goes with the daemon. Where the daemon may mount nothing, as under the unit that `config
//! unit` prints, it is memfd_create(2): of large pages if the machine's `shmem_enabled` says `within_size`, else of small ones.

use std::{
    fs::File,
    io,
    ops::Range,
    os::{fd::OwnedFd, unix::fs::FileExt},
    sync::OnceLock,
};

use rustix::{
    fs::{MemfdFlags, Mode, OFlags, memfd_create, openat},
    mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen},
};

use super::CHUNK;

/// Where files of large pages are made.
static LARGE: OnceLock<Option<OwnedFd>> = OnceLock::new();

/// Sees to large pages while the daemon still may: it becomes another user later.
pub(super) fn prepare() {
    LARGE.get_or_init(|| {
        let made = large();
        if let Err(error) = &made {
            tracing::debug!(%error, "the RAM tier gets pages of the usual size");
        }
        made.ok()
    });
}

/// Empty memory.
pub(super) fn new() -> io::Result<File> {
    Ok(match LARGE.get() {
        Some(Some(folder)) => nameless(folder)?,
        _ => memfd_create("greenroom-blob", MemfdFlags::CLOEXEC)?.into(),
    })
}

/// Memory for `len` bytes. The kernel makes large pages only of what lies before the end of a file.
pub(super) fn sized(len: u64) -> io::Result<File> {
    let memory = new()?;
    memory.set_len(len)?;
    Ok(memory)
}

/// A file in a folder that no name leads to (O_TMPFILE, open(2)).
fn nameless(folder: &OwnedFd) -> rustix::io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    Ok(openat(folder, ".", flags, Mode::RUSR | Mode::WUSR)?.into())
}

/// A file system of large pages that is mounted nowhere: its root.
fn large() -> rustix::io::Result<OwnedFd> {
    let memory = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&memory, "huge", "within_size")?;
    // As large as it gets: the tiers know what they may hold.
    fsconfig_set_string(&memory, "size", "0")?;
    fsconfig_set_string(&memory, "mode", "1777")?;
    fsconfig_create(&memory)?;
    let attributes =
        MountAttrFlags::MOUNT_ATTR_NOEXEC | MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    fsmount(&memory, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_large_pages_takes_no_more_memory_than_its_length() {
        use std::os::unix::fs::MetadataExt;
        // Only root may mount, and only some kernels have large pages: elsewhere the tier has small ones.
        let Ok(folder) = large() else { return };
        for len in [1, 5000, 3 << 20, (4 << 20) + 1] {
            let source = tempfile::tempfile().expect("a temporary file");
            let bytes: Vec<u8> = (0..len).map(|at| at as u8).collect();
            source.write_all_at(&bytes, 0).expect("room for it");
            let target = nameless(&folder).expect("memory for it");
            target.set_len(len).and_then(|()| copy(&source, &target, 0..len, 0)).expect("memory for it");
            let mut read = vec![0; bytes.len()];
            target.read_exact_at(&mut read, 0).expect("it is there");
            let takes = target.metadata().expect("it is open").blocks() * 512;
            assert!(read == bytes && takes < len + 4096, "{len} bytes take {takes}");
        }
    }
}
