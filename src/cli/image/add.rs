//! `greenroom image add`: a manifest in the library, of files that were read once.

use std::{collections::BTreeMap, fs, path::PathBuf};

use crate::{
    document::yaml,
    images::survey,
    model::{
        Arch,
        image::{Image, ImageFile, ImageName, Origin, Role},
    },
};

use super::{Done, Failure, Global, out, say, say_json};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// What personas call it.
    name: ImageName,
    /// The kernel: a path or a URL.
    #[arg(long, value_name = "PATH|URL")]
    kernel: String,
    /// The initial RAM disk.
    #[arg(long, value_name = "PATH|URL")]
    initrd: Option<String>,
    /// The root file system that the initrd fetches.
    #[arg(long, value_name = "PATH|URL")]
    rootfs: Option<String>,
    /// What it runs on.
    #[arg(long, default_value = "x64")]
    arch: Arch,
    /// The distribution that it is or installs: debian, ubuntu, rocky, ...
    #[arg(long)]
    distribution: Option<String>,
    /// The version of it: 12, 24.04, ...
    #[arg(long = "os-version", value_name = "VERSION")]
    version: Option<String>,
    /// A kernel argument; may be given often.
    #[arg(long = "arg", value_name = "ARG", allow_hyphen_values = true)]
    args: Vec<String>,
    /// One line for people.
    #[arg(long, default_value = "")]
    description: String,
    /// The library; the configured one when not given.
    #[arg(long, value_name = "DIR")]
    library: Option<PathBuf>,
    /// Replace a manifest that is there.
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(add: Args, global: &Global) -> Done {
    let library = match add.library {
        Some(path) => path,
        None => global.config()?.library,
    };
    let path = library.join("images").join(format!("{}.yaml", add.name));
    if path.exists() && !add.force {
        return Err(format!("{} is there already: --force replaces it", path.display()).into());
    }
    let given = [(Role::Kernel, Some(add.kernel)), (Role::Initrd, add.initrd), (Role::Rootfs, add.rootfs)];
    let mut files = BTreeMap::new();
    for (role, place) in given.into_iter().filter_map(|(role, place)| Some((role, place?))) {
        files.insert(role, surveyed(role, &place).await?);
    }
    let Args { name, description, arch, distribution, version, args, .. } = add;
    let image = Image { name, description, arch, distribution, version, files, args };
    let written = fs::create_dir_all(library.join("images")).and_then(|()| fs::write(&path, yaml::to_string(&image)));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    match global.json {
        true => say_json(&image),
        false => {
            say(&format!("{} is written; a running daemon takes it up by itself", path.display()));
            Ok(())
        }
    }
}

async fn surveyed(role: Role, place: &str) -> Result<ImageFile, Failure> {
    let origin = match place.contains("://") || place.starts_with("file:") {
        true => place.parse()?,
        false => {
            let path = fs::canonicalize(place).map_err(|error| format!("{place}: {error}"))?;
            Origin::File(path.display().to_string())
        }
    };
    let bar = out::bar(role.name(), Some(0));
    let (sha256, size) = survey(&origin, |read, of| {
        bar.set_length(of.unwrap_or(read));
        bar.set_position(read);
    })
    .await?;
    bar.finish();
    let name = place.rsplit('/').next().filter(|name| name.contains('.')).map(str::to_owned);
    Ok(ImageFile { sha256, size: Some(size), origins: vec![origin], name })
}
