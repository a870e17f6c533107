//! What must hold between a persona and its image.
//!
//! A persona that contradicts another document is as broken as one that contradicts itself: it is left out, or stays as it
//! last was.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    document::{Document, Problem},
    model::{
        PersonaName,
        image::{Image, ImageName},
    },
    persona::catalog::{Catalog, Entry},
};

use super::load::Loaded;

/// Takes out of what was loaded the personas that contradict other documents, and says why.
pub(super) fn reject(loaded: &mut Loaded) {
    let images: BTreeMap<&ImageName, &Image> = loaded.images.iter().map(|image| (&image.name, image)).collect();
    let mut problems: Vec<Problem> = vec![];
    let mut broken: BTreeSet<PersonaName> = BTreeSet::new();
    for entry in &loaded.personas {
        let name = &entry.reference.name;
        let Some(document) = loaded.documents.get(name) else { continue };
        let known = problems.len();
        let mut say = |code, path: &str, message: String, help: &str| {
            problems.push(document.problem_at(code, path, message, help));
        };
        if let Some(image) = images.get(entry.persona.image()) {
            of_image(entry, image, &mut say);
        }
        for (at, other) in entry.persona.supersedes.iter().enumerate() {
            let path = format!("supersedes.{at}");
            if other == name {
                say("GR253", &path, format!("{name} supersedes itself"), "name the persona that it takes the place of");
            }
        }
        if problems.len() > known {
            broken.insert(name.clone());
        }
    }
    loaded.personas.retain(|entry| !broken.contains(&entry.reference.name));
    loaded.documents.retain(|name, _| !broken.contains(name));
    loaded.broken.extend(broken.iter().map(|name| (name.to_string(), false)));
    loaded.problems.extend(problems);
}

/// What an image's manifest says, and the persona says otherwise.
fn of_image(entry: &Entry, image: &Image, say: &mut dyn FnMut(&'static str, &str, String, &str)) {
    let os = &entry.persona.os;
    let name = &image.name;
    if !os.arch.is_empty() && !os.arch.contains(&image.arch) {
        let message = format!("image {name} is for {}, which this persona is not meant for", image.arch);
        say("GR250", "os.arch", message, "choose another image, or add the architecture");
    }
    let distribution = os.distribution();
    if let Some(other) = image.distribution.as_deref().filter(|other| *other != distribution.name()) {
        let path = if os.distribution.is_some() { "os.distribution" } else { "os.image" };
        let message = format!("image {name} is {other}, and this persona is {distribution}");
        say("GR251", path, message, &format!("write `distribution: {other}`, or choose another image"));
    } else if let (Some(of_image), Some(wanted)) = (&image.version, &os.version)
        && !is_release_of(of_image, wanted)
        && !is_release_of(wanted, of_image)
    {
        let message = format!("image {name} is {distribution} {of_image}, and this persona is {distribution} {wanted}");
        say("GR252", "os.version", message, &format!("write `version: \"{of_image}\"`, or choose another image"));
    }
}

/// Whether `12.5` is one of `12`.
fn is_release_of(version: &str, series: &str) -> bool {
    version.strip_prefix(series).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What somebody should look at. A persona whose image is not there (yet) is good, but boots nothing.
pub(super) fn warnings(catalog: &Catalog, documents: &BTreeMap<PersonaName, Arc<Document>>) -> Vec<Problem> {
    let mut problems = vec![];
    for entry in catalog.personas() {
        let Some(document) = documents.get(&entry.reference.name) else { continue };
        let image = entry.persona.image();
        if catalog.image(image).is_none() {
            let message = format!("image {image} is not in the library: this persona boots nothing yet");
            let help = format!("run `greenroom image add {image} --kernel ... --initrd ...`");
            problems.push(document.problem_at("GR007", "os.image", message, &help).warning());
        }
    }
    // Personas that inherit their image from one document need it told once.
    problems.sort_by(|a, b| (&a.path, a.line, a.column, a.code).cmp(&(&b.path, b.line, b.column, b.code)));
    problems.dedup();
    problems
}
