//! Each family's medium, in the layout that its makers give it, as an ISO by xorriso or as a folder.

use super::stage::{Stage, args_of, noise, sha256};

/// What a medium must come to: what is in its roles, by path in the tree, and what is said of it.
struct Wanted<'a> {
    kernel: &'a str,
    initrd: &'a str,
    /// `""` when there is none, `*` for the medium itself.
    rootfs: &'a str,
    distribution: &'a str,
    version: &'a str,
    arch: &'a str,
    /// What must be among the arguments.
    args: &'a [&'a str],
}

/// A label, files with what is in them (nothing: noise), and what must come of it.
type Medium<'a> = (&'a str, &'a [(&'a str, &'a str)], Wanted<'a>);

#[test]
fn the_media_of_the_common_distributions_are_known_and_boot_from_the_network() {
    let ubuntu = "Ubuntu-Server 24.04.1 LTS \"Noble Numbat\" - Release amd64 (20240827)";
    let desktop = "Xubuntu 24.04 LTS \"Noble Numbat\" - Release arm64 (20240424)";
    let debian_live = "Official Debian GNU/Linux Live 12.7.0 gnome 2024-08-31T09:56";
    let rocky =
        "[general]\nfamily = Rocky Linux\nversion = 9.3\narch = x86_64\n[stage2]\nmainimage = images/install.img\n";
    let table: &[Medium<'_>] = &[
        (
            "Ubuntu-Server 24.04.1 LTS amd64",
            &[
                ("casper/vmlinuz", ""),
                ("casper/initrd", ""),
                ("casper/ubuntu-server-minimal.squashfs", ""),
                (".disk/info", ubuntu),
            ],
            Wanted {
                kernel: "casper/vmlinuz",
                initrd: "casper/initrd",
                rootfs: "*",
                distribution: "ubuntu",
                version: "24.04.1",
                arch: "x64",
                args: &["ip=dhcp", "url={{blob:rootfs}}", "autoinstall", "ds=nocloud;s={{seed_url}}"],
            },
        ),
        (
            "Xubuntu 24.04 arm64",
            &[("casper/vmlinuz", ""), ("casper/initrd", ""), (".disk/info", desktop)],
            Wanted {
                kernel: "casper/vmlinuz",
                initrd: "casper/initrd",
                rootfs: "*",
                distribution: "ubuntu",
                version: "24.04",
                arch: "arm64",
                args: &["boot=casper", "url={{blob:rootfs}}"],
            },
        ),
        (
            "d-live 12.7.0 gn amd64",
            &[
                ("live/vmlinuz-6.1.0-25-amd64", ""),
                ("live/initrd.img-6.1.0-25-amd64", ""),
                ("live/vmlinuz-6.1.0-24-amd64", ""),
                ("live/initrd.img-6.1.0-24-amd64", ""),
                ("live/filesystem.squashfs", ""),
                (".disk/info", debian_live),
            ],
            Wanted {
                kernel: "live/vmlinuz-6.1.0-25-amd64",
                initrd: "live/initrd.img-6.1.0-25-amd64",
                rootfs: "live/filesystem.squashfs",
                distribution: "debian",
                version: "12.7.0",
                arch: "x64",
                args: &["boot=live", "fetch={{blob:rootfs}}"],
            },
        ),
        (
            "Rocky-9-3-x86_64-dvd",
            &[
                ("images/pxeboot/vmlinuz", ""),
                ("images/pxeboot/initrd.img", ""),
                ("images/install.img", ""),
                (".treeinfo", rocky),
            ],
            Wanted {
                kernel: "images/pxeboot/vmlinuz",
                initrd: "images/pxeboot/initrd.img",
                rootfs: "images/install.img",
                distribution: "rocky",
                version: "9.3",
                arch: "x64",
                args: &[
                    "inst.stage2={{tree:rootfs}}",
                    "inst.ks={{seed_url}}ks.cfg",
                    "inst.repo=http://download.rockylinux.org/pub/rocky/9/BaseOS/x86_64/os/",
                ],
            },
        ),
        (
            "Fedora-WS-Live-42",
            &[("boot/x86_64/loader/linux", ""), ("boot/x86_64/loader/initrd", ""), ("LiveOS/squashfs.img", "")],
            Wanted {
                kernel: "boot/x86_64/loader/linux",
                initrd: "boot/x86_64/loader/initrd",
                rootfs: "LiveOS/squashfs.img",
                distribution: "fedora",
                version: "42",
                arch: "x64",
                args: &["root=live:{{blob:rootfs}}", "rd.live.image"],
            },
        ),
        (
            "fedora-coreos-41.20250105.3.0",
            &[("images/pxeboot/vmlinuz", ""), ("images/pxeboot/initrd.img", ""), ("images/pxeboot/rootfs.img", "")],
            Wanted {
                kernel: "images/pxeboot/vmlinuz",
                initrd: "images/pxeboot/initrd.img",
                rootfs: "images/pxeboot/rootfs.img",
                distribution: "fedora",
                version: "41",
                arch: "x64",
                args: &["coreos.live.rootfs_url={{blob:rootfs}}", "ignition.config.url={{seed_url}}config.ign"],
            },
        ),
        (
            "openSUSE-Leap-15.6-DVD-x86_6414",
            &[
                ("boot/x86_64/loader/linux", ""),
                ("boot/x86_64/loader/initrd", ""),
                ("media.1/products", "/ openSUSE-Leap 15.6-1\n"),
            ],
            Wanted {
                kernel: "boot/x86_64/loader/linux",
                initrd: "boot/x86_64/loader/initrd",
                rootfs: "",
                distribution: "other",
                version: "",
                arch: "x64",
                args: &["install=http://download.opensuse.org/distribution/leap/15.6/repo/oss/"],
            },
        ),
        (
            "ARCH_202411",
            &[
                ("arch/boot/x86_64/vmlinuz-linux", ""),
                ("arch/boot/x86_64/initramfs-linux.img", ""),
                ("arch/x86_64/airootfs.sfs", ""),
            ],
            Wanted {
                kernel: "arch/boot/x86_64/vmlinuz-linux",
                initrd: "arch/boot/x86_64/initramfs-linux.img",
                rootfs: "arch/x86_64/airootfs.sfs",
                distribution: "other",
                version: "",
                arch: "x64",
                args: &["archisobasedir=arch", "archiso_http_srv={{tree:rootfs}}/", "ip=dhcp"],
            },
        ),
    ];
    for (n, (label, files, wanted)) in table.iter().enumerate() {
        let stage = Stage::new();
        let filled: Vec<(&str, Vec<u8>)> = files
            .iter()
            .enumerate()
            .map(|(m, (path, text))| match *text {
                "" => (*path, noise((n * 100 + m) as u64, 5000 + 999 * m)),
                text => (*path, text.as_bytes().to_vec()),
            })
            .collect();
        let filled: Vec<(&str, &[u8])> = filled.iter().map(|(path, bytes)| (*path, bytes.as_slice())).collect();
        let digest = |path: &str| sha256(filled.iter().find(|(other, _)| *other == path).unwrap().1);
        let iso = stage.iso("medium.iso", label, &["-R", "-J"], &filled);
        // As an ISO, and as what somebody unpacked or mounted.
        for source in ["medium.iso", "medium.iso.tree"] {
            if source.ends_with("tree") && wanted.rootfs == "*" {
                assert!(stage.add(&["y", source]).all.contains("give the ISO file itself"), "{label}");
                continue;
            }
            // Only the label says what these are.
            let by_label =
                source.ends_with("tree") && !files.iter().any(|(path, _)| [".disk/info", ".treeinfo"].contains(path));
            let image = stage.added(&["x", source]);
            let files = &image["files"];
            assert_eq!(files["kernel"]["sha256"], digest(wanted.kernel), "{label}: {image}");
            assert_eq!(files["initrd"]["sha256"], digest(wanted.initrd), "{label}: {image}");
            match wanted.rootfs {
                "" => assert!(files["rootfs"].is_null(), "{label}: {image}"),
                "*" => assert_eq!(files["rootfs"]["sha256"], sha256(&std::fs::read(&iso).unwrap()), "{label}"),
                path => assert_eq!(files["rootfs"]["sha256"], digest(path), "{label}: {image}"),
            }
            if !by_label {
                assert_eq!(image["distribution"], wanted.distribution, "{label}: {image}");
                assert_eq!(image["version"].as_str().unwrap_or_default(), wanted.version, "{label}: {image}");
            }
            assert_eq!(image["arch"], wanted.arch, "{label}: {image}");
            let args = args_of(&image);
            assert!(wanted.args.iter().all(|arg| args.contains(arg)), "{label}: {args:?}");
        }
    }
}

