//! Personas and images as importers make them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    document::yaml,
    model::{
        Arch, Effect, PersonaName,
        image::{Image, ImageFile, ImageName, Role},
    },
    persona::{
        Persona,
        quote::shell_word,
        schema::{ApiVersion, Apps, Disk, Distribution, Install, Network, Os, Preferences, Raw, Resources, Security},
    },
};

use super::name::one_line;

/// A disk that no device has: an installer stops before it wipes anything, and says the name.
pub(super) const NO_DISK: &str = "/dev/disk/by-id/NAME-THE-DISK-HERE";

/// A persona and what to say on top of it.
#[derive(Debug)]
pub struct PersonaDraft {
    /// Its name.
    pub name: PersonaName,
    /// Where it was: `profiles/worker.json`.
    pub place: String,
    /// Comments, one line each.
    pub comments: Vec<String>,
    /// What it says.
    pub persona: Persona,
}

impl PersonaDraft {
    /// The document: its fields in the order in which people write them, without those that say nothing.
    pub fn text(&self) -> String {
        const ORDER: [&str; 9] =
            ["apiVersion", "description", "effect", "os", "apps", "security", "network", "preferences", "raw"];
        let mut text = format!("# Imported from {}.\n", one_line(&self.place));
        for comment in &self.comments {
            text += &format!("# {}\n", one_line(comment));
        }
        let value = serde_json::to_value(&self.persona).unwrap_or_default();
        for (at, field) in ORDER.into_iter().enumerate() {
            let value = value.get(field).cloned();
            // What stands under `raw` is in a format's own words: there `false` may say something.
            let Some(value) = value.and_then(|value| if field == "raw" { Some(value) } else { said(value) }) else {
                continue;
            };
            if at > 2 {
                text.push('\n');
            }
            text += &yaml::to_string(&Map::from_iter([(field.to_owned(), value)]));
        }
        text
    }
}

/// A value without what says nothing: nulls, switches that are off, and maps that are empty or become so. Importers set no
/// switch whose default is on.
fn said(value: Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Object(map) => {
            let map: Map<_, _> = map.into_iter().filter_map(|(key, value)| Some((key, said(value)?))).collect();
            (!map.is_empty()).then_some(Value::Object(map))
        }
        other => Some(other),
    }
}

/// A persona that says only what it boots.
pub(super) fn bare_persona(description: &str, image: ImageName, distribution: Distribution) -> Persona {
    Persona {
        api_version: ApiVersion::V1,
        description: one_line(description),
        owner: None,
        labels: BTreeMap::new(),
        supersedes: vec![],
        extends: Default::default(),
        effect: Effect::Ephemeral,
        os: Os {
            image,
            distribution: Some(distribution),
            family: None,
            version: None,
            arch: vec![],
            kernel_args: vec![],
            install: None,
        },
        apps: Apps::default(),
        security: Security::default(),
        network: Network::default(),
        preferences: Preferences::default(),
        resources: Resources::default(),
        raw: Raw::default(),
    }
}

/// Where to install: the disk's path, or [`NO_DISK`].
pub(super) fn install_to(path: Option<String>) -> Install {
    Install {
        disk: Disk { path: Some(path.unwrap_or_else(|| NO_DISK.to_owned())), ..Disk::default() },
        filesystem: Default::default(),
        lvm: false,
        swap: None,
        partitions: vec![],
    }
}

/// `sda` and `/dev/sda` as the path of a disk, when it can be one.
pub(super) fn disk_path(text: &str) -> Option<String> {
    let rest = text.strip_prefix("/dev/").unwrap_or(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:/-".contains(c);
    (!rest.is_empty() && rest.chars().all(plain) && !rest.contains("..") && !rest.starts_with('/'))
        .then(|| format!("/dev/{rest}"))
}

/// An image whose digests are not known yet.
#[derive(Debug, Clone)]
pub struct ImageDraft {
    /// What personas call it.
    pub name: ImageName,
    /// Where it was.
    pub place: String,
    /// One line for people.
    pub description: String,
    /// What it runs on.
    pub arch: Arch,
    /// The distribution.
    pub distribution: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Where the files are, as the other server says it: URLs and paths. Always has a kernel.
    pub files: BTreeMap<Role, String>,
    /// Kernel arguments.
    pub args: Vec<String>,
}

impl ImageDraft {
    /// The manifest, once the bytes have been read.
    pub fn manifest(&self, files: BTreeMap<Role, ImageFile>) -> String {
        let image = Image {
            name: self.name.clone(),
            description: self.description.clone(),
            arch: self.arch,
            distribution: self.distribution.clone(),
            version: self.version.clone(),
            files,
            args: self.args.clone(),
        };
        format!("# Imported from {}.\n{}", one_line(&self.place), yaml::to_string(&image))
    }

    /// The command that writes the manifest, for files that could not be read now.
    pub fn command(&self) -> String {
        let mut words = vec!["greenroom image add".to_owned(), self.name.to_string()];
        for (role, place) in &self.files {
            words.push(format!("--{role} {}", readable_word(place)));
        }
        if self.arch != Arch::X64 {
            words.push(format!("--arch {}", self.arch));
        }
        let about = [("--distribution", &self.distribution), ("--os-version", &self.version)];
        words.extend(
            about.into_iter().filter_map(|(flag, value)| Some(format!("{flag} {}", readable_word(value.as_deref()?)))),
        );
        words.extend(self.args.iter().map(|arg| format!("--arg {}", readable_word(arg))));
        words.join(" ")
    }
}

/// A word that `sh` takes as it is; plain ones stay plain, for people read these lines.
fn readable_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._:=,+@%-".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => shell_word(text),
    }
}
