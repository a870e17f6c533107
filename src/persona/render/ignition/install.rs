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

use crate::persona::{
    Persona,
    schema::{Disk, Install},
};

use super::{
    super::{Subject, shell_word},
    FOLDER, VERSION, object, root_file,
};

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
    format!(
        r#"#!/bin/bash
# Installs Flatcar to the disk that the persona names, says so, and reboots into it.
set -u
url={url}
seed={seed}
report() {{ curl -fsS --max-time 20 -H 'Content-Type: application/json' --data-binary "$1" "$url" >/dev/null; }}
fail() {{
    echo "greenroom: $1" >&2
    report "{{\"phase\":\"failed\",\"message\":\"$(printf %s "$1" | tr -cd '[:alnum:] ._:/,=-')\"}}"
    exit 1
}}
{choose}
ignition=$(mktemp)
curl -fsS --retry 10 --retry-connrefused -o "$ignition" "${{seed}}installed.ign" || fail "the seed cannot be read"
report '{{"phase":"installing"}}'
flatcar-install -d "$disk" -i "$ignition"{version} || fail "flatcar-install does not succeed on $disk"
rm -f "$ignition"
for pause in 1 2 5 10 30 60 120 300; do
    report '{{"phase":"installed"}}' && exec systemctl reboot
    sleep $pause
done
fail "installed, but the server does not take the report"
"#,
        url = shell_word(subject.report_url),
        seed = shell_word(subject.seed_url),
        choose = choose(&install.disk),
        version = version.unwrap_or_default(),
    )
}

/// Sets `disk` to the path of the one disk that fits, or fails.
fn choose(disk: &Disk) -> String {
    let mut tests = String::new();
    let mut test = |line: String| tests.push_str(&format!("    {line} || continue\n"));
    if let Some(path) = &disk.path {
        test(format!("[ \"$path\" = \"$(readlink -e {})\" ]", shell_word(path)));
    }
    if let Some(serial) = &disk.serial {
        test(format!("[ \"$(of SERIAL)\" = {} ]", shell_word(serial)));
    }
    if let Some(model) = &disk.model {
        let length = model.len();
        test(format!("[ \"$(of MODEL | head -c {length})\" = {} ]", shell_word(model)));
    }
    if let Some(least) = disk.min_size {
        test(format!("[ \"$(of SIZE)\" -ge {} ]", least.0));
    }
    if let Some(most) = disk.max_size {
        test(format!("[ \"$(of SIZE)\" -le {} ]", most.0));
    }
    format!(
        r#"of() {{ lsblk --nodeps --noheadings --bytes --output "$1" "$path" | sed 's/^ *//; s/ *$//'; }}
fits=()
for path in $(lsblk --nodeps --noheadings --output PATH); do
    [ "$(of TYPE)" = disk ] || continue
{tests}    fits+=("$path")
done
[ "${{#fits[@]}}" = 1 ] || fail "${{#fits[@]}} disks are what the persona names, not one: ${{fits[*]}}"
disk=${{fits[0]}}"#
    )
}
