//! Ignition configs: which of them a persona can take, and what they do to disks.

use serde_json::{Map, Value};

/// The seed file that an Ignition system is pointed to.
pub(super) const SEED_FILE: &str = "config.ign";

/// Words that stand in a config which installs. They survive in `data:` URLs unless those are base64.
const INSTALLERS: [&str; 3] = ["flatcar-install", "coreos-install", "coreos-installer"];

/// A config as `raw.ignition` takes it, or why not and what to do.
pub(super) fn read(text: &str) -> Result<Map<String, Value>, (String, &'static str)> {
    if text.contains("{{") {
        let why = "it is a Go template, and only Matchbox fills it in".to_owned();
        return Err((why, "fill it in for the group (`curl http://matchbox/ignition?mac=...`), and import the result"));
    }
    let Ok(Value::Object(mut config)) = serde_json::from_str(text) else {
        let butane = text.lines().any(|line| line.starts_with("variant:"));
        return Err(match butane {
            true => ("it is Butane YAML".to_owned(), "run `butane --strict FILE > FILE.ign`, and import again"),
            false => (
                "it is neither Ignition JSON nor Butane: a Container Linux Config, perhaps".to_owned(),
                "rewrite it as Butane (`variant: flatcar`), run `butane --strict`, and import again",
            ),
        });
    };
    let ignition = config.get_mut("ignition").and_then(Value::as_object_mut);
    // The renderer says the version: this part must be one that 3.4 reads.
    let version = ignition.and_then(|ignition| ignition.remove("version"));
    let version = version.as_ref().and_then(Value::as_str).unwrap_or("none").to_owned();
    let mut numbers = version.split(['.', '-']).map(|number| number.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(3), Some(0..=4)) => {
            config.retain(|_, value| !matches!(value, Value::Object(map) if map.is_empty()));
            Ok(config)
        }
        (Some(3), _) => Err((
            format!("it is Ignition {version}, and Greenroom writes 3.4"),
            "write it as 3.4 if it uses nothing newer",
        )),
        (Some(1 | 2), _) => Err((
            format!("it is Ignition {version}, which today's systems do not read"),
            "convert it to 3.x with `ign-converter`, and import again",
        )),
        _ => Err((format!("its Ignition version is `{version}`"), "it must be 3.0 to 3.4")),
    }
}

/// Whether a config installs: it belongs to a system that runs from memory only to write another to the disk.
pub(super) fn installs(config: &Map<String, Value>) -> bool {
    let text = Value::Object(config.clone()).to_string();
    INSTALLERS.iter().any(|word| text.contains(word))
}

/// Takes out what writes to disks, and says what that was: an ephemeral persona leaves them alone.
pub(super) fn spare_disks(config: &mut Map<String, Value>) -> Vec<&'static str> {
    let Some(storage) = config.get_mut("storage").and_then(Value::as_object_mut) else { return vec![] };
    let mut gone = vec!["disks", "raid", "luks", "filesystems"];
    gone.retain(|part| storage.remove(*part).is_some());
    gone
}

/// The disk that an installer in a config is told to write to.
pub(super) fn disk(config: &Map<String, Value>) -> Option<String> {
    let text = Value::Object(config.clone()).to_string().replace("%20", " ").replace("%2F", "/");
    let at = INSTALLERS.iter().find_map(|word| text.find(word))?;
    let mut words = text[at..].split([' ', '\\', '"', '%']);
    words.find(|word| *word == "-d")?;
    words.next().filter(|word| word.starts_with("/dev/")).and_then(super::super::draft::disk_path)
}
