//! Personas as installers read them: seed files. A pure function of the persona, the device and the site.
//!
//! All Linux formats but Ignition lead to the same cloud-config. A live system's cloud-init reads it over the network; an
//! installer does what only an installer can (disk, boot loader, base system) and leaves it on the disk for the first boot.
//! So each field has one rendering, and nothing is silently dropped: what a target cannot say, it [`refuses`].

mod autoinstall;
mod bare;
mod cloud_init;
mod ignition;
mod install;
mod kickstart;
mod network;
mod preseed;
mod refuse;
mod report;
mod unattend;

use serde_json::{Map, Value};

use crate::{
    document::yaml,
    model::{BootId, Effect, MacAddr, secret::Secrets, site::Mirrors, smbios::Hardware},
    persona::{Persona, quote::shell_word, schema::Target},
};

/// The device and the place that a seed is rendered for.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// The persona's name, for people.
    pub persona: &'a str,
    /// The device's first port.
    pub mac: MacAddr,
    /// What it reported of itself.
    pub hardware: &'a Hardware,
    /// The attempt: cloud-init's instance id, so that each attempt applies the persona anew.
    pub boot: BootId,
    /// The folder of the seed, with a closing slash.
    pub seed_url: &'a str,
    /// Where the device reports.
    pub report_url: &'a str,
    /// Where packages come from.
    pub mirrors: &'a Mirrors,
    /// The secrets that the persona names.
    pub secrets: &'a Secrets,
}

/// The seed of a persona as a device would read it, but for the attempt's name and token, which only a boot has, and for
/// secrets, which nobody needs to see: files by name, in the order in which they are read.
pub fn sample(name: &str, persona: &Persona, mac: MacAddr, mirrors: &Mirrors) -> Vec<(&'static str, String)> {
    let seed_url = "http://greenroom.example/seed/0000000000/token/";
    let subject = Subject {
        persona: name,
        mac,
        hardware: &Hardware::default(),
        boot: BootId::new(0),
        seed_url,
        report_url: &format!("{seed_url}report"),
        mirrors,
        secrets: &Secrets::masked(persona.secret_names()),
    };
    seed_files(persona).into_iter().filter_map(|file| Some((file, seed_file(persona, &subject, file)?))).collect()
}

impl Subject<'_> {
    /// The host name: the persona's pattern filled in, or its name and the end of the MAC address.
    fn hostname(&self, persona: &Persona) -> String {
        let [.., a, b, c] = self.mac.octets();
        let mac = format!("{a:02x}{b:02x}{c:02x}");
        let serial = self.hardware.serial.as_deref().unwrap_or_default().to_lowercase();
        let serial: String = serial.chars().filter(char::is_ascii_alphanumeric).take(24).collect();
        // A device without a serial number still needs a name of its own.
        let serial = if serial.is_empty() { mac.clone() } else { serial };
        let fallback = format!("{}-{mac}", self.persona);
        let pattern = persona.network.hostname.clone().unwrap_or(fallback);
        pattern.replace("{{mac}}", &mac).replace("{{serial}}", &serial)
    }
}

/// Something that a persona asks for and its target has no words for. Validation makes an error of it: what cannot be
/// said is never silently left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where it stands in the document: `os.install.filesystem`.
    pub path: String,
    /// Why the target cannot say it.
    pub why: String,
    /// What to write in its place.
    pub help: &'static str,
}

impl Refused {
    fn new(path: impl Into<String>, why: impl Into<String>, help: &'static str) -> Self {
        Self { path: path.into(), why: why.into(), help }
    }
}

/// What the target of a persona cannot express.
pub fn refuses(persona: &Persona) -> Vec<Refused> {
    match persona.target() {
        Target::CloudInit => cloud_init::refuses(persona),
        Target::Preseed => preseed::refuses(persona),
        Target::Autoinstall => autoinstall::refuses(persona),
        Target::Kickstart => kickstart::refuses(persona),
        Target::Ignition => ignition::refuses(persona),
        Target::Unattend => unattend::refuses(persona),
        Target::Bare => bare::refuses(persona),
    }
}

