//! Debian and what is made of it: live systems by live-boot, and the installer.

use crate::model::{Arch, image::Role};

use super::{
    Find, Medium, Verdict,
    about::{self, About},
};

pub(super) fn look(medium: &Medium) -> Result<Option<Verdict>, String> {
    let about = about::disk_info(&medium.text(".disk/info")?.unwrap_or_default());
    if let Some(verdict) = live(medium, &about)? {
        return Ok(Some(verdict));
    }
    if let Some(verdict) = netboot(medium)? {
        return Ok(Some(verdict));
    }
    cd(medium, &about)
}

fn live(medium: &Medium, about: &About) -> Result<Option<Verdict>, String> {
    // Several kernels lie side by side there; the one without a version is a link to the last of them, or the only one.
    let kernels = medium.beginning("live", "vmlinuz")?;
    let initrds = medium.beginning("live", "initrd")?;
    let rootfs = medium.first(&["live/filesystem.squashfs", "live/filesystem.sqsh"])?;
    let (Some(kernel), Some(rootfs)) = (kernels.last(), rootfs) else { return Ok(None) };
    // Kernel and initrd of one version, or those without: `vmlinuz-6.1.0-25-amd64` and `initrd.img-6.1.0-25-amd64`.
    let version = kernel.strip_prefix("live/vmlinuz").unwrap_or_default();
    let pair = initrds.iter().find(|initrd| !version.is_empty() && initrd.ends_with(version));
    let Some(initrd) = pair.or(initrds.last()) else { return Ok(None) };
    let what = if about.name.is_empty() { "a live system by live-boot, as Debian's" } else { &about.name };
    let files = [(Role::Kernel, kernel.as_str()), (Role::Initrd, initrd), (Role::Rootfs, &rootfs)];
    let mut find = Find::of(medium, what, &files);
    let is_debian = about.name.contains("Debian");
    find.distribution = Some(if is_debian { "debian" } else { "other" }).filter(|_| !about.name.is_empty());
    find.version = about.version.clone().filter(|_| is_debian);
    find.arch = about.arch.or_else(|| about::arch_in(kernel));
    Ok(Some(with_live_boot(find).boots()))
}

/// The arguments for initrds by live-boot.
pub(super) fn with_live_boot(find: Find) -> Find {
    find.args(&["boot=live", "components", "ip=dhcp", "fetch={{blob:rootfs}}", "ds=nocloud-net;s={{seed_url}}"]).note(
        "a persona reaches a live system by cloud-init, which has to be in it; the root file system is held in memory",
    )
}

/// The installer as it is for the network: `netboot.tar.gz`, unpacked, and the folders that it came from.
fn netboot(medium: &Medium) -> Result<Option<Verdict>, String> {
    for arch in ["amd64", "arm64", "i386", "armhf", "riscv64"] {
        for above in ["debian-installer", "ubuntu-installer", "netboot/debian-installer"] {
            let files =
                (medium.file(&format!("{above}/{arch}/linux"))?, medium.file(&format!("{above}/{arch}/initrd.gz"))?);
            let (Some(kernel), Some(initrd)) = files else { continue };
            let of_ubuntu = above.starts_with("ubuntu");
            let what = if of_ubuntu { "Ubuntu's old installer" } else { "Debian's installer" };
            let mut find = Find::of(medium, what, &[(Role::Kernel, &kernel), (Role::Initrd, &initrd)]);
            find.distribution = Some(if of_ubuntu { "ubuntu" } else { "debian" });
            // Debian's says which: `./version.info`, whose line is `Debian version: 12 (bookworm)`.
            let said = medium.text("version.info")?.unwrap_or_default();
            find.version = said.lines().find(|line| line.contains("version")).and_then(about::version_in);
            find.arch = about::arch_of(arch);
            find = find.args(&["auto=true", "priority=critical", "url={{seed_url}}preseed.cfg", "---"]);
            return Ok(Some(find.boots()));
        }
    }
    Ok(None)
}

/// The installer as it is on CDs and DVDs.
fn cd(medium: &Medium, about: &About) -> Result<Option<Verdict>, String> {
    let kernels = ["install.amd/vmlinuz", "install.a64/vmlinuz", "install.386/vmlinuz", "install/vmlinuz"];
    let Some(kernel) = medium.first(&kernels)? else { return Ok(None) };
    let arch = about.arch.or(match kernel.as_str() {
        "install.a64/vmlinuz" => Some(Arch::Arm64),
        "install.386/vmlinuz" => Some(Arch::Ia32),
        _ => Some(Arch::X64),
    });
    let arch = match arch {
        Some(Arch::Arm64) => "arm64",
        Some(Arch::Ia32) => "i386",
        _ => "amd64",
    };
    let codename = about.codename.as_deref().unwrap_or("stable").to_ascii_lowercase();
    // It comes from the medium, and goes into a command that people copy.
    let codename = if codename.bytes().all(|b| b.is_ascii_lowercase()) { codename } else { "stable".into() };
    let folder = format!(
        "http://deb.debian.org/debian/dists/{codename}/main/installer-{arch}/current/images/netboot/debian-installer/{arch}"
    );
    Ok(Some(Verdict::Cannot {
        what: if about.name.is_empty() { "Debian's installer for CDs".into() } else { about.name.clone() },
        why: format!(
            "the installer on CDs and DVDs looks for its drive, and has no drivers for network cards: add the one for the \
             network, `--kernel {folder}/linux --initrd {folder}/initrd.gz`"
        ),
    }))
}
