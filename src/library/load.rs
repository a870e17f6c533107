//! Reading a folder of personas and image manifests.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use sha1::{Digest as _, Sha1};

use crate::{
    document::{Document, Problem},
    model::{
        PersonaRef, Version,
        image::{Image, Origin, Role},
    },
    persona::{
        Persona,
        catalog::{Catalog, Entry},
        validate::validate,
    },
};

/// What a folder held: the documents that are good, and what is wrong with the others.
pub(super) struct Loaded {
    pub(super) personas: Vec<Entry>,
    pub(super) images: Vec<Image>,
    pub(super) problems: Vec<Problem>,
    /// The stems of the documents that are not good, and whether they are manifests.
    pub(super) broken: Vec<(String, bool)>,
}

/// Reads every document of a library.
pub(super) fn load(dir: &Path) -> Loaded {
    let mut loaded = Loaded { personas: vec![], images: vec![], problems: vec![], broken: vec![] };
    if !dir.is_dir() {
        let help = "make the folder, or set `library` in the configuration";
        loaded.problems.push(Problem::of_file(&dir.display().to_string(), "GR004", "there is no such folder", help));
    }
    for path in documents(dir) {
        match persona(&path) {
            Ok(entry) => loaded.personas.push(entry),
            Err(problems) => loaded.reject(&path, false, problems),
        }
    }
    for path in documents(&dir.join("images")) {
        match image(&path) {
            Ok(image) => loaded.images.push(image),
            Err(problems) => loaded.reject(&path, true, problems),
        }
    }
    loaded
}

impl Loaded {
    fn reject(&mut self, path: &Path, is_image: bool, problems: Vec<Problem>) {
        self.problems.extend(problems);
        self.broken.push((stem(path), is_image));
    }
}

/// Checks one file or a whole library, without remembering anything: how many documents there were, and every problem.
pub fn check(path: &Path) -> (usize, Vec<Problem>) {
    if path.is_file() {
        let manifest = path.parent().is_some_and(|parent| parent.ends_with("images"));
        let problems = if manifest { image(path).err() } else { persona(path).err() };
        return (1, problems.unwrap_or_default());
    }
    let loaded = load(path);
    let count = loaded.personas.len() + loaded.images.len() + loaded.broken.len();
    let catalog = Catalog::new(loaded.personas, loaded.images, &Catalog::default());
    let problems = loaded.problems.into_iter().chain(cross_check(&catalog, path)).collect();
    (count, problems)
}

/// What must hold between documents. A persona whose image is not there (yet) is good, but boots nothing.
pub(super) fn cross_check(catalog: &Catalog, dir: &Path) -> Vec<Problem> {
    let missing = catalog.personas().filter(|entry| catalog.image(entry.persona.image()).is_none());
    let problem = |entry: &Entry| {
        let path = dir.join(format!("{}.yaml", entry.reference.name));
        let image = entry.persona.image();
        let message = format!("image {image} is not in the library: this persona boots nothing yet");
        let help = format!("run `greenroom image add {image} --kernel ... --initrd ...`");
        match read(&path) {
            Ok(document) => document.problem_at("GR007", "os.image", message, &help).warning(),
            Err(_) => Problem::of_file(&path.display().to_string(), "GR007", message, help).warning(),
        }
    };
    missing.map(problem).collect()
}

fn read(path: &Path) -> Result<Document, Problem> {
    let shown = path.display().to_string();
    let bytes = fs::read(path).map_err(|error| {
        Problem::of_file(&shown, "GR005", format!("the file cannot be read: {error}"), "check its permissions")
    })?;
    Document::read(shown, bytes)
}

fn persona(path: &Path) -> Result<Entry, Vec<Problem>> {
    let document = read(path).map_err(|problem| vec![problem])?;
    let name = stem(path).parse().map_err(|error| {
        vec![Problem::of_file(&document.source().path, "GR008", format!("the file's name: {error}"), "rename the file")]
    })?;
    let persona: Persona = document.parse()?;
    let problems = validate(&persona, &document);
    if problems.iter().any(Problem::is_error) {
        return Err(problems);
    }
    let version = Version::new(git_blob_id(document.source().text.as_bytes()));
    Ok(Entry { reference: PersonaRef { name, version }, persona: Arc::new(persona) })
}

fn image(path: &Path) -> Result<Image, Vec<Problem>> {
    let document = read(path).map_err(|problem| vec![problem])?;
    let mut image: Image = document.parse()?;
    let mut problems = vec![];
    if image.name.to_string() != stem(path) {
        let help = format!("call the file {}.yaml, or change `name`", image.name);
        problems.push(document.problem_at("GR008", "name", "an image is called as its file is", &help));
    }
    if !image.files.contains_key(&Role::Kernel) {
        problems.push(document.problem_at("GR015", "files", "an image needs a kernel", "add `kernel:` under `files`"));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    for (role, file) in &mut image.files {
        if file.origins.is_empty() {
            let at = format!("files.{role}.origins");
            problems.push(document.problem_at("GR016", &at, "no origin: the bytes come from nowhere", "name one"));
        }
        for origin in &mut file.origins {
            if let Origin::File(relative) = origin {
                *relative = folder.join(&*relative).display().to_string();
            }
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if file.name.as_ref().is_some_and(|name| name.is_empty() || name.starts_with('.') || !name.chars().all(plain)) {
            let at = format!("files.{role}.name");
            problems.push(document.problem_at(
                "GR017",
                &at,
                "this cannot be the end of a URL",
                "use a plain file name",
            ));
        }
    }
    if problems.is_empty() { Ok(image) } else { Err(problems) }
}

/// What git would call these bytes: the version that `git hash-object` prints.
fn git_blob_id(bytes: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", bytes.len()));
    hash.update(bytes);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The YAML files of a folder, in order. Hidden ones and those that editors leave behind are not documents.
fn documents(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_document = |path: &PathBuf| {
        let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        yaml && !stem(path).starts_with(['.', '#']) && path.is_file()
    };
    let mut paths: Vec<_> = entries.filter(is_document).collect();
    paths.sort();
    paths
}

/// What can be seen of a library without reading it: tells whether anything has changed since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprint(Vec<(PathBuf, u64, Option<SystemTime>)>);

impl Fingerprint {
    /// The library as it looks now.
    pub fn of(dir: &Path) -> Self {
        let paths = documents(dir).into_iter().chain(documents(&dir.join("images")));
        let seen = paths.map(|path| {
            let metadata = fs::metadata(&path).ok();
            let modified = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
            (path, metadata.map_or(0, |metadata| metadata.len()), modified)
        });
        Self(seen.collect())
    }
}
