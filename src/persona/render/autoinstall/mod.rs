//! The answers for Ubuntu's installer, subiquity (22.04 and later): the disk, the base system, the boot loader.
//!
//! The live installer's own cloud-init reads them from `user-data`, and the cloud-config that the installed system reads is
//! a part of them. The two scripts are files of their own, since subiquity logs every command whole.

mod storage;

use serde_json::{Map, Value, json};

use crate::{
    document::yaml,
    persona::{Persona, schema::Family},
};

use super::{Refused, Subject, cloud_init, install, merge, network, report, shell_word};

use storage::{DISK, Firmware, KEY, storage};

/// What subiquity cannot be told is what no installer can.
pub(super) fn refuses(persona: &Persona) -> Vec<Refused> {
    install::refuses(persona)
}

/// `user-data` of the live installer.
pub(super) fn user_data(persona: &Persona, subject: &Subject<'_>) -> String {
    let config = Map::from_iter([("autoinstall".to_owned(), Value::Object(answers(persona, subject)))]);
    format!("#cloud-config\n# Rendered by Greenroom from persona {}.\n{}", subject.persona, yaml::to_string(&config))
}

fn answers(persona: &Persona, subject: &Subject<'_>) -> Map<String, Value> {
    let preferences = &persona.preferences;
    let mut answers = Map::new();
    let mut set = |key: &str, value: Value| drop(answers.insert(key.to_owned(), value));
    set("version", json!(1));
    set("interactive-sections", json!([]));
    set("refresh-installer", json!({ "update": false }));
    set("locale", json!(preferences.locale.as_deref().unwrap_or("C.UTF-8")));
    set("keyboard", json!({ "layout": preferences.keyboard.as_deref().unwrap_or("us") }));
    set("timezone", json!(preferences.timezone.as_deref().unwrap_or("Etc/UTC")));
    // The installer's own network; the installed system's is cloud-init's alone, by `finish.sh`.
    set("network", network::boot_port(subject));
    if let Some(proxy) = &persona.network.proxy {
        set("proxy", json!(proxy.http));
    }
    // A site without a way out still installs what the image brings.
    set("apt", json!({ "geoip": false, "fallback": "offline-install" }));
    set("ssh", json!({ "install-server": true, "allow-pw": persona.security.ssh.password_login }));
    if let Some(encryption) = &persona.security.encryption {
        set("packages", json!(install::packages(encryption, Family::Debian)));
    }
    set("updates", json!("security"));
    let run = |script: &str| {
        let address = install::address(subject, script);
        json!([format!("curl -fsS --retry 5 -o /run/greenroom-{script} {address} && sh /run/greenroom-{script}")])
    };
    if persona.os.install.is_some() {
        set("early-commands", run("disk.sh"));
    }
    set("late-commands", run("finish.sh"));
    set("shutdown", json!("reboot"));
    set("user-data", Value::Object(cloud_init::cloud_config(persona, subject)));
    let mut raw = persona.raw.autoinstall.clone();
    // That one is merged into what the script adds.
    raw.remove("storage");
    merge(&mut answers, &raw);
    answers
}

/// `disk.sh`, where there is a disk to find.
pub(super) fn disk_script(persona: &Persona, subject: &Subject<'_>) -> Option<String> {
    let disk = persona.os.install.as_ref()?;
    let find = install::find_disk(persona, disk, subject, &install::curl_post(subject), install::Failing::Ends);
    let mut script = format!(
        "#!/bin/sh\n\
         # Run by Ubuntu's installer before it reads its answers for good, for persona {}.\n{find}",
        subject.persona
    );
    if persona.security.encryption.is_some() {
        let address = install::address(subject, install::PASSPHRASE);
        script.push_str(&format!(
            "umask 077\n\
             curl -fsS --retry 5 -o {KEY} {address} || stop the passphrase of the disk cannot be fetched\n"
        ));
    }
    let value = |firmware| shell_word(&storage(persona, disk, firmware).to_string());
    script.push_str(&format!(
        "if [ -d /sys/firmware/efi ]; then\n    storage={uefi}\nelse\n    storage={bios}\nfi\n\
         storage=$(printf %s \"$storage\" | sed \"s|{DISK}|$disk|g\")\n\
         printf '\\nstorage: %s\\n' \"$storage\" >>/autoinstall.yaml\n",
        uefi = value(Firmware::Uefi),
        bios = value(Firmware::Bios),
    ));
    Some(script)
}

/// `finish.sh`: gives the system its network and its kernel arguments, lets the disk open by itself, and says that the
/// installation is done.
pub(super) fn finish_script(persona: &Persona, subject: &Subject<'_>) -> String {
    let network = json!({ "network": network::netplan(persona, subject) });
    let mut script = format!(
        "#!/bin/sh\n\
         # Run by Ubuntu's installer when the system is on the disk, for persona {name}.\n\
         set -e\n\
         {trap}\
         umask 077\n\
         # The installer left its own network, and told cloud-init to let it be.\n\
         rm -f /target/etc/netplan/*.yaml /target/etc/cloud/cloud.cfg.d/*disable-cloudinit-networking.cfg\n\
         rm -f /target/etc/cloud/cloud.cfg.d/90-installer-network.cfg\n\
         printf %s {network} >/target/etc/cloud/cloud.cfg.d/95-greenroom-network.cfg\n",
        name = subject.persona,
        trap = install::report_failure(&install::curl_post(subject)),
        network = shell_word(&yaml::to_string(&network)),
    );
    if !persona.os.kernel_args.is_empty() {
        let line = format!("GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX {}\"\n", persona.os.kernel_args.join(" "));
        script.push_str(&format!(
            "umask 022\n\
             mkdir -p /target/etc/default/grub.d\n\
             printf %s {line} >/target/etc/default/grub.d/90-greenroom.cfg\n\
             curtin in-target --target=/target -- update-grub\n",
            line = shell_word(&line),
        ));
    }
    if let Some(encryption) = &persona.security.encryption {
        let bind = format!("passphrase=$(cat {KEY})\n{}", install::bind(encryption, Family::Debian));
        script.push_str(&format!("curtin in-target --target=/target -- sh -c {}\nrm -f {KEY}\n", shell_word(&bind)));
    }
    script.push_str(&format!("{} '{}'\n", install::curl_post(subject), report::INSTALLED));
    script
}
