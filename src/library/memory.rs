//! What was read of a library before: one file that has changed costs one file, and the personas that extend it.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    document::{Document, Problem},
    model::image::Image,
    persona::{Persona, catalog::Entry, compose::Lineage},
};

use super::{
    abreast,
    files::{Files, Stamp},
};

/// A document as it was read, with what is wrong with it by itself: everything but what is missing, which a document that
/// it is composed with may have.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) document: Result<Arc<Document>, Vec<Problem>>,
    pub(super) faults: Vec<Problem>,
}

/// What came of a persona.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) lineage: Lineage,
    /// It, and the document that it was read from; nothing when it is not good.
    pub(super) good: Option<(Entry, Arc<Document>)>,
    /// What is wrong with it, and what somebody should look at.
    pub(super) problems: Vec<Problem>,
}

/// The documents, personas and manifests of the last reading.
#[derive(Debug, Default)]
pub(super) struct Memory {
    documents: HashMap<PathBuf, (Option<Stamp>, Read)>,
    personas: BTreeMap<String, Arc<Made>>,
    images: HashMap<PathBuf, (Arc<Document>, Checked)>,
}

/// What a look at a file shows.
enum Look {
    /// It is surely as it was.
    Same,
    /// It looks otherwise, or could, and holds what it held.
    Touched(Option<Stamp>),
    /// It holds something else.
    New(Option<Stamp>, Box<Read>),
}

/// An image, or what is wrong with its manifest.
type Checked = Result<Image, Vec<Problem>>;

impl Memory {
    /// The documents in files, in their order. Each is read only when it is not surely as it was.
    pub(super) fn documents(&mut self, files: &Files, paths: &[PathBuf], check: bool) -> Vec<Read> {
        let looks = abreast::each(paths, |path| self.look(files, path, check));
        let reads = paths.iter().zip(looks).map(|(path, look)| {
            let read = match look {
                Look::Same => return self.documents[path].1.clone(),
                Look::Touched(stamp) => (stamp, self.documents[path].1.clone()),
                Look::New(stamp, read) => (stamp, *read),
            };
            self.documents.insert(path.clone(), read.clone());
            read.1
        });
        reads.collect()
    }

    /// What a file said when it was read last, if it was YAML.
    pub(super) fn text(&self, path: &Path) -> Option<&str> {
        let (_, read) = self.documents.get(path)?;
        Some(&read.document.as_ref().ok()?.source().text)
    }

    fn look(&self, files: &Files, path: &Path, check: bool) -> Look {
        // The stamp is older than what is read, so a change between the two is seen the next time.
        let stamp = files.stamp(path);
        let before = self.documents.get(path);
        if let (Some((Some(old), _)), Some(new)) = (before, &stamp)
            && old.vouches_for(new)
        {
            return Look::Same;
        }
        let source = files.read(path);
        if let (Some((_, Read { document: Ok(document), .. })), Ok(source)) = (before, &source)
            && **document.source() == *source
        {
            return Look::Touched(stamp);
        }
        let document = source.and_then(Document::of).map(Arc::new).map_err(|problem| vec![problem]);
        let faults = match &document {
            Ok(document) if check => document.problems_as_part::<Persona>(),
            Ok(_) => vec![],
            Err(problems) => problems.clone(),
        };
        Look::New(stamp, Box::new(Read { document, faults }))
    }

    /// What came of personas when they were last made of these very documents; or else what comes of them now.
    pub(super) fn made(
        &mut self,
        wanted: &[(&str, Lineage)],
        make: impl Fn(&str, Lineage) -> Made + Sync,
    ) -> Vec<Arc<Made>> {
        let made = abreast::each(wanted, |(name, lineage)| {
            match self.personas.get(*name).filter(|made| made.lineage.is_same(lineage)) {
                Some(made) => (made.clone(), false),
                None => (Arc::new(make(name, lineage.clone())), true),
            }
        });
        let noted = wanted.iter().zip(made).map(|((name, _), (made, is_new))| {
            if is_new {
                self.personas.insert((*name).to_owned(), made.clone());
            }
            made
        });
        noted.collect()
    }

    /// What came of a manifest, likewise.
    pub(super) fn image(
        &mut self,
        path: &Path,
        document: &Arc<Document>,
        make: impl FnOnce(&Document) -> Checked,
    ) -> Checked {
        match self.images.get(path).filter(|(before, _)| Arc::ptr_eq(before, document)) {
            Some((_, image)) => image.clone(),
            None => {
                let image = make(document);
                self.images.insert(path.to_owned(), (document.clone(), image.clone()));
                image
            }
        }
    }

    /// Forgets what is not in the library any more.
    pub(super) fn retain(&mut self, paths: &[PathBuf], personas: &[String]) {
        let paths: std::collections::HashSet<&PathBuf> = paths.iter().collect();
        let names: std::collections::HashSet<&String> = personas.iter().collect();
        self.documents.retain(|path, _| paths.contains(path));
        self.images.retain(|path, _| paths.contains(path));
        self.personas.retain(|name, _| names.contains(name));
    }
}
