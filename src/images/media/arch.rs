//! Arch Linux and its kin: archiso, which fetches `<archiso_http_srv><basedir>/x86_64/airootfs.sfs`.

use crate::model::image::Role;

use super::{Find, Medium, Verdict, about};

/// Folder on the medium, what it is, and what its initrd calls its options.
const KINDS: [(&str, &str); 2] = [("arch", "Arch Linux"), ("sysresccd", "SystemRescue")];

pub(super) fn look(medium: &Medium) -> Result<Option<Verdict>, String> {
    for (base, name) in KINDS {
        for arch in ["x86_64", "aarch64"] {
            let Some(rootfs) = medium.first(&[&format!("{base}/{arch}/airootfs.sfs")])? else { continue };
            let boot = format!("{base}/boot/{arch}");
            let kernel = medium.beginning(&boot, "vmlinuz")?;
            let mut initrd = medium.beginning(&boot, "initramfs")?;
            initrd.extend(medium.first(&[&format!("{boot}/sysresccd.img"), &format!("{boot}/archiso.img")])?);
            let (Some(kernel), Some(initrd)) = (kernel.first(), initrd.first()) else { continue };
            let files = [(Role::Kernel, kernel.as_str()), (Role::Initrd, initrd), (Role::Rootfs, &rootfs)];
            let mut find = Find::of(medium, name, &files);
            find.args = vec![
                format!("archisobasedir={base}"),
                "archiso_http_srv={{tree:rootfs}}/".into(),
                "ip=dhcp".into(),
                "ds=nocloud;s={{seed_url}}".into(),
            ];
            find.distribution = Some("other");
            find.arch = about::arch_of(arch);
            let note = "the root file system is held in memory; processors' microcode stays as the firmware has it";
            return Ok(Some(find.note(note).boots()));
        }
    }
    Ok(None)
}
