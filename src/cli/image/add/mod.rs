//! `greenroom image add`: a manifest in the library, of files that were read once, wherever they are.
//!
//! ```text
//!   ISO, folder, oci:…, --kernel …  ──source──>  places by role, arguments   (what the medium says of itself)
//!   --checksums, --signature        ──vouch───>  the digests that they must have
//!   each place                      ──read────>  digest and size; what comes over the network is kept meanwhile
//!   all of them good                ──write───>  the manifest, read back as the library reads it
//!                                   ──keep────>  what was downloaded goes into the cache
//! ```
//! **Nothing is written unless every file is good.**

mod keep;
mod read;
mod source;
mod vouch;
mod write;

use std::path::PathBuf;

use crate::model::{
    Arch,
    image::{Image, ImageFile, ImageName},
};

use super::{Done, Failure, Global, client, meter::Meter, out, say};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// What personas call it.
    name: ImageName,
    /// An ISO file, a folder (a netboot tree, or a medium unpacked), or oci:REGISTRY/PATH:TAG.
    source: Option<String>,
    /// The kernel: a path or a URL.
    #[arg(long, value_name = "PATH|URL", required_unless_present = "source")]
    kernel: Option<String>,
    /// The initial RAM disk.
    #[arg(long, value_name = "PATH|URL")]
    initrd: Option<String>,
    /// The root file system that the initrd fetches.
    #[arg(long, value_name = "PATH|URL")]
    rootfs: Option<String>,
    /// A list of SHA-256 digests that the files, or the ISO file, must be in.
    #[arg(long, value_name = "PATH|URL")]
    checksums: Option<String>,
    /// The list's signature, when it is not in the list itself.
    #[arg(long, value_name = "PATH|URL", requires = "checksums")]
    signature: Option<String>,
    /// The OpenPGP keys that may have signed the list.
    #[arg(long, value_name = "FILE", requires = "checksums", conflicts_with = "minisign_key")]
    keyring: Option<PathBuf>,
    /// The minisign key that signed the list.
    #[arg(long, value_name = "KEY|FILE", requires = "checksums")]
    minisign_key: Option<String>,
    /// The registry's name and password, in a file by `skopeo login --authfile FILE`.
    #[arg(long, value_name = "FILE")]
    registry_auth: Option<PathBuf>,
    /// Speak to the registry without TLS.
    #[arg(long)]
    plain_http: bool,
    /// What it runs on; what the medium says, or x64.
    #[arg(long)]
    arch: Option<Arch>,
    /// The distribution that it is or installs: debian, ubuntu, rocky, ...
    #[arg(long)]
    distribution: Option<String>,
    /// The version of it: 12, 24.04, ...
    #[arg(long = "os-version", value_name = "VERSION")]
    version: Option<String>,
    /// A kernel argument; may be given often. Stands behind those that a medium of this kind needs.
    #[arg(long = "arg", value_name = "ARG", allow_hyphen_values = true)]
    args: Vec<String>,
    /// Leave out the arguments that a medium of this kind needs.
    #[arg(long, requires = "source")]
    only_my_args: bool,
    /// One line for people.
    #[arg(long)]
    description: Option<String>,
    /// The library; the configured one when not given.
    #[arg(long, value_name = "DIR")]
    library: Option<PathBuf>,
    /// Replace a manifest that is there, with its comments.
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(add: Args, global: &Global) -> Done {
    let library = match &add.library {
        Some(path) => path.clone(),
        None => global.config()?.library,
    };
    let path = library.join("images").join(format!("{}.yaml", add.name));
    write::may_be(&path, add.force)?;
    if (add.registry_auth.is_some() || add.plain_http) && !add.source.as_deref().is_some_and(source::is_oci) {
        return Err(Failure::Wrong("--registry-auth and --plain-http are for oci:REGISTRY/PATH:TAG".into()));
    }
    let vouched = vouch::list(&add, global).await?;
    let draft = source::draft(&add).await?;
    let read = read::all(&draft, vouched.as_ref(), global).await?;
    let file = |(role, read): (_, &read::Read)| (role, read.manifest_file());
    let image = Image {
        name: add.name,
        description: add.description.unwrap_or(draft.what),
        arch: add.arch.or(draft.arch).unwrap_or(Arch::X64),
        distribution: add.distribution.or(draft.distribution),
        version: add.version.or(draft.version),
        files: read.iter().map(|read| file((read.role, read))).collect(),
        args: draft.args,
    };
    write::write(&path, &image)?;
    draft.notes.iter().for_each(|note| out::note(note));
    match global.json {
        // One line, as all before it.
        true => say(&serde_json::to_string(&image).map_err(|error| error.to_string())?),
        false => say(&format!("{} is written; a running daemon takes it up by itself", path.display())),
    }
    keep::all(read, global).await;
    Ok(())
}

/// How a file stands in the manifest.
impl read::Read {
    fn manifest_file(&self) -> ImageFile {
        ImageFile {
            sha256: self.sha256,
            size: Some(self.size),
            origins: vec![self.place.origin.clone()],
            name: source::url_name(&self.place.name),
        }
    }
}
