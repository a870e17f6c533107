//! What a registry wants to see before it opens, and the file that says it: `containers-auth.json`, as `skopeo login
//! --authfile` and `podman login --authfile` write it. What is in it goes into no manifest, message or log.

use std::{collections::BTreeMap, env, fs, io, os::unix::fs::PermissionsExt, path::PathBuf};

use reqwest::Url;
use serde::Deserialize;

use crate::model::oci::OciRepository;

/// Where the file is when nobody names another.
const USUAL: &str = "/etc/greenroom/registry-auth.json";
/// What names it to all clients of registries.
const VARIABLE: &str = "REGISTRY_AUTH_FILE";

/// Where credentials come from. The file is read when it is needed: it may change while the daemon runs.
pub(super) struct Credentials {
    file: PathBuf,
    /// Whether somebody named it: it must be there then.
    named: bool,
}

#[derive(Deserialize)]
struct AuthFile {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
}

#[derive(Deserialize)]
struct Auth {
    /// `user:password` in base64.
    auth: Option<String>,
}

impl Credentials {
    pub(super) fn of(file: Option<PathBuf>) -> Self {
        let file = file.or_else(|| env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from));
        Self { named: file.is_some(), file: file.unwrap_or_else(|| USUAL.into()) }
    }

    /// The `Authorization` that opens a repository by name and password; `None` when the file has none for it.
    pub(super) fn basic(&self, repository: &OciRepository) -> Result<Option<String>, String> {
        let shown = self.file.display();
        let bytes = match fs::read(&self.file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.named => return Ok(None),
            Err(error) => return Err(format!("the credentials in {shown} cannot be read: {error}")),
        };
        let mode = fs::metadata(&self.file).map_or(0, |file| file.permissions().mode());
        if mode & 0o007 != 0 {
            return Err(format!("everybody may read the credentials in {shown}: `chmod o= {shown}`"));
        }
        // What serde says of a value would hold the value.
        let known: AuthFile = serde_json::from_slice(&bytes).map_err(|error| {
            let line = error.line();
            format!("{shown} does not read in line {line}: `skopeo login --authfile {shown} REGISTRY` writes it")
        })?;
        // The longest name that fits is meant: one of a path goes before one of the registry.
        let mut name = format!("{}/{}", repository.registry, repository.path);
        loop {
            if let Some(auth) = known.auths.get(&name).and_then(|auth| auth.auth.as_ref()) {
                return Ok(Some(format!("Basic {auth}")));
            }
            match name.rfind('/') {
                Some(end) => name.truncate(end),
                None => return Ok(None),
            }
        }
    }

    /// What to do when a registry does not open.
    pub(super) fn advice(&self, repository: &OciRepository) -> String {
        let (file, registry) = (self.file.display(), &repository.registry);
        format!("give it a name and a password that open it, by `skopeo login --authfile {file} {registry}`")
    }
}

/// What a registry asks for (RFC 9110, 11.6.1).
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A name and a password.
    Basic,
    /// A token of another service.
    Bearer(Bearer),
}

/// Where tokens are had.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bearer {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Bearer {
    /// Where to ask for one that reads a repository.
    pub(super) fn url(&self, repository: &OciRepository) -> Result<Url, String> {
        let mut url = Url::parse(&self.realm).map_err(|_| "its token service is at no URL")?;
        if url.scheme() != "https" && !(url.scheme() == "http" && repository.is_plain()) {
            return Err("its token service is not encrypted: --plain-http if that is meant to be so".into());
        }
        let scope = self.scope.clone().unwrap_or_else(|| format!("repository:{}:pull", repository.path));
        if let Some(service) = &self.service {
            url.query_pairs_mut().append_pair("service", service);
        }
        url.query_pairs_mut().append_pair("scope", &scope);
        Ok(url)
    }
}

/// Reads `Bearer realm="…",service="…",scope="…"` or `Basic realm="…"`; `None` for other schemes.
pub(super) fn challenge(text: &str) -> Option<Challenge> {
    let (scheme, mut rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mut values = BTreeMap::new();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            // Scopes hold commas: the quotes end the value.
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        values.insert(name.trim().to_ascii_lowercase(), value.to_owned());
        rest = after.trim_start_matches([',', ' ']);
    }
    let mut take = |name: &str| values.remove(name);
    Some(Challenge::Bearer(Bearer { realm: take("realm")?, service: take("service"), scope: take("scope") }))
}

/// The `Authorization` that a token service gave.
pub(super) fn token(answer: &[u8]) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Token {
        token: Option<String>,
        access_token: Option<String>,
    }
    let token: Option<Token> = serde_json::from_slice(answer).ok();
    let token = token.and_then(|token| token.token.or(token.access_token)).filter(|token| !token.is_empty());
    token.map(|token| format!("Bearer {token}")).ok_or_else(|| "its token service gave no token".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::oci::reference;

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let text = r#"Bearer realm="https://auth.example/token",service="r.example",scope="repository:a/b:pull,push""#;
        let Some(Challenge::Bearer(bearer)) = challenge(text) else { panic!("{text}") };
        let (repository, _) = reference("oci:r.example/a/b").expect("a reference");
        let url = bearer.url(&repository).expect("a URL").to_string();
        assert_eq!(url, "https://auth.example/token?service=r.example&scope=repository%3Aa%2Fb%3Apull%2Cpush");
        assert_eq!(challenge("basic realm=\"x\""), Some(Challenge::Basic));
        for other in ["Negotiate", "Bearer", "Bearer realm", "Bearer realm=\"x", "Bearer service=x"] {
            assert_eq!(challenge(other), None, "{other}");
        }
    }

    #[test]
    fn a_token_service_without_encryption_is_not_told_passwords() {
        let Some(Challenge::Bearer(bearer)) = challenge("Bearer realm=http://auth.example/") else { panic!() };
        let url = |text| bearer.url(&reference(text).expect("a reference").0);
        assert!(url("oci:r.example/a").is_err_and(|why| why.contains("--plain-http")));
        assert!(url("oci+http:r.example/a").is_ok());
    }

    #[test]
    fn the_longest_name_that_fits_opens_and_a_file_for_everybody_does_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("auth.json");
        let text = r#"{"auths": {"r.example": {"auth": "QQ=="}, "r.example/lab": {"auth": "Qg=="}}}"#;
        fs::write(&path, text).expect("a file");
        let allow = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("permissions");
        let credentials = Credentials::of(Some(path.clone()));
        let basic = |text| credentials.basic(&reference(text).expect("a reference").0);
        allow(0o644);
        assert!(basic("oci:r.example/lab/x").is_err_and(|why| why.contains("chmod o=") && !why.contains("Qg")));
        allow(0o600);
        assert_eq!(basic("oci:r.example/lab/x"), Ok(Some("Basic Qg==".into())));
        assert_eq!(basic("oci:r.example/other"), Ok(Some("Basic QQ==".into())));
        assert_eq!(basic("oci:other.example/lab"), Ok(None));
        fs::write(&path, r#"{"auths": {"r.example": {"auth": {"s3cret": 1}}}}"#).expect("a file");
        assert!(basic("oci:r.example/a").is_err_and(|why| why.contains("line 1") && !why.contains("s3cret")));
    }
}
