//! What a device runs to become a persona: files by role, each named by its digest.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    Arch, Bytes, Digest,
    oci::OciBlob,
    persona_ref::{BadName, is_name},
    text::is_text,
};

/// The name of an image manifest: the stem of its file under `images/` in the library.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageName(String);

is_text!(ImageName);

impl FromStr for ImageName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        is_name(text).then(|| Self(text.to_owned())).ok_or(BadName)
    }
}

/// What a file of an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The kernel that the boot script starts.
    Kernel,
    /// The initial RAM disk that the boot script loads beside it.
    Initrd,
    /// The root file system that the initrd fetches by itself.
    Rootfs,
}

impl Role {
    /// The name that manifests and placeholders use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Initrd => "initrd",
            Self::Rootfs => "rootfs",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where the bytes of a blob come from when no tier holds them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Origin {
    /// `file:/absolute/path` on the server, or `file:relative` from the manifest's folder (made absolute on load).
    File(String),
    /// `iso:/absolute/path.iso!/path/within` on the server: a file of an ISO medium, read where it lies.
    Iso {
        /// The medium, a path as for `file:`.
        image: String,
        /// The file's path within it; begins with a slash.
        path: String,
    },
    /// A blob on an OCI registry: `oci:registry/repository@sha256:…`.
    Oci(OciBlob),
    /// An `http:` or `https:` URL.
    Http(String),
    /// `s3://bucket/key`: an object of the store that the configuration names.
    S3(String),
}

impl Origin {
    /// Whom it is asked of, as strangers may hear it: a host with its port, a bucket, or this server.
    pub fn server(&self) -> String {
        match self {
            Self::File(_) | Self::Iso { .. } => "this server".to_owned(),
            Self::Oci(blob) => blob.repository.registry.clone(),
            Self::Http(url) => host(url).to_owned(),
            Self::S3(url) => format!("bucket {}", host(url)),
        }
    }

    /// What trouble of a whole server is remembered under: its host, the bucket, or the folder of a file.
    pub fn place(&self) -> String {
        match self {
            Self::File(path) | Self::Iso { image: path, .. } => {
                path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned()
            }
            Self::Oci(blob) => format!("oci:{}", blob.repository.registry),
            Self::Http(url) => format!("{}://{}", if url.starts_with("https:") { "https" } else { "http" }, host(url)),
            Self::S3(url) => format!("s3://{}", host(url)),
        }
    }

    /// The same as it may be logged: a user, a password and a query (signed URLs have their secret there) are left out.
    pub fn loggable(&self) -> String {
        let Self::Http(url) = self else { return self.to_string() };
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (path, query) = rest.split_once('?').map_or((rest, ""), |(path, _)| (path, "?…"));
        let path = path.split_once('/').map(|(_, path)| format!("/{path}")).unwrap_or_default();
        format!("{scheme}://{}{path}{query}", host(url))
    }
}

/// The host and port of a URL, without a user before it.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("file:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err("`file:` names no file".into()) } else { Ok(Self::File(path.to_owned())) };
        }
        if let Some(place) = text.strip_prefix("iso:") {
            let place = place.strip_prefix("//").unwrap_or(place);
            return match place.split_once("!/") {
                Some((image, path)) if !image.is_empty() && !path.is_empty() => {
                    Ok(Self::Iso { image: image.to_owned(), path: format!("/{path}") })
                }
                _ => Err(format!("`{text}` names no file of a medium: write iso:/path/to.iso!/path/within")),
            };
        }
        if text.starts_with("oci:") || text.starts_with("oci+http:") {
            return text.parse().map(Self::Oci);
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            return Ok(Self::Http(text.to_owned()));
        }
        if let Some(object) = text.strip_prefix("s3://") {
            let named = object.split_once('/').is_some_and(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
            return if named { Ok(Self::S3(text.to_owned())) } else { Err(format!("`{text}` is no s3://bucket/key")) };
        }
        let forms = "file:/path, iso:/path.iso!/file, http://…, https://…, oci:… or s3://bucket/key";
        Err(format!("`{text}` is no origin: write {forms}"))
    }
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{path}"),
            Self::Iso { image, path } => write!(f, "iso:{image}!{path}"),
            Self::Oci(blob) => blob.fmt(f),
            Self::Http(url) | Self::S3(url) => f.write_str(url),
        }
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.to_string()
    }
}

/// One file of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageFile {
    /// The digest of the bytes; nothing else is ever served under this role.
    pub sha256: Digest,
    /// The exact length, when the manifest says so: it becomes the Content-Length before the first byte has arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Bytes>,
    /// Where to fetch the bytes, in the order to try.
    pub origins: Vec<Origin>,
    /// The last part of the URL that a device sees, when a loader looks at the extension (live-boot does).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An image manifest: a name, an architecture, files by role and the kernel's arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// What the image is called in personas.
    pub name: ImageName,
    /// One line for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it runs on.
    pub arch: Arch,
    /// The distribution that it is or installs, by the name that personas use: `debian`. Not said when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<String>,
    /// The version of it: `12`, `24.04`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The files; a kernel is required, checked by the library on load.
    pub files: BTreeMap<Role, ImageFile>,
    /// Kernel arguments. `{{server}}`, `{{seed_url}}`, `{{report_url}}`, `{{blob:ROLE}}` and `{{tree:ROLE}}` are filled in for
    /// each boot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
}

/// Where the bytes of a blob are, from the nearest to the farthest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// In memory.
    Ram,
    /// In the cache on disk.
    Disk,
    /// Only where the manifest says.
    Origin,
}

impl Tier {
    /// The name that programs know it by: in JSON, in metrics, on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ram => "ram",
            Self::Disk => "disk",
            Self::Origin => "origin",
        }
    }

    /// The word that people read.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ram => "RAM",
            Self::Disk => "disk",
            Self::Origin => "origin",
        }
    }

    /// Where what is in it lies, for the middle of a sentence.
    pub const fn place(self) -> &'static str {
        match self {
            Self::Ram => "in RAM",
            Self::Disk => "on disk",
            Self::Origin => "at an origin",
        }
    }
}

impl fmt::Display for Tier {
    /// For people: [`Tier::word`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_logged_and_told_holds_no_secret() {
        for (written, server, place, loggable) in [
            ("http://a.example/x/y", "a.example", "http://a.example", "http://a.example/x/y"),
            (
                "https://u:p@a.example:8443/x?sig=z",
                "a.example:8443",
                "https://a.example:8443",
                "https://a.example:8443/x?…",
            ),
            ("http://a.example?t=u:p@b/", "a.example", "http://a.example", "http://a.example?…"),
            ("file:/srv/a/b", "this server", "/srv/a", "file:/srv/a/b"),
            ("s3://vault/a/b", "bucket vault", "s3://vault", "s3://vault/a/b"),
        ] {
            let origin: Origin = written.parse().expect("an origin");
            assert_eq!((&*origin.server(), &*origin.place(), &*origin.loggable()), (server, place, loggable));
            assert_eq!(origin.to_string(), written);
        }
        for wrong in ["s3://", "s3://bucket", "s3:///key", "ftp://a/b", "file:"] {
            assert!(wrong.parse::<Origin>().is_err(), "{wrong}");
        }
    }
}
