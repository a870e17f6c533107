//! Media that people have at hand, looked at for what can be booted from the network: ISO files, folders, OCI artifacts.
//!
//! A family of distributions is recognised by where its kernel lies. What a medium says of itself (`.disk/info`, `.treeinfo`,
//! the volume's label) gives the distribution, its version and its architecture; the family gives the arguments that make its
//! initrd fetch the rest from this server. **A medium that would not boot is told so, with what to do instead**: a manifest
//! that leads into an emergency shell helps nobody.

mod about;
mod alpine;
mod arch;
mod debian;
mod flat;
mod iso9660;
mod iso_record;
mod redhat;
mod suse;
mod ubuntu;

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::model::{
    Arch, Bytes, Digest,
    image::{Origin, Role},
    oci::OciBlob,
};

use super::origin::{Artifact, OciFile};

use iso9660::Iso;
pub(super) use iso9660::{Extent, extents};

/// The longest text that is read to learn what a medium is, in bytes.
const LONGEST_TEXT: u64 = 64 << 10;

/// Something that may hold a kernel.
pub enum Medium {
    /// An ISO file. What is in it is read where it lies.
    Iso(IsoFile),
    /// A folder: what was unpacked or mounted.
    Folder(PathBuf),
    /// Files on a registry.
    Artifact(Artifact),
}

/// An ISO file that is open.
pub struct IsoFile {
    path: PathBuf,
    file: Arc<File>,
    iso: Iso,
}

/// What is in a folder of a medium.
struct Item {
    name: String,
    is_folder: bool,
    len: u64,
}

/// Where the bytes of a file are, and what is known of them before they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where to read them.
    pub origin: Origin,
    /// What they hash to and how many they are, if somebody else vouches for it.
    pub known: Option<(Digest, Bytes)>,
    /// The last part of its path.
    pub name: String,
}

/// What a medium turned out to be.
#[derive(Debug)]
pub enum Verdict {
    /// It can be booted.
    Boots(Box<Find>),
    /// It is known and cannot: what it is, and what to do instead.
    Cannot {
        /// What it is.
        what: String,
        /// Why, and what to do.
        why: String,
    },
}

/// What can be booted of a medium.
#[derive(Debug, Default)]
pub struct Find {
    /// What it is, for people.
    pub what: String,
    /// The files.
    pub files: Vec<(Role, Place)>,
    /// The distribution, by the name that personas use.
    pub distribution: Option<&'static str>,
    /// Its version.
    pub version: Option<String>,
    /// What it runs on, if the medium says so.
    pub arch: Option<Arch>,
    /// The arguments that make it boot from the network.
    pub args: Vec<String>,
    /// What somebody should know.
    pub notes: Vec<String>,
}

/// Looks whether a medium is of one family.
type Look = fn(&Medium) -> Result<Option<Verdict>, String>;

/// Looks what a medium is. Blocks.
pub fn recognise(medium: &Medium) -> Result<Verdict, String> {
    const FAMILIES: [Look; 7] =
        [ubuntu::look, debian::look, redhat::look, suse::look, arch::look, alpine::look, flat::look];
    for look in FAMILIES {
        if let Some(verdict) = look(medium)? {
            return Ok(verdict);
        }
    }
    Ok(medium.unknown())
}

impl Medium {
    /// Opens an ISO file or a folder. Blocks.
    pub fn open(path: &Path) -> Result<Self, String> {
        let told = |why: String| format!("{}: {why}", path.display());
        let path = fs::canonicalize(path).map_err(|error| told(error.to_string()))?;
        if path.is_dir() {
            return Ok(Self::Folder(path));
        }
        if path.to_string_lossy().contains("!/") {
            return Err(told("an origin cannot name a path with `!/` in it: call the folder otherwise".into()));
        }
        let file = Arc::new(open_regular(&path).map_err(|error| told(error.to_string()))?);
        match Iso::open(file.clone()) {
            Ok(iso) => Ok(Self::Iso(IsoFile { path, file, iso })),
            Err(why) => Err(told(format!("{why}; a kernel alone is added with --kernel"))),
        }
    }

