//! One persona's way through the commits: what pages show of it. A glance reads what the persona is composed of, and nothing
//! else of the library, so it costs the same however many others there are.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::PathBuf,
};

use crate::{document::Document, model::PersonaName};

use super::{
    files::Files,
    git::{Commit, GitError},
    load,
    revision::{Found, LOGGED, Logged, Past, logged},
};

/// What a persona was at a commit.
#[derive(Debug, Clone)]
pub enum Then {
    /// It was good.
    Good(Box<Found>),
    /// It was not, and why.
    Broken(Vec<String>),
    /// There was none.
    Absent,
}

impl Past {
    /// The commits that touched any of these files of the library, the latest first.
    pub fn touched(&self, files: &BTreeSet<String>, skip: usize, most: usize) -> Result<Vec<Logged>, GitError> {
        self.head()?;
        let (skip, most) = (format!("--skip={skip}"), format!("--max-count={most}"));
        let words = ["log", "--no-show-signature", "-z", &skip, &most, LOGGED];
        let files: Vec<OsString> = files.iter().map(|file| format!(":(literal){file}").into()).collect();
        Ok(logged(&self.tree.git().run(&words).paths(&files).output()?))
    }

    /// A commit by its name.
    pub fn logged(&self, commit: &Commit) -> Result<Option<Logged>, GitError> {
        let words = ["log", "--no-show-signature", "-z", "--max-count=1", LOGGED, commit.as_str()];
        Ok(logged(&self.tree.git().run(&words).paths::<&str>(&[]).output()?).pop())
    }

    /// What a persona was at a commit.
    pub fn glance(&self, name: &PersonaName, commit: &Commit) -> Result<Then, GitError> {
        let files = self.lineage(name, commit)?;
        if files.is_empty() {
            return Ok(Then::Absent);
        }
        let loaded = load::load(&Files::Commit { dir: self.tree.dir().to_owned(), files });
        let entry = loaded.personas.into_iter().find(|entry| entry.reference.name == *name);
        Ok(match entry.zip(loaded.documents.get(name)) {
            Some((entry, document)) => Then::Good(Box::new(Found {
                reference: entry.reference,
                persona: entry.persona,
                document: document.clone(),
            })),
            None => Then::Broken(loaded.problems.iter().map(ToString::to_string).collect()),
        })
    }

    /// The files that a persona was composed of: its own, and those that they extend.
    fn lineage(&self, name: &PersonaName, commit: &Commit) -> Result<BTreeMap<PathBuf, Vec<u8>>, GitError> {
        let listed = self.listed(commit)?;
        let file = |name: &str| {
            let paths = ["yaml", "yml"].map(|ending| PathBuf::from(format!("{name}.{ending}")));
            paths.into_iter().find_map(|path| listed.get(&path).map(|id| (path, id)))
        };
        let mut files = BTreeMap::new();
        let mut wanted = BTreeSet::from([name.to_string()]);
        // Each round reads what the one before it extends; what was read is not read again, so a circle ends.
        while !wanted.is_empty() {
            let found: Vec<(PathBuf, &String)> = wanted.iter().filter_map(|name| file(name)).collect();
            let found: Vec<_> = found.into_iter().filter(|(path, _)| !files.contains_key(path)).collect();
            let ids: Vec<&String> = found.iter().map(|(_, id)| *id).collect();
            let read: BTreeMap<String, Vec<u8>> = self.read(&ids)?.into_iter().collect();
            wanted.clear();
            for (path, id) in found {
                let Some(bytes) = read.get(id) else { continue };
                if let Ok(document) = Document::read(path.display().to_string(), bytes.clone()) {
                    wanted.extend(document.texts("extends").into_iter().map(str::to_owned));
                }
                files.insert(path, bytes.clone());
            }
        }
        Ok(files)
    }
}
