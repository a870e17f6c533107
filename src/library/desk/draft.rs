//! What would come of the library if one of its documents said something else: read as the folder is, with that text in the
//! file's place. As long as nobody edits the folder, that costs a look at each file; a text that is the file's own costs no more.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use serde::Serialize;

use crate::{
    document::Problem,
    model::{PersonaName, Version},
    persona::catalog::Entry,
};

use super::{
    super::{
        load::{self, Loaded},
        memory::Memory,
        revision::Found,
        whole::{Reader, Whole},
    },
    Desk, Files, Paper, lock,
};

/// What would come of a text.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// What would be wrong that is not now, and what is wrong with the document itself; warnings too.
    pub problems: Vec<Problem>,
    /// The persona as it would be; nothing when it would not be good, or when the document is none.
    pub persona: Option<Found>,
    /// The personas that would be others than they are.
    pub affected: Vec<Affected>,
}

impl Draft {
    /// Whether it may be saved.
    pub fn is_good(&self) -> bool {
        !self.problems.iter().any(Problem::is_error)
    }
}

/// A persona that would be another than it is.
#[derive(Debug, Clone, Serialize)]
pub struct Affected {
    /// Which.
    pub persona: PersonaName,
    /// Its version; nothing when it is not there, or not good.
    pub before: Option<Version>,
    /// The version that it would have.
    pub after: Option<Version>,
    /// As it is now, where it is good.
    #[serde(skip)]
    pub was: Option<Found>,
    /// As it would be.
    #[serde(skip)]
    pub becomes: Option<Found>,
}

/// What was read of the library for drafts: as it is, and as it last would have been.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) is: Reader,
    would_be: Memory,
}

impl Desk {
    /// What would come of the library if these files of it held this; without a text, if they went.
    pub(super) fn drafted(&self, changes: &BTreeMap<PathBuf, Option<String>>, paper: Option<&Paper>) -> Draft {
        let dir = &self.dir;
        let mut reading = lock(&self.reading);
        let Reading { is, would_be } = &mut *reading;
        let before = is.whole(&Files::Folder(dir.clone()));
        let is_said =
            |(path, text): (&PathBuf, &Option<String>)| text.is_some() && is.text(&dir.join(path)) == text.as_deref();
        let after = match changes.iter().all(is_said) {
            true => before.clone(),
            false => {
                let bytes = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec());
                let changed = changes.iter().map(|(path, text)| (dir.join(path), bytes(text))).collect();
                Arc::new(Whole::of(load::load_again(&Files::Drafted { dir: dir.clone(), changed }, would_be)))
            }
        };
        drop(reading);
        let is_same = Arc::ptr_eq(&before, &after);
        let files: BTreeSet<String> = changes.keys().map(|path| dir.join(path).display().to_string()).collect();
        let warnings = after.warnings().iter().filter(|problem| files.contains(&problem.path)).cloned();
        let (before, after) = (&before.loaded, &after.loaded);
        let mut problems = new_problems(before, after, &files);
        problems.extend(warnings);
        if !problems.iter().any(Problem::is_error) {
            problems.extend(unserved(before, after, paper));
        }
        let persona = match paper {
            Some(Paper::Persona(name)) => found(after, name),
            _ => None,
        };
        let affected = if is_same { vec![] } else { affected(before, after) };
        Draft { problems, persona, affected }
    }
}

/// What is wrong with these files, and everywhere what was not wrong before. Lines move: the same words about another document
/// are no news.
fn new_problems(before: &Loaded, after: &Loaded, files: &BTreeSet<String>) -> Vec<Problem> {
    let known: BTreeSet<_> = before.problems.iter().map(|old| (&old.path, old.code, &old.message)).collect();
    let is_news = |problem: &&Problem| {
        files.contains(&problem.path) || !known.contains(&(&problem.path, problem.code, &problem.message))
    };
    after.problems.iter().filter(is_news).cloned().collect()
}

/// The personas that would not be good, this one or such as are now, although nothing new is said against any document: what
/// they extend is broken already.
fn unserved(before: &Loaded, after: &Loaded, paper: Option<&Paper>) -> Option<Problem> {
    let is_new = |stem: &String| {
        let own = matches!(paper, Some(Paper::Persona(name)) if name.as_str() == stem);
        own || !before.broken.iter().any(|(old, is_image)| !is_image && old == stem)
    };
    let broken = after.broken.iter().filter(|(_, is_image)| !is_image).map(|(stem, _)| stem);
    let names: Vec<&str> = broken.filter(|stem| is_new(stem)).map(String::as_str).collect();
    let (first, message) = (names.first()?, format!("what {} extends is not good", names.join(", ")));
    let help = "mend that first: `greenroom persona check` lists its problems, and so does the list of personas";
    Some(Problem::of_file(&format!("{first}.yaml"), "GR006", message, help))
}

fn found(loaded: &Loaded, name: &PersonaName) -> Option<Found> {
    read(loaded, loaded.personas.iter().find(|entry| entry.reference.name == *name)?)
}

fn read(loaded: &Loaded, entry: &Entry) -> Option<Found> {
    let document = loaded.documents.get(&entry.reference.name)?.clone();
    Some(Found { reference: entry.reference.clone(), persona: entry.persona.clone(), document })
}

/// A fragment may be part of hundreds of personas: each is found by its name.
fn affected(before: &Loaded, after: &Loaded) -> Vec<Affected> {
    let (old, new) = (by_name(before), by_name(after));
    let version = |entry: &&Entry| entry.reference.version.clone();
    let names: BTreeSet<&PersonaName> = old.keys().chain(new.keys()).copied().collect();
    let sides = names.into_iter().map(|name| (name, old.get(name).copied(), new.get(name).copied()));
    let others = sides.filter(|(_, was, becomes)| was.as_ref().map(version) != becomes.as_ref().map(version));
    let affected = others.map(|(name, was, becomes)| Affected {
        persona: name.clone(),
        before: was.as_ref().map(version),
        after: becomes.as_ref().map(version),
        was: was.and_then(|entry| read(before, entry)),
        becomes: becomes.and_then(|entry| read(after, entry)),
    });
    affected.collect()
}

fn by_name(loaded: &Loaded) -> BTreeMap<&PersonaName, &Entry> {
    loaded.personas.iter().map(|entry| (&entry.reference.name, entry)).collect()
}
