//! ISO 9660 media: names and places of files, by Rock Ridge, Joliet or the names of 1988. The bytes stay where they are.
//!
//! Why not a crate: those on crates.io in 2026 walk the whole tree by recursion, know no files of several extents (all that are
//! larger than 4 GiB), or bring ten crates along; and a daemon reads these media again each time that a tier misses a file.
//!
//! A medium is as hostile as any other upload. **No folder is read beyond the end of the file, none that is larger than
//! 4 MiB, and nothing is followed but the path that is asked for**: so there is nothing to loop in.

use std::{fs::File, io, os::unix::fs::FileExt, sync::Arc};

use super::iso_record::{Record, RockRidge, records, shared};

const SECTOR: u64 = 2048;
/// Volume descriptors begin behind the system area (ECMA-119 6.2.1).
const FIRST: u64 = 16;
/// How many are looked at. Media have three or four, and those of UDF behind them.
const DESCRIPTORS: u64 = 64;
/// The largest folder that is read: about thirty thousand files.
const LARGEST_FOLDER: u64 = 4 << 20;
/// How many areas and bytes Rock Ridge may need for one name.
const AREAS: usize = 8;
const LARGEST_AREA: u64 = 4096;

/// A medium that is open.
pub(crate) struct Iso {
    file: Arc<File>,
    len: u64,
    block: u64,
    root: Extent,
    names: Names,
    label: String,
    has_udf: bool,
}

/// How names are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// With Rock Ridge, behind so many bytes of each system use.
    RockRidge(usize),
    Joliet,
    Plain,
}

/// A run of bytes of the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Where it begins, in bytes from the medium's beginning.
    pub(crate) at: u64,
    /// How many bytes.
    pub(crate) len: u64,
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its name, as it was before it came onto the medium if that is kept.
    pub(crate) name: String,
    /// Whether it is a folder.
    pub(crate) is_folder: bool,
    /// Why its bytes are not to be had, if so.
    pub(crate) trouble: Option<&'static str>,
    /// Where its bytes lie, in order.
    pub(crate) extents: Vec<Extent>,
}

impl Entry {
    /// How many bytes it has.
    pub(crate) fn len(&self) -> u64 {
        self.extents.iter().map(|extent| extent.len).sum()
    }
}

impl Iso {
    /// Opens a medium. Blocks.
    pub(crate) fn open(file: Arc<File>) -> Result<Self, String> {
        let len = file.metadata().map_err(|error| error.to_string())?.len();
        let (mut primary, mut joliet, mut has_udf) = (None, None, false);
        for n in FIRST..FIRST + DESCRIPTORS {
            let Ok(sector) = bytes_of(&file, len, n * SECTOR, SECTOR) else { break };
            match (sector[0], &sector[1..6]) {
                (1, b"CD001") => primary = primary.or(Some(sector)),
                // The escape sequences of the three levels of UCS-2.
                (2, b"CD001") if matches!(&sector[88..91], b"%/@" | b"%/C" | b"%/E") => {
                    joliet = joliet.or(Some(sector))
                }
                (_, b"NSR02" | b"NSR03") => has_udf = true,
                (_, b"CD001" | b"BEA01" | b"TEA01" | b"BOOT2") => {}
                _ => break,
            }
        }
        let primary = primary.ok_or("it is no ISO 9660 medium")?;
        let block = u64::from(u16::from_le_bytes([primary[128], primary[129]]));
        if !matches!(block, 512 | 1024 | 2048) {
            return Err(format!("its blocks are said to have {block} bytes: it is damaged"));
        }
        let mut iso = Self {
            file,
            len,
            block,
            root: root(&primary, block)?,
            names: Names::Plain,
            label: String::from_utf8_lossy(&primary[40..72]).trim_end_matches([' ', '\0']).to_owned(),
            has_udf,
        };
        iso.names = match (iso.rock_ridge()?, joliet) {
            (Some(skip), _) => Names::RockRidge(skip),
            (None, Some(joliet)) => {
                iso.root = root(&joliet, block)?;
                Names::Joliet
            }
            (None, None) => Names::Plain,
        };
        Ok(iso)
    }

    /// The volume's label; nothing when it has none.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// Whether the medium also has the file system of DVDs, where Windows keeps what is its own.
    pub(crate) fn has_udf(&self) -> bool {
        self.has_udf
    }

