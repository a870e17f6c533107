//! What a profile boots: its files and its kernel arguments, sorted by who shall say them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    model::{Arch, image::Role},
    persona::schema::Distribution,
};

use super::super::{LeftBehind, folder::Object, name::one_line};

/// The `boot` object of a profile.
#[derive(Debug)]
pub(super) struct Boot {
    pub(super) arch: Arch,
    pub(super) distribution: Distribution,
    pub(super) fedora_coreos: bool,
    pub(super) files: BTreeMap<Role, String>,
    /// Arguments that name the seed or a file: they belong to the image.
    pub(super) image_args: Vec<String>,
    /// The others: they belong to the persona.
    pub(super) own_args: Vec<String>,
    /// Whether coreos-installer runs, by its kernel arguments.
    pub(super) installs: bool,
}

/// Reads it; `None` when it names no kernel.
pub(super) fn read(profile: &Object<'_>, left: &mut Vec<LeftBehind>) -> Option<Boot> {
    let boot = profile.map.get("boot")?;
    let texts = |key: &str| -> Vec<&str> {
        let list = boot.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).filter(|text| !text.trim().is_empty()).collect()
    };
    let kernel = boot.get("kernel").and_then(Value::as_str).map(file).filter(|text| !text.is_empty())?;
    let initrds = texts("initrd");
    let args: Vec<&str> = texts("args").into_iter().flat_map(str::split_whitespace).collect();
    let all = [&[kernel.as_str()], &*initrds, &*args].concat().join(" ").to_lowercase();
    let fedora_coreos = all.contains("fedora-coreos") || all.contains("coreos.live.") || all.contains("coreos.inst");
    let distribution = match () {
        () if all.contains("flatcar") || fedora_coreos => Distribution::Flatcar,
        () if all.contains("ubuntu") => Distribution::Ubuntu,
        () if all.contains("debian") => Distribution::Debian,
        () => Distribution::Other,
    };
    let arm = ["aarch64", "arm64"].iter().any(|word| all.contains(word));
    let mut files = BTreeMap::from([(Role::Kernel, kernel)]);
    if let Some(first) = initrds.first() {
        files.insert(Role::Initrd, file(first));
    }
    if initrds.len() > 1 {
        let what = format!("{} more initrds of profile {}", initrds.len() - 1, profile.stem);
        let why = "an image has one initrd";
        let help = "join them (`cat a b > c`: the kernel reads them one after the other), and name the joined file";
        left.push(LeftBehind::lost(&profile.place("initrd"), &what, why, help));
    }
    let mut read = Boot {
        arch: if arm { Arch::Arm64 } else { Arch::X64 },
        distribution,
        fedora_coreos,
        files,
        image_args: vec![],
        own_args: vec![],
        installs: false,
    };
    for arg in args {
        read.arg(arg, profile, left);
    }
    let seed = |arg: &String| arg.contains("{{seed_url}}");
    if read.distribution == Distribution::Flatcar && !fedora_coreos && !read.image_args.iter().any(seed) {
        // What it asked Matchbox for stays behind; the persona's own seed must be read all the same.
        read.image_args.push(format!("flatcar.config.url={{{{seed_url}}}}{}", super::ignition::SEED_FILE));
    }
    Some(read)
}

/// The path or URL of a file: iPXE's own options (`--name main`) stand before it.
fn file(text: &str) -> String {
    one_line(text.split_whitespace().next_back().unwrap_or_default())
}

impl Boot {
    fn arg(&mut self, arg: &str, profile: &Object<'_>, left: &mut Vec<LeftBehind>) {
        let (key, value) = arg.split_once('=').unwrap_or((arg, ""));
        let mut lost = |why: &str, help: &str| {
            let what = format!("the kernel argument {arg} of profile {}", profile.stem);
            left.push(LeftBehind::lost(&profile.place("args"), &what, why, help));
        };
        let path = value.split_once("://").map_or(value, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
        match key {
            "initrd" => {
                let what = format!("the kernel argument {arg} of profile {}", profile.stem);
                left.push(LeftBehind::unneeded(&profile.place("args"), &what, "Greenroom's boot script says it"));
            }
            "coreos.live.rootfs_url" if !value.is_empty() && !value.contains("${") => {
                self.files.insert(Role::Rootfs, one_line(value));
                self.image_args.push(format!("{key}={{{{blob:rootfs}}}}"));
            }
            _ if path.starts_with("/ignition") => {
                self.image_args.push(format!("{key}={{{{seed_url}}}}{}", super::ignition::SEED_FILE));
            }
            _ if ["/cloud?", "/generic?", "/metadata?"].iter().any(|door| path.starts_with(door)) => {
                lost("it asks Matchbox, which will not be there", "what it fetched is the persona's seed now");
            }
            _ if arg.contains("${") => {
                lost(
                    "it holds a variable of iPXE, and Greenroom's arguments are plain",
                    "use {{seed_url}} or {{server}}",
                );
            }
            _ if path.starts_with("/assets/") => {
                lost(
                    "it fetches from Matchbox' assets, which will not be there",
                    "serve the file elsewhere and say where",
                );
            }
            _ if arg.contains("{{") || arg.contains(['"', '\'']) => lost("it is no plain word", "write it by hand"),
            _ => {
                self.installs |= key == "coreos.inst.install_dev" || key == "coreos.inst";
                self.own_args.push(arg.to_owned());
            }
        }
    }
}
