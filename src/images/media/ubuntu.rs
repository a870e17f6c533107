//! Ubuntu, its flavours and its kin: casper, which downloads the whole medium into memory and mounts it there.
//!
//! That it can take one file system alone (`fetch=`) is of no use: since 23.04 there are several, one upon the other. So the
//! medium itself is the root file system here, and needs no second copy either.

use crate::model::image::Role;

use super::{Find, Medium, Verdict, about};

pub(super) fn look(medium: &Medium) -> Result<Option<Verdict>, String> {
    let kernel = medium.first(&["casper/vmlinuz", "casper/vmlinuz.efi", "casper/hwe-vmlinuz"])?;
    let initrd = medium.first(&[
        "casper/initrd",
        "casper/initrd.gz",
        "casper/initrd.lz",
        "casper/initrd.lz4",
        "casper/hwe-initrd",
    ])?;
    let (Some(kernel), Some(initrd)) = (kernel, initrd) else { return Ok(None) };
    let about = about::disk_info(&medium.text(".disk/info")?.unwrap_or_default());
    let what = match about.name.as_str() {
        "" => "a live system by casper, as Ubuntu's".to_owned(),
        name => name.to_owned(),
    };
    let Some(whole) = medium.whole() else {
        let why = "casper downloads the whole medium as one file: give the ISO file itself".to_owned();
        return Ok(Some(Verdict::Cannot { what, why }));
    };
    let is_ubuntu = about.name.to_ascii_lowercase().contains("ubuntu");
    let is_server = about.name.contains("Server");
    let mut find = Find::of(medium, what, &[(Role::Kernel, &kernel), (Role::Initrd, &initrd)]);
    find.files.push((Role::Rootfs, whole));
    find.distribution = Some(if is_ubuntu { "ubuntu" } else { "other" });
    find.version = about.version.filter(|_| is_ubuntu);
    find.arch = about.arch;
    // cloud-init would take `url=` for a configuration of its own, and download the medium once more, into memory.
    find = find.args(&["ip=dhcp", "url={{blob:rootfs}}", "cloud-config-url=/dev/null"]);
    find = match is_server {
        true => find.args(&["autoinstall", "ds=nocloud;s={{seed_url}}"]),
        false => find.args(&["boot=casper", "ds=nocloud;s={{seed_url}}"]).note(
            "this is a desktop: to install by itself, if it can (24.04 and later), it needs `--arg autoinstall` as well",
        ),
    };
    let find = find.note("the initrd holds the whole medium in memory: a device needs its size and 2 GiB more");
    Ok(Some(find.boots()))
}
