//! Fedora, Red Hat and their kin: dracut, with Anaconda or a live system.
//!
//! Anaconda's initrd asks for `<inst.stage2>/.treeinfo`, is content when there is none, and then fetches
//! `images/install.img` or `LiveOS/squashfs.img` below the same URL: `{{tree:rootfs}}` is a folder in which just that is. Its
//! packages come from `inst.repo`, a mirror, as a medium holds a part of them at most.

use crate::model::{Arch, image::Role};

use super::{
    Find, Medium, Verdict,
    about::{self, About},
};

pub(super) fn look(medium: &Medium) -> Result<Option<Verdict>, String> {
    let folder = ["images/pxeboot", "boot/x86_64/loader", "boot/aarch64/loader", "isolinux"];
    let stage2 = medium.first(&["images/install.img"])?;
    let live = medium.first(&["LiveOS/squashfs.img"])?;
    let coreos = medium.first(&["images/pxeboot/rootfs.img"])?;
    if stage2.is_none() && live.is_none() && coreos.is_none() {
        return Ok(None);
    }
    let about = match medium.text(".treeinfo")? {
        Some(text) => about::treeinfo(&text),
        None => labelled(medium.label()),
    };
    for folder in folder {
        let kernel = medium.first(&[&format!("{folder}/vmlinuz"), &format!("{folder}/linux")])?;
        let initrd = medium.first(&[&format!("{folder}/initrd.img"), &format!("{folder}/initrd")])?;
        let (Some(kernel), Some(initrd)) = (kernel, initrd) else { continue };
        let files = |rootfs| [(Role::Kernel, kernel.as_str()), (Role::Initrd, &*initrd), (Role::Rootfs, rootfs)];
        let mut find = match (&coreos, &stage2, &live) {
            (Some(rootfs), ..) => core_os(Find::of(medium, named(&about, "Fedora CoreOS"), &files(rootfs))),
            // An installer of old has its second stage where live systems have their own.
            (_, Some(rootfs), _) => installer(Find::of(medium, named(&about, "Anaconda"), &files(rootfs)), &about),
            (_, _, Some(rootfs)) if medium.file(".treeinfo")?.is_some() && about.name != "openSUSE" => {
                installer(Find::of(medium, named(&about, "Anaconda"), &files(rootfs)), &about)
            }
            (_, _, Some(rootfs)) => {
                live_system(Find::of(medium, named(&about, "a live system by dracut"), &files(rootfs)))
            }
            _ => return Ok(None),
        };
        find.arch = about.arch.or_else(|| about::arch_in(folder));
        let distribution = distribution(&about.name);
        find.version = about.version.clone().filter(|_| distribution != Some("other"));
        if distribution == Some("fedora") || distribution == Some("centos") {
            find.version = find.version.and_then(|version| version.split('.').next().map(str::to_owned));
        }
        find.distribution = distribution;
        return Ok(Some(find.boots()));
    }
    Ok(None)
}

fn named(about: &About, otherwise: &str) -> String {
    match (about.name.as_str(), &about.version) {
        ("", _) => otherwise.to_owned(),
        (name, Some(version)) => format!("{name} {version}"),
        (name, None) => name.to_owned(),
    }
}

/// What a label says: `Fedora-WS-Live-42`, `Rocky-9-3-x86_64-dvd`, `fedora-coreos-41.20250105.3.0`.
fn labelled(label: &str) -> About {
    let name = label.split(['-', ' ', '_']).next().unwrap_or_default();
    let kin = ["Fedora", "Rocky", "AlmaLinux", "CentOS", "RHEL", "openSUSE"];
    let name = kin.into_iter().find(|kin| kin.eq_ignore_ascii_case(name)).unwrap_or_default();
    About { name: name.to_owned(), version: about::version_in(label), codename: None, arch: about::arch_in(label) }
}

fn distribution(name: &str) -> Option<&'static str> {
    let kin = [
        ("fedora", "fedora"),
        ("rocky", "rocky"),
        ("alma", "alma"),
        ("centos", "centos"),
        ("red hat enterprise", "rhel"),
        ("rhel", "rhel"),
    ];
    let name = name.to_ascii_lowercase();
    let known = kin.into_iter().find(|(start, _)| name.starts_with(start)).map(|(_, known)| known);
    known.or((!name.is_empty()).then_some("other"))
}

fn installer(find: Find, about: &About) -> Find {
    let find = find.args(&["ip=dhcp", "inst.stage2={{tree:rootfs}}", "inst.ks={{seed_url}}ks.cfg"]);
    match mirror(about) {
        Some(url) => {
            let note = format!("packages come from {url}: give `--arg inst.repo=...` for a mirror nearer to you");
            let mut find = find.note(note);
            find.args.push(format!("inst.repo={url}"));
            find
        }
        None => {
            find.note("say where packages come from: `--arg inst.repo=http://...`; the medium's own are not served")
        }
    }
}

/// Where the packages of a release are, as its makers say.
fn mirror(about: &About) -> Option<String> {
    let version = about.version.as_deref()?;
    let major = version.split('.').next()?;
    let arch = match about.arch? {
        Arch::X64 => "x86_64",
        Arch::Arm64 => "aarch64",
        _ => return None,
    };
    match distribution(&about.name)? {
        "fedora" => {
            Some(format!("http://dl.fedoraproject.org/pub/fedora/linux/releases/{major}/Everything/{arch}/os/"))
        }
        "rocky" => Some(format!("http://download.rockylinux.org/pub/rocky/{major}/BaseOS/{arch}/os/")),
        "alma" => Some(format!("http://repo.almalinux.org/almalinux/{major}/BaseOS/{arch}/os/")),
        "centos" => Some(format!("http://mirror.stream.centos.org/{major}-stream/BaseOS/{arch}/os/")),
        _ => None,
    }
}

fn live_system(find: Find) -> Find {
    find.args(&["root=live:{{blob:rootfs}}", "rd.live.image", "rd.neednet=1", "ip=dhcp", "ds=nocloud;s={{seed_url}}"]).note(
        "a persona reaches a live system by cloud-init, which has to be in it; the root file system is held in memory",
    )
}

fn core_os(find: Find) -> Find {
    find.args(&[
        "ip=dhcp",
        "rd.neednet=1",
        "coreos.live.rootfs_url={{blob:rootfs}}",
        "ignition.firstboot",
        "ignition.platform.id=metal",
        "ignition.config.url={{seed_url}}config.ign",
    ])
}
