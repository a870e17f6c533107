//! `greenroom image`: a file for each of its commands.

mod add;
mod gc;
mod list;
mod meter;
mod work;

use clap::Subcommand;

use crate::model::image::ImageName;

use super::{Done, Failure, Global, client, out, say, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom image add ubuntu-24-04 ubuntu-24.04-live-server-amd64.iso \\
      --checksums SHA256SUMS --signature SHA256SUMS.gpg \\
      --keyring /usr/share/keyrings/ubuntu-archive-keyring.gpg
  greenroom image add alpine ./alpine-netboot      a netboot tree, unpacked
  greenroom image add lab-live oci:registry.example/lab/debian-live:12
  greenroom image add debian-live --kernel /srv/live/vmlinuz \\
      --initrd /srv/live/initrd --rootfs /srv/live/filesystem.squashfs \\
      --arg boot=live --arg 'fetch={{blob:rootfs}}'
  greenroom image add debian-12 --kernel http://.../linux \\
      --initrd http://.../initrd.gz --checksums http://.../SHA256SUMS
  greenroom image list
  greenroom image warm debian-live             cached before anybody asks
  greenroom image verify debian-live
  greenroom image gc --dry-run                 what no image names any more

Arguments may hold {{server}}, {{seed_url}}, {{report_url}}, {{blob:ROLE}} (a file's URL) and {{tree:ROLE}} (a folder in
which it is): they are filled in for each boot.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add an image from an ISO, a folder, a registry or URLs: a manifest in the library.
    Add(Box<add::Args>),
    /// List the images, where their files are and what room they take.
    ///
    /// LOGICAL is what a device reads. UNIQUE is what comes free on the disk when it goes: what others share with it stays.
    /// RAM and DISK are what these hold of it.
    List,
    /// Hash what the cache holds of an image.
    Verify {
        /// Which.
        name: ImageName,
    },
    /// Remove what the cache holds and no image names any more.
    Gc(gc::Args),
    /// Pull an image into the cache.
    Warm {
        /// Which.
        name: ImageName,
    },
}

pub(super) async fn run(command: Command, global: &Global) -> Done {
    match command {
        Command::Add(add) => add::run(*add, global).await,
        Command::Gc(args) => gc::run(args, global).await,
        Command::List => list::run(global).await,
        Command::Verify { name } => work::run(&name, "verify", global).await,
        Command::Warm { name } => work::run(&name, "warm", global).await,
    }
}
