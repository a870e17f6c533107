//! OCI registries as origins, by the distribution specification 1.1: `GET /v2/<path>/manifests/…` and `…/blobs/…`.
//!
//! A registry is believed nothing: a manifest must hash to the digest that it was asked for, a blob is hashed by whoever fills
//! a tier. Credentials go to the registry and to the token service that it names, over TLS unless it is spoken to plainly, and
//! **never along with a redirect**: that leads to the blob storage of somebody else.

mod auth;
mod manifest;

use std::{collections::HashMap, path::PathBuf, sync::Mutex};

use futures_util::StreamExt;
use reqwest::{Response, StatusCode, Url, header};
use sha2::{Digest as _, Sha256};

use crate::{
    images::lock,
    model::{
        Digest,
        oci::{OciBlob, OciReference, OciRepository},
    },
};

use super::{
    Answer,
    http::{Web, cause},
};

use auth::Credentials;
pub use manifest::{Artifact, OciFile};

/// The largest manifest: registries refuse larger ones as well.
const LARGEST_MANIFEST: usize = 4 << 20;

/// How often a registry may lead elsewhere.
const REDIRECTS: usize = 5;

/// A client of registries.
pub(in crate::images) struct Registry {
    web: Web,
    credentials: Credentials,
    /// What opened each repository last.
    keys: Mutex<HashMap<OciRepository, String>>,
}

impl Registry {
    pub(super) fn new() -> Result<Self, String> {
        Self::with(None)
    }

    /// A client with the credentials of a file, or those of the file that is usual.
    pub(in crate::images) fn with(file: Option<PathBuf>) -> Result<Self, String> {
        let credentials = Credentials::of(file);
        Ok(Self { web: Web::without_redirects()?, credentials, keys: Mutex::default() })
    }

    /// Opens a blob at `offset`.
    pub(super) async fn open(&self, blob: &OciBlob, offset: u64) -> Result<Answer, String> {
        let url = format!("{}/blobs/sha256:{}", blob.repository.url(), blob.digest);
        let response = self.ask(&blob.repository, &url, None, offset).await?;
        // Each redirect may lead to another storage with tags of its own; the name alone says what the bytes are.
        Ok(Answer { validator: Some(blob.digest.to_string()), ..Web::answer(response, offset)? })
    }

    /// Reads a manifest as it is, and what it hashes to.
    async fn manifest(&self, repository: &OciRepository, wanted: &OciReference) -> Result<(Digest, Vec<u8>), String> {
        let url = format!("{}/manifests/{wanted}", repository.url());
        let response = self.ask(repository, &url, Some(manifest::ACCEPT), 0).await?;
        let said = response.headers().get("docker-content-digest").and_then(|said| said.to_str().ok());
        let said = said.and_then(|said| said.strip_prefix("sha256:")).and_then(|digits| digits.parse::<Digest>().ok());
        let mut answer = Web::answer(response, 0)?;
        let mut bytes = vec![];
        while let Some(chunk) = answer.bytes.next().await {
            bytes.extend_from_slice(&chunk?);
            if bytes.len() > LARGEST_MANIFEST {
                return Err("its manifest is larger than any is".into());
            }
        }
        let found = Digest::new(Sha256::digest(&bytes).into());
        let expected = match wanted {
            OciReference::Digest(digest) => Some(*digest),
            OciReference::Tag(_) => said,
        };
        match expected {
            Some(expected) if expected != found => {
                Err(format!("its manifest hashes to sha256:{found}, not to sha256:{expected}: something altered it"))
            }
            _ => Ok((found, bytes)),
        }
    }

    /// Asks a registry, with whatever key it wants to see, and follows where it leads without it.
    async fn ask(
        &self,
        repository: &OciRepository,
        url: &str,
        accept: Option<&str>,
        offset: u64,
    ) -> Result<Response, String> {
        let key = lock(&self.keys).get(repository).cloned();
        let mut response = self.send(url, accept, offset, key.as_deref()).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            let key = self.key(repository, &response).await?;
            response = self.send(url, accept, offset, Some(&key)).await?;
            if response.status().is_success() || response.status().is_redirection() {
                lock(&self.keys).insert(repository.clone(), key);
            }
        }
        for _ in 0..REDIRECTS {
            let Some(next) = elsewhere(&response)? else { break };
            if next.scheme() != "https" && !repository.is_plain() {
                return Err(format!("it leads to {}, which is not encrypted", next.host_str().unwrap_or("nowhere")));
            }
            response = self.send(next.as_str(), accept, offset, None).await?;
        }
        match response.status() {
            status if status.is_success() => Ok(response),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(format!("the registry answered {status}: {}", self.credentials.advice(repository)))
            }
            StatusCode::NOT_FOUND => {
                Err("the registry does not have it: look at the path, the tag and who may see it".into())
            }
            status => Err(format!("the registry answered {status}")),
        }
    }

    async fn send(&self, url: &str, accept: Option<&str>, offset: u64, key: Option<&str>) -> Result<Response, String> {
        let mut request = self.web.get(url, offset, None)?;
        if let Some(accept) = accept {
            request = request.header(header::ACCEPT, accept);
        }
        if let Some(key) = key {
            let mut key = header::HeaderValue::from_str(key).map_err(|_| "its token is no text")?;
            key.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, key);
        }
        request.send().await.map_err(|error| cause(&error))
    }

    /// What opens a repository, from what it asks for.
    async fn key(&self, repository: &OciRepository, refusal: &Response) -> Result<String, String> {
        let challenges = refusal.headers().get_all(header::WWW_AUTHENTICATE).iter();
        let challenge = challenges.filter_map(|text| auth::challenge(text.to_str().ok()?)).next();
        let basic = self.credentials.basic(repository)?;
        let bearer = match challenge.ok_or("the registry wants something that Greenroom cannot give")? {
            auth::Challenge::Basic => return basic.ok_or_else(|| self.credentials.advice(repository)),
            auth::Challenge::Bearer(bearer) => bearer,
        };
        let url = bearer.url(repository)?;
        let response = self.send(url.as_str(), None, 0, basic.as_deref()).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(format!("its token service answered {status}: {}", self.credentials.advice(repository)));
        }
        auth::token(&response.bytes().await.map_err(|error| cause(&error))?)
    }
}

/// Where an answer leads, if it does.
fn elsewhere(response: &Response) -> Result<Option<Url>, String> {
    if !response.status().is_redirection() {
        return Ok(None);
    }
    let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    let next = location.and_then(|location| response.url().join(location).ok());
    next.map(Some).ok_or_else(|| "it leads elsewhere and does not say where".into())
}
