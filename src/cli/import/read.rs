//! Reading what is imported: bounded, and never outside of the folder that was named.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use crate::import::{
    Folder, LeftBehind,
    dnsmasq::{Include, includes},
};

use super::Failure;

/// Larger files are no text that a person wrote.
const LARGEST: u64 = 4 << 20;

/// How many files, and how many bytes of them together, are read at most.
const MOST_FILES: usize = 20_000;
const MOST_BYTES: u64 = 128 << 20;

/// What Cobbler keeps that is looked at, in any of its layouts.
pub(super) fn cobbler() -> Vec<String> {
    const KINDS: [&str; 9] =
        ["distros", "profiles", "systems", "repos", "images", "mgmtclasses", "packages", "files", "menus"];
    let layouts = [("collections/", ""), ("config/", ".d"), ("", ""), ("", ".d")];
    let kinds =
        layouts.iter().flat_map(|(before, after)| KINDS.iter().map(move |kind| format!("{before}{kind}{after}")));
    kinds.chain(["templates", "kickstarts"].map(str::to_owned)).collect()
}

/// A reader of one folder.
struct Reader {
    root: PathBuf,
    folder: Folder,
    files: usize,
    bytes: u64,
    /// Whether it was told that there is too much.
    full: bool,
    /// What was read, by its real path: one file under two names is read once.
    seen: BTreeSet<PathBuf>,
}

impl Reader {
    fn new(root: &Path) -> Result<Self, Failure> {
        let real = fs::canonicalize(root).map_err(|error| format!("{}: {error}", root.display()))?;
        if !real.is_dir() {
            return Err(format!("{} is no folder", root.display()).into());
        }
        Ok(Self { root: real, folder: Folder::default(), files: 0, bytes: 0, full: false, seen: BTreeSet::new() })
    }

    fn unread(&mut self, shown: &str, why: &str, help: &str) {
        self.folder.unread.push(LeftBehind::unread(shown, "the whole file", why, help));
    }

    /// What is called as editors and version control call theirs is not read: a backup would come over beside what it is of.
    fn hidden(&mut self, shown: &str) {
        let why = "its name begins with `.` or ends with `~`, as backups and hidden files do";
        let help = "rename it, and import again, if the other server serves it";
        self.folder.unread.push(LeftBehind::lost(shown, "the whole file", why, help));
    }

    /// The real path of something, when it lies in the folder.
    fn within(&mut self, path: &Path, shown: &str) -> Option<PathBuf> {
        match fs::canonicalize(path) {
            Ok(real) if real.starts_with(&self.root) => Some(real),
            Ok(_) => {
                let why = "it lies outside of the folder that is imported";
                self.unread(shown, why, "copy it into the folder, and name it there");
                None
            }
            Err(error) => {
                self.unread(shown, &format!("it cannot be read: {error}"), "");
                None
            }
        }
    }

    /// Reads a text, under the name that is shown.
    fn text(&mut self, path: &Path, shown: &str) {
        let Some(real) = self.within(path, shown) else { return };
        if !self.seen.insert(real.clone()) {
            return;
        }
        if self.files >= MOST_FILES || self.bytes >= MOST_BYTES {
            if !self.full {
                let why = format!(
                    "an import reads {MOST_FILES} files and 128 MiB at most: this and what follows is too much"
                );
                self.unread(shown, &why, "import a part of the folder");
            }
            self.full = true;
            return;
        }
        // A pipe would hold its reader for ever.
        if !real.is_file() {
            return self.unread(shown, "it is no regular file", "");
        }
        let mut bytes = vec![];
        let read = File::open(&real).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
        match read {
            Err(error) => self.unread(shown, &format!("it cannot be read: {error}"), "check its permissions"),
            Ok(read) if read as u64 > LARGEST => {
                self.unread(shown, "it is larger than 4 MiB", "no person wrote that: take the data out of it");
            }
            Ok(read) => {
                self.files += 1;
                self.bytes += read as u64;
                match String::from_utf8(bytes) {
                    Ok(text) => drop(self.folder.texts.insert(shown.to_owned(), text)),
                    Err(_) => self.unread(shown, "it is not UTF-8", "save it as UTF-8"),
                }
            }
        }
    }

    /// The files of a folder, in order, with their names. One that is not there has none.
    fn files_of(&mut self, dir: &Path, shown: &str) -> Vec<(PathBuf, String)> {
        if fs::symlink_metadata(dir).is_err() {
            return vec![];
        }
        let Some(real) = self.within(dir, shown) else { return vec![] };
        let entries = fs::read_dir(&real).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.take(4 * MOST_FILES).map(|entry| entry.file_name()).collect();
        names.sort();
        let named = names.into_iter().map(|name| (real.join(&name), name.to_string_lossy().into_owned()));
        named.filter(|(path, _)| !path.is_dir()).collect()
    }
}

/// The texts that lie directly in these folders of a folder.
pub(super) fn folder(root: &Path, dirs: &[impl AsRef<str>]) -> Result<Folder, Failure> {
    let mut reader = Reader::new(root)?;
    let mut found = false;
    for dir in dirs.iter().map(AsRef::as_ref) {
        let files = reader.files_of(&root.join(dir), dir);
        found = found || !files.is_empty();
        for (path, name) in files {
            let shown = format!("{dir}/{name}");
            match name.starts_with('.') || name.ends_with('~') {
                true => reader.hidden(&shown),
                false => reader.text(&path, &shown),
            }
        }
    }
    if !found {
        let some: Vec<_> = dirs.iter().take(5).map(|dir| format!("{}/", dir.as_ref())).collect();
        return Err(format!("{} has nothing to import: no files in {}", root.display(), some.join(", ")).into());
    }
    Ok(reader.folder)
}

/// dnsmasq's configuration with what it includes, and the name of the file itself.
pub(super) fn dnsmasq(file: &Path) -> Result<(Folder, String), Failure> {
    let real = fs::canonicalize(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let root = real.parent().unwrap_or(Path::new("/")).to_owned();
    let main = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut reader = Reader::new(&root)?;
    reader.text(&real, &main);
    if !reader.folder.texts.contains_key(&main) {
        let why = reader.folder.unread.first().map(|left| left.why.clone()).unwrap_or_default();
        return Err(format!("{}: {why}", file.display()).into());
    }
    let mut waiting = vec![main.clone()];
    while let Some(from) = waiting.pop() {
        let Some(text) = reader.folder.texts.get(&from) else { continue };
        for (place, include) in includes(&from, text) {
            let path = root.join(include.path());
            let folder = matches!(include, Include::Dir { .. } | Include::HostsDir(_)) || path.is_dir();
            let mut files = vec![(path.clone(), include.path().to_owned())];
            if folder {
                let inside = reader.files_of(&path, include.path());
                let meant = inside.into_iter().filter(|(_, name)| include.takes(name));
                files = meant.map(|(path, name)| (path, format!("{}/{name}", include.path()))).collect();
            }
            if folder && fs::symlink_metadata(&path).is_err() {
                reader.unread(&place, &format!("it includes {}, which is not there", include.path()), "");
            }
            for (path, shown) in files {
                let known = reader.folder.texts.len();
                reader.text(&path, &shown);
                if reader.folder.texts.len() > known && matches!(include, Include::File(_) | Include::Dir { .. }) {
                    waiting.push(shown);
                }
            }
        }
    }
    Ok((reader.folder, main))
}
