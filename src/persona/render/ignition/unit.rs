//! systemd units: what is enabled and masked, the script that runs once, swap space, the report.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::persona::{Persona, intent::Intent};

use super::{
    super::{report, shell_word},
    FOLDER, object,
};

/// The unit that runs the commands.
pub(super) const ONCE: &str = "greenroom-once.service";
/// The kinds of unit.
const KINDS: [&str; 11] = [
    ".service",
    ".socket",
    ".device",
    ".mount",
    ".automount",
    ".swap",
    ".target",
    ".path",
    ".timer",
    ".slice",
    ".scope",
];

const SWAP: &str = "greenroom-swap.service";

/// What tells that the commands have run; in memory it is gone with the system.
const DONE: &str = "/var/lib/greenroom/once";

pub(super) fn once_path() -> String {
    format!("{FOLDER}/once")
}

/// Every unit. Ignition refuses a unit that is listed twice, so that what several fields say of one is gathered here.
pub(super) fn all(persona: &Persona, intent: &Intent, report: report::Way) -> Vec<Value> {
    let mut units: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut set = |name: &str, key: &str, value: Value| {
        let name = with_kind(name);
        let entry = || object(json!({ "name": name }));
        units.entry(name.clone()).or_insert_with(entry).insert(key.to_owned(), value);
    };
    let services = &persona.apps.services;
    for name in intent.enable.iter().chain(&services.enable) {
        set(name, "enabled", json!(true));
    }
    for name in intent.mask.iter().chain(&services.mask) {
        set(name, "mask", json!(true));
    }
    // Flatcar updates itself unless both the updater and the one who reboots for it are masked.
    if let Some(updates) = persona.security.automatic_updates {
        for name in ["update-engine.service", "locksmithd.service"] {
            set(name, if updates { "enabled" } else { "mask" }, json!(true));
        }
    }
    let mut add = |name: &str, contents: String| {
        set(name, "enabled", json!(true));
        set(name, "contents", json!(contents));
    };
    if once(persona, intent).is_some() {
        add(ONCE, once_unit());
    }
    if let Some(size) = persona.os.install.as_ref().and_then(|install| install.swap) {
        add(SWAP, swap_unit(size.0));
    }
    let started: Vec<String> = intent.enable.iter().chain(&services.enable).map(|unit| with_kind(unit)).collect();
    add(report::UNIT, report::unit(report, &started));
    units.into_values().map(Value::Object).collect()
}

/// A unit's whole name: `systemctl` takes one without a kind for a service, Ignition and unit files do not.
fn with_kind(name: &str) -> String {
    let kind = KINDS.iter().any(|kind| name.ends_with(kind));
    if kind { name.to_owned() } else { format!("{name}.service") }
}

/// The script with all commands; `None` when there are none. One that fails does not keep the others from running, as with
/// cloud-init, but the unit fails in the end.
pub(super) fn once(persona: &Persona, intent: &Intent) -> Option<String> {
    let of_intent = intent.commands.iter().map(|words| {
        let words: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
        words.join(" ")
    });
    let own = persona.apps.commands.iter().map(|command| format!("sh -c {}", shell_word(command)));
    let commands: Vec<String> = of_intent.chain(own).map(|command| format!("{command} || failed=1\n")).collect();
    if commands.is_empty() {
        return None;
    }
    Some(format!(
        "#!/bin/sh\n# What the persona runs once, as root.\nfailed=0\n{}mkdir -p {folder} && : > {DONE}\nexit $failed\n",
        commands.concat(),
        folder = "/var/lib/greenroom",
    ))
}

fn once_unit() -> String {
    format!(
        "[Unit]\n\
         Description=Commands of the persona, run once\n\
         Wants=network-online.target\n\
         After=network-online.target\n\
         ConditionPathExists=!{DONE}\n\n\
         [Service]\n\
         Type=oneshot\n\
         RemainAfterExit=yes\n\
         ExecStart={}\n\n\
         [Install]\n\
         WantedBy=multi-user.target\n",
        once_path()
    )
}

/// A swap file, made at the first start. Btrfs needs more than this, and is refused.
fn swap_unit(bytes: u64) -> String {
    let file = "/var/lib/greenroom.swap";
    format!(
        "[Unit]\n\
         Description=Swap space\n\
         ConditionVirtualization=!container\n\n\
         [Service]\n\
         Type=oneshot\n\
         RemainAfterExit=yes\n\
         ExecStart=/bin/sh -c \"[ -e {file} ] || {{ fallocate -l {bytes} {file}.new && chmod 600 {file}.new && \
         mkswap {file}.new && mv {file}.new {file}; }}\"\n\
         ExecStart=/bin/sh -c \"exec swapon {file}\"\n\
         ExecStop=/bin/sh -c \"exec swapoff {file}\"\n\n\
         [Install]\n\
         WantedBy=multi-user.target\n"
    )
}