#[test]
fn media_that_do_not_boot_from_the_network_are_refused_with_what_to_do_instead() {
    let bytes = noise(1, 9000);
    let debian = b"Debian GNU/Linux 12.7.0 \"Bookworm\" - Official amd64 NETINST with firmware 20240831-10:38";
    let netinst: &[(&str, &[u8])] =
        &[("install.amd/vmlinuz", &bytes), ("install.amd/initrd.gz", &bytes), (".disk/info", debian)];
    let alpine: &[(&str, &[u8])] = &[
        ("boot/vmlinuz-lts", &bytes),
        ("boot/initramfs-lts", &bytes),
        ("boot/modloop-lts", &bytes),
        ("apks/x86_64/APKINDEX.tar.gz", &bytes),
        (".alpine-release", b"3.20.3\n"),
    ];
    let windows: &[(&str, &[u8])] = &[("bootmgr", &bytes), ("sources/boot.wim", &bytes)];
    let suse: &[(&str, &[u8])] = &[("boot/x86_64/loader/linux", &bytes), ("boot/x86_64/loader/initrd", &bytes)];
    let music: &[(&str, &[u8])] = &[("track1.wav", &bytes)];
    for (label, files, told) in [
        (
            "Debian 12.7.0 amd64 n",
            netinst,
            &["no drivers for network cards", "/dists/bookworm/main/installer-amd64/current"][..],
        ),
        ("alpine-std 3.20.3", alpine, &["alpine-netboot-3.20.3-x86_64.tar.gz"]),
        ("CCCOMA_X64FRE", windows, &["wimboot"]),
        ("SLE-15-SP6-Full", suse, &["install=http://"]),
        ("MUSIC", music, &["nothing that Greenroom knows", "--kernel"]),
    ] {
        let stage = Stage::new();
        stage.iso("medium.iso", label, &["-R"], files);
        let said = stage.refused(&["x", "medium.iso"]);
        assert!(told.iter().all(|told| said.contains(told)), "{label}: {said}");
    }
}

