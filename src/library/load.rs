//! Reading a library: its personas, composed of what they extend, and its image manifests.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use sha1::{Digest as _, Sha1};

use crate::{
    document::{Document, Problem, yaml},
    model::{PersonaName, PersonaRef, Version, image::Image},
    persona::{
        Persona,
        catalog::{Catalog, Entry},
        compose::{Lineage, Shelf},
        validate::validate,
    },
};

use super::{
    cross,
    files::{Files, Stamp, stem},
    manifest,
    memory::{Made, Memory, Read},
};

/// Where fragments lie, and how their names begin.
pub(super) const FRAGMENTS: &str = "fragments";

/// Where image manifests lie.
const IMAGES: &str = "images";

/// What a library held: the documents that are good, and what is wrong with the others.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) personas: Vec<Entry>,
    pub(super) images: Vec<Image>,
    pub(super) problems: Vec<Problem>,
    /// The stems of the documents that are not good, and whether they are manifests.
    pub(super) broken: Vec<(String, bool)>,
    /// What the good personas were read from.
    pub(super) documents: BTreeMap<PersonaName, Arc<Document>>,
    /// The files that each persona is composed of, good or not, by its stem.
    pub(super) files: BTreeMap<String, Vec<PathBuf>>,
    /// How many documents there are, fragments among them.
    pub(super) count: usize,
}

/// Reads every document of a library.
pub(super) fn load(files: &Files) -> Loaded {
    load_again(files, &mut Memory::default())
}

/// Reads what has changed in a library, and makes the personas again that it is part of.
pub(super) fn load_again(files: &Files, memory: &mut Memory) -> Loaded {
    let mut loaded = Loaded::default();
    if !files.exist() {
        let shown = files.dir().display().to_string();
        let help = "make the folder, or set `library` in the configuration";
        loaded.problems.push(Problem::of_file(&shown, "GR004", "there is no such folder", help));
    }
    let own = files.documents("");
    let fragments = files.documents(FRAGMENTS);
    let manifests = files.documents(IMAGES);
    let mut reading = Reading { files, memory, shelf: Shelf::new(), faults: BTreeMap::new() };
    loaded.problems.extend(reading.fragments(&fragments));
    loaded.problems.extend(reading.read(own.iter().map(|path| stem(path)), &own));
    let names: BTreeSet<String> = own.iter().map(|path| stem(path)).collect();
    for (name, made) in names.iter().zip(reading.personas(&names)) {
        loaded.persona(name, made);
    }
    for (path, image) in manifests.iter().zip(reading.images(&manifests)) {
        match image {
            Ok(image) => loaded.images.push(image),
            Err(problems) => {
                loaded.problems.extend(problems);
                loaded.broken.push((stem(path), true));
            }
        }
    }
    cross::reject(&mut loaded);
    // What is wrong with a fragment is wrong with all that extend it, and told once.
    loaded.problems.sort_by(|a, b| (&a.path, a.line, a.column, a.code).cmp(&(&b.path, b.line, b.column, b.code)));
    loaded.problems.dedup();
    loaded.count = own.len() + fragments.len() + manifests.len();
    let paths: Vec<PathBuf> = [own, fragments, manifests].concat();
    reading.memory.retain(&paths, &names.into_iter().collect::<Vec<_>>());
    loaded
}

/// The files of all documents of a library.
pub(super) fn documents(files: &Files) -> Vec<PathBuf> {
    ["", FRAGMENTS, IMAGES].into_iter().flat_map(|folder| files.documents(folder)).collect()
}

/// The documents of a library that can be extended.
pub(super) fn shelf(files: &Files, memory: &mut Memory) -> Shelf {
    let mut reading = Reading { files, memory, shelf: Shelf::new(), faults: BTreeMap::new() };
    let (own, fragments) = (files.documents(""), files.documents(FRAGMENTS));
    drop(reading.fragments(&fragments));
    drop(reading.read(own.iter().map(|path| stem(path)), &own));
    reading.shelf
}

impl Loaded {
    fn persona(&mut self, name: &str, made: Result<Came, Vec<Problem>>) {
        let (good, problems) = match made {
            Ok(Came { made, inherited }) => {
                let files = made.lineage.documents().map(|document| PathBuf::from(&document.source().path));
                self.files.insert(name.to_owned(), files.collect());
                let good = made.good.clone().filter(|_| inherited.is_empty());
                (good, [made.problems.clone(), inherited].concat())
            }
            Err(problems) => (None, problems),
        };
        self.problems.extend(problems);
        match good {
            Some((entry, document)) => {
                self.documents.insert(entry.reference.name.clone(), document);
                self.personas.push(entry);
            }
            None => self.broken.push((name.to_owned(), false)),
        }
    }
}

