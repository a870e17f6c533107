//! The personas of a simulated site, and their images: names, lengths and digests, never a byte.

use std::{collections::BTreeMap, sync::Arc};

use sha2::{Digest as _, Sha256};

use crate::{
    model::{
        Arch, Bytes, Digest, Effect, PersonaName, PersonaRef, Version,
        image::{Image, ImageFile, ImageName, Role},
    },
    persona::{
        Persona,
        catalog::{Catalog, Entry},
    },
    stage::replay::Dice,
};

use super::scenario::Scenario;

const MIB: u64 = 1 << 20;

/// A library that nothing can be simulated with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLibrary {
    /// No persona that a device becomes without its disk.
    #[error(
        "no persona of the library leaves the disk alone (`effect: ephemeral`): there is nothing to predict and to stage"
    )]
    NothingEphemeral,
    /// Too many.
    #[error("the library has more than 60,000 personas")]
    TooMany,
}

/// The personas: those that leave the disk alone first, then perhaps one that installs.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    entries: Vec<Entry>,
    images: BTreeMap<ImageName, Image>,
    ephemeral: u16,
}

impl Shelf {
    /// What a scenario brings along.
    pub(super) fn made(scenario: Scenario, seed: u64) -> Self {
        let mut shelf = Self { entries: vec![], images: BTreeMap::new(), ephemeral: scenario.personas().len() as u16 };
        let all = scenario.personas().iter().map(|(name, most)| (*name, *most, Effect::Ephemeral));
        for (name, most, effect) in all.chain([("installed-desktop", 1200, Effect::Destructive)]) {
            let mut dice = Dice::of_one(seed, 3, shelf.entries.len() as u64);
            let image: ImageName = format!("{name}-image").parse().expect("the scenarios' names are names");
            shelf.entries.push(entry(name, effect, &image));
            shelf.images.insert(image.clone(), made_image(image, most * MIB, &mut dice));
        }
        shelf
    }

    /// The personas of a library. An image that it does not have, or whose lengths it does not know, is made up.
    pub(super) fn of(library: &Catalog, seed: u64) -> Result<Self, BadLibrary> {
        let mut entries: Vec<Entry> = library.personas().cloned().collect();
        let installs = |entry: &Entry| entry.persona.effect() == Effect::Destructive;
        entries.sort_by_key(|entry| (installs(entry), entry.reference.name.clone()));
        let ephemeral = entries.iter().filter(|entry| !installs(entry)).count();
        entries.truncate(ephemeral + 1);
        let ephemeral = u16::try_from(ephemeral).ok().filter(|count| *count <= 60_000).ok_or(BadLibrary::TooMany)?;
        if ephemeral == 0 {
            return Err(BadLibrary::NothingEphemeral);
        }
        let mut images = BTreeMap::new();
        for (n, entry) in entries.iter().enumerate() {
            let name = entry.persona.image();
            let mut image = made_image(name.clone(), 2500 * MIB, &mut Dice::of_one(seed, 3, n as u64));
            if let Some(known) = library.image(name) {
                for (role, file) in &known.files {
                    let made = image.files.get(role).and_then(|made| made.size);
                    image.files.insert(*role, ImageFile { size: file.size.or(made), ..file.clone() });
                }
                image.files.retain(|role, _| known.files.contains_key(role));
            }
            images.insert(name.clone(), image);
        }
        Ok(Self { entries, images, ephemeral })
    }

    /// How many personas leave the disk alone.
    pub(super) fn len(&self) -> u16 {
        self.ephemeral
    }

    /// The one that installs.
    pub(super) fn installer(&self) -> Option<u16> {
        (self.entries.len() > usize::from(self.ephemeral)).then_some(self.ephemeral)
    }

    pub(super) fn name(&self, persona: u16) -> &PersonaName {
        &self.entries[usize::from(persona)].reference.name
    }

    /// What a device loads to become it, and the lengths.
    pub(super) fn files(&self, persona: u16) -> impl Iterator<Item = (Digest, u64)> {
        let image = self.images.get(self.entries[usize::from(persona)].persona.image());
        let files = image.into_iter().flat_map(|image| image.files.values());
        files.map(|file| (file.sha256, file.size.map_or(0, |size| size.0)))
    }

    /// The secrets that they name: a simulated site has all of them.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().flat_map(|entry| entry.persona.secret_names())
    }

    /// The bytes of all images.
    pub(super) fn bytes(&self) -> u64 {
        self.images
            .values()
            .flat_map(|image| image.files.values())
            .filter_map(|file| file.size)
            .map(|size| size.0)
            .sum()
    }

    /// The image of a persona has a new version: other bytes, about as many of them.
    pub(super) fn release(&mut self, persona: u16, seed: u64, number: u64) {
        let name = self.entries[usize::from(persona)].persona.image().clone();
        let Some(image) = self.images.get_mut(&name) else { return };
        for (n, file) in image.files.values_mut().enumerate() {
            let mut dice = Dice::of_one(seed, 4, number * 8 + n as u64);
            let len = file.size.map_or(0, |size| size.0);
            file.size = Some(Bytes((len as f64 * (0.97 + 0.06 * dice.part())) as u64));
            file.sha256 = digest(&format!("{} {number} {n}", file.sha256));
        }
    }

    /// The library as decisions see it.
    pub(super) fn catalog(&self, before: &Catalog) -> Catalog {
        Catalog::new(self.entries.clone(), self.images.values().cloned().collect(), before)
    }
}

fn entry(name: &str, effect: Effect, image: &ImageName) -> Entry {
    let install = match effect {
        Effect::Destructive => serde_json::json!({ "image": image, "install": { "disk": "/dev/sda" } }),
        Effect::Ephemeral => serde_json::json!({ "image": image }),
    };
    let json = serde_json::json!({
        "apiVersion": "greenroom/v1", "description": name, "effect": effect, "os": install,
    });
    let persona: Persona = serde_json::from_value(json).expect("these four fields are the schema's");
    let version = Version::new(&digest(name).to_string()[..40]);
    let name = name.parse().expect("the scenarios' names are names");
    Entry { reference: PersonaRef { name, version }, persona: Arc::new(persona) }
}

/// A kernel, an initrd, and a root file system of up to `most` bytes.
fn made_image(name: ImageName, most: u64, dice: &mut Dice) -> Image {
    let file = |role: Role, len: u64| {
        let file = ImageFile {
            sha256: digest(&format!("{name}/{role}")),
            size: Some(Bytes(len)),
            origins: vec![],
            name: None,
        };
        (role, file)
    };
    let files = BTreeMap::from([
        file(Role::Kernel, dice.size(8 * MIB, 14 * MIB)),
        file(Role::Initrd, dice.size(35 * MIB, 110 * MIB)),
        file(Role::Rootfs, dice.size(most / 2, most)),
    ]);
    let description = String::new();
    Image { name, description, arch: Arch::X64, distribution: None, version: None, files, args: vec![] }
}

fn digest(text: &str) -> Digest {
    Digest::new(Sha256::digest(text.as_bytes()).into())
}