/// cloud-init's files, as the NoCloud data source reads them.
const CLOUD_INIT: [&str; 4] = ["meta-data", "user-data", "vendor-data", "network-config"];

/// Where an installed system's cloud-init looks for them.
const SEED_FOLDER: &str = "/var/lib/cloud/seed/nocloud";

/// The names of the seed files of a persona, the one that is read first in front.
pub fn seed_files(persona: &Persona) -> Vec<&'static str> {
    let mut names = match persona.target() {
        Target::Preseed => vec!["preseed.cfg", "disk.sh", "finish.sh"],
        Target::Autoinstall => vec!["user-data", "meta-data", "vendor-data", "disk.sh", "finish.sh"],
        Target::Kickstart => vec!["ks.cfg"],
        Target::Ignition => match persona.effect() {
            Effect::Ephemeral => vec!["config.ign"],
            Effect::Destructive => vec!["config.ign", "installed.ign"],
        },
        Target::Unattend => vec!["unattend.xml", "firstboot.ps1"],
        Target::CloudInit | Target::Bare => vec![],
    };
    if matches!(persona.target(), Target::CloudInit | Target::Preseed | Target::Kickstart) {
        names.extend(CLOUD_INIT);
    }
    let installs = matches!(persona.target(), Target::Preseed | Target::Autoinstall | Target::Kickstart);
    if installs && persona.security.encryption.is_some() {
        names.push(install::PASSPHRASE);
    }
    names
}

/// One seed file; `None` when the persona has no such file.
pub fn seed_file(persona: &Persona, subject: &Subject<'_>, name: &str) -> Option<String> {
    if !seed_files(persona).contains(&name) {
        return None;
    }
    match (persona.target(), name) {
        (Target::Autoinstall, "user-data") => Some(autoinstall::user_data(persona, subject)),
        (Target::Autoinstall, "disk.sh") => autoinstall::disk_script(persona, subject),
        (Target::Autoinstall, "finish.sh") => Some(autoinstall::finish_script(persona, subject)),
        (_, "preseed.cfg") => Some(preseed::preseed(persona, subject)),
        (_, "disk.sh") => preseed::disk_script(persona, subject),
        (_, "finish.sh") => Some(preseed::finish_script(persona, subject)),
        (_, "ks.cfg") => Some(kickstart::kickstart(persona, subject)),
        (_, "meta-data") => Some(cloud_init::meta_data(persona, subject)),
        (_, "user-data") => Some(cloud_init::user_data(persona, subject)),
        (_, "vendor-data") => Some(cloud_init::vendor_data(subject)),
        (_, "network-config") => Some(yaml::to_string(&network::netplan(persona, subject))),
        (_, install::PASSPHRASE) => install::passphrase(persona, subject),
        (_, "config.ign") => Some(ignition::config(persona, subject)),
        (_, "installed.ign") => Some(ignition::installed(persona, subject)),
        (_, "unattend.xml") => Some(unattend::answers(persona, subject)),
        (_, "firstboot.ps1") => Some(unattend::first_boot(persona, subject)),
        _ => None,
    }
}

/// Appends what an admin wrote in a format's own words, under a line that says whose it is.
fn append(text: &mut String, raw: &str) {
    if !raw.is_empty() {
        text.push_str("\n# From `raw`, as it was written:\n");
        text.push_str(raw);
        if !raw.ends_with('\n') {
            text.push('\n');
        }
    }
}

/// Merges what an admin wrote in a format's own words into what was rendered: maps deeply, all else is replaced.
fn merge(rendered: &mut Map<String, Value>, raw: &Map<String, Value>) {
    for (key, value) in raw {
        match (rendered.get_mut(key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => merge(known, more),
            _ => drop(rendered.insert(key.clone(), value.clone())),
        }
    }
}