/// What came of a persona, with what is wrong with what it extends.
struct Came {
    made: Arc<Made>,
    inherited: Vec<Problem>,
}

/// A library under way.
struct Reading<'a> {
    files: &'a Files,
    memory: &'a mut Memory,
    /// What can be extended.
    shelf: Shelf,
    /// What is wrong with each document by itself, by the path of its source.
    faults: BTreeMap<String, Vec<Problem>>,
}

impl Reading<'_> {
    /// Puts documents on the shelf, by these names. Returns what is wrong with those.
    fn read(&mut self, names: impl Iterator<Item = String>, paths: &[PathBuf]) -> Vec<Problem> {
        let mut problems = vec![];
        let reads = self.memory.documents(self.files, paths, true);
        for ((name, path), Read { document, faults }) in names.zip(paths).zip(reads) {
            let shown = path.display().to_string();
            if self.shelf.contains_key(&name) {
                let message = format!("another file is called `{name}` too, with another ending");
                problems.push(Problem::of_file(&shown, "GR008", message, "remove one of the two"));
                continue;
            }
            self.faults.insert(shown, faults);
            self.shelf.insert(name, document);
        }
        problems
    }

    /// What is wrong with fragments by themselves, whether or not a persona extends them.
    fn fragments(&mut self, paths: &[PathBuf]) -> Vec<Problem> {
        let name = |path: &PathBuf| format!("{FRAGMENTS}/{}", stem(path));
        let mut problems = self.read(paths.iter().map(name), paths);
        for path in paths {
            let shown = path.display().to_string();
            let Some(faults) = self.faults.get_mut(&shown) else { continue };
            if let Some(Ok(document)) = self.shelf.get(&name(path))
                && faults.is_empty()
                && !document.has("apiVersion")
            {
                let help = "a fragment begins with `apiVersion: greenroom/v1`";
                faults.push(Problem::of_file(&shown, "GR003", "`apiVersion` is missing", help));
            }
            problems.extend(faults.iter().cloned());
        }
        problems
    }

    /// What comes of the personas of these names.
    fn personas(&mut self, names: &BTreeSet<String>) -> Vec<Result<Came, Vec<Problem>>> {
        let mut wanted = vec![];
        let mut refused = BTreeMap::new();
        for name in names {
            match Lineage::of(name, &self.shelf) {
                Ok(lineage) => wanted.push((name.as_str(), lineage)),
                Err(problems) => drop(refused.insert(name, problems)),
            }
        }
        let inherited = |made: &Made| {
            let faults = made.lineage.split().1.filter_map(|document| self.faults.get(&document.source().path));
            faults.flatten().cloned().collect()
        };
        let mut made = self.memory.made(&wanted, make).into_iter();
        let came = names.iter().filter_map(|name| match refused.remove(name) {
            Some(problems) => Some(Err(problems)),
            None => made.next().map(|made| Ok(Came { inherited: inherited(&made), made })),
        });
        came.collect()
    }

    fn images(&mut self, paths: &[PathBuf]) -> Vec<Result<Image, Vec<Problem>>> {
        let reads = self.memory.documents(self.files, paths, false);
        let images = paths.iter().zip(reads).map(|(path, read)| {
            let document = read.document?;
            self.memory.image(path, &document, |document| manifest::image(path, document))
        });
        images.collect()
    }
}

/// Composes and checks a persona.
fn make(name: &str, lineage: Lineage) -> Made {
    match good(name, &lineage) {
        Ok((entry, document, problems)) => Made { lineage, good: Some((entry, document)), problems },
        Err(problems) => Made { lineage, good: None, problems },
    }
}

type Good = (Entry, Arc<Document>, Vec<Problem>);

fn good(name: &str, lineage: &Lineage) -> Result<Good, Vec<Problem>> {
    let (own, _) = lineage.split();
    let name = name.parse().map_err(|error| {
        vec![Problem::of_file(&own.source().path, "GR008", format!("the file's name: {error}"), "rename the file")]
    })?;
    let document = lineage.compose()?;
    let persona: Persona = document.parse()?;
    let problems = validate(&persona, &document);
    if problems.iter().any(Problem::is_error) {
        return Err(problems);
    }
    let version = Version::new(git_blob_id(yaml::to_string(&persona).as_bytes()));
    let entry = Entry { reference: PersonaRef { name, version }, persona: Arc::new(persona) };
    Ok((entry, Arc::new(document), problems))
}