    /// What lies at a path. A name that is not there as it is written is looked for in the other case: media of 1988 shout.
    pub(crate) fn find(&self, path: &str) -> Result<Option<Entry>, String> {
        let mut found = Entry { name: String::new(), is_folder: true, trouble: None, extents: vec![self.root] };
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if !found.is_folder {
                return Ok(None);
            }
            let mut entries = self.entries(&found)?;
            let exact = entries.iter().position(|entry| entry.name == name);
            let at = exact.or_else(|| entries.iter().position(|entry| entry.name.eq_ignore_ascii_case(name)));
            let Some(at) = at else { return Ok(None) };
            found = entries.swap_remove(at);
        }
        Ok(Some(found))
    }

    /// What the folder at a path holds; nothing when there is none.
    pub(crate) fn list(&self, path: &str) -> Result<Vec<Entry>, String> {
        match self.find(path)? {
            Some(folder) if folder.is_folder => self.entries(&folder),
            _ => Ok(vec![]),
        }
    }

    fn entries(&self, folder: &Entry) -> Result<Vec<Entry>, String> {
        let bytes = self.folder(folder)?;
        let mut entries: Vec<Entry> = vec![];
        let mut goes_on = false;
        for record in records(&bytes).filter(|record| !record.is_dot() && !record.is_associated()) {
            let extent = Extent { at: record.block * self.block, len: u64::from(record.len) };
            match entries.last_mut().filter(|_| goes_on) {
                Some(entry) => entry.extents.push(extent),
                None => {
                    let (name, trouble) = self.name(&record);
                    let trouble = trouble.or(record.is_interleaved().then_some("its blocks lie apart (interleaved)"));
                    entries.push(Entry { name, is_folder: record.is_folder(), trouble, extents: vec![extent] });
                }
            }
            goes_on = record.goes_on();
        }
        Ok(entries)
    }

    fn folder(&self, folder: &Entry) -> Result<Vec<u8>, String> {
        let Some(extent) = folder.extents.first().filter(|extent| extent.len <= LARGEST_FOLDER) else {
            return Err(format!("its folder `{}` is said to be larger than any is: it is damaged", folder.name));
        };
        bytes_of(&self.file, self.len, extent.at, extent.len)
            .map_err(|why| format!("its folder `{}` cannot be read ({why}): it is damaged or cut off", folder.name))
    }

    fn name(&self, record: &Record<'_>) -> (String, Option<&'static str>) {
        match self.names {
            Names::Joliet => (record.joliet_name(), None),
            Names::Plain => (record.plain_name(), None),
            Names::RockRidge(skip) => {
                let told = self.told(record, skip);
                let trouble = match (told.is_link, told.is_packed) {
                    (true, _) => Some("it is a link: name what it points to"),
                    (_, true) => Some("it is packed (zisofs): unpack it, and add the folder"),
                    _ => None,
                };
                (told.text().unwrap_or_else(|| record.plain_name()), trouble)
            }
        }
    }

    /// All that Rock Ridge says of a record, wherever it goes on.
    fn told(&self, record: &Record<'_>, skip: usize) -> RockRidge {
        let mut told = RockRidge::default();
        told.take(record.system_use.get(skip..).unwrap_or_default());
        for _ in 0..AREAS {
            let Some((block, offset, len)) = told.more.take().filter(|(_, _, len)| *len <= LARGEST_AREA) else { break };
            let Ok(area) = bytes_of(&self.file, self.len, block * self.block + offset, len) else { break };
            told.take(&area);
        }
        told
    }

    /// How much of each system use to pass over, when names are kept by Rock Ridge.
    fn rock_ridge(&self) -> Result<Option<usize>, String> {
        let root = Entry { name: "/".into(), is_folder: true, trouble: None, extents: vec![self.root] };
        let bytes = self.folder(&root)?;
        let Some(skip) = records(&bytes).next().and_then(|dot| shared(&dot)) else { return Ok(None) };
        let mut named = records(&bytes).filter(|record| !record.is_dot());
        Ok(named.any(|record| self.told(&record, skip).text().is_some()).then_some(skip))
    }
}

/// The root folder, from a volume descriptor.
fn root(descriptor: &[u8], block: u64) -> Result<Extent, String> {
    let record = descriptor.get(156..190).and_then(Record::read).filter(Record::is_folder);
    let record = record.ok_or("it says nothing of its root folder: it is damaged")?;
    Ok(Extent { at: record.block * block, len: u64::from(record.len) })
}

/// `len` bytes at `at` of a file that has `of`.
fn bytes_of(file: &File, of: u64, at: u64, len: u64) -> io::Result<Vec<u8>> {
    // Before the memory is taken: a medium may claim what it likes.
    if at.checked_add(len).is_none_or(|end| end > of) {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it lies beyond the end"));
    }
    let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

/// Where the bytes of a file of the medium at `path` lie, all of them within its `len` bytes. Blocks.
pub(crate) fn extents(file: Arc<File>, path: &str) -> Result<Vec<Extent>, String> {
    let iso = Iso::open(file)?;
    let entry = iso.find(path)?.ok_or_else(|| format!("it has no file {path}"))?;
    if entry.is_folder {
        return Err(format!("{path} is a folder of it"));
    }
    if let Some(trouble) = entry.trouble {
        return Err(format!("its file {path} cannot be read in place: {trouble}"));
    }
    let within = |extent: &Extent| extent.at.checked_add(extent.len).is_some_and(|end| end <= iso.len);
    match entry.extents.iter().all(within) {
        true => Ok(entry.extents),
        false => Err(format!("its file {path} reaches beyond its end: it is cut off, fetch it again")),
    }
}
