//! Objects of an S3-compatible store as origins: `s3://bucket/key`.
//!
//! `object_store` signs the requests and reads the answers; retries, resuming and time-outs are ours, as for every origin.

use std::{collections::HashMap, error::Error, fmt, sync::Mutex};

use futures_util::{StreamExt, TryStreamExt};
use object_store::{
    ClientOptions, GetOptions, GetRange, ObjectStore, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};

use crate::{images::lock, model::trouble::TroubleKind};

use super::{Answer, OriginError, cause, choose_tls, patience::Patience};

/// Where `s3:` origins are, and who asks for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct S3Settings {
    /// The server: `https://minio.example:9000`; Amazon's when not given.
    pub endpoint: Option<String>,
    /// The region; `us-east-1` when not given, which most other stores take.
    pub region: Option<String>,
    /// Whether the bucket is named in the path, as most stores of one's own want it, and not in the host name.
    pub path_style: bool,
    /// Who asks.
    pub keys: Keys,
}

/// Who asks an S3 store.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Keys {
    /// Whom the environment names (`AWS_ACCESS_KEY_ID`, `AWS_WEB_IDENTITY_TOKEN_FILE`, ...), else nobody: public buckets only.
    #[default]
    Environment,
    /// The role of the cloud machine that this runs on, from its metadata service.
    Instance,
    /// A key of the site.
    Given {
        /// Its public part.
        access_key: String,
        /// Its secret part.
        secret_key: String,
    },
    /// One that is configured and not to be had, and why: nothing is asked then.
    Missing(String),
}

/// What is secret stays so.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "Environment",
            Self::Instance => "Instance",
            Self::Given { .. } => "Given",
            Self::Missing(_) => "Missing",
        })
    }
}

/// The buckets that were asked so far.
pub(super) struct Buckets {
    settings: S3Settings,
    patience: Patience,
    open: Mutex<HashMap<String, AmazonS3>>,
}

impl Buckets {
    pub(super) fn new(settings: S3Settings, patience: Patience) -> Self {
        Self { settings, patience, open: Mutex::default() }
    }

    /// Opens an object at `offset`, up to `end` if that is given.
    pub(super) async fn open(&self, url: &str, offset: u64, end: Option<u64>) -> Result<Answer, OriginError> {
        let named = url.strip_prefix("s3://").and_then(|object| object.split_once('/'));
        let Some((bucket, key)) = named else { return Err(format!("`{url}` is no s3://bucket/key").into()) };
        let key = Path::parse(key).map_err(|error| format!("`{key}` cannot name an object: {error}"))?;
        let store = self.bucket(bucket)?;
        let range = match end {
            Some(end) => Some(GetRange::Bounded(offset..end)),
            None => (offset > 0).then_some(GetRange::Offset(offset)),
        };
        let found = store.get_opts(&key, GetOptions { range, ..GetOptions::default() }).await;
        let found = found.map_err(|error| told(&error, self.patience))?;
        let (len, validator) = (found.meta.size, found.meta.e_tag.clone());
        let bytes = found.into_stream().map_err(|error| cause(&error));
        Ok(Answer { len: Some(len), validator, before: 0, bytes: bytes.boxed() })
    }

    fn bucket(&self, name: &str) -> Result<AmazonS3, OriginError> {
        if let Keys::Missing(why) = &self.settings.keys {
            return Err(OriginError::new(TroubleKind::NotSetUp, why.clone()));
        }
        let mut open = lock(&self.open);
        if let Some(bucket) = open.get(name) {
            return Ok(bucket.clone());
        }
        let bucket = self.build(name).map_err(|error| OriginError::new(TroubleKind::NotSetUp, cause(&error)))?;
        open.insert(name.to_owned(), bucket.clone());
        Ok(bucket)
    }

    fn build(&self, name: &str) -> object_store::Result<AmazonS3> {
        choose_tls();
        let S3Settings { endpoint, region, path_style, keys } = &self.settings;
        let plain = endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
        let options = ClientOptions::new()
            .with_allow_http(plain)
            // Without TLS no authority is needed: a server that has none reads such a store all the same.
            .with_no_system_certificates(plain)
            .with_connect_timeout(self.patience.connect())
            .with_read_timeout(self.patience.silence() * 2)
            // An image takes as long as it takes.
            .with_timeout_disabled();
        let mut builder = match keys {
            Keys::Environment => AmazonS3Builder::from_env().with_skip_signature(!environment_names_somebody()),
            Keys::Given { access_key, secret_key } => {
                AmazonS3Builder::new().with_access_key_id(access_key).with_secret_access_key(secret_key)
            }
            Keys::Instance | Keys::Missing(_) => AmazonS3Builder::new(),
        };
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(region) = region {
            builder = builder.with_region(region);
        }
        builder
            .with_bucket_name(name)
            .with_virtual_hosted_style_request(!path_style)
            .with_client_options(options)
            .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
            .build()
    }
}

/// Whether the environment has credentials of any kind.
fn environment_names_somebody() -> bool {
    let ways = [
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    ways.iter().any(|name| std::env::var_os(name).is_some())
}

/// What a failed request means. The store's own word for it (`AccessDenied`) is in the answer's body.
fn told(error: &object_store::Error, patience: Patience) -> OriginError {
    let why = cause(error);
    let code = code(&why);
    let words = |hint: &str| match code {
        Some(code) => format!("the store says {code}{hint}"),
        None => {
            let bare = why.trim_start_matches("Server returned non-2xx status code: ").trim_end_matches([':', ' ']);
            format!("the store says {bare}{hint}")
        }
    };
    let (kind, why) = match (code, error) {
        (Some("NoSuchBucket"), _) => (TroubleKind::Missing, words(": there is no such bucket")),
        (_, object_store::Error::NotFound { .. }) => (TroubleKind::Missing, words(": there is no such object")),
        (Some("RequestTimeTooSkewed" | "RequestExpired"), _) => {
            (TroubleKind::NotSetUp, words(": this server's clock is wrong, see `date`"))
        }
        (Some("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "ExpiredToken"), _) => {
            (TroubleKind::Forbidden, words(": check the secrets that `images.s3` names"))
        }
        (_, object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }) => (
            TroubleKind::Forbidden,
            words(": this key may not read the object (or list the bucket, to know that it is not there)"),
        ),
        (Some("SlowDown" | "ServiceUnavailable" | "TooManyRequests"), _) => (TroubleKind::Busy, words("")),
        _ => return reached(error, why, patience),
    };
    OriginError::new(kind, why)
}

/// What the way to the store says, when the store said nothing.
fn reached(error: &object_store::Error, why: String, patience: Patience) -> OriginError {
    let causes = std::iter::successors(Some(error as &(dyn Error + 'static)), |error| (**error).source());
    let web = causes.filter_map(|cause| cause.downcast_ref::<reqwest::Error>()).next();
    match web {
        Some(web) => super::http::told(web, patience),
        None => why.into(),
    }
}

/// What stands in the answer's `<Code>`.
fn code(text: &str) -> Option<&str> {
    text.split_once("<Code>")?.1.split_once("</Code>").map(|(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_shown() {
        let keys = Keys::Given { access_key: "AKIA".into(), secret_key: "hush".into() };
        let settings = S3Settings { keys, ..S3Settings::default() };
        assert!(!format!("{settings:?}").contains("hush"));
    }

    #[test]
    fn the_stores_own_word_is_found() {
        assert_eq!(code("403: <?xml?><Error><Code>AccessDenied</Code></Error>"), Some("AccessDenied"));
        assert_eq!((code("no xml"), code("<Code>")), (None, None));
    }
}