#[test]
fn folders_and_single_files_that_are_made_for_the_network() {
    let bytes = noise(2, 9000);
    let mut memtest = bytes.clone();
    memtest[0x202..0x206].copy_from_slice(b"HdrS");
    let stage = Stage::new();
    stage.write("di", &[("debian-installer/amd64/linux", &bytes), ("debian-installer/amd64/initrd.gz", &bytes)]);
    stage
        .write("alpine", &[("boot/vmlinuz-lts", &bytes), ("boot/initramfs-lts", &bytes), ("boot/modloop-lts", &bytes)]);
    stage.write(
        "flatcar",
        &[("flatcar_production_pxe.vmlinuz", &bytes), ("flatcar_production_pxe_image.cpio.gz", &bytes)],
    );
    stage.write("plain", &[("vmlinuz", &bytes), ("initrd.img", &bytes), ("vmlinuz.sig", &bytes)]);
    stage.write("two", &[("vmlinuz-1", &bytes), ("vmlinuz-2", &bytes)]);
    stage.iso("mt.iso", "MT86PLUS_64", &["-R"], &[("boot/memtest64.efi.txt", &bytes), ("boot/mt86p_x86_64", &memtest)]);
    for (source, distribution, arg) in [
        ("di", "debian", "url={{seed_url}}preseed.cfg"),
        ("alpine", "other", "modloop={{blob:rootfs}}"),
        ("flatcar", "flatcar", "flatcar.first_boot=1"),
    ] {
        let image = stage.added(&["x", source]);
        assert_eq!(image["distribution"], distribution, "{source}");
        assert!(args_of(&image).contains(&arg), "{source}: {image}");
    }
    let image = stage.added(&["x", "mt.iso"]);
    assert_eq!(
        (&image["files"]["kernel"]["sha256"], &image["files"]["initrd"]),
        (&sha256(&memtest).into(), &().into())
    );
    let said = stage.add(&["plain", "plain", "--arg", "quiet"]);
    assert!(said.code == Some(0) && said.all.contains("which arguments it needs"), "{}", said.all);
    let said = stage.add(&["two", "two"]);
    assert!(said.all.contains("vmlinuz-1, vmlinuz-2 could each be the kernel"), "{}", said.all);
}

#[test]
fn options_go_before_what_a_medium_says() {
    let bytes = noise(3, 9000);
    let stage = Stage::new();
    stage.iso(
        "live.iso",
        "LIVE",
        &["-R"],
        &[("live/vmlinuz", &bytes), ("live/initrd.img", &bytes), ("live/filesystem.squashfs", &bytes)],
    );
    stage.write("", &[("other", b"another kernel")]);
    let given =
        ["x", "live.iso", "--kernel", "other", "--arch", "arm64", "--os-version", "13", "--distribution", "debian"];
    let image = stage.added(&[&given[..], &["--arg", "console=ttyS0", "--description", "of the lab"]].concat());
    assert_eq!(image["files"]["kernel"]["sha256"], sha256(b"another kernel"));
    assert_eq!([&image["arch"], &image["version"], &image["distribution"]], ["arm64", "13", "debian"]);
    assert_eq!((args_of(&image).last(), &image["description"]), (Some(&"console=ttyS0"), &"of the lab".into()));
    let image = stage.added(&["x", "live.iso", "--only-my-args", "--arg", "boot=live"]);
    assert_eq!(args_of(&image), ["boot=live"]);
}

#[test]
fn a_manifest_with_comments_is_not_lost_without_a_word() {
    let stage = Stage::new();
    stage.write("", &[("kernel", b"a kernel"), ("library/images/x.yaml", b"# ours\nname: x # why\n")]);
    let said = stage.add(&["x", "--kernel", "kernel"]);
    assert!(said.code == Some(1) && said.all.contains("the 2 comments in it are lost"), "{}", said.all);
    assert_eq!(std::fs::read(stage.path("library/images/x.yaml")).unwrap(), b"# ours\nname: x # why\n");
    let said = stage.add(&["x", "--kernel", "kernel", "--force"]);
    assert!(said.code == Some(0) && said.all.contains("the 2 comments in it are lost"), "{}", said.all);
    // All or nothing: one file that is not there, and nothing is written.
    let before = std::fs::read(stage.path("library/images/x.yaml")).unwrap();
    let said = stage.add(&["x", "--kernel", "kernel", "--initrd", "gone", "--force"]);
    assert!(said.code == Some(1) && said.all.contains("gone"), "{}", said.all);
    assert_eq!(std::fs::read(stage.path("library/images/x.yaml")).unwrap(), before);
}
