//! `greenroom image`.

use std::{collections::BTreeMap, fs, path::PathBuf};

use clap::Subcommand;

use crate::{
    document::yaml,
    images::survey,
    model::{
        Arch,
        image::{Image, ImageFile, ImageName, Origin, Role},
    },
    serve::admin::{ImageView, Progress},
};

use super::{Done, Failure, Global, client::Daemon, out, say, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom image add debian-live --kernel /srv/live/vmlinuz \\
      --initrd /srv/live/initrd --rootfs /srv/live/filesystem.squashfs \\
      --arg boot=live --arg 'fetch={{blob:rootfs}}'
  greenroom image add debian-12 --kernel http://.../linux \\
      --initrd http://.../initrd.gz
  greenroom image list
  greenroom image warm debian-live             cached before anybody asks
  greenroom image verify debian-live

Arguments may hold {{server}}, {{seed_url}}, {{report_url}} and {{blob:ROLE}}: they are filled in for each boot.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read an image's files once, and write its manifest into the library.
    Add(Add),
    /// List the images and where their files are.
    List,
    /// Hash what the cache holds of an image.
    Verify {
        /// Which.
        name: ImageName,
    },
    /// Pull an image into the cache.
    Warm {
        /// Which.
        name: ImageName,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
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

pub(super) async fn run(command: Command, global: &Global) -> Done {
    match command {
        Command::Add(add) => self::add(add, global).await,
        Command::List => list(global).await,
        Command::Verify { name } => over_files(&name, "verify", global).await,
        Command::Warm { name } => over_files(&name, "warm", global).await,
    }
}

async fn add(add: Add, global: &Global) -> Done {
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
    let Add { name, description, arch, distribution, version, args, .. } = add;
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

async fn list(global: &Global) -> Done {
    let images: Vec<ImageView> = Daemon::new(global)?.get("/images").await?;
    if global.json {
        return say_json(&images);
    }
    let mut table = out::table(&["image", "arch", "file", "size", "in", "sha256"]);
    for view in &images {
        for (role, status) in &view.status {
            let file = &view.image.files[role];
            let size = file.size.or(status.len).map(|size| size.to_string()).unwrap_or_default();
            let place = match status.filling {
                Some(bytes) => format!("coming ({bytes})"),
                None => status.tier.to_string(),
            };
            table.add_row([
                view.image.name.to_string(),
                view.image.arch.to_string(),
                role.to_string(),
                size,
                place,
                file.sha256.short(),
            ]);
        }
    }
    out::say_table(&table, "the library has no image yet: `greenroom image add`");
    Ok(())
}

/// Has the daemon work on every file of an image, with a bar for each.
async fn over_files(name: &ImageName, work: &str, global: &Global) -> Done {
    let daemon = Daemon::new(global)?;
    let mut good = true;
    let mut bars: BTreeMap<Role, indicatif::ProgressBar> = BTreeMap::new();
    let each = |progress: Progress| match progress {
        Progress::Moved { role, done, of } => {
            let bar = bars.entry(role).or_insert_with(|| out::bar(role.name(), Some(of.0)));
            bar.set_position(done.0);
        }
        Progress::Finished { role, ok, ref message, .. } => {
            if let Some(bar) = bars.remove(&role) {
                bar.finish_and_clear();
            }
            good &= ok;
            match global.json {
                true => say(&serde_json::to_string(&progress).unwrap_or_default()),
                false => say(&format!("{role:8} {message}")),
            }
        }
    };
    daemon.lines(true, &format!("/images/{name}/{work}"), each).await?;
    if good { Ok(()) } else { Err(Failure::Wanting) }
}
