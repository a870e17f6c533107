//! `greenroom image`: a file for each of its commands.

mod add;
mod list;
mod work;

use clap::Subcommand;

use crate::model::image::ImageName;

use super::{Done, Failure, Global, client, out, say, say_json};

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
    Add(add::Args),
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
    /// Pull an image into the cache.
    Warm {
        /// Which.
        name: ImageName,
    },
}

pub(super) async fn run(command: Command, global: &Global) -> Done {
    match command {
        Command::Add(add) => add::run(add, global).await,
        Command::List => list::run(global).await,
        Command::Verify { name } => work::run(&name, "verify", global).await,
        Command::Warm { name } => work::run(&name, "warm", global).await,
    }
}
