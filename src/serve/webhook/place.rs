//! How far a webhook has come: a small JSON file of the state directory, replaced as a whole.
//!
//! It says up to which fact the journal was read, and which of the events before that are still to be told. That it is lost
//! costs the webhook what waited, and is said; that it is a moment old costs a repeat.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::model::{BootId, DeviceId, Moment};

/// How far a webhook has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// What its events' ids begin with: as long as the numbers of the journal mean the same.
    pub(super) origin: BootId,
    /// The journal was read up to this fact.
    pub(super) read: u64,
    /// What is still to be told of that.
    pub(super) waiting: Vec<Waiting>,
    /// Events that were delivered, ever.
    pub(super) delivered: u64,
    /// Events that were given up, ever.
    pub(super) given_up: u64,
    /// When the latest one was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_delivered: Option<Moment>,
    /// Set once the receiver said that it wants to hear nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) gone: Option<Gone>,
}

/// An event that is still to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    /// The number of its fact.
    pub(super) seq: u64,
    /// Whose it is.
    pub(super) device: DeviceId,
    /// Since when it waits.
    pub(super) since: Moment,
    /// How often it was tried in vain.
    pub(super) tries: u32,
    /// When it first was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<Moment>,
}

/// A receiver that wants to hear nothing any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gone {
    /// When it said so.
    pub(super) at: Moment,
    /// The configuration of which it said so.
    pub(super) print: String,
}

impl Place {
    /// That of a webhook which begins behind this fact.
    fn behind(newest: u64, dice: fn() -> u64) -> Self {
        Self {
            origin: BootId::new(dice()),
            read: newest,
            waiting: vec![],
            delivered: 0,
            given_up: 0,
            last_delivered: None,
            gone: None,
        }
    }
}

/// The file.
#[derive(Debug, Clone)]
pub(super) struct PlaceFile {
    path: PathBuf,
}

impl PlaceFile {
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        Self { path: folder.join(format!("{name}.json")) }
    }

    /// What is remembered of a webhook whose configuration has this `print`. A new one begins behind the fact `newest`, and
    /// that is written down before anything happens.
    pub(super) fn open(&self, print: &str, newest: u64, dice: fn() -> u64) -> Place {
        let anew = || Place::behind(newest, dice);
        let path = self.path.display();
        let place = match fs::read(&self.path).map(|bytes| serde_json::from_slice::<Place>(&bytes)) {
            Ok(Ok(place)) if place.read > newest => {
                tracing::warn!(
                    "{path} is ahead of the journal, which ends with {newest}: an older one was put in its place, and this \
                     webhook begins with what happens next"
                );
                anew()
            }
            Ok(Ok(Place { gone: Some(gone), .. })) if gone.print != print => {
                tracing::info!(
                    "{path}: the configuration has changed since its receiver was gone, events are sent again"
                );
                anew()
            }
            Ok(Ok(place)) => return place,
            Ok(Err(error)) => {
                tracing::warn!("{path} does not read ({error}): this webhook begins with what happens next");
                anew()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => anew(),
            Err(error) => {
                tracing::warn!("{path} cannot be read ({error}): this webhook begins with what happens next");
                anew()
            }
        };
        if let Err(error) = self.write(&place) {
            tracing::warn!("{path} cannot be written ({error}): after a restart, this webhook begins anew");
        }
        place
    }

    /// Puts it in the place of the old one, on the disk before it has its name.
    pub(super) fn write(&self, place: &Place) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let json = serde_json::to_vec(place)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        io::Write::write_all(&mut file, &json)?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        fs::File::open(folder)?.sync_all()
    }
}

/// Drops what is remembered of webhooks that are no more, and what a crash left unfinished.
pub(super) fn sweep(folder: &Path, is_known: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".json"));
        if !name.is_some_and(&is_known)
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::warn!("{} is of no use any more and cannot be removed: {error}", path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_remembered_is_read_again_unless_it_means_nothing_any_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = PlaceFile::new(folder.path(), "desk");
        let new = file.open("p", 7, || 1);
        assert_eq!(
            (new.read, file.open("p", 9, || 2)),
            (7, new.clone()),
            "a second start goes on where the first began"
        );
        let ahead = file.open("p", 3, || 3);
        assert_eq!(
            (ahead.read, ahead.origin),
            (3, BootId::new(3)),
            "ids are other ones: their numbers mean other facts"
        );
        let gone = Place { gone: Some(Gone { at: Moment::from_millis(1), print: "p".into() }), ..ahead };
        file.write(&gone).expect("a disk");
        assert_eq!(file.open("p", 9, || 4), gone);
        assert_eq!(file.open("other", 9, || 5).gone, None);
        fs::write(folder.path().join("desk.json"), "{").expect("a disk");
        assert_eq!(file.open("p", 11, || 6).read, 11);
        sweep(folder.path(), |name| name == "other");
        assert!(fs::read_dir(folder.path()).expect("a folder").next().is_none());
    }
}
