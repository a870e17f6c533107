//! Installing: the netbooted system writes Flatcar's image to the one disk that the persona names.
//!
//! ```text
//!   config.ign ──> greenroom-install.service ──> choose the disk ── none or several ──> report failed, stay
//!                                                     │ exactly one
//!                                                     v
//!                          flatcar-install -d DISK -i installed.ign ──> report installed ──> reboot
//! ```
//!
//! The device reboots only when its report was taken: otherwise it would be netbooted into the same installation again.

use serde_json::{Map, Value, json};

use crate::persona::{Persona, schema::Install};

use super::{
    super::{
        Subject,
        install::{Failing, address, curl_post, find_disk},
        report::INSTALLED,
        shell_word,
    },
    FOLDER, VERSION, object, root_file,
};

/// Where the installed system's config lies while it is written to the disk.
const CONFIG: &str = "/run/greenroom-installed.ign";

/// What the system in memory reads.
pub(super) fn config(persona: &Persona, subject: &Subject<'_>) -> Map<String, Value> {
    let path = format!("{FOLDER}/install");
    let script = persona.os.install.as_ref().map(|install| script(persona, install, subject)).unwrap_or_default();
    let unit = format!(
        "[Unit]\n\
         Description=Install Flatcar as the persona says\n\
         Wants=network-online.target\n\
         After=network-online.target systemd-udev-settle.service\n\
         Wants=systemd-udev-settle.service\n\n\
         [Service]\n\
         Type=oneshot\n\
         StandardOutput=journal+console\n\
         ExecStart={path}\n\n\
         [Install]\n\
         WantedBy=multi-user.target\n"
    );
    object(json!({
        "ignition": { "version": VERSION },
        "storage": { "files": [root_file(&path, &script, 0o700)] },
        "systemd": { "units": [{ "name": "greenroom-install.service", "enabled": true, "contents": unit }] },
    }))
}

fn script(persona: &Persona, install: &Install, subject: &Subject<'_>) -> String {
    let version = persona.os.version.as_ref().map(|version| format!(" -V {}", shell_word(version)));
    let post = curl_post(subject);
    format!(
        r#"#!/bin/sh
# Installs Flatcar to the disk that the persona names, says so, and reboots into it.
{find}
curl -fsS --retry 10 --retry-connrefused -o {CONFIG} {address} || stop "the seed cannot be read"
{post} '{{"phase":"installing"}}'
flatcar-install -d "$disk" -i {CONFIG}{version} || stop "flatcar-install does not succeed on $disk"
rm -f {CONFIG}
for pause in 1 2 5 10 30 60 120 300; do
    {post} '{INSTALLED}' && exec systemctl reboot
    sleep $pause
done
stop "installed, but the server does not take the report"
"#,
        find = find_disk(persona, install, subject, &post, Failing::Ends),
        address = address(subject, "installed.ign"),
        version = version.unwrap_or_default(),
    )
}
