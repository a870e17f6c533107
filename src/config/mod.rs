//! Floor 6: the daemon's configuration. A [`Config`] exists only validated; every problem is reported, each with its line.

mod directory;
mod file;
mod sample;
mod sign_in;
mod validate;
mod webhook;

use std::{net::SocketAddr, path::PathBuf};

use serde::Serialize;

use crate::{
    document::{Document, Problem},
    model::{Bytes, Seconds, site::Site},
    serve::webhook::Webhook,
    stage::Aim,
};

pub use directory::Directory;
pub use sample::sample;
pub use sign_in::{Oidc, Roles, Session};

/// Where the configuration is looked for.
pub const DEFAULT_PATH: &str = "/etc/greenroom/greenroom.yaml";

/// Where the command line finds the daemon.
pub const DEFAULT_SOCKET: &str = "/run/greenroom/admin.sock";

/// Everything that the daemon is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Whom to become once every port is bound; nobody else than who started it when not given.
    pub user: Option<String>,
    /// Where the journal, the image cache and the key lie.
    pub state_dir: PathBuf,
    /// The folder of the personas.
    pub library: PathBuf,
    /// Where the library's commits come from, when it is pulled.
    pub library_remote: Option<LibraryRemote>,
    /// The directory that people are asked for of, if there is one.
    pub directory: Option<Directory>,
    /// The folder of the secrets that personas name: one file each, for root only.
    pub secrets_dir: PathBuf,
    /// The admin's door.
    pub admin_socket: PathBuf,
    /// How much is logged, as `RUST_LOG` says it.
    pub log_level: String,
    /// Whether the log is JSON.
    pub log_json: bool,
    /// The interfaces that DHCP and TFTP serve; all when empty.
    pub interfaces: Vec<String>,
    /// Whether TFTP is served.
    pub tftp: bool,
    /// How many bytes of image files a second each client gets at most.
    pub http_client_rate: Option<Bytes>,
    /// How many all clients together get.
    pub http_total_rate: Option<Bytes>,
    /// Where lines of syslog are heard, if anywhere.
    pub syslog: Option<SocketAddr>,
    /// The API, when it is open.
    pub api: Option<Api>,
    /// Where the NBPs are, when not where the system's package puts them.
    pub nbp_dir: Option<PathBuf>,
    /// The size of the RAM tier.
    pub images_ram: Bytes,
    /// The size of the disk tier.
    pub images_disk: Bytes,
    /// What the tiers are to be good at.
    pub images_aim: Aim,
    /// How long a blob may make no progress before it is refused.
    pub images_patience: Seconds,
    /// Where `s3:` origins are.
    pub s3: S3,
    /// How many bytes the cache's keeper moves in a second, of what no device waits for.
    pub keeper_rate: Bytes,
    /// How often the forecast is learnt anew, when something has happened.
    pub predict_every: Seconds,
    /// How far ahead images are staged.
    pub predict_horizon: Seconds,
    /// Who is told of what happens.
    pub webhooks: Vec<Webhook>,
    /// What policy reads. Its list of NBPs is filled in at start.
    pub site: Site,
}

/// Where the API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its certificate and the key of that, in PEM files, when it speaks TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// How many requests a token may make in a second.
    pub token_rate: u32,
    /// How many an address may.
    pub address_rate: u32,
    /// Where browsers find the pages, when not where it listens: a proxy stands before it.
    pub url: Option<String>,
    /// How long somebody stays signed in.
    pub session: Session,
    /// Whose identities people sign in with, beside the accounts that are made here.
    pub oidc: Option<Oidc>,
}

/// Where the library's commits come from, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LibraryRemote {
    /// The repository; the work tree's own upstream when not given.
    pub url: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// How often it is pulled.
    pub every: Seconds,
    /// The name of the secret that the webhook's calls are signed with; without one there is no webhook.
    pub webhook_secret: Option<String>,
}

/// Where `s3:` origins are, and the names of the secrets that they are read with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct S3 {
    /// The server; Amazon's when not given.
    pub endpoint: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// Whether the bucket is named in the path.
    pub path_style: bool,
    /// The secrets with the public and the secret part of the key.
    pub keys: Option<(String, String)>,
    /// Whether the cloud machine's own role is asked for instead.
    pub instance: bool,
}

impl Config {
    /// Reads a configuration. Relative paths in it are relative to the folder of the file.
    pub fn read(document: &Document) -> Result<Self, Vec<Problem>> {
        validate::config(document.parse_alone()?, document)
    }
}

/// What is in force, defaults included, in the form of the file: it can be put in the place of what was read.
pub fn shown(document: &Document) -> Result<impl Serialize + use<>, Vec<Problem>> {
    Config::read(document)?;
    document.parse::<file::File>()
}
