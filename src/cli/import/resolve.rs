//! The digests of images: from files that lie here, or from their URLs when that is asked for.
//!
//! Only files below the folders that were named, and the other server's own, are read: what is hashed here is served later,
//! and a foreign profile must not choose any file of this machine.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    images::{S3Settings, survey},
    import::{ImageDraft, Imported},
    model::image::{ImageFile, Origin, Role},
};

use super::super::out;

/// Where the files of images may lie.
pub(super) struct Roots {
    dirs: Vec<PathBuf>,
    /// Whether paths begin with `/assets/` and mean a place below a root.
    assets: bool,
}

impl Roots {
    /// Matchbox serves `assets` of its folder under `/assets/`.
    pub(super) fn of_matchbox(dir: &Path, named: &[PathBuf]) -> Self {
        let own = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
        let assets = fs::canonicalize(own.join("assets")).ok().filter(|real| real.starts_with(&own));
        Self { dirs: real(named).chain(assets).collect(), assets: true }
    }

    /// Cobbler's distros name absolute paths below its web folder.
    pub(super) fn of_cobbler(dir: &Path, named: &[PathBuf]) -> Self {
        let own = [dir.to_owned(), "/var/www/cobbler".into(), "/srv/www/cobbler".into()];
        Self { dirs: real(named).chain(real(&own)).collect(), assets: false }
    }

    /// The file here that a place names. The error says why there is none.
    fn file(&self, place: &str) -> Result<PathBuf, String> {
        let path = place.split_once("://").map_or(place, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
        let relative = match (self.assets, path.strip_prefix("/assets/")) {
            (true, Some(rest)) => rest,
            (true, None) => return Err(format!("{place} is no file of the assets")),
            (false, _) if place.contains("://") => return Err(format!("{place} is no file here")),
            (false, _) => path,
        };
        let found = self.dirs.iter().find_map(|root| {
            let real = fs::canonicalize(root.join(relative)).ok()?;
            (real.starts_with(root) && real.is_file()).then_some(real)
        });
        let dirs: Vec<_> = self.dirs.iter().map(|dir| dir.display().to_string()).collect();
        let dirs = if dirs.is_empty() { "any folder of assets".to_owned() } else { dirs.join(" or ") };
        found.ok_or_else(|| format!("{place} is not below {dirs}"))
    }

    /// The place as `image add` takes it: where the file would lie, when it is one of the assets that is not there yet. One
    /// that is there was refused, and a script must not add it after all.
    fn for_command(&self, place: &str) -> String {
        let Some(rest) = place.strip_prefix("/assets/").filter(|rest| self.assets && !rest.contains("..")) else {
            return place.to_owned();
        };
        match self.dirs.first().map(|root| root.join(rest)) {
            Some(path) if fs::symlink_metadata(&path).is_err() => path.display().to_string(),
            Some(_) => place.to_owned(),
            None => format!("ASSETS/{rest}"),
        }
    }
}

fn real(dirs: &[PathBuf]) -> impl Iterator<Item = PathBuf> + '_ {
    dirs.iter().filter_map(|dir| fs::canonicalize(dir).ok())
}

/// A manifest that can be written.
pub(super) struct Manifest {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) what: String,
    pub(super) text: String,
}

/// An image whose bytes are not at hand.
#[derive(Serialize)]
pub(super) struct Missing {
    /// What personas call it.
    pub(super) name: String,
    /// Why.
    pub(super) why: String,
    /// The command that adds it.
    pub(super) command: String,
}

/// A manifest for each image whose files can be read now.
pub(super) async fn images(imported: &Imported, roots: &Roots, fetch: bool) -> Vec<Result<Manifest, Missing>> {
    let mut done = vec![];
    // Images share files, and a kernel of a hundred megabytes need not be read twice.
    let mut known = BTreeMap::new();
    for draft in &imported.images {
        done.push(image(draft, roots, fetch, &mut known).await.map_err(|why| {
            let files = draft.files.iter().map(|(role, place)| (*role, roots.for_command(place))).collect();
            Missing { name: draft.name.to_string(), why, command: ImageDraft { files, ..draft.clone() }.command() }
        }));
    }
    done
}

async fn image(
    draft: &ImageDraft,
    roots: &Roots,
    fetch: bool,
    known: &mut BTreeMap<Origin, ImageFile>,
) -> Result<Manifest, String> {
    let mut files = BTreeMap::new();
    for (role, place) in &draft.files {
        let origin = match (roots.file(place), place.contains("://")) {
            (Ok(path), _) => Origin::File(path.display().to_string()),
            (Err(_), true) if fetch => place.parse()?,
            (Err(why), true) => return Err(format!("{why}; --fetch reads it from its URL")),
            (Err(why), false) => return Err(why),
        };
        if !known.contains_key(&origin) {
            known.insert(origin.clone(), file(*role, &origin).await?);
        }
        files.insert(*role, known[&origin].clone());
    }
    let roles: Vec<_> = files.keys().map(|role| role.name()).collect();
    Ok(Manifest {
        name: draft.name.to_string(),
        place: draft.place.clone(),
        what: format!("{}: {}", draft.arch, roles.join(", ")),
        text: draft.manifest(files),
    })
}

async fn file(role: Role, origin: &Origin) -> Result<ImageFile, String> {
    let bar = out::bar(role.name(), Some(0));
    let (sha256, size) = survey(&S3Settings::default(), origin, |read, of| {
        bar.set_length(of.unwrap_or(read));
        bar.set_position(read);
    })
    .await?;
    bar.finish_and_clear();
    let place = origin.to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name =
        place.rsplit('/').next().filter(|name| name.contains('.') && name.chars().all(plain) && !name.starts_with('.'));
    Ok(ImageFile { sha256, size: Some(size), origins: vec![origin.clone()], name: name.map(str::to_owned) })
}

/// Says in each persona's document that its image is still to be added.
pub(super) fn note_missing(imported: &mut Imported, missing: &[&Missing]) {
    for draft in &mut imported.personas {
        let image = draft.persona.os.image.to_string();
        if missing.iter().any(|missing| missing.name == image) {
            draft.comments.push(format!("Its image {image} is still to be added: see add-images.sh."));
        }
    }
}