/// Checks one file, a whole library, or its folder of manifests or fragments, without remembering anything: how many
/// documents there were, and every problem. A file is checked with what it extends from the library around it.
pub fn check(path: &Path) -> (usize, Vec<Problem>) {
    if !path.is_dir() {
        return (1, check_file(path));
    }
    if is_called(path, IMAGES) || is_called(path, FRAGMENTS) {
        let documents = Files::Folder(path.to_owned()).documents("");
        return (documents.len(), documents.iter().flat_map(|path| check_file(path)).collect());
    }
    let loaded = load(&Files::Folder(path.to_owned()));
    let catalog = Catalog::new(loaded.personas, loaded.images, &Catalog::default());
    let problems = loaded.problems.into_iter().chain(cross::warnings(&catalog, &loaded.documents));
    let problems = problems.chain(super::succession::problems(&catalog, &loaded.documents)).collect();
    (loaded.count, problems)
}

/// Whether a folder has this name, however it was pointed to.
fn is_called(folder: &Path, name: &str) -> bool {
    folder.canonicalize().is_ok_and(|folder| folder.ends_with(name))
}

fn check_file(path: &Path) -> Vec<Problem> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let is_fragment = is_called(folder, FRAGMENTS);
    let files = Files::Folder(if is_fragment { folder.join("..") } else { folder.to_owned() });
    let mut memory = Memory::default();
    let mut reading = Reading { files: &files, memory: &mut memory, shelf: Shelf::new(), faults: BTreeMap::new() };
    let own = [path.to_owned()];
    if is_called(folder, IMAGES) {
        return reading.images(&own).into_iter().filter_map(Result::err).flatten().collect();
    }
    // The file itself first, so that what is said of it names it as the user did.
    let name = if is_fragment { format!("{FRAGMENTS}/{}", stem(path)) } else { stem(path) };
    let mut problems = match is_fragment {
        true => reading.fragments(&own),
        false => reading.read(std::iter::once(name.clone()), &own),
    };
    if reading.shelf.get(&name).is_some_and(|read| read.as_ref().is_ok_and(|document| document.has("extends"))) {
        let (fragments, others) = (files.documents(FRAGMENTS), files.documents(""));
        drop(reading.fragments(&fragments));
        drop(reading.read(others.iter().map(|path| stem(path)), &others));
    }
    let more = match is_fragment {
        true => Lineage::of(&name, &reading.shelf).err().unwrap_or_default(),
        false => reading.personas(&BTreeSet::from([name])).pop().map_or(vec![], |came| match came {
            Ok(came) => [came.made.problems.clone(), came.inherited].concat(),
            Err(problems) => problems,
        }),
    };
    for problem in more {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

/// One warning for all that stay as they were, however many a broken fragment holds up.
pub(super) fn staying(names: &[String], dir: &Path) -> Option<Problem> {
    let message = match names {
        [] => return None,
        [one] => format!("{one} stays as it was before this change"),
        [some @ .., last] if some.len() < 5 => {
            format!("{} and {last} stay as they were before this change", some.join(", "))
        }
        _ => format!("{} and {} others stay as they were before this change", names[..4].join(", "), names.len() - 4),
    };
    let help = "mend the problems above; the last good version serves until then";
    Some(Problem::of_file(&dir.display().to_string(), "GR006", message, help).warning())
}

/// What git would call these bytes: the version that `git hash-object` prints.
pub(super) fn git_blob_id(bytes: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", bytes.len()));
    hash.update(bytes);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What can be seen of a library without reading it: tells whether anything has changed since.
#[derive(Debug, Clone, Default)]
pub struct Fingerprint(Vec<(PathBuf, Option<Stamp>)>);

impl Fingerprint {
    /// The library as it looks now.
    pub fn of(dir: &Path) -> Self {
        let files = Files::Folder(dir.to_owned());
        Self(documents(&files).into_iter().map(|path| (path.clone(), files.stamp(&path))).collect())
    }
}

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        let looks_as = |one: &Option<Stamp>, other: &Option<Stamp>| match (one, other) {
            (Some(one), Some(other)) => one.looks_as(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        let mut pairs = self.0.iter().zip(&other.0);
        self.0.len() == other.0.len() && pairs.all(|(one, other)| one.0 == other.0 && looks_as(&one.1, &other.1))
    }
}

impl Eq for Fingerprint {}
