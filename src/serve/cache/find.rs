//! Which blobs are meant: a digest, the beginning of one, an image, or a file of one.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;

use crate::{
    model::{Digest, image::ImageName},
    serve::Context,
    world::nearest,
};

use super::Refusal;

/// How many blobs an ambiguous beginning is said to mean, at the most.
const SHOWN: usize = 8;

/// All names of each blob that the library names: `IMAGE/ROLE`.
pub(super) fn names(context: &Context) -> BTreeMap<Digest, Vec<String>> {
    let mut names: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
    for image in context.engine.ground().catalog.images() {
        for (role, file) in &image.files {
            names.entry(file.sha256).or_default().push(format!("{}/{role}", image.name));
        }
    }
    names
}

/// What a blob is called: by its image, or by its digest when no image names it.
pub fn name(context: &Context, digest: &Digest) -> String {
    names(context).remove(digest).and_then(|names| names.into_iter().next()).unwrap_or_else(|| digest.short())
}

/// The blobs that a text means; never none.
pub(super) fn blobs(context: &Context, text: &str) -> Result<Vec<Digest>, Refusal> {
    let catalog = context.engine.ground().catalog.clone();
    let (image, role) = text.split_once('/').map_or((text, None), |(image, role)| (image, Some(role)));
    if let Some(image) = image.parse::<ImageName>().ok().and_then(|name| catalog.image(&name)) {
        let Some(role) = role else {
            // One image may use the same bytes twice.
            return Ok(image.files.values().map(|file| file.sha256).collect::<BTreeSet<_>>().into_iter().collect());
        };
        let found = image.files.iter().find(|(known, _)| known.name() == role);
        let roles = || image.files.keys().map(|role| role.name()).collect::<Vec<_>>().join(", ");
        return found.map(|(_, file)| vec![file.sha256]).ok_or_else(|| {
            Refusal(StatusCode::NOT_FOUND, format!("image {} has no file `{role}`: it has {}", image.name, roles()))
        });
    }
    let beginning = text.to_ascii_lowercase();
    let names = names(context);
    let is_hex = !beginning.is_empty() && beginning.bytes().all(|byte| byte.is_ascii_hexdigit());
    let known: BTreeSet<Digest> = names.keys().copied().chain(context.keeper.known()).collect();
    let found: Vec<Digest> =
        known.into_iter().filter(|digest| is_hex && digest.to_string().starts_with(&beginning)).collect();
    match found.len() {
        0 => Err(unknown(context, text)),
        1 => Ok(found),
        many => {
            let shown = found.iter().take(SHOWN).map(|digest| match names.get(digest) {
                Some(names) => format!("{} ({})", digest.short(), names.join(", ")),
                None => digest.short(),
            });
            let mut shown = shown.collect::<Vec<_>>().join(", ");
            if many > SHOWN {
                shown += ", …";
            }
            let words = format!("`{text}` is the beginning of {many} digests: {shown}; write more of it");
            Err(Refusal(StatusCode::CONFLICT, words))
        }
    }
}

fn unknown(context: &Context, text: &str) -> Refusal {
    let catalog = context.engine.ground().catalog.clone();
    let known: Vec<String> = catalog
        .images()
        .flat_map(|image| {
            let files = image.files.keys().map(|role| format!("{}/{role}", image.name));
            [image.name.to_string()].into_iter().chain(files)
        })
        .collect();
    let nearest = nearest(known.iter(), &text.to_owned());
    let meant = nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
    Refusal(
        StatusCode::NOT_FOUND,
        format!("`{text}` is no image of the library and no digest of the library or the cache{meant}"),
    )
}
