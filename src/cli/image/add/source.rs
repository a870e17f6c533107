//! What is to be added: from a medium that is looked at, from options, or from both.

use std::{fs, path::PathBuf};

use crate::{
    images::{
        Artifact,
        media::{self, Medium, Place, Verdict},
    },
    model::{
        Arch,
        image::{Origin, Role},
    },
};

use super::{Args, Failure};

/// What would be added, if its files are good.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) what: String,
    pub(super) files: Vec<(Role, Place)>,
    pub(super) distribution: Option<String>,
    pub(super) version: Option<String>,
    pub(super) arch: Option<Arch>,
    pub(super) args: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// Whether a source is on a registry.
pub(super) fn is_oci(source: &str) -> bool {
    source.starts_with("oci:") || source.starts_with("oci+http:")
}

pub(super) async fn draft(add: &Args) -> Result<Draft, Failure> {
    let given = [(Role::Kernel, &add.kernel), (Role::Initrd, &add.initrd), (Role::Rootfs, &add.rootfs)];
    let given: Vec<_> = given.into_iter().filter_map(|(role, place)| Some((role, place.as_ref()?))).collect();
    let mut draft = match &add.source {
        Some(source) => found(source, add, given.iter().any(|(role, _)| *role == Role::Kernel)).await?,
        None => Draft::default(),
    };
    if add.only_my_args {
        draft.args.clear();
    }
    draft.args.extend(add.args.iter().cloned());
    for (role, place) in given {
        draft.files.retain(|(other, _)| *other != role);
        draft.files.push((role, at(place)?));
    }
    draft.files.sort_by_key(|(role, _)| *role);
    Ok(draft)
}

/// What a medium holds. One that is not known is of use still, when the kernel is named.
async fn found(source: &str, add: &Args, has_kernel: bool) -> Result<Draft, Failure> {
    if source.contains("://") && !is_oci(source) {
        let why = "the medium has to be on this server: download it first, and give its path; a kernel and an initrd can \
                   stay where they are, with --kernel URL --initrd URL";
        return Err(Failure::Wrong(format!("{source}: {why}")));
    }
    let mut stood_for = None;
    let medium = match is_oci(source) {
        true => {
            let arch = add.arch.unwrap_or(Arch::X64);
            let auth = add.registry_auth.as_deref();
            let artifact = Artifact::resolve(source, add.plain_http, Some(arch), auth).await?;
            stood_for = Some(format!("{source} is sha256:{} now, and the manifest stays with that", artifact.digest));
            Medium::Artifact(artifact)
        }
        false => {
            let path = PathBuf::from(source);
            blocking(move || Medium::open(&path)).await?
        }
    };
    let verdict = blocking(move || media::recognise(&medium)).await?;
    match verdict {
        Verdict::Boots(find) => Ok(Draft {
            what: find.what,
            files: find.files,
            distribution: find.distribution.map(str::to_owned),
            version: find.version,
            arch: find.arch,
            args: find.args,
            notes: find.notes.into_iter().chain(stood_for).collect(),
        }),
        Verdict::Cannot { .. } if has_kernel => Ok(Draft::default()),
        Verdict::Cannot { what, why } => Err(format!("{source} is {what}: {why}").into()),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
}

/// Where something is that a person wrote: a URL, an origin, or a path.
pub(super) fn at(place: &str) -> Result<Place, Failure> {
    let is_origin = ["file:", "iso:", "oci:", "oci+http:"].iter().any(|scheme| place.starts_with(scheme));
    let origin: Origin = match place.contains("://") || is_origin {
        true => place.parse()?,
        false => {
            let path = fs::canonicalize(place).map_err(|error| format!("{place}: {error}"))?;
            Origin::File(path.display().to_string())
        }
    };
    let name = place.split(['?', '#']).next().unwrap_or(place).rsplit('/').next().unwrap_or_default().to_owned();
    Ok(Place { origin, known: None, name })
}

/// The end of a URL for a file of this name, when a loader may look at its extension.
pub(super) fn url_name(name: &str) -> Option<String> {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim_start_matches('.');
    (name.contains('.') && name.len() <= 100).then(|| name.to_owned())
}
