//! Image manifests: what must hold of one beyond its shape.

use std::path::Path;

use crate::{
    document::{Document, Problem},
    model::image::{Image, Origin, Role},
};

use super::files::stem;

/// Reads a manifest that is to be written to a path, as the library will.
pub fn read_manifest(path: &Path, text: Vec<u8>) -> Result<Image, Vec<Problem>> {
    let document = Document::read(path.display().to_string(), text).map_err(|problem| vec![problem])?;
    image(path, &document)
}

/// The image of a manifest, whose relative files are relative to it.
pub(super) fn image(path: &Path, document: &Document) -> Result<Image, Vec<Problem>> {
    let mut image: Image = document.parse_alone()?;
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
            if let Origin::File(relative) | Origin::Iso { image: relative, .. } = origin {
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
