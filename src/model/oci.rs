//! Names on OCI registries, as the distribution specification and its clients write them.

use std::{fmt, str::FromStr};

use super::Digest;

/// A repository: `registry.example:5000/lab/debian-live`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciRepository {
    /// The registry's host, with its port when it has one of its own.
    pub registry: String,
    /// The path there.
    pub path: String,
    /// Whether plain HTTP was asked for. A registry on this machine is spoken to so anyhow.
    pub plain_http: bool,
}

/// A blob in a repository: `oci:registry.example/lab/debian-live@sha256:…`; `oci+http:` where plain HTTP was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciBlob {
    /// Where it is.
    pub repository: OciRepository,
    /// What it is called there: the digest of its bytes.
    pub digest: Digest,
}

/// What a manifest is asked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OciReference {
    /// A name that its owner moves on: `12`, `latest`.
    Tag(String),
    /// The digest of the manifest.
    Digest(Digest),
}

impl OciRepository {
    /// Whether it is spoken to without TLS: where that was asked for, and on this very machine.
    pub fn is_plain(&self) -> bool {
        let host = self.registry.rsplit_once(':').map_or(self.registry.as_str(), |(host, _)| host);
        self.plain_http || matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    }

    /// The beginning of its URLs.
    pub fn url(&self) -> String {
        let scheme = if self.is_plain() { "http" } else { "https" };
        // Docker's own registry is called otherwise than its images are.
        let host = if self.registry == "docker.io" { "registry-1.docker.io" } else { &self.registry };
        format!("{scheme}://{host}/v2/{}", self.path)
    }

    /// What stands before the `:`.
    const fn scheme(&self) -> &'static str {
        if self.plain_http { "oci+http" } else { "oci" }
    }
}

/// Reads a repository and what follows it: `oci:registry/path`, then `:tag`, `@sha256:…` or nothing.
pub fn repository_and_rest(text: &str) -> Result<(OciRepository, &str), String> {
    let wrong = |what: &str| format!("`{text}` is no OCI reference: {what}; write oci:registry.example/path/name:tag");
    let (scheme, rest) = text.split_once(':').ok_or_else(|| wrong("it begins with `oci:`"))?;
    let plain_http = match scheme {
        "oci" => false,
        "oci+http" => true,
        _ => return Err(wrong("it begins with `oci:`")),
    };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (registry, rest) = rest.split_once('/').ok_or_else(|| wrong("the registry and a path are needed"))?;
    let end = rest.find([':', '@']).unwrap_or(rest.len());
    let (path, rest) = rest.split_at(end);
    let in_host = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    if registry.is_empty() || !registry.chars().all(in_host) {
        return Err(wrong("the registry is a host name, with a port if need be"));
    }
    let in_path = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let is_part = |part: &str| part.chars().all(in_path) && part.starts_with(|c: char| c.is_ascii_alphanumeric());
    if path.len() > 255 || !path.split('/').all(is_part) {
        return Err(wrong("the path is in lower case, its parts apart by `/`"));
    }
    Ok((OciRepository { registry: registry.to_owned(), path: path.to_owned(), plain_http }, rest))
}

/// Reads `oci:registry/path:tag` or `oci:registry/path@sha256:…`; without either the tag is `latest`, as everywhere.
pub fn reference(text: &str) -> Result<(OciRepository, OciReference), String> {
    let (repository, rest) = repository_and_rest(text)?;
    let in_tag = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let digest = rest.rsplit_once('@').map(|(_, digest)| digest);
    let reference = match (digest, rest.strip_prefix(':')) {
        (Some(digest), _) => OciReference::Digest(sha256(digest, text)?),
        (None, None) => OciReference::Tag("latest".into()),
        (None, Some(tag)) if (1..=128).contains(&tag.len()) && tag.chars().all(in_tag) => {
            OciReference::Tag(tag.to_owned())
        }
        (None, Some(tag)) => return Err(format!("`{text}` is no OCI reference: `{tag}` cannot be a tag")),
    };
    Ok((repository, reference))
}

fn sha256(digest: &str, text: &str) -> Result<Digest, String> {
    let digits = digest.strip_prefix("sha256:").and_then(|digits| digits.parse().ok());
    digits.ok_or_else(|| format!("`{text}` is no OCI reference: the digest is `sha256:` and 64 hexadecimal digits"))
}

impl FromStr for OciBlob {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match reference(text)? {
            (repository, OciReference::Digest(digest)) => Ok(Self { repository, digest }),
            (_, OciReference::Tag(_)) => Err(format!(
                "`{text}` names no blob: an origin ends in @sha256:…; `greenroom image add NAME {text}` finds them"
            )),
        }
    }
}

impl fmt::Display for OciRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.scheme(), self.registry, self.path)
    }
}

impl fmt::Display for OciBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@sha256:{}", self.repository, self.digest)
    }
}

impl fmt::Display for OciReference {
    /// As the registry's URLs have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Digest(digest) => write!(f, "sha256:{digest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_clients_write_them() {
        let (repository, tag) = reference("oci:registry.example:5000/lab/debian-live:12").expect("a reference");
        assert_eq!(
            (repository.registry.as_str(), repository.path.as_str()),
            ("registry.example:5000", "lab/debian-live")
        );
        assert_eq!(tag, OciReference::Tag("12".into()));
        assert_eq!(repository.url(), "https://registry.example:5000/v2/lab/debian-live");
        assert_eq!(reference("oci:r.example/a").expect("a reference").1, OciReference::Tag("latest".into()));
        let pinned = format!("oci:r.example/a:12@sha256:{}", "ab".repeat(32));
        assert_eq!(reference(&pinned).expect("a reference").1, OciReference::Digest(Digest::new([0xab; 32])));
    }

    #[test]
    fn plain_http_is_for_this_machine_and_where_it_is_asked_for() {
        let url = |text| reference(text).expect("a reference").0.url();
        assert_eq!(url("oci:127.0.0.1:5000/a/b"), "http://127.0.0.1:5000/v2/a/b");
        assert_eq!(url("oci+http:r.example/a"), "http://r.example/v2/a");
        assert_eq!(url("oci:docker.io/library/debian"), "https://registry-1.docker.io/v2/library/debian");
        assert_eq!(url("oci:localhost.example/a"), "https://localhost.example/v2/a");
    }

    #[test]
    fn what_is_no_reference_is_told_so() {
        for wrong in [
            "oci:",
            "oci:debian",
            "oci:r.example/",
            "oci:r.example/A",
            "oci:r.example/a/../b",
            "oci:r.example/a:b c",
            "oci:r.example/a@sha256:12",
            "oci:user@r.example/a",
            "docker:r.example/a",
            "oci:r.example/a?x",
            "oci:/a",
        ] {
            assert!(reference(wrong).is_err(), "{wrong}");
        }
        assert!("oci:r.example/a:12".parse::<OciBlob>().expect_err("a tag").contains("image add"));
    }
}
