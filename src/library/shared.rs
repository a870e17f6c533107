//! A library that one thread reads at a time while all see how it stood last. Reading may take long (a folder on NFS, a git
//! that hangs): nobody who only looks waits for it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;

use crate::{
    document::{Document, Problem},
    model::{PersonaName, Version},
    persona::{Persona, catalog::Catalog},
};

use super::{Desk, History, Library, NotSaved, Saved, Status, Store, StoreError, desk::turn, store};

/// How a library stood when it was last read.
#[derive(Debug, Clone)]
pub struct View {
    /// What is not good.
    pub problems: Vec<Problem>,
    /// How each persona stands, by name.
    pub statuses: Vec<Status>,
    /// What its history can tell.
    pub history: History,
    /// How often what is served has been replaced.
    pub swaps: u64,
    /// What the personas of the catalog were read from.
    pub documents: Arc<BTreeMap<PersonaName, Arc<Document>>>,
    /// The files that each persona is composed of, by its name, from the library's folder; its own is the last.
    pub files: Arc<BTreeMap<String, Vec<String>>>,
}

/// A library for many threads.
#[derive(Debug)]
pub struct Shared {
    library: Mutex<Library>,
    store: Option<Store>,
    view: ArcSwap<View>,
    desk: Desk,
}

impl Shared {
    /// Shares a library.
    pub fn new(library: Library) -> Self {
        let store = library.store.clone();
        let desk = Desk::new(&library.dir);
        Self { view: ArcSwap::from_pointee(view(&library)), store, desk, library: Mutex::new(library) }
    }

    /// How it stood last. Never waits.
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Reads the library again if it changed, or in any case with `force`; `taken` gets what is good then, before anybody
    /// else can read it again. Returns whether it was read. Waits for disks.
    pub fn refresh(&self, force: bool, taken: impl FnOnce(&Catalog)) -> bool {
        let mut library = self.library.lock().unwrap_or_else(PoisonError::into_inner);
        let read = match force {
            true => {
                library.reload();
                true
            }
            false => library.refresh(),
        };
        if read {
            taken(library.catalog());
            self.view.store(Arc::new(view(&library)));
        }
        read
    }

    /// Where its documents are written, and tried. To write, [`Shared::write`].
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Has something written at the desk, and reads the library again before anybody else does: nobody sees half of it.
    /// `taken` gets what is good then. Waits for disks, for git and its hooks; for somebody else's hooks a few seconds only.
    pub fn write(
        &self,
        work: impl FnOnce(&Desk) -> Result<Saved, NotSaved>,
        taken: impl FnOnce(&Catalog),
    ) -> Result<Saved, NotSaved> {
        let mut library = turn(&self.library)?;
        let done = work(&self.desk);
        library.reload();
        taken(library.catalog());
        self.view.store(Arc::new(view(&library)));
        done
    }

    /// A version that was served once. Reads one small file, and waits for nobody who reads the library.
    pub fn stored(&self, version: &Version) -> Result<Arc<Persona>, StoreError> {
        store::read(self.store.as_ref(), version)
    }
}

fn view(library: &Library) -> View {
    View {
        problems: library.problems().to_vec(),
        statuses: library.statuses().to_vec(),
        history: library.history().clone(),
        swaps: library.swaps(),
        documents: library.documents.clone(),
        files: library.files.clone(),
    }
}
