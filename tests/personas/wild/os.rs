//! What runs and where it is installed to.

use greenroom::{model::Arch, persona::schema::*};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{select, subsequence},
};

use super::size;

pub(super) fn os(distribution: Distribution, wipes: bool) -> impl Strategy<Value = Os> {
    let version = match distribution {
        Distribution::Debian => Some("12"),
        Distribution::Ubuntu => Some("24.04"),
        Distribution::Rocky | Distribution::Alma | Distribution::Rhel | Distribution::Centos => Some("9"),
        Distribution::Fedora => Some("41"),
        Distribution::Windows => Some("11"),
        Distribution::Flatcar | Distribution::Other => None,
    };
    let arguments = vec("[a-z]{1,8}(\\.[a-z]{1,4})?(=[a-zA-Z0-9,:/._-]{1,12})?", 0..3);
    (arguments, install(), any::<bool>()).prop_map(move |(kernel_args, install, arch)| Os {
        image: "image".parse().unwrap(),
        distribution: Some(distribution),
        family: None,
        version: version.map(str::to_owned),
        arch: if arch { vec![Arch::X64] } else { vec![] },
        kernel_args,
        install: wipes.then_some(install),
    })
}

fn install() -> impl Strategy<Value = Install> {
    let known_by = (option::of("[A-Z0-9]{4,12}"), option::of("[A-Z][A-Za-z0-9 _-]{2,14}[A-Z0-9]"));
    let sizes = (option::of(size(50..500)), option::of(size(500..5000)));
    let properties = (known_by, sizes).prop_map(|((serial, model), (min_size, max_size))| Disk {
        path: None,
        serial,
        model,
        min_size,
        max_size,
    });
    // Something must be said of a disk.
    let properties = properties.prop_map(|disk| match disk == Disk::default() {
        true => Disk { path: Some("/dev/vda".into()), ..disk },
        false => disk,
    });
    let path = select(&["/dev/vda", "/dev/disk/by-id/nvme-Samsung_SSD_980_S64ANS0T"][..])
        .prop_map(|path| Disk { path: Some(path.to_owned()), ..Disk::default() });
    let filesystem = || select(&[Filesystem::Ext4, Filesystem::Xfs, Filesystem::Btrfs][..]);
    let mounts = subsequence(&["/boot", "/home", "/var", "/var/log", "/srv/a_b"][..], 0..4);
    let partitions = (mounts, vec((size(2..20), option::of(filesystem())), 4)).prop_map(|(mounts, made)| {
        let each = mounts.into_iter().zip(made);
        each.map(|(mount, (size, filesystem))| Partition {
            mount: mount.to_owned(),
            size,
            filesystem: filesystem.map(|own| match (mount, own) {
                // Every boot loader reads this one.
                ("/boot", _) => Filesystem::Ext4,
                _ => own,
            }),
        })
        .collect()
    });
    (prop_oneof![path, properties], filesystem(), any::<bool>(), option::of(size(1..9)), partitions)
        .prop_map(|(disk, filesystem, lvm, swap, partitions)| Install { disk, filesystem, lvm, swap, partitions })
}
