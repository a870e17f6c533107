//! Alpine Linux: what it makes for the network boots from it, what it makes for CDs and sticks does not.

use crate::model::image::Role;

use super::{Find, Medium, Verdict, about};

pub(super) fn look(medium: &Medium) -> Result<Option<Verdict>, String> {
    for flavour in ["lts", "virt", "rpi"] {
        let names = [format!("vmlinuz-{flavour}"), format!("initramfs-{flavour}"), format!("modloop-{flavour}")];
        for folder in ["boot", "", "netboot"] {
            let [kernel, initrd, modules] = names.each_ref().map(|name| super::joined(folder, name));
            let (Some(kernel), Some(initrd), Some(modules)) =
                (medium.file(&kernel)?, medium.file(&initrd)?, medium.file(&modules)?)
            else {
                continue;
            };
            let version = medium.text(".alpine-release")?.and_then(|said| about::version_in(&said));
            if medium.has_folder("apks")? {
                let release = version.unwrap_or_else(|| "VERSION".into());
                return Ok(Some(Verdict::Cannot {
                    what: format!("Alpine Linux {release}"),
                    why: format!(
                        "the initramfs of its media has no drivers for network cards: unpack alpine-netboot-{release}-x86_64.tar.gz \
                         from https://alpinelinux.org/downloads/ and add the folder"
                    ),
                }));
            }
            let files = [(Role::Kernel, kernel.as_str()), (Role::Initrd, &initrd), (Role::Rootfs, &modules)];
            let mut find = Find::of(medium, "Alpine Linux for the network", &files);
            let branch = "alpine_repo=http://dl-cdn.alpinelinux.org/alpine/latest-stable/main";
            find = find.args(&["ip=dhcp", "modloop={{blob:rootfs}}", branch]).note(
                "packages come from the latest release: when this is an older one, give `--arg alpine_repo=http://...`; and say \
                 what it runs on by --arch when it is not x64",
            );
            find.distribution = Some("other");
            return Ok(Some(find.boots()));
        }
    }
    Ok(None)
}
