//! Floor 3: the personas and images that an admin keeps in a folder, usually a git work tree.
//!
//! ```text
//!   <library>/kiosk-live.yaml            a persona; its name is the stem
//!   <library>/fragments/base-linux.yaml  a part of personas: they extend it
//!   <library>/images/debian-live.yaml    an image manifest; likewise
//! ```
//! **A document that does not validate never replaces the last good one.** It is left out, or stays as it last was, and is
//! reported; what extends it stays as it was with it. Edits are taken up as a set: what changes while it is read is read
//! again, and while git is at work, or waits for a person in the middle of a merge, the last set serves on.
//!
//! `load` reads, `git`, `worktree` and `revision` know commits and edits, [`Store`] keeps what was served, [`Watch`] tells
//! of changes, [`Remote`] fetches them, [`Shared`] lets all see how it stands, [`Desk`] writes for those who use the pages.

mod abreast;
mod cross;
mod desk;
mod files;
mod git;
mod load;
mod manifest;
mod memory;
mod object;
mod owner;
mod remote;
mod revision;
mod secret;
mod shared;
mod status;
mod store;
mod succession;
mod track;
mod watch;
mod whole;
mod worktree;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    document::{Document, Problem},
    model::{PersonaName, PersonaRef, Version, image::Image},
    persona::{Persona, catalog::Catalog},
};

use files::Files;
use load::Loaded;
use memory::Memory;
use status::{Provenance, statuses};
use worktree::{Standing, WorkTree};

pub use desk::{
    Affected, Author, BadBase, Base, Conflict, Desk, Draft, Edit, NotSaved, Paper, Sample, Saved, Sheet, samples,
};
pub use git::{Commit, GitError, Revision};
pub use load::{Fingerprint, check};
pub use manifest::read_manifest;
pub use owner::{become_owner, give, make_folder, put};
pub use remote::{NotPulled, Pulled, Remote};
pub use revision::{Change, Found, Logged, Past};
pub use secret::{SecretError, secret, secret_names, secrets_of};
pub use shared::{Shared, View};
pub use status::{State, Status};
pub use store::{Store, StoreError};
pub use track::{Glance, Mark, Then};
pub use watch::Watch;
pub use worktree::History;

/// How often a set that changes while it is read is read again before it is taken as it is.
const RESTLESS: u32 = 5;

/// So many replaced versions stay in memory at least, and as many as there are personas: those that one `git checkout` replaces
/// are what boots under way ask for next. Older ones are read from the store.
const REPLACED: usize = 256;

/// At how many looks at a repository that git would not look into it is asked again.
const ASK_AGAIN: u32 = 5;

/// A library that remembers what last was good.
#[derive(Debug)]
pub struct Library {
    dir: PathBuf,
    catalog: Catalog,
    problems: Vec<Problem>,
    statuses: Vec<Status>,
    history: History,
    tree: Option<WorkTree>,
    store: Option<Store>,
    seen: Option<Seen>,
    restless: u32,
    looks: u32,
    swaps: u64,
    memory: Memory,
    documents: Arc<BTreeMap<PersonaName, Arc<Document>>>,
    files: Arc<BTreeMap<String, Vec<String>>>,
}

/// What can be seen of a library without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen(Fingerprint, Vec<(u64, Option<std::time::SystemTime>)>);

impl Library {
    /// Reads the library for the first time. A folder that is not there is a library without personas, and a problem.
    pub fn open(dir: &Path) -> Self {
        Self::opened(dir, None)
    }

    /// Reads the library for the first time; every version that is served from now on is stored.
    pub fn open_with(dir: &Path, store: Store) -> Self {
        Self::opened(dir, Some(store))
    }

    fn opened(dir: &Path, store: Option<Store>) -> Self {
        let mut library = Self {
            dir: dir.to_owned(),
            catalog: Catalog::default(),
            problems: vec![],
            statuses: vec![],
            history: History::None { why: "it was not read yet".into() },
            tree: None,
            store,
            seen: None,
            restless: 0,
            looks: 0,
            swaps: 0,
            memory: Memory::default(),
            documents: Arc::default(),
            files: Arc::default(),
        };
        library.reload();
        library
    }

