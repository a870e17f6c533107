//! What has no layout of its own: Flatcar's two files, Memtest86+, and a kernel beside an initrd.

use crate::model::{Arch, image::Role};

use super::{Find, Item, Medium, OciFile, Verdict, about, debian};

pub(super) fn look(medium: &Medium) -> Result<Option<Verdict>, String> {
    if let Some(verdict) = flatcar(medium)? {
        return Ok(Some(verdict));
    }
    if let Some(verdict) = memtest(medium)? {
        return Ok(Some(verdict));
    }
    beside(medium)
}

fn flatcar(medium: &Medium) -> Result<Option<Verdict>, String> {
    let kernel = medium.file("flatcar_production_pxe.vmlinuz")?;
    let initrd = medium.file("flatcar_production_pxe_image.cpio.gz")?;
    let (Some(kernel), Some(initrd)) = (kernel, initrd) else { return Ok(None) };
    let mut find = Find::of(medium, "Flatcar", &[(Role::Kernel, &kernel), (Role::Initrd, &initrd)]);
    find.distribution = Some("flatcar");
    Ok(Some(find.args(&["flatcar.first_boot=1", "ignition.config.url={{seed_url}}config.ign"]).boots()))
}

/// Memtest86+ from 6.00 on is one file that boots as a kernel does.
fn memtest(medium: &Medium) -> Result<Option<Verdict>, String> {
    for folder in ["", "boot"] {
        for start in ["memtest", "mt86p"] {
            for path in medium.beginning(folder, start)? {
                // The boot protocol's mark ("HdrS", Documentation/arch/x86/boot.rst): GRUB's modules and texts have none.
                let mark = medium.bytes(&path, 0x202, 4)?;
                if mark.is_none_or(|mark| mark != b"HdrS") {
                    continue;
                }
                let mut find = Find::of(medium, "Memtest86+", &[(Role::Kernel, &path)]);
                let is_32_bit = ["32", "586", "ia32"].iter().any(|mark| path.contains(mark));
                find.arch = Some(if is_32_bit { Arch::Ia32 } else { Arch::X64 });
                find.distribution = Some("other");
                return Ok(Some(find.boots()));
            }
        }
    }
    Ok(None)
}

/// A kernel, an initrd and perhaps a root file system in one folder, by what everybody calls them; on a registry also by what
/// kind of file each says it is.
fn beside(medium: &Medium) -> Result<Option<Verdict>, String> {
    if matches!(medium, Medium::Iso(_)) {
        return Ok(None);
    }
    let items = medium.list("")?;
    let files: Vec<&Item> = items.iter().filter(|item| !item.is_folder && item.len > 0).collect();
    let mut find = Find { what: "a kernel and what it needs".into(), ..Find::default() };
    for role in [Role::Kernel, Role::Initrd, Role::Rootfs] {
        let places: Vec<_> = match medium {
            Medium::Artifact(artifact) => {
                let of_role = |file: &&OciFile| !file.is_archive() && role_of_file(file) == Some(role);
                artifact.files.iter().filter(of_role).map(|file| artifact.place(file)).collect()
            }
            _ => {
                let of_role = |item: &&&Item| role_of(&item.name) == Some(role);
                files.iter().filter(of_role).map(|item| medium.place(&item.name)).collect()
            }
        };
        match &places[..] {
            [] => {}
            [place] => find.files.push((role, place.clone())),
            several => {
                let names: Vec<_> = several.iter().map(|place| place.name.as_str()).collect();
                let why = format!("{} could each be the {role}: name one with --{role}", names.join(", "));
                return Ok(Some(Verdict::Cannot { what: format!("a folder with more than one {role}"), why }));
            }
        }
    }
    if let Medium::Artifact(artifact) = medium {
        find.arch = artifact.arch;
        let said = |key: &str| artifact.annotations.get(&format!("org.opencontainers.image.{key}")).cloned();
        find.version = said("version");
        find.what = said("title").or_else(|| said("description")).unwrap_or(find.what);
        if artifact.files.iter().all(OciFile::is_archive) && find.files.is_empty() {
            return Ok(Some(Verdict::Cannot {
                what: "a container's image".into(),
                why: "its layers are archives, which no firmware boots: push kernel, initrd and root file system as files, as in \
                      `oras push REGISTRY/PATH:TAG vmlinuz initrd filesystem.squashfs`"
                    .into(),
            }));
        }
    }
    if find.files.first().is_none_or(|(role, _)| *role != Role::Kernel) {
        return Ok(None);
    }
    find.arch = find.arch.or_else(|| find.files.iter().find_map(|(_, place)| about::arch_in(&place.name)));
    let is_live = find.files.iter().any(|(role, place)| *role == Role::Rootfs && place.name == "filesystem.squashfs");
    Ok(Some(match is_live {
        true => debian::with_live_boot(find).boots(),
        false => find.note("nothing says which arguments it needs: give them with --arg").boots(),
    }))
}

fn role_of_file(file: &OciFile) -> Option<Role> {
    let kind = file.media_type.as_str();
    let says = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    if says(&["kernel"]) {
        return Some(Role::Kernel);
    }
    if says(&["initrd", "initramfs"]) {
        return Some(Role::Initrd);
    }
    if says(&["rootfs", "squashfs"]) {
        return Some(Role::Rootfs);
    }
    role_of(file.title.rsplit('/').next().unwrap_or_default())
}

/// What a file is for, by its name.
fn role_of(name: &str) -> Option<Role> {
    let name = name.to_ascii_lowercase();
    let begins = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    // Signatures and lists lie beside what they speak of.
    if ends(&[".sig", ".asc", ".gpg", ".minisig", ".sha256", ".txt", ".json", ".md"]) {
        return None;
    }
    if begins(&["vmlinuz", "vmlinux", "bzimage", "linux", "kernel"]) || ends(&[".vmlinuz"]) {
        return Some(Role::Kernel);
    }
    if begins(&["initrd", "initramfs"]) || ends(&[".initrd", ".cpio.gz", ".cpio"]) {
        return Some(Role::Initrd);
    }
    (ends(&[".squashfs", ".sfs", ".erofs"]) || begins(&["rootfs", "modloop"])).then_some(Role::Rootfs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_what_everybody_calls_them() {
        for (name, role) in [
            ("vmlinuz-6.1.0-25-amd64", Some(Role::Kernel)),
            ("bzImage", Some(Role::Kernel)),
            ("initrd.img", Some(Role::Initrd)),
            ("initramfs-linux.img", Some(Role::Initrd)),
            ("filesystem.squashfs", Some(Role::Rootfs)),
            ("vmlinuz.sig", None),
            ("README", None),
        ] {
            assert_eq!(role_of(name), role, "{name}");
        }
    }
}
