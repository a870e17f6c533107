//! One persona's way through the commits: what pages show of it. A glance reads what the persona is composed of, and nothing
//! else of the library, so it costs the same however many others there are; and glances at many commits cost as many runs of
//! git as one does.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ffi::OsString,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{document::Document, model::PersonaName};

use super::{
    files::Files,
    git::{Commit, GitError},
    load::{self, FRAGMENTS},
    memory::Memory,
    object::{Objects, Tree},
    revision::{Found, LOGGED, Logged, Past, logged},
};

/// A persona at a commit.
#[derive(Debug, Clone)]
pub struct Glance {
    /// What its own file said, good or not; nothing when there was none.
    pub text: Option<String>,
    /// What it was.
    pub then: Then,
    /// How many bytes of documents it was read from.
    pub bytes: usize,
}

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

/// How a repository looks without running git: where it stands elsewhere, it looks otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark(Vec<(u64, Option<SystemTime>)>);

/// The files that a persona is composed of, by their paths from the library's folder.
type Lineage = BTreeMap<PathBuf, Vec<u8>>;

impl Past {
    /// How the repository looks now. A commit changes it, however it was made.
    pub fn mark(&self) -> Mark {
        Mark(self.tree.fingerprint())
    }

    /// The commits that touched any of these files of the library, the latest first.
    pub fn touched(&self, files: &BTreeSet<String>, skip: usize, most: usize) -> Result<Vec<Logged>, GitError> {
        let (skip, most) = (format!("--skip={skip}"), format!("--max-count={most}"));
        let words = ["log", "--no-show-signature", "-z", &skip, &most, LOGGED];
        let files: Vec<OsString> = files.iter().map(|file| format!(":(literal){file}").into()).collect();
        match self.tree.git().run(&words).paths(&files).output() {
            Ok(said) => Ok(logged(&said)),
            // Without a commit there is no log, either.
            Err(error) => self.head().and(Err(error)),
        }
    }

    /// A commit by its name.
    pub fn logged(&self, commit: &Commit) -> Result<Option<Logged>, GitError> {
        let words = ["log", "--no-show-signature", "-z", "--max-count=1", LOGGED, commit.as_str()];
        Ok(logged(&self.tree.git().run(&words).paths::<&str>(&[]).output()?).pop())
    }

    /// What a persona was at commits, in their order.
    pub fn glances(&self, name: &PersonaName, commits: &[Commit]) -> Result<Vec<Glance>, GitError> {
        let own = ["yaml", "yml"].map(|ending| PathBuf::from(format!("{name}.{ending}")));
        // From commit to commit most of it is the same, and made once.
        let mut memory = Memory::default();
        let glance = |files: Lineage| {
            let text = own.iter().find_map(|path| files.get(path));
            let text = text.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let bytes = files.values().map(Vec::len).sum();
            Glance { text, bytes, then: self.composed(name, files, &mut memory) }
        };
        Ok(self.lineages(name, commits)?.into_iter().map(glance).collect())
    }

    fn composed(&self, name: &PersonaName, files: Lineage, memory: &mut Memory) -> Then {
        if files.is_empty() {
            return Then::Absent;
        }
        let loaded = load::load_again(&Files::Commit { dir: self.tree.dir().to_owned(), files }, memory);
        let entry = loaded.personas.into_iter().find(|entry| entry.reference.name == *name);
        match entry.zip(loaded.documents.get(name)) {
            Some((entry, document)) => Then::Good(Box::new(Found {
                reference: entry.reference,
                persona: entry.persona,
                document: document.clone(),
            })),
            None => Then::Broken(loaded.problems.iter().map(ToString::to_string).collect()),
        }
    }

    /// The files that a persona was composed of at each commit: its own, and those that they extend. One run of git for the
    /// folders, and one for each step that `extends` goes.
    fn lineages(&self, name: &PersonaName, commits: &[Commit]) -> Result<Vec<Lineage>, GitError> {
        let mut objects = Objects::new(self.tree.git());
        let tops = objects.folders(commits, self.tree.prefix())?;
        // Where documents are: the library's folder, and its fragments.
        let parts: Vec<Option<String>> =
            tops.iter().map(|top| objects.tree(top.as_deref())?.folder(FRAGMENTS)).collect();
        let mut extends: HashMap<String, Vec<String>> = HashMap::new();
        let mut lineages: Vec<BTreeMap<PathBuf, String>> = vec![BTreeMap::new(); commits.len()];
        let mut wanted: Vec<BTreeSet<String>> = vec![BTreeSet::from([name.to_string()]); commits.len()];
        objects.read(parts.iter().flatten())?;
        // Each round reads what the one before it extends; what was read is not read again, so a circle ends.
        while wanted.iter().any(|wanted| !wanted.is_empty()) {
            let found: Vec<Vec<(PathBuf, String)>> = wanted
                .iter()
                .enumerate()
                .map(|(at, wanted)| {
                    let trees = (objects.tree(tops[at].as_deref()), objects.tree(parts[at].as_deref()));
                    let new = wanted.iter().filter_map(|name| document(name, &trees));
                    new.filter(|(path, _)| !lineages[at].contains_key(path)).collect()
                })
                .collect();
            objects.read(found.iter().flatten().map(|(_, id)| id))?;
            for (at, found) in found.into_iter().enumerate() {
                wanted[at].clear();
                for (path, id) in found {
                    let Some(bytes) = objects.get(&id) else { continue };
                    let names = extends.entry(id.clone()).or_insert_with(|| extended(&path, bytes));
                    wanted[at].extend(names.iter().cloned());
                    lineages[at].insert(path, id);
                }
            }
        }
        let bytes = |(path, id): (PathBuf, String)| Some((path, objects.get(&id)?.to_vec()));
        Ok(lineages.into_iter().map(|files| files.into_iter().filter_map(bytes).collect()).collect())
    }
}

/// The file of a document by the name that `extends` uses, and its id, in the library's folder and that of its fragments.
fn document(name: &str, (top, parts): &(Option<Tree<'_>>, Option<Tree<'_>>)) -> Option<(PathBuf, String)> {
    let (tree, stem) = match name.strip_prefix(FRAGMENTS).and_then(|rest| rest.strip_prefix('/')) {
        Some(stem) => (parts, stem),
        None => (top, name),
    };
    ["yaml", "yml"].into_iter().find_map(|ending| {
        let id = tree.as_ref()?.file(&format!("{stem}.{ending}"))?;
        Some((PathBuf::from(format!("{name}.{ending}")), id))
    })
}

/// What a document extends.
fn extended(path: &Path, bytes: &[u8]) -> Vec<String> {
    let document = Document::read(path.display().to_string(), bytes.to_vec());
    let names = |document: Document| document.texts("extends").into_iter().map(str::to_owned).collect();
    document.map(names).unwrap_or_default()
}