    /// What a folder holds; nothing when it is not there.
    fn list(&self, folder: &str) -> Result<Vec<Item>, String> {
        match self {
            Self::Iso(IsoFile { path, iso, .. }) => {
                let entries = iso.list(folder).map_err(|why| format!("{}: {why}", path.display()))?;
                let item = |entry: iso9660::Entry| {
                    // What cannot be read in place is as good as absent, whatever it is.
                    let len = if entry.trouble.is_some() { 0 } else { entry.len() };
                    Item { is_folder: entry.is_folder, len, name: entry.name }
                };
                Ok(entries.into_iter().map(item).collect())
            }
            Self::Folder(root) => {
                let path = root.join(folder);
                let entries = match fs::read_dir(&path) {
                    Ok(entries) => entries,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
                    Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(vec![]),
                    Err(error) => return Err(format!("{}: {error}", path.display())),
                };
                let item = |entry: fs::DirEntry| {
                    let about = fs::metadata(entry.path()).ok()?;
                    let name = entry.file_name().into_string().ok()?;
                    Some(Item { name, is_folder: about.is_dir(), len: if about.is_file() { about.len() } else { 0 } })
                };
                let mut items: Vec<Item> = entries.flatten().filter_map(item).collect();
                // A disk gives them in no order, and the same folder is to be told of in the same words.
                items.sort_by(|a, b| a.name.cmp(&b.name));
                Ok(items)
            }
            Self::Artifact(artifact) => {
                let name = |file: &OciFile| {
                    let (above, name) = file.title.rsplit_once('/').unwrap_or(("", &file.title));
                    (above == folder && !file.is_archive()).then(|| name.to_owned())
                };
                let item = |file: &OciFile| Some(Item { name: name(file)?, is_folder: false, len: file.size.0 });
                Ok(artifact.files.iter().filter_map(item).collect())
            }
        }
    }

