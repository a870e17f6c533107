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
const FRAGMENTS: &str = "fragments";

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
    for path in &fragments {
        loaded.problems.extend(reading.fragment(path));
    }
    for path in &own {
        loaded.problems.extend(reading.read(stem(path), path));
    }
    let names: BTreeSet<String> = own.iter().map(|path| stem(path)).collect();
    for name in &names {
        loaded.persona(name, reading.persona(name));
    }
    for path in &manifests {
        match reading.image(path) {
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

impl Loaded {
    fn persona(&mut self, name: &str, made: Result<Made, Vec<Problem>>) {
        let (good, problems) = match made {
            Ok(made) => (made.good, made.problems),
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
    /// Puts a document on the shelf. Returns what is wrong with its name.
    fn read(&mut self, name: String, path: &Path) -> Option<Problem> {
        let shown = path.display().to_string();
        if self.shelf.contains_key(&name) {
            let message = format!("another file is called `{name}` too, with another ending");
            return Some(Problem::of_file(&shown, "GR008", message, "remove one of the two"));
        }
        let Read { document, faults } = self.memory.document(self.files, path, true);
        self.faults.insert(shown, faults);
        self.shelf.insert(name, document);
        None
    }

    /// What is wrong with a fragment by itself, whether or not a persona extends it.
    fn fragment(&mut self, path: &Path) -> Vec<Problem> {
        let name = format!("{FRAGMENTS}/{}", stem(path));
        if let Some(problem) = self.read(name.clone(), path) {
            return vec![problem];
        }
        let faults = self.faults.entry(path.display().to_string()).or_default();
        if let Some(Ok(document)) = self.shelf.get(&name)
            && faults.is_empty()
            && !document.has("apiVersion")
        {
            let shown = path.display().to_string();
            let help = "a fragment begins with `apiVersion: greenroom/v1`";
            faults.push(Problem::of_file(&shown, "GR003", "`apiVersion` is missing", help));
        }
        faults.clone()
    }

    fn persona(&mut self, name: &str) -> Result<Made, Vec<Problem>> {
        let lineage = Lineage::of(name, &self.shelf)?;
        let (_, behind) = lineage.split();
        let inherited = behind.filter_map(|document| self.faults.get(&document.source().path));
        let inherited: Vec<Problem> = inherited.flatten().cloned().collect();
        let mut made = self.memory.made(name, lineage, |lineage| make(name, lineage));
        if !inherited.is_empty() {
            made.good = None;
            made.problems.extend(inherited);
        }
        Ok(made)
    }

    fn image(&mut self, path: &Path) -> Result<Image, Vec<Problem>> {
        let document = self.memory.document(self.files, path, false).document?;
        self.memory.image(path, &document, |document| manifest::image(path, document))
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

/// Checks one file or a whole library, without remembering anything: how many documents there were, and every problem. A file
/// is checked with what it extends from the library around it.
pub fn check(path: &Path) -> (usize, Vec<Problem>) {
    if !path.is_dir() {
        return (1, check_file(path));
    }
    let loaded = load(&Files::Folder(path.to_owned()));
    let catalog = Catalog::new(loaded.personas, loaded.images, &Catalog::default());
    let problems = loaded.problems.into_iter().chain(cross::warnings(&catalog, &loaded.documents)).collect();
    (loaded.count, problems)
}

fn check_file(path: &Path) -> Vec<Problem> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let is_in = |name: &str| folder.canonicalize().is_ok_and(|folder| folder.ends_with(name));
    let is_fragment = is_in(FRAGMENTS);
    let files = Files::Folder(if is_fragment { folder.join("..") } else { folder.to_owned() });
    let mut memory = Memory::default();
    let mut reading = Reading { files: &files, memory: &mut memory, shelf: Shelf::new(), faults: BTreeMap::new() };
    if is_in(IMAGES) {
        return reading.image(path).err().unwrap_or_default();
    }
    // The file itself first, so that what is said of it names it as the user did.
    let name = if is_fragment { format!("{FRAGMENTS}/{}", stem(path)) } else { stem(path) };
    let mut problems = match is_fragment {
        true => reading.fragment(path),
        false => reading.read(name.clone(), path).into_iter().collect(),
    };
    if reading.shelf.get(&name).is_some_and(|read| read.as_ref().is_ok_and(|document| document.has("extends"))) {
        files.documents(FRAGMENTS).iter().for_each(|path| drop(reading.fragment(path)));
        files.documents("").iter().for_each(|path| drop(reading.read(stem(path), path)));
    }
    let more = match is_fragment {
        true => Lineage::of(&name, &reading.shelf).err().unwrap_or_default(),
        false => reading.persona(&name).map_or_else(|problems| problems, |made| made.problems),
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
        let paths = ["", FRAGMENTS, IMAGES].into_iter().flat_map(|folder| files.documents(folder));
        Self(paths.map(|path| (path.clone(), files.stamp(&path))).collect())
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