    /// Reads the library again when a file of it has changed and nobody is changing it at this moment. Returns whether it
    /// did.
    pub fn refresh(&mut self) -> bool {
        let changed = self.seen.as_ref() != Some(&self.look()) || self.is_trusted_now();
        changed && !self.is_busy() && self.read(false)
    }

    /// Whether git answers that would not before: no file of the library tells that somebody installed it, or told it to
    /// trust the folder. It is asked now and then.
    fn is_trusted_now(&mut self) -> bool {
        let unanswered = self.tree.is_none() && self.dir.ancestors().any(|dir| dir.join(".git").exists());
        self.looks = if unanswered { self.looks + 1 } else { 0 };
        unanswered && self.looks.is_multiple_of(ASK_AGAIN) && WorkTree::find(&self.dir).is_ok()
    }

    /// Reads the library again, in any case.
    pub fn reload(&mut self) {
        self.read(true);
    }

    /// Whether git is changing files of the library at this moment.
    pub fn is_busy(&self) -> bool {
        self.tree.as_ref().is_some_and(WorkTree::is_busy)
    }

    fn look(&self) -> Seen {
        let of_git = match &self.tree {
            Some(tree) => tree.fingerprint(),
            // A repository that begins later, here or above.
            None => self.dir.ancestors().map(|dir| (u64::from(dir.join(".git").exists()), None)).collect(),
        };
        Seen(Fingerprint::of(&self.dir), of_git)
    }

    fn read(&mut self, force: bool) -> bool {
        if self.tree.as_ref().is_none_or(|tree| !tree.git_dir().is_dir()) {
            match WorkTree::find(&self.dir) {
                Ok(tree) => self.tree = Some(tree),
                Err(error) => self.without_tree(&error),
            }
        }
        let looked = self.look();
        let unfinished = self.tree.as_ref().and_then(WorkTree::unfinished);
        if let (Some(what), Some(_)) = (unfinished, &self.seen) {
            self.hold(what, looked);
            return true;
        }
        let files = Files::Folder(self.dir.clone());
        let committed = match (unfinished, &self.tree) {
            // At the start there is no last good set but the one that was committed.
            (Some(_), Some(tree)) => revision::head(tree).ok(),
            _ => None,
        };
        let loaded = committed.unwrap_or_else(|| load::load_again(&files, &mut self.memory));
        let standing = self.tree.as_ref().map(WorkTree::standing);
        let restless = self.look() != looked || self.is_busy();
        if restless && !force && self.restless < RESTLESS {
            self.restless += 1;
            return false;
        }
        self.restless = 0;
        self.take(loaded, standing);
        self.seen = Some(looked);
        if let Some(what) = unfinished {
            self.problems.push(in_the_middle(what, &self.dir));
        }
        true
    }

    /// A tree in the middle of a merge holds both sides' lines, or half of them: what was last good goes on serving.
    fn hold(&mut self, what: &'static str, looked: Seen) {
        self.problems = vec![in_the_middle(what, &self.dir)];
        self.seen = Some(looked);
    }

    fn without_tree(&mut self, error: &GitError) {
        self.tree = None;
        self.history = History::None { why: error.to_string() };
    }

