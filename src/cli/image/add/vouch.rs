//! Who vouches for the files: a list of checksums, and whoever signed it.

use crate::{
    images::{
        checksums::Checksums,
        media::Place,
        signature::{self, Key},
        small,
    },
    model::image::Origin,
};

use super::{Args, Failure, Global, out, source};

/// The list that the files must be in, if one was given: its signature is good then, if it has to have one.
pub(super) async fn list(add: &Args, global: &Global) -> Result<Option<Checksums>, Failure> {
    let Some(place) = &add.checksums else { return Ok(None) };
    if add.source.as_deref().is_some_and(source::is_oci) {
        let why = "--checksums is for files and ISO files: what a registry has is known by digests already";
        return Err(Failure::Wrong(why.into()));
    }
    let key = match (&add.keyring, &add.minisign_key) {
        (Some(keyring), _) => Some(Key::OpenPgp(keyring.clone())),
        (None, Some(key)) => Some(Key::Minisign(key.clone())),
        (None, None) if add.signature.is_some() => {
            let why =
                "whose signature shall it be? Name the keys with --keyring FILE, or the key with --minisign-key KEY";
            return Err(Failure::Wrong(why.into()));
        }
        (None, None) => None,
    };
    let list = source::at(place)?;
    let text = small(&global.s3(), &list.origin).await?;
    let text = match key {
        Some(key) => {
            let wanted = match (&add.signature, &key) {
                (Some(signature), _) => Some(source::at(signature)?),
                // What minisign calls it when nobody says otherwise.
                (None, Key::Minisign(_)) => Some(source::at(&format!("{place}.minisig"))?),
                (None, Key::OpenPgp(_)) => None,
            };
            let signature = match wanted {
                Some(wanted) => Some(small(&global.s3(), &wanted.origin).await?),
                None => None,
            };
            let checked =
                tokio::task::spawn_blocking(move || signature::signed_text(&text, signature.as_deref(), &key));
            checked.await.map_err(|error| error.to_string())?.map_err(|why| format!("{place}: {why}"))?
        }
        None => {
            if signature::is_clear_signed(&text) {
                out::note(&format!("{place} is signed, and nobody checks it: name the keys with --keyring FILE"));
            }
            text
        }
    };
    let text = String::from_utf8_lossy(&text);
    Ok(Some(Checksums::read(&plain(&list), &text)?))
}

/// A place as lists and people write it: a path or a URL.
pub(super) fn plain(place: &Place) -> String {
    match &place.origin {
        Origin::File(path) => path.clone(),
        // A file of a medium is vouched for by the medium.
        Origin::Iso { image, .. } => image.clone(),
        other => other.to_string(),
    }
}