    /// The path of a file that is there and not empty.
    fn file(&self, path: &str) -> Result<Option<String>, String> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let items = self.list(folder)?;
        let fits = |item: &&Item| !item.is_folder && item.len > 0;
        let exact = items.iter().filter(fits).find(|item| item.name == name);
        // Media of 1988 shout; on disks and registries a name is what it is.
        let shouted = || items.iter().filter(fits).find(|item| item.name.eq_ignore_ascii_case(name));
        let found = exact.or_else(|| matches!(self, Self::Iso(_)).then(shouted)?);
        Ok(found.map(|item| joined(folder, &item.name)))
    }

    /// The first of these that is there.
    fn first(&self, paths: &[&str]) -> Result<Option<String>, String> {
        for path in paths {
            if let Some(found) = self.file(path)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The files of a folder whose names begin so, in the order of their names.
    fn beginning(&self, folder: &str, start: &str) -> Result<Vec<String>, String> {
        let items = self.list(folder)?.into_iter();
        let fits = |item: &Item| !item.is_folder && item.len > 0 && item.name.starts_with(start);
        let mut found: Vec<String> = items.filter(fits).map(|item| joined(folder, &item.name)).collect();
        found.sort();
        Ok(found)
    }

    fn has_folder(&self, path: &str) -> Result<bool, String> {
        match self {
            Self::Iso(IsoFile { iso, .. }) => Ok(iso.find(path)?.is_some_and(|entry| entry.is_folder)),
            Self::Folder(root) => Ok(root.join(path).is_dir()),
            Self::Artifact(_) => Ok(false),
        }
    }

    /// A short text, if it is there.
    fn text(&self, path: &str) -> Result<Option<String>, String> {
        let Some(path) = self.file(path)? else { return Ok(None) };
        Ok(self.bytes(&path, 0, LONGEST_TEXT)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Some bytes of a file, fewer at its end; `None` where they are too far away to look at.
    fn bytes(&self, path: &str, at: u64, most: u64) -> Result<Option<Vec<u8>>, String> {
        let (file, extents) = match self {
            Self::Iso(IsoFile { file, .. }) => (file.clone(), extents(file.clone(), path)?),
            Self::Folder(root) => {
                let path = root.join(path);
                let told = |error: io::Error| format!("{}: {error}", path.display());
                let file = open_regular(&path).map_err(told)?;
                let len = file.metadata().map_err(told)?.len();
                (Arc::new(file), vec![Extent { at: 0, len }])
            }
            Self::Artifact(_) => return Ok(None),
        };
        // What is looked at lies in the first extent, as small files have one.
        let Some(extent) = extents.first().filter(|extent| extent.len >= at) else { return Ok(Some(vec![])) };
        let mut bytes = vec![0; most.min(extent.len - at) as usize];
        file.read_exact_at(&mut bytes, extent.at + at).map_err(|error| format!("{path}: {error}"))?;
        Ok(Some(bytes))
    }

    /// The label of the volume.
    fn label(&self) -> &str {
        match self {
            Self::Iso(IsoFile { iso, .. }) => iso.label(),
            _ => "",
        }
    }

    /// Where a file of the medium is.
    fn place(&self, path: &str) -> Place {
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let (origin, known) = match self {
            Self::Iso(iso) => (Origin::Iso { image: iso.path.display().to_string(), path: format!("/{path}") }, None),
            Self::Folder(root) => (Origin::File(root.join(path).display().to_string()), None),
            Self::Artifact(artifact) => {
                let file = artifact.files.iter().find(|file| file.title == path);
                let file = file.expect("only paths that `list` gave are asked for");
                return artifact.place(file);
            }
        };
        Place { origin, known, name }
    }

    /// The medium itself as a file, for initrds that want all of it.
    fn whole(&self) -> Option<Place> {
        let Self::Iso(IsoFile { path, .. }) = self else { return None };
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Some(Place { origin: Origin::File(path.display().to_string()), known: None, name })
    }

    /// What to say when no family knows it.
    fn unknown(&self) -> Verdict {
        let is_windows = matches!(self, Self::Iso(iso) if iso.iso.has_udf())
            || ["sources/boot.wim", "bootmgr"].iter().any(|path| matches!(self.file(path), Ok(Some(_))));
        if is_windows {
            return Verdict::Cannot {
                what: "Windows' setup, or another medium with UDF".into(),
                why: "Windows boots from the network by wimboot and several initrds (bootmgr, BCD, boot.sdi, boot.wim), and a \
                      manifest has one: make a WinPE image for it"
                    .into(),
            };
        }
        let why = "look where its kernel and its initrd are, and add them with --kernel, --initrd and --arg";
        Verdict::Cannot { what: "nothing that Greenroom knows how to boot from the network".into(), why: why.into() }
    }
}

impl Artifact {
    /// Where a file of it is.
    fn place(&self, file: &OciFile) -> Place {
        let origin = Origin::Oci(OciBlob { repository: self.repository.clone(), digest: file.digest });
        let name = file.title.rsplit('/').next().unwrap_or_default().to_owned();
        Place { origin, known: Some((file.digest, file.size)), name }
    }
}

impl Find {
    /// A find of these files.
    fn of(medium: &Medium, what: impl Into<String>, files: &[(Role, &str)]) -> Self {
        let files = files.iter().map(|(role, path)| (*role, medium.place(path))).collect();
        Self { what: what.into(), files, ..Self::default() }
    }

    fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|arg| (*arg).to_owned()));
        self
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    fn boots(self) -> Verdict {
        Verdict::Boots(Box::new(self))
    }
}

fn joined(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// Opens a regular file: a pipe would hold its reader for ever, a device would never end.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    File::open(path)
}