    /// Puts what was read in the place of what was served.
    fn take(&mut self, mut loaded: Loaded, standing: Option<Result<Standing, GitError>>) {
        let (mut broken, mut staying) = (BTreeSet::new(), vec![]);
        for (name, is_image) in std::mem::take(&mut loaded.broken) {
            let kept = match is_image {
                false => self.keep_persona(&name, &mut loaded),
                true => self.keep_image(&name, &mut loaded.images),
            };
            if kept {
                staying.push(name.clone());
            }
            if !is_image {
                broken.insert(name);
            }
        }
        let mut catalog = Catalog::new(loaded.personas, loaded.images, &self.catalog);
        let mut problems = loaded.problems;
        problems.extend(load::staying(&staying, &self.dir));
        problems.extend(cross::warnings(&catalog, &loaded.documents));
        problems.extend(succession::problems(&catalog, &loaded.documents));
        problems.extend(self.store.as_mut().and_then(|store| unstored(store, &catalog)));
        if let Some(store) = &self.store {
            catalog.forget(REPLACED.max(catalog.personas().count()), |version| store.holds(version));
        }
        let standing = match standing {
            Some(Ok(standing)) => {
                self.history = History::Git { commit: standing.commit.clone(), branch: standing.branch.clone() };
                standing
            }
            Some(Err(error)) => {
                self.without_tree(&error);
                Standing::default()
            }
            None => Standing::default(),
        };
        let from = Provenance { standing: &standing, files: &loaded.files, dir: &self.dir };
        self.statuses = statuses(&catalog, &broken, &from);
        self.swaps += u64::from(catalog != self.catalog);
        self.catalog = catalog;
        self.documents = Arc::new(loaded.documents);
        let within = |path: &PathBuf| path.strip_prefix(&self.dir).unwrap_or(path).display().to_string();
        let files = loaded.files.iter().map(|(stem, files)| (stem.clone(), files.iter().map(within).collect()));
        self.files = Arc::new(files.collect());
        self.problems = problems;
    }

    fn keep_persona(&self, name: &str, loaded: &mut Loaded) -> bool {
        let Some(last) = name.parse().ok().and_then(|name| self.catalog.persona(&name)) else { return false };
        let name = &last.reference.name;
        loaded.documents.extend(self.documents.get(name).map(|document| (name.clone(), document.clone())));
        loaded.personas.push(last.clone());
        true
    }

    fn keep_image(&self, name: &str, images: &mut Vec<Image>) -> bool {
        let last = name.parse().ok().and_then(|name| self.catalog.image(&name)).map(|image| Image::clone(image));
        let kept = last.is_some();
        images.extend(last);
        kept
    }

    /// What is good.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What a persona of the catalog was read from.
    pub fn document(&self, name: &PersonaName) -> Option<&Arc<Document>> {
        self.documents.get(name)
    }

    /// What is not.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How each persona stands, by name.
    pub fn statuses(&self) -> &[Status] {
        &self.statuses
    }

    /// What the library's history can tell.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// How often what is served has been replaced, the first reading included.
    pub fn swaps(&self) -> u64 {
        self.swaps
    }

    /// Makes the versions known that boots under way were planned with, as far as they were stored. Returns those that
    /// were not.
    pub fn recall<'a>(&mut self, wanted: impl IntoIterator<Item = &'a PersonaRef>) -> Vec<(PersonaRef, StoreError)> {
        let mut missing = vec![];
        for reference in wanted.into_iter().collect::<BTreeSet<_>>() {
            if self.catalog.version(reference).is_some() {
                continue;
            }
            match self.stored(&reference.version) {
                Ok(persona) => self.catalog.remember(reference.clone(), persona),
                Err(error) => missing.push((reference.clone(), error)),
            }
        }
        missing
    }

    /// A version that was served once.
    pub fn stored(&self, version: &Version) -> Result<Arc<Persona>, StoreError> {
        store::read(self.store.as_ref(), version)
    }
}

fn in_the_middle(what: &str, dir: &Path) -> Problem {
    let message = format!("git is in the middle of a {what} here: the last good set serves until it is finished");
    let help = format!("finish it (`git status` says how), or give it up with `git {what} --abort`");
    Problem::of_file(&dir.display().to_string(), "GR191", message, help)
}

/// Stores what may be planned with from now on. Devices boot without it; a replay does not.
fn unstored(store: &mut Store, catalog: &Catalog) -> Option<Problem> {
    let error = store.keep(catalog.personas()).err()?;
    let message = format!("versions of personas cannot be stored: {error}");
    let help = "devices boot all the same, but these versions cannot be replayed: make room in `state_dir`";
    Some(Problem::of_file("state_dir", "GR194", message, help).warning())
}
