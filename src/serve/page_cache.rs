//! Whether bytes are in memory before the kernel is asked to send them.
//!
//! `sendfile` waits for the disk, and with it the thread that also answers DHCP. So each span of a file on disk is looked
//! at first (`RWF_NOWAIT`: a read that fails rather than wait), and what is not there is read in where waiting hurts
//! nobody. Memory of our own is never looked at.

use std::{
    fs::File,
    io::{self, IoSliceMut},
    num::NonZeroU64,
    ops::Range,
    os::unix::fs::FileExt,
    sync::Arc,
};

use rustix::{
    fs::{Advice, FsWord, fadvise, fstatfs},
    io::{Errno, ReadWriteFlags, preadv2},
};
use tokio::task::spawn_blocking;

/// How far apart the bytes are that are looked at. The kernel reads ahead and drops in runs that are about as long.
const STRIDE: u64 = 64 << 10;

/// How much is read in at once when something is missing: a disk that turns likes long reads.
const AHEAD: u64 = 4 << 20;

/// `statfs` calls a file system in memory so (linux/magic.h): `memfd_create` makes its files there.
const TMPFS: FsWord = 0x0102_1994;

/// The page cache, as one reader of one blob sees it.
#[derive(Default)]
pub(super) struct PageCache {
    /// The file that was seen last, and whether it may have to be read in.
    last: Option<(Arc<File>, bool)>,
}

impl PageCache {
    /// Sees to it that these bytes of a file can be sent without waiting for a disk.
    pub(super) async fn fill(&mut self, file: &Arc<File>, span: Range<u64>) -> io::Result<()> {
        if !self.on_disk(file) {
            return Ok(());
        }
        let end = match look(file, span.clone()) {
            Found::All => return Ok(()),
            Found::Missing => file.metadata()?.len().min(span.start.saturating_add(AHEAD)).max(span.end),
            Found::Unknown => span.end,
        };
        let file = file.clone();
        spawn_blocking(move || read_in(&file, span.start..end)).await.map_err(io::Error::other)?
    }

    fn on_disk(&mut self, file: &Arc<File>) -> bool {
        if let Some((last, on_disk)) = &self.last
            && Arc::ptr_eq(last, file)
        {
            return *on_disk;
        }
        let on_disk = !fstatfs(file).is_ok_and(|system| system.f_type == TMPFS);
        self.last = Some((file.clone(), on_disk));
        on_disk
    }
}

/// What a look at the page cache finds.
enum Found {
    /// The bytes seem to be there.
    All,
    /// Some are not.
    Missing,
    /// This file system does not tell: they may not be there.
    Unknown,
}

fn look(file: &File, span: Range<u64>) -> Found {
    let mut byte = [0];
    for at in span.clone().step_by(STRIDE as usize).chain([span.end - 1]) {
        match preadv2(file, &mut [IoSliceMut::new(&mut byte)], at, ReadWriteFlags::NOWAIT) {
            Ok(1..) => {}
            Err(Errno::OPNOTSUPP) => return Found::Unknown,
            Ok(0) | Err(_) => return Found::Missing,
        }
    }
    Found::All
}

/// Reads bytes in. Blocks.
fn read_in(file: &File, span: Range<u64>) -> io::Result<()> {
    // A hint, so that the disk gets it all at once; the reads below see to it that it is there.
    let _ = fadvise(file, span.start, NonZeroU64::new(span.end - span.start), Advice::WillNeed);
    let mut scrap = vec![0; STRIDE as usize];
    let mut at = span.start;
    while at < span.end {
        let most = scrap.len().min(usize::try_from(span.end - at).unwrap_or(usize::MAX));
        match file.read_at(&mut scrap[..most], at)? {
            0 => break,
            read => at += read as u64,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn what_is_not_in_memory_is_read_in() {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(&vec![7; 3 << 20]).and_then(|()| file.sync_all()).expect("room for it");
        fadvise(&file, 0, None, Advice::DontNeed).expect("the kernel takes the hint");
        let file = Arc::new(file);
        // On a file system that does not tell, or is in memory, there is nothing to be seen here.
        if matches!(look(&file, 0..3 << 20), Found::Missing) {
            let mut cache = PageCache::default();
            cache.fill(&file, 1 << 20..2 << 20).await.expect("it can be read");
            assert!(matches!(look(&file, 1 << 20..2 << 20), Found::All));
            assert!(matches!(look(&file, (3 << 20) - 1..3 << 20), Found::All), "and what comes next");
        }
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_is_an_error_and_memory_is_never_looked_at() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("written only");
        let written = File::create(&path).and_then(|file| file.set_len(1 << 20).map(|()| file)).expect("a file");
        let mut cache = PageCache::default();
        let on_disk = cache.on_disk(&Arc::new(written.try_clone().expect("one more")));
        let filled = cache.fill(&Arc::new(written), 0..1 << 20).await;
        assert!(filled.is_err() || !on_disk, "opened for writing only");
        let memory = rustix::fs::memfd_create("test", rustix::fs::MemfdFlags::CLOEXEC).expect("memory");
        assert!(!cache.on_disk(&Arc::new(memory.into())));
    }
}
