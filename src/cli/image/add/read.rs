//! Reads each file once: its digest and its size. What comes over the network is kept, so that it is not fetched again, and
//! so that a command which was interrupted goes on where it was.

use std::{collections::BTreeMap, io, path::PathBuf};

use crate::{
    images::{self, DownloadError, Downloaded, checksums::Checksums, media::Place, survey},
    model::{
        Bytes, Digest,
        image::{Origin, Role},
    },
};

use super::{Failure, Global, Meter, out, source::Draft, vouch};

/// A file that was read.
pub(super) struct Read {
    pub(super) role: Role,
    pub(super) place: Place,
    pub(super) sha256: Digest,
    pub(super) size: Bytes,
    /// Its bytes, if they were downloaded.
    pub(super) downloaded: Option<Downloaded>,
}

/// Reads all files of a draft, and holds them against the list.
pub(super) async fn all(draft: &Draft, list: Option<&Checksums>, global: &Global) -> Result<Vec<Read>, Failure> {
    let expected = expected(draft, list)?;
    // A list vouches for a medium as a whole.
    let mut media: BTreeMap<String, (Digest, Bytes)> = BTreeMap::new();
    if list.is_some() {
        for (_, place) in draft.files.iter().filter(|(_, place)| matches!(place.origin, Origin::Iso { .. })) {
            let path = vouch::plain(place);
            if media.contains_key(&path) {
                continue;
            }
            let (sha256, size) = hashed("medium", &Origin::File(path.clone()), global).await?;
            agrees(&path, sha256, expected.get(&path))?;
            media.insert(path, (sha256, size));
        }
    }
    let folder = folder(global);
    let mut done = vec![];
    for (role, place) in &draft.files {
        let place = place.clone();
        let before = media.get(&vouch::plain(&place)).filter(|_| matches!(place.origin, Origin::File(_)));
        let (sha256, size, downloaded) = match (place.known.or(before.copied()), &folder, &place.origin) {
            (Some((sha256, size)), ..) => {
                Meter::new(role.name(), global.json).finished(sha256, size, "");
                (sha256, size, None)
            }
            (None, Some(folder), Origin::Http(_) | Origin::S3(_)) => {
                downloaded(*role, &place.origin, folder, global).await?
            }
            (None, ..) => {
                let (sha256, size) = hashed(role.name(), &place.origin, global).await?;
                (sha256, size, None)
            }
        };
        let path = vouch::plain(&place);
        if let Err(why) =
            agrees(&path, sha256, expected.get(&path).filter(|_| !matches!(place.origin, Origin::Iso { .. })))
        {
            // Bytes that are wrong are nothing to go on from.
            downloaded.into_iter().for_each(Downloaded::discard);
            return Err(why);
        }
        if let Origin::Oci(blob) = &place.origin
            && blob.digest != sha256
        {
            return Err(format!("{}: it hashes to sha256:{sha256}", place.origin).into());
        }
        done.push(Read { role: *role, place, sha256, size, downloaded });
    }
    Ok(done)
}

/// What the list says of each file, before any is read: one that is not in it need not be downloaded.
fn expected(draft: &Draft, list: Option<&Checksums>) -> Result<BTreeMap<String, Digest>, Failure> {
    let Some(list) = list else { return Ok(BTreeMap::new()) };
    let each = draft.files.iter().map(|(_, place)| vouch::plain(place));
    Ok(each.map(|path| Ok((path.clone(), list.digest_of(&path)?))).collect::<Result<_, String>>()?)
}

fn agrees(path: &str, found: Digest, expected: Option<&Digest>) -> Result<(), Failure> {
    match expected.filter(|expected| **expected != found) {
        None => Ok(()),
        Some(expected) => Err(format!(
            "{path} is not what the list says: it hashes to {found}, and the list says {expected}. Fetch it again; when that \
             does not help, list and file are of different releases, or somebody altered one"
        )
        .into()),
    }
}

/// Where downloads are kept: in the state directory, if this user has one.
fn folder(global: &Global) -> Option<PathBuf> {
    let config = global.config().ok()?;
    config.state_dir.is_dir().then(|| images::downloads(&config.state_dir))
}

async fn hashed(what: &str, origin: &Origin, global: &Global) -> Result<(Digest, Bytes), Failure> {
    let mut meter = Meter::new(what, global.json);
    let (sha256, size) = survey(&global.s3(), origin, |done, of| meter.moved(done, of)).await?;
    meter.finished(sha256, size, "");
    Ok((sha256, size))
}

type Fetched = (Digest, Bytes, Option<Downloaded>);

async fn downloaded(
    role: Role,
    origin: &Origin,
    folder: &std::path::Path,
    global: &Global,
) -> Result<Fetched, Failure> {
    let mut meter = Meter::new(role.name(), global.json);
    let full = |error: &io::Error| matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    match images::download(&global.s3(), origin, folder, |done, of| meter.moved(done, of)).await {
        Ok(downloaded) => {
            let resumed = downloaded.resumed;
            let message = if resumed.0 > 0 { format!("{resumed} of it were there") } else { String::new() };
            meter.finished(downloaded.sha256, downloaded.size, &message);
            Ok((downloaded.sha256, downloaded.size, Some(downloaded)))
        }
        Err(DownloadError::Origin(why)) => {
            Err(format!("{why}; what came of it is kept: the same command goes on from there").into())
        }
        // A disk that takes nothing costs a second download, when a device asks.
        Err(DownloadError::Disk { path, error }) => {
            let why = if full(&error) { "the disk is full".to_owned() } else { error.to_string() };
            out::note(&format!("{}: {why}: the file is read, and not kept", path.display()));
            if full(&error) {
                drop(std::fs::remove_file(&path));
            }
            let (sha256, size) = hashed(role.name(), origin, global).await?;
            Ok((sha256, size, None))
        }
    }
}
