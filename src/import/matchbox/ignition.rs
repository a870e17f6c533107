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

/// Why a config wipes a disk, when it does.
pub(super) fn wipes(config: &Map<String, Value>) -> Option<String> {
    let text = Value::Object(config.clone()).to_string();
    if let Some(word) = INSTALLERS.iter().find(|word| text.contains(**word)) {
        return Some(format!("its Ignition config calls {word}"));
    }
    let storage = config.get("storage")?;
    let part = ["disks", "raid", "luks", "filesystems"]
        .into_iter()
        .find(|part| storage.get(part).and_then(Value::as_array).is_some_and(|items| !items.is_empty()))?;
    Some(format!("its Ignition config has storage.{part}"))
}

/// The disk that a config names, when it names one only.
pub(super) fn disk(config: &Map<String, Value>) -> Option<String> {
    let disks = config.get("storage").and_then(|storage| storage.get("disks")).and_then(Value::as_array);
    let device = |disk: &Value| disk.get("device").and_then(Value::as_str).and_then(super::super::draft::disk_path);
    if let Some([only]) = disks.map(Vec::as_slice) {
        return device(only);
    }
    let text = Value::Object(config.clone()).to_string().replace("%20", " ").replace("%2F", "/");
    let at = INSTALLERS.iter().find_map(|word| text.find(word))?;
    let mut words = text[at..].split([' ', '\\', '"', '%']);
    words.find(|word| *word == "-d")?;
    words.next().filter(|word| word.starts_with("/dev/")).and_then(super::super::draft::disk_path)
}
