//! The disk, as subiquity's storage actions. Which of two lists is right depends on the firmware, and the disk on what there
//! is: `disk.sh` runs before subiquity reads its answers for good, and adds the right one.

use serde_json::{Map, Value, json};

use crate::persona::{Persona, schema::Install};

use super::super::{
    install::{GROUP, Layout, Volume},
    merge,
};

/// What stands in the place of the disk until the device itself has found it.
pub(super) const DISK: &str = "/dev/greenroom-disk";

/// Where the passphrase lies while subiquity runs: in memory.
pub(super) const KEY: &str = "/run/greenroom.passphrase";

/// How a device starts its boot loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Firmware {
    /// From the disk's first sectors.
    Bios,
    /// From a file in a partition of its own.
    Uefi,
}

/// The value of `storage`.
pub(super) fn storage(persona: &Persona, install: &Install, firmware: Firmware) -> Value {
    let layout = Layout::of(persona, install);
    let bios = firmware == Firmware::Bios;
    let mut actions = vec![json!({
        "type": "disk", "id": "disk", "path": DISK, "ptable": "gpt", "wipe": "superblock-recursive", "preserve": false,
        "grub_device": bios,
    })];
    actions.push(match firmware {
        Firmware::Bios => partition("loader", json!(1 << 20), Some("bios_grub"), false),
        Firmware::Uefi => partition("loader", json!(538u64 << 20), Some("boot"), true),
    });
    if !bios {
        actions.push(format_of("loader", "loader", "fat32"));
        actions.push(mount_of("loader", "/boot/efi"));
    }
    let (parts, logical) = layout.parted();
    for volume in parts {
        actions.push(partition(&volume.name, size(volume), None, false));
        let mut on = volume.name.clone();
        if layout.encrypted && !volume.plain {
            on = format!("{on}-crypt");
            actions.push(crypt(&on, &volume.name));
        }
        fill(&mut actions, volume, &on);
    }
    if !logical.is_empty() {
        actions.push(partition("group", json!(-1), None, false));
        let mut on = "group";
        if layout.encrypted {
            on = "group-crypt";
            actions.push(crypt(on, "group"));
        }
        actions.push(json!({
            "type": "lvm_volgroup", "id": "volumes", "name": GROUP, "devices": [on], "preserve": false,
        }));
    }
    for volume in logical {
        actions.push(json!({
            "type": "lvm_partition", "id": volume.name, "name": volume.name, "volgroup": "volumes", "size": size(volume),
            "wipe": "superblock", "preserve": false,
        }));
        fill(&mut actions, volume, &volume.name);
    }
    // Without this, subiquity makes a file to swap to.
    let mut storage =
        Map::from_iter([("swap".to_owned(), json!({ "size": 0 })), ("config".to_owned(), json!(actions))]);
    if let Some(raw) = persona.raw.autoinstall.get("storage").and_then(Value::as_object) {
        merge(&mut storage, raw);
    }
    Value::Object(storage)
}

/// In whole mebibytes, as partitions are aligned.
fn size(volume: &Volume<'_>) -> Value {
    volume.in_units(1 << 20).map_or(json!(-1), |size| json!(size << 20))
}

fn partition(id: &str, size: Value, flag: Option<&str>, grub: bool) -> Value {
    let mut action = json!({
        "type": "partition", "id": id, "device": "disk", "size": size, "wipe": "superblock", "preserve": false,
        "grub_device": grub,
    });
    if let (Some(flag), Some(map)) = (flag, action.as_object_mut()) {
        map.insert("flag".into(), json!(flag));
    }
    action
}

fn crypt(id: &str, on: &str) -> Value {
    json!({ "type": "dm_crypt", "id": id, "dm_name": id, "volume": on, "keyfile": KEY, "preserve": false })
}

/// What is on a volume, and where it is mounted.
fn fill(actions: &mut Vec<Value>, volume: &Volume<'_>, on: &str) {
    actions.push(format_of(&volume.name, on, volume.kind()));
    // Swap is mounted nowhere, and says so.
    actions.push(mount_of(&volume.name, volume.mount.unwrap_or_default()));
}

fn format_of(name: &str, on: &str, kind: &str) -> Value {
    json!({ "type": "format", "id": format!("{name}-format"), "fstype": kind, "volume": on, "preserve": false })
}

fn mount_of(name: &str, path: &str) -> Value {
    json!({ "type": "mount", "id": format!("{name}-mount"), "path": path, "device": format!("{name}-format") })
}
