//! Letting an encrypted disk open unattended: Clevis binds it to the TPM and to Tang servers. The passphrase stays in its
//! own slot, and opens the disk when neither does.

use serde_json::json;

use crate::persona::schema::{Encryption, Family};

use super::super::shell_word;

/// The packages that open the disk.
pub(in crate::persona::render) fn packages(encryption: &Encryption, family: Family) -> Vec<&'static str> {
    let mut packages = vec!["clevis", "clevis-luks", "clevis-systemd", "cryptsetup"];
    packages.push(match family {
        Family::Redhat => "clevis-dracut",
        _ => "clevis-initramfs",
    });
    if encryption.tpm2.is_some() {
        packages.push(match family {
            Family::Redhat => "tpm2-tools",
            _ => "clevis-tpm2",
        });
    }
    if family != Family::Redhat {
        packages.push("cryptsetup-initramfs");
    }
    packages
}

/// The part of a script that runs in the new system and binds all that its crypttab opens. `$passphrase` is set before it;
/// it is printed by the shell itself, so that no list of processes shows it.
pub(in crate::persona::render) fn bind(encryption: &Encryption, family: Family) -> String {
    let tpm2 = encryption.tpm2.iter().map(|tpm2| {
        let registers = match tpm2.pcrs.as_slice() {
            [] => "7".to_owned(),
            some => some.iter().map(u8::to_string).collect::<Vec<_>>().join(","),
        };
        ("tpm2", json!({ "pcr_bank": "sha256", "pcr_ids": registers }))
    });
    let tang = encryption.tang.iter().map(|tang| ("tang", json!({ "url": tang.url, "thp": tang.thumbprint })));
    let pins: String = tpm2
        .chain(tang)
        .map(|(pin, settings)| {
            let settings = shell_word(&settings.to_string());
            format!("    printf %s \"$passphrase\" | clevis luks bind -y -k - -d \"$device\" {pin} {settings}\n")
        })
        .collect();
    let initramfs = match family {
        Family::Redhat => "systemctl enable clevis-luks-askpass.path\ndracut -f --regenerate-all",
        _ => "update-initramfs -u -k all",
    };
    format!(
        "set -e\n\
         [ -s /etc/crypttab ]\n\
         while read -r name source rest; do\n    \
             case $name in ''|'#'*) continue;; esac\n    \
             case $source in UUID=*) device=$(blkid -U \"${{source#UUID=}}\");; *) device=$source;; esac\n\
         {pins}\
         done </etc/crypttab\n\
         {initramfs}\n"
    )
}
