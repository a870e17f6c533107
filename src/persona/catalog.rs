//! The personas and images that validate: what decisions may choose from.

use std::{collections::BTreeMap, sync::Arc};

use crate::model::{
    Digest, PersonaName, PersonaRef,
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
    /// Every version since the start, so that a boot under way is served the text that it was planned with.
    versions: BTreeMap<PersonaRef, Arc<Persona>>,
    files: BTreeMap<Digest, ImageFile>,
}

impl Catalog {
    /// A catalog of these, which also remembers what `before` knew of versions.
    pub fn new(personas: Vec<Entry>, images: Vec<Image>, before: &Self) -> Self {
        let mut versions = before.versions.clone();
        versions.extend(personas.iter().map(|entry| (entry.reference.clone(), entry.persona.clone())));
        // Blobs of images that left the library stay known too: a boot may be fetching them.
        let mut files = before.files.clone();
        files.extend(images.iter().flat_map(|image| image.files.values()).map(|file| (file.sha256, file.clone())));
        Self {
            personas: personas.into_iter().map(|entry| (entry.reference.name.clone(), entry)).collect(),
            images: images.into_iter().map(|image| (image.name.clone(), Arc::new(image))).collect(),
            versions,
            files,
        }
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

    /// A version of a persona, current or replaced since the start.
    pub fn version(&self, reference: &PersonaRef) -> Option<&Arc<Persona>> {
        self.versions.get(reference)
    }
}
