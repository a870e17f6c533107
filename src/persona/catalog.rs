//! The personas and images that validate: what decisions may choose from.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use crate::model::{
    Digest, PersonaName, PersonaRef, Version,
    image::{Image, ImageFile, ImageName},
};

use super::Persona;

/// A persona and which version of it this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name and version.
    pub reference: PersonaRef,
    /// What it says.
    pub persona: Arc<Persona>,
}

/// The library as decisions see it. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    personas: BTreeMap<PersonaName, Entry>,
    images: BTreeMap<ImageName, Arc<Image>>,
    /// The current versions and those that were replaced lately, so that a boot under way is served the text that it was
    /// planned with.
    versions: BTreeMap<PersonaRef, Arc<Persona>>,
    /// Those that were replaced, in the order in which they were.
    replaced: VecDeque<PersonaRef>,
    files: BTreeMap<Digest, ImageFile>,
    /// Who takes the place of a persona that left the library.
    successors: BTreeMap<PersonaName, PersonaName>,
}

impl Catalog {
    /// A catalog of these, which also remembers what `before` knew of versions.
    pub fn new(personas: Vec<Entry>, images: Vec<Image>, before: &Self) -> Self {
        let mut versions = before.versions.clone();
        versions.extend(personas.iter().map(|entry| (entry.reference.clone(), entry.persona.clone())));
        let current: BTreeSet<&PersonaRef> = personas.iter().map(|entry| &entry.reference).collect();
        let replaced = before.replaced.iter().chain(before.personas.values().map(|entry| &entry.reference));
        let replaced = replaced.filter(|reference| !current.contains(reference)).cloned().collect();
        // Blobs of images that left the library stay known too: a boot may be fetching them.
        let mut files = before.files.clone();
        files.extend(images.iter().flat_map(|image| image.files.values()).map(|file| (file.sha256, file.clone())));
        let successors = successors(&personas);
        Self {
            successors,
            personas: personas.into_iter().map(|entry| (entry.reference.name.clone(), entry)).collect(),
            images: images.into_iter().map(|image| (image.name.clone(), Arc::new(image))).collect(),
            versions,
            replaced,
            files,
        }
    }

    /// The same catalog with these personas in the place of those of their names.
    pub fn with(&self, personas: impl IntoIterator<Item = Entry>) -> Self {
        let mut entries = self.personas.clone();
        entries.extend(personas.into_iter().map(|entry| (entry.reference.name.clone(), entry)));
        let entries: Vec<Entry> = entries.into_values().collect();
        let mut catalog = Self { successors: successors(&entries), ..self.clone() };
        catalog.versions.extend(entries.iter().map(|entry| (entry.reference.clone(), entry.persona.clone())));
        catalog.personas = entries.into_iter().map(|entry| (entry.reference.name.clone(), entry)).collect();
        catalog
    }

    /// The current version of a persona.
    pub fn persona(&self, name: &PersonaName) -> Option<&Entry> {
        self.personas.get(name)
    }

    /// Every persona, by name.
    pub fn personas(&self) -> impl Iterator<Item = &Entry> {
        self.personas.values()
    }

    /// An image.
    pub fn image(&self, name: &ImageName) -> Option<&Arc<Image>> {
        self.images.get(name)
    }

    /// Every image, by name.
    pub fn images(&self) -> impl Iterator<Item = &Arc<Image>> {
        self.images.values()
    }

    /// The file with these bytes.
    pub fn file(&self, digest: &Digest) -> Option<&ImageFile> {
        self.files.get(digest)
    }

    /// The persona that takes the place of one that is not in the library, when exactly one says so.
    pub fn successor(&self, name: &PersonaName) -> Option<&Entry> {
        self.personas.get(self.successors.get(name)?)
    }

    /// Makes a version known that the library does not hold (any more).
    pub fn remember(&mut self, reference: PersonaRef, persona: Arc<Persona>) {
        self.versions.entry(reference).or_insert(persona);
    }

    /// Forgets those versions that were replaced first, as far as they `can` be forgotten, until there are no more than `most`.
    pub fn forget(&mut self, most: usize, can: impl Fn(&Version) -> bool) {
        let Self { versions, replaced, .. } = self;
        let mut over = replaced.len().saturating_sub(most);
        replaced.retain(|reference| {
            let goes = over > 0 && can(&reference.version);
            if goes {
                over -= 1;
                versions.remove(reference);
            }
            !goes
        });
    }

    /// A version of a persona: current, replaced lately, or wanted again.
    pub fn version(&self, reference: &PersonaRef) -> Option<&Arc<Persona>> {
        self.versions.get(reference)
    }
}

/// Who takes the place of whom: of names that no persona bears, those that one persona supersedes and no other.
fn successors(personas: &[Entry]) -> BTreeMap<PersonaName, PersonaName> {
    let mut claims: BTreeMap<&PersonaName, Vec<&PersonaName>> = BTreeMap::new();
    for entry in personas {
        for name in &entry.persona.supersedes {
            claims.entry(name).or_default().push(&entry.reference.name);
        }
    }
    for entry in personas {
        claims.remove(&entry.reference.name);
    }
    let sole = |(name, by): (&PersonaName, Vec<&PersonaName>)| match by[..] {
        [by] => Some((name.clone(), by.clone())),
        _ => None,
    };
    claims.into_iter().filter_map(sole).collect()
}
