//! Writing what came out: all of it or nothing, and over nothing that is there unless that is asked for.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    import::LeftBehind,
    library::{give, make_folder},
};

use super::{Document, Failure};

/// The folder, under `--out`, of the texts that are kept as they were.
const KEPT: &str = "left-behind";

/// Documents that are written where nobody looks yet, on the file system that they are for.
pub(super) struct Staged {
    folder: TempDir,
    out: Option<PathBuf>,
}

impl Staged {
    pub(super) fn new(out: Option<&Path>) -> Result<Self, Failure> {
        let Some(out) = out else {
            let folder = TempDir::new().map_err(|error| format!("the folder for temporary files: {error}"))?;
            return Ok(Self { folder, out: None });
        };
        let told = |error: io::Error| Failure::Failed(format!("{}: {error}", out.display()));
        make_folder(out).map_err(told)?;
        let folder = tempfile::Builder::new().prefix(".greenroom-import-").tempdir_in(out).map_err(told)?;
        Ok(Self { folder, out: Some(out.to_owned()) })
    }

    /// Where the documents are.
    pub(super) fn documents(&self) -> PathBuf {
        self.folder.path().join("new")
    }

    /// Writes these documents, and no others.
    pub(super) fn fill(&self, documents: &[Document]) -> Result<(), Failure> {
        let root = self.documents();
        let told = |error: io::Error| Failure::Failed(format!("{}: {error}", root.display()));
        if root.exists() {
            fs::remove_dir_all(&root).map_err(told)?;
        }
        fs::create_dir_all(root.join("personas")).map_err(told)?;
        for document in documents {
            put(&root.join(&document.path), &document.text).map_err(told)?;
        }
        Ok(())
    }

    /// Moves everything to where it belongs. When one move fails, those before it are taken back.
    pub(super) fn place(self, documents: &[Document], kept: &[(String, String)], force: bool) -> Result<(), Failure> {
        let Some(out) = &self.out else { return Ok(()) };
        let told = |error: io::Error| Failure::Failed(format!("{}: {error}", out.display()));
        for (file, text) in kept {
            put(&self.documents().join(KEPT).join(file), text).map_err(told)?;
        }
        let mut paths: Vec<PathBuf> = documents.iter().map(|document| document.path.clone()).collect();
        paths.extend(kept.iter().map(|(file, _)| Path::new(KEPT).join(file)));
        let there: Vec<_> =
            paths.iter().map(|path| out.join(path)).filter(|path| fs::symlink_metadata(path).is_ok()).collect();
        if !force && !there.is_empty() {
            let some: Vec<_> = there.iter().take(5).map(|path| path.display().to_string()).collect();
            let more = if there.len() > some.len() {
                format!(", and {} more", there.len() - some.len())
            } else {
                String::new()
            };
            let message =
                format!("{}{more}: there already, so nothing was written; --force replaces them", some.join(", "));
            return Err(Failure::Failed(message));
        }
        let mut done: Vec<&Path> = vec![];
        for path in &paths {
            if let Err(error) = self.swap(out, path) {
                for path in done.into_iter().rev() {
                    self.take_back(out, path);
                }
                return Err(Failure::Failed(format!("{}: {error}; nothing was written", out.join(path).display())));
            }
            done.push(path);
        }
        Ok(())
    }

    /// Puts a document in its place; what was there is kept until all is done.
    fn swap(&self, out: &Path, path: &Path) -> io::Result<()> {
        let (new, old, target) =
            (self.documents().join(path), self.folder.path().join("old").join(path), out.join(path));
        old.parent().map_or(Ok(()), fs::create_dir_all)?;
        target.parent().map_or(Ok(()), make_folder)?;
        // Where it is now nobody else can reach it, so it is what was written; it is to be theirs whose folder it goes into.
        give(&fs::File::open(&new)?, target.parent().unwrap_or(out))?;
        let replaces = fs::symlink_metadata(&target).is_ok();
        if replaces {
            fs::rename(&target, &old)?;
        }
        fs::rename(&new, &target).inspect_err(|_| {
            if replaces {
                self.take_back(out, path);
            }
        })
    }

    /// Undoes a [`swap`](Self::swap) as far as it came.
    fn take_back(&self, out: &Path, path: &Path) {
        let (old, target) = (self.folder.path().join("old").join(path), out.join(path));
        // Best effort, on the way out of a failure that has been told.
        match fs::symlink_metadata(&old).is_ok() {
            true => drop(fs::rename(&old, &target)),
            false => drop(fs::remove_file(&target)),
        }
    }
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text)
}

/// The texts to keep, each once and under a name of its own; the list of what was left behind is told the names.
pub(super) fn kept(left_behind: &mut [LeftBehind]) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = vec![];
    let mut names = BTreeSet::new();
    for kept in left_behind.iter_mut().filter_map(|left| left.kept.as_mut()) {
        if let Some((file, _)) = files.iter().find(|(_, text)| *text == kept.text) {
            kept.file = file.clone();
            continue;
        }
        let first = kept.file.clone();
        let mut count = 2;
        while !names.insert(kept.file.clone()) {
            kept.file = format!("{count}-{first}");
            count += 1;
        }
        files.push((kept.file.clone(), kept.text.clone()));
    }
    files
}
