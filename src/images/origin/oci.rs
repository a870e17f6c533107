//! OCI registries as origins, by the distribution specification 1.1: `GET /v2/<path>/manifests/…` and `…/blobs/…`.
//!
//! A registry is believed nothing: a manifest must hash to the digest that it was asked for, a blob is hashed by whoever fills
//! a tier. Credentials go to the registry and to the token service that it names, over TLS unless it is spoken to plainly, and
//! **never along with a redirect**: that leads to the blob storage of somebody else.

mod auth;
mod manifest;

use std::{collections::HashMap, ops::Range, path::PathBuf, sync::Mutex};

use futures_util::StreamExt;
use reqwest::{Response, StatusCode, Url, header};
use sha2::{Digest as _, Sha256};

use crate::{
    images::lock,
    model::{
        Digest,
        oci::{OciBlob, OciReference, OciRepository},
        trouble::TroubleKind,
    },
};

use super::{
    Answer, OriginError, cause,
    http::{Web, refused},
    patience::Patience,
};

use auth::Credentials;
pub use manifest::{Artifact, OciFile};

/// The largest manifest: registries refuse larger ones as well.
const LARGEST_MANIFEST: usize = 4 << 20;

/// All of what is asked for.
const WHOLE: Range<u64> = 0..u64::MAX;

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
    pub(super) fn new(patience: Patience) -> Result<Self, String> {
        Self::with(None, patience)
    }

    /// A client with the credentials of a file, or those of the file that is usual.
    pub(in crate::images) fn with(file: Option<PathBuf>, patience: Patience) -> Result<Self, String> {
        let credentials = Credentials::of(file);
        Ok(Self { web: Web::without_redirects(patience)?, credentials, keys: Mutex::default() })
    }

    /// Opens a blob at `offset`, up to `end` if that is given.
    pub(super) async fn open(&self, blob: &OciBlob, offset: u64, end: Option<u64>) -> Result<Answer, OriginError> {
        let url = format!("{}/blobs/sha256:{}", blob.repository.url(), blob.digest);
        let response = self.ask(&blob.repository, &url, None, offset..end.unwrap_or(u64::MAX)).await?;
        // Each redirect may lead to another storage with tags of its own; the name alone says what the bytes are.
        Ok(Answer { validator: Some(blob.digest.to_string()), ..Web::answer(response, offset)? })
    }

    /// Reads a manifest as it is, and what it hashes to.
    async fn manifest(
        &self,
        repository: &OciRepository,
        wanted: &OciReference,
    ) -> Result<(Digest, Vec<u8>), OriginError> {
        let url = format!("{}/manifests/{wanted}", repository.url());
        let response = self.ask(repository, &url, Some(manifest::ACCEPT), WHOLE).await?;
        let said = response.headers().get("docker-content-digest").and_then(|said| said.to_str().ok());
        let said = said.and_then(|said| said.strip_prefix("sha256:")).and_then(|digits| digits.parse::<Digest>().ok());
        let mut answer = Web::answer(response, 0)?;
        let mut bytes = vec![];
        while let Some(chunk) = answer.bytes.next().await {
            bytes.extend_from_slice(&chunk?);
            if bytes.len() > LARGEST_MANIFEST {
                return Err(OriginError::new(TroubleKind::Broken, "its manifest is larger than any is"));
            }
        }
        let found = Digest::new(Sha256::digest(&bytes).into());
        let expected = match wanted {
            OciReference::Digest(digest) => Some(*digest),
            OciReference::Tag(_) => said,
        };
        match expected {
            Some(expected) if expected != found => Err(OriginError::new(
                TroubleKind::WrongBytes,
                format!("its manifest hashes to sha256:{found}, not to sha256:{expected}: something altered it"),
            )),
            _ => Ok((found, bytes)),
        }
    }

    /// Asks a registry, with whatever key it wants to see, and follows where it leads without it.
    async fn ask(
        &self,
        repository: &OciRepository,
        url: &str,
        accept: Option<&str>,
        range: Range<u64>,
    ) -> Result<Response, OriginError> {
        let key = lock(&self.keys).get(repository).cloned();
        let mut response = self.send(url, accept, &range, key.as_deref()).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            let key = self.key(repository, &response).await?;
            response = self.send(url, accept, &range, Some(&key)).await?;
            if response.status().is_success() || response.status().is_redirection() {
                lock(&self.keys).insert(repository.clone(), key);
            }
        }
        for _ in 0..REDIRECTS {
            let Some(next) = elsewhere(&response)? else { break };
            if next.scheme() != "https" && !repository.is_plain() {
                let why = format!("it leads to {}, which is not encrypted", next.host_str().unwrap_or("nowhere"));
                return Err(OriginError::new(TroubleKind::NotSetUp, why));
            }
            response = self.send(next.as_str(), accept, &range, None).await?;
        }
        match response.status() {
            status if status.is_success() => Ok(response),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                let why = format!("the registry answered {status}: {}", self.credentials.advice(repository));
                Err(OriginError::new(TroubleKind::Forbidden, why))
            }
            StatusCode::NOT_FOUND => {
                let why = "the registry does not have it: look at the path, the tag and who may see it";
                Err(OriginError::new(TroubleKind::Missing, why))
            }
            _ => Err(refused(&response)),
        }
    }

    async fn send(
        &self,
        url: &str,
        accept: Option<&str>,
        range: &Range<u64>,
        key: Option<&str>,
    ) -> Result<Response, OriginError> {
        let end = (range.end != u64::MAX).then_some(range.end);
        let mut request = self.web.get(url, range.start, end)?;
        if let Some(accept) = accept {
            request = request.header(header::ACCEPT, accept);
        }
        if let Some(key) = key {
            let mut key = header::HeaderValue::from_str(key).map_err(|_| "its token is no text".to_owned())?;
            key.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, key);
        }
        self.web.send(request).await
    }

    /// What opens a repository, from what it asks for.
    async fn key(&self, repository: &OciRepository, refusal: &Response) -> Result<String, OriginError> {
        let challenges = refusal.headers().get_all(header::WWW_AUTHENTICATE).iter();
        let challenge = challenges.filter_map(|text| auth::challenge(text.to_str().ok()?)).next();
        let basic = self.credentials.basic(repository)?;
        let bearer =
            match challenge.ok_or_else(|| forbidden("the registry wants something that Greenroom cannot give"))? {
                auth::Challenge::Basic => return basic.ok_or_else(|| forbidden(self.credentials.advice(repository))),
                auth::Challenge::Bearer(bearer) => bearer,
            };
        let url = bearer.url(repository)?;
        let response = self.send(url.as_str(), None, &WHOLE, basic.as_deref()).await?;
        let status = response.status();
        if !status.is_success() {
            let advice = self.credentials.advice(repository);
            return Err(forbidden(format!("its token service answered {status}: {advice}")));
        }
        Ok(auth::token(&response.bytes().await.map_err(|error| cause(&error))?)?)
    }
}

fn forbidden(why: impl Into<String>) -> OriginError {
    OriginError::new(TroubleKind::Forbidden, why)
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
