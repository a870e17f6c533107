//! The sample library, in the binary: what a first persona can begin with.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use serde::Serialize;

use crate::model::{Effect, PersonaName, image::ImageName};

use super::super::{files::Files, load};

/// A file of the sample library: its path there, and its text.
macro_rules! file {
    ($path:literal) => {
        ($path, include_str!(concat!("../../../personas/", $path)))
    };
}

const FILES: &[(&str, &str)] = &[
    file!("build-host-rocky.yaml"),
    file!("compute-diskless.yaml"),
    file!("desktop-fedora.yaml"),
    file!("desktop-windows.yaml"),
    file!("kiosk-live.yaml"),
    file!("node-flatcar.yaml"),
    file!("rescue-memtest.yaml"),
    file!("server-debian.yaml"),
    file!("server-ubuntu.yaml"),
    file!("workstation-debian.yaml"),
    file!("workstation-ubuntu.yaml"),
    file!("fragments/admin.yaml"),
    file!("fragments/desktop-gnome.yaml"),
    file!("fragments/developer.yaml"),
    file!("fragments/hardened.yaml"),
    file!("fragments/monitored.yaml"),
    file!("fragments/office-en.yaml"),
    file!("images/debian-12-installer.yaml"),
];

/// A persona of the sample library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// What it is called there.
    pub name: PersonaName,
    /// What it is, in a line.
    pub description: String,
    /// What it does to disks.
    pub effect: Effect,
    /// The image that it boots.
    pub image: ImageName,
    /// Whether a manifest of that image is among the samples.
    pub has_image: bool,
    /// The other documents that it is composed of, by their paths in a library.
    pub extends: Vec<String>,
    /// Its text.
    #[serde(skip)]
    pub text: &'static str,
}

impl Sample {
    /// The documents that a library needs beside the sample itself: paths and texts. The manifest comes last, if there is one.
    pub(super) fn needs(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let extended = self.extends.iter().filter_map(|path| Some((path.as_str(), text(path)?)));
        let manifest = format!("images/{}.yaml", self.image);
        extended.chain(FILES.iter().find(|(path, _)| *path == manifest).copied())
    }
}

fn text(path: &str) -> Option<&'static str> {
    FILES.iter().find(|(known, _)| *known == path).map(|(_, text)| *text)
}

/// The samples, by name.
pub fn samples() -> &'static [Sample] {
    static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
        let files: BTreeMap<PathBuf, Vec<u8>> =
            FILES.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect();
        let loaded = load::load(&Files::Commit { dir: PathBuf::new(), files });
        let sample = |entry: &crate::persona::catalog::Entry| {
            let name = &entry.reference.name;
            let own = format!("{name}.yaml");
            let others = loaded.files.get(name.as_str()).into_iter().flatten();
            let others = others.filter(|path| path.as_path() != Path::new(&own));
            let image = entry.persona.image().clone();
            Some(Sample {
                name: name.clone(),
                description: entry.persona.description.clone(),
                effect: entry.persona.effect(),
                has_image: loaded.images.iter().any(|known| known.name == image),
                image,
                extends: others.map(|path| path.display().to_string()).collect(),
                text: text(&own)?,
            })
        };
        loaded.personas.iter().filter_map(sample).collect()
    });
    &SAMPLES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_of_the_folder_is_in_the_binary_and_good() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("personas");
        let mut names: Vec<String> = std::fs::read_dir(&folder)
            .expect("the sample library")
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".yaml").map(str::to_owned))
            .collect();
        names.sort();
        assert_eq!(samples().iter().map(|sample| sample.name.to_string()).collect::<Vec<_>>(), names);
        for sample in samples() {
            assert_eq!(sample.needs().count(), sample.extends.len() + usize::from(sample.has_image), "{}", sample.name);
        }
    }
}
