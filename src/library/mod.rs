//! Floor 3: the personas and images that an admin keeps in a folder, usually a git work tree.
//!
//! ```text
//!   <library>/kiosk-live.yaml            a persona; its name is the stem
//!   <library>/fragments/base-linux.yaml  a part of personas: they extend it
//!   <library>/images/debian-live.yaml    an image manifest; likewise
//! ```
//! **A document that does not validate never replaces the last good one.** It is left out, or stays as it last was, and is
//! reported; what extends it stays as it was with it.

mod cross;
mod files;
mod load;
mod manifest;
mod memory;
mod secret;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    document::{Document, Problem},
    model::{PersonaName, image::Image},
    persona::catalog::Catalog,
};

use files::Files;
use load::Loaded;
use memory::Memory;

pub use load::{Fingerprint, check};
pub use secret::{SecretError, secrets_of};

/// A library that remembers what last was good.
#[derive(Debug)]
pub struct Library {
    dir: PathBuf,
    catalog: Catalog,
    problems: Vec<Problem>,
    seen: Fingerprint,
    memory: Memory,
    documents: BTreeMap<PersonaName, Arc<Document>>,
}

impl Library {
    /// Reads the library for the first time. A folder that is not there is a library without personas, and a problem.
    pub fn open(dir: &Path) -> Self {
        let mut library = Self {
            dir: dir.to_owned(),
            catalog: Catalog::default(),
            problems: vec![],
            seen: Fingerprint::default(),
            memory: Memory::default(),
            documents: BTreeMap::new(),
        };
        library.reload();
        library
    }

    /// Reads the library again when a file of it has changed. Returns whether it did.
    pub fn refresh(&mut self) -> bool {
        let changed = Fingerprint::of(&self.dir) != self.seen;
        if changed {
            self.reload();
        }
        changed
    }

    /// Reads the library again: what has changed, and the personas that it is part of.
    pub fn reload(&mut self) {
        self.seen = Fingerprint::of(&self.dir);
        let mut loaded = load::load_again(&Files::Folder(self.dir.clone()), &mut self.memory);
        let mut staying = vec![];
        for (name, is_image) in std::mem::take(&mut loaded.broken) {
            let kept = match is_image {
                false => self.keep_persona(&name, &mut loaded),
                true => self.keep_image(&name, &mut loaded.images),
            };
            if kept {
                staying.push(name);
            }
        }
        self.documents = loaded.documents;
        self.catalog = Catalog::new(loaded.personas, loaded.images, &self.catalog);
        self.problems = loaded.problems;
        self.problems.extend(load::staying(&staying, &self.dir));
        self.problems.extend(cross::warnings(&self.catalog, &self.documents));
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
}
