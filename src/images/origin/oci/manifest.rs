//! What a manifest says (OCI image specification 1.1; Docker's schema 2 has the same shape): blobs with their names.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use crate::model::{
    Arch, Bytes, Digest,
    oci::{OciReference, OciRepository, reference},
};

use super::{
    super::{OriginSettings, patience::Patience},
    Registry,
};

/// The kinds of manifest that are understood.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// What `oras push` and others call a file by.
const TITLE: &str = "org.opencontainers.image.title";

/// Files that were pushed to a registry, as one manifest names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Where they are.
    pub repository: OciRepository,
    /// The digest of the manifest: what the tag stood for.
    pub digest: Digest,
    /// What it says of itself: `org.opencontainers.image.version` and the like.
    pub annotations: BTreeMap<String, String>,
    /// The files.
    pub files: Vec<OciFile>,
    /// What it runs on, when an index said so.
    pub arch: Option<Arch>,
}

/// One file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OciFile {
    /// Its name, a path perhaps; empty when it has none.
    pub title: String,
    /// What kind of file it says it is.
    pub media_type: String,
    /// Its bytes.
    pub digest: Digest,
    /// How many.
    pub size: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    /// Of an image or artifact.
    #[serde(default)]
    layers: Vec<Descriptor>,
    /// Of an index.
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    architecture: String,
}

impl Descriptor {
    fn sha256(&self) -> Result<Digest, String> {
        let digits = self.digest.strip_prefix("sha256:").and_then(|digits| digits.parse().ok());
        digits.ok_or_else(|| format!("its manifest names a blob by `{}`; only sha256 is understood", self.digest))
    }

    fn arch(&self) -> Option<Arch> {
        match self.platform.as_ref()?.architecture.as_str() {
            "amd64" => Some(Arch::X64),
            "arm64" => Some(Arch::Arm64),
            "arm" => Some(Arch::Arm32),
            "386" => Some(Arch::Ia32),
            "riscv64" => Some(Arch::Riscv64),
            "loong64" => Some(Arch::Loong64),
            _ => None,
        }
    }
}

impl OciFile {
    /// Whether it is a folder packed into one file: there is nothing in it that a device could load as it is.
    pub fn is_archive(&self) -> bool {
        let kind = &self.media_type;
        kind.contains(".tar") || kind.contains("+tar") || kind.ends_with("tar") || kind.contains("diff.tar")
    }
}

impl Artifact {
    /// Finds out once what a reference stands for. `arch` chooses when there are several; `auth` is a file of credentials.
    pub async fn resolve(
        text: &str,
        plain_http: bool,
        arch: Option<Arch>,
        auth: Option<&Path>,
    ) -> Result<Self, String> {
        let (mut repository, wanted) = reference(text)?;
        repository.plain_http |= plain_http;
        let registry = Registry::with(auth.map(Path::to_owned), Patience(OriginSettings::PATIENCE))?;
        Self::read(&registry, repository, wanted, arch).await.map_err(|why| format!("{text}: {why}"))
    }

    async fn read(
        registry: &Registry,
        repository: OciRepository,
        wanted: OciReference,
        arch: Option<Arch>,
    ) -> Result<Self, String> {
        let (mut digest, bytes) = registry.manifest(&repository, &wanted).await.map_err(|error| error.to_string())?;
        let mut manifest = parse(&bytes)?;
        let mut said = None;
        if !manifest.manifests.is_empty() {
            let one = one_of(&manifest.manifests, arch)?;
            said = one.arch();
            let wanted = OciReference::Digest(one.sha256()?);
            let (found, bytes) = registry.manifest(&repository, &wanted).await.map_err(|error| error.to_string())?;
            (digest, manifest) = (found, parse(&bytes)?);
        }
        let file = |layer: &Descriptor| {
            let title = layer.annotations.get(TITLE).cloned().unwrap_or_default();
            let media_type = layer.media_type.clone();
            Ok(OciFile { title, media_type, digest: layer.sha256()?, size: Bytes(layer.size) })
        };
        let files = manifest.layers.iter().map(file).collect::<Result<_, String>>()?;
        Ok(Self { repository, digest, annotations: manifest.annotations, files, arch: said })
    }
}

fn parse(bytes: &[u8]) -> Result<Manifest, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("its manifest does not read: {error}"))
}

/// The manifest of an index that is for an architecture, or the only one.
fn one_of(manifests: &[Descriptor], arch: Option<Arch>) -> Result<&Descriptor, String> {
    let fits = |one: &&Descriptor| arch.is_some() && one.arch() == arch;
    match (manifests.iter().find(fits), manifests) {
        (Some(one), _) | (None, [one]) => Ok(one),
        _ => {
            let known: Vec<_> = manifests.iter().filter_map(Descriptor::arch).map(|arch| arch.to_string()).collect();
            Err(format!("it is there for {}: choose one by --arch", known.join(", ")))
        }
    }
}
