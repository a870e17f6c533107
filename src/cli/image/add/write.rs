//! The manifest: written as a whole or not at all, and only if the library reads it back as it was meant.

use std::{fs, path::Path};

use crate::{document::yaml, library, model::image::Image};

use super::{Failure, out};

/// Says no to what is there already, and what is lost when it goes.
pub(super) fn may_be(path: &Path, force: bool) -> Result<(), Failure> {
    let Ok(text) = fs::read_to_string(path) else {
        return match path.exists() && !force {
            true => Err(format!("{} is there already: --force replaces it", path.display()).into()),
            false => Ok(()),
        };
    };
    let comments = text.lines().filter(|line| line.trim_start().starts_with('#') || line.contains(" #")).count();
    let with = match comments {
        0 => String::new(),
        1 => ", and the comment in it is lost".to_owned(),
        n => format!(", and the {n} comments in it are lost"),
    };
    match force {
        false => Err(format!("{} is there already: --force replaces it{with}", path.display()).into()),
        true => {
            if comments > 0 {
                out::note(&format!("{} is replaced{with}", path.display()));
            }
            Ok(())
        }
    }
}

/// Writes a manifest.
pub(super) fn write(path: &Path, image: &Image) -> Result<(), Failure> {
    let text = yaml::to_string(image);
    let read = library::read_manifest(path, text.clone().into_bytes()).map_err(|problems| {
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        Failure::Failed(format!(
            "the library would not take the manifest, so it is not written:\n\n{}",
            told.join("\n\n")
        ))
    })?;
    if read != *image {
        return Err(Failure::Failed(
            "the library would read the manifest otherwise, so it is not written: this is a bug".into(),
        ));
    }
    Ok(library::put(path, text.as_bytes(), 0o644).map_err(|error| format!("{}: {error}", path.display()))?)
}
