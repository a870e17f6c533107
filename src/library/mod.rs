//! Floor 3: the personas and images that an admin keeps in a folder, usually a git work tree.
//!
//! ```text
//!   <library>/kiosk-live.yaml            a persona; its name is the stem
//!   <library>/images/debian-live.yaml    an image manifest; likewise
//! ```
//! **A document that does not validate never replaces the last good one.** It is left out, or stays as it last was, and is
//! reported.

mod load;
mod secret;

use std::path::{Path, PathBuf};

use crate::{
    document::Problem,
    model::image::Image,
    persona::catalog::{Catalog, Entry},
};

pub use load::{Fingerprint, check};
pub use secret::{SecretError, secrets_of};

/// A library that remembers what last was good.
#[derive(Debug)]
pub struct Library {
    dir: PathBuf,
    catalog: Catalog,
    problems: Vec<Problem>,
    seen: Fingerprint,
}

impl Library {
    /// Reads the library for the first time. A folder that is not there is a library without personas, and a problem.
    pub fn open(dir: &Path) -> Self {
        let mut library =
            Self { dir: dir.to_owned(), catalog: Catalog::default(), problems: vec![], seen: Fingerprint::default() };
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

    /// Reads the library again.
    pub fn reload(&mut self) {
        self.seen = Fingerprint::of(&self.dir);
        let loaded = load::load(&self.dir);
        let mut personas = loaded.personas;
        let mut images = loaded.images;
        let mut problems = loaded.problems;
        for (name, is_image) in &loaded.broken {
            let kept = match is_image {
                false => self.keep_persona(name, &mut personas),
                true => self.keep_image(name, &mut images),
            };
            if kept {
                let message = format!("{name} stays as it was before this change");
                let help = "mend the problems above; the last good version serves until then";
                problems.push(Problem::of_file(&self.dir.display().to_string(), "GR006", message, help).warning());
            }
        }
        self.catalog = Catalog::new(personas, images, &self.catalog);
        problems.extend(load::cross_check(&self.catalog, &self.dir));
        self.problems = problems;
    }

    fn keep_persona(&self, name: &str, personas: &mut Vec<Entry>) -> bool {
        let last = name.parse().ok().and_then(|name| self.catalog.persona(&name)).cloned();
        let kept = last.is_some();
        personas.extend(last);
        kept
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

    /// What is not.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}
